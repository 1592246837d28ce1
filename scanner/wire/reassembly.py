"""One TCP connection put together again: both sides in the order in which cause follows from cause."""

from __future__ import annotations

from scanner.conversation import CLIENT, SERVER, Chunk, Conversation, Ending, Flow, Side

REORDERED_ROWS = 8
"""Segments that may wait for an earlier one: a mirror of two ports shuffles two or three. Past it: a gap."""
REORDERED_NS = 250_000_000
"""How long they may wait, in capture time: past a first retransmission, 200 ms in practice."""
_FIN = 1
"""An acknowledgement may count the peer's FIN, which takes one sequence number (RFC 9293 3.4)."""


class Stream:
    """What is known of one connection while it lasts; positions count bytes from the side's first."""

    __slots__ = (
        "base", "behind", "chunks", "client_is_low", "conflicts", "counted", "duplicates", "ended", "fins",
        "first_seen", "flow", "kept", "last_seen", "limit", "macs", "position", "started", "truncated",
        "waiting",
    )  # fmt: skip

    def __init__(self, flow: Flow, client_is_low: bool, at: int, limit: int) -> None:
        """Begin at a time (ns); at ``limit`` bytes of one side it is over."""
        self.flow = flow
        self.client_is_low = client_is_low
        self.first_seen = self.last_seen = at
        self.limit = limit
        self.base: list[int | None] = [None, None]
        self.position = [0, 0]
        self.kept = [0, 0]
        self.chunks: list[Chunk] = []
        self.waiting: list[tuple[Side, int, int, int, bytes, int]] = []
        self.started = [False, False]
        self.fins = [False, False]
        self.behind = [0, 0]  # bytes of a side before its FIN, where one was seen
        self.macs: list[str | None] = [None, None]
        self.duplicates = self.conflicts = self.counted = 0
        self.truncated = False
        self.ended: Ending | None = None

    def start(self, side: Side, first: int) -> None:
        """Learn the sequence number of a side's first byte, from its SYN or from the peer's answer to it."""
        self.started[side] = True
        if self.base[side] is None:
            self.base[side] = first & 0xFFFFFFFF

    def shift(self, by: int) -> None:
        """Let all of it have been so much later (ns)."""
        self.first_seen += by
        self.last_seen += by
        self.chunks = [chunk._replace(at=chunk.at + by) for chunk in self.chunks]
        self.waiting = [(one[0], one[1], one[2], one[3] + by, one[4], one[5]) for one in self.waiting]

    def segment(
        self, side: Side, sequence: int, acknowledged: int, at: int, data: bytes, length: int
    ) -> None:
        """Hear a segment with payload: ``data`` was captured of ``length`` bytes."""
        base = self.base[side]
        if base is None:
            self.base[side] = base = sequence
            self.chunks.append(Chunk(side, at, b"", -1))
        offset = _signed(sequence - base)
        peer_base = self.base[1 - side]
        until = _signed(acknowledged - peer_base) if peer_base is not None else 0
        position = self.position
        if not self.waiting and offset == position[side] and until <= self._heard(1 - side):
            self._deliver(side, at, data, length)
            return
        self.waiting.append((side, offset, until, at, data, length))
        self._settle(at)

    def close(self, side: Side, sequence: int, at: int) -> None:
        """Hear a FIN behind the side's last byte; it may come before that byte."""
        base = self.base[side]
        self.fins[side] = True
        if base is not None:
            self.behind[side] = max(_signed(sequence - base), self.behind[side])
        self._settle(at)

    def grown(self) -> int:
        """Count the bytes that are kept more than when it was asked last."""
        before, self.counted = self.counted, self.kept[CLIENT] + self.kept[SERVER]
        return self.counted - before

    @property
    def closed(self) -> bool:
        """Both sides said that they end, and all that they said before is here."""
        if self.waiting or not (self.fins[CLIENT] and self.fins[SERVER]):
            return False
        position, behind = self.position, self.behind
        return position[CLIENT] >= behind[CLIENT] and position[SERVER] >= behind[SERVER]

    def finish(self, ending: Ending, capture: str | None) -> Conversation:
        """Give all that was heard; what still waits comes behind gaps."""
        while self.waiting:
            self._force()
        if self.ended is None:
            for side in (CLIENT, SERVER):
                self._lose(side, self.behind[side], self.last_seen)
        return Conversation(
            flow=self.flow,
            chunks=tuple(self._with_missing_side()),
            first_seen=self.first_seen,
            last_seen=self.last_seen,
            ending=ending,
            client_started=self.started[CLIENT],
            server_started=self.started[SERVER],
            client_mac=self.macs[CLIENT],
            server_mac=self.macs[SERVER],
            duplicates=self.duplicates,
            conflicts=self.conflicts,
            truncated=self.truncated,
            capture=capture,
        )

    def _with_missing_side(self) -> list[Chunk]:
        """A side of which nothing was heard, though its peer went on talking, is one big gap."""
        heard = {chunk.side for chunk in self.chunks}
        if len(heard) != 1:
            return self.chunks
        silent = next(iter(heard)).other
        if self.started[silent]:
            return self.chunks
        return [Chunk(silent, self.chunks[0].at, b"", -1), *self.chunks]

    def _deliver(self, side: Side, at: int, data: bytes, length: int) -> None:
        if data:
            self.chunks.append(Chunk(side, at, data))
        if len(data) < length:
            self.truncated = True
            self.chunks.append(Chunk(side, at, b"", length - len(data)))
        self.position[side] += length
        self.kept[side] += length
        if self.kept[side] >= self.limit:
            self.ended = Ending.CUT

    def _settle(self, now: int) -> None:
        """Deliver what can be; give up on what is missing when too much waits, or too long."""
        while self.waiting and self.ended is None:
            if self._deliver_one():
                continue
            if len(self.waiting) <= REORDERED_ROWS and now - self.waiting[0][3] < REORDERED_NS:
                return
            self._force()

    def _deliver_one(self) -> bool:
        for number, (side, offset, until, at, data, length) in enumerate(self.waiting):
            ready = self.position[side]
            if offset <= ready and until <= self._heard(1 - side):
                del self.waiting[number]
                self._deliver_new(side, offset, at, data, length)
                return True
            if offset + length <= ready:
                del self.waiting[number]
                self._compare(side, offset, data)
                return True
        return False

    def _heard(self, side: int) -> int:
        """What may be acknowledged to a side: its bytes, and its FIN if that is next."""
        position = self.position[side]
        return position + (self.fins[side] and position >= self.behind[side])

    def _deliver_new(self, side: Side, offset: int, at: int, data: bytes, length: int) -> None:
        """Deliver what of a segment is new; the first copy wins where it overlaps."""
        seen = self.position[side] - offset
        if seen:
            self._compare(side, offset, data[:seen])
        if seen < length:
            self._deliver(side, at, data[seen:], length - seen)

    def _force(self) -> None:
        """Take the segment that waits for least, and tell a gap for what it waits for."""
        position = self.position
        number = min(
            range(len(self.waiting)),
            key=lambda n: (
                max(self.waiting[n][1] - position[self.waiting[n][0]], 0)
                + max(self.waiting[n][2] - position[1 - self.waiting[n][0]], 0)
            ),
        )
        side, offset, until, at, data, length = self.waiting.pop(number)
        self._lose(side.other, until - _FIN, at)
        self._lose(side, offset, at)
        self._deliver_new(side, offset, at, data, length)

    def _lose(self, side: Side, until: int, at: int) -> None:
        missing = until - self.position[side]
        if missing > 0:
            self.chunks.append(Chunk(side, at, b"", missing))
            self.position[side] = until
            self.kept[side] += missing
            if self.kept[side] >= self.limit:
                self.ended = Ending.CUT

    def _compare(self, side: Side, offset: int, data: bytes) -> None:
        """Count a copy, and its bytes that differ from the first."""
        self.duplicates += 1
        at = 0
        for chunk in self.chunks:
            if chunk.side is not side:
                continue
            if chunk.data:
                low, high = max(at, offset), min(at + len(chunk.data), offset + len(data))
                if low < high:
                    first, second = chunk.data[low - at : high - at], data[low - offset : high - offset]
                    if first != second:
                        self.conflicts += sum(a != b for a, b in zip(first, second, strict=True))
            at += len(chunk.data) or max(chunk.missing, 0)


def _signed(difference: int) -> int:
    """Sequence numbers wrap at 2**32 (RFC 9293 3.4)."""
    return ((difference + 0x80000000) & 0xFFFFFFFF) - 0x80000000
