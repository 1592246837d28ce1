"""The inventory: runs, what was seen in them, and what it adds up to."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, astuple
from typing import Self

from sqlalchemy import Connection, update

from db import bulk, forgetting, hosts, queries
from db.connection import (
    BUSY_MS,
    ForeignFileError,
    InventoryError,
    UnavailableError,
    file_of,
    open_engine,
    told,
)
from db.filters import HostFilter, Lens
from db.hosts import Listing
from db.prepare import Prepared, Preparer
from db.queries import Run, SessionFilter
from db.schema import hours as hours_table
from db.schema import runs
from db.writing import Writer
from scanner.model import Host, Observation, Sighting, Verdict
from scanner.totals import COUNTS, Hour, RunTotals

__all__ = ["ForeignFileError", "Inventory", "InventoryError", "UnavailableError"]


class Inventory:
    """An open database."""

    def __init__(self, url: str, *, create: bool = True, busy_ms: int = BUSY_MS) -> None:
        """Open; use ``Inventory.open``."""
        self._engine = open_engine(url, create, busy_ms)
        self._file = file_of(self._engine)
        self._preparer, self._writer = Preparer(), Writer()

    @classmethod
    def open(cls, url: str, *, create: bool = True, busy_ms: int = BUSY_MS) -> Self:
        """Open a SQLite file or any SQLAlchemy URL, migrating it. Raises ``InventoryError``.

        ``busy_ms``: how long to wait for another writer.
        """
        return cls(url, create=create, busy_ms=busy_ms)

    def __enter__(self) -> Self:
        """Use as a context."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()

    def close(self) -> None:
        """Write what is only remembered, and let go of the database. Raises ``InventoryError``."""
        try:
            self._settle()
        finally:
            self._engine.dispose()

    @property
    def in_place(self) -> bool:
        """Whether its file is still where it was opened: what is written to a removed one, nobody reads."""
        return file_of(self._engine) == self._file

    def begin_run(self, sensor: str, sources: Sequence[str], at: int) -> int:
        """Note that listening begins (ns); gives the run's id."""
        name = sensor.encode("utf-8", "replace").decode().replace("\0", "\ufffd")[:255]
        row = {"sensor": name, "sources": json.dumps(list(sources)), "began": at, "forgotten": False}
        with self._writes() as connection:
            key = connection.execute(runs.insert().values(row)).inserted_primary_key
            return int(key[0]) if key else 0

    def update_run(self, run: int, totals: RunTotals, at: int, hours: Iterable[Hour] = ()) -> None:
        """Note what was heard and lost by now (ns) of a run that goes on, and add to what its hours had."""
        self._count(run, totals, hours, alive=at)

    def finish_run(self, run: int, totals: RunTotals, at: int, hours: Iterable[Hour] = ()) -> None:
        """Note that listening ended (ns), and what was heard and lost; add to what its hours had."""
        self._count(run, totals, hours, ended=at)

    def _count(self, run: int, totals: RunTotals, more: Iterable[Hour], **at: int) -> None:
        """Note counts, and what was only remembered: a run of weeks ends seldom."""
        found = {"totals": json.dumps(asdict(totals)), **at}
        rows = [(run, *astuple(hour)) for hour in more]
        with self._writes() as connection:
            self._writer.settle(connection)
            connection.execute(update(runs).where(runs.c.id == run).values(found))
            bulk.add(connection, hours_table, ("run", "at", *COUNTS), rows, ("run", "at"), COUNTS)
        self._writer.committed()

    def record(self, run: int, seen: Sequence[Observation], sighted: Sequence[Sighting] = ()) -> int:
        """Keep a batch, all of it or nothing; tells how many sessions were new."""
        return self.write(run, self._preparer.prepare(seen, sighted)) if seen or sighted else 0

    def write(self, run: int, batch: Prepared) -> int:
        """Keep a batch that was prepared elsewhere, all of it or nothing; tells how many were new."""
        try:
            with self._writes() as connection:
                new = self._writer.write(connection, run, batch)
        except BaseException:
            self._writer.forget()
            raise
        self._writer.committed()
        return new

    def forget(self, before: int) -> int:
        """Drop the sessions of runs that began before a time (ns); what they add up to stays. Tells how many.

        So do their hours, which are small.

        A run that goes on for long should be ended and begun anew each day: it is forgotten as a whole.
        """
        return sum(self.forgetting(before))

    def forgetting(self, before: int) -> Iterator[int]:
        """Forget a transaction at a time, for one who writes in between; each tells how many it dropped."""
        return forgetting.forget(self._writes, before)

    def runs(self) -> list[Run]:
        """All runs, the newest first."""
        with self._reads() as connection:
            return queries.runs_of(connection)

    def hours(self, since: int = 0) -> list[Hour]:
        """What all runs heard and missed in each hour that began at or after a time (ns), in order."""
        with self._reads() as connection:
            return queries.hours_of(connection, since)

    def unfinished(self) -> list[Run]:
        """Runs that were killed or still go on, and whose sources no later run has read to the end."""
        return queries.unfinished(self.runs())

    def hosts(self, lens: Lens, filters: HostFilter | None = None) -> Listing:
        """All hosts that pass the filters with their verdicts, the worst first.

        Hosts are read as they are looked at: keep this open.
        """
        with self._reads() as connection:
            return hosts.listing(connection, self._reads, lens, filters or HostFilter())

    def host(self, name: str, lens: Lens) -> tuple[Host, Verdict] | None:
        """The host of this MAC, address or name, and what becomes of it."""
        with self._reads() as connection:
            return hosts.host_of(connection, name, lens)

    def leases(self) -> list[Sighting]:
        """Which MAC DHCP gave each address to, and from when to when."""
        with self._reads() as connection:
            return queries.leases_of(connection)

    def sessions(self, filters: SessionFilter | None = None) -> Iterator[Observation]:
        """Sessions that pass the filters, the newest first."""
        with self._reads() as connection:
            yield from queries.sessions_of(connection, filters or SessionFilter())

    @contextmanager
    def _writes(self) -> Iterator[Connection]:
        with told(self._engine), self._engine.execution_options(writes=True).begin() as connection:
            yield connection

    def _settle(self) -> None:
        if self._writer.owes:
            with self._writes() as connection:
                self._writer.settle(connection)
            self._writer.committed()

    @contextmanager
    def _reads(self) -> Iterator[Connection]:
        self._settle()
        with told(self._engine), self._engine.connect() as connection:
            yield connection
