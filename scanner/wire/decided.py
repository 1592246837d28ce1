"""Which packets of a mirror are worth keeping: all that conversations and names are told from, and no bulk.

What comes in IP fragments is kept by its last one only: a file of such a tunnelled mirror has holes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from scanner.wire.announced import announced
from scanner.wire.batch import Batch, Columns, Ints
from scanner.wire.datagrams import smb_rows
from scanner.wire.frames import Frame
from scanner.wire.harvest import BYTES_KEPT, OPENINGS_KEPT, Harvest
from scanner.wire.interest import Mask
from scanner.wire.sheet import Keys, flow_keys

SENDERS_KEPT = 200_000
"""Senders whose first byte is remembered, some 25 MB; past it the oldest begins anew, and more is kept."""
HEAD = np.uint32(BYTES_KEPT + 1500)
"""Bytes of a direction: a segment more than is listened to, so that a cut is not taken for a hole."""
_SYN, _FIN_RST = 2, 5


class DecidedPart:
    """Picks packets batch after batch; remembers where each sender began."""

    def __init__(self, ports: frozenset[int], senders_kept: int = SENDERS_KEPT) -> None:
        """``ports``: of UDP, where machines and names are told of."""
        self._ports = ports
        self._senders_kept = senders_kept
        self._began: dict[int, int] = {}
        self._openings: list[tuple[Keys, Batch]] = []

    def of(
        self,
        batch: Batch,
        decoded: Sequence[Columns],
        parts: Sequence[Harvest | None],
        frames: Sequence[Frame],
    ) -> Iterator[tuple[Batch, Ints]]:
        """Give the packets of a batch by their numbers, sorted; before them those of earlier batches.

        ``decoded`` is the batch, ``parts`` what was picked of each of that, ``frames`` what stands alone.
        """
        kept = [np.array([frame.packet for frame in frames], np.int64)]
        for columns, part in zip(decoded, parts, strict=True):
            kept += [columns.packet[announced(columns, self._ports)], columns.packet[smb_rows(columns)]]
            if part:
                now = part.columns.packet >= 0
                kept.append(part.columns.packet[self._heads(part) & now])
                yield from self._opened(part.keys[~now])
            self._note_openings(batch, columns, part)
        yield batch, np.unique(np.concatenate(kept))

    def _note_openings(self, batch: Batch, columns: Columns, part: Harvest | None) -> None:
        """Keep how connections begin that may turn out to be of interest, as ``Selection`` does."""
        rows = np.flatnonzero((columns.flags & _SYN != 0) & (columns.protocol == 6))
        keys, _ = flow_keys(columns, rows)
        if part:
            others = ~np.isin(keys, part.keys)
            rows, keys = rows[others], keys[others]
        if len(rows):
            self._openings.append((keys, _excerpt(batch, columns.packet[rows])))
        while sum(len(its) for its, _ in self._openings) > OPENINGS_KEPT and len(self._openings) > 1:
            del self._openings[0]

    def _opened(self, keys: Keys) -> Iterator[tuple[Batch, Ints]]:
        """Give how these connections began."""
        for its, packets in self._openings if len(keys) else ():
            rows = np.flatnonzero(np.isin(its, keys))
            if len(rows):
                yield packets, rows

    def _heads(self, part: Harvest) -> Mask:
        """Tell which segments begin or end a connection, or stand near their sender's first byte.

        Only who says something is remembered: a flood of SYNs makes nobody forgotten.
        """
        columns, senders = part.columns, part.keys ^ part.low
        order = np.argsort(senders, kind="stable")
        sender, sequence, flags = senders[order], columns.sequence[order], columns.flags[order]
        opens = flags & _SYN != 0
        starts = np.flatnonzero(np.r_[True, sender[1:] != sender[:-1]] | opens)
        said = np.maximum.reduceat(columns.length[order], starts) > 0
        over = np.bitwise_or.reduceat(flags, starts) & _FIN_RST != 0
        first = sequence[starts] + opens[starts]
        runs = zip(sender[starts].tolist(), opens[starts].tolist(), said.tolist(), over.tolist(), strict=True)
        for run, (who, opening, spoken, ended) in enumerate(runs):
            began = None if opening else self._began.get(who)
            if began is not None:
                first[run] = began
            if ended or (opening and not spoken):
                self._began.pop(who, None)
            elif spoken and began is None:
                self._remember(who, int(first[run]))
        near = sequence - np.repeat(first, np.diff(starts, append=len(order))) + HEAD < 2 * HEAD
        heads = np.empty(len(order), np.bool_)
        heads[order] = near | (flags & (_SYN | _FIN_RST) != 0)
        return heads

    def _remember(self, sender: int, began: int) -> None:
        self._began[sender] = began
        if len(self._began) > self._senders_kept:
            del self._began[next(iter(self._began))]


def _excerpt(batch: Batch, packets: Ints) -> Batch:
    """Copy packets, so that they outlive their batch."""
    start, captured = batch.start[packets], batch.captured[packets]
    raw = memoryview(batch.buffer.data)
    spans = zip(start.tolist(), (start + captured).tolist(), strict=True)
    buffer = np.frombuffer(b"".join([raw[begin:end] for begin, end in spans]), np.uint8)
    return replace(
        batch, buffer=buffer, start=np.cumsum(captured) - captured, captured=captured,
        length=batch.length[packets], at=batch.at[packets],
        tag=None if batch.tag is None else batch.tag[packets],
    )  # fmt: skip
