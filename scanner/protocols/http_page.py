"""The title of a web page: devices write their model there. Only the beginning of a page is looked at."""

from __future__ import annotations

import html

from scanner.protocols.announcement import TEXT_LENGTH, clean

BYTES_READ = 2048
"""Bytes of a page read: the title stands in its first kilobyte; one that stands later is not told."""


class Page:
    """The beginning of a page, as it comes."""

    __slots__ = ("_data", "_left", "unread", "wanted")

    def __init__(self, length: int | None) -> None:
        """Begin one of so many bytes; None: until the connection is closed."""
        self._data = b""
        self._left = BYTES_READ
        self.wanted = 0
        """Bytes to be read now."""
        self.unread: int | None = 0
        """Bytes to be passed over then; None: all."""
        self.expect(length)

    def expect(self, count: int | None) -> None:
        """Learn that so many bytes follow: the page, or its next chunk."""
        self.wanted = self._left if count is None else min(count, self._left)
        self.unread = None if count is None else count

    def add(self, data: bytes) -> None:
        """Read no more than is wanted."""
        self._data += data
        self._left -= len(data)
        self.wanted -= len(data)
        if self.unread is not None:
            self.unread -= len(data)

    @property
    def may_go_on(self) -> bool:
        """More would be read, if another chunk follows."""
        return self._left > 0

    @property
    def title(self) -> str:
        """The title if all of it was read, on one line; else empty."""
        lowered = self._data.lower()
        begin = lowered.find(b"<title")
        behind = lowered.find(b">", begin) + 1
        end = lowered.find(b"</title", behind)
        if begin < 0 or not behind or end < 0:
            return ""
        text = html.unescape(clean(self._data[behind : min(end, behind + 4 * TEXT_LENGTH)]))
        return " ".join(text.split())[:TEXT_LENGTH]
