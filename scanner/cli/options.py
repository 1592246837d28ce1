"""Options that several commands have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from scanner.cli.settings import as_time
from scanner.model import Level
from scanner.report.formats import Format

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
