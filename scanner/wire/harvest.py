"""What is worth following, taken out of many batches: small enough to keep, large enough to be quick with."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
import numpy.typing as npt

from scanner.wire.batch import Columns
from scanner.wire.interest import Interest
from scanner.wire.sheet import Index, Keys, client_keys, flow_keys

HARVEST_ROWS = 1 << 14
"""Segments handed over together: most short conversations lie whole in so many; with payload some 8 MB."""
HARVEST_BYTES = 2 << 20
"""Bytes after which a harvest is handed over, however few segments they are."""
MARKED_KEPT = 100_000
"""Connections followed for a mark on another port than mail's; past it new ones are counted ``unmarked``."""
BYTES_KEPT = 16 * 1024
"""A direction: a login with a 4 KB token and a TLS handshake with long chains fit; then it is ``CUT``."""
SPARSE = 4
"""Payload that is less than one part in so many of its block is copied piece by piece; else the block is."""
_SYN, _FIN_SYN_RST = 2, 7
_MAC = 6


@dataclass(frozen=True, slots=True)
class Harvest:
    """Segments that matter, in the order of capture, with a buffer of their own."""

    columns: Columns
    keys: Keys
    """One number a connection, for both directions."""
    low: npt.NDArray[np.bool_]
    """The sender is the lower end."""

    def __len__(self) -> int:
        """Count the segments."""
        return len(self.keys)

    def share(self, number: int, of: int) -> Harvest:
        """The part of one of several workers: all connections of a client, by the higher port, fall to one.

        So what one connection tells of another of the same client is found by any number of workers.
        """
        rows = np.flatnonzero((client_keys(self.columns) >> np.uint64(40)) % np.uint64(of) == number)
        return Harvest(_at(self.columns, rows), self.keys[rows], self.low[rows])


class Selection:
    """Picks the segments of connections that are of interest; remembers those that a mark gave away."""

    def __init__(self, interest: Interest) -> None:
        """Begin with no marked connection."""
        self._interest = interest
        self._marked: Keys = np.empty(0, np.uint64)
        self.unmarked = 0
        """Connections not followed, as too many bore a mark."""

    def pick(self, columns: Columns) -> Harvest | None:
        """Take what matters out of a batch: payload, and where a connection begins or ends."""
        wanted = self._interest.wanted(columns)
        tcp = columns.protocol == 6
        marks = self._interest.marked(columns, tcp & ~wanted)
        if len(marks) or len(self._marked):
            wanted |= self._of_marked(columns, tcp & ~wanted, marks)
        rows = np.flatnonzero(wanted)
        rows = rows[(columns.length[rows] > 0) | (columns.flags[rows] & _FIN_SYN_RST != 0)]
        if not len(rows):
            return None
        keys, low = flow_keys(columns, rows)
        heads = _heads(columns, rows, keys ^ low)
        if not heads.all():
            rows, keys, low = rows[heads], keys[heads], low[heads]
        return Harvest(_own(_at(columns, rows)), keys, low)

    def _of_marked(
        self, columns: Columns, others: npt.NDArray[np.bool_], marks: Index
    ) -> npt.NDArray[np.bool_]:
        fresh = np.setdiff1d(flow_keys(columns, marks)[0], self._marked)
        room = max(MARKED_KEPT - len(self._marked), 0)
        self.unmarked += max(len(fresh) - room, 0)
        self._marked = np.union1d(self._marked, fresh[:room])
        rows = np.flatnonzero(others)
        others = np.zeros(len(others), np.bool_)
        others[rows] = np.isin(flow_keys(columns, rows)[0], self._marked)
        return others


class Basket:
    """Gathers harvests until they are worth handing over."""

    def __init__(self, hold_ns: int | None = None) -> None:
        """``hold_ns``: hand over what is older than that, in capture time, though it be little."""
        self._hold_ns = hold_ns
        self._parts: list[Harvest] = []
        self._rows = self._bytes = 0

    def add(self, part: Harvest) -> Harvest | None:
        """Put one in; gives all together when that is enough."""
        self._parts.append(part)
        self._rows += len(part)
        self._bytes += len(part.columns.buffer)
        age = int(part.columns.at[-1]) - int(self._parts[0].columns.at[0])
        full = self._rows >= HARVEST_ROWS or self._bytes >= HARVEST_BYTES
        return self.empty() if full or (self._hold_ns is not None and age >= self._hold_ns) else None

    def empty(self) -> Harvest | None:
        """Give what is there."""
        parts, self._parts = self._parts, []
        self._rows = self._bytes = 0
        if len(parts) < 2:
            return parts[0] if parts else None
        keys, low = np.concatenate([p.keys for p in parts]), np.concatenate([p.low for p in parts])
        return Harvest(_joined([part.columns for part in parts]), keys, low)


def _heads(columns: Columns, rows: Index, senders: Keys) -> npt.NDArray[np.bool_]:
    """Tell which segments are not so far behind their sender's first one here that nobody will hear them.

    A new SYN begins anew: it may be another connection between the same ends.
    """
    flags = columns.flags[rows]
    order = np.argsort(senders, kind="stable")
    sender, sequence = senders[order], columns.sequence[rows[order]]
    starts = np.flatnonzero(np.r_[True, sender[1:] != sender[:-1]] | (flags[order] & _SYN != 0))
    first = np.repeat(sequence[starts], np.diff(starts, append=len(order)))
    heads = np.empty(len(order), np.bool_)
    heads[order] = (sequence - first).view(np.int32) < BYTES_KEPT
    heads |= flags & _FIN_SYN_RST != 0
    return heads


_ARRAYS = tuple(field.name for field in fields(Columns) if field.name != "buffer")
_OFFSETS = ("payload", "source_mac", "target_mac")


def _at(columns: Columns, rows: Index) -> Columns:
    return Columns(columns.buffer, *(getattr(columns, name)[rows] for name in _ARRAYS))


def _own(columns: Columns) -> Columns:
    """Copy payloads and MACs to a buffer of their own; or the whole, where most of it is of interest."""
    if int(columns.captured.sum()) * SPARSE > len(columns.buffer):
        return replace(columns, buffer=columns.buffer.copy())
    spoken = np.flatnonzero(columns.captured)
    begin = columns.payload[spoken]
    behind = (begin + columns.captured[spoken]).tolist()
    raw = memoryview(columns.buffer.data)
    payloads = b"".join([raw[start:end] for start, end in zip(begin.tolist(), behind, strict=True)])
    offsets = np.cumsum(columns.captured) - columns.captured
    at = len(payloads)
    macs = []
    for offset in (columns.source_mac, columns.target_mac):
        macs.append((gathered(columns, offset), np.where(offset < 0, -1, at + _MAC * np.arange(len(offset)))))
        at += _MAC * len(offset)
    buffer = np.frombuffer(b"".join((payloads, macs[0][0], macs[1][0])), np.uint8)
    return replace(columns, buffer=buffer, payload=offsets, source_mac=macs[0][1], target_mac=macs[1][1])


def gathered(columns: Columns, offsets: npt.NDArray[np.int64]) -> bytes:
    """The MACs at these offsets, one behind the other; whatever stands there where a link has none."""
    if len(columns.buffer) < _MAC:
        return bytes(_MAC * len(offsets))
    shape = (len(columns.buffer) - _MAC + 1,)
    every = np.ndarray(shape, dtype=f"V{_MAC}", buffer=columns.buffer, strides=(1,))
    return every[np.maximum(offsets, 0)].tobytes()


def _joined(parts: list[Columns]) -> Columns:
    sizes = np.cumsum([0, *(len(part.buffer) for part in parts[:-1])])
    arrays = {name: np.concatenate([getattr(part, name) for part in parts]) for name in _ARRAYS}
    shift = np.repeat(sizes, [len(part) for part in parts])
    for name in _OFFSETS:
        arrays[name] = np.where(arrays[name] < 0, -1, arrays[name] + shift)
    return Columns(np.concatenate([part.buffer for part in parts]), **arrays)
