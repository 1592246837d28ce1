"""Who sends through whom, and what becomes of mail that passes a relay: pure, over hosts by number.

A relay takes mail from others and passes it on; so does a bridge that is asked for mail and fetches it.
What is behind one works until the relay's own login breaks, through as many hops as there are.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping

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
    graph = _Graph(passages, own)
    return {
        host: Chain(
            graph.behind(host, name_of),
            tuple(sorted(graph.carried[host], key=name_of)),
            weigh((*own(host, None).reasons, *graph.inherited(host, name_of))),
        )
        for host in graph.hosts
    }


class _Graph:
    """Hosts and the relays next to them, a graph a protocol."""

    def __init__(self, passages: Iterable[Passage], own: Own) -> None:
        self._own = own
        self._next: dict[tuple[int, str], list[int]] = defaultdict(list)
        self.carried: dict[int, set[int]] = defaultdict(set)
        for client, server, protocol in sorted(set(passages)):
            if client != server and own(server, protocol).reasons:
                self._next[client, protocol].append(server)
                self.carried[server].add(client)
        self._protocols: dict[int, list[str]] = defaultdict(list)
        for client, protocol in self._next:
            self._protocols[client].append(protocol)

    @property
    def hosts(self) -> list[int]:
        """All that stand behind a relay or are one."""
        return sorted({*self._protocols, *self.carried})

    def behind(self, host: int, name_of: NameOf) -> tuple[int, ...]:
        """The relays that a host's mail passes, the nearest first; each once, and never itself."""
        found: dict[int, None] = {}
        for protocol in self._protocols.get(host, ()):
            waiting = deque([host])
            seen = {host}
            while waiting:
                for relay in sorted(self._next.get((waiting.popleft(), protocol), ()), key=name_of):
                    if relay not in seen:
                        seen.add(relay)
                        found[relay] = None
                        waiting.append(relay)
        return tuple(found)

    def inherited(self, host: int, name_of: NameOf) -> Iterable[Reason]:
        """What the relays next to a host bring upon it."""
        for protocol in self._protocols.get(host, ()):
            for relay in self._next[host, protocol]:
                yield _through(name_of(relay), self._fate(host, relay, protocol))

    def _fate(self, host: int, relay: int, protocol: str) -> Reason:
        """The worst that is said of a relay's own way out, or of a relay's behind it."""
        waiting, seen = deque([relay]), {host, relay}
        said: list[Reason] = []
        while waiting:
            at = waiting.popleft()
            further = self._next.get((at, protocol), ())
            reasons = self._own(at, protocol).reasons
            said += reasons if not further else [one for one in reasons if one.level is not Level.FINE]
            for after in further:
                if after not in seen:
                    seen.add(after)
                    waiting.append(after)
        return max(said or self._own(relay, protocol).reasons, key=lambda one: SEVERITY[one.level])


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
