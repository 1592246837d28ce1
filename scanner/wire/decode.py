"""From a batch of packets to columns of TCP segments and UDP datagrams, layer by layer for all rows at once.

Rows that are at the same kind of layer are peeled together: a few NumPy calls a layer, whatever the number of
rows. What is neither TCP nor UDP of a wanted port, nor a frame in which a machine tells of itself, falls
away, counted.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from scanner.wire import internet, links, tunnels
from scanner.wire.batch import Batch, Bytes, Columns, Ints, Tally
from scanner.wire.fragments import Reassembly
from scanner.wire.frames import KINDS, Frame, told
from scanner.wire.layers import Block, Front, Header, Kind, Mask, Next, split

MOST_HEADERS = 1024
"""Bytes of headers passed before TCP (a dozen tunnels in one another); a row with more is malformed."""

_FREE_STEPS = 32
"""Steps before that bound is looked at: real batches need fewer."""

_TCP = np.dtype(
    [("source", ">u2"), ("target", ">u2"), ("sequence", ">u4"), ("acknowledged", ">u4"), ("size", "u1"),
     ("flags", "u1"), ("rest", "V6")]
)  # fmt: skip
_UDP = np.dtype([("source", ">u2"), ("target", ">u2"), ("length", ">u2"), ("checksum", ">u2")])
_ADDRESSES4 = np.dtype([("source", ">u4"), ("target", ">u4")])
_ADDRESSES6 = np.dtype(
    [("source_high", ">u8"), ("source_low", ">u8"), ("target_high", ">u8"), ("target_low", ">u8")]
)  # fmt: skip
_MAPPED = np.uint64(0xFFFF_0000_0000)

_Half = npt.NDArray[np.uint64]

Part = tuple[Front, Header]
"""Rows at their payload, and their TCP or UDP headers."""

_PEELS = links.PEELS | internet.PEELS | tunnels.PEELS
_ASIDE = frozenset({Kind.FRAGMENT4, Kind.FRAGMENT6, *KINDS})
"""What is not peeled any further."""


class Decoder:
    """Decodes the batches of a run; keeps nothing between them but fragments and counts."""

    def __init__(self, udp_ports: frozenset[int] = frozenset({53})) -> None:
        """Keep UDP datagrams from or to ``udp_ports``, and every TCP segment."""
        self.tally = Tally()
        self.frames: list[Frame] = []
        """Of the batch decoded last: frames that are neither IP nor something that leads there."""
        self.met: Counter[Kind] = Counter()
        """Layers passed so far; one that comes twice in a packet counts twice."""
        self._wanted = np.zeros(65_536, dtype=np.bool_)
        self._wanted[list(udp_ports)] = True
        self._tunnels = np.zeros(65_536, dtype=np.bool_)
        self._tunnels[list(tunnels.TUNNEL_PORTS)] = True
        self._reassembly = Reassembly(self.tally)

    def decode(self, batch: Batch) -> list[Columns]:
        """Give the segments and the datagrams of a batch, each in the order of capture."""
        self._count(batch)
        self.frames = []
        kind = links.LINKS.get(batch.link)
        if kind is None:
            self.tally.unknown_link += len(batch.start)
            return []
        none = np.full(len(batch.start), -1, dtype=np.int64)
        first = Front(
            np.arange(len(none)), batch.start, batch.start + batch.captured, batch.start + batch.length,
            none, none, none,
        )  # fmt: skip
        waiting = [(kind, first)]
        base = batch.start
        done: dict[Kind, list[Part]] = {}
        buffer = batch.buffer
        while waiting:
            block = Block(buffer, self.tally)
            aside = self._peel(block, waiting, base, done)
            self.frames += told(block, aside, batch.at)
            waiting, side = self._join(block, aside, batch.at)
            if waiting:
                buffer = np.concatenate([buffer, np.frombuffer(side, dtype=np.uint8)])
                base = base.copy()
                for _, front in waiting:
                    base[front.row] = front.pos
        columns = (_columns(buffer, batch.at, kind, parts) for kind, parts in sorted(done.items()))
        return [rows for rows in columns if len(rows)]

    def _count(self, batch: Batch) -> None:
        tally = self.tally
        tally.packets += len(batch.start)
        tally.bytes += int(batch.length.sum())
        if len(batch.at):
            first, last = int(batch.at.min()), int(batch.at.max())
            tally.first_at = first if tally.first_at is None else min(first, tally.first_at)
            tally.last_at = last if tally.last_at is None else max(last, tally.last_at)

    def _peel(
        self, block: Block, start: list[tuple[Kind, Front]], base: Ints, done: dict[Kind, list[Part]]
    ) -> list[tuple[Kind, Front]]:
        """Peel until TCP and UDP; gives the fragments and the frames of other kinds met on the way."""
        waiting: dict[Kind, list[Front]] = {}
        aside: list[tuple[Kind, Front]] = []
        more: Next = start
        steps = 0
        while True:
            for kind, front in more:
                if not len(front):
                    continue
                if kind in _ASIDE:
                    aside.append((kind, front))
                else:
                    waiting.setdefault(kind, []).append(front)
            if not waiting:
                return aside
            kind = min(waiting)
            front = Front.joined(waiting.pop(kind))
            self.met[kind] += len(front)
            steps += 1
            if steps > _FREE_STEPS:
                shallow = front.pos - base.take(front.row) <= MOST_HEADERS
                front = front.where(block.malformed(front, shallow))
            if kind is Kind.TCP:
                done.setdefault(kind, []).append(self._tcp(block, front))
                more = []
            elif kind is Kind.UDP:
                kept, more = self._udp(block, front)
                done.setdefault(kind, []).append(kept)
            else:
                more = _PEELS[kind](block, front)

    def _join(
        self, block: Block, aside: list[tuple[Kind, Front]], at: Ints
    ) -> tuple[list[tuple[Kind, Front]], bytes]:
        found: list[tuple[Kind, Front]] = []
        side = b""
        for kind in (Kind.FRAGMENT4, Kind.FRAGMENT6):
            fronts = [front for its, front in aside if its is kind]
            if fronts:
                grown = replace(block, buffer=_extended(block.buffer, side)) if side else block
                pieces = Front.joined(fronts).ordered()
                rows, more = self._reassembly.join(grown, pieces, kind is Kind.FRAGMENT6, at)
                found += rows
                side += more
        return found, side

    def _tcp(self, block: Block, front: Front) -> Part:
        """Read the header; the options may be cut off, then so is the payload."""
        front, header = block.read(front.ordered(), _TCP)
        size = (header["size"] >> 4).astype(np.int64) * 4
        good = block.malformed(front, (size >= 20) & (front.pos + size <= front.whole))
        if not good.all():
            front, header, size = front.where(good), header[good], size[good]
        self.tally.segments += len(front)
        return self._payload(front.past(size)), header

    def _udp(self, block: Block, front: Front) -> tuple[Part, Next]:
        """Keep datagrams of wanted ports; others may be tunnels."""
        front, header = block.read(front.ordered(), _UDP)
        self.tally.datagrams += len(front)
        wanted: Mask = self._wanted[header["source"]] | self._wanted[header["target"]]
        tunnel = self._tunnels[header["target"]] & ~wanted
        if not (kept := wanted | tunnel).all():
            front, header, wanted, tunnel = front.where(kept), header[kept], wanted[kept], tunnel[kept]
        length = header["length"].astype(np.int64)
        whole = np.where(length < 8, front.whole, np.minimum(front.whole, front.pos + length))
        inside = replace(front, pos=front.pos + 8, whole=whole, end=np.minimum(front.end, whole))
        found, _ = split(inside.where(tunnel), header["target"][tunnel], tunnels.TUNNEL_PORTS)
        return (self._payload(inside.where(wanted)), header[wanted]), found

    def _payload(self, front: Front) -> Front:
        self.tally.truncated += int(np.count_nonzero(front.end < front.whole))
        return replace(front, end=np.minimum(front.end, front.whole))


def _extended(buffer: Bytes, side: bytes) -> Bytes:
    return np.concatenate([buffer, np.frombuffer(side, dtype=np.uint8)])


def _columns(buffer: Bytes, at: Ints, kind: Kind, parts: list[Part]) -> Columns:
    """Put the parts of a batch together, in the order of capture."""
    front, header = parts[0]
    if len(parts) > 1:
        order = np.argsort(np.concatenate([front.row for front, _ in parts]), kind="stable")
        header = np.concatenate([header for _, header in parts])[order]
        front = Front.joined([front for front, _ in parts]).at(order)
    tcp = kind is Kind.TCP
    none = np.zeros(len(front), dtype=np.uint32)
    payload = np.minimum(front.pos, front.end)
    source_high, source_low, target_high, target_low = _addresses(Block(buffer, Tally()), front.net)
    return Columns(
        buffer,
        front.row,
        at.take(front.row),
        source_high,
        source_low,
        target_high,
        target_low,
        header["source"].astype(np.uint16),
        header["target"].astype(np.uint16),
        np.full(len(front), 6 if tcp else 17, dtype=np.uint8),
        header["flags"].copy() if tcp else none.astype(np.uint8),
        header["sequence"].astype(np.uint32) if tcp else none,
        header["acknowledged"].astype(np.uint32) if tcp else none,
        payload,
        front.end - payload,
        front.whole - front.pos,
        front.source_mac,
        front.target_mac,
    )


def _zeros(like: Ints) -> _Half:
    return np.zeros(len(like), dtype=np.uint64)


def _addresses(block: Block, net: Ints) -> tuple[_Half, _Half, _Half, _Half]:
    """Read source high, source low, target high, target low behind the IP headers."""
    four = block.header(net + 12, _ADDRESSES4)
    columns = _zeros(net), four["source"] | _MAPPED, _zeros(net), four["target"] | _MAPPED
    six = np.flatnonzero(block.buffer[net] >> 4 == 6)
    if len(six):
        wide = block.header(net[six] + 8, _ADDRESSES6)
        for column, name in zip(columns, _ADDRESSES6.fields or (), strict=True):
            column[six] = wide[name]
    return columns
