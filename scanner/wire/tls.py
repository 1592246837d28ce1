"""Cut one side's bytes into TLS records and handshake messages; application data is measured, not kept.

Sources: RFC 8446 5.1, RFC 5246 6.2.1.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum
from typing import NamedTuple

LARGEST_RECORD = 16384 + 2048
"""RFC 5246 6.2.3; a larger length means that this is no TLS, told by ``Records.broken``."""
LARGEST_MESSAGE = 65536
"""Bytes of a handshake message put together; chains are under 20 KB. A larger one is dropped unread."""
_HEADER = 5


class Content(IntEnum):
    """Content types."""

    CHANGE_CIPHER_SPEC = 20
    ALERT = 21
    HANDSHAKE = 22
    APPLICATION_DATA = 23


class Record(NamedTuple):
    """One record."""

    content: int
    length: int
    """Bytes of its payload."""
    payload: bytes
    """Empty for application data."""


class Records:
    """One side's records."""

    __slots__ = ("_data", "_skip", "broken")

    def __init__(self) -> None:
        """Begin at a record's start."""
        self._data = b""
        self._skip = 0
        self.broken = False

    def push(self, data: bytes) -> Iterator[Record]:
        """Add bytes; yield the records whose header (application data) or whole (all else) is here."""
        self._data += data
        while not self.broken:
            if self._skip:
                passed = min(self._skip, len(self._data))
                self._skip -= passed
                self._data = self._data[passed:]
            if self._skip or len(self._data) < _HEADER:
                return
            content, length = self._data[0], int.from_bytes(self._data[3:5], "big")
            if not 20 <= content <= 24 or self._data[1] != 3 or length > LARGEST_RECORD:
                self.broken, self._data = True, b""
                return
            if content == Content.APPLICATION_DATA:
                self._data, self._skip = self._data[_HEADER:], length
                yield Record(content, length, b"")
                continue
            if len(self._data) < _HEADER + length:
                return
            payload = self._data[_HEADER : _HEADER + length]
            self._data = self._data[_HEADER + length :]
            yield Record(content, length, payload)


class Messages:
    """Handshake messages out of records; stops where they become ciphertext."""

    __slots__ = ("_data",)

    def __init__(self) -> None:
        """Begin empty."""
        self._data = b""

    def push(self, payload: bytes) -> Iterator[tuple[int, bytes]]:
        """Add a record's payload; yield (type, body) of each whole message."""
        self._data += payload
        while len(self._data) >= 4:
            size = int.from_bytes(self._data[1:4], "big")
            if size > LARGEST_MESSAGE:
                self._data = b""
                return
            if len(self._data) < 4 + size:
                return
            kind, body = self._data[0], self._data[4 : 4 + size]
            self._data = self._data[4 + size :]
            yield kind, body
