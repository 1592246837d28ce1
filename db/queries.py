"""Read runs and sessions."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, func, select

from db import bulk, rows
from db.schema import details, endpoints, hours, leases, runs, sessions, shapes
from scanner.model import LEASE, Host, Observation, Sighting
from scanner.totals import COUNTS, Hour, RunTotals

ROWS_A_READ = 1000
DETAILS_REMEMBERED = 10_000
"""Rows of ``details`` that a listing keeps at hand; past it they are read from their text again."""


@dataclass(frozen=True, slots=True)
class SessionFilter:
    """Which sessions to list; None: any."""

    host: Host | None = None
    protocol: str | None = None
    mechanism: str | None = None
    since: int | None = None
    """Begun at or after, ns."""
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
    alive: int | None = None
    """When ``totals`` were last written while it went on, ns; None: never."""


def runs_of(connection: Connection) -> list[Run]:
    """All runs of listening, the newest first."""
    found = []
    query = select(runs).where(runs.c.scan.is_(None)).order_by(runs.c.id.desc())
    for row in connection.execute(query).mappings():
        totals = json.loads(row["totals"]) if row["totals"] else None
        if totals:
            totals["unreadable"] = tuple(totals["unreadable"])
        sources = tuple(json.loads(row["sources"]))
        kept = RunTotals(**totals) if totals else None
        found.append(Run(row["id"], row["sensor"], sources, row["began"], row["ended"], kept, row["alive"]))
    return found


def hours_of(connection: Connection, since: int) -> list[Hour]:
    """What all runs heard and missed in each hour that began at or after a time (ns), in order."""
    sums = [func.sum(hours.c[name]) for name in COUNTS]
    query = select(hours.c.at, *sums).where(hours.c.at >= since).group_by(hours.c.at).order_by(hours.c.at)
    return [Hour(*map(int, row)) for row in bulk.read(connection, query)]


def leases_of(connection: Connection) -> list[Sighting]:
    """All leases, the oldest first."""
    query = select(endpoints.c.ip, endpoints.c.mac, leases.c.first_seen, leases.c.last_seen)
    query = query.join(leases, leases.c.endpoint == endpoints.c.id).order_by(leases.c.first_seen)
    return [
        Sighting(ip, mac, LEASE, "", first, last) for ip, mac, first, last in bulk.read(connection, query)
    ]


def addresses_of(connection: Connection) -> list[str]:
    """IPv6 addresses of all machines that were heard of."""
    query = select(endpoints.c.ip).where(endpoints.c.ip.contains(":")).distinct().order_by(endpoints.c.ip)
    return [ip for (ip,) in bulk.read(connection, query)]


def unfinished(found: list[Run]) -> list[Run]:
    """Runs that were killed or still go on, but those whose sources a later run has read to the end.

    What a sensor missed no later run has.
    """
    done: set[str] = set()
    left = []
    for run in found:
        if run.ended is not None:
            done.update(run.sources)
        elif run.alive is not None or not done.issuperset(run.sources) or not run.sources:
            left.append(run)
    return left


def sessions_of(connection: Connection, filters: SessionFilter) -> Iterator[Observation]:
    """Sessions that pass, the newest first."""
    for _, seen in _read(connection, _filtered(_whole(), filters), _ways(connection)):
        yield seen


def sessions_with(
    connection: Connection, pages: Iterable[Sequence[int]]
) -> Iterator[tuple[int, Observation]]:
    """Sessions of these ids, page by page the newest first, each with its endpoint's id."""
    ways = _ways(connection)
    for page in pages:
        query = _whole().where(sessions.c.id.in_(page)).order_by(sessions.c.first_seen.desc())
        yield from _read(connection, query, ways)


def _ways(connection: Connection) -> dict[int, dict[str, Any]]:
    return {row["id"]: rows.way(row) for row in connection.execute(select(shapes)).mappings()}


def _whole() -> Select[Any]:
    own = [sessions.c[name] for name in rows.SESSION_FIELDS]
    ends = endpoints.c.id, endpoints.c.ip, endpoints.c.mac
    query = select(details.c.shape, details.c.id, details.c.record, *ends, *own).select_from(sessions)
    query = query.join(details, details.c.id == sessions.c.detail)
    return query.join(endpoints, endpoints.c.id == sessions.c.endpoint)


def _read(
    connection: Connection, query: Select[Any], ways: dict[int, dict[str, Any]]
) -> Iterator[tuple[int, Observation]]:
    known: dict[int, dict[str, Any]] = {}
    found = connection.execution_options(yield_per=ROWS_A_READ).execute(query)
    for shape, key, record, endpoint, ip, mac, *values in map(tuple, found):
        if key not in known:
            if len(known) >= DETAILS_REMEMBERED:
                known.clear()
            known[key] = rows.load(record)
        yield endpoint, rows.observation(ways[shape], known[key], ip, mac, tuple(values))


def _filtered(query: Select[Any], filters: SessionFilter) -> Select[Any]:
    newest = sessions.c.first_seen.desc(), sessions.c.flow.desc()
    if filters.host:
        router, its = filters.host.router, filters.host.endpoints
        behind = select(endpoints.c.id).where(endpoints.c.mac == filters.host.mac)
        query = query.where(sessions.c.endpoint.in_(behind if router else its))
        newest = (
            (sessions.c.first_seen + 0).desc(),
            newest[1],
        )  # one host's few are sorted sooner than all walked
    query = query.order_by(*newest)
    if filters.protocol:
        query = query.where(shapes.c.protocol == filters.protocol)
    if filters.mechanism:
        query = query.where(func.lower(shapes.c.mechanism) == filters.mechanism.lower())
    if filters.protocol or filters.mechanism:
        query = query.join(shapes, shapes.c.id == details.c.shape)
    if filters.since is not None:
        query = query.where(sessions.c.first_seen >= filters.since)
    return query if filters.limit is None else query.limit(filters.limit)
