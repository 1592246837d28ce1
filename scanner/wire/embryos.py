"""Connections that have said nothing yet, a few bytes each: a SYN flood must not fill the memory."""

from __future__ import annotations

import secrets
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

ROW = np.dtype(
    [
        ("key", "<u8"),
        ("at", "<i8"),
        ("client_first", "<u4"),
        ("server_first", "<u4"),
        ("flags", "u1"),
        ("client_mac", "S6"),
        ("server_mac", "S6"),
    ]
)
"""37 bytes a connection."""
CLIENT_STARTED, SERVER_STARTED, CLIENT_IS_LOW = 1, 2, 4
ROOM = 1024
"""Rows there is always room for; beyond it the table grows by 1/32 and shrinks when 3/4 are empty."""
_FREE, _GONE = -1, -2
_AT_ONCE = 1 << 15
"""Rows entered in one go: their scratch arrays would else be as large as the table."""

Rows = npt.NDArray[np.void]
Macs = npt.NDArray[np.bytes_]
Keys = npt.NDArray[np.uint64]
Index = npt.NDArray[np.intp]


class Embryo(NamedTuple):
    """What is known of a connection without payload."""

    at: int
    client_first: int
    server_first: int
    flags: int
    client_mac: bytes
    server_mac: bytes


class Embryos:
    """Rows without order or holes, and an open-addressed index of their keys (4 bytes a slot).

    A batch costs what it brings, not what the table holds. The hash has a secret factor: who sends packets
    cannot choose them to meet in one slot.
    """

    def __init__(self) -> None:
        """Begin empty."""
        self._factor = np.uint64(secrets.randbits(64) | 1)
        self._count = 0
        self._rows: Rows = np.zeros(ROOM, ROW)
        self._index_anew(ROOM)

    def __len__(self) -> int:
        """Count the connections."""
        return self._count

    def find(self, keys: Keys) -> Index:
        """Give the position of each key, -1 where it is not here; positions hold until ``replace``."""
        slots = self._slots_of(keys)
        return np.where(slots < 0, -1, self._index[slots])

    def get(self, position: int) -> Embryo:
        """Read one."""
        return Embryo(*self._rows[position].item()[1:])

    def update(self, positions: Index, server_first: npt.NDArray[np.uint32], server_mac: Macs) -> None:
        """Note that these servers answered with a SYN-ACK."""
        self._rows["server_first"][positions] = server_first
        self._rows["server_mac"][positions] = server_mac
        self._rows["flags"][positions] |= SERVER_STARTED

    def replace(self, gone: Index, new: Rows) -> None:
        """Drop the rows at these positions, then take in new ones whose keys are not here."""
        if len(gone):
            self._drop(gone)
        if len(gone) or len(new):
            self._fit(self._count + len(new))
        self._rows[self._count : self._count + len(new)] = new
        self._count += len(new)
        self._enter(self._count - len(new))

    def drop_oldest(self, count: int) -> None:
        """Make room: the oldest go."""
        if count > 0:
            at = self._rows["at"][: self._count]
            last = np.partition(at, count - 1)[count - 1]
            oldest = np.r_[np.flatnonzero(at < last), np.flatnonzero(at == last)]
            self.replace(oldest[:count], np.empty(0, ROW))

    def shift(self, by: int) -> None:
        """Let all have begun so much later (ns)."""
        self._rows["at"][: self._count] += by

    def drop_before(self, at: int) -> int:
        """Forget those that began before a time (ns) and never spoke; tells how many."""
        old = np.flatnonzero(self._rows["at"][: self._count] < at)
        self.replace(old, np.empty(0, ROW))
        return len(old)

    def _drop(self, gone: Index) -> None:
        """Fill the holes with the last rows."""
        self._index[self._slots_of(self._rows["key"][gone])] = _GONE
        left = self._count - len(gone)
        stay = np.ones(self._count, np.bool_)
        stay[gone] = False
        holes, movers = np.flatnonzero(~stay[:left]), left + np.flatnonzero(stay[left:])
        self._index[self._slots_of(self._rows["key"][movers])] = holes
        self._rows[holes] = self._rows[movers]
        self._count = left

    def _fit(self, count: int) -> None:
        """Make room for so many rows; ``resize`` lets the system move the pages instead of copying them."""
        room = len(self._rows)
        if count > room or count < room // 4:
            self._rows.resize(max(count + count // 32, ROOM), refcheck=False)
        if 3 * (self._used + count - self._count) > 2 * len(self._index) or 16 * count < len(self._index):
            self._index_anew(count)
            self._enter(0)

    def _index_anew(self, count: int) -> None:
        """Begin an index at most half full."""
        bits = (2 * max(count, ROOM) - 1).bit_length()
        self._shift = np.uint64(64 - bits)
        self._index: npt.NDArray[np.int32] = np.full(1 << bits, _FREE, np.int32)
        self._used = 0

    def _enter(self, first: int) -> None:
        """Put the rows from the ``first`` on into the index."""
        mask = len(self._index) - 1
        self._used += self._count - first
        for start in range(first, self._count, _AT_ONCE):
            rows = np.arange(start, min(start + _AT_ONCE, self._count))
            slots = self._hash(self._rows["key"][rows])
            while len(rows):
                empty = self._index[slots] < 0
                self._index[slots[empty]] = rows[empty]
                on = self._index[slots] != rows
                rows, slots = rows[on], (slots[on] + 1) & mask

    def _slots_of(self, keys: Keys) -> Index:
        """Find where in the index each key is, -1 if nowhere."""
        mask = len(self._index) - 1
        found = np.full(len(keys), -1, np.intp)
        asked = np.arange(len(keys))
        slots = self._hash(keys)
        while len(asked):
            rows = self._index[slots]
            here = (rows >= 0) & (self._rows["key"][rows] == keys[asked])
            found[asked[here]] = slots[here]
            on = (rows != _FREE) & ~here
            asked, slots = asked[on], (slots[on] + 1) & mask
        return found

    def _hash(self, keys: Keys) -> Index:
        return ((keys * self._factor) >> self._shift).astype(np.intp)
