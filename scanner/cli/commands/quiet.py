"""``mailsunset quiet``: what mailed once and fell silent."""

from __future__ import annotations

import click

from scanner.cli import options
from scanner.cli.asking import saved
from scanner.cli.settings import Settings, as_days
from scanner.report.questions import QUIET


@click.command("quiet")
@click.option(
    "--for",
    "days",
    metavar="DAYS",
    default="30d",
    show_default=True,
    callback=as_days,
    help="Silent so long.",
)
@options.table
@options.limit
@options.fail_on
@click.pass_obj
def command(settings: Settings, days: int, form: str, limit: int | None, threshold: str | None) -> None:
    """List devices that mailed once and fell silent, up to the last packet that was heard of anybody.

    Beside it: how much of the silence was listened to, and how long the device was silent before between two
    of its sessions, or else between two on average. Up to twice that is usual for it.
    """
    saved(settings, QUIET, {"days": days}, form, limit, threshold)
