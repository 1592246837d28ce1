"""Which endpoints are one host, what becomes of it, and all hosts as a list that is cheap until looked at.

Listing reads one row an endpoint; hosts that use the same services in the same ways share one verdict, and
a host with its names and counts is read when somebody looks at it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Any, NamedTuple, overload

from sqlalchemy import Connection, String, cast, func, select

from db import bulk, rows
from db.schema import endpoints, names, shapes, usages
from scanner.model import SEVERITY, Host, Level, Name, Usage, Verdict

ROUTER_ADDRESSES = 4
"""IPv4 addresses behind one MAC, more of which make it a router: a server has an address or two a service."""
PAGE = 200
"""Hosts read at a time when they are looked at; with some addresses each their ids fit in one query."""
KEYS_ASKED = 500
"""Ids in one query: SQLite before 3.32 takes 999 parameters."""

Judge = Callable[[Host], Verdict]
Vendor = Callable[[str], str | None]
Ways = dict[int, tuple[int, dict[str, Any]]]
"""Ways to use a service by id: the key, which orders them the same on every machine, and the fields."""
Uses = dict[int, list[tuple[int, Usage]]]
"""Usages of endpoints, each with its way's key."""
Reads = Callable[[], AbstractContextManager[Connection]]


@dataclass(frozen=True, slots=True)
class HostFilter:
    """Which hosts to list; None: any."""

    verdict: Level | None = None
    protocol: str | None = None
    mechanism: str | None = None
    """In any spelling; with ``protocol`` too, one usage must have both."""
    vendor: str | None = None
    """Part of the vendor's name."""
    since: int | None = None
    """Seen at or after, ns."""
    where: str | None = None
    """An address prefix, or part of an address, MAC or name."""


class _Endpoint(NamedTuple):
    id: int
    ip: str
    mac: str
    ways: str
    """Ids of shapes, with commas."""


class _Found(NamedTuple):
    """A host before it is looked at."""

    name: str
    mac: str | None
    members: list[_Endpoint]
    router: bool
    verdict: Verdict


class Listing(Sequence[tuple[Host, Verdict]]):
    """Hosts with their verdicts, the worst first; each is read when it is looked at."""

    def __init__(self, found: list[_Found], reads: Reads, ways: Ways, vendor: Vendor) -> None:
        """Made by ``listing``."""
        self._found, self._reads, self._ways, self._vendor = found, reads, ways, vendor

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
            return Listing(self._found[at], self._reads, self._ways, self._vendor)
        return self._read([self._found[at]])[0]

    def __iter__(self) -> Iterator[tuple[Host, Verdict]]:
        """Read them all, page by page."""
        for at in range(0, len(self._found), PAGE):
            yield from self._read(self._found[at : at + PAGE])

    @property
    def levels(self) -> list[Level]:
        """How bad each is, without reading any."""
        return [found.verdict.level for found in self._found]

    def _read(self, page: list[_Found]) -> list[tuple[Host, Verdict]]:
        ids = [member.id for found in page for member in found.members]
        with self._reads() as connection:
            uses, called = _usages(connection, ids, self._ways), _names(connection, ids)
        return [(_host(found, uses, called, self._vendor), found.verdict) for found in page]


def listing(
    connection: Connection, reads: Reads, judge: Judge, filters: HostFilter, vendor: Vendor
) -> Listing:
    """Find the hosts that pass, and judge them."""
    ways = _ways(connection)
    judged = _Judged(judge, ways, filters)
    passes = _Passes(connection, filters, vendor)
    found = []
    for name, mac, members, router in _groups(endpoint_rows(connection)):
        verdict = judged.of(members if not router else ())
        if verdict is not None and passes(name, mac, members, router):
            found.append(_Found(name, mac, members, router, verdict))
    found.sort(key=lambda one: (-SEVERITY[one.verdict.level], one.name))
    return Listing(found, reads, ways, vendor)


def host_of(connection: Connection, name: str, vendor: Vendor) -> Host | None:
    """The host of a MAC in any spelling, an address, or a name; the last seen of several."""
    asked = name.lower()
    mac = asked.replace("-", ":").replace(".", ":")
    with suppress(ValueError):
        asked = str(ip_address(asked))
    query = select(names.c.endpoint, names.c.name)
    called = {key for key, text in bulk.read(connection, query) if text.lower() == asked}
    ways = _ways(connection)
    matching = []
    for key, own, members, router in _groups(endpoint_rows(connection)):
        hit = asked == key or mac in (own, key)
        if hit or (not router and any(m.ip == asked or m.id in called for m in members)):
            found = _Found(key, own, members, router, Verdict(Level.UNKNOWN, None, ()))
            ids = [member.id for member in members]
            uses, known = _usages(connection, ids, ways), _names(connection, ids)
            matching.append(_host(found, uses, known, vendor))
    return max(matching, key=lambda host: (bool(host.usage), host.last_seen), default=None)


def endpoint_rows(connection: Connection) -> list[_Endpoint]:
    """Read all endpoints with the ways in which they use services: what listing the inventory asks for.

    Two plain scans: a join of them takes SQLite twice as long.
    """
    used = func.aggregate_strings(cast(usages.c.shape, String), ",")
    ways: dict[int, str] = dict(
        bulk.read(connection, select(usages.c.endpoint, used).group_by(usages.c.endpoint))
    )
    found = bulk.read(connection, select(endpoints.c.id, endpoints.c.ip, endpoints.c.mac))
    return [_Endpoint(key, ip, mac, ways[key]) for key, ip, mac in found if key in ways]


def _ways(connection: Connection) -> Ways:
    found = connection.execute(select(shapes)).mappings()
    fields = ((row, {**rows.way(row), "client_version": row["client_version"]}) for row in found)
    return {row["id"]: (row["key"], way) for row, way in fields}


def _groups(found: list[_Endpoint]) -> Iterator[tuple[str, str | None, list[_Endpoint], bool]]:
    """Hosts as name, MAC if it is theirs, members, and whether it is a router (whose members are not it)."""
    behind: dict[str, list[_Endpoint]] = defaultdict(list)
    for endpoint in found:
        behind[endpoint.mac].append(endpoint)
    alone: dict[str, list[_Endpoint]] = defaultdict(list)
    for mac, members in behind.items():
        if not mac or _is_router(members):
            for member in members:
                alone[member.ip].append(member)
            if mac:
                yield mac, mac, members, True
        else:
            yield mac, mac, members, False
    for ip, members in alone.items():
        yield ip, None, members, False


def _is_router(members: list[_Endpoint]) -> bool:
    """Many IPv4 addresses, or IPv6 addresses of many networks: privacy addresses change within one."""
    if len(members) <= ROUTER_ADDRESSES:
        return False
    old = {member.ip for member in members if ":" not in member.ip}
    networks = {ip_network(f"{member.ip}/64", strict=False) for member in members if ":" in member.ip}
    return len(old) > ROUTER_ADDRESSES or len(networks) > ROUTER_ADDRESSES


class _Judged:
    """Verdicts of hosts by the ways in which they use services; each set of ways is judged once."""

    def __init__(self, judge: Judge, ways: Ways, filters: HostFilter) -> None:
        self._judge = judge
        self._usages = {key: rows.counted(way, 0, 0, 0, 0) for key, (_, way) in ways.items()}
        self._order = {key: order for key, (order, _) in ways.items()}
        self._filters = filters
        mechanism = filters.mechanism.lower() if filters.mechanism else None
        self._wanted = {
            key
            for key, use in self._usages.items()
            if filters.protocol in (None, use.protocol) and mechanism in (None, (use.mechanism or "").lower())
        }
        self._asks_usage = filters.protocol is not None or filters.mechanism is not None
        self._texts: dict[str, Verdict | None] = {}
        self._sets: dict[frozenset[int], Verdict | None] = {}

    def of(self, members: Sequence[_Endpoint]) -> Verdict | None:
        """The verdict of a host; None: the filters do not let it pass."""
        text = members[0].ways if len(members) == 1 else ",".join(m.ways for m in members)
        if text not in self._texts:
            used = frozenset(map(int, text.split(","))) if text else frozenset()
            if used not in self._sets:
                self._sets[used] = self._of(used)
            self._texts[text] = self._sets[used]
        return self._texts[text]

    def _of(self, used: frozenset[int]) -> Verdict | None:
        if self._asks_usage and not used & self._wanted:
            return None
        usage = tuple(self._usages[key] for key in sorted(used, key=self._order.__getitem__))
        verdict = self._judge(Host("", (), None, None, (), False, 0, 0, usage))
        return verdict if self._filters.verdict in (None, verdict.level) else None


class _Passes:
    """Whether a host passes the filters that go by more than its ways."""

    def __init__(self, connection: Connection, filters: HostFilter, vendor: Vendor) -> None:
        self._filters, self._vendor = filters, vendor
        self._called = _names(connection, None) if filters.where else {}
        self._recent: set[int] | None = None
        if filters.since is not None:
            recent = select(usages.c.endpoint).where(usages.c.last_seen >= filters.since)
            self._recent = set(connection.execute(recent).scalars())
        self._where = filters.where.lower() if filters.where else ""
        self._network: Any = None
        if "/" in self._where:
            with suppress(ValueError):
                self._network = ip_network(self._where, strict=False)

    def __call__(self, name: str, mac: str | None, members: list[_Endpoint], router: bool) -> bool:
        maker, recent = self._filters.vendor, self._recent
        if recent is not None and not any(member.id in recent for member in members):
            return False
        if maker is not None and maker.lower() not in ((self._vendor(mac) if mac else None) or "").lower():
            return False
        return not self._where or self._is_where(name, mac, () if router else members)

    def _is_where(self, name: str, mac: str | None, members: Iterable[_Endpoint]) -> bool:
        if "/" in self._where:
            return self._network is not None and any(ip_address(one.ip) in self._network for one in members)
        called = (known.name for member in members for known in self._called.get(member.id, ()))
        texts = (name, mac or "", *(member.ip for member in members), *called)
        return any(self._where in text.lower() for text in texts)


def _host(found: _Found, uses: Uses, called: dict[int, list[Name]], vendor: Vendor) -> Host:
    members = () if found.router else found.members
    known = [name for member in members for name in called.get(member.id, ())]
    ordered = [use for member in found.members for use in uses.get(member.id, ())]
    ordered.sort(key=lambda use: (use[0], use[1].first_seen, use[1].last_seen))
    usage = [use for _, use in ordered]
    return Host(
        host=found.name,
        addresses=tuple(sorted({member.ip for member in members})),
        mac=found.mac,
        vendor=vendor(found.mac) if found.mac else None,
        names=tuple(sorted(set(known), key=lambda name: (name.source, name.name))),
        router=found.router,
        first_seen=min((use.first_seen for use in usage), default=0),
        last_seen=max((use.last_seen for use in usage), default=0),
        usage=() if found.router else tuple(usage),
    )


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


def _names(connection: Connection, ids: list[int] | None) -> dict[int, list[Name]]:
    found: dict[int, list[Name]] = defaultdict(list)
    query = select(names.c.endpoint, names.c.source, names.c.name)
    query = query.order_by(names.c.endpoint, names.c.source, names.c.name)
    steps = [query] if ids is None else [
        query.where(names.c.endpoint.in_(ids[at : at + KEYS_ASKED])) for at in range(0, len(ids), KEYS_ASKED)
    ]  # fmt: skip
    for step in steps:
        for endpoint, source, name in bulk.read(connection, step):
            found[endpoint].append(Name(name, source))
    return found
