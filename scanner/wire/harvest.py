"""What is worth following, taken out of many batches: small enough to keep, large enough to be quick with."""

from __future__ import annotations

from collections.abc import Sequence
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
OPENINGS_KEPT = 1 << 14
"""Beginnings of connections on other ports, some 2 MB: a server greets in the second after; past it the
oldest are let go, and such a connection is followed from its mark on."""
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
        return self.of(rows)

    def of(self, rows: Index) -> Harvest:
        """Some of the segments."""
        return Harvest(_at(self.columns, rows), self.keys[rows], self.low[rows])

    def redated(self, by: int, now: int) -> Harvest:
        """With the times that a clock told before it was set forward by so much (ns) put right.

        Those are nearer to what it would tell now, had it not been set.
        """
        at = self.columns.at
        before = np.abs(at - (now - by)) < np.abs(at - now)
        return replace(self, columns=replace(self.columns, at=at + by * before))


class Selection:
    """Picks the segments of connections that are of interest; remembers those that a mark gave away."""

    def __init__(self, interest: Interest) -> None:
        """Begin with no marked connection."""
        self._interest = interest
        self._marked: Keys = np.empty(0, np.uint64)
        self._openings: list[Harvest] = []
        self.unmarked = 0
        """Connections not followed, as too many bore a mark."""

    def pick(self, columns: Columns) -> Harvest | None:
        """Take what matters out of a batch: payload, and where a connection begins or ends."""
        if len(columns) and columns.protocol[0] != 6 and (columns.protocol != 6).all():
            return None
        wanted = self._interest.wanted(columns)
        tcp = columns.protocol == 6
        fresh = self._note(columns, self._interest.marked(columns, tcp & ~wanted))
        earlier = self._opened(fresh)
        if len(self._marked):
            others = np.flatnonzero(tcp & ~wanted)
            wanted[others] = np.isin(flow_keys(columns, others)[0], self._marked)
        self._remember(columns, np.flatnonzero(tcp & ~wanted & (columns.flags & _SYN != 0)))
        rows = np.flatnonzero(wanted)
        rows = rows[(columns.length[rows] > 0) | (columns.flags[rows] & _FIN_SYN_RST != 0)]
        if not len(rows):
            return None
        keys, low = flow_keys(columns, rows)
        heads = _heads(columns, rows, keys ^ low)
        if not heads.all():
            rows, keys, low = rows[heads], keys[heads], low[heads]
        return joined([*earlier, Harvest(_own(_at(columns, rows)), keys, low)])

    def reload(self, interest: Interest) -> None:
        """Go on with other ports and prefixes."""
        self._interest = interest

    def _note(self, columns: Columns, marks: Index) -> Keys:
        """Remember the connections of these rows; gives those that are new."""
        if not len(marks):
            return np.empty(0, np.uint64)
        fresh = np.setdiff1d(flow_keys(columns, marks)[0], self._marked)
        room = max(MARKED_KEPT - len(self._marked), 0)
        self.unmarked += max(len(fresh) - room, 0)
        self._marked = np.union1d(self._marked, fresh[:room])
        return fresh[:room]

    def _remember(self, columns: Columns, rows: Index) -> None:
        """Keep how connections begin that may turn out to be of interest."""
        if len(rows):
            keys, low = flow_keys(columns, rows)
            own = replace(_own(_at(columns, rows)), packet=np.full(len(rows), -1))
            self._openings.append(Harvest(own, keys, low))
        while sum(map(len, self._openings)) > OPENINGS_KEPT and len(self._openings) > 1:
            del self._openings[0]

    def _opened(self, keys: Keys) -> list[Harvest]:
        """How these connections began, if that was in an earlier batch."""
        found = []
        for part in self._openings if len(keys) else ():
            rows = np.flatnonzero(np.isin(part.keys, keys))
            if len(rows):
                found.append(part.of(rows))
        return found


class Basket:
    """Gathers harvests until they are worth handing over."""

    def __init__(self, hold_ns: int | None = None, lag_ns: int = 0) -> None:
        """``hold_ns``: hand over what is older than that, in capture time, though it be little.

        ``lag_ns``: what comes from several places is late by as much, and put in the order of time; 0: it is.
        """
        self._hold_ns = hold_ns
        self._lag_ns = lag_ns
        self._parts: list[Harvest] = []
        self._rows = self._bytes = 0

    def add(self, part: Harvest) -> Harvest | None:
        """Put one in; gives all together when that is enough."""
        self._parts.append(part)
        self._rows += len(part)
        self._bytes += len(part.columns.buffer)
        age = int(part.columns.at[-1]) - int(self._parts[0].columns.at[0])
        full = self._rows >= HARVEST_ROWS or self._bytes >= HARVEST_BYTES
        if full or (self._hold_ns is not None and age >= self._hold_ns):
            return self.empty(int(part.columns.at.max()))
        return None

    def empty(self, now: int | None = None) -> Harvest | None:
        """Give what is there; of what may be late only what was before a time (ns), None: all."""
        parts, self._parts = self._parts, []
        self._rows = self._bytes = 0
        if not parts:
            return None
        whole = joined(parts)
        if not self._lag_ns:
            return whole
        whole = whole.of(np.argsort(whole.columns.at, kind="stable"))
        if now is None:
            return whole
        late = np.abs(whole.columns.at - now) <= self._lag_ns  # later still: of a clock that was set back
        if late.any():
            rest = whole.of(np.flatnonzero(late))
            self._parts, self._rows, self._bytes = [rest], len(rest), int(rest.columns.captured.sum())
        return whole.of(np.flatnonzero(~late)) if not late.all() else None


def joined(parts: Sequence[Harvest]) -> Harvest:
    """Put one or more together, in this order."""
    if len(parts) == 1:
        return parts[0]
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
    opens = flags[order[starts]] & _SYN != 0  # a SYN's number is one less than that of the first byte
    first = np.repeat(sequence[starts] + opens, np.diff(starts, append=len(order)))
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
