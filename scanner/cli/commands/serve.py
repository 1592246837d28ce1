"""``mailsunset serve``: the report live, for whom a sensor runs."""

from __future__ import annotations

import os
import secrets
import sys
from datetime import date
from typing import TYPE_CHECKING

import click

from scanner.cli import options
from scanner.cli.settings import InputError, Settings, as_date, inventory
from scanner.report.languages import Language

if TYPE_CHECKING:
    from scanner.serve.server import Place

TOKEN_LENGTH = 16
"""Characters of a token at least: who can reach the port can guess all day."""
TOKEN_BYTES = 24
BUSY_MS = 5_000
"""How long a reader waits for a database that somebody has locked whole."""


@click.command("serve")
@click.option("--bind", default="127.0.0.1:8080", show_default=True, metavar="ADDRESS:PORT",
              help="Listen here; port 0 is any that is free.")  # fmt: skip
@click.option("--token", metavar="TEXT", envvar="MAILSUNSET_TOKEN",
              help="Asked of browsers.  [default: made up; none if only this machine gets in]")  # fmt: skip
@click.option("--since", metavar="DATE", callback=as_date, help="Also what changed since this day.")
@options.language
@click.pass_context
def command(ctx: click.Context, bind: str, token: str | None, since: date | None, lang: str) -> None:
    """Serve the report to browsers, from the inventory as it is by now; nothing can be changed there.

    Ctrl-C and SIGTERM end it.
    """
    from scanner.cli.serving import source  # what it needs --help need not pay
    from scanner.report.page import policy
    from scanner.serve.app import application
    from scanner.serve.gate import Gate
    from scanner.serve.server import serve

    settings: Settings = ctx.obj
    if token is not None and len(token) < TOKEN_LENGTH:
        raise InputError(f"--token: a token has {TOKEN_LENGTH} characters or more")
    day = ctx.find_root().params["as_of"]
    with inventory(settings, read_only=True, busy_ms=BUSY_MS) as kept, kept.marks() as mark:
        place = _place(bind)
        made_up = None if token or place.is_local else secrets.token_urlsafe(TOKEN_BYTES)
        app = application(source(kept, mark, settings, day, Language(lang), since), policy(live=True))
        click.echo(f"{place.address}?token={made_up}" if made_up else place.address)
        sys.stdout.flush()
        serve(Gate(app, place.names, token or made_up, place.port), place)


def _place(bind: str) -> Place:
    from scanner.serve.server import listen

    address, _, port = bind.rpartition(":")
    if not address or not port.isascii() or not port.isdecimal() or int(port) >= 1 << 16:
        raise InputError(f"--bind: {bind!r} is not an address and a port like 127.0.0.1:8080")
    try:
        return listen(address.strip("[]"), int(port))
    except OSError as fault:
        why = os.strerror(fault.errno) if fault.errno and fault.errno > 0 else fault.strerror or fault
        raise InputError(f"--bind: {address}, port {port}: {why}") from None
