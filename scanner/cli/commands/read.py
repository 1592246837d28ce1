"""``mailsunset read``: from capture files to the inventory."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from functools import cache
from socket import gethostname
from typing import TYPE_CHECKING

import click

from scanner.cli import options
from scanner.cli.settings import (
    IN_MEMORY,
    InputError,
    Settings,
    catalogue_of,
    dates,
    exists,
    fail_on,
    forget_old,
    inventory,
    lens,
)
from scanner.model import Level
from scanner.report.formats import Format, write
from scanner.report.records import host_record
from scanner.report.views import HOSTS, SESSIONS, summed_up

if TYPE_CHECKING:
    from db.filters import Lens
    from db.store import Inventory
    from scanner.cli.reading import Finished
    from scanner.dissection.streams import SecondOpinion


HOSTS_SHOWN = 40
"""Hosts in the table at the end: a screen or two; the title says that there are more."""


@click.command("read")
@click.argument("captures", nargs=-1, required=True, metavar="CAPTURE...")
@options.table
@options.no_db
@options.endpoints
@options.catalogue
@options.retirement
@options.usernames
@options.sensor
@click.option("--max-flows", type=click.IntRange(min=1), default=1_000_000, show_default=True,
              help="Connections followed at a time.")  # fmt: skip
@click.option("--workers", type=click.IntRange(min=0, max=64), metavar="N",
              help="Processes that listen beside the one that reads.  [default: by size]")  # fmt: skip
@click.option("--keylog", metavar="FILE",
              help="TLS keys (SSLKEYLOGFILE): what they fit is read inside, by way of tshark.")  # fmt: skip
@options.engine
@options.keep_sessions
@options.fail_on
@click.pass_obj
def command(
    settings: Settings,
    captures: tuple[str, ...],
    form: str,
    usernames: str,
    max_flows: int,
    workers: int | None,
    keylog: str | None,
    engine: str,
    threshold: str | None,
) -> None:
    """Read capture files, directories of them, or - for a pipe, and tell what was found."""
    from scanner.account import Usernames  # NumPy costs 200 ms that --help need not pay
    from scanner.cli.reading import Reading, Wants
    from scanner.cli.sources import is_pipe, second_opinion
    from scanner.pipeline import Pipeline

    paths = _checked(captures, settings, keylog, engine)
    known, who, sensor = catalogue_of(settings), Usernames(usernames), settings.sensor or gethostname()
    judged, kept = form == Format.TABLE or bool(threshold), settings.db != IN_MEMORY
    wants = Wants(judged or kept, form == Format.NDJSON, form in (Format.JSON, Format.CSV))
    with ExitStack() as stack:
        opened = cache(lambda: stack.enter_context(inventory(settings, create=True)))
        listening: Pipeline | SecondOpinion
        if engine == options.TSHARK:
            listening = second_opinion(known, sensor, who, captures, max_flows)
        else:
            leases = opened().leases() if exists(settings) else ()
            at_once = 0 if any(map(is_pipe, captures)) else None  # a pipe's news is told as it comes
            listening = Pipeline(known, sensor, who, max_flows, at_once, leases)
        reading = Reading(listening, paths, wants, workers, stack, keylog)
        _show(reading.finished(opened if wants.kept else None), Format(form))
        if wants.kept:
            forget_old(opened(), settings)
        levels = _judged(opened(), lens(settings, known), Format(form)) if judged else []
    reading.say()
    fail_on(Level(threshold) if threshold else None, levels)
    if reading.unreadable:
        raise click.exceptions.Exit(1)


def _checked(captures: tuple[str, ...], settings: Settings, keylog: str | None, engine: str) -> list[str]:
    """The captures that are meant, once all that can be told before reading was told."""
    from scanner.cli.sources import meant

    dates(settings)  # a faulty table is told before anything is read
    if keylog is not None:
        if engine == options.TSHARK:
            raise InputError("--keylog is for our own engine: leave out --engine")
        _check_keys(keylog, captures)
    return meant(captures)


def _check_keys(keylog: str, captures: tuple[str, ...]) -> None:
    """Make sure that keys can be used before anything is read."""
    from scanner.capture.plaintext import UnusableKeysError, check_keylog
    from scanner.capture.wireshark import TsharkUnusableError, tshark_path

    try:
        check_keylog(keylog)
        tshark_path()
    except (UnusableKeysError, TsharkUnusableError) as fault:
        raise InputError(str(fault)) from fault
    from scanner.cli.sources import is_pipe

    if pipe := next(filter(is_pipe, captures), None):
        raise InputError(f"{pipe}: with --keylog a capture is read twice, and a pipe cannot be")


def _show(finished: Iterator[Finished], form: Format) -> None:
    match form:
        case Format.NDJSON:
            for batch in finished:
                sys.stdout.writelines(batch.lines)
                sys.stdout.flush()
        case Format.TABLE:
            for _ in finished:
                pass
        case _:
            records = [record for batch in finished for record in batch.records]
            write(records, form, SESSIONS, "Sessions", sys.stdout)


def _judged(kept: Inventory, how: Lens, form: Format) -> list[Level]:
    """Judge all hosts, and show the worst if a table is wanted."""
    hosts = kept.hosts(how)
    if form == Format.TABLE:
        worst = (host_record(*pair) for pair in hosts[:HOSTS_SHOWN])
        more = f"; the worst {HOSTS_SHOWN}, 'mailsunset hosts' lists all" if len(hosts) > HOSTS_SHOWN else ""
        title = f"Hosts in the inventory: {summed_up(hosts.levels)}{more}"
        write(worst, form, HOSTS, title, sys.stdout)
    return list(hosts.levels)
