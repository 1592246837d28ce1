"""What becomes of each host, and all hosts as a list that is cheap until looked at.

Listing reads one row an endpoint; hosts that use the same services in the same ways share one verdict, and
a host with its labels and counts is read when somebody looks at it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Container, Iterator, Mapping, Sequence, Set
from contextlib import AbstractContextManager
from functools import cache
from operator import attrgetter
from typing import Any, NamedTuple, overload

from sqlalchemy import Connection, select

from db import bulk, rows, scans
from db.filters import KEYS_ASKED, HostFilter, Lens, Named, Passes, gathered, labels_of
from db.grouping import Group, WayKey, endpoint_rows, forwarding, groups
from db.schema import passages, shapes, usages
from scanner.labels import NAMES
from scanner.model import SEVERITY, Chain, Heard, Host, Level, Passage, ServerKind, Usage, Verdict

PAGE = 200
"""Hosts read at a time when they are looked at; with some addresses each their ids fit in one query."""
Ways = dict[int, tuple[int, dict[str, Any]]]
"""Ways to use a service by id: the key, which orders them the same on every machine, and the fields."""
Uses = dict[int, list[tuple[int, Usage]]]
"""Usages of endpoints, each with its way's key."""
Reads = Callable[[], AbstractContextManager[Connection]]
_WAYS = attrgetter("ways")


class _Found(NamedTuple):
    """A host before it is looked at."""

    group: Group
    verdict: Verdict
    behind: tuple[str, ...] = ()
    carries: tuple[str, ...] = ()


class _Thought(NamedTuple):
    """What is thought of a set of ways."""

    verdict: Verdict
    wanted: bool
    """Whether the filters let one of its usages pass."""


class Listing(Sequence[tuple[Host, Verdict]]):
    """Hosts with their verdicts, the worst first; each is read when it is looked at."""

    def __init__(self, found: list[_Found], reads: Reads, ways: Ways, lens: Lens) -> None:
        """Made by ``listing``."""
        self._found, self._reads, self._ways, self._lens = found, reads, ways, lens

    def __len__(self) -> int:
        """How many."""
        return len(self._found)

    @overload
    def __getitem__(self, at: int) -> tuple[Host, Verdict]: ...

    @overload
    def __getitem__(self, at: slice) -> Listing: ...

    def __getitem__(self, at: int | slice) -> tuple[Host, Verdict] | Listing:
        """Give one, or some as a listing."""
        if isinstance(at, slice):
            return Listing(self._found[at], self._reads, self._ways, self._lens)
        return self._read([self._found[at]])[0]

    def __iter__(self) -> Iterator[tuple[Host, Verdict]]:
        """Read them all, page by page."""
        for at in range(0, len(self._found), PAGE):
            yield from self._read(self._found[at : at + PAGE])

    @property
    def verdicts(self) -> list[Verdict]:
        """What becomes of each by its ways alone, without reading any."""
        return [found.verdict for found in self._found]

    @property
    def levels(self) -> list[Level]:
        """How bad each is, without reading any."""
        return [found.verdict.level for found in self._found]

    @property
    def endpoints(self) -> list[tuple[int, ...]]:
        """Where the inventory keeps each, whatever it is called, without reading any."""
        return [tuple(member.id for member in found.group.own) for found in self._found]

    def named(self, names: Container[str]) -> dict[str, Host]:
        """Give those that have these names in the inventory."""
        return {host.host: host for host, _ in self._read([o for o in self._found if o.group.name in names])}

    def _read(self, page: list[_Found]) -> list[tuple[Host, Verdict]]:
        with self._reads() as connection:
            return _looked_at(connection, page, self._ways, self._lens)


def listing(connection: Connection, reads: Reads, lens: Lens, filters: HostFilter) -> Listing:
    """Find the hosts that pass, and judge them."""
    ways = _ways(connection)
    judged = _Judged(lens, ways, filters, scans.offering_mail(connection))
    passes = Passes(connection, filters, lens)
    everyone = list(_found(connection, judged, lens))
    relays: set[str] = set()
    if filters.behind:
        named = Named(connection, filters.behind)
        relays = {one.group.name for one in everyone if one.carries and named(one.group)}
    found = [
        one
        for one in everyone
        if filters.verdict in (None, one.verdict.level)
        and (not filters.behind or not relays.isdisjoint(one.behind))
        and judged.wants(one.group)
        and passes(one.group)
    ]
    found.sort(key=lambda one: (-SEVERITY[one.verdict.level], one.group.name))
    return Listing(found, reads, ways, lens)


def host_of(connection: Connection, name: str, lens: Lens) -> tuple[Host, Verdict] | None:
    """The host of a MAC in any spelling, an address, or a name; the last seen of several."""
    ways = _ways(connection)
    found = list(_found(connection, _Judged(lens, ways, HostFilter()), lens))
    named = Named(connection, name)
    matching = [one for one in found if named(one.group)]
    looked_at = _looked_at(connection, matching, ways, lens)
    return max(looked_at, key=lambda pair: (bool(pair[0].usage), pair[0].last_seen), default=None)


def _found(connection: Connection, judged: _Judged, lens: Lens) -> Iterator[_Found]:
    """Judge all hosts, each for itself and for the relays that its mail passes."""
    hosts = list(groups(endpoint_rows(connection), forwarding(connection)))
    chains: Mapping[int, Chain] = {}
    if ways := bulk.read(connection, select(passages.c.client, passages.c.server, passages.c.protocol)):
        places = {member.id: at for at, host in enumerate(hosts) for member in host.own}
        through = [Passage(places[a], places[b], p) for a, b, p in ways if a in places and b in places]
        title = cache(lambda at: _title(connection, hosts[at]))
        chains = lens.chains(through, lambda at, p: judged.of(hosts[at], p), title)
    for at, host in enumerate(hosts):
        if chain := chains.get(at):
            behind, carries = ([hosts[one].name for one in some] for some in (chain.behind, chain.carries))
            yield _Found(host, chain.verdict, tuple(behind), tuple(carries))
        else:
            yield _Found(host, judged.of(host))


def _title(connection: Connection, host: Group) -> str:
    """What a host is called in a sentence: the name that was heard last, and its name in the inventory."""
    told = labels_of(connection, [member.id for member in host.own])
    names = [(one.last_seen, one.text) for one in gathered(host.own, told) if one.field in NAMES]
    return f"{max(names)[1]} ({host.name})" if names else host.name


def _ways(connection: Connection) -> Ways:
    found = connection.execute(select(shapes)).mappings()
    fields = ((row, {**rows.way(row), "client_version": row["client_version"]}) for row in found)
    return {row["id"]: (row["key"], way) for row, way in fields}


class _Judged:
    """Verdicts of hosts by the ways in which they use services; each set of ways is judged once."""

    def __init__(self, lens: Lens, ways: Ways, filters: HostFilter, offering: Set[int] = frozenset()) -> None:
        self._lens, self._ways, self._filters, self._offering = lens, ways, filters, offering
        self._mechanism = filters.mechanism.lower() if filters.mechanism else None
        self._asks_usage = filters.protocol is not None or filters.mechanism is not None
        self._used: dict[int, Usage] = {}
        self._order: dict[int, int] = {}
        self._known, self._set = cache(self._thought), cache(self._judged)

    def of(self, host: Group, protocol: str | None = None) -> Verdict:
        """What becomes of a host by its own ways, or by those of one protocol."""
        return self._known(_ways_of(host), protocol).verdict

    def wants(self, host: Group) -> bool:
        """Whether the filters let its ways pass."""
        if not self._asks_usage:
            shown = self._filters.silent or host.router or any(map(_WAYS, host.members))
            return shown or any(member.id in self._offering for member in host.members)
        return self._known(_ways_of(host), None).wanted

    def _thought(self, text: str, protocol: str | None) -> _Thought:
        return self._set(
            frozenset(key for key in _keys(text) if protocol in (None, self._usage(key).protocol))
        )

    def _judged(self, used: frozenset[int]) -> _Thought:
        ordered = sorted(used, key=lambda key: (self._order[key], key))
        pooled = self._lens.pool([self._usage(key) for key in ordered], None)
        verdict = self._lens.judge(Host("", (), None, None, (), False, 0, 0, pooled))
        return _Thought(verdict, any(map(self._wants, pooled)))

    def _usage(self, key: int) -> Usage:
        if key not in self._used:
            shape, sessions, same, changed = WayKey.of(key)
            self._order[key], way = self._ways[shape]
            self._used[key] = rows.counted(way, 0, 0, sessions, 0, same, changed)
        return self._used[key]

    def _wants(self, use: Usage) -> bool:
        protocol, mechanism = self._filters.protocol, (use.mechanism or "").lower()
        return protocol in (None, use.protocol) and self._mechanism in (None, mechanism)


def _ways_of(host: Group) -> str:
    if len(host.members) == 1:
        return host.members[0].ways
    return ",".join(member.ways for member in host.own if member.ways)


def _keys(text: str) -> Iterator[int]:
    return map(int, text.split(",")) if text else iter(())


def _looked_at(
    connection: Connection, page: list[_Found], ways: Ways, lens: Lens
) -> list[tuple[Host, Verdict]]:
    # who is behind a router may be on its page
    ids = list({member.id: None for one in page for member in one.group.members})
    uses, told = _usages(connection, ids, ways), labels_of(connection, ids)
    asked = scans.offers_of(connection, ids)
    return [_host(one, uses, told, asked, lens) for one in page]


def _host(
    one: _Found, uses: Uses, told: dict[int, list[Heard]], asked: scans.Offers, lens: Lens
) -> tuple[Host, Verdict]:
    group = one.group
    ordered = [use for member in group.members for use in uses.get(member.id, ())]
    ordered.sort(key=lambda use: (use[0], use[1].first_seen, use[1].last_seen))
    usage = [use for _, use in ordered]
    known = gathered(group.own, told)
    answers = [row for member in group.own for row in asked.get(member.id, ())]
    spans = [(each.first_seen, each.last_seen) for each in usage or known]
    spans = spans or [(at, at) for _, _, at, *_ in answers]
    vendor = lens.vendor(group.mac) if group.mac else None
    device = lens.identify(known, vendor)
    pooled = () if group.router else lens.pool(usage, device)
    host = Host(
        host=group.name,
        addresses=tuple(sorted({member.ip for member in group.own if member.ip})),
        mac=group.mac,
        vendor=vendor,
        labels=tuple(known),
        router=group.router,
        first_seen=min((first for first, _ in spans), default=0),
        last_seen=max((last for _, last in spans), default=0),
        usage=pooled,
        device=device,
        behind=one.behind,
        carries=one.carries,
        offers=scans.listening(answers),
        endpoints=tuple(member.id for member in group.members),
    )
    return host, _verdict(one, host, usage, lens)


def _verdict(one: _Found, host: Host, usage: list[Usage], lens: Lens) -> Verdict:
    """The verdict with what the device's kind adds to how sure it is.

    Only sign-in hosts make such a difference; one that stands among relays keeps what was said of them all.
    """
    alone = not (one.behind or one.carries or host.router)
    if not alone or all(use.server_kind is not ServerKind.SIGN_IN for use in host.usage):
        return one.verdict
    changed = lens.pool(usage, None) != host.usage
    return lens.judge(host) if changed else one.verdict


def _usages(connection: Connection, ids: list[int], ways: Ways) -> Uses:
    found: Uses = defaultdict(list)
    for at in range(0, len(ids), KEYS_ASKED):
        query = select(usages).where(usages.c.endpoint.in_(ids[at : at + KEYS_ASKED]))
        query = query.order_by(usages.c.endpoint, usages.c.shape)
        for endpoint, shape, *counts in bulk.read(connection, query):
            if shape in ways:
                order, way = ways[shape]
                found[endpoint].append((order, rows.counted(way, *counts)))
    return found
