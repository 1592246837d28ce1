"""``mailsunset import``: what the tenant's logs, its reports and the site's own lists tell."""

from __future__ import annotations

import csv
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from datetime import UTC, tzinfo
from itertools import chain
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from scanner.cli import options
from scanner.cli.progress import progress
from scanner.cli.settings import InputError, Settings, inventory
from scanner.importers.family import Fact, Kind, Rejected, Terms, UnreadableFileError
from scanner.importers.reading import Reading
from scanner.importers.times import zone_of
from scanner.model import LEASE, Sighting
from scanner.report.escape import cell, visible
from scanner.report.formats import Format, write
from scanner.report.records import Record
from scanner.report.views import IMPORTS

if TYPE_CHECKING:
    from db.store import Inventory

REJECTS_TOLD = 5
"""Rows of a file that could not be read; ``--rejects`` writes all."""
_ZONELESS = "its times tell no zone, and are taken as UTC; --zone says otherwise"
Told = Callable[[str, Rejected], None]


def _as_zone(ctx: click.Context, param: click.Parameter, value: str | None) -> tzinfo | None:
    if value is None:
        return None
    try:
        return zone_of(value) or ZoneInfo(value)
    except (OSError, ValueError, KeyError):
        raise click.BadParameter(f"{value!r} is not a zone like Europe/Berlin or +01:00") from None


@click.command("import")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@options.table
@click.option(
    "--kind", type=click.Choice([kind.value for kind in Kind]), help="What the files are.  [default: as seen]"
)
@click.option(
    "--zone",
    metavar="ZONE",
    callback=_as_zone,
    help="Of times without one, such as Europe/Berlin or +01:00.  [default: UTC]",
)
@click.option(
    "--dates", type=click.Choice(["dmy", "mdy"]), help="Order of dates like 1/2/2026.  [default: as seen]"
)
@click.option("--rejects", metavar="FILE", help="Where to write rows that cannot be read, as CSV.")
@click.pass_obj
def command(
    settings: Settings,
    files: tuple[str, ...],
    form: str,
    kind: str | None,
    zone: tzinfo | None,
    dates: str | None,
    rejects: str | None,
) -> None:
    """Take in sign-in logs, the report of SMTP AUTH clients, lists of mailboxes, DHCP leases, and assets.

    What a FILE is shows by its content; the same one again changes nothing.
    """
    terms = Terms(0, zone or UTC, dates == "dmy" if dates else None)
    asked, faults, records = Kind(kind) if kind else None, 0, list[Record]()
    with ExitStack() as stack:
        told = _rejects(stack, rejects, files)
        kept = stack.enter_context(inventory(settings, create=True))
        shown = stack.enter_context(progress(files))
        for path in files:
            try:
                reading = Reading(path, terms, asked)
                if reading.zoneless and zone is None:
                    click.echo(visible(f"mailsunset: {path}: {_ZONELESS}"), err=True)
                records.append(_imported(kept, path, reading, shown(reading), told))
            except UnreadableFileError as fault:
                faults += 1
                click.echo(visible(f"mailsunset: {path}: {fault}"), err=True)
    if records:
        write(records, Format(form), IMPORTS, "Imported", sys.stdout)
    if faults:
        raise click.exceptions.Exit(1 if records else 2)


def _imported(
    kept: Inventory, path: str, reading: Reading, batches: Iterable[list[Fact]], told: Told
) -> Record:
    """Take in one file."""
    rejected = facts = 0

    def each() -> Iterator[list[Fact]]:
        nonlocal rejected, facts
        for batch in batches:
            for row in reading.rejected:
                rejected += 1
                told(path, row)
            facts += len(batch)
            yield batch

    found: Any = chain.from_iterable(each())
    match reading.family.kind:
        case Kind.SIGN_INS:
            new = kept.add_sign_ins(found)
        case Kind.MAILBOXES:
            new = kept.add_mailboxes(found)
        case Kind.SENDERS:
            new = kept.add_senders(found)
        case Kind.ASSETS:
            new = kept.add_assets(found)
        case Kind.LEASES:
            new, facts = _leases(kept, each())
    return {
        "file": path,
        "kind": reading.family.kind,
        "what": reading.family.what,
        "rows": reading.rows,
        "new": new,
        "known": facts - new,
        "useless": reading.useless,
        "rejected": rejected,
        "unknown_columns": list(reading.unknown),
    }


def _leases(kept: Inventory, batches: Iterable[Any]) -> tuple[int, int]:
    """Keep leases as if they had been heard; tells of how many addresses and cards, new ones and all."""
    before = {(one.ip, one.mac) for one in kept.leases()}
    found = set[tuple[str, str]]()
    for batch in batches:
        some: list[Sighting] = batch
        kept.record(0, (), some)
        found.update((one.ip, one.mac) for one in some if one.field == LEASE)
    return len(found - before), len(found)


def _rejects(stack: ExitStack, path: str | None, files: Iterable[str]) -> Told:
    """What is told of each row that cannot be read: writes it, or says the first few."""
    if path is None:
        counts = dict[str, int]()

        def say(file: str, row: Rejected) -> None:
            counts[file] = counts.get(file, 0) + 1
            if counts[file] <= REJECTS_TOLD:
                click.echo(visible(f"mailsunset: {file}, line {row.line}: {row.why}"), err=True)
            elif counts[file] == REJECTS_TOLD + 1:
                click.echo(visible(f"mailsunset: {file}: and more; --rejects FILE writes all"), err=True)

        return say
    if os.path.exists(path) and any(os.path.exists(one) and os.path.samefile(one, path) for one in files):
        raise InputError(f"{path}: it would be written over while it is read")
    try:
        number = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
        os.fchmod(number, 0o600)
    except OSError as fault:
        raise InputError(f"{path}: {fault.strerror}") from fault
    rows = csv.writer(stack.enter_context(os.fdopen(number, "w", encoding="utf-8")), lineterminator="\n")
    rows.writerow(("file", "line", "why", "row"))
    return lambda file, row: rows.writerow((cell(file), row.line, cell(row.why), cell(row.text)))
