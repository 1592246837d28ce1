"""What packets tell of the mirror that brings them: for whom they are, both directions, copies, cuts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from scanner.wire.batch import Batch, Columns, Ints, LinkType
from scanner.wire.sheet import Index, Keys, flow_keys, macs

CONNECTIONS_KEPT = 50_000
"""Connections of which both directions are looked for, some 10 MB: what holds for so many holds for all."""
ENOUGH_SEGMENTS = 3
"""Of a connection of which only one direction was seen: with fewer the answer may be still to come."""
SETTLED_NS = 1_000_000_000
"""A connection that began so shortly before the end may be answered yet: a long round trip, and some more."""
COPY_NS = 5_000_000
"""Two alike so close together are copies by a mirror; TCP sends again after 200 ms (Linux's least), or after
a round trip, and then mostly with another time stamp."""
LATE_NS = 300_000_000
"""By so much one interface may be behind another: blocks are handed over after 200 ms at most."""
COPIES_KEPT = 1 << 16
"""Segments remembered for so long, some 1 MB: 200,000 a second; past it the oldest are forgotten."""
LARGEST_HEADER = 22
"""Bytes of Ethernet's header with two VLAN tags, which an MTU leaves out."""
_SYN, _RST, _ACK = 2, 4, 16
_BEFORE = 16
"""Bytes before a payload: the rest of TCP's header, and options if there are any (its time stamp, mostly)."""
_FRAME = np.dtype([("target", "V6"), ("source", "V6")])
_WORDS = np.dtype([("first", "<u8"), ("second", "<u8")])
_FIRST, _SECOND = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xD6E8FEB86659FD93)


@dataclass(slots=True)
class Frames:
    """Packets of one interface; counts."""

    frames: int = 0
    to_all: int = 0
    """Broadcast and multicast."""
    own: int = 0
    """To or from the interface's own MAC."""
    tagged: int = 0
    """Those whose outer VLAN tag the kernel had taken off."""
    oversized: int = 0
    """Longer than the interface's MTU: put together by the card or the driver."""
    payloads: int = 0
    """Segments and datagrams that carry something."""
    cut: int = 0
    """Those of them that are shorter than IP says they were."""

    @property
    def others(self) -> int:
        """Frames from one machine to another, neither of them this one."""
        return self.frames - self.to_all - self.own

    def add(self, batch: Batch, mac: bytes | None, mtu: int) -> None:
        """Count a batch of an interface with this MAC (None: its link has none) and MTU."""
        self.frames += len(batch.start)
        self.oversized += int(np.count_nonzero(batch.length > mtu + LARGEST_HEADER))
        if batch.tag is not None:
            self.tagged += int(np.count_nonzero(batch.tag >= 0))
        start = batch.start[batch.captured >= _FRAME.itemsize]
        if mac is None or batch.link != LinkType.ETHERNET or not len(start):
            return
        to_all = batch.buffer[start] & 1 != 0
        heads = np.ndarray(
            (len(batch.buffer) - _FRAME.itemsize + 1,), f"V{_FRAME.itemsize}", batch.buffer, strides=(1,)
        )
        head, own = heads[start].view(_FRAME), np.void(mac)
        is_own = (head["source"] == own) | (head["target"] == own)
        self.own += int(np.count_nonzero(is_own))
        self.to_all += int(np.count_nonzero(to_all & ~is_own))

    def add_payloads(self, columns: Columns) -> None:
        """Count what was decoded of a batch."""
        self.payloads += int(np.count_nonzero(columns.length))
        self.cut += int(np.count_nonzero(columns.captured < columns.length))


class Directions(NamedTuple):
    """Which directions of connections were seen; counts of connections."""

    both: int = 0
    client: int = 0
    """Only what its client sends: the end with the higher port."""
    server: int = 0

    @property
    def judged(self) -> int:
        """All of them."""
        return self.both + self.client + self.server


class Connections:
    """Looks for both directions of every TCP connection, whatever it carries."""

    def __init__(self) -> None:
        """Begin with none."""
        self._known: dict[int, list[int]] = {}

    def add(self, columns: Columns, mac: bytes | None) -> None:
        """Look at the segments of others than the one with this MAC; not at openings, and not at refusals."""
        rows = np.flatnonzero((columns.protocol == 6) & (columns.flags & (_SYN | _RST | _ACK) == _ACK))
        if mac is not None and len(rows):
            ends = (macs(columns, offsets[rows]) for offsets in (columns.source_mac, columns.target_mac))
            rows = rows[~np.logical_or.reduce([end == mac for end in ends])]
        if not len(rows):
            return
        keys, low = flow_keys(columns, rows)
        source, target = columns.source_port[rows], columns.target_port[rows]
        by_client = (source > target) | ((source == target) & low)
        found, first, which = np.unique(keys, return_index=True, return_inverse=True)
        of_client = np.bincount(which[by_client], minlength=len(found))
        of_server = np.bincount(which[~by_client], minlength=len(found))
        known = self._known
        for key, began, client, server in zip(
            *(a.tolist() for a in (found, columns.at[rows[first]], of_client, of_server)), strict=True
        ):
            if key in known:
                known[key][0] += client
                known[key][1] += server
            elif len(known) < CONNECTIONS_KEPT:
                known[key] = [client, server, began]

    def directions(self, until: int) -> Directions:
        """Say what was seen by a time (ns)."""
        kinds = [0, 0, 0]
        for client, server, began in self._known.values():
            if client and server:
                kinds[0] += 1
            elif client + server >= ENOUGH_SEGMENTS and began <= until - SETTLED_NS:
                kinds[1 if client else 2] += 1
        return Directions(*kinds)


class Copies:
    """Counts segments that come twice because a mirror sends them twice."""

    def __init__(self) -> None:
        """Begin with nothing seen."""
        self.segments = 0
        """TCP segments with payload."""
        self.copies = 0
        """Those of them that are copies."""
        self._numbers: Keys = np.empty(0, np.uint64)
        self._at: Ints = np.empty(0, np.int64)

    def add(self, columns: Columns) -> None:
        """Look at the segments of a batch."""
        rows = np.flatnonzero((columns.protocol == 6) & (columns.length > 0) & (columns.payload >= _BEFORE))
        if not len(rows):
            return
        before = len(self._at)
        numbers = np.concatenate([self._numbers, _numbers(columns, rows)])
        at = np.concatenate([self._at, columns.at[rows]])
        order = np.argsort(numbers, kind="stable")
        alike = numbers[order[1:]] == numbers[order[:-1]]
        near = np.abs(at[order[1:]] - at[order[:-1]]) <= COPY_NS
        self.copies += int(np.count_nonzero(alike & near & (order[1:] >= before)))
        self.segments += len(rows)
        kept = np.flatnonzero(at >= at.max() - LATE_NS)[-COPIES_KEPT:]
        self._numbers, self._at = numbers[kept], at[kept]


def _numbers(columns: Columns, rows: Index) -> Keys:
    """One number a segment: its connection, its direction, what stands before its payload, and its length."""
    keys, low = flow_keys(columns, rows)
    every = np.ndarray((len(columns.buffer) - _BEFORE + 1,), f"V{_BEFORE}", columns.buffer, strides=(1,))
    words = every[columns.payload[rows] - _BEFORE].view(_WORDS)
    number: npt.NDArray[np.uint64] = columns.sequence[rows].astype(np.uint64) << np.uint64(32)
    number |= columns.length[rows].astype(np.uint64) << np.uint64(1) | low
    return keys ^ (number * _FIRST) ^ (words["first"] * _SECOND) ^ (words["second"] * _FIRST)
