"""Drop sessions of long ago, and count none of them again; and what old scans found and newer ones did, too.

What they add up to (``usages``) stays for ever. When a run's sessions are dropped, the run keeps from when to
when they had begun. A session of such a time is taken for one that was counted before if its usage was known
then: it began within the usage's span. So reading an old file again changes no usage; the price is that a
session of such a time that really was never read is not counted, though its usage still is known.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from sqlalchemy import Connection, delete, func, or_, select, update

from db.scans import superseded
from db.schema import details, runs, services, sessions, sign_ins, usages
from scanner.services import Answered

ROWS_DROPPED = 20_000
"""Sessions looked at in one transaction: some 50 ms, so that another writer hardly waits."""
HOSTS_DROPPED = 200
"""Endpoints whose services are looked at in one transaction: with sixteen ports each some 70 ms a scan."""
USAGES_ASKED = 500
"""Endpoints in one query: SQLite before 3.32 takes 999 parameters."""


class Counted:
    """Which sessions of a batch belong to a time that was forgotten, and were counted then."""

    def __init__(self, connection: Connection, used: Sequence[tuple[Any, ...]]) -> None:
        """Look at a batch of rows of ``sessions`` that are about to be counted."""
        first, last = min(row[0] for row in used), max(row[0] for row in used)
        asked = select(runs.c.forgotten_from, runs.c.forgotten_to)
        asked = asked.where(runs.c.forgotten_to >= first, runs.c.forgotten_from <= last)
        self.spans: list[tuple[int, int]] = [(begin, end) for begin, end in connection.execute(asked)]
        """Times of the batch that were forgotten; mostly none."""
        self._known: dict[tuple[int, int], tuple[int, int]] = {}
        places = sorted({row[3] for row in used}) if self.spans else []
        for at in range(0, len(places), USAGES_ASKED):
            some = select(usages.c.endpoint, usages.c.shape, usages.c.first_seen, usages.c.last_seen)
            some = some.where(usages.c.endpoint.in_(places[at : at + USAGES_ASKED]))
            for place, shape, begin, end in connection.execute(some):
                self._known[place, shape] = begin, end

    def is_new(self, endpoint: int, shape: int, first_seen: int) -> bool:
        """Whether a session that began then is to be counted."""
        if not self.spans or not any(begin <= first_seen <= end for begin, end in self.spans):
            return True
        begin, end = self._known.get((endpoint, shape), (0, -1))
        return not begin <= first_seen <= end


class Writes(Protocol):
    """Opens a transaction that writes."""

    def __call__(self) -> AbstractContextManager[Connection]:
        """Commits on leaving."""
        ...


def forget(writes: Writes, before: int) -> Iterator[int]:
    """Drop the sessions of runs that began before a time (ns), so many a transaction; each tells how many.

    Sign-ins of before then go, too. Killed in between it goes on the next time: the span of a run is noted
    before its first session goes.
    """
    with writes() as connection:
        connection.execute(delete(sign_ins).where(sign_ins.c.at < before))
    yield from _drop_services(writes, before)
    with writes() as connection:
        old = _note_spans(connection, before)
    if not old:
        return
    yield from _drop(writes, old)
    with writes() as connection:
        connection.execute(delete(details).where(details.c.id.not_in(select(sessions.c.detail))))
        done = update(runs).where(runs.c.id.in_(old), runs.c.ended.is_not(None))
        connection.execute(done.values(forgotten=True))


def _note_spans(connection: Connection, before: int) -> list[int]:
    """Ids of the runs that may still have sessions to drop; what was noted of them before is only widened."""
    asked = select(runs.c.id, runs.c.forgotten_from, runs.c.forgotten_to)
    asked = asked.where(runs.c.began < before, runs.c.forgotten.is_(False), runs.c.scan.is_(None))
    old = {run: [at for at in span if at is not None] for run, *span in connection.execute(asked)}
    found = select(sessions.c.run, func.min(sessions.c.first_seen), func.max(sessions.c.first_seen))
    found = found.where(sessions.c.run.in_(old)).group_by(sessions.c.run)
    for run, *span in connection.execute(found).all() if old else ():
        times = {"forgotten_from": min(*span, *old[run]), "forgotten_to": max(*span, *old[run])}
        connection.execute(update(runs).where(runs.c.id == run).values(times))
    return list(old)


def _drop(writes: Writes, old: list[int]) -> Iterator[int]:
    with writes() as connection:
        ids = func.min(sessions.c.id), func.max(sessions.c.id)
        first, last = connection.execute(select(*ids).where(sessions.c.run.in_(old))).one()
    for at in range(first or 0, (last or -1) + 1, ROWS_DROPPED):
        with writes() as connection:
            window = sessions.c.id.between(at, at + ROWS_DROPPED - 1)
            dropped = connection.execute(delete(sessions).where(window, sessions.c.run.in_(old))).rowcount
        yield dropped


def _drop_services(writes: Writes, before: int) -> Iterator[int]:
    """Drop what scans that began before a time found, but the last that is known of each port."""
    old = services.c.run.in_(select(runs.c.id).where(runs.c.began < before, runs.c.scan.is_not(None)))
    with writes() as connection:
        ids = func.min(services.c.endpoint), func.max(services.c.endpoint)
        first, last = connection.execute(select(*ids).where(old)).one()
    for at in range(first or 0, (last or -1) + 1, HOSTS_DROPPED):
        with writes() as connection:
            window = services.c.endpoint.between(at, at + HOSTS_DROPPED - 1)
            lacking = select(services.c.run).where(old, window, superseded())
            connection.execute(update(runs).where(runs.c.id.in_(lacking)).values(forgotten=True))
            silent = services.c.outcome == Answered.FILTERED.value
            connection.execute(delete(services).where(old, window, or_(silent, superseded())))
        yield 0
