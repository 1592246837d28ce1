"""Cut one side's bytes into lines, past literals and bodies, without keeping what nobody asked for."""

from __future__ import annotations

import re

LINE_LIMIT = 64 * 1024
"""Bytes of an unfinished line kept: tokens of 16 KB exist; a longer line is dropped and told as overflow."""


_CR = 13
_BODY_END = re.compile(rb"\n\.\r?\n")


class Lines:
    """A buffer of one side; LF ends a line, a CR before it goes too (RFC 5321 2.3.8, met more loosely)."""

    __slots__ = ("_at", "_data", "_drop", "_skip", "overflowed")

    def __init__(self) -> None:
        """Begin empty."""
        self._data = b""
        self._at = 0
        self._skip = 0
        self._drop = False
        self.overflowed = False

    def push(self, data: bytes) -> None:
        """Add bytes that came in order."""
        if self._skip:
            skipped = min(self._skip, len(data))
            self._skip -= skipped
            data = data[skipped:]
        self._data = self._data[self._at :] + data if self._at < len(self._data) else data
        self._at = 0

    def alone(self, data: bytes) -> bytes | None:
        """Give the line that bytes are, if they are just one and nothing waits: no need to push them then."""
        if not data or data.find(b"\n") + 1 != len(data):
            return None
        if self._skip or self._drop or self._at < len(self._data):
            return None
        return data[:-1].removesuffix(b"\r")

    def pop(self) -> bytes | None:
        """Take the next whole line without its end; None if there is none yet."""
        while True:
            data, at = self._data, self._at
            end = data.find(b"\n", at)
            if end < 0:
                if len(data) - at > LINE_LIMIT:
                    self._data, self._at, self._drop, self.overflowed = b"", 0, True, True
                return None
            self._at = end + 1
            if not self._drop:
                return data[at : end - 1] if end > at and data[end - 1] == _CR else data[at:end]
            self._drop = False

    def pop_match(self, pattern: re.Pattern[bytes]) -> re.Match[bytes] | None:
        """Take what matches a pattern here and now; None if nothing does, or an overlong line is passing."""
        found = None if self._drop else pattern.match(self._data, self._at)
        if found:
            self._at = found.end()
        return found

    def pop_block(self) -> list[bytes] | None:
        """Take the lines up to an empty one, that one included, if they all are here and end with CRLF."""
        data, at = self._data, self._at
        end = data.find(b"\r\n\r\n", at)
        if end < 0 or self._drop:
            return None
        lines = data[at : end + 2].split(b"\r\n")
        if data.count(b"\n", at, end + 2) != len(lines) - 1:
            return None
        self._at = end + 4
        return lines

    def pop_head(self) -> bytes | None:
        """Take the head of a message, its empty line included, if all of it is here and no dot ends it."""
        data, at = self._data, self._at
        end = data.find(b"\r\n\r\n", at) + 4
        if (
            end < 4
            or self._drop
            or data.startswith((b".\r\n", b".\n"), at)
            or _BODY_END.search(data, at, end)
        ):
            return None
        self._at = end
        return data[at:end]

    def pop_dot(self) -> bytes | None:
        """Take a line out of a body: where it can be, the dot that ends it (RFC 5321 4.1.1.4), at once."""
        data, at = self._data, self._at
        if not self._drop and not data.startswith((b".\r\n", b".\n"), at):
            found = _BODY_END.search(data, at)
            self._at = found.start() + 1 if found else max(data.rfind(b"\n") + 1, at)
        return self.pop()

    def take(self, count: int) -> bytes | None:
        """Take exactly so many bytes; None if they are not all here yet."""
        behind = self._at + count
        if len(self._data) < behind:
            return None
        taken, self._at = self._data[self._at : behind], behind
        return taken

    def take_most(self, count: int) -> bytes:
        """Take what is here, at most so many bytes."""
        taken = self._data[self._at : self._at + count]
        self._at += len(taken)
        return taken

    def skip(self, count: int) -> None:
        """Let so many bytes pass unread, those to come included."""
        here = min(count, len(self._data) - self._at)
        self._at += here
        self._skip = count - here

    @property
    def skipping(self) -> bool:
        """Whether bytes to come are to pass unread."""
        return self._skip > 0

    def unskip(self) -> None:
        """The bytes that were to be skipped will not come."""
        self._skip = 0

    def lose(self, missing: int) -> None:
        """Bytes are missing here: what came before is no whole line (-1: nobody knows how many)."""
        self._data, self._at = b"", 0
        self._skip = max(self._skip - missing, 0) if missing > 0 else 0

    def rest(self) -> bytes:
        """Take all that is left."""
        rest, self._data, self._at = self._data[self._at :], b"", 0
        return rest
