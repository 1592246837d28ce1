"""``mailsunset export``: hosts or sessions, whole, to a file."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack

import click

from scanner.cli import options
from scanner.cli.settings import InputError, Settings, inventory, judge
from scanner.report.formats import Format, write
from scanner.report.records import host_record, session_record
from scanner.report.views import HOSTS, SESSIONS


@click.command("export")
@click.argument("what", type=click.Choice(["hosts", "sessions"]))
@options.lines
@click.option(
    "-o", "--output", metavar="FILE", help="Where to write; only the owner can read it.  [default: stdout]"
)
@click.pass_obj
def command(settings: Settings, what: str, form: str, output: str | None) -> None:
    """Write all hosts, or all sessions."""
    from scanner.net import vendor  # NumPy costs 200 ms that --help need not pay

    with ExitStack() as stack:
        kept = stack.enter_context(inventory(settings))
        out = sys.stdout
        if output:
            try:
                number = os.open(output, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
            except OSError as fault:
                raise InputError(f"{output}: {fault.strerror}") from fault
            out = stack.enter_context(os.fdopen(number, "w", encoding="utf-8"))
        if what == "hosts":
            hosts = kept.hosts(judge(settings), vendor=vendor)
            write((host_record(*pair) for pair in hosts), Format(form), HOSTS, "Hosts", out)
        else:
            write(map(session_record, kept.sessions()), Format(form), SESSIONS, "Sessions", out)
