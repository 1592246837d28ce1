"""``mailsunset hosts``: the inventory, the worst first."""

from __future__ import annotations

import sys

import click

from scanner.account import Usernames
from scanner.cli import options
from scanner.cli.settings import Settings, fail_on, inventory, lens
from scanner.model import Level
from scanner.report.formats import Format, write
from scanner.report.records import host_record
from scanner.report.views import HOSTS, rests_on, summed_up


@click.command("hosts")
@options.table
@click.option("--verdict", type=click.Choice([level.value for level in Level]), help="Only these.")
@options.protocol
@options.mechanism
@click.option("--vendor", metavar="TEXT", help="Only hosts whose maker's name holds this.")
@click.option("--behind", metavar="RELAY", help="Only hosts whose mail passes this MAC, address or name.")
@click.option("--all", "silent", is_flag=True, help="Also machines that were heard of and never mailed.")
@options.since
@options.where
@options.limit
@options.usernames
@options.fail_on
@click.pass_obj
def command(
    settings: Settings,
    form: str,
    verdict: str | None,
    protocol: str | None,
    mechanism: str | None,
    vendor: str | None,
    behind: str | None,
    silent: bool,
    since: int | None,
    where: str | None,
    limit: int | None,
    usernames: str,
    threshold: str | None,
) -> None:
    """List hosts with what becomes of them, and why."""
    from db.filters import HostFilter  # 150 ms that --help need not pay

    level = Level(verdict) if verdict else None
    wanted = HostFilter(level, protocol, mechanism, vendor, since, where, behind, silent)
    with inventory(settings) as kept:
        found = kept.hosts(lens(settings), wanted)
        shown = found[: options.rows_shown(form, limit)]
        title = f"Hosts: {summed_up(found.levels)}"
        assets, ties, names = kept.assets(), kept.ties(), Usernames(usernames)
        records = (host_record(*pair, settings.as_of, assets, ties, names) for pair in shown)
        write(records, Format(form), HOSTS, title, sys.stdout)
        if len(shown) < len(found):
            options.say_more(len(shown), f"{len(found)} hosts")
        if form == Format.TABLE:
            heard = [run.totals for run in kept.runs() if run.totals]
            click.echo(rests_on(heard, kept.hours(), kept.scans()), err=True)
        fail_on(Level(threshold) if threshold else None, found.levels)
