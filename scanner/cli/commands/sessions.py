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
    from db.filters import Lens  # 150 ms that --help need not pay
    from db.queries import SessionFilter

    with inventory(settings) as kept:
        found = kept.host(host, Lens()) if host else None
        if host and found is None:
            raise InputError(f"{host}: no such host in the inventory")
        whose = found[0] if found else None
        most = options.rows_shown(form, limit)
        asked = SessionFilter(whose, protocol, mechanism, since, most and most + 1)
        records = map(session_record, kept.sessions(asked))
        write(islice(records, most), Format(form), SESSIONS, "Sessions", sys.stdout)
        if most and next(records, None):
            options.say_more(most, "the sessions")
