"""One run over captures: heard here or by workers, kept in the inventory, and given as records."""

from __future__ import annotations

import dataclasses
import gc
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import click

from db.prepare import Prepared, Preparer
from scanner.capture import UnreadableCapture
from scanner.capture.file import CaptureFile
from scanner.capture.plaintext import Plaintext
from scanner.capture.wireshark import tshark_path
from scanner.cli.progress import progress
from scanner.cli.settings import now
from scanner.crew import Crew, CrewError, workers_worth
from scanner.model import Observation, Sighting
from scanner.pipeline import Finish, Hearing, Pipeline
from scanner.report.escape import visible
from scanner.report.formats import line
from scanner.report.records import Record, session_record
from scanner.totals import RunTotals
from scanner.wire.batch import Batch

if TYPE_CHECKING:
    from db.store import Inventory
    from scanner.dissection.streams import SecondOpinion

WORKER_LOST = "a listening process is gone, perhaps for want of memory; what was recorded before is kept"


class Wants(NamedTuple):
    """What is to become of observations."""

    kept: bool
    """They go to the inventory."""
    lines: bool
    """They are written as lines, as they come."""
    records: bool
    """They are written together, at the end."""


class Finished(NamedTuple):
    """What became of a batch of observations; made where they were made, so that only this is handed on."""

    rows: Prepared | None
    lines: list[str]
    records: list[Record]


def finisher(wants: Wants) -> Finish[Finished]:
    """What makes of observations what is wanted; one a process, as it remembers."""
    preparer = Preparer()

    def finish(seen: list[Observation], sighted: tuple[Sighting, ...]) -> Finished:
        return Finished(
            preparer.prepare(seen, sighted) if wants.kept else None,
            [line(session_record(one)) for one in seen] if wants.lines else [],
            [session_record(one) for one in seen] if wants.records else [],
        )

    return finish


class Reading:
    """One run."""

    def __init__(
        self,
        listening: Pipeline | SecondOpinion,
        paths: list[str],
        wants: Wants,
        workers: int | None,
        stack: ExitStack,
        keylog: str | None = None,
    ) -> None:
        """Begin; ``workers`` None: as many as the captures are worth. They are let go with the stack."""
        self._listening = listening
        self._paths = paths
        self._keylog = keylog
        self._tshark = cache(tshark_path)
        self._finish = finisher(wants)
        self.unreadable: list[str] = []
        self._crew: Crew[Finished] | None = None
        gc.freeze()  # what there is by now stays: neither this process nor a worker need look at it again
        if isinstance(listening, Pipeline):  # another program's dissectors are a process of their own already
            count = workers_worth(_size(paths)) if workers is None else workers
            self._crew = stack.enter_context(Crew(listening, self._finish, count)) if count else None
        self._run = 0
        self._tried = False
        self._fitting = self._sessions = 0
        """TLS sessions that keys fitted, and that they were tried on."""

    def finished(self, kept: Callable[[], Inventory] | None) -> Iterator[Finished]:
        """Yield what each batch came to, kept already; ``kept`` opens the inventory, here or at a later call.

        Workers have their first work before it is opened: both take a while.
        """
        inventory = self._begin(kept()) if kept and not self._crew else None
        waiting: Prepared | None = None
        for found in self._heard():
            if kept and found.rows:
                inventory = inventory or self._begin(kept())
                waiting = self._keep(inventory, waiting, found.rows)
            yield found
        if kept:
            inventory = inventory or self._begin(kept())
            if waiting:
                inventory.write(self._run, waiting)
            inventory.finish_run(self._run, self.totals, now())

    def _keep(self, inventory: Inventory, waiting: Prepared | None, rows: Prepared) -> Prepared | None:
        """Write, but let what has only sightings wait for the next: transactions cost more than rows."""
        if waiting is None and not rows.sessions:
            return rows
        inventory.write(self._run, Prepared.joined([waiting, rows]) if waiting else rows)
        return None

    def _begin(self, inventory: Inventory) -> Inventory:
        self._run = inventory.begin_run(self._listening.sensor, self._paths, now())
        return inventory

    def _heard(self) -> Iterator[Finished]:
        with progress(self._paths) as shown:
            for path in self._paths:
                try:
                    if isinstance(self._listening, Pipeline):
                        with CaptureFile(path) as capture:
                            yield from self._read(self._listening, path, capture, shown(capture))
                    else:
                        yield from (self._finish(seen, ()) for seen in self._listening.read(path))
                except CrewError:
                    raise click.ClickException(f"{path}: {WORKER_LOST}") from None
                except UnreadableCapture as fault:
                    self._not_all(str(fault))

    def _read(
        self, listening: Pipeline, path: str, capture: CaptureFile, batches: Iterable[Batch]
    ) -> Iterator[Finished]:
        with Plaintext(path, self._keylog, capture.secrets, self._tshark) as inside:
            try:
                yield from listening.run(batches, self._hearing(listening, path), inside)
            finally:
                self._tried |= inside.tried
                self._fitting += inside.opened
                self._sessions += inside.sessions
            if inside.remark:
                click.echo(f"mailsunset: {inside.remark}", err=True)
            if inside.fault:
                self._not_all(visible(inside.fault))

    def _not_all(self, why: str) -> None:
        self.unreadable.append(why)
        click.echo(f"mailsunset: {why}", err=True)

    def _hearing(self, listening: Pipeline, path: str) -> Hearing[Finished]:
        return self._crew.hearing(path) if self._crew else listening.bench(path, self._finish)

    @property
    def totals(self) -> RunTotals:
        """What was heard and lost."""
        return dataclasses.replace(self._listening.totals(), unreadable=tuple(self.unreadable))

    def say(self) -> None:
        """Tell on stderr what was heard, and what was lost if anything was."""
        totals = self.totals
        lost = {
            "sessions with gaps": totals.gaps,
            "connections evicted": totals.evicted,
            "fragments dropped": totals.fragments_dropped,
            "packets cut": totals.truncated,
            "malformed": totals.malformed,
            "of unknown link types": totals.unknown_link,
        }
        heard = (
            f"{totals.packets} packets, {totals.conversations} connections, {totals.observations} sessions"
        )
        parts = [heard, *(f"{count} {what}" for what, count in lost.items() if count)]
        if self._tried:
            parts.append(f"keys fit {self._fitting} of {self._sessions} TLS sessions")
        click.echo("; ".join(parts), err=True)


def _size(paths: list[str]) -> int | None:
    """Bytes of all captures together; None where one of them is no file."""
    return sum(map(os.path.getsize, paths)) if all(map(os.path.isfile, paths)) else None
