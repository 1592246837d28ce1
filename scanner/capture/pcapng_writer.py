"""Packets kept for later, in pcapng files (draft-ietf-opsawg-pcapng) of which the newest stay.

``mail.pcapng`` is written as ``mail.00001.pcapng``, ``mail.00002.pcapng`` and so on, numbered on behind
what is there. Files that others wrote are neither overwritten nor removed. All that crossed in clear is in
them, so only their owner may read them. Each batch is one write: a process that is killed leaves whole
packets, and part of one at most.
"""

from __future__ import annotations

import os
import re
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import numpy as np

from scanner.wire.batch import Batch, Ints, LinkType

MOST_BYTES = 64 << 20
"""Bytes after which a file is ended; the batch that reaches them is still whole in it."""
MOST_FILES = 16
"""With files of that size 1 GiB in all: weeks of a site's logins, and no disk is full of them."""
RETRY_S = 30.0
"""How long nothing is written after a fault: an administrator needs longer to make room."""
_MAC_PAIR = 12
"""Bytes of an Ethernet frame before its tag (IEEE 802.1Q 9.4)."""
_VLAN = 0x8100
_EPB = np.dtype(
    [("kind", "<u4"), ("size", "<u4"), ("interface", "<u4"), ("high", "<u4"), ("low", "<u4"),
     ("captured", "<u4"), ("length", "<u4")]
)  # fmt: skip
_TAIL = np.dtype([("padding", "V3"), ("size", "<u4")])


def _block(kind: int, body: bytes, *options: tuple[int, bytes]) -> bytes:
    for code, value in (*options, (0, b"")):
        body += struct.pack("<HH", code, len(value)) + value + bytes(-len(value) % 4)
    size = struct.pack("<I", len(body) + 12)
    return struct.pack("<I", kind) + size + body + size


_HEAD = _block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1), (4, b"mailsunset"))
"""What all our files begin with, in every version: so those are known that may be removed."""


@dataclass(slots=True)
class _File:
    """The file that is written."""

    path: Path
    number: int
    """Its descriptor."""
    size: int = 0
    """Bytes that were written whole."""
    interfaces: dict[tuple[int, str | None], int] = field(default_factory=dict)
    """The number of each link type and interface that it tells of."""


class PcapngWriter:
    """Writes packets; whatever happens to the disk, capture goes on."""

    def __init__(
        self,
        path: str,
        say: Callable[[str], None],
        most_bytes: int = MOST_BYTES,
        most_files: int = MOST_FILES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin the first file; ``say`` is told of faults, and that they are over. Raises OSError."""
        self._path = Path(path)
        self._say = say
        self._most_bytes = most_bytes
        self._most_files = most_files
        self._clock = clock
        self._again_at = 0.0
        self.missed = 0
        """Packets that could not be kept."""
        self._file: _File | None = self._begin()

    def write(self, batch: Batch, packets: Ints) -> None:
        """Write packets of a batch, by their numbers in it, sorted; what a fault leaves out is counted."""
        if not len(packets):
            return
        if self._file is None and self._clock() < self._again_at:
            self.missed += len(packets)
            return
        failed = self._file is None
        try:
            file = self._open()
            if (batch.link, batch.capture) in file.interfaces:
                told = b""
            else:
                told = _interface(batch.link, batch.capture)
            number = file.interfaces.setdefault((batch.link, batch.capture), len(file.interfaces))
            _put(file, told + _packets(batch, packets, number))
        except OSError as fault:
            self.missed += len(packets)
            self._again_at = self._clock() + RETRY_S
            self.close()
            if not failed:
                self._say(f"{self._path}: {fault.strerror}; packets are not kept until it can be written")
            return
        if failed:
            self._say(f"{self._path}: written again; {self.missed} packets were not kept so far")

    def close(self) -> None:
        """End the file; one without packets is taken away. Twice does no harm."""
        file, self._file = self._file, None
        if file is None:
            return
        empty = False
        with suppress(OSError):
            os.ftruncate(file.number, file.size)
            empty = file.size <= len(_HEAD) and os.fstat(file.number).st_nlink > 0
        with suppress(OSError):
            os.close(file.number)
        if empty:
            with suppress(OSError):
                file.path.unlink()

    def _open(self) -> _File:
        """The file to write to: another where it is full, or where somebody removed it."""
        file = self._file
        if file and (file.size >= self._most_bytes or not os.fstat(file.number).st_nlink):
            self.close()
        if self._file is None:
            self._file = self._begin()
        return self._file

    def _begin(self) -> _File:
        """Begin the next file, and remove the oldest of ours beyond those that are kept."""
        there = self._there()
        for number in count(max(there, default=0) + 1):
            path = self._named(number)
            with suppress(FileExistsError):
                flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
                file = _File(path, os.open(path, flags, 0o600))
                break
        ours = [number for number in sorted(there) if _is_ours(self._named(number))]
        for number in ours[: len(ours) + 1 - self._most_files]:
            with suppress(OSError):
                self._named(number).unlink()
        try:
            _put(file, _HEAD)
        except OSError:
            self._file = file
            self.close()
            raise
        return file

    def _there(self) -> list[int]:
        """The numbers that are taken."""
        form = re.compile(re.escape(self._path.stem) + r"\.([0-9]{5,12})" + re.escape(self._path.suffix))
        found = map(form.fullmatch, os.listdir(self._path.parent))
        return [int(one[1]) for one in found if one]

    def _named(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.stem}.{number:05}{self._path.suffix}")


def _is_ours(path: Path) -> bool:
    """Tell whether it is a file that this module wrote; a link to one is not."""
    try:
        number = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except OSError:
        return False
    try:
        return os.read(number, len(_HEAD)) == _HEAD
    except OSError:
        return False
    finally:
        os.close(number)


def _put(file: _File, data: bytes) -> None:
    """Write all of it, or raise OSError with the rest of the file as it was."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(file.number, rest) :]
    file.size += len(data)


def _interface(link: int, name: str | None) -> bytes:
    """Describe an interface, whose times are ns."""
    named = [(2, name.encode(errors="replace"))] if name else []
    return _block(1, struct.pack("<HHI", link, 0, 0), (9, b"\x09"), *named)


def _packets(batch: Batch, packets: Ints, interface: int) -> bytes:
    """Make a block of each packet, with the tag that the kernel took off put back."""
    start, captured, at = batch.start[packets], batch.captured[packets], np.maximum(batch.at[packets], 0)
    tag = np.full(len(packets), -1) if batch.tag is None else batch.tag[packets]
    tagged = (tag >= 0) & (captured >= _MAC_PAIR) & (batch.link == LinkType.ETHERNET)
    kept = captured + 4 * tagged
    padding = -kept % 4
    heads, tails = np.empty(len(packets), _EPB), np.zeros(len(packets), _TAIL)
    heads["kind"], heads["interface"], heads["high"], heads["low"] = 6, interface, at >> 32, at & 0xFFFFFFFF
    heads["captured"], heads["length"] = kept, batch.length[packets] + 4 * tagged
    heads["size"] = tails["size"] = _EPB.itemsize + kept + padding + 4
    head, tail, raw = memoryview(heads.tobytes()), memoryview(tails.tobytes()), memoryview(batch.buffer.data)
    pieces: list[bytes | memoryview] = []
    columns = (start, start + captured, padding, np.where(tagged, tag, -1))
    for row, (begin, end, pad, word) in enumerate(zip(*(one.tolist() for one in columns), strict=True)):
        pieces.append(head[row * _EPB.itemsize : (row + 1) * _EPB.itemsize])
        if word >= 0:
            pieces += (raw[begin : begin + _MAC_PAIR], struct.pack(">HH", _VLAN, word))
            begin += _MAC_PAIR
        pieces += (raw[begin:end], tail[row * _TAIL.itemsize + 3 - pad : (row + 1) * _TAIL.itemsize])
    return b"".join(pieces)
