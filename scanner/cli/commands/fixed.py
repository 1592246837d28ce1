"""``mailsunset fixed``: what would have broken, and does no more."""

from __future__ import annotations

from datetime import date

import click

from scanner.cli import options
from scanner.cli.asking import saved
from scanner.cli.settings import Settings, as_date
from scanner.report.questions import FIXED


@click.command("fixed")
@click.option("--since", metavar="DATE", required=True, callback=as_date, help="Fixed on this day or before.")
@options.table
@options.limit
@click.pass_obj
def command(settings: Settings, since: date, form: str, limit: int | None) -> None:
    """List devices that mailed in a way that is broken or breaks, and since a day only in ways that go on
    working, by no relay that is not fine.

    Also those that were not heard since then, if they are silent for longer than they ever were between two
    sessions; of a device that was heard once nobody knows.
    """
    saved(settings, FIXED, {"since": since.isoformat()}, form, limit)
