"""``mailsunset breaks``: what breaks before a day."""

from __future__ import annotations

from datetime import date

import click

from scanner.cli import options
from scanner.cli.asking import saved
from scanner.cli.settings import Settings, as_date
from scanner.report.questions import BREAKS


@click.command("breaks")
@click.option("--before", metavar="DATE", required=True, callback=as_date, help="Deadlines before this day.")
@options.table
@options.limit
@options.fail_on
@click.pass_obj
def command(settings: Settings, before: date, form: str, limit: int | None, threshold: str | None) -> None:
    """List devices that are broken, and those that break before a day."""
    saved(settings, BREAKS, {"before": before.isoformat()}, form, limit, threshold)
