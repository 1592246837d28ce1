"""``mailsunset deadlines``: what ends when."""

from __future__ import annotations

import sys

import click

from scanner.cli import options
from scanner.cli.settings import Settings, dates
from scanner.report.formats import Format, write
from scanner.report.records import deadline_record
from scanner.report.views import DEADLINES


@click.command("deadlines")
@options.table
@click.pass_obj
def command(settings: Settings, form: str) -> None:
    """List Microsoft's dates, with the days that are left."""
    records = (deadline_record(row, settings.as_of) for row in dates(settings).values())
    write(records, Format(form), DEADLINES, f"Deadlines as of {settings.as_of}", sys.stdout)
