"""Who sends through whom, and what becomes of mail that passes a relay: pure, over hosts by number.

A relay takes mail from others and passes it on; so does a bridge that is asked for mail and fetches it.
What is behind one works until the relay's own login breaks, through as many hops as there are.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from scanner.model import SEVERITY, Chain, Level, Passage, Reason, Verdict
from scanner.rules import weigh

Own = Callable[[int, str | None], Verdict]
"""What becomes of a host by its own use of a protocol, or of all (None); without reasons: it uses none."""
NameOf = Callable[[int], str]

_FATE = {
    Level.BROKEN: "whose own login is refused",
    Level.BREAKS: "and works until that relay's own login breaks",
    Level.REVIEW: "whose own way out is to be looked at",
    Level.UNKNOWN: "whose own login is not known",
    Level.FINE: "which goes on working",
}


def chains(passages: Iterable[Passage], own: Own, name_of: NameOf) -> Mapping[int, Chain]:
    """Tell of all hosts that stand behind a relay, or are one, where they stand and what becomes of them."""
    graph = _Graph(passages, own, name_of)
    return {
        host: Chain(
            graph.behind(host),
            tuple(sorted(graph.carried[host], key=name_of)),
            weigh((*own(host, None).reasons, *graph.inherited(host))),
        )
        for host in graph.hosts
    }


class _Graph:
    """Hosts and the relays next to them, a graph a protocol."""

    def __init__(self, passages: Iterable[Passage], own: Own, name_of: NameOf) -> None:
        self._own = own
        self._name_of = name_of
        self._next: dict[str, dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
        self.carried: dict[int, set[int]] = defaultdict(set)
        ordered = sorted(set(passages), key=lambda one: (one.protocol, one.client, name_of(one.server)))
        for client, server, protocol in ordered:
            if client != server and own(server, protocol).reasons:
                self._next[protocol][client].append(server)
                self.carried[server].add(client)

    @property
    def hosts(self) -> list[int]:
        """All that stand behind a relay or are one."""
        return sorted({*self.carried, *(host for edges in self._next.values() for host in edges)})

    def behind(self, host: int) -> tuple[int, ...]:
        """The relays that a host's mail passes, the nearest first; each once, and never itself."""
        found = (relay for edges in self._next.values() for relay in _reached(edges, host))
        return tuple(dict.fromkeys(relay for relay in found if relay != host))

    def inherited(self, host: int) -> Iterable[Reason]:
        """What the relays next to a host bring upon it."""
        for protocol, edges in self._next.items():
            for relay in edges.get(host, ()):
                yield _through(self._name_of(relay), self._fate(host, relay, protocol))

    def _fate(self, host: int, relay: int, protocol: str) -> Reason:
        """The worst that is said of a relay's own way out, or of a relay's behind it."""
        edges = self._next[protocol]
        said: list[Reason] = []
        for at in _reached(edges, relay, host):
            reasons = self._own(at, protocol).reasons
            said += [one for one in reasons if at not in edges or one.level is not Level.FINE]
        return max(said or self._own(relay, protocol).reasons, key=lambda one: SEVERITY[one.level])


def _reached(edges: Mapping[int, Sequence[int]], start: int, *never: int) -> Iterator[int]:
    """All that can be reached, the nearest first, ``start`` before them; not by way of ``never``."""
    waiting, seen = deque([start]), {start, *never}
    while waiting:
        yield (at := waiting.popleft())
        new = [one for one in edges.get(at, ()) if one not in seen]
        seen.update(new)
        waiting.extend(new)


def _through(relay: str, fate: Reason) -> Reason:
    bad = fate.level not in (Level.FINE, Level.UNKNOWN)
    return Reason(
        rule="behind-relay",
        level=fate.level,
        text=f"goes through {relay}, {_FATE[fate.level]} ({fate.text})",
        source=fate.source,
        basis=fate.basis,
        confidence=fate.confidence,
        deadline=fate.deadline,
        advice=f"Mend the relay {relay}, and all behind it goes on. {fate.advice}".strip() if bad else "",
    )
