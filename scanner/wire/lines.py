"""Cut one side's bytes into lines, past literals and bodies, without keeping what nobody asked for."""

from __future__ import annotations

LINE_LIMIT = 64 * 1024
"""Bytes of an unfinished line kept: tokens of 16 KB exist; a longer line is dropped and told as overflow."""


class Lines:
    """A buffer of one side; LF ends a line, a CR before it goes too (RFC 5321 2.3.8, met more loosely)."""

    __slots__ = ("_data", "_drop", "_skip", "overflowed")

    def __init__(self) -> None:
        """Begin empty."""
        self._data = b""
        self._skip = 0
        self._drop = False
        self.overflowed = False

    def push(self, data: bytes) -> None:
        """Add bytes that came in order."""
        if self._skip:
            skipped = min(self._skip, len(data))
            self._skip -= skipped
            data = data[skipped:]
        self._data = self._data + data if self._data else data

    def pop(self) -> bytes | None:
        """Take the next whole line without its end; None if there is none yet."""
        while True:
            end = self._data.find(b"\n")
            if end < 0:
                if len(self._data) > LINE_LIMIT:
                    self._data, self._drop, self.overflowed = b"", True, True
                return None
            line, self._data = self._data[:end], self._data[end + 1 :]
            if not self._drop:
                return line[:-1] if line.endswith(b"\r") else line
            self._drop = False

    def take(self, count: int) -> bytes | None:
        """Take exactly so many bytes; None if they are not all here yet."""
        if len(self._data) < count:
            return None
        taken, self._data = self._data[:count], self._data[count:]
        return taken

    def skip(self, count: int) -> None:
        """Let so many bytes pass unread, those to come included."""
        here = min(count, len(self._data))
        self._data = self._data[here:]
        self._skip = count - here

    def unskip(self) -> None:
        """The bytes that were to be skipped will not come."""
        self._skip = 0

    def lose(self, missing: int) -> None:
        """Bytes are missing here: what came before is no whole line (-1: nobody knows how many)."""
        self._data = b""
        self._skip = max(self._skip - missing, 0) if missing > 0 else 0

    def rest(self) -> bytes:
        """Take all that is left."""
        rest, self._data = self._data, b""
        return rest
