"""Write what was seen and what it adds up to, a batch at a time, a session counted once however often read.

A batch is one transaction. Sessions go in first, where those that are there already fall out; only the others
count. What a writer remembers between batches are ids of rows that are never deleted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import chain, count
from typing import Any

from sqlalchemy import Column, Connection, Select, Table, bindparam, func, select

from db import bulk, rows
from db.forgetting import Counted
from db.prepare import Prepared
from db.scans import Asked
from db.schema import details, endpoints, services, sessions, shapes, usages
from db.telling import Teller, Told

KEYS_ASKED = 500
"""Ids in one query: SQLite before 3.32 takes 999 parameters."""
REMEMBERED = 100_000
"""Ways or addresses that a writer remembers, some 30 MB; past it all are let go and asked for."""

_SESSION = tuple(column.name for column in sessions.columns if column.name != "id")
_USAGE = tuple(column.name for column in usages.columns)
_SERVICE = tuple(column.name for column in services.columns)
_SUMS = ("sessions", "mails", "logins_same", "logins_changed")
_PLACE, _LAST, _MAILS = map(_SESSION.index, ("endpoint", "last_seen", "mails"))


class Writer:
    """Writes batches; remembers the ids of what comes again and again."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._shapes: dict[int, int] = {}
        self._endpoints: dict[tuple[str, str], int] = {}
        self._teller = Teller()

    def forget(self) -> None:
        """Let go of all ids: the transaction that gave them may be rolled back."""
        self._shapes.clear()
        self._endpoints.clear()
        self._teller.forget()

    def committed(self) -> None:
        """Learn that what was written last is committed."""
        self._teller.committed()

    @property
    def owes(self) -> bool:
        """Whether there is something to settle."""
        return self._teller.owes

    def settle(self, connection: Connection) -> None:
        """Write what is only remembered so far: until when things were heard that were known before."""
        self._teller.settle(connection)

    def write(self, connection: Connection, run: int, batch: Prepared) -> int:
        """Write a batch in the caller's transaction; tells how many sessions were new."""
        places = chain(
            (row[:2] for row in batch.sightings),
            (row[:2] for row in batch.passages),
            (row[2:4] for row in batch.passages),
            (row[1:3] for row in batch.sessions),
        )
        self._learn_places(connection, places)
        self._teller.tell(connection, self._endpoints, batch.sightings, batch.passages)
        return self._add(connection, run, batch) if batch.sessions else 0

    def write_services(
        self, connection: Connection, run: int, found: Sequence[Asked], told: Sequence[Told]
    ) -> None:
        """Write what ports answered, and what it tells of their hosts; what a run has already stays."""
        self._learn_places(connection, chain((row[:2] for row in found), (row[:2] for row in told)))
        self._teller.tell(connection, self._endpoints, told, ())
        asked = [(run, self._endpoints[ip, mac], *rest) for ip, mac, *rest in found]
        bulk.insert(connection, services, _SERVICE, asked, ("run", "endpoint", "port"))

    def _add(self, connection: Connection, run: int, batch: Prepared) -> int:
        places = [self._endpoints[ip, mac] for _, ip, mac, *_ in batch.sessions]
        ways, ids = self._ways_of(connection, batch.forms)
        details = [ids[form.key] for form in batch.forms]
        shapes = [ways[form.shape_key] for form in batch.forms]
        found = [
            (first, flow, run, place, details[number], *rest)
            for (number, _, _, (first, flow, *rest), _), place in zip(batch.sessions, places, strict=True)
        ]
        fresh = _insert_sessions(connection, run, found)
        used = [
            (*row, again, shapes[number])
            for row, (number, _, _, _, again) in zip(found, batch.sessions, strict=True)
        ]
        if fresh is not None:
            used = list(_only(used, fresh))
        if used:
            _add_usages(connection, used)
        return len(used)

    def _bound(self) -> None:
        if len(self._shapes) > REMEMBERED:
            self._shapes.clear()
        if len(self._endpoints) > REMEMBERED:
            self._endpoints.clear()

    def _learn_places(self, connection: Connection, places: Iterable[tuple[str, str]]) -> None:
        """Make the endpoints of a batch, by address and MAC, that are not known, and learn their ids."""
        self._bound()
        known = self._endpoints
        missing = {place: None for place in places if place not in known}
        if missing:
            before = _newest(connection, endpoints)
            new = [(key, *place) for key, place in enumerate(missing, before + 1)]
            bulk.insert(connection, endpoints, ("id", "ip", "mac"), new, ("ip", "mac"))
            columns = endpoints.c.id, endpoints.c.ip, endpoints.c.mac
            if _newer(connection, endpoints, before) == len(new):
                known.update(zip(missing, count(before + 1)))
            else:
                old = list({ip: None for ip, _ in missing})
                known.update(
                    ((ip, mac), key)
                    for key, ip, mac in _in(connection, select(*columns), endpoints.c.ip, old)
                )

    def _ways_of(
        self, connection: Connection, forms: list[rows.Form]
    ) -> tuple[dict[int, int], dict[int, int]]:
        """Ids of shapes and of details by their keys."""
        known, used = self._shapes, {form.key: form for form in forms}
        new = {form.shape_key: form.shape for form in used.values() if form.shape_key not in known}
        if new:
            bulk.insert(connection, shapes, rows.SHAPE_COLUMNS, list(new.values()), ("key",))
            known.update(_in(connection, select(shapes.c.key, shapes.c.id), shapes.c.key, list(new)))
        described = [(form.key, known[form.shape_key], form.record) for form in used.values()]
        bulk.insert(connection, details, ("key", "shape", "record"), described, ("key",))
        return known, dict(_in(connection, select(details.c.key, details.c.id), details.c.key, list(used)))


def _insert_sessions(connection: Connection, run: int, found: list[bulk.Row]) -> set[tuple[int, int]] | None:
    """Insert what is not there; tells which that was, None: all."""
    before = _newest(connection, sessions)
    bulk.insert(connection, sessions, _SESSION, found, ("first_seen", "flow"))
    if _newer(connection, sessions, before) == len(found):
        return None
    asked = select(sessions.c.first_seen, sessions.c.flow)
    return set(bulk.read(connection, asked.where(sessions.c.id > before)))


def _only(used: Iterable[bulk.Row], fresh: set[tuple[int, int]]) -> Iterator[bulk.Row]:
    """Rows of sessions that were new, each once."""
    left = set(fresh)
    for row in used:
        if (row[0], row[1]) in left:
            left.remove((row[0], row[1]))
            yield row


def _add_usages(connection: Connection, used: list[bulk.Row]) -> None:
    counted = Counted(connection, used)
    always = not counted.spans
    sums: dict[tuple[int, int], list[int]] = {}
    for row in used:
        first, place, last, mails, again, shape = (
            row[0],
            row[_PLACE],
            row[_LAST],
            row[_MAILS],
            row[-2],
            row[-1],
        )
        one = 1 if always or counted.is_new(place, shape, first) else 0
        use = sums.get((place, shape))
        if use is None:
            use = sums[place, shape] = [first, last, one, mails * one, 0, 0]
        else:
            use[2] += one
            use[3] += mails * one
        if again is not None:
            use[4 if again else 5] += one
        if first < use[0]:
            use[0] = first
        if last > use[1]:
            use[1] = last
    added = [(*key, *use) for key, use in sums.items()]
    bulk.add(connection, usages, _USAGE, added, ("endpoint", "shape"), _SUMS)


def _newest(connection: Connection, table: Table) -> int:
    return connection.execute(_asked_newest(table)).scalar() or 0


def _newer(connection: Connection, table: Table, key: int) -> int:
    """Rows after one: those of this transaction, for one writes at a time."""
    return connection.execute(_asked_newer(table), {"key": key}).scalar() or 0


@cache
def _asked_newest(table: Table) -> Select[Any]:
    """Made once: SQLAlchemy takes as long to make a question as to ask it."""
    return select(func.max(table.c.id))


@cache
def _asked_newer(table: Table) -> Select[Any]:
    return select(func.count()).where(table.c.id > bindparam("key"))


def _in(
    connection: Connection, asked: Select[Any], column: Column[Any], keys: Sequence[Any]
) -> Iterator[tuple[Any, ...]]:
    for at in range(0, len(keys), KEYS_ASKED):
        yield from bulk.read(connection, asked.where(column.in_(keys[at : at + KEYS_ASKED])))
