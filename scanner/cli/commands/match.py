"""``mailsunset match``: whose mailbox each device uses."""

from __future__ import annotations

import sys

import click

from scanner.account import Usernames
from scanner.cli import options
from scanner.cli.settings import Settings, as_time, inventory, lens
from scanner.report.formats import Format, write
from scanner.report.mailboxes import TIES, tie_record


@click.command("match")
@options.table
@click.option("--since", metavar="DATE", callback=as_time, help="Only by logins of this day and later.")
@options.usernames
@click.pass_obj
def command(settings: Settings, form: str, since: int | None, usernames: str) -> None:
    """Tie devices to mailboxes by sign-in logs that were imported, and keep the result."""
    from db.filters import HostFilter  # 150 ms that --help need not pay
    from scanner.match.ties import ties

    with inventory(settings) as kept:
        sign_ins, logins = list(kept.sign_ins(since or 0)), list(kept.logins(since or 0))
        found = ties(logins, sign_ins)
        kept.keep_ties(found)
        known = kept.hosts(lens(settings), HostFilter(silent=True)).named({tie.host for tie in found})
    users = {one.user for one in sign_ins}
    hosts = {one.host for one in logins}
    click.echo(
        f"{len(sign_ins):,} sign-ins of {len(users):,} users, {len(logins):,} logins of {len(hosts):,} "
        f"devices: {len({tie.host for tie in found}):,} devices tied to {len({tie.user for tie in found}):,}",
        err=True,
    )
    if not sign_ins:
        click.echo("mailsunset: there are no sign-ins to compare with; 'import' takes them in", err=True)
    records = (tie_record(tie, Usernames(usernames), known.get(tie.host)) for tie in found)
    write(records, Format(form), TIES, "Mailboxes", sys.stdout)
