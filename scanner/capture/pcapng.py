"""The next generation capture format (draft-ietf-opsawg-pcapng): sections, interfaces, packets, TLS keys."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from scanner.capture.enhanced import ENHANCED, SMALLEST_BLOCK, Interface, read_run, survey
from scanner.capture.window import LARGEST_RECORD, PACKETS, Corrupt, Window
from scanner.wire.batch import Batch, Ints

SECTION = 0x0A0D0D0A
_INTERFACE, _OLD_PACKET, _SIMPLE, _SECRETS = 1, 2, 3, 10
_TLS_KEY_LOG = 0x544C534B
_TSRESOL, _TSOFFSET = 9, 14
_BYTE_ORDER = 0x1A2B3C4D

MOST_INTERFACES = 65_536
"""Interfaces of one section: what an old packet block could number; more is corrupt."""

RUN = 32
"""Packets in a row that pay the calls of reading them in columns."""


@dataclass(slots=True)
class _Packets:
    """Packets gathered for a batch, all of one link type."""

    link: int = -1
    parts: list[Ints] = field(default_factory=list)
    """Offset, captured, length, time; a column a packet."""

    def batches(self, window: Window, capture: str | None) -> Iterator[Batch]:
        """Make batches and forget the rows."""
        parts, self.parts = self.parts, []
        rows = np.concatenate(parts, axis=1) if parts else np.empty((4, 0), np.int64)
        for place in range(0, rows.shape[1], PACKETS):
            start, captured, length, at = rows[:, place : place + PACKETS]
            first, end = int(start.min()), int((start + captured).max())
            yield Batch(window.buffer[first:end], start - first, captured, length, at, self.link, capture)


class PcapngReader:
    """Reads one file, section after section."""

    def __init__(self, window: Window, capture: str | None, secrets: list[bytes]) -> None:
        """Read what the window shows from a section header on; key logs are added to ``secrets``."""
        self._window = window
        self._capture = capture
        self._secrets = secrets
        self._order = "<"
        self._sections = 0
        self._interfaces: list[Interface] = []
        self._packets = _Packets()

    def batches(self) -> Iterator[Batch]:
        """Give the batches; ends with ``Corrupt`` where the file cannot be read on."""
        window = self._window
        while True:
            try:
                for link in self._blocks():
                    yield from self._packets.batches(window, self._capture)
                    self._packets.link = link
            except Corrupt:
                yield from self._packets.batches(window, self._capture)
                raise
            yield from self._packets.batches(window, self._capture)
            if not window.grow():
                break
        if window.begin < window.end:
            raise Corrupt(window.origin + window.begin, "the last block is cut off")

    def _blocks(self) -> Iterator[int]:
        """Read the whole blocks there are; yields a new link type before the first packet of it."""
        window = self._window
        found = survey(window.buffer, window.begin, window.end, self._order)
        place = alone = 0
        while True:
            until = int(found.odd[min(int(np.searchsorted(found.odd, place)), len(found.odd) - 1)])
            packets = None
            if until - place >= RUN and place >= alone:
                packets = read_run(window.buffer, found.blocks[place:until], self._order, self._interfaces)
                alone = until
            if packets is not None:
                place, alone = until, 0
                window.begin = int(found.blocks[until]) if until < len(found.blocks) else found.end
            else:
                sections = self._sections
                whole, packets = self._next_block()
                if not whole:
                    return
                place += 1
                if sections != self._sections:
                    found = survey(window.buffer, window.begin, window.end, self._order)
                    place = alone = 0
            if packets is not None:
                link, columns = packets
                if link != self._packets.link:
                    yield link
                self._packets.parts.append(columns)

    def _next_block(self) -> tuple[bool, tuple[int, Ints] | None]:
        """Read the block at the window's beginning: whether it is whole, and its packet."""
        window = self._window
        view = memoryview(window.buffer.data)
        at = window.begin
        if window.end - at < SMALLEST_BLOCK:
            return False, None
        kind, size = struct.unpack_from(self._order + "II", view, at)
        if kind == SECTION:
            order = self._byte_order(view, at)
            (size,) = struct.unpack_from(order + "I", view, at + 4)
        if size < SMALLEST_BLOCK or size % 4 or size > LARGEST_RECORD:
            raise Corrupt(window.origin + at, "a block's length cannot be right")
        if at + size > window.end:
            return False, None
        if kind == SECTION:
            self._order, self._interfaces = order, []
            self._sections += 1
        if struct.unpack_from(self._order + "I", view, at + size - 4) != (size,):
            raise Corrupt(window.origin + at, "a block's two lengths differ")
        row = self._block(kind, view, at + 8, at + size - 4)
        window.begin = at + size
        return True, row and (row[0], np.array(row[1], dtype=np.int64)[:, None])

    def _byte_order(self, view: memoryview, at: int) -> str:
        """Read a section's byte order."""
        for order in "<>":
            if struct.unpack_from(order + "I", view, at + 8) == (_BYTE_ORDER,):
                return order
        raise Corrupt(self._window.origin + at, "a section header has no byte order")

    def _block(
        self, kind: int, view: memoryview, begin: int, end: int
    ) -> tuple[int, tuple[int, int, int, int]] | None:
        """Read a block's body; a packet gives its link type and row."""
        try:
            if kind == ENHANCED:
                return self._packet("IIIII", 20, view, begin, end)
            if kind == _OLD_PACKET:
                return self._packet("H2xIIII", 20, view, begin, end)
            if kind == _SIMPLE:
                return self._simple(view, begin, end)
            if kind == _INTERFACE:
                self._describe(view, begin, end)
            elif kind == _SECRETS:
                self._keep_secrets(view, begin, end)
        except (struct.error, IndexError):
            raise Corrupt(self._window.origin + begin - 8, "a block is too short for what it holds") from None
        return None

    def _packet(
        self, form: str, header: int, view: memoryview, begin: int, end: int
    ) -> tuple[int, tuple[int, int, int, int]]:
        number, high, low, captured, length = struct.unpack_from(self._order + form, view, begin)
        if captured > end - begin - header:
            raise Corrupt(self._window.origin + begin - 8, "a packet is longer than its block")
        interface = self._interfaces[number]
        at = interface.ns(high << 32 | low)
        return interface.link, (begin + header, captured, max(length, captured), at)

    def _simple(self, view: memoryview, begin: int, end: int) -> tuple[int, tuple[int, int, int, int]]:
        (length,) = struct.unpack_from(self._order + "I", view, begin)
        interface = self._interfaces[0]
        captured = min(length, end - begin - 4, interface.snap or length)
        return interface.link, (begin + 4, captured, length, 0)

    def _describe(self, view: memoryview, begin: int, end: int) -> None:
        if len(self._interfaces) >= MOST_INTERFACES:
            raise Corrupt(self._window.origin + begin - 8, "too many interfaces")
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
