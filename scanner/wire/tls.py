"""Cut one side's bytes into TLS records and handshake messages; application data is measured, not kept.

Sources: RFC 8446 5.1, RFC 5246 6.2.1.
"""

from __future__ import annotations

from struct import Struct

LARGEST_RECORD = 16384 + 2048
"""RFC 5246 6.2.3; a larger length means that this is no TLS, told by ``Records.broken``."""
LARGEST_MESSAGE = 65536
"""Bytes of a handshake message put together; chains are under 20 KB. A larger one is dropped unread."""
_HEADER = 5
_header = Struct(">HxH").unpack_from
"""Content type and major version, and the length of a record."""
_message = Struct(">I").unpack_from
"""Type (8 bits) and length (24 bits) of a handshake message."""


def begins_hello(data: bytes) -> bool:
    """Tell whether bytes begin with a hello of either side: a record of RFC 8446 5.1, a message of 4."""
    return data[:2] == b"\x16\x03" and data[5:6] in (b"\1", b"\2")


class Content:
    """Content types; plain numbers, as they are compared for every record."""

    CHANGE_CIPHER_SPEC = 20
    ALERT = 21
    HANDSHAKE = 22
    APPLICATION_DATA = 23


_APPLICATION_DATA = Content.APPLICATION_DATA
_DATA_KIND = _APPLICATION_DATA << 8 | 3
_KINDS = frozenset(content << 8 | 3 for content in range(20, 25))
"""How a record begins: a content type that there is (24: RFC 6520), the major version that all have."""

Record = tuple[int, int, bytes]
"""Content type, bytes of payload, and the payload (empty for application data).

A plain tuple: to name its parts costs more than to cut it.
"""


class Records:
    """One side's records."""

    __slots__ = ("_data", "_skip", "broken")

    def __init__(self) -> None:
        """Begin at a record's start."""
        self._data = b""
        self._skip = 0
        self.broken = False

    def alone(self, data: bytes) -> int | None:
        """The length of the record of application data that bytes are, if just one and nothing waits.

        No need to push them then; most records travel by themselves.
        """
        if self._skip or self._data or self.broken or len(data) < _HEADER:
            return None
        kind, length = _header(data)
        return length if kind == _DATA_KIND and length + _HEADER == len(data) else None

    def push(self, data: bytes) -> list[Record]:
        """Add bytes; give the records whose header (application data) or whole (all else) is here."""
        found: list[Record] = []
        at, end = self._skip, len(data)
        if self.broken or at >= end:
            self._skip = at - end
            return found
        if self._data:
            data = self._data + data
            end = len(data)
        while end - at >= _HEADER:
            kind, length = _header(data, at)
            if kind not in _KINDS or length > LARGEST_RECORD:
                self.broken, self._data = True, b""
                return found
            behind = at + _HEADER + length
            if kind == _DATA_KIND:
                found.append((_APPLICATION_DATA, length, b""))
            elif behind <= end:
                found.append((kind >> 8, length, data[at + _HEADER : behind]))
            else:
                break
            at = behind
        if at < end:
            self._data, self._skip = data[at:], 0
        else:
            self._data, self._skip = b"", at - end
        return found


class Messages:
    """Handshake messages out of records; stops where they become ciphertext."""

    __slots__ = ("_data",)

    def __init__(self) -> None:
        """Begin empty."""
        self._data = b""

    def push(self, payload: bytes) -> list[tuple[int, bytes]]:
        """Add a record's payload; give (type, body) of each whole message."""
        data = self._data + payload if self._data else payload
        found: list[tuple[int, bytes]] = []
        at, end = 0, len(data)
        while end - at >= 4:
            (head,) = _message(data, at)
            size = head & 0xFFFFFF
            if size > LARGEST_MESSAGE:
                at = end
                break
            behind = at + 4 + size
            if behind > end:
                break
            found.append((head >> 24, data[at + 4 : behind]))
            at = behind
        self._data = data[at:]
        return found
