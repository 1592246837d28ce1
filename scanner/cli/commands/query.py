"""``mailsunset query``: the user's own questions, in SQL."""

from __future__ import annotations

import sys

import click

from scanner.cli import options
from scanner.cli.asking import answer
from scanner.cli.settings import Settings
from scanner.report.formats import Format, write
from scanner.report.tables import TABLES
from scanner.report.views import COLUMNS


@click.command("query")
@click.argument("statement", metavar="[SELECT …]", required=False)
@options.table
@options.limit
@click.pass_obj
def command(settings: Settings, statement: str | None, form: str, limit: int | None) -> None:
    """Answer a SELECT in SQLite's SQL on the views v_devices, v_usage, v_sessions, v_services, v_deadlines
    and v_runs; without one, list their columns.

    Nothing can be written by it. The README has examples.
    """
    if statement is not None:
        answer(settings, statement, form, limit)
        return
    records = (
        {"view": table.name, "column": column.name, "type": column.kind, "means": column.means}
        for table in TABLES.values()
        for column in table.columns
    )
    write(records, Format(form), COLUMNS, "Columns of views", sys.stdout)
