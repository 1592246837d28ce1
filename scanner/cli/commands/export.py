"""``mailsunset export``: hosts, sessions or deadlines, whole, to a file."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING, TextIO

import click

from scanner.cli import options
from scanner.cli.settings import InputError, Settings, dates, inventory, lens
from scanner.report import records, views
from scanner.report.formats import Format, write

if TYPE_CHECKING:
    from db.store import Inventory


@click.command("export")
@click.argument("what", type=click.Choice(["hosts", "sessions", "deadlines"]))
@options.lines
@click.option(
    "-o", "--output", metavar="FILE", help="Where to write; only the owner can read it.  [default: stdout]"
)
@click.pass_obj
def command(settings: Settings, what: str, form: str, output: str | None) -> None:
    """Write all hosts, sessions or deadlines."""
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
            _write(what, kept, settings, Format(form), out)
            out.flush()
        except OSError as fault:
            if output is None:  # what is still to be written there is dropped by ``main``
                raise
            raise click.ClickException(f"{output}: {fault.strerror}") from fault


def _write(what: str, kept: Inventory | None, settings: Settings, form: Format, out: TextIO) -> None:
    title = what.capitalize()
    if kept is None:
        rows = (records.deadline_record(row, settings.as_of) for row in dates(settings).values())
        write(rows, form, views.DEADLINES, title, out)
    elif what == "hosts":
        hosts = (records.host_record(*pair) for pair in kept.hosts(lens(settings)))
        write(hosts, form, views.HOSTS, title, out)
    else:
        sessions = map(records.session_record, kept.sessions())
        write(sessions, form, views.SESSIONS, title, out)
