"""What was said inside TLS, kept until the conversation that it belongs to has ended."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from scanner.conversation import CLIENT, SERVER, Chunk, Conversation, Endpoint, Flow, Said

KEPT_BYTES = 64 << 20
"""Plaintext that waits for its conversation: two thousand logins of the longest kind. Past it the oldest
connection's goes, and its session is told as one with a gap."""
_OVERHEAD = 200
"""Bytes that a piece takes beside its text."""
_Ends = tuple[Endpoint, Endpoint]


class Inside:
    """Plaintext by connection."""

    def __init__(self, kept_bytes: int = KEPT_BYTES) -> None:
        """Keep so much at most."""
        self._kept_bytes = kept_bytes
        self._bytes = 0
        self._by_ends: dict[_Ends, list[Said]] = {}

    def add(self, heard: Iterable[Said]) -> None:
        """Keep what was said."""
        for said in heard:
            self._by_ends.setdefault(_ends(said.sender, said.receiver), []).append(said)
            self._bytes += _weight(said)
        while self._bytes > self._kept_bytes:
            self._make_room()

    def take(self, conversation: Conversation) -> Sequence[Said]:
        """Give what was said in a conversation; what is older belongs to nobody any more."""
        if not self._by_ends:
            return ()
        ends = _ends(conversation.flow.client, conversation.flow.server)
        heard = self._by_ends.pop(ends, [])
        self._forget(heard)
        if later := [said for said in heard if said.at > conversation.last_seen]:
            self.add(later)
        return [said for said in heard if conversation.first_seen <= said.at <= conversation.last_seen]

    def drain(self) -> list[Said]:
        """Give all, connection by connection."""
        everything = [said for heard in self._by_ends.values() for said in heard]
        self._by_ends, self._bytes = {}, 0
        return everything

    def _make_room(self) -> None:
        """Forget the oldest connection, but not that there was something: what follows is not all of it."""
        ends = next(iter(self._by_ends))
        heard = self._by_ends.pop(ends)
        self._forget(heard)
        if any(said.data for said in heard):
            one, other = ends
            holes = [Said(*pair, heard[-1].at, b"") for pair in ((one, other), (other, one))]
            self._by_ends[ends] = holes
            self._bytes += sum(map(_weight, holes))

    def _forget(self, heard: Iterable[Said]) -> None:
        self._bytes -= sum(map(_weight, heard))


def chunks(heard: Sequence[Said], flow: Flow) -> tuple[Chunk, ...]:
    """Make chunks of what was said: in the order of time, but nobody's words change places.

    HTTP/2's requests go one after the other, each with its answer, as in HTTP/1; those without one go last.
    """
    answered = {said.request for said in heard if said.sender == flow.server}
    latest = {flow.client: 0, flow.server: 0}
    placed: list[tuple[bool, int, int, int]] = []
    for number, (sender, _, at, _, request) in enumerate(heard):
        latest[sender] = max(at, latest[sender])
        placed.append((request > 0 and request not in answered, request, latest[sender], number))
    return tuple(
        Chunk(CLIENT if said.sender == flow.client else SERVER, said.at, said.data, 0 if said.data else -1)
        for said in (heard[number] for *_, number in sorted(placed))
    )


def _ends(one: Endpoint, other: Endpoint) -> _Ends:
    return (one, other) if one <= other else (other, one)


def _weight(said: Said) -> int:
    return len(said.data) + _OVERHEAD
