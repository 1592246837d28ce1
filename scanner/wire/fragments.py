"""Putting IP fragments together again (RFC 791 3.2, RFC 8200 4.5), within bounds.

Where fragments overlap, what came first is kept. Fragments count as dropped when they come, and no more once
their datagram is whole, so the count is right at any moment.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from scanner.wire.batch import Ints, Tally
from scanner.wire.internet import PROTOCOLS
from scanner.wire.layers import Block, Front, Kind

MOST_DATAGRAMS = 1024
"""Datagrams that wait for fragments at once, and so at most 64 MiB; beyond it the oldest is given up."""

MOST_PIECES = 192
"""Fragments of one datagram (1,500 bytes in the smallest pieces make 188); a datagram in more is given up."""

PATIENCE_NS = 30_000_000_000
"""Time between the first fragment of a datagram and the last, as Linux has it; a later one begins anew."""

LARGEST_DATAGRAM = 65_535
"""Bytes of an IP payload; a fragment that reaches beyond is given up."""


@dataclass(slots=True)
class _Datagram:
    """What has come of one datagram."""

    since: int
    """Time of the first fragment, ns."""
    pieces: dict[int, bytes] = field(default_factory=dict)
    held: int = 0
    """Bytes in the pieces; where they overlap, more than the datagram has."""
    total: int | None = None
    """Length, once the last fragment has come."""
    protocol: int | None = None
    """Known from the first fragment (IPv6: from its fragment header)."""

    def whole(self) -> bytes | None:
        """Join the pieces if none is missing."""
        if self.total is None or self.protocol is None or self.held < self.total:
            return None
        joined = bytearray()
        for offset in sorted(self.pieces):
            if offset > len(joined):
                return None
            joined += self.pieces[offset][len(joined) - offset :]
        return bytes(joined[: self.total]) if len(joined) >= self.total else None


@dataclass(slots=True)
class _Fragment:
    """One fragment, read."""

    key: tuple[int, bytes]
    """Version, and addresses with identification and (IPv4) protocol."""
    offset: int
    more: bool
    protocol: int
    data: bytes
    at: int


class Reassembly:
    """Datagrams in pieces, over all batches of a run."""

    def __init__(self, tally: Tally) -> None:
        """Count in ``tally``."""
        self._tally = tally
        self._waiting: dict[tuple[int, bytes], _Datagram] = {}

    def join(self, block: Block, front: Front, six: bool, at: Ints) -> tuple[list[tuple[Kind, Front]], bytes]:
        """Take fragments; give the datagrams made whole: rows, and the bytes to be put behind the block's."""
        found: list[tuple[Kind, Front]] = []
        side = bytearray()
        for index in range(len(front)):
            row = front.at(np.array([index]))
            fragment = _read6(block, row, at) if six else _read4(block, row, at)
            if fragment is None or (made := self._add(fragment)) is None:
                continue
            protocol, data = made
            kind = PROTOCOLS.get(protocol)
            if kind is None:
                self._tally.not_ip += 1
                continue
            start = np.array([len(block.buffer) + len(side)], dtype=np.int64)
            end = start + len(data)
            found.append((kind, Front(row.row, start, end, end, row.net, row.source_mac, row.target_mac)))
            side += data
        return found, bytes(side)

    def _add(self, fragment: _Fragment) -> tuple[int, bytes] | None:
        datagram = self._waiting.get(fragment.key)
        if datagram is None or fragment.at - datagram.since > PATIENCE_NS:
            self._waiting.pop(fragment.key, None)
            if len(self._waiting) >= MOST_DATAGRAMS:
                del self._waiting[next(iter(self._waiting))]
            datagram = self._waiting[fragment.key] = _Datagram(fragment.at)
        end = fragment.offset + len(fragment.data)
        if len(datagram.pieces) >= MOST_PIECES or end > LARGEST_DATAGRAM:
            del self._waiting[fragment.key]
            return None
        if fragment.offset not in datagram.pieces:
            datagram.pieces[fragment.offset] = fragment.data
            datagram.held += len(fragment.data)
        if not fragment.more and datagram.total is None:
            datagram.total = end
        if fragment.offset == 0 and datagram.protocol is None:
            datagram.protocol = fragment.protocol
        data = datagram.whole()
        if data is None or datagram.protocol is None:
            return None
        self._tally.fragments_dropped -= len(datagram.pieces)
        del self._waiting[fragment.key]
        return datagram.protocol, data


def _counted(block: Block, row: Front) -> bool:
    """Count a fragment; one that the snap length cut cannot be used."""
    block.tally.fragments += 1
    block.tally.fragments_dropped += 1
    return bool(row.end[0] >= row.whole[0])


def _read4(block: Block, row: Front, at: Ints) -> _Fragment | None:
    if not _counted(block, row):
        return None
    net, pos, end = int(row.net[0]), int(row.pos[0]), int(row.end[0])
    head = block.buffer[net : net + 20].tobytes()
    bits = int.from_bytes(head[6:8], "big")
    key = (4, head[12:20] + head[4:6] + head[9:10])
    data = block.buffer[pos:end].tobytes()
    return _Fragment(key, (bits & 0x1FFF) * 8, bool(bits & 0x2000), head[9], data, int(at[row.row[0]]))


def _read6(block: Block, row: Front, at: Ints) -> _Fragment | None:
    net, pos, end = int(row.net[0]), int(row.pos[0]), int(row.end[0])
    if not _counted(block, row) or end - pos < 8:
        return None
    head = block.buffer[pos : pos + 8].tobytes()
    bits = int.from_bytes(head[2:4], "big")
    key = (6, block.buffer[net + 8 : net + 40].tobytes() + head[4:8])
    data = block.buffer[pos + 8 : end].tobytes()
    return _Fragment(key, bits & 0xFFF8, bool(bits & 1), head[0], data, int(at[row.row[0]]))
