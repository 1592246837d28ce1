"""The next generation capture format (draft-ietf-opsawg-pcapng): sections, interfaces, packets, TLS keys.

Nearly all of a file is packets: those are read in columns, what is between them block by block.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from scanner.capture.walk import RecordForm, walk
from scanner.capture.window import LARGEST_RECORD, PACKETS, Corrupt, Window
from scanner.wire.batch import Batch, Bytes, Ints

SECTION = 0x0A0D0D0A
_INTERFACE, _OLD_PACKET, _SIMPLE, _ENHANCED, _SECRETS = 1, 2, 3, 6, 10
_TLS_KEY_LOG = 0x544C534B
_TSRESOL, _TSOFFSET = 9, 14
_BYTE_ORDER = 0x1A2B3C4D
_SMALLEST_BLOCK = 12
_HEAD, _SIMPLE_HEAD = 28, 12
"""Bytes of a packet's block before the packet; four more come behind it."""

MOST_INTERFACES = 65_536
"""Interfaces of one section: what an old packet block could number; more is corrupt."""


@dataclass(slots=True)
class Interface:
    """What an interface description says."""

    link: int
    snap: int
    units: int = 1_000_000
    """Time units in a second."""
    offset_s: int = 0

    def ns(self, stamps: Ints) -> Ints:
        """Turn time stamps (unsigned) to ns since 1970; what is out of 64 bits is no time: 0."""
        scale, rest = divmod(1_000_000_000, self.units)
        offset = self.offset_s * 1_000_000_000
        if not rest and (int(stamps.max()) + 1) * scale + abs(offset) < 1 << 63:
            return stamps.astype(np.int64) * scale + offset
        times = [stamp * 1_000_000_000 // self.units + offset for stamp in stamps.tolist()]
        return np.array([at if abs(at) < 1 << 63 else 0 for at in times], dtype=np.int64)


class PcapngReader:
    """Reads one file, section after section."""

    def __init__(self, window: Window, capture: str | None, secrets: list[bytes]) -> None:
        """Read what the window shows from a section header on; key logs are added to ``secrets``."""
        self._window = window
        self._capture = capture
        self._secrets = secrets
        self._order = "<"
        self._interfaces: list[Interface] = []

    def batches(self) -> Iterator[Batch]:
        """Give the batches; ends with ``Corrupt`` where the file cannot be read on."""
        window = self._window
        while True:
            begin = window.begin
            yield from self._shown()
            if window.begin == begin and not window.grow():
                break
        if window.begin < window.end:
            raise self._fault(window.begin, "the last block is cut off")

    def _shown(self) -> Iterator[Batch]:
        """Read the blocks that the window shows whole, or up to a section's header."""
        window = self._window
        blocks, kinds = _survey(window, self._order)
        changes = np.flatnonzero(np.diff(kinds)) + 1
        for first, behind in pairwise([0, *changes.tolist(), len(blocks)] if len(blocks) else ()):
            if kind := int(kinds[first]):
                yield from self._packets(kind, blocks[first:behind])
                continue
            for at in blocks[first:behind].tolist():
                window.begin = at
                if not self._other_block():
                    return
        self._other_block()

    def _packets(self, kind: int, blocks: Ints) -> Iterator[Batch]:
        """Read packets of one kind; ends with ``Corrupt`` at the first that cannot be right."""
        window = self._window
        (size,) = _words(window.buffer, blocks + 4, self._order, 1)
        if kind == _SIMPLE:
            (length,) = _words(window.buffer, blocks + 8, self._order, 1)
            number, stamp, head = np.zeros_like(length), np.zeros_like(length), _SIMPLE_HEAD
            snap = self._interfaces[0].snap if self._interfaces else 0
            captured = np.minimum(np.minimum(length, size - head - 4), snap or LARGEST_RECORD)
        else:
            number, high, low, captured, length = _words(window.buffer, blocks + 8, self._order, 5)
            stamp, head = high.astype(np.uint64) << np.uint64(32) | low.astype(np.uint64), _HEAD
            if kind == _OLD_PACKET:
                number = number >> 16 if self._order == ">" else number & 0xFFFF
        bad = np.flatnonzero((number >= len(self._interfaces)) | (captured > size - head - 4))
        good = int(bad[0]) if len(bad) else len(blocks)
        rows = np.stack([blocks + head, captured, np.maximum(length, captured)])[:, :good]
        yield from self._batches(rows, number[:good], stamp[:good])
        if len(bad):
            raise self._fault(int(blocks[good]), "a packet is of no interface, or longer than its block")
        window.begin = int(blocks[-1] + size[-1])

    def _batches(self, rows: Ints, number: Ints, stamp: Ints) -> Iterator[Batch]:
        """Make batches of packets of one link type each: offset, captured and length, a column a packet."""
        at = np.empty(len(number), dtype=np.int64)
        for one in np.unique(number).tolist():
            its = number == one
            at[its] = self._interfaces[one].ns(stamp[its])
        links = np.array([interface.link for interface in self._interfaces], dtype=np.int64)[number]
        changes = (np.flatnonzero(np.diff(links)) + 1).tolist()
        for begin, end in pairwise([0, *changes, len(links)] if len(links) else ()):
            for place in range(begin, end, PACKETS):
                part = slice(place, min(place + PACKETS, end))
                start, captured, length = rows[:, part]
                first, behind = int(start[0]), int(start[-1] + captured[-1])
                block = self._window.buffer[first:behind]
                link = int(links[place])
                yield Batch(block, start - first, captured, length, at[part], link, self._capture)

    def _other_block(self) -> bool:
        """Read the block at the window's beginning, which holds no packet; one that is cut is left.

        True: what was surveyed behind it holds; a section may be of another byte order.
        """
        window = self._window
        view, at = memoryview(window.buffer.data), window.begin
        if window.end - at < _SMALLEST_BLOCK:
            return False
        kind, size = struct.unpack_from(self._order + "II", view, at)
        order = self._order
        if kind == SECTION:
            order = self._byte_order(view, at)
            (size,) = struct.unpack_from(order + "I", view, at + 4)
        if size < _SMALLEST_BLOCK or size % 4 or size > LARGEST_RECORD:
            raise self._fault(at, "a block's length cannot be right")
        if at + size > window.end:
            return False
        if struct.unpack_from(order + "I", view, at + size - 4) != (size,):
            raise self._fault(at, "a block's two lengths differ")
        try:
            if kind == SECTION:
                self._order, self._interfaces = order, []
            elif kind == _INTERFACE:
                self._describe(view, at + 8, at + size - 4)
            elif kind == _SECRETS:
                self._keep_secrets(view, at + 8, at + size - 4)
        except struct.error:
            raise self._fault(at, "a block is too short for what it holds") from None
        window.begin = at + size
        return bool(kind != SECTION)

    def _byte_order(self, view: memoryview, at: int) -> str:
        """Read a section's byte order."""
        for order in "<>":
            if struct.unpack_from(order + "I", view, at + 8) == (_BYTE_ORDER,):
                return order
        raise self._fault(at, "a section header has no byte order")

    def _describe(self, view: memoryview, begin: int, end: int) -> None:
        if len(self._interfaces) >= MOST_INTERFACES:
            raise self._fault(begin - 8, "too many interfaces")
        link, snap = struct.unpack_from(self._order + "H2xI", view, begin)
        interface = Interface(link, snap)
        at = begin + 8
        while at + 4 <= end:
            code, size = struct.unpack_from(self._order + "HH", view, at)
            at += 4
            if code == 0 or at + size > end:
                break
            if code == _TSRESOL and size == 1:
                exponent = view[at] & 0x7F
                interface.units = 1 << exponent if view[at] & 0x80 else int(10**exponent)
            elif code == _TSOFFSET and size == 8:
                (interface.offset_s,) = struct.unpack_from(self._order + "q", view, at)
            at += size + -size % 4
        self._interfaces.append(interface)

    def _keep_secrets(self, view: memoryview, begin: int, end: int) -> None:
        kind, size = struct.unpack_from(self._order + "II", view, begin)
        if kind == _TLS_KEY_LOG and size <= end - begin - 8:
            self._secrets.append(bytes(view[begin + 8 : begin + 8 + size]))

    def _fault(self, at: int, why: str) -> Corrupt:
        return Corrupt(self._window.origin + at, why)


def _survey(window: Window, order: str) -> tuple[Ints, Ints]:
    """Find the whole blocks that a window shows, and each one's kind of packet; 0: none, or a faulty one."""
    buffer = window.buffer
    mark = struct.pack(order + "I", _ENHANCED)
    form = RecordForm(order, 0, size_at=4, smallest=_SMALLEST_BLOCK, largest=LARGEST_RECORD, mark=mark)
    blocks = walk(buffer, window.begin, window.end, form).records
    kind, size = _words(buffer, blocks, order, 2)
    (trailer,) = _words(buffer, blocks + size - 4, order, 1)
    good = np.isin(kind, (_OLD_PACKET, _SIMPLE, _ENHANCED)) & (size == trailer) & (size % 4 == 0)
    return blocks, np.where(good, kind, 0)


def _words(buffer: Bytes, at: Ints, order: str, count: int) -> Ints:
    """Read some 32-bit words at each offset, or as near to it as the buffer reaches; a row a word."""
    span = 4 * count
    every = np.ndarray((len(buffer) - span + 1,), dtype=f"V{span}", buffer=buffer, strides=(1,))
    words = every[np.minimum(at, len(every) - 1)].view(order + "u4")
    return words.reshape(len(at), count).T.astype(np.int64, order="C")
