"""Follow connections: a batch is grouped by connection at once, and only payload is looked at singly."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scanner.conversation import CLIENT, SERVER, Conversation, Ending, Endpoint, Flow, Side
from scanner.wire.batch import Columns
from scanner.wire.embryos import CLIENT_IS_LOW, CLIENT_STARTED, ROW, SERVER_STARTED, Embryos
from scanner.wire.harvest import BYTES_KEPT, Harvest, Selection
from scanner.wire.interest import Interest, Mask, begins_like_mail, begins_talk, begins_tls
from scanner.wire.patience import HALF_OPEN_S, IDLE_S, Patience
from scanner.wire.reassembly import Stream
from scanner.wire.sheet import Index, Sheet, mac_text, macs
from scanner.wire.tidy import Group, conversations, tidy

MAX_FLOWS = 1_000_000
"""Connections followed at a time; past it the oldest are given up and counted as ``evicted``."""
OPEN_BYTES = 80 << 20
"""Memory of connections that have spoken and are open: some 10,000 phones that hold theirs for hours; past it
the oldest are told as far as they were heard, and counted as ``evicted``."""
STREAM_BYTES = 2048
"""What one of them takes beside what was said."""
DONE_KEPT = 200_000
"""Connections remembered after their end, so that late segments of theirs are not taken for new ones."""
_FIN, _SYN, _RST, _ACK = 1, 2, 4, 16
_SWEEP_NS = 30_000_000_000


@dataclass(slots=True)
class FlowTally:
    """What following connections saw and gave up; counts."""

    conversations: int = 0
    """Connections with payload."""
    cut: int = 0
    """Those that were no more listened to once what matters had passed."""
    evicted: int = 0
    half_open: int = 0
    """Connections that ended or timed out without payload."""
    duplicates: int = 0
    conflicts: int = 0


class FlowTable:
    """All connections of one capture."""

    def __init__(
        self,
        interest: Interest,
        capture: str | None,
        max_flows: int = MAX_FLOWS,
        bytes_kept: int = BYTES_KEPT,
        idle_s: int = IDLE_S,
        live: bool = False,
    ) -> None:
        """Follow what is of interest; ``live``: tell of settled connections though they go on."""
        self.capture = capture
        self.tally = FlowTally()
        self._selection = Selection(interest)
        self._patience = Patience(interest, idle_s, live)
        self._ports = interest.ports
        self._max_flows = max_flows
        self._bytes_kept = bytes_kept
        self._live: dict[int, Stream] = {}
        self._open_bytes = 0
        self._embryos = Embryos()
        self._done: dict[int, int] = {}
        self._now = self._swept = 0

    def __len__(self) -> int:
        """Count the connections that are open."""
        return len(self._live) + len(self._embryos)

    def reload(self, interest: Interest) -> None:
        """Go on with other ports."""
        self._ports = interest.ports
        self._patience.reload(interest)

    def add(self, columns: Columns) -> Iterator[Conversation]:
        """Hear a batch; yield the conversations that ended in it."""
        if harvest := self._selection.pick(columns):
            yield from self.follow(harvest)

    def follow(self, harvest: Harvest) -> Iterator[Conversation]:
        """Hear what was picked already; yield the conversations that ended in it."""
        order = np.argsort(harvest.keys, kind="stable")
        keys = harvest.keys[order]
        starts = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]])
        yield from self._follow(Group(harvest.columns, order, keys, harvest.low[order], starts))
        self._now = max(self._now, int(harvest.columns.at[-1]))
        yield from self._make_room()

    def advance(self, now: int) -> Iterator[Conversation]:
        """Learn what time it is (ns), though nothing was heard; yield what is over by then."""
        self._now = max(self._now, now)
        yield from self._make_room()

    def shift(self, by: int) -> None:
        """The clock was set: move what is open along with it, as if it had always been right."""
        self._now += by
        self._swept += by
        self._embryos.shift(by)
        for stream in self._live.values():
            stream.shift(by)

    def flush(self) -> Iterator[Conversation]:
        """Yield all that is still open: the capture ended."""
        for stream in self._live.values():
            yield self._finish(stream, Ending.CLOSED if any(stream.fins) else Ending.ENDED)
        self._live.clear()
        self._open_bytes = 0
        self.tally.half_open += len(self._embryos)
        self._embryos = Embryos()

    def _follow(self, rows: Group) -> Iterator[Conversation]:
        starts, columns, index = rows.starts, rows.columns, rows.index
        keys = rows.keys[starts]
        live, done = self._live, self._done
        known = self._embryos.find(keys)
        alive = np.array([key in live for key in keys.tolist()], np.bool_)
        over = np.array([key in done for key in keys.tolist()], np.bool_)
        whole = tidy(rows, ~alive & ~over & (known < 0), self._bytes_kept)
        tidied = np.flatnonzero(whole)
        self._remember(keys[tidied].tolist(), columns.sequence[index[starts[tidied]]].tolist())
        self.tally.conversations += len(tidied)
        yield from conversations(rows, tidied, self.capture)
        flags = columns.flags[index]
        spoken = np.maximum.reduceat(columns.length[index], starts) > 0
        closing = np.bitwise_or.reduceat(flags, starts) & (_FIN | _RST)
        opening = np.bitwise_or.reduceat(flags, starts) & _SYN
        reopened = over & (opening != 0)  # the next between the same ends; it must not be taken for the last
        stays = ~alive & ~spoken & ~whole & ~reopened
        late = over & ~alive & (opening == 0)
        yield from self._hear_singly(rows, ~stays & ~whole & ~late, known)
        quiet = stays & (closing == 0)
        gone = known[(known >= 0) & (~stays | (closing != 0))]
        self.tally.half_open += int((stays & (closing != 0)).sum())
        self._embryos.replace(gone, self._born(rows, starts, quiet & (known < 0)))
        self._answered(rows, quiet)

    def _hear_singly(self, rows: Group, which: Mask, known: Index) -> Iterator[Conversation]:
        """Hear some connections segment by segment."""
        sizes = np.diff(rows.starts, append=len(rows.index))
        taken = np.repeat(which, sizes)
        sheet = Sheet(rows.columns, rows.index[taken], rows.low[taken])
        keys, embryos = rows.keys[rows.starts[which]].tolist(), known[which].tolist()
        first = 0
        for key, embryo, size in zip(keys, embryos, sizes[which].tolist(), strict=True):
            yield from self._hear(key, embryo, sheet, first, first + size)
            first += size

    def _hear(self, key: int, embryo: int, sheet: Sheet, first: int, end: int) -> Iterator[Conversation]:
        """Hear the rows of one connection; a new SYN among them begins another."""
        stream = self._live.get(key)
        for row in range(first, end):
            flags, low = sheet.flags[row], sheet.low[row]
            if flags & (_SYN | _ACK) == _SYN:
                if stream and _is_new(stream, sheet.sequence[row], low):
                    yield self._end(key, stream, Ending.REUSED)
                    stream = None
                if key in self._done and self._done[key] != sheet.sequence[row]:
                    del self._done[key]
                    embryo = -1
            if stream is None:
                if key in self._done or (flags & _RST and not sheet.length[row]):
                    continue
                stream = self._begin(key, embryo, sheet, row)
                embryo = -1
            ended = _feed(stream, sheet, row)
            if ended:
                yield self._end(key, stream, ended)
                stream = None
        if stream:
            self._open_bytes += stream.grown()

    def _begin(self, key: int, embryo: int, sheet: Sheet, row: int) -> Stream:
        low, flags, at = sheet.low[row], sheet.flags[row], sheet.at[row]
        sender, target = sheet.endpoints(row)
        if embryo >= 0:
            seed = self._embryos.get(embryo)
            client_is_low = bool(seed.flags & CLIENT_IS_LOW)
            stream = self._open(key, sender, target, client_is_low is low, client_is_low, seed.at)
            if seed.flags & CLIENT_STARTED:
                stream.start(CLIENT, seed.client_first)
                stream.macs[CLIENT] = mac_text(seed.client_mac)
            if seed.flags & SERVER_STARTED:
                stream.start(SERVER, seed.server_first)
                stream.macs[SERVER] = mac_text(seed.server_mac)
            return stream
        if flags & _SYN:
            sent_by_client = not flags & _ACK
        else:
            sent_by_client = _looks_like_client(sender.port, target.port, self._ports)
        stream = self._open(key, sender, target, sent_by_client, sent_by_client is low, at)
        if not flags & _SYN:
            _join(stream, CLIENT if sent_by_client else SERVER, sheet, row)
        return stream

    def _open(
        self, key: int, sender: Endpoint, target: Endpoint, by_client: bool, client_is_low: bool, at: int
    ) -> Stream:
        flow = Flow(sender, target) if by_client else Flow(target, sender)
        stream = Stream(flow, client_is_low, at, self._bytes_kept)
        self._live[key] = stream
        self._open_bytes += STREAM_BYTES
        return stream

    def _end(self, key: int, stream: Stream, ending: Ending) -> Conversation:
        del self._live[key]
        self._open_bytes -= STREAM_BYTES + stream.counted
        if stream.chunks:  # a SYN that met an old connection is reset and sent again, with the same number
            self._remember([key], [((stream.base[CLIENT] or 0) - 1) & 0xFFFFFFFF])
        return self._finish(stream, ending)

    def _remember(self, keys: Iterable[int], firsts: Iterable[int]) -> None:
        """``firsts``: the clients' first sequence numbers."""
        self._done.update(zip(keys, firsts, strict=True))
        while len(self._done) > DONE_KEPT:
            del self._done[next(iter(self._done))]

    def _finish(self, stream: Stream, ending: Ending) -> Conversation:
        conversation = stream.finish(ending, self.capture)
        self.tally.conversations += 1
        self.tally.cut += ending is Ending.CUT
        self.tally.duplicates += conversation.duplicates
        self.tally.conflicts += conversation.conflicts
        return conversation

    def _born(self, rows: Group, starts: Index, wanted: Mask) -> npt.NDArray[np.void]:
        """Make embryos of connections whose first row is a SYN or a SYN-ACK."""
        groups = np.flatnonzero(wanted)
        first = rows.index[starts[groups]]
        columns = rows.columns
        is_syn = (columns.flags[first] & _SYN) != 0
        groups, first = groups[is_syn], first[is_syn]
        new = np.zeros(len(first), ROW)
        if not len(first):
            return new
        answered = (columns.flags[first] & _ACK) != 0
        low = rows.low[starts[groups]]
        following = columns.sequence[first] + np.uint32(1)
        new["key"], new["at"] = rows.keys[starts[groups]], columns.at[first]
        new["client_first"] = np.where(answered, columns.acknowledged[first], following)
        new["server_first"] = np.where(answered, following, 0)
        new["flags"] = CLIENT_STARTED | np.where(answered, SERVER_STARTED, 0)
        new["flags"] |= np.where(low != answered, CLIENT_IS_LOW, 0).astype(np.uint8)
        sender, target = macs(columns, columns.source_mac[first]), macs(columns, columns.target_mac[first])
        new["client_mac"] = np.where(answered, target, sender)
        new["server_mac"] = np.where(answered, sender, target)
        return new

    def _answered(self, rows: Group, wanted: Mask) -> None:
        """Note the SYN-ACKs of embryos, which may stand behind copies of the SYN, or in a later batch."""
        columns, index = rows.columns, rows.index
        answers = np.flatnonzero((columns.flags[index] & (_SYN | _ACK)) == (_SYN | _ACK))
        answers = answers[wanted[np.searchsorted(rows.starts, answers, "right") - 1]]
        positions = self._embryos.find(rows.keys[answers])
        answers, positions = answers[positions >= 0], positions[positions >= 0]
        row = index[answers]
        self._embryos.update(
            positions, columns.sequence[row] + np.uint32(1), macs(columns, columns.source_mac[row])
        )

    def _make_room(self) -> Iterator[Conversation]:
        over = len(self._live) + len(self._embryos) - self._max_flows
        if over > 0:
            self.tally.evicted += over
            dropped = min(over, len(self._embryos))
            self._embryos.drop_oldest(dropped)
            for key in list(self._live)[: over - dropped]:
                yield self._end(key, self._live[key], Ending.EVICTED)
        for key in list(self._live) if self._open_bytes > OPEN_BYTES else ():
            if self._open_bytes <= OPEN_BYTES:
                break
            self.tally.evicted += 1
            yield self._end(key, self._live[key], Ending.EVICTED)
        if self._now - self._swept > _SWEEP_NS:
            self._swept = self._now
            half_open = self._now - min(self._patience.idle_ns, HALF_OPEN_S * 1_000_000_000)
            self.tally.half_open += self._embryos.drop_before(half_open)
            is_over = self._patience.is_over
            for key in [key for key, stream in self._live.items() if is_over(stream, self._now)]:
                stream = self._live[key]
                yield self._end(key, stream, Ending.CLOSED if any(stream.fins) else Ending.IDLE)


def _feed(stream: Stream, sheet: Sheet, row: int) -> Ending | None:
    """Hear one row; tells how the connection ended, if it did."""
    flags, sequence, length = sheet.flags[row], sheet.sequence[row], sheet.length[row]
    stream.last_seen = max(stream.last_seen, sheet.at[row])
    side = CLIENT if sheet.low[row] is stream.client_is_low else SERVER
    if stream.macs[side] is None:
        stream.macs[side] = sheet.mac(row)
    if flags & _SYN:
        sequence = (sequence + 1) & 0xFFFFFFFF
        stream.start(side, sequence)
        if flags & _ACK:
            stream.start(side.other, sheet.acknowledged[row])
    if length:
        stream.segment(side, sequence, sheet.acknowledged[row], sheet.at[row], sheet.payload(row), length)
    if flags & _FIN:
        stream.close(side, sequence + length, sheet.at[row])
    if flags & _RST:
        return Ending.RESET
    if stream.ended is None and stream.closed:
        return Ending.CLOSED
    return stream.ended


def _join(stream: Stream, side: Side, sheet: Sheet, row: int) -> None:
    """Begin without a SYN: what can only be a beginning is one; what looks like one hides no bytes."""
    head = sheet.payload(row)[:6]
    if begins_talk(head):
        stream.start(side, sheet.sequence[row])
        stream.start(side.other, sheet.acknowledged[row])
    elif begins_like_mail(head) or begins_tls(head):
        stream.base[side] = sheet.sequence[row]
        stream.base[side.other] = sheet.acknowledged[row]


def _is_new(stream: Stream, sequence: int, low: bool) -> bool:
    """A SYN with another first number than that of the connection we know is another connection."""
    base = stream.base[CLIENT if low is stream.client_is_low else SERVER]
    return base is None or (sequence + 1) & 0xFFFFFFFF != base


def _looks_like_client(sender: int, target: int, ports: frozenset[int]) -> bool:
    """Without a SYN: the one with the well-known port serves, else the lower port does."""
    if (sender in ports) != (target in ports):
        return target in ports
    return sender >= target
