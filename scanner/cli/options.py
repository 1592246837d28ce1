"""Options that several commands have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import click

from scanner.cli.settings import IN_MEMORY, KEEP_DAYS, as_time, as_where, days
from scanner.model import Level
from scanner.report.formats import Format
from scanner.report.languages import LANGUAGES

Decorated = Callable[..., Any]


def _format(default: Format) -> Callable[[Decorated], Decorated]:
    names = [form.value for form in Format]
    return click.option(
        "--format",
        "form",
        type=click.Choice(names),
        default=default.value,
        show_default=True,
        help="How to write.",
    )


table = _format(Format.TABLE)
lines = _format(Format.NDJSON)
fail_on = click.option(
    "--fail-on",
    "threshold",
    type=click.Choice([level.value for level in Level]),
    help="Exit with 10 if a host is this bad or worse.",
)
protocol = click.option(
    "--protocol", type=click.Choice(["smtp", "imap", "pop3", "http"]), help="Only this one."
)
mechanism = click.option("--mechanism", metavar="NAME", help="Only logins by this, such as LOGIN.")
since = click.option(
    "--since", metavar="DATE", callback=as_time, help="Only what was seen on this day or later."
)
where = click.option(
    "--where",
    metavar="TEXT|PREFIX",
    callback=as_where,
    help="Only hosts in this prefix, or with this in a name or address.",
)
limit = click.option("--limit", type=click.IntRange(min=1), help="At most so many.")
language = click.option(
    "--lang",
    type=click.Choice(LANGUAGES),
    default="en",
    show_default=True,
    help="Language of what people read.",
)
OURS, TSHARK = "mailsunset", "tshark"
engine = click.option(
    "--engine",
    type=click.Choice([OURS, TSHARK]),
    default=OURS,
    show_default=True,
    help="Who dissects; tshark reads files only, and slowly.",
)


def _setting(
    name: str, field: str, merged: Callable[[Any, Any], Any] = lambda _, given: given, **how: Any
) -> Callable[[Decorated], Decorated]:
    """An option that goes before what the user's file says; a command finds it among its settings.

    ``merged`` makes a setting of what it was and what is given.
    """

    def settle(ctx: click.Context, param: click.Parameter, given: Any) -> None:
        if given not in (None, (), False):
            ctx.obj = replace(ctx.obj, **{field: merged(getattr(ctx.obj, field), given)})

    return click.option(name, callback=settle, expose_value=False, **how)


no_db = _setting("--no-db", "db", lambda *_: IN_MEMORY, is_flag=True, help="Write nothing to the inventory.")
endpoints = _setting(
    "--endpoint",
    "endpoints",
    lambda known, given: (*known, *given),
    multiple=True,
    metavar="NAME|ADDRESS|PREFIX",
    help="Treat this as Exchange Online, too: hybrid servers, proxies, labs.",
)
catalogue = _setting(
    "--catalogue", "catalogue", metavar="FILE", help="Other names and prefixes, as TOML or Microsoft's JSON."
)
retirement = _setting("--retirement", "retirement", metavar="FILE", help="Another table of dates.")
sensor = _setting(
    "--sensor", "sensor", metavar="NAME", help="Where this was captured.  [default: this machine's name]"
)
keep_sessions = _setting(
    "--keep-sessions",
    "keep_days",
    lambda _, given: days(given),
    metavar="DAYS",
    help=f"Forget sessions of runs longer ago, such as 30d, or forever.  [default: {KEEP_DAYS}d]",
)
usernames = click.option(
    "--usernames",
    type=click.Choice(["keep", "mask", "drop"]),
    default="mask",
    show_default=True,
    help="What becomes of user names.",
)
TABLE_ROWS = 1000
"""Rows of a table where no ``--limit`` is given: nobody reads more, and drawing takes a millisecond a row."""


def rows_shown(form: str, asked: int | None) -> int | None:
    """How many rows to write; None: all, for whom a program reads."""
    return asked or (TABLE_ROWS if form == Format.TABLE else None)


def say_more(shown: int, of: str) -> None:
    """Tell on stderr that a list was cut."""
    click.echo(f"{shown} of {of} are shown; --limit or another --format shows more", err=True)
