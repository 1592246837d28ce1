"""The inventory: runs, what was seen in them, and what it adds up to."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, astuple
from typing import Self

from sqlalchemy import Connection, update

from db import bulk, forgetting, hosts, logins, queries, scans, timelines
from db.asking import Sandbox
from db.connection import (
    BUSY_MS,
    ForeignFileError,
    InventoryError,
    UnavailableError,
    changed,
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
from db.tenant import TenantStore
from db.writing import Writer
from scanner.model import Host, Observation, Sighting, Verdict
from scanner.services import Scan, ScanPlan, ScanTotals, Service
from scanner.tenant import HeardLogin
from scanner.totals import COUNTS, Hour, RunTotals

__all__ = ["ForeignFileError", "Inventory", "InventoryError", "UnavailableError"]


class Inventory(TenantStore):
    """An open database."""

    def __init__(
        self, url: str, *, create: bool = True, busy_ms: int = BUSY_MS, read_only: bool = False
    ) -> None:
        """Open; use ``Inventory.open``."""
        self._engine = open_engine(url, create, busy_ms, read_only)
        self._file = file_of(self._engine)
        self._preparer, self._writer = Preparer(), Writer()

    @classmethod
    def open(cls, url: str, *, create: bool = True, busy_ms: int = BUSY_MS, read_only: bool = False) -> Self:
        """Open a SQLite file or any SQLAlchemy URL, migrating it. Raises ``InventoryError``.

        ``busy_ms``: how long to wait for another writer; ``read_only``: nothing can be written from then on.
        """
        return cls(url, create=create, busy_ms=busy_ms, read_only=read_only)

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

    @contextmanager
    def marks(self) -> Iterator[Callable[[], object]]:
        """Give what gives, at next to no cost, something that is another after each change by others.

        For one thread at a time. It raises ``InventoryError`` once another file has taken this one's place.
        """
        with self._reads() as connection:

            def mark() -> object:
                if not self.in_place:
                    raise UnavailableError(f"{self._engine.url.database}: gone, or another took its place")
                with told(self._engine), connection.begin():
                    return changed(connection)

            yield mark

    def begin_run(self, sensor: str, sources: Sequence[str], at: int) -> int:
        """Note that listening begins (ns); gives the run's id."""
        return self._begin(sensor, at, {"sources": json.dumps(list(sources))})

    def _begin(self, sensor: str, at: int, what: Mapping[str, str]) -> int:
        name = sensor.encode("utf-8", "replace").decode().replace("\0", "\ufffd")[:255]
        row = {"sensor": name, "began": at, "forgotten": False, **what}
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
        with self._writing() as connection:
            self._writer.settle(connection)
            connection.execute(update(runs).where(runs.c.id == run).values(found))
            bulk.add(connection, hours_table, ("run", "at", *COUNTS), rows, ("run", "at"), COUNTS)

    def record(self, run: int, seen: Sequence[Observation], sighted: Sequence[Sighting] = ()) -> int:
        """Keep a batch, all of it or nothing; tells how many sessions were new."""
        return self.write(run, self._preparer.prepare(seen, sighted)) if seen or sighted else 0

    def write(self, run: int, batch: Prepared) -> int:
        """Keep a batch that was prepared elsewhere, all of it or nothing; tells how many were new."""
        with self._writing() as connection:
            return self._writer.write(connection, run, batch)

    def begin_scan(self, sensor: str, plan: ScanPlan, at: int) -> int:
        """Note that a scan begins (ns); gives its run's id."""
        return self._begin(sensor, at, scans.begun(plan))

    def record_services(
        self, run: int, asked: Sequence[tuple[Service, str | None]], sighted: Sequence[Sighting] = ()
    ) -> None:
        """Keep what ports answered, each with its host's MAC, and what that tells of hosts: all or nothing.

        Where no MAC is known it is the one that the address was last heard with. Of a port that the scan has
        asked before, the first answer stays. Each address in it is a host of the inventory from then on, so
        one that answered in no way should not be.
        """
        with self._writing() as connection:
            self._writer.write_services(connection, run, *scans.prepared(connection, asked, sighted))

    def scan_progress(self, run: int, done: int, totals: ScanTotals, at: int) -> None:
        """Note by now (ns) that all addresses before number ``done`` are done, and what it came to."""
        with self._writing() as connection:
            self._writer.settle(connection)
            scans.note(connection, run, done, totals, alive=at)

    def finish_scan(self, run: int, totals: ScanTotals, at: int) -> None:
        """Note that a scan ended (ns), and what it came to."""
        with self._writing() as connection:
            self._writer.settle(connection)
            scans.note(connection, run, None, totals, ended=at)

    def scans(self) -> list[Scan]:
        """All scans, the newest first."""
        with self._reads() as connection:
            return scans.scans_of(connection)

    def unfinished_scans(self) -> list[Scan]:
        """Scans that were killed or still go on, and after which none of the same scope began."""
        return list(scans.unfinished(self.scans()))

    def unfinished_scan(self, plan: ScanPlan) -> Scan | None:
        """The scan to be resumed: the last one of this scope, if it did not end."""
        return next((scan for scan in self.unfinished_scans() if scan.plan.scope == plan.scope), None)

    def scan_services(self, run: int) -> Iterator[Service]:
        """What a scan found, host by host, in the order of ports."""
        with self._reads() as connection:
            yield from scans.services_of(connection, run)

    def services_asked(self, run: int) -> set[tuple[str, int]]:
        """Which ports of which addresses a scan has asked."""
        with self._reads() as connection:
            return scans.places_asked(connection, run)

    def forget(self, before: int) -> int:
        """Drop the sessions of runs that began before a time (ns); what they add up to stays. Tells how many.

        So do their hours, which are small. Of scans the last answer of each port stays.

        A run that goes on for long should be ended and begun anew each day: it is forgotten as a whole.
        """
        return sum(self.forgetting(before))

    def forgetting(self, before: int) -> Iterator[int]:
        """Forget a transaction at a time, for one who writes in between; each tells how many it dropped."""
        return forgetting.forget(self._writes, before)

    def runs(self) -> list[Run]:
        """All runs of listening, the newest first."""
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

    def addresses(self) -> list[str]:
        """IPv6 addresses of all machines that were heard of: nobody finds them by asking each."""
        with self._reads() as connection:
            return queries.addresses_of(connection)

    def sessions(self, filters: SessionFilter | None = None) -> Iterator[Observation]:
        """Sessions that pass the filters, the newest first."""
        with self._reads() as connection:
            yield from queries.sessions_of(connection, filters or SessionFilter())

    def lend_sessions(self, box: Sandbox, copy: bool = False) -> None:
        """Let sessions be asked in a sandbox, where they are, or copied. Raises ``InventoryError``."""
        file = self._engine.url.database if self._file else None
        with self._reads() as connection:
            (box.copy if copy else box.lend)(connection, file)

    def logins(self, since: int = 0) -> Iterator[HeardLogin]:
        """Logins at Exchange Online in sessions that began at or after a time (ns), in order of time."""
        with self._reads() as connection:
            yield from logins.logins_of(connection, since)

    def days(self) -> list[tuple[int, str, int]]:
        """Days (UTC, of 1970 on), what logins rested on, and how many sessions there were; in order."""
        with self._reads() as connection:
            return timelines.days_of(connection)

    def latest_sessions(self, each: int) -> Iterator[tuple[int, Observation]]:
        """Of each endpoint the last session of so many of its ways, with the endpoint's id; newest first."""
        with self._reads() as connection:
            yield from timelines.latest_of(connection, each)

    @contextmanager
    def _writes(self) -> Iterator[Connection]:
        with told(self._engine), self._engine.execution_options(writes=True).begin() as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        """By the writer, which is told what became of it."""
        try:
            with self._writes() as connection:
                yield connection
        except BaseException:
            self._writer.forget()
            raise
        self._writer.committed()

    def _settle(self) -> None:
        if self._writer.owes:
            with self._writing() as connection:
                self._writer.settle(connection)

    @contextmanager
    def _reads(self) -> Iterator[Connection]:
        self._settle()
        with told(self._engine), self._engine.connect() as connection:
            yield connection
