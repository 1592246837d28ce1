"""Connections that lie whole and in order in one harvest, told apart for all at once.

Most are: from SYN to the end, every byte in its place, nothing twice. They need no reassembly, and what there
is to say of each is taken from the columns. All others go the long way, segment by segment.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import repeat

import numpy as np
import numpy.typing as npt

from scanner import net
from scanner.conversation import CLIENT, SERVER, Chunk, Conversation, Ending, Endpoint, Flow, Transport
from scanner.wire.batch import Columns
from scanner.wire.sheet import Index, Keys, mac_text, macs

_FIN, _SYN, _RST, _ACK = 1, 2, 4, 16
_SIDES = (CLIENT, SERVER)
AT_ONCE = 128
"""Connections made in one go: NumPy is paid for, and what is made is heard before the cache forgets it."""
_Mask = npt.NDArray[np.bool_]
_chunk = partial(tuple.__new__, Chunk)
_endpoint = partial(tuple.__new__, Endpoint)
_flow = partial(tuple.__new__, Flow)


@dataclass(frozen=True, slots=True)
class Group:
    """The rows of a harvest sorted by connection, then by capture order."""

    columns: Columns
    index: Index
    """Where each row stands in the columns."""
    keys: Keys
    low: _Mask
    """The sender is the lower end."""
    starts: Index
    """The first row of each connection."""


def tidy(rows: Group, fresh: _Mask, limit: int) -> _Mask:
    """Tell which connections, of those not heard of before, are whole, in order and shorter than a limit."""
    columns, index, starts = rows.columns, rows.index, rows.starts
    flags, length = columns.flags[index], columns.length[index].astype(np.int64)
    sequence, acknowledged = columns.sequence[index], columns.acknowledged[index]
    sizes = np.diff(starts, append=len(index))
    first, second = starts, np.minimum(starts + 1, len(index) - 1)
    good: _Mask = fresh & (sizes > 2) & (flags[first] & (_SYN | _ACK) == _SYN)
    good &= (flags[second] & (_SYN | _ACK) == _SYN | _ACK) & (rows.low[first] != rows.low[second])
    good &= acknowledged[second] == sequence[first] + np.uint32(1)
    good &= np.add.reduceat((flags & _SYN != 0).astype(np.int64), starts) == 2
    by_client = rows.low == np.repeat(rows.low[first], sizes)
    said = np.where(by_client, length, 0), np.where(by_client, 0, length)
    before = [np.cumsum(part) - part for part in said]
    before = [part - np.repeat(part[starts], sizes) for part in before]
    bases = (np.repeat(sequence[row] + np.uint32(1), sizes) for row in (first, second))
    places = [base + part.astype(np.uint32) for base, part in zip(bases, before, strict=True)]
    expected = np.where(by_client, places[0], places[1])
    answered = np.where(by_client, places[1], places[0])
    ahead = (acknowledged - answered).view(np.int32)
    fins = flags & _FIN != 0
    ended = np.where(by_client, *(_before(fins & side, starts, sizes) for side in (~by_client, by_client)))
    in_order = (sequence == expected) & (ahead <= ended) & (columns.captured[index] == length)
    counts = (length > 0) | fins
    good &= np.logical_and.reduceat(in_order | ~counts, starts) & (length[first] == 0) & (length[second] == 0)
    good &= np.maximum(*(np.add.reduceat(part, starts) for part in said)) < limit
    good &= _ended(flags, by_client, starts, sizes)
    return good


def _before(rows: _Mask, starts: Index, sizes: Index) -> _Mask:
    """Tell of each row whether one of these came before it in its connection."""
    count = np.cumsum(rows)
    before: npt.NDArray[np.int64] = count - rows
    told: _Mask = before > np.repeat(before[starts], sizes)
    return told


def _ended(flags: npt.NDArray[np.uint8], by_client: _Mask, starts: Index, sizes: Index) -> _Mask:
    """Both sides closed, or the last row is the only reset."""
    resets = np.add.reduceat((flags & _RST != 0).astype(np.int64), starts)
    last = flags[starts + sizes - 1] & _RST != 0
    closed = _both_closed(flags, by_client, starts) & (resets == 0)
    ended: _Mask = np.logical_or(closed, (resets == 1) & last)
    return ended


def _both_closed(flags: npt.NDArray[np.uint8], by_client: _Mask, starts: Index) -> _Mask:
    closes = flags & (_FIN | _RST) == _FIN
    client, server = (np.logical_or.reduceat(side & closes, starts) for side in (by_client, ~by_client))
    closed: _Mask = client & server
    return closed


def conversations(rows: Group, which: Index, capture: str | None) -> Iterator[Conversation]:
    """Yield the conversations of tidy connections."""
    raw = rows.columns.buffer.tobytes() if len(which) else b""
    for at in range(0, len(which), AT_ONCE):
        yield from _some(rows, which[at : at + AT_ONCE], raw, capture)


def _some(rows: Group, which: Index, raw: bytes, capture: str | None) -> Iterator[Conversation]:
    sizes = np.diff(rows.starts, append=len(rows.index))[which]
    behind = np.cumsum(sizes)
    starts = behind - sizes
    taken = np.repeat(rows.starts[which] - starts, sizes) + np.arange(behind[-1])
    columns, index, low = rows.columns, rows.index[taken], rows.low[taken]
    first, last = index[starts], index[behind - 1]
    by_client = low == np.repeat(low[starts], sizes)
    spoken = columns.captured[index] > 0
    closed = _both_closed(columns.flags[index], by_client, starts)
    begun = zip(
        columns.at[first].tolist(),
        columns.at[last].tolist(),
        np.cumsum(np.add.reduceat(spoken.astype(np.int64), starts)).tolist(),
        closed.tolist(),
        _flows(columns, first),
        _macs(columns, columns.source_mac[first]),
        _macs(columns, columns.source_mac[index[starts + 1]]),
        strict=True,
    )
    chunks = _chunks(columns, index[spoken], by_client[spoken], raw)
    at = 0
    for opened, done, end, in_order, flow, client_mac, server_mac in begun:
        ending = Ending.CLOSED if in_order else Ending.RESET
        told = tuple(chunks[at:end])
        at = end
        yield Conversation(
            flow, told, opened, done, ending, True, True, client_mac, server_mac, 0, 0, False, capture
        )


def _chunks(columns: Columns, index: Index, by_client: _Mask, raw: bytes) -> list[Chunk]:
    start = columns.payload[index]
    behind = (start + columns.captured[index]).tolist()
    data = [raw[begin:end] for begin, end in zip(start.tolist(), behind, strict=True)]
    sides = map(_SIDES.__getitem__, (~by_client).tolist())
    return list(map(_chunk, zip(sides, columns.at[index].tolist(), data, repeat(0))))


def _flows(columns: Columns, first: Index) -> Iterator[Flow]:
    """Who opened each connection, and to whom: the first row is the client's."""
    ends = []
    for end in ("source", "target"):
        high, low, port = (
            getattr(columns, f"{end}_{part}")[first].tolist() for part in ("high", "low", "port")
        )
        ends.append(map(_endpoint, zip(map(net.text, high, low), port, strict=True)))
    return map(_flow, zip(*ends, repeat(Transport.TCP)))


def _macs(columns: Columns, offsets: npt.NDArray[np.int64]) -> list[str | None]:
    return list(map(mac_text, macs(columns, offsets).tolist()))
