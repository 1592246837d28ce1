"""Which endpoints are one host: by MAC, but not a router's, which names nobody behind it; else by address."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Set
from functools import partial
from ipaddress import ip_network
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, String, and_, case, cast, func, select

from db import bulk
from db.schema import endpoints, labels, usages
from scanner.labels import FORWARDS
from scanner.model import CHANGES, REPEATS, TOLD_APART

ROUTER_ADDRESSES = 4
"""IPv4 addresses behind one MAC, more of which make it a router: a server has an address or two a service."""


_KEYS = 16
"""Keys of ways a shape: four numbers of sessions, and three things that logins' lengths may say."""


class WayKey(NamedTuple):
    """What of a usage bears on a verdict: few hosts would share one if all numbers did."""

    shape: int
    sessions: int
    """The least of those that are not told apart (``TOLD_APART``); likewise the others (``REPEATS``)."""
    same: int
    changed: int

    @classmethod
    def of(cls, key: int) -> WayKey:
        """Read what ``endpoint_rows`` asked for."""
        lengths = key // 4 % 4
        return cls(key // _KEYS, TOLD_APART[key % 4], REPEATS * (lengths == 1), REPEATS * (lengths == 2))


def _key() -> ColumnElement[int]:
    """The shape and how often it was used, as one number; as ``scanner.pooling.constancy`` has it, in SQL."""
    count, same, changed = usages.c.sessions, usages.c.logins_same, usages.c.logins_changed
    steps = [(count < least, number) for number, least in enumerate(TOLD_APART[1:])]
    often = case(*steps, else_=len(TOLD_APART) - 1)
    lengths = case(
        (same + changed < REPEATS, 0),
        (and_(same >= REPEATS, same >= changed * CHANGES), 4),
        (and_(changed >= REPEATS, changed * 2 >= same), 8),
        else_=0,
    )
    return usages.c.shape * _KEYS + lengths + often


class EndpointRow(NamedTuple):
    """An endpoint and how it uses services."""

    id: int
    ip: str
    mac: str
    ways: str
    """Ids of shapes and how often they were used, as ``WayKey`` reads them, with commas; empty: it was heard
    of, and used none."""


_row = partial(tuple.__new__, EndpointRow)


class Group(NamedTuple):
    """One host."""

    name: str
    mac: str | None
    """If it is its own."""
    members: list[EndpointRow]
    router: bool
    """Then the members are what is behind it."""

    @property
    def own(self) -> list[EndpointRow]:
        """What is the host's: a router's are those without an address."""
        return [member for member in self.members if not member.ip] if self.router else self.members


def endpoint_rows(connection: Connection) -> list[EndpointRow]:
    """Read all endpoints with the ways in which they use services: what listing the inventory asks for.

    Two plain scans: a join of them takes SQLite twice as long.
    """
    used = func.aggregate_strings(cast(_key(), String), ",")
    ways: dict[int, str] = dict(
        bulk.read(connection, select(usages.c.endpoint, used).group_by(usages.c.endpoint))
    )
    found = bulk.read(connection, select(endpoints.c.id, endpoints.c.ip, endpoints.c.mac))
    return [_row((key, ip, mac, ways.get(key, ""))) for key, ip, mac in found]


def forwarding(connection: Connection) -> set[str]:
    """The MACs that were seen to carry packets of others."""
    query = select(endpoints.c.mac).join(labels, labels.c.endpoint == endpoints.c.id)
    return {mac for (mac,) in bulk.read(connection, query.where(labels.c.field == FORWARDS))}


def groups(found: list[EndpointRow], forwarding: Set[str] = frozenset()) -> Iterator[Group]:
    """Make hosts of endpoints; ``forwarding``: MACs that are routers', however few are behind them."""
    behind: dict[str, list[EndpointRow]] = defaultdict(list)
    for endpoint in found:
        behind[endpoint.mac].append(endpoint)
    many = {mac for mac, some in behind.items() if len(some) > ROUTER_ADDRESSES and _is_router(some)}
    routers = (many | (forwarding & behind.keys())) - {""}
    owners = _owners(behind, routers)
    alone: dict[str, list[EndpointRow]] = defaultdict(list)
    for mac in ("", *routers):
        for member in behind.get(mac, ()):
            if owner := owners.get(member.ip):
                behind[owner].append(member)
            elif member.ip:
                alone[member.ip].append(member)
    for mac, members in behind.items():
        if mac:
            yield Group(mac, mac, members, mac in routers)
    for ip, members in alone.items():
        yield Group(ip, None, members, False)


def _owners(behind: dict[str, list[EndpointRow]], routers: set[str]) -> dict[str, str]:
    """The MAC that an address was seen with on its own link or that DHCP gave it to, where there is but one.

    A mirror of two networks sees a packet on both sides of the router between them.
    """
    owners: dict[str, str] = {}
    several = set()
    for mac, members in behind.items():
        if mac and mac not in routers:
            for member in members:
                if member.ip and owners.setdefault(member.ip, mac) != mac:
                    several.add(member.ip)
    for ip in several:
        del owners[ip]
    return owners


def _is_router(members: list[EndpointRow]) -> bool:
    """Many IPv4 addresses, or IPv6 addresses of many networks: privacy addresses change within one."""
    old = {member.ip for member in members if ":" not in member.ip and member.ip}
    networks = {ip_network(f"{member.ip}/64", strict=False) for member in members if ":" in member.ip}
    return len(old) > ROUTER_ADDRESSES or len(networks) > ROUTER_ADDRESSES
