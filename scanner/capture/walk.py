"""The walk along a capture's records: where each lies. Their headers chain, so this is sequential.

To have it vectorised all the same, a block is cut at what look like record headers, all pieces (lanes) are
walked in lockstep, and a lane counts only if the one before it ends exactly where it begins. From the first
that does not, the plain walk goes on: a forged header costs time, never a result.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from scanner.wire.batch import Bytes, Ints

LARGEST_PACKET = 262_144
"""Bytes captured of one packet: libpcap's own limit for nearly all links; more is a corrupt record."""

SMALLEST_FOR_LANES = 1 << 17
"""Bytes below which finding lanes costs more than it gains."""

_SAMPLE = 64
"""Records walked plainly to learn how large they are here."""

_RECORDS_A_LANE = 48
"""Few make many lanes, each of which must be searched for; many make long walks in lockstep."""

_LAP = 8
"""Steps between looks at which lanes have arrived; those that have drop out."""

_MOST_LAPS = 128
"""Laps after which the lanes left are walked plainly: twenty times what is planned, or one stands still."""

_FEWEST_LANES = 16
"""Lanes that pay the calls of walking them in lockstep; fewer are walked plainly, one after the other."""


@dataclass(frozen=True, slots=True)
class RecordForm:
    """How record headers look: a pcap's, or the blocks of a pcapng file."""

    order: str
    """``<`` or ``>``."""
    header: int
    """Bytes of a record that its size does not count: 16, 24 in modified pcap, 0 in pcapng."""
    size_at: int = 8
    """Where in the header the size stands."""
    smallest: int = 0
    largest: int = LARGEST_PACKET
    mark: bytes | None = None
    """What most records begin with; None: a pcap's, with the seconds."""


class Walked(NamedTuple):
    """What a walk found."""

    records: Ints
    """Offset of each whole record's header."""
    end: int
    """Offset behind the last of them."""
    corrupt: bool
    """The header at ``end`` cannot be one; otherwise the walk just came to the last whole record."""


def walk(buffer: Bytes, begin: int, end: int, form: RecordForm) -> Walked:
    """Find the whole records between two offsets, the first of which is a record's header."""
    if end - begin < SMALLEST_FOR_LANES:
        return plain_walk(buffer, begin, end, form)
    sample = plain_walk(buffer, begin, end, form, _SAMPLE)
    if len(sample.records) < _SAMPLE:
        return sample
    starts = _lane_starts(buffer, sample.end, end, form, (sample.end - begin) // _SAMPLE)
    inside = _walk_lanes(buffer, starts, form)
    resume = int(inside[1])
    rest = plain_walk(buffer, resume, end, form)
    return Walked(np.concatenate([sample.records, inside[0], rest.records]), rest.end, rest.corrupt)


def plain_walk(buffer: Bytes, begin: int, end: int, form: RecordForm, most: int | None = None) -> Walked:
    """Go from record to record, ``most`` of them."""
    read = struct.Struct(f"{form.order}{form.size_at}xI")
    size_of = read.unpack_from
    view = memoryview(buffer.data)
    header, smallest, largest = form.header, form.smallest, form.largest
    records: list[int] = []
    last = end - max(header, read.size)
    corrupt = False
    while begin <= last and len(records) != most:
        (size,) = size_of(view, begin)
        if not smallest <= size <= largest:
            corrupt = True
            break
        following = begin + header + size
        if following > end:
            break
        records.append(begin)
        begin = following
    return Walked(np.array(records, dtype=np.int64), begin, corrupt)


def _every(buffer: Bytes, form: RecordForm, offset: int, size: int) -> npt.NDArray[np.uint32]:
    """Show the number that stands ``offset`` bytes behind each byte of the buffer."""
    count = len(buffer) - offset - size + 1
    return np.ndarray((count,), dtype=f"{form.order}u{size}", buffer=buffer, offset=offset, strides=(1,))


def _lane_starts(buffer: Bytes, begin: int, end: int, form: RecordForm, average: int) -> Ints:
    """Look for a record header near evenly spread points; where none looks like one there is no lane."""
    spread = _RECORDS_A_LANE * average
    reach = min(max(4 * average, 256), 2048, spread)
    points = range(begin + spread - spread // 2, end - reach - 32, spread)
    if not points:
        return np.array([begin], dtype=np.int64)
    # The upper half of the seconds is the same for 18 hours: two bytes that rule out nearly every offset.
    upper = 2 if form.order == "<" and not form.mark else 0
    mark = form.mark or buffer[begin + upper : begin + upper + 2].tobytes()
    hits = [at + hit for at in points if (hit := buffer[at : at + reach].tobytes().find(mark, upper)) >= 0]
    found = np.array(hits, dtype=np.int64) - upper
    size = _every(buffer, form, form.size_at, 4)[found].astype(np.int64)
    following = found + form.header + size
    good = (size > 0) & (size <= LARGEST_PACKET) & (following < end - 16)
    found, following = found[good], following[good]
    numbers = _every(buffer, form, upper, len(mark))
    found = found[numbers[following] == np.frombuffer(mark, numbers.dtype)[0]]
    return np.concatenate([np.array([begin], dtype=np.int64), found])


def _walk_lanes(buffer: Bytes, starts: Ints, form: RecordForm) -> tuple[Ints, int]:
    """Walk from each start to the next; gives the records, and where the walk has to go on."""
    sizes = _every(buffer, form, form.size_at, 4)
    last = len(sizes) - 1
    position, stop, lane = starts[:-1], starts[1:], np.arange(len(starts) - 1)
    found: list[Ints] = [starts[:0]]
    lanes = len(lane)
    for _ in range(_MOST_LAPS):
        if len(lane) < _FEWEST_LANES:
            break
        lap = np.empty((_LAP + 1, len(position)), dtype=np.int64)
        lap[0] = position
        for step in range(_LAP):
            lap[step + 1] = sizes[np.minimum(lap[step], last)] + (lap[step] + form.header)
        found.append(lap[:-1][lap[:-1] < stop])
        going = lap[-1] < stop
        missed = ~going & ~(lap == stop).any(axis=0)
        if missed.any():
            lanes = min(lanes, int(lane[missed][0]))
        position, stop, lane = lap[-1][going], stop[going], lane[going]
    for number, begin, until in zip(lane.tolist(), position.tolist(), stop.tolist(), strict=True):
        rest = plain_walk(buffer, begin, until, form)
        found.append(rest.records)
        lanes = lanes if rest.end == until else min(lanes, number)
    end = int(starts[lanes])
    records = np.sort(np.concatenate(found))
    records = records[: np.searchsorted(records, end)]
    size = np.diff(records, append=end) - form.header
    bad = np.flatnonzero((size < form.smallest) | (size > form.largest))
    if len(bad):
        return records[: bad[0]], int(records[bad[0]])
    return records, end
