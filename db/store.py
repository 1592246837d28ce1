"""The inventory: runs, what was seen in them, and what it adds up to."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Self

from sqlalchemy import Connection, update

from db import forgetting, hosts, queries
from db.connection import InventoryError, open_engine, told
from db.hosts import HostFilter, Listing
from db.prepare import Prepared, Preparer
from db.queries import Run, SessionFilter
from db.schema import runs
from db.writing import Writer
from scanner.model import Host, Observation, RunTotals, Verdict

__all__ = ["Inventory", "InventoryError"]


class Inventory:
    """An open database."""

    def __init__(self, url: str, *, create: bool = True) -> None:
        """Open; use ``Inventory.open``."""
        self._engine = open_engine(url, create)
        self._preparer, self._writer = Preparer(), Writer()

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
        name = sensor.encode("utf-8", "replace").decode().replace("\0", "\ufffd")[:255]
        row = {"sensor": name, "sources": json.dumps(list(sources)), "began": at, "forgotten": False}
        with self._writes() as connection:
            key = connection.execute(runs.insert().values(row)).inserted_primary_key
            return int(key[0]) if key else 0

    def finish_run(self, run: int, totals: RunTotals, at: int) -> None:
        """Note that listening ended (ns), and what was heard and lost."""
        done = {"ended": at, "totals": json.dumps(asdict(totals))}
        with self._writes() as connection:
            connection.execute(update(runs).where(runs.c.id == run).values(done))

    def record(self, run: int, observations: Sequence[Observation]) -> int:
        """Keep a batch, all of it or nothing; tells how many were new."""
        return self.write(run, self._preparer.prepare(observations)) if observations else 0

    def write(self, run: int, batch: Prepared) -> int:
        """Keep a batch that was prepared elsewhere, all of it or nothing; tells how many were new."""
        try:
            with self._writes() as connection:
                return self._writer.write(connection, run, batch)
        except BaseException:
            self._writer.forget()
            raise

    def forget(self, before: int) -> int:
        """Drop the sessions of runs that began before a time (ns); what they add up to stays. Tells how many.

        A run that goes on for long should be ended and begun anew each day: it is forgotten as a whole.
        """
        return forgetting.forget(self._writes, before)

    def runs(self) -> list[Run]:
        """All runs, the newest first."""
        with self._reads() as connection:
            return queries.runs_of(connection)

    def unfinished(self) -> list[Run]:
        """Runs that were killed or still go on, and whose sources no later run has read to the end."""
        return queries.unfinished(self.runs())

    def hosts(
        self,
        judge: Callable[[Host], Verdict],
        filters: HostFilter | None = None,
        vendor: Callable[[str], str | None] = lambda _: None,
    ) -> Listing:
        """All hosts that pass the filters with their verdicts, the worst first.

        ``judge`` is asked once for all hosts that use the same services in the same ways, so it may go by the
        ways only, not by names, counts or times. Hosts are read as they are looked at: keep this open.
        """
        with self._reads() as connection:
            return hosts.listing(connection, self._reads, judge, filters or HostFilter(), vendor)

    def host(self, name: str, vendor: Callable[[str], str | None] = lambda _: None) -> Host | None:
        """The host of this MAC, address or name."""
        with self._reads() as connection:
            return hosts.host_of(connection, name, vendor)

    def sessions(self, filters: SessionFilter | None = None) -> Iterator[Observation]:
        """Sessions that pass the filters, the newest first."""
        with self._reads() as connection:
            yield from queries.sessions_of(connection, filters or SessionFilter())

    @contextmanager
    def _writes(self) -> Iterator[Connection]:
        with told(self._engine), self._engine.execution_options(writes=True).begin() as connection:
            yield connection

    @contextmanager
    def _reads(self) -> Iterator[Connection]:
        with told(self._engine), self._engine.connect() as connection:
            yield connection
