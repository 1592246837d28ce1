"""``mailsunset new``: what began to mail."""

from __future__ import annotations

from datetime import date

import click

from scanner.cli import options
from scanner.cli.asking import saved
from scanner.cli.settings import Settings, as_date
from scanner.report.questions import NEW


@click.command("new")
@click.option(
    "--since", metavar="DATE", required=True, callback=as_date, help="Heard first on this day or later."
)
@options.table
@options.limit
@options.fail_on
@click.pass_obj
def command(settings: Settings, since: date, form: str, limit: int | None, threshold: str | None) -> None:
    """List devices that were heard mailing for the first time on a day or later.

    Whoever mailed before anybody listened is new, too.
    """
    saved(settings, NEW, {"since": since.isoformat()}, form, limit, threshold)
