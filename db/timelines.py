"""Read how hosts use services over time: sessions of each day, and the last session of each way."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from sqlalchemy import Connection, func, select

from db import bulk, queries
from db.filters import KEYS_ASKED
from db.schema import details, sessions, shapes
from scanner.model import Observation

DAY_NS = 86_400_000_000_000


def days_of(connection: Connection) -> list[tuple[int, str, int]]:
    """Days in UTC (of 1970 on), what logins rested on, and how many sessions there were; in order."""
    day = (sessions.c.first_seen // DAY_NS).label("day")
    query = select(day, shapes.c.auth_class, func.count()).select_from(sessions)
    query = query.join(details, details.c.id == sessions.c.detail)
    query = query.join(shapes, shapes.c.id == details.c.shape)
    query = query.group_by(day, shapes.c.auth_class).order_by(day, shapes.c.auth_class)
    return [(int(day), kind, count) for day, kind, count in bulk.read(connection, query)]


def latest_of(connection: Connection, each: int) -> Iterator[tuple[int, Observation]]:
    """Of each endpoint a session of so many of its ways, the newest first, each with the endpoint's id."""
    newest = func.max(sessions.c.id).label("newest")
    query = select(sessions.c.endpoint, newest).group_by(sessions.c.endpoint, sessions.c.detail)
    wanted: dict[int, list[int]] = defaultdict(list)
    for endpoint, key in bulk.read(connection, query.order_by(newest.desc())):
        if len(wanted[endpoint]) < each:
            wanted[endpoint].append(key)
    keys = sorted((key for some in wanted.values() for key in some), reverse=True)
    pages = (keys[at : at + KEYS_ASKED] for at in range(0, len(keys), KEYS_ASKED))
    yield from queries.sessions_with(connection, pages)
