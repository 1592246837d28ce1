"""``mailsunset export``: hosts, sessions or deadlines, whole, to a file; or all of it for Datasette."""

from __future__ import annotations

import json
import os
import sys
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from scanner.account import Usernames
from scanner.cli import options
from scanner.cli.settings import InputError, Settings, dates, inventory, lens
from scanner.report import records, views
from scanner.report.formats import Format, write

if TYPE_CHECKING:
    from db.store import Inventory


@click.command("export")
@click.argument("what", type=click.Choice(["hosts", "sessions", "deadlines", "datasette"]))
@click.argument("folder", required=False)
@options.lines
@click.option(
    "-o", "--output", metavar="FILE", help="Where to write; only the owner can read it.  [default: stdout]"
)
@options.usernames
@click.pass_obj
def command(
    settings: Settings, what: str, folder: str | None, form: str, output: str | None, usernames: str
) -> None:
    """Write all hosts, sessions or deadlines; or the views of 'query' into a FOLDER for Datasette."""
    if (what == "datasette") != (folder is not None):
        raise click.UsageError("'export datasette' takes a folder, and nothing else does")
    if folder is not None:
        _for_datasette(settings, Path(folder))
        return
    with ExitStack() as stack:
        kept = stack.enter_context(inventory(settings)) if what != "deadlines" else None
        out: TextIO = sys.stdout
        if output:
            try:
                number = os.open(output, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
                os.fchmod(number, 0o600)
            except OSError as fault:
                raise InputError(f"{output}: {fault.strerror}") from fault
            out = stack.enter_context(os.fdopen(number, "w", encoding="utf-8"))
        try:
            _write(what, kept, settings, Format(form), Usernames(usernames), out)
            out.flush()
        except OSError as fault:
            if output is None:  # what is still to be written there is dropped by ``main``
                raise
            raise click.ClickException(f"{output}: {fault.strerror}") from fault


def _write(
    what: str, kept: Inventory | None, settings: Settings, form: Format, usernames: Usernames, out: TextIO
) -> None:
    title = what.capitalize()
    if kept is None:
        rows = (records.deadline_record(row, settings.as_of) for row in dates(settings).values())
        write(rows, form, views.DEADLINES, title, out)
    elif what == "hosts":
        assets, ties, day = kept.assets(), kept.ties(), settings.as_of
        listed = kept.hosts(lens(settings))
        hosts = (records.host_record(*pair, day, assets, ties, usernames) for pair in listed)
        write(hosts, form, views.HOSTS, title, out)
    else:
        sessions = map(records.session_record, kept.sessions())
        write(sessions, form, views.SESSIONS, title, out)


def _for_datasette(settings: Settings, folder: Path) -> None:
    """Write what ``datasette FOLDER`` shows; a file that was there is replaced when all is written."""
    from db.asking import Sandbox
    from scanner.cli.asking import fill
    from scanner.report.datasette import DATABASE, SETTINGS, metadata
    from scanner.report.tables import TABLES

    part = folder / f"{DATABASE}.part"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        part.unlink(missing_ok=True)
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        made = Sandbox({name: table.kinds for name, table in TABLES.items()}, str(part.absolute()))
        with inventory(settings) as kept, made as box:
            fill(box, kept, settings, TABLES)
            kept.lend_sessions(box, copy=True)
            for table in TABLES.values():
                for column in table.indexed:
                    box.index(table.name, column)
        for name, told in (("metadata", metadata(settings.as_of)), ("settings", SETTINGS)):
            (folder / f"{name}.json").write_text(json.dumps(told, indent=2) + "\n", "utf-8")
        part.replace(folder / f"{DATABASE}.db")
    except OSError as fault:
        raise click.ClickException(f"{folder}: {fault.strerror}") from fault
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
    click.echo(f"written; 'datasette {folder}' shows it", err=True)
