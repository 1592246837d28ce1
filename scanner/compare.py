"""Two readings of one capture, ours and another program's, brought together session by session."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from scanner.events import TlsMode
from scanner.model import AuthClass, Basis, Observation

Told = Mapping[str, Any]
"""A session record, or what matters of it."""

COMPARED: dict[str, str] = {
    "client_ip": "who opened",
    "client_mac": "which card that was",
    "server_name": "whom it meant",
    "server_kind": "what that is to us",
    "protocol": "what both spoke",
    "service": "what for",
    "tls_mode": "how TLS came in",
    "tls_version": "the server's choice",
    "tls_cipher": "the server's choice",
    "ja3": "the client's hello",
    "ja4": "the client's hello",
    "client_name": "EHLO",
    "mechanism": "the finding that everything rests on",
    "auth_class": "the same, and whether nobody logged in or nobody can know",
    "outcome": "what came of it",
    "tries": "how many logins were tried",
    "username": "who",
    "mails": "envelopes taken",
    "gaps": "whether bytes are missing: how many, each counts in its own way",
}
"""Fields that are compared, and what each is about.

Not compared: ``confidence`` and ``evidence`` are our own words for it, ``basis`` follows from ``auth_class``;
``last_seen`` counts bare acknowledgements, which tshark is not asked for; ``first_seen`` and both ends bring
the sessions together; ``community_id`` follows from the ends, ``capture`` and ``sensor`` from the user. What
sizes tell of a login inside TLS is compared but where bytes are missing: tshark tells that at the end only.
"""
SILENT: dict[str, str] = {
    "ja4": "tshark has it from 4.2 on",
    "username": "tshark reads no names in what SASL sends over IMAP and POP3, nor in tokens",
}
"""Fields where tshark's silence is no difference: it has nothing to say it with."""
INSIDE = "inside TLS"
SLACK_NS = 1_000_000_000
"""How far apart two sessions of the same ends may lie and still be one."""


class Session(NamedTuple):
    """What is compared of one session."""

    ends: frozenset[tuple[str, int]]
    first_seen: int
    """ns"""
    last_seen: int
    """ns"""
    client: tuple[str, int]
    server: tuple[str, int]
    told: tuple[Any, ...]
    """Values of ``COMPARED``, in its order."""


class Difference(NamedTuple):
    """Where the two readings of a session do not agree."""

    first_seen: int
    """ns"""
    client: tuple[str, int]
    server: tuple[str, int]
    field: str
    """``session`` where only one of them has it at all."""
    ours: Any
    tshark: Any


class Tally(NamedTuple):
    """What comparing came to; counts of sessions."""

    compared: int = 0
    equal: int = 0
    differing: int = 0
    only_ours: int = 0
    only_tshark: int = 0

    def plus(self, other: Tally) -> Tally:
        """Both together."""
        return Tally(*(one + two for one, two in zip(self, other, strict=True)))

    @property
    def agreed(self) -> bool:
        """Nothing differs."""
        return not (self.differing or self.only_ours or self.only_tshark)


def session(seen: Observation) -> Session:
    """What is compared of an observation."""
    client, server = (seen.client_ip, seen.client_port), (seen.server_ip, seen.server_port)
    special: dict[str, Any] = {
        "gaps": seen.gaps > 0,
        "tries": len(seen.attempts) or int(seen.mechanism is not None),
    }
    if _hidden(seen):
        special |= {"mechanism": None, "auth_class": INSIDE, "outcome": None, "tries": 0}
    told = tuple(special[name] if name in special else _plain(getattr(seen, name)) for name in COMPARED)
    return Session(frozenset((client, server)), seen.first_seen, seen.last_seen, client, server, told)


def _hidden(seen: Observation) -> bool:
    """What is inside TLS behind a hole: it goes by how much was heard before."""
    nothing = seen.auth_class in (AuthClass.UNKNOWN, AuthClass.INCOMPLETE)
    inside = seen.basis is Basis.INFERRED or (nothing and seen.tls_mode not in (None, TlsMode.CLEAR))
    return inside and seen.gaps > 0


def _plain(value: Any) -> Any:
    """A word of ours as text."""
    return str(value) if isinstance(value, str) else value


def compare(ours: Iterable[Session], tshark: Iterable[Session]) -> tuple[list[Difference], Tally]:
    """Bring sessions together by their ends and time, and list where they differ, the earliest first."""
    theirs: dict[frozenset[tuple[str, int]], list[Session]] = {}
    for one in sorted(tshark, key=_began):
        theirs.setdefault(one.ends, []).append(one)
    found: list[Difference] = []
    tally = Tally()
    for one in sorted(ours, key=_began):
        others = theirs.get(one.ends, [])
        at = next((at for at, other in enumerate(others) if _together(one, other)), None)
        if at is None:
            found.append(_alone(one, "seen", None))
            tally = tally.plus(Tally(only_ours=1))
            continue
        differing = list(_differences(one, others.pop(at)))
        found += differing
        tally = tally.plus(Tally(1, int(not differing), int(bool(differing))))
    left = [one for others in theirs.values() for one in others]
    found += [_alone(one, None, "seen") for one in left]
    return sorted(found, key=_began), tally.plus(Tally(only_tshark=len(left)))


def _began(one: Session | Difference) -> int:
    return one.first_seen


def _together(one: Session, other: Session) -> bool:
    return one.first_seen - SLACK_NS <= other.last_seen and other.first_seen - SLACK_NS <= one.last_seen


def _alone(one: Session, ours: str | None, tshark: str | None) -> Difference:
    return Difference(one.first_seen, one.client, one.server, "session", ours, tshark)


def _differences(one: Session, other: Session) -> Iterator[Difference]:
    for name, ours, tshark in zip(COMPARED, one.told, other.told, strict=True):
        if ours != tshark and not (tshark is None and name in SILENT):
            yield Difference(one.first_seen, one.client, one.server, name, ours, tshark)
