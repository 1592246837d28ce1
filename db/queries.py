"""Read the inventory: which endpoints are one host, what it uses, and its sessions."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from db import rows
from db.schema import endpoints, names, runs, sessions, shapes, usages
from scanner.model import SEVERITY, Host, Level, Name, Observation, RunTotals, Usage, Verdict

ROUTER_ADDRESSES = 4
"""IPv4 addresses behind one MAC, more of which make it a router: a server has an address or two a service."""


@dataclass(frozen=True, slots=True)
class HostFilter:
    """Which hosts to list; None: any."""

    verdict: Level | None = None
    protocol: str | None = None
    mechanism: str | None = None
    vendor: str | None = None
    """Part of the vendor's name."""
    since: int | None = None
    """Seen at or after, ns."""
    where: str | None = None
    """An address prefix, or part of an address, MAC or name."""


@dataclass(frozen=True, slots=True)
class SessionFilter:
    """Which sessions to list; None: any."""

    host: Host | None = None
    protocol: str | None = None
    mechanism: str | None = None
    since: int | None = None
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """One run of listening."""

    id: int
    sensor: str
    sources: tuple[str, ...]
    began: int
    """ns"""
    ended: int | None
    """ns; None: not finished."""
    totals: RunTotals | None


class _Endpoint(NamedTuple):
    id: int
    mac: str | None
    ip: str
    first_seen: int
    last_seen: int


def runs_of(connection: Connection) -> list[Run]:
    """All runs, the newest first."""
    found = []
    for row in connection.execute(select(runs).order_by(runs.c.id.desc())).mappings():
        totals = json.loads(row["totals"]) if row["totals"] else None
        if totals:
            totals["unreadable"] = tuple(totals["unreadable"])
        sources = tuple(json.loads(row["sources"]))
        kept = RunTotals(**totals) if totals else None
        found.append(Run(row["id"], row["sensor"], sources, row["began"], row["ended"], kept))
    return found


def hosts_of(
    connection: Connection,
    judge: Callable[[Host], Verdict],
    filters: HostFilter,
    vendor: Callable[[str], str | None],
) -> list[tuple[Host, Verdict]]:
    """Hosts that pass, the worst first, then by name."""
    found = []
    for host in _hosts(connection, vendor):
        if _passes(host, filters):
            verdict = judge(host)
            if filters.verdict in (None, verdict.level):
                found.append((host, verdict))
    found.sort(key=lambda pair: (-SEVERITY[pair[1].level], pair[0].host))
    return found


def host_of(connection: Connection, name: str, vendor: Callable[[str], str | None]) -> Host | None:
    """The host of a MAC in any spelling, an address, or a name; the last seen of several."""
    asked = name.lower()
    mac = asked.replace("-", ":").replace(".", ":")
    with suppress(ValueError):
        asked = str(ip_address(asked))
    matching = [
        host
        for host in _hosts(connection, vendor)
        if asked in (host.host, *host.addresses)
        or (host.mac and host.mac == mac)
        or asked in (known.name.lower() for known in host.names)
    ]
    return max(matching, key=lambda host: (bool(host.usage), host.last_seen), default=None)


def sessions_of(connection: Connection, filters: SessionFilter) -> Iterator[Observation]:
    """Sessions that pass, the newest first."""
    query = select(sessions.c.record).join(shapes, shapes.c.id == sessions.c.shape)
    query = query.order_by(sessions.c.first_seen.desc(), sessions.c.id)
    if filters.host:
        wanted = select(endpoints.c.id).where(endpoints.c.ip.in_(filters.host.addresses))
        if filters.host.mac:
            wanted = wanted.where(endpoints.c.mac == filters.host.mac)
        query = query.where(sessions.c.endpoint.in_(wanted))
    if filters.protocol:
        query = query.where(shapes.c.protocol == filters.protocol)
    if filters.mechanism:
        query = query.where(shapes.c.mechanism == filters.mechanism)
    if filters.since is not None:
        query = query.where(sessions.c.first_seen >= filters.since)
    if filters.limit is not None:
        query = query.limit(filters.limit)
    for record in connection.execution_options(yield_per=1000).execute(query).scalars():
        yield rows.load(record)


def _hosts(connection: Connection, vendor: Callable[[str], str | None]) -> Iterator[Host]:
    columns = (endpoints.c.id, endpoints.c.mac, endpoints.c.ip, endpoints.c.first_seen, endpoints.c.last_seen)
    found = [_Endpoint(*row) for row in connection.execute(select(*columns).order_by(endpoints.c.id))]
    uses = _usages(connection)
    called = _names(connection)
    behind: dict[str, list[_Endpoint]] = defaultdict(list)
    for endpoint in found:
        behind[endpoint.mac or ""].append(endpoint)
    routers = {mac for mac, members in behind.items() if mac and _is_router(members)}
    groups: dict[str, list[_Endpoint]] = defaultdict(list)
    for endpoint in found:
        alone = not endpoint.mac or endpoint.mac in routers
        groups[endpoint.ip if alone else str(endpoint.mac)].append(endpoint)
    for name, members in groups.items():
        mac = members[0].mac if members[0].mac not in routers else None
        yield _host(name, mac, members, uses, called, vendor)
    for mac in sorted(routers):
        members = behind[mac]
        span = min(m.first_seen for m in members), max(m.last_seen for m in members)
        yield Host(mac, (), mac, vendor(mac), (), True, *span, ())


def _host(
    name: str,
    mac: str | None,
    members: list[_Endpoint],
    uses: dict[int, list[Usage]],
    called: dict[int, list[Name]],
    vendor: Callable[[str], str | None],
) -> Host:
    usage = [use for member in members for use in uses.get(member.id, ())]
    known = [name for member in members for name in called.get(member.id, ())]
    return Host(
        host=name,
        addresses=tuple(sorted({member.ip for member in members})),
        mac=mac,
        vendor=vendor(mac) if mac else None,
        names=tuple(dict.fromkeys(known)),
        router=False,
        first_seen=min(member.first_seen for member in members),
        last_seen=max(member.last_seen for member in members),
        usage=tuple(usage),
    )


def _usages(connection: Connection) -> dict[int, list[Usage]]:
    ways = {row["id"]: dict(row) for row in connection.execute(select(shapes)).mappings()}
    found: dict[int, list[Usage]] = defaultdict(list)
    query = select(
        usages.c.endpoint,
        usages.c.shape,
        usages.c.first_seen,
        usages.c.last_seen,
        usages.c.sessions,
        usages.c.mails,
    )
    for endpoint, shape, *counts in connection.execute(query.order_by(usages.c.endpoint, usages.c.shape)):
        found[endpoint].append(rows.usage(ways[shape], *counts))
    return found


def _names(connection: Connection) -> dict[int, list[Name]]:
    found: dict[int, list[Name]] = defaultdict(list)
    for endpoint, source, name in connection.execute(select(names.c.endpoint, names.c.source, names.c.name)):
        found[endpoint].append(Name(name, source))
    return found


def _is_router(members: list[_Endpoint]) -> bool:
    """Many IPv4 addresses, or IPv6 addresses of many networks: privacy addresses change within one."""
    old = {member.ip for member in members if ":" not in member.ip}
    networks = {ip_network(f"{member.ip}/64", strict=False) for member in members if ":" in member.ip}
    return len(old) > ROUTER_ADDRESSES or len(networks) > ROUTER_ADDRESSES


def _passes(host: Host, filters: HostFilter) -> bool:
    return all(
        (
            filters.protocol is None or any(use.protocol == filters.protocol for use in host.usage),
            filters.mechanism is None or any(use.mechanism == filters.mechanism for use in host.usage),
            filters.vendor is None or filters.vendor.lower() in (host.vendor or "").lower(),
            filters.since is None or host.last_seen >= filters.since,
            filters.where is None or _is_where(host, filters.where),
        )
    )


def _is_where(host: Host, where: str) -> bool:
    if "/" in where:
        try:
            network: Any = ip_network(where, strict=False)
        except ValueError:
            return False
        return any(ip_address(address) in network for address in host.addresses)
    texts = (host.host, host.mac or "", *host.addresses, *(known.name for known in host.names))
    return any(where.lower() in text.lower() for text in texts)
