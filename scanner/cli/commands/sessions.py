"""``mailsunset sessions``: what was seen, the newest first."""

from __future__ import annotations

import sys
from itertools import islice

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
@options.limit
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
    from db.queries import SessionFilter  # 150 ms that --help need not pay

    with inventory(settings) as kept:
        whose = kept.host(host) if host else None
        if host and whose is None:
            raise InputError(f"{host}: no such host in the inventory")
        most = options.rows_shown(form, limit)
        asked = SessionFilter(whose, protocol, mechanism, since, most and most + 1)
        records = map(session_record, kept.sessions(asked))
        write(islice(records, most), Format(form), SESSIONS, "Sessions", sys.stdout)
        if most and next(records, None):
            options.say_more(most, "the sessions")
