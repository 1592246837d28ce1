"""``mailsunset remedy``: what to do about each device, and a script for its mailboxes."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from scanner.account import Usernames
from scanner.cli import options
from scanner.cli.settings import InputError, Settings, catalogue_of, fail_on, inventory, lens, now
from scanner.model import Host, Level
from scanner.report.formats import Format, write
from scanner.report.records import remedy_record
from scanner.report.views import REMEDIES, rests_on, summed_up
from scanner.version import __version__

if TYPE_CHECKING:
    from db.store import Inventory
    from scanner.tenant import Tie


@click.command("remedy")
@options.table
@options.limit
@options.usernames
@options.fail_on
@click.option("--powershell", "file", metavar="FILE",
              help="Also write a script for mailboxes, which changes nothing without -Apply.")  # fmt: skip
@click.pass_obj
def command(
    settings: Settings, form: str, limit: int | None, usernames: str, threshold: str | None, file: str | None
) -> None:
    """Say what to do about each device that stops mailing: by date, then by effort."""
    from scanner.remedies import remedies

    with inventory(settings) as kept:
        found = list(kept.hosts(lens(settings)))
        said = remedies(found)
        ties, assets = kept.ties(), kept.assets()
        shown = said[: options.rows_shown(form, limit)]
        names = Usernames(usernames)
        records = (remedy_record(one, assets, ties, names) for one in shown)
        levels = [one.verdict.level for one in said]
        write(records, Format(form), REMEDIES, f"To do: {summed_up(levels)}", sys.stdout)
        if len(shown) < len(said):
            options.say_more(len(shown), f"{len(said)} hosts")
        if file:
            all_ties = [tie for some in ties.values() for tie in some]
            _save(file, _script(settings, kept, [host for host, _ in found], all_ties))
        fail_on(Level(threshold) if threshold else None, levels)


def _script(settings: Settings, kept: Inventory, hosts: Sequence[Host], ties: Sequence[Tie]) -> str:
    from scanner.mailbox_switches import decide, untied
    from scanner.report.powershell import script

    role = catalogue_of(settings).role
    return script(
        decide(hosts, ties, kept.mailboxes(), _last_used(kept), role),
        untied(hosts, ties, role),
        version=__version__,
        made=now(),
        as_of=settings.as_of.isoformat(),
        rests=rests_on([run.totals for run in kept.runs() if run.totals], kept.hours(), kept.scans()),
    )


def _last_used(kept: Inventory) -> dict[str, int]:
    """When the tenant knew of SMTP AUTH by each address last, ns: by its report, and by its log."""
    found: dict[str, int] = {}
    used = [(one.address, one.at) for one in kept.senders() if one.messages]
    used += [(one.user, one.at) for one in kept.sign_ins() if one.protocol == "smtp"]
    for address, at in used:
        found[address] = max(at, found.get(address, 0))
    return found


def _save(file: str, text: str) -> None:
    """For the owner alone, as it names mailboxes; with the mark by which old PowerShells know UTF-8."""
    try:
        number = os.open(file, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
        with os.fdopen(number, "w", encoding="utf-8-sig") as out:
            os.fchmod(number, 0o600)
            out.write(text)
    except OSError as fault:
        raise InputError(f"{file}: {fault.strerror}") from fault
    click.echo(f"{file}: read it, then run it; without -Apply it changes nothing", err=True)
