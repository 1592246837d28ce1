"""``mailsunset sessions``: what was seen, the newest first."""

from __future__ import annotations

import sys

import click

from scanner.cli import options
from scanner.cli.settings import InputError, Settings, inventory
from scanner.report.formats import Format, write
from scanner.report.records import session_record
from scanner.report.views import SESSIONS


@click.command("sessions")
@options.table
@click.option("--host", metavar="HOST", help="Only those of this host: a MAC, an address or a name.")
@options.protocol
@options.mechanism
@options.since
@click.option("--limit", type=click.IntRange(min=1), help="At most so many.")
@click.pass_obj
def command(
    settings: Settings,
    form: str,
    host: str | None,
    protocol: str | None,
    mechanism: str | None,
    since: int | None,
    limit: int | None,
) -> None:
    """List sessions."""
    from db import SessionFilter  # 150 ms that --help need not pay

    with inventory(settings) as kept:
        whose = kept.host(host) if host else None
        if host and whose is None:
            raise InputError(f"{host}: no such host in the inventory")
        found = kept.sessions(SessionFilter(whose, protocol, mechanism, since, limit))
        write(map(session_record, found), Format(form), SESSIONS, "Sessions", sys.stdout)
