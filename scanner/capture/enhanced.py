"""Enhanced packet blocks, nearly all of a pcapng file, read in columns (draft-ietf-opsawg-pcapng 4.3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scanner.capture.walk import RecordForm, walk
from scanner.capture.window import LARGEST_RECORD
from scanner.wire.batch import Bytes, Ints

ENHANCED = 6
SMALLEST_BLOCK = 12
_HEAD = 28
"""Bytes of an enhanced packet block before the packet; four more come behind it."""

_LATEST_NS = 1 << 62
"""Times up to here (the year 2116) fit 64 bits with any offset that is checked against it."""


@dataclass(slots=True)
class Interface:
    """What an interface description says."""

    link: int
    snap: int
    units: int = 1_000_000
    """Time units in a second."""
    offset_s: int = 0

    def ns(self, stamp: int) -> int:
        """Turn a time stamp to ns since 1970; out of 64 bits is no time: 0."""
        at = stamp * 1_000_000_000 // self.units + self.offset_s * 1_000_000_000
        return at if abs(at) < 1 << 63 else 0


@dataclass(frozen=True, slots=True)
class Survey:
    """Where the whole blocks of a window lie."""

    blocks: Ints
    end: int
    """Offset behind the last."""
    odd: Ints
    """Places in ``blocks`` of those that are no enhanced packet, or a faulty one; at last their number."""


def survey(buffer: Bytes, begin: int, end: int, order: str) -> Survey:
    """Find the blocks between two offsets, the first of which is a block's."""
    mark = ENHANCED.to_bytes(4, "little" if order == "<" else "big")
    form = RecordForm(order, 0, size_at=4, smallest=SMALLEST_BLOCK, largest=LARGEST_RECORD, mark=mark)
    blocks, behind, _ = walk(buffer, begin, end, form)
    kind, size = _words(buffer, blocks, order, 2)
    trailer = _words(buffer, blocks + size - 4, order, 1)[0]
    captured = _words(buffer, np.minimum(blocks + 20, end - 4), order, 1)[0]
    good = (kind == ENHANCED) & (size == trailer) & (size % 4 == 0) & (captured <= size - _HEAD - 4)
    return Survey(blocks, behind, np.append(np.flatnonzero(~good), len(blocks)))


def read_run(
    buffer: Bytes, blocks: Ints, order: str, interfaces: Sequence[Interface]
) -> tuple[int, Ints] | None:
    """Give link type and columns (offset, captured, length, ns) of good enhanced packets.

    None: they must be read one by one, as they are of several link types or of unusual times.
    """
    number, high, low, captured, length = _words(buffer, blocks + 8, order, 5)
    if int(number.max()) >= len(interfaces):
        return None
    links = {interfaces[used].link for used in np.unique(number).tolist()}
    known = [1_000_000_000 % interface.units == 0 for interface in interfaces]
    scale = np.array([max(1, 1_000_000_000 // interface.units) for interface in interfaces])[number]
    stamp = high << 32 | low
    offsets = [interface.offset_s for interface in interfaces]
    usual = int(high.max()) < 1 << 31 and max(map(abs, offsets)) < _LATEST_NS // 1_000_000_000
    if len(links) > 1 or not usual or not np.array(known)[number].all():
        return None
    if (stamp > _LATEST_NS // scale).any():
        return None
    at = stamp * scale + np.array(offsets)[number] * 1_000_000_000
    return links.pop(), np.stack([blocks + _HEAD, captured, np.maximum(length, captured), at])


def _words(buffer: Bytes, at: Ints, order: str, count: int) -> Ints:
    """Read some 32-bit words at each offset; a row a word."""
    if not len(at):
        return np.empty((count, 0), dtype=np.int64)
    span = 4 * count
    every = np.ndarray((len(buffer) - span + 1,), dtype=f"V{span}", buffer=buffer, strides=(1,))
    return every[at].view(order + "u4").reshape(-1, count).T.astype(np.int64, order="C")
