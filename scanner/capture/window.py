"""A window that moves over a capture's bytes: those of a file, of a pipe, or decompressed ones."""

from __future__ import annotations

import os
import select
import stat
import zlib
from collections.abc import Callable, Iterator
from io import FileIO
from itertools import chain
from typing import Protocol

import numpy as np
import zstandard

from scanner.wire.batch import Bytes

BLOCK = 6 << 20
"""Bytes looked at in one go: NumPy's cost per call vanishes, and a block still fits a cache."""

PACKETS = 1 << 14
"""Packets in a batch: the columns made of it are several times as large as small packets themselves."""

LARGEST_RECORD = 64 << 20
"""A record that claims more is corrupt (largest real ones: pcapng key logs, offloaded packets of 256 KiB);
reading stops there with an error."""

READ = 1 << 18
"""Bytes asked of a pipe or of a compressed file at once."""


class Corrupt(Exception):
    """The bytes at an offset of the capture are not what they should be."""

    def __init__(self, offset: int, why: str) -> None:
        """Say what is wrong where."""
        super().__init__(why)
        self.offset = offset
        self.why = why


Fill = Callable[[memoryview], int]
"""Writes what there is into the memory given, waiting only where nothing is; 0: there is no more."""


class Window:
    """Bytes ``begin`` to ``end`` of ``buffer`` are there and not yet consumed.

    Files are read, not mapped: reading brings a block into the cache at once, which the walk and the decoder
    then profit from, and a file that shrinks meanwhile does no harm.
    """

    def __init__(self, fill: Fill, position: Callable[[], int], close: Callable[[], None]) -> None:
        """Show what ``fill`` gives; ``position`` counts the bytes taken from disk or pipe for it."""
        self._fill = fill
        self.position = position
        self._close = close
        self.buffer: Bytes = np.empty(BLOCK, dtype=np.uint8)
        self.begin = self.end = 0
        self.origin = 0
        """Offset in the capture of the buffer's first byte."""

    def grow(self) -> bool:
        """Get more behind ``end``; the rest moves to the front. False: there is no more. Raises Corrupt."""
        rest = self.end - self.begin
        buffer = self.buffer
        if rest > len(buffer) // 2:
            buffer = np.empty(2 * len(buffer), dtype=np.uint8)
        buffer[:rest] = self.buffer[self.begin : self.end].copy()
        if buffer is not self.buffer:
            self.buffer.fill(0)
        self.origin += self.begin
        self.buffer, self.begin, self.end = buffer, 0, rest
        try:
            count = self._fill(buffer.data[rest:])
        except Corrupt as fault:
            raise Corrupt(self.origin + self.end, fault.why) from None
        self.end += count
        return count > 0

    def close(self) -> None:
        """Close what is read from, and wipe what was read: it held passwords. Twice does no harm."""
        self._close()
        self._fill = lambda room: 0
        self.buffer.fill(0)
        self.begin = self.end = 0


class _Reader:
    """A file, FIFO or pipe read in pieces, counted."""

    def __init__(self, raw: FileIO, ahead: bool) -> None:
        """``ahead``: it is on a disk, which may read the next block while this one is looked at."""
        self._raw = raw
        self._ahead = ahead and hasattr(os, "posix_fadvise")
        self.taken = 0

    def fill(self, room: memoryview) -> int:
        """Read what is there, waiting for the first byte only."""
        count = 0
        while count < len(room):
            if count and not select.select([self._raw], [], [], 0)[0]:
                break
            more = self._raw.readinto(room[count:])
            if not more:
                break
            count += more
        self.taken += count
        if self._ahead:
            os.posix_fadvise(self._raw.fileno(), self.taken, BLOCK, os.POSIX_FADV_WILLNEED)
        return count

    def pieces(self) -> Iterator[bytes]:
        piece = memoryview(bytearray(READ))
        while count := self.fill(piece):
            yield bytes(piece[:count])


def _filling(pieces: Iterator[bytes]) -> Fill:
    """Fill from pieces."""
    rest = memoryview(b"")

    def fill(room: memoryview) -> int:
        nonlocal rest
        while not rest and (more := next(pieces, None)) is not None:
            rest = memoryview(more)
        count = min(len(rest), len(room))
        room[:count] = rest[:count]
        rest = rest[count:]
        return count

    return fill


class _Stream(Protocol):
    """One compressed stream: a member of a gzip file (RFC 1952), a frame of a zstd file (RFC 8878)."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, /) -> bytes: ...


_PACKED: dict[bytes, tuple[str, int, Callable[[], _Stream]]] = {
    b"\x1f\x8b": ("gzip", 1 << 12, lambda: zlib.decompressobj(wbits=31)),
    b"\x28\xb5\x2f\xfd": ("zstd", 1 << 10, lambda: zstandard.ZstdDecompressor().decompressobj()),
}
"""By what a file begins with: its name, how many bytes are decompressed at once, and what does so.

Memory stays bounded: gzip blows a byte up to 1 KiB at most, zstd 4 bytes up to 128 KiB. Of data that turns
out to be corrupt as many bytes are lost."""


def _unpacked(
    name: str, bite_size: int, begin: Callable[[], _Stream], pieces: Iterator[bytes]
) -> Iterator[bytes]:
    """Decompress streams put one behind the other; zeros that pad a gzip file are let pass."""
    stream, fresh = begin(), True
    out = bytearray()
    for piece in pieces:
        for at in range(0, len(piece), bite_size):
            bite = piece[at : at + bite_size]
            while bite and not (fresh and name == "gzip" and not bite.strip(b"\0")):
                try:
                    out += stream.decompress(bite)
                except (zlib.error, zstandard.ZstdError):
                    yield bytes(out)
                    raise Corrupt(0, f"{name} data is corrupt") from None
                fresh, bite = stream.eof, stream.unused_data
                stream = begin() if fresh else stream
            if len(out) >= READ * 4:
                yield bytes(out)
                out.clear()
        yield bytes(out)
        out.clear()
    if not fresh:
        raise Corrupt(0, f"{name} data ends early")


def open_window(path: str) -> tuple[Window, int | None]:
    """Open a file, FIFO or ``-`` (stdin), compressed or not; with its size on disk, None where it has none.

    Raises OSError.
    """
    raw = FileIO(path if path != "-" else 0, closefd=path != "-")
    state = os.fstat(raw.fileno())
    regular = stat.S_ISREG(state.st_mode)
    reader = _Reader(raw, ahead=regular)
    head = b""
    while len(head) < 4 and (more := raw.read(4 - len(head))):
        head += more
    reader.taken = len(head)
    packed = next((how for magic, how in _PACKED.items() if head.startswith(magic)), None)
    fill = _filling(_unpacked(*packed, chain([head], reader.pieces()))) if packed else reader.fill
    window = Window(fill, lambda: reader.taken, raw.close)
    if not packed:
        window.buffer[: len(head)] = np.frombuffer(head, dtype=np.uint8)
        window.end = len(head)
    return window, state.st_size if regular else None
