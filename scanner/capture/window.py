"""A window that moves over a capture's bytes: a mapped file, a pipe, or a decompressed stream."""

from __future__ import annotations

import contextlib
import mmap
import os
import select
import stat
import zlib
from collections.abc import Callable, Iterator
from typing import Protocol

import numpy as np
import zstandard

from scanner.wire.batch import Bytes

BLOCK = 4 << 20
"""Bytes looked at in one go: large enough that NumPy's cost per call vanishes, small enough for the cache."""

LARGEST_RECORD = 64 << 20
"""A record that claims more is corrupt (largest real ones: pcapng key logs, offloaded packets of 256 KiB);
reading stops there with an error."""

READ = 1 << 18
"""Bytes asked of a pipe or of a compressed file at once."""

ZSTD_BITE = 1 << 10
"""Compressed bytes taken at once: zstd blows 4 bytes up to 128 KiB at most, so memory stays bounded."""

GZIP = b"\x1f\x8b"
ZSTD = b"\x28\xb5\x2f\xfd"


class Corrupt(Exception):
    """The bytes at an offset of the capture are not what they should be."""

    def __init__(self, offset: int, why: str) -> None:
        """Say what is wrong where."""
        super().__init__(why)
        self.offset = offset
        self.why = why


class Window(Protocol):
    """Bytes ``begin`` to ``end`` of ``buffer`` are there and not yet consumed."""

    buffer: Bytes
    begin: int
    end: int
    origin: int
    """Offset in the capture of the buffer's first byte."""

    def grow(self) -> bool:
        """Get more behind ``end`` (offsets into the buffer may change); False: there is no more."""
        ...

    def position(self) -> int:
        """Count the bytes taken from the disk or pipe so far."""
        ...

    def close(self) -> None:
        """Let go of the file."""
        ...


class MappedWindow:
    """A plain file, mapped; pages behind the window are given back, so that they do not count as ours."""

    def __init__(self, descriptor: int, size: int) -> None:
        """Map ``size`` bytes, more than none."""
        self._map = mmap.mmap(descriptor, size, access=mmap.ACCESS_READ)
        os.close(descriptor)
        self.buffer: Bytes = np.frombuffer(self._map, dtype=np.uint8)
        self.begin = self.end = self.origin = 0
        self._released = 0

    def grow(self) -> bool:
        """Move the end on by a block."""
        done = self.begin - self.begin % mmap.PAGESIZE
        if done > self._released:
            self._map.madvise(mmap.MADV_DONTNEED, self._released, done - self._released)
            self._released = done
        before, self.end = self.end, min(len(self.buffer), self.end + BLOCK)
        return self.end > before

    def position(self) -> int:
        """Count the bytes passed."""
        return self.end

    def close(self) -> None:
        """Forget the map; the system unmaps it when the last batch that shows it is gone."""
        self.buffer = np.empty(0, dtype=np.uint8)


class StreamWindow:
    """Bytes that come in pieces; what one piece brings is shown at once, so that a live pipe is prompt."""

    def __init__(
        self, pieces: Iterator[bytes], position: Callable[[], int], close: Callable[[], None]
    ) -> None:
        """Read ``pieces``, which may end with ``Corrupt``."""
        self._pieces = pieces
        self.position = position
        self.close = close
        self.buffer: Bytes = np.empty(BLOCK, dtype=np.uint8)
        self.begin = self.end = self.origin = 0

    def grow(self) -> bool:
        """Add a piece, moving the rest to the front where there is no room."""
        try:
            piece = next(self._pieces, b"")
        except Corrupt as fault:
            raise Corrupt(self.origin + self.end, fault.why) from None
        if self.end + len(piece) > len(self.buffer):
            rest = self.buffer[self.begin : self.end]
            fresh = np.empty(max(BLOCK, 2 * (len(rest) + len(piece))), dtype=np.uint8)
            fresh[: len(rest)] = rest
            self.origin += self.begin
            self.buffer, self.begin, self.end = fresh, 0, len(rest)
        self.buffer[self.end : self.end + len(piece)] = np.frombuffer(piece, dtype=np.uint8)
        self.end += len(piece)
        return bool(piece)


class _Reader:
    """A descriptor read in pieces, counted."""

    def __init__(self, descriptor: int, owned: bool) -> None:
        self._descriptor = descriptor
        self._owned = owned
        self.taken = 0

    def pieces(self) -> Iterator[bytes]:
        """Give what is there, waiting only where nothing is."""
        while piece := os.read(self._descriptor, READ):
            while len(piece) < READ and select.select([self._descriptor], [], [], 0)[0]:
                more = os.read(self._descriptor, READ - len(piece))
                piece += more
                if not more:
                    break
            self.taken += len(piece)
            yield piece

    def position(self) -> int:
        return self.taken

    def close(self) -> None:
        if self._owned:
            os.close(self._descriptor)
            self._owned = False


def _gunzip(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Decompress gzip members (RFC 1952) one behind the other; zero padding after the last is let pass."""
    member = zlib.decompressobj(wbits=31)
    fresh = True
    for piece in pieces:
        while piece:
            if fresh and not piece.strip(b"\0"):
                break
            fresh = False
            before = member.copy()
            try:
                out = member.decompress(piece, READ * 4)
            except zlib.error:
                if out := _last_good(before, piece):
                    yield out
                raise Corrupt(0, "gzip data is corrupt") from None
            if out:
                yield out
            piece = member.unconsumed_tail
            if member.eof:
                piece = member.unused_data
                member, fresh = zlib.decompressobj(wbits=31), True
    if not fresh:
        raise Corrupt(0, "gzip data ends early")


def _last_good(member: zlib._Decompress, piece: bytes) -> bytes:
    """Decompress byte by byte up to the fault, as zlib gives nothing of a call that fails."""
    out = b""
    with contextlib.suppress(zlib.error):
        for position in range(len(piece)):
            out += member.decompress(piece[position : position + 1])
    return out


def _unzstd(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Decompress zstd frames (RFC 8878) one behind the other."""
    frame = zstandard.ZstdDecompressor().decompressobj()
    fresh, out = True, b""
    for piece in pieces:
        while piece:
            fresh = False
            try:
                out += frame.decompress(piece[:ZSTD_BITE])
            except zstandard.ZstdError:
                if out:
                    yield out
                raise Corrupt(0, "zstd data is corrupt") from None
            piece = piece[ZSTD_BITE:]
            if frame.eof:
                piece = frame.unused_data + piece
                frame, fresh = zstandard.ZstdDecompressor().decompressobj(), True
            if len(out) >= READ * 4:
                yield out
                out = b""
        if out:
            yield out
            out = b""
    if not fresh:
        raise Corrupt(0, "zstd data ends early")


def _gathered(pieces: Iterator[bytes], least: int) -> tuple[bytes, Iterator[bytes]]:
    """Read until ``least`` bytes are there; give them, and all pieces again from the first."""
    head = b""
    for piece in pieces:
        head += piece
        if len(head) >= least:
            break

    def again() -> Iterator[bytes]:
        if head:
            yield head
        yield from pieces

    return head, again()


def open_window(path: str) -> tuple[Window, int | None]:
    """Open a file, FIFO or ``-`` (stdin), compressed or not; with its size on disk, None where it has none.

    Raises OSError.
    """
    descriptor = 0 if path == "-" else os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    state = os.fstat(descriptor)
    if stat.S_ISDIR(state.st_mode):
        os.close(descriptor)
        raise IsADirectoryError(21, "is a directory", path)
    size = state.st_size if stat.S_ISREG(state.st_mode) else None
    if path != "-" and size and os.pread(descriptor, 4, 0)[:2] != GZIP and os.pread(descriptor, 4, 0) != ZSTD:
        return MappedWindow(descriptor, size), size
    reader = _Reader(descriptor, owned=path != "-")
    head, pieces = _gathered(reader.pieces(), 4)
    if head[:2] == GZIP:
        pieces = _gunzip(pieces)
    elif head[:4] == ZSTD:
        pieces = _unzstd(pieces)
    return StreamWindow(pieces, reader.position, reader.close), size
