"""What a host's sessions come to: how it logs in at each service, decided by all of its sessions; pure.

Sessions of one host with one service are a pool. A login that was heard in clear is a fact and stays as it
is. One that was inferred from sizes is weighed by its confidence and by how often it was: the heaviest class
leads, and another is a way of its own only where it is as likely, or sure in itself. What cannot be told of a
session, because it is lossy or ended early, says nothing against what others tell. Sessions that decide
nothing are counted with those that do. How sure all are together tells ``scanner.odds``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import log
from operator import attrgetter, itemgetter
from typing import Any

from scanner.events import Outcome
from scanner.model import TOLD_APART, AuthClass, Basis, Device, ServerKind, Usage
from scanner.odds import LEAST, confidence, constancy, together, weight

SEVERAL = 3
"""Sessions from which another class may be a way of its own, against however many."""
MUCH = 3
"""So many times as many sessions are much more."""
SECOND_WAY = log(20)
"""Odds that another class needs in itself: about one device in twenty logs in at a service in two ways."""
TOKEN_NS = 90 * 60 * 1_000_000_000
"""The longest life of a token (facts: 60 to 90 minutes)."""
MAIL_PORT = 25
"""Where mail goes without a login on purpose (RFC 5321): there that is a way like others."""
BROWSERLESS = frozenset(
    {
        "camera", "desk phone", "management controller", "multifunction printer", "nas", "network device",
        "printer", "recorder", "scanner", "ups",
    }
)  # fmt: skip
"""Kinds of devices on which nobody browses: a contact of a sign-in host is their own."""

_SUMS = ("sessions", "mails", "logins_same", "logins_changed")
_UNTOLD = (AuthClass.UNKNOWN, AuthClass.NONE, AuthClass.INCOMPLETE)
"""What is no login; of as many sessions the first is said."""
_Ends = tuple[object, ...]
_Pools = dict[_Ends, list[Usage]]
_ends = attrgetter("server_name", "server_kind", "server_port", "protocol", "service", "tls_mode")
_way = attrgetter(
    "tls_version", "mechanism", "auth_class", "outcome", "basis", "confidence", "cause", "client_version"
)


@dataclass(frozen=True, slots=True)
class _Part:
    """Sessions that went alike."""

    use: Usage
    """Its counts are those of all the host's addresses."""
    often: int
    """How many sessions, as far as numbers are told apart: of the address with the most."""
    place: int
    """Where it stands among the host's."""

    @property
    def fact(self) -> bool:
        """Whether it is a login that was heard."""
        return self.use.basis is not Basis.INFERRED and _is_login(self.use)


@dataclass(frozen=True, slots=True)
class _Way:
    """A class of logins, and who says so."""

    parts: Sequence[_Part]

    @property
    def kind(self) -> AuthClass:
        return self.parts[0].use.auth_class

    @property
    def fact(self) -> bool:
        return any(part.fact for part in self.parts)

    @property
    def often(self) -> int:
        return sum(part.often for part in self.parts)

    @property
    def weight(self) -> float:
        return sum(weight(part.use.confidence, part.often) for part in self.parts)

    @property
    def sure(self) -> float:
        """The logarithm of its odds by itself."""
        return together(self.weight, self.often)


class _Row:
    """A pooled usage as it comes together."""

    def __init__(self, first: _Part) -> None:
        self.own, self.others = [first], list[_Part]()

    @property
    def often(self) -> int:
        return sum(part.often for part in self.own)

    def takes(self, part: _Part) -> bool:
        """Whether what was heard of a part, beside its login, is this row's."""
        own, use = self.own[0].use, part.use
        versions = (
            use.tls_version in (None, own.tls_version),
            use.client_version in (None, own.client_version),
        )
        return all(versions)

    def usage(self, sure: float) -> Usage:
        """The usage; counts are those of all."""
        if len(self.own) == 1 and not self.others:
            return replace(self.own[0].use, confidence=sure)
        uses = [part.use for part in (*self.own, *self.others)]
        told = [part.use.sessions for part in self.others if not _is_login(part.use)]
        return replace(
            self.own[0].use,
            service=_most((part.use.service, part.often) for part in self.own),
            mechanism=_most((part.use.mechanism, part.often) for part in self.own),
            outcome=_most((part.use.outcome, part.often) for part in self.own),
            confidence=sure,
            **_counts(uses),
            first_seen=min(use.first_seen for use in uses),
            last_seen=max(use.last_seen for use in uses),
            odd=sum(part.use.sessions for part in self.others) - sum(told),
            untold=sum(told),
        )


def pool(usages: Sequence[Usage], device: Device | None = None) -> tuple[Usage, ...]:
    """Gather a host's usages; ``device``: what it is, where that is known.

    Which rows there are depends on numbers of sessions only as far as ``TOLD_APART`` tells them apart.
    """
    if len(usages) == 1 and _is_told(usages):
        return tuple(usages)
    pools: _Pools = {}
    for use in usages:
        pools.setdefault(_ends(use), []).append(use)
    if len(pools) > 1:
        _find_homes(pools)
    contacts = [use.last_seen for use in usages if use.server_kind is ServerKind.SIGN_IN]
    if device is None or device.kind not in BROWSERLESS:
        contacts = []
    found: list[Usage] = []
    for members in pools.values():
        if _is_told(members):
            found += members
        else:
            found += _gathered(members, contacts)
    return tuple(found)


def _is_told(members: Sequence[Usage]) -> bool:
    """Whether there is nothing to gather."""
    if len(members) == 1:
        return members[0].basis is not Basis.INFERRED
    if any(use.basis is not Basis.SEEN or not _is_login(use) for use in members):
        return False
    return len(set(map(_way, members))) == len(members)


def _find_homes(pools: _Pools) -> None:
    """Put sessions whose server's name or service is not even known to those that may be the same."""
    for ends, members in list(pools.items()):
        name, kind, port, protocol, service, mode = ends
        if name is not None and service is not None:
            continue
        alike = {
            other: max(map(_often, uses))
            for other, uses in pools.items()
            if other != ends
            and other[1:4] == (kind, port, protocol)
            and other[5] == mode
            and name in (None, other[0])
            and service in (None, other[4])
            and any(map(_is_login, uses))
        }
        for login in {use.auth_class for use in members if _is_login(use)}:
            own = [use for use in members if _is_login(use) and use.auth_class is login]
            if home := _home(own, alike, pools):
                pools[home] += own
                members = [use for use in members if use not in own]
        if alike and not any(map(_is_login, members)):
            pools[max(alike, key=alike.__getitem__)] += members
            members = []
        pools[ends] = members
        if not members:
            del pools[ends]


def _home(own: Sequence[Usage], alike: Mapping[_Ends, int], pools: _Pools) -> _Ends | None:
    """Where logins go whose service alone was not told: to their like, else to more than they are.

    Not to fewer that say otherwise: those may be of another service, and are not overturned by them.
    """
    first = own[0]
    if first.protocol != "http" or any(use.service or use.basis is not Basis.INFERRED for use in own):
        return None
    told = {ends: often for ends, often in alike.items() if ends[4] is not None}
    same = [ends for ends in told if any(use.auth_class is first.auth_class for use in pools[ends])]
    often = max(map(_often, own))
    homes = same or [ends for ends in told if told[ends] > often]
    return max(homes, key=told.__getitem__, default=None)


def _gathered(members: Sequence[Usage], contacts: Sequence[int]) -> list[Usage]:
    """The rows of one pool."""
    parts = list(_parts(members))
    logins = _ways(part for part in parts if _is_login(part.use))
    weak = [part for part in parts if not _is_login(part.use)]
    if logins:
        most = max(way.often for way in logins)
        frequent = [way for way in logins if not _is_odd(way.often, most)]
        lead = max(frequent, key=lambda way: way.weight)
        kept = [way for way in logins if way is lead or way.fact or _stands(way, lead)]
    else:
        ways, weak = _ways(weak), []
        lead = max(ways, key=lambda way: (way.often, -_UNTOLD.index(way.kind)))
        kept = [way for way in ways if way is lead or not _is_odd(way.often, lead.often)]
        logins = ways
    odd = [way for way in logins if way not in kept]
    constant = _constancy(members)
    found: list[tuple[int, Usage]] = []
    for way in kept:
        rows = _rows(way)
        against = odd if way is lead else []
        if way is lead:
            _attach(rows, [*weak, *(part for other in odd for part in other.parts)])
        last = max(part.use.last_seen for part in way.parts)
        signed_in = any(abs(last - at) <= TOKEN_NS for at in contacts)
        weights = way.weight - sum(other.weight for other in against)
        odds = together(weights, way.often + sum(other.often for other in against))
        sure = confidence(odds, way.kind, constant, signed_in)
        for row in rows:
            use = row.own[0].use
            inferred = use.basis is Basis.INFERRED and use.confidence > LEAST
            found.append((row.own[0].place, row.usage(sure if inferred else use.confidence)))
    return [use for _, use in sorted(found, key=itemgetter(0))]


def _parts(members: Iterable[Usage]) -> Iterator[_Part]:
    """Make one of usages that differ in counts alone: those of a host's other addresses."""
    found: dict[tuple[object, ...], list[Usage]] = {}
    for use in members:
        found.setdefault((*_ends(use), *_way(use)), []).append(use)
    for place, alike in enumerate(found.values()):
        whole = alike[0]
        if len(alike) > 1:
            span = min(use.first_seen for use in alike), max(use.last_seen for use in alike)
            whole = replace(whole, **_counts(alike), first_seen=span[0], last_seen=span[1])
        yield _Part(whole, max(map(_often, alike)), place)


def _ways(parts: Iterable[_Part]) -> list[_Way]:
    found: dict[AuthClass, list[_Part]] = {}
    for part in parts:
        found.setdefault(part.use.auth_class, []).append(part)
    return [_Way(sorted(parts, key=lambda part: -part.often)) for parts in found.values()]


def _stands(way: _Way, lead: _Way) -> bool:
    """Whether a class beside the weightiest is a way of its own: as frequent, sure in itself, as likely."""
    if way.often > lead.often or (way.often >= SEVERAL and way.sure >= SECOND_WAY):
        return True
    return way.often * MUCH > lead.often and way.sure > lead.sure / 2


def _is_odd(often: int, lead: int) -> bool:
    return often < SEVERAL and often * MUCH <= lead


def _rows(way: _Way) -> list[_Row]:
    """One a fact; and of what is inferred one for each version of TLS and outcome."""
    rows: list[_Row] = []
    outcomes: dict[Outcome | None, int] = {}
    for part in way.parts:
        outcomes[part.use.outcome] = outcomes.get(part.use.outcome, 0) + part.often
    most = max(outcomes.values())
    vague = {None, *(outcome for outcome, often in outcomes.items() if _is_odd(often, most))}
    for part in sorted(way.parts, key=lambda part: part.use.outcome in vague):
        use = part.use
        alike = [
            row
            for row in rows
            if not part.fact
            and row.own[0].use.basis is use.basis
            and row.takes(part)
            and (use.outcome in vague or row.own[0].use.outcome == use.outcome)
        ]
        if alike:
            max(alike, key=lambda row: row.often).own.append(part)
        else:
            rows.append(_Row(part))
    return rows


def _attach(rows: list[_Row], others: Iterable[_Part]) -> None:
    """Count what decides nothing with the rows of the way that leads.

    How old a session's TLS is was heard all the same, so one that no row speaks has a row of its own.
    """
    first = rows[0].own[0]
    for part in others:
        alike = [row for row in rows if row.takes(part)]
        if not alike:
            login = first.use
            use = replace(part.use, auth_class=login.auth_class, mechanism=login.mechanism, outcome=None)
            if login.confidence > LEAST:
                use = replace(use, basis=Basis.INFERRED, confidence=login.confidence)
            rows.append(_Row(_Part(use, part.often, part.place)))
        else:
            max(alike, key=lambda row: row.often).others.append(part)


def _constancy(members: Iterable[Usage]) -> bool | None:
    """Whether logins stay as long as they were; None: nobody knows, or the usages do not agree."""
    said = {constancy(use.logins_same, use.logins_changed) for use in members} - {None}
    return said.pop() if len(said) == 1 else None


def _is_login(use: Usage) -> bool:
    if use.auth_class is AuthClass.NONE:
        return use.server_port == MAIL_PORT
    return use.auth_class not in _UNTOLD or use.mechanism is not None


def _often(use: Usage) -> int:
    return next((count for count in reversed(TOLD_APART) if count <= use.sessions), TOLD_APART[0])


def _most(said: Iterable[tuple[Any, int]]) -> Any:
    """What was said most often, but None."""
    counts: dict[Any, int] = {}
    for what, often in said:
        if what is not None:
            counts[what] = counts.get(what, 0) + often
    return max(counts, key=counts.__getitem__, default=None)


def _counts(uses: Sequence[Usage]) -> dict[str, Any]:
    return {name: sum(getattr(use, name) for use in uses) for name in _SUMS}
