"""Scans: how far they are, and what the ports that they asked answered."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from operator import attrgetter
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, and_, exists, func, select, update

from db import bulk
from db.prepare import of_sighting
from db.schema import endpoints, labels, leases, runs, services, usages
from scanner.events import TlsMode
from scanner.model import Sighting
from scanner.services import (
    Answered,
    NtlmNames,
    Relaying,
    Scan,
    ScanPlan,
    ScanTotals,
    Service,
    ServicePath,
    ShownCertificate,
    TlsAccepted,
)

KEYS_ASKED = 500
"""Ids in one query: SQLite before 3.32 takes 999 parameters."""
LENT_NS = 8 * 86_400_000_000_000
"""For so long an address is taken to be still its last MAC's: Windows' DHCP lends for eight days."""
MAIL = frozenset({"smtp", "imap", "pop3"})
_NOBODY = (Answered.REFUSED, Answered.FILTERED)
_COLUMNS = ("host", "port", "outcome", "at")
_PLAIN = {field.name: field.default for field in fields(Service) if field.name not in _COLUMNS}
_values = attrgetter(*_PLAIN)
_newer = services.alias()


def _fields(of: Any) -> dict[str, Any]:
    return {name: getattr(of, name) for name in of.__slots__}


_encode = json.JSONEncoder(separators=(",", ":"), default=_fields).encode

Offers = Mapping[int, list[tuple[Any, ...]]]
"""Address, port, time, outcome and record of services, by endpoint."""

Told = tuple[str, str, str, str, int, int]
"""Address and MAC, field, text, from when to when."""


class Asked(NamedTuple):
    """A row of ``services`` before its endpoint has an id."""

    ip: str
    mac: str
    port: int
    at: int
    outcome: str
    mail: bool
    record: str


def prepared(
    connection: Connection, asked: Sequence[tuple[Service, str | None]], sighted: Sequence[Sighting]
) -> tuple[list[Asked], list[Told]]:
    """Make rows of services and of what was told; a MAC that is not known is looked up."""
    cards = {one.ip: one.mac for one in sighted if one.mac}
    cards |= {service.host: mac for service, mac in asked if mac}
    last = {one.ip: one.last_seen for one in sighted if one.ip}
    last |= {service.host: service.at for service, _ in asked}
    unknown = [ip for ip in last if ip not in cards]
    if unknown:
        cards |= owners(connection, unknown, max(last.values()))
    found = [_asked(service, mac or cards.get(service.host, "")) for service, mac in asked]
    return found, [of_sighting(one._replace(mac=one.mac or cards.get(one.ip, ""))) for one in sighted]


def _asked(service: Service, mac: str) -> Asked:
    mail = service.protocol in MAIL or service.service is not None
    values = zip(_PLAIN.items(), _values(service), strict=True)
    text = _encode({name: value for (name, default), value in values if value != default})
    answered = service.outcome is Answered.ANSWERED
    return Asked(service.host, mac, service.port, service.at, service.outcome.value, answered and mail, text)


def unpacked(ip: str, port: int, at: int, outcome: str, record: str) -> Service:
    """Read a service; fields that its writer did not know have their defaults."""
    found = {name: value for name, value in json.loads(record).items() if name in _PLAIN}
    for name, make in _MADE.items():
        if name in found:
            found[name] = make(found[name])
    return Service(ip, port, Answered(outcome), at, **found)


def _made(kind: Any, packed: Mapping[str, Any]) -> Any:
    values = {name: value for name, value in packed.items() if name in kind.__slots__}
    return kind(**{name: tuple(v) if isinstance(v, list) else v for name, v in values.items()})


_MADE: dict[str, Any] = {
    "tls_mode": TlsMode,
    "relaying": Relaying,
    "offered": tuple,
    "offered_tls": tuple,
    "tls": lambda packed: _made(TlsAccepted, packed),
    "certificate": lambda packed: _made(ShownCertificate, packed),
    "ntlm": lambda packed: _made(NtlmNames, packed),
    "paths": lambda packed: tuple(_made(ServicePath, path) for path in packed),
}


def begun(plan: ScanPlan) -> dict[str, Any]:
    """What the row of a run has of a scan that begins."""
    return {"sources": json.dumps(plan.targets), "scan": _written(plan, 0, ScanTotals())}


def note(connection: Connection, run: int, done: int | None, totals: ScanTotals, **at: int) -> None:
    """Write how far a scan is (None: to the end), and what it came to."""
    text = connection.execute(select(runs.c.scan).where(runs.c.id == run)).scalar_one()
    plan = _plan(json.loads(text)["plan"])
    written = _written(plan, plan.addresses if done is None else done, totals)
    connection.execute(update(runs).where(runs.c.id == run).values(scan=written, **at))


def _written(plan: ScanPlan, done: int, totals: ScanTotals) -> str:
    return _encode({"plan": plan, "done": done, "totals": totals})


def _plan(packed: Mapping[str, Any]) -> ScanPlan:
    options = tuple((name, value) for name, value in packed["options"])
    plan: ScanPlan = _made(ScanPlan, {**packed, "options": options})
    return plan


def scans_of(connection: Connection) -> list[Scan]:
    """All scans, the newest first."""
    found = []
    query = select(runs).where(runs.c.scan.is_not(None)).order_by(runs.c.id.desc())
    for row in connection.execute(query).mappings():
        scan = json.loads(row["scan"])
        totals: ScanTotals = _made(ScanTotals, scan["totals"])
        counts = {Answered(outcome): count for outcome, count in totals.outcomes.items()}
        totals = ScanTotals(**{**_fields(totals), "outcomes": counts})
        plan, ended, alive = _plan(scan["plan"]), row["ended"], row["alive"]
        came = row["began"], ended, alive, scan["done"], totals, bool(row["forgotten"])
        found.append(Scan(row["id"], row["sensor"], plan, *came))
    return found


def unfinished(found: Iterable[Scan]) -> Iterator[Scan]:
    """Of scans, the newest first, the last of each scope that did not end."""
    seen = set()
    for scan in found:
        if scan.plan.scope not in seen and scan.ended is None:
            yield scan
        seen.add(scan.plan.scope)


def services_of(connection: Connection, run: int) -> Iterator[Service]:
    """What a scan found, in the order of addresses as they were first seen, and ports."""
    columns = endpoints.c.ip, services.c.port, services.c.at, services.c.outcome, services.c.record
    query = select(*columns).join(endpoints, endpoints.c.id == services.c.endpoint)
    query = query.where(services.c.run == run).order_by(services.c.endpoint, services.c.port)
    for row in bulk.read(connection, query):
        yield unpacked(*row)


def places_asked(connection: Connection, run: int) -> set[tuple[str, int]]:
    """Which ports of which addresses a scan has asked."""
    query = select(endpoints.c.ip, services.c.port).join(endpoints, endpoints.c.id == services.c.endpoint)
    return {(ip, port) for ip, port in bulk.read(connection, query.where(services.c.run == run))}


def superseded() -> ColumnElement[bool]:
    """Whether a row of ``services`` is not the last that is known of its port: no answer says nothing."""
    same = and_(
        _newer.c.endpoint == services.c.endpoint,
        _newer.c.port == services.c.port,
        _newer.c.run > services.c.run,
        _newer.c.outcome != Answered.FILTERED.value,
    )
    return exists(select(_newer.c.run).where(same))


def offering_mail(connection: Connection) -> set[int]:
    """Endpoints that serve mail, or one of Exchange's paths, as they were last asked."""
    query = select(services.c.endpoint).where(services.c.mail.is_(True), ~superseded()).distinct()
    return set(connection.execute(query).scalars())


def offers_of(connection: Connection, ids: Sequence[int]) -> Offers:
    """What endpoints answered when they last did."""
    found: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
    own = services.c.port, services.c.at, services.c.outcome, services.c.record
    query = select(services.c.endpoint, endpoints.c.ip, *own)
    query = query.join(endpoints, endpoints.c.id == services.c.endpoint)
    query = query.where(services.c.outcome != Answered.FILTERED.value, ~superseded())
    for at in range(0, len(ids), KEYS_ASKED):
        step = query.where(services.c.endpoint.in_(ids[at : at + KEYS_ASKED]))
        for endpoint, *row in bulk.read(connection, step):
            found[endpoint].append(tuple(row))
    return found


def listening(some: Iterable[tuple[Any, ...]]) -> tuple[Service, ...]:
    """Of rows of a host's endpoints what listens there, each port of an address once, in their order."""
    last: dict[tuple[int, str], tuple[Any, ...]] = {}
    for row in some:
        ip, port, at, *_ = row
        if (port, ip) not in last or last[port, ip][2] < at:
            last[port, ip] = row
    return tuple(unpacked(*last[key]) for key in sorted(last) if last[key][3] not in _NOBODY)


def owners(connection: Connection, ips: Sequence[str], at: int) -> dict[str, str]:
    """The MAC that each address was last seen with, if it may still have it at a time (ns)."""
    known: dict[int, tuple[str, str]] = {}
    query = select(endpoints.c.id, endpoints.c.ip, endpoints.c.mac).where(endpoints.c.mac != "")
    for some in _steps(ips):
        for key, ip, mac in bulk.read(connection, query.where(endpoints.c.ip.in_(some))):
            known[key] = ip, mac
    last: dict[str, tuple[int, str]] = {}
    for table in (usages, labels, leases):
        seen = select(table.c.endpoint, func.max(table.c.last_seen)).group_by(table.c.endpoint)
        for ids in _steps(list(known)):
            for key, until in bulk.read(connection, seen.where(table.c.endpoint.in_(ids))):
                ip, mac = known[key]
                if until >= at - LENT_NS:
                    last[ip] = max(last.get(ip, (0, "")), (until, mac))
    return {ip: mac for ip, (_, mac) in last.items()}


def _steps(keys: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (keys[at : at + KEYS_ASKED] for at in range(0, len(keys), KEYS_ASKED))
