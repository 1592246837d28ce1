"""Write the inventory: runs, and in one transaction a batch what was seen and what it adds up to."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Self

from sqlalchemy import Connection, Table, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from db import queries, rows
from db.connection import InventoryError, open_engine, told
from db.queries import HostFilter, Run, SessionFilter
from db.schema import endpoints, names, runs, sessions, shapes, usages
from scanner.model import Host, Observation, RunTotals, Verdict

__all__ = ["Inventory", "InventoryError"]

KEYS_ASKED = 500
"""Ids in one query: SQLite before 3.32 takes 999 parameters."""
CLIENT_NAME = "smtp.client_name"


class Inventory:
    """An open database."""

    def __init__(self, url: str, *, create: bool = True) -> None:
        """Open; use ``Inventory.open``."""
        self._engine = open_engine(url, create)

    @classmethod
    def open(cls, url: str, *, create: bool = True) -> Self:
        """Open a SQLite file or any SQLAlchemy URL, migrating it. Raises ``InventoryError``."""
        return cls(url, create=create)

    def __enter__(self) -> Self:
        """Use as a context."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    def begin_run(self, sensor: str, sources: Sequence[str], at: int) -> int:
        """Note that listening begins (ns); gives the run's id."""
        with told(self._engine), self._engine.execution_options(writes=True).begin() as connection:
            row = {"sensor": sensor[:255], "sources": json.dumps(list(sources)), "began": at}
            key = connection.execute(runs.insert().values(row)).inserted_primary_key
            return int(key[0]) if key else 0

    def finish_run(self, run: int, totals: RunTotals, at: int) -> None:
        """Note that listening ended (ns), and what was heard and lost."""
        with told(self._engine), self._engine.execution_options(writes=True).begin() as connection:
            done = {"ended": at, "totals": json.dumps(asdict(totals))}
            connection.execute(update(runs).where(runs.c.id == run).values(done))

    def record(self, run: int, observations: Sequence[Observation]) -> int:
        """Keep a batch, all of it or nothing; tells how many were new."""
        if not observations:
            return 0
        with told(self._engine), self._engine.execution_options(writes=True).begin() as connection:
            return _record(connection, run, observations)

    def forget_sessions(self, before: int) -> int:
        """Drop the sessions of runs that began before a time (ns); what they add up to stays."""
        with told(self._engine), self._engine.execution_options(writes=True).begin() as connection:
            old = select(runs.c.id).where(runs.c.began < before)
            return connection.execute(delete(sessions).where(sessions.c.run.in_(old))).rowcount

    def runs(self) -> list[Run]:
        """All runs, the newest first."""
        with told(self._engine), self._engine.connect() as connection:
            return queries.runs_of(connection)

    def hosts(
        self,
        judge: Callable[[Host], Verdict],
        filters: HostFilter | None = None,
        vendor: Callable[[str], str | None] = lambda _: None,
    ) -> list[tuple[Host, Verdict]]:
        """All hosts that pass the filters, the worst first."""
        with told(self._engine), self._engine.connect() as connection:
            return queries.hosts_of(connection, judge, filters or HostFilter(), vendor)

    def host(self, name: str, vendor: Callable[[str], str | None] = lambda _: None) -> Host | None:
        """The host of this MAC, address or name."""
        with told(self._engine), self._engine.connect() as connection:
            return queries.host_of(connection, name, vendor)

    def sessions(self, filters: SessionFilter | None = None) -> Iterator[Observation]:
        """Sessions that pass the filters, the newest first."""
        with told(self._engine), self._engine.connect() as connection:
            yield from queries.sessions_of(connection, filters or SessionFilter())


def _record(connection: Connection, run: int, observations: Sequence[Observation]) -> int:
    fresh = {rows.session_id(seen): seen for seen in observations}
    for key in _known(connection, list(fresh)):
        del fresh[key]
    if not fresh:
        return 0
    found: dict[int, dict[str, Any]] = {}
    ways: dict[int, dict[str, Any]] = {}
    uses: dict[tuple[int, int], dict[str, Any]] = {}
    called: set[tuple[int, str, str]] = set()
    kept = []
    for key, seen in fresh.items():
        endpoint, way = rows.endpoint_id(seen), rows.shape_row(seen)
        ways[way["id"]] = way
        _stretch(found.setdefault(endpoint, _endpoint(endpoint, seen)), seen)
        use = uses.setdefault((endpoint, way["id"]), _use(endpoint, way["id"], seen))
        _stretch(use, seen)
        use["sessions"] += 1
        use["mails"] += seen.mails
        if seen.client_name:
            called.add((endpoint, CLIENT_NAME, seen.client_name[:512]))
        kept.append(
            {"id": key, "run": run, "endpoint": endpoint, "shape": way["id"], "first_seen": seen.first_seen,
             "record": rows.dump(seen)}
        )  # fmt: skip
    _upsert(connection, endpoints, list(found.values()), {})
    _upsert(connection, shapes, list(ways.values()), None)
    _upsert(connection, usages, list(uses.values()), {"sessions": "add", "mails": "add"})
    _upsert(
        connection, names, [dict(zip(("endpoint", "source", "name"), c, strict=True)) for c in called], None
    )
    connection.execute(sessions.insert(), kept)
    return len(kept)


def _known(connection: Connection, keys: list[int]) -> Iterator[int]:
    for at in range(0, len(keys), KEYS_ASKED):
        asked = select(sessions.c.id).where(sessions.c.id.in_(keys[at : at + KEYS_ASKED]))
        yield from connection.execute(asked).scalars().all()


def _endpoint(key: int, seen: Observation) -> dict[str, Any]:
    span = {"first_seen": seen.first_seen, "last_seen": seen.last_seen}
    return {"id": key, "mac": seen.client_mac, "ip": seen.client_ip, **span}


def _use(endpoint: int, shape: int, seen: Observation) -> dict[str, Any]:
    span = {"first_seen": seen.first_seen, "last_seen": seen.last_seen}
    return {"endpoint": endpoint, "shape": shape, "sessions": 0, "mails": 0, **span}


def _stretch(row: dict[str, Any], seen: Observation) -> None:
    row["first_seen"] = min(row["first_seen"], seen.first_seen)
    row["last_seen"] = max(row["last_seen"], seen.last_seen)


def _upsert(
    connection: Connection, table: Table, found: list[dict[str, Any]], sums: Mapping[str, str] | None
) -> None:
    """Insert rows; where one is there already, stretch its span and add up ``sums`` (None: leave it be)."""
    if not found:
        return
    sqlite_like = connection.dialect.name == "sqlite"
    statement: Any = sqlite.insert(table) if sqlite_like else postgresql.insert(table)
    keys = list(table.primary_key.columns)
    if sums is None:
        connection.execute(statement.on_conflict_do_nothing(index_elements=keys), found)
        return
    least, most = (func.min, func.max) if sqlite_like else (func.least, func.greatest)
    new = statement.excluded
    changes = {name: table.c[name] + new[name] for name in sums}
    changes["first_seen"] = least(table.c.first_seen, new.first_seen)
    changes["last_seen"] = most(table.c.last_seen, new.last_seen)
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=changes), found)
