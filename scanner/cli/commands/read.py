"""``mailsunset read``: from capture files to the inventory."""

from __future__ import annotations

import dataclasses
import gc
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from scanner.cli import options
from scanner.cli.settings import (
    InputError,
    Settings,
    catalogue_of,
    days,
    fail_on,
    forget_old,
    inventory,
    judge,
    now,
)
from scanner.model import Level, Observation, RunTotals
from scanner.report.formats import Format, write, write_lines
from scanner.report.records import host_record, session_record
from scanner.report.views import HOSTS, SESSIONS, summed_up

if TYPE_CHECKING:
    from db import Inventory, Listing
    from scanner.pipeline import Pipeline


GARBAGE_THRESHOLD = 50_000
"""Objects made between two searches for cycles: reading makes millions, hardly any of them in a cycle."""
HOSTS_SHOWN = 40
"""Hosts in the table at the end: a screen or two; the title says that there are more."""


@click.command("read")
@click.argument("captures", nargs=-1, required=True, metavar="CAPTURE...")
@options.table
@click.option("--no-db", is_flag=True, help="Write nothing to the inventory.")
@click.option("--endpoint", "endpoints", multiple=True, metavar="NAME|ADDRESS|PREFIX",
              help="Treat this as Exchange Online, too: hybrid servers, proxies, labs.")  # fmt: skip
@click.option("--catalogue", metavar="FILE", help="Other names and prefixes, as TOML or Microsoft's JSON.")
@click.option("--retirement", metavar="FILE", help="Another table of dates.")
@click.option("--usernames", type=click.Choice(["keep", "mask", "drop"]), default="mask", show_default=True,
              help="What becomes of user names.")  # fmt: skip
@click.option("--sensor", metavar="NAME", help="Where this was captured.  [default: this machine's name]")
@click.option("--max-flows", type=click.IntRange(min=1), default=1_000_000, show_default=True,
              help="Connections followed at a time.")  # fmt: skip
@options.keep_sessions
@options.fail_on
@click.pass_obj
def command(
    settings: Settings,
    captures: tuple[str, ...],
    form: str,
    no_db: bool,
    endpoints: tuple[str, ...],
    catalogue: str | None,
    retirement: str | None,
    usernames: str,
    sensor: str | None,
    max_flows: int,
    keep_sessions: str | None,
    threshold: str | None,
) -> None:
    """Read capture files, directories of them, or - for a pipe, and tell what was found."""
    from scanner.account import Usernames  # NumPy costs 200 ms that --help need not pay
    from scanner.capture.file import expand
    from scanner.net import vendor
    from scanner.pipeline import Pipeline

    settings = _settled(settings, endpoints, catalogue, retirement, sensor, keep_sessions, no_db)
    _check(captures)
    known = catalogue_of(settings)
    named = Usernames(usernames)
    listening = Pipeline(known, sensor=settings.sensor or "", usernames=named, max_flows=max_flows)
    judging = judge(settings, known)
    judged = form == Format.TABLE or threshold
    with ExitStack() as stack:
        kept = stack.enter_context(inventory(settings, create=True)) if judged or not no_db else None
        reading = _Reading(listening, kept, expand(captures))
        _show(reading, Format(form))
        reading.finish(settings)
        hosts = kept.hosts(judging, vendor=vendor) if kept and judged else None
        if hosts is not None and form == Format.TABLE:
            _show_worst(hosts)
    reading.say()
    fail_on(Level(threshold) if threshold else None, hosts.levels if hosts is not None else [])
    if reading.unreadable:
        raise click.exceptions.Exit(1)


def _settled(
    settings: Settings,
    endpoints: tuple[str, ...],
    catalogue: str | None,
    retirement: str | None,
    sensor: str | None,
    keep_sessions: str | None,
    no_db: bool,
) -> Settings:
    """Let the options of this command go before those of the program and of the user's file."""
    return dataclasses.replace(
        settings,
        endpoints=(*settings.endpoints, *endpoints),
        catalogue=catalogue or settings.catalogue,
        retirement=retirement or settings.retirement,
        sensor=sensor or settings.sensor or _machine(),
        keep_days=settings.keep_days if keep_sessions is None else days(keep_sessions),
        db="sqlite://" if no_db else settings.db,
    )


def _check(captures: tuple[str, ...]) -> None:
    for path in captures:
        if path != "-" and not Path(path).exists():
            raise InputError(f"{path}: no such file")


class _Reading:
    """One run over the captures: what is found is kept, then given."""

    def __init__(self, listening: Pipeline, kept: Inventory | None, paths: list[str]) -> None:
        self._listening = listening
        self._kept = kept
        self._paths = paths
        self._run = 0
        self.unreadable: list[str] = []

    def observations(self) -> Iterator[list[Observation]]:
        """Yield what each batch completed, kept already."""
        from scanner.capture import UnreadableCapture
        from scanner.capture.file import CaptureFile
        from scanner.cli.progress import progress

        gc.set_threshold(GARBAGE_THRESHOLD)
        if self._kept:
            self._run = self._kept.begin_run(self._listening.sensor, self._paths, now())
        with progress(self._paths) as shown:
            for path in self._paths:
                try:
                    with CaptureFile(path) as capture:
                        for found in self._listening.read(shown(capture), path):
                            if self._kept:
                                self._kept.record(self._run, found)
                            yield found
                except UnreadableCapture as fault:
                    self.unreadable.append(str(fault))
                    click.echo(f"mailsunset: {fault}", err=True)

    def finish(self, settings: Settings) -> None:
        """Note that the run ended, and forget what is too long ago."""
        if self._kept:
            self._kept.finish_run(self._run, self.totals, now())
            forget_old(self._kept, settings)

    @property
    def totals(self) -> RunTotals:
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
        click.echo("; ".join(parts), err=True)


def _show(reading: _Reading, form: Format) -> None:
    found = reading.observations()
    match form:
        case Format.NDJSON:
            for batch in found:
                write_lines(map(session_record, batch), sys.stdout)
                sys.stdout.flush()
        case Format.TABLE:
            for _ in found:
                pass
        case _:
            records = [session_record(seen) for batch in found for seen in batch]
            write(records, form, SESSIONS, "Sessions", sys.stdout)


def _show_worst(hosts: Listing) -> None:
    worst = [host_record(*pair) for pair in hosts[:HOSTS_SHOWN]]
    rest = f"; the worst {HOSTS_SHOWN}, 'mailsunset hosts' lists all" if len(hosts) > HOSTS_SHOWN else ""
    title = f"Hosts in the inventory: {summed_up(hosts.levels)}{rest}"
    write(worst, Format.TABLE, HOSTS, title, sys.stdout)


def _machine() -> str:
    import socket

    return socket.gethostname()
