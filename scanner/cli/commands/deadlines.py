"""``mailsunset deadlines``: what ends when."""

from __future__ import annotations

import sys

import click

from scanner.cli import options
from scanner.cli.settings import InputError, Settings
from scanner.report.formats import Format, write
from scanner.report.views import DEADLINES


@click.command("deadlines")
@options.table
@click.pass_obj
def command(settings: Settings, form: str) -> None:
    """List Microsoft's dates, with the days that are left."""
    from scanner.catalogue.retirement import BadRetirementError, load_retirement

    try:
        rows = load_retirement(settings.retirement).deadlines()
    except BadRetirementError as fault:
        raise InputError(str(fault)) from fault
    found = [
        {
            "id": row.id,
            "date": row.date.isoformat() if row.date else None,
            "days": (row.date - settings.as_of).days if row.date else None,
            "what": row.what,
            "applies": row.applies,
            "source": row.source,
            "checked": row.checked.isoformat(),
            "confidence": row.confidence,
        }
        for row in rows
    ]
    write(found, Format(form), DEADLINES, f"Deadlines as of {settings.as_of}", sys.stdout)
