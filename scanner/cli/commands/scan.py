"""``mailsunset scan``: find machines in a subnet, and ask them what they offer."""

from __future__ import annotations

import os
import re
import sys
from contextlib import closing
from functools import partial
from pathlib import Path
from socket import getaddrinfo, gethostname
from typing import TYPE_CHECKING, Any

import click

from scanner.cli import options
from scanner.cli.progress import asking
from scanner.cli.settings import InputError, Settings, inventory, now
from scanner.net import number
from scanner.report.formats import Format, write, write_lines
from scanner.report.services import CHANGES, SERVICES, change_record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from db.store import Inventory
    from scanner.cli.scanning import Scanning, Wish
    from scanner.probe.scope import Scope
    from scanner.report.records import Record
    from scanner.services import ScanPlan

RATE, PER_HOST = 200, 4
"""Connections a second, in all and to one host, unless the user says otherwise: a busy office makes those."""
MOST_PORTS = 1024
SELF = "mailsunset"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_MAILBOX = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,255}")
_PRINTS = range(9100, 9108)
"""Ports where many a printer prints whatever it is sent (nmap's documentation, "Excluded ports")."""


def as_ports(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[int, ...]:
    """Read ports as ``25,587`` or ``8000-8010``; the usual ones if none are given."""
    from scanner.probe.errand import WAYS

    if value is None:
        return tuple(sorted(WAYS))
    found: list[int] = []
    for part in value.split(","):
        first, dash, last = part.strip().partition("-")
        ends = (first, last if dash else first)
        if not all(end.isascii() and end.isdecimal() and 1 <= int(end) <= 65535 for end in ends):
            raise click.BadParameter(f"{part.strip()!r} is not a port, or a range of them like 8000-8010")
        found += range(int(ends[0]), int(ends[1]) + 1)
    if forbidden := next((port for port in found if port in _PRINTS), None):
        raise click.BadParameter(f"{forbidden}: printers print what they are sent there; see --pjl")
    ports = tuple(dict.fromkeys(found))
    if not 0 < len(ports) <= MOST_PORTS:
        raise click.BadParameter(f"{len(ports):,} ports: from 1 to {MOST_PORTS:,} can be asked")
    return ports


def as_name(ctx: click.Context, param: click.Parameter, value: str | None) -> str:
    """Read what we call ourselves beside our name."""
    if value is None:
        return SELF
    if not _NAME.fullmatch(value) or len(value) > 200:
        raise click.BadParameter(f"{value!r} is not a host name like audit.example.com")
    return f"{SELF}.{value}"


def as_mailbox(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """Read a mail address."""
    if value is not None and not _MAILBOX.fullmatch(value):
        raise click.BadParameter(f"{value!r} is not a mail address")
    return value


@click.command("scan")
@click.argument("targets", nargs=-1, required=True, metavar="TARGET...")
@click.option("--exclude", "excludes", multiple=True, metavar="TARGET", help="Never touch these.")
@click.option("--ports", metavar="LIST", callback=as_ports, help="Ask these ports, such as 25,587,8000-8010.")
@click.option("--allow-public", is_flag=True, help="Also scan addresses that are not private.")
@click.option("--yes", is_flag=True, help="Really scan more addresses than a /16 has.")
@click.option("--dry-run", is_flag=True, help="Print what would be asked, and touch nothing.")
@click.option("--rate", type=click.IntRange(min=0), default=RATE, show_default=True, metavar="N",
              help="Connections a second; 0: as fast as it goes.")  # fmt: skip
@click.option("--per-host", type=click.IntRange(min=0), metavar="N",
              help=f"Likewise to one host.  [default: {PER_HOST}; with --rate 0 no limit]")  # fmt: skip
@click.option("--name", metavar="NAME", callback=as_name, help="Say in EHLO that we are mailsunset.NAME.")
@click.option("--quick", is_flag=True, help="Only what is offered, neither TLS versions nor makes.")
@click.option("--every-port", is_flag=True, help="Ask all ports of addresses that answer to no knock, too.")
@click.option("--snmp", is_flag=True, help="Ask by SNMP with the community 'public'.")
@click.option("--community", "communities", multiple=True, metavar="TEXT", help="Ask by SNMP with this.")
@click.option("--pjl", is_flag=True, help="Ask printers at port 9100; some print the question.")
@click.option("--relay-test", "relay", metavar="ADDRESS", callback=as_mailbox,
              help="Try whether servers take mail from and to this address; none is sent.")  # fmt: skip
@click.option("--resume", is_flag=True, help="Go on with a scan of these targets that was interrupted.")
@click.option("--diff", "compare", is_flag=True, help="Tell what changed since the last such scan.")
@options.table
@options.no_db
@options.sensor
@click.pass_obj
def command(
    settings: Settings,
    /,
    targets: tuple[str, ...],
    excludes: tuple[str, ...],
    allow_public: bool,
    yes: bool,
    dry_run: bool,
    resume: bool,
    compare: bool,
    form: str,
    **how: Any,
) -> None:
    """Find machines among TARGETs, and ask what their mail and web ports offer.

    A TARGET is an address, a prefix, a range (192.0.2.10-20), a name, @FILE with one a line, or - for stdin.
    Nobody is logged in, no mail is sent and no page is printed.
    """
    from scanner.probe.presence import Presence

    scope = _scope(targets, excludes, allow_public, yes)
    presence = None if dry_run else Presence(scope)  # before more is loaded, for it makes a process
    from scanner.cli.scanning import Scanning, comparable

    wish = _wish(**how)
    for line in wish.told(scope, presence):
        click.echo(line, err=True)
    if presence:
        with closing(presence), inventory(settings, create=True) as kept:
            plan = wish.plan(scope, targets, excludes, int.from_bytes(os.urandom(4), "big"))
            if compare and not any(comparable(kept, plan)):
                raise InputError("--diff: no scan of these targets and ports was finished before")
            begun = partial(Scanning, scope, presence, wish, kept, give_up=partial(_give_up, settings.db))
            scanning = _begun(kept, begun, plan, settings.sensor or gethostname(), resume)
            _scan(scanning, kept, Format(form), compare)


def _wish(rate: int, per_host: int | None, snmp: bool, communities: tuple[str, ...], **how: Any) -> Wish:
    """How to ask, with what follows from other options."""
    from scanner.cli.scanning import Wish

    each = (PER_HOST if rate else 0) if per_host is None else per_host
    return Wish(rate=rate, per_host=each, communities=(("public",) if snmp else ()) + communities, **how)


def _give_up(db: str) -> None:
    """Become somebody who may write the inventory and nothing else that root may."""
    from scanner.watch.privileges import drop, identity, keeper

    place = os.getcwd() if "://" in db.removeprefix("sqlite:///") else db.removeprefix("sqlite:///")
    if said := drop(keeper(place, identity(None))):
        click.echo(said, err=True)


def _begun(
    kept: Inventory, begun: Callable[..., Scanning], plan: ScanPlan, sensor: str, resume: bool
) -> Scanning:
    """A scan that begins, or goes on where one was interrupted."""
    if not resume:
        return begun(run=kept.begin_scan(sensor, plan, now()), plan=plan)
    before = kept.unfinished_scan(plan)
    if before is None:
        raise InputError("--resume: the last scan of these targets and ports was finished, or there was none")
    if before.plan.addresses != plan.addresses:
        raise InputError("--resume: the targets' names have other addresses now; scan anew")
    click.echo(f"goes on at address {before.done + 1:,} of {plan.addresses:,}", err=True)
    return begun(run=before.id, plan=before.plan, before=before)


def _scan(scanning: Scanning, kept: Inventory, form: Format, compare: bool) -> None:
    """Scan, and write what is found: as it comes where that can be."""
    lines = form is Format.NDJSON and not compare
    found: list[Record] = []

    def seen(records: list[Record]) -> None:
        if lines:
            write_lines(records, sys.stdout)
        else:
            found.extend(records)

    def told(done: int, said: str) -> None:
        shown(done, said)
        sys.stdout.flush()

    with asking(len(scanning.scope)) as shown:
        scanning.run(seen, told)
    if compare and scanning.finished:
        write(map(change_record, scanning.changes()), form, CHANGES, "Changes", sys.stdout)
    elif not (lines or compare):
        if form is Format.TABLE:
            found = [one for one in found if one["outcome"] not in ("refused", "filtered")]
        found.sort(key=lambda one: (number(one["host"]), one["port"]))
        write(found, form, SERVICES, "Services", sys.stdout)
    for line in scanning.told():
        click.echo(line, err=True)
    if not scanning.finished:
        raise click.exceptions.Exit(1)


def _scope(targets: tuple[str, ...], excludes: tuple[str, ...], allow_public: bool, yes: bool) -> Scope:
    from scanner.probe.scope import Scope
    from scanner.probe.targets import ScopeError, written

    try:
        named, cut = written(targets, _lines), written(excludes, _lines)
        return Scope(named, cut, resolve=_addresses, allow_public=allow_public, yes=yes)
    except ScopeError as fault:
        raise InputError(str(fault)) from None


def _lines(file: str) -> Iterable[str]:
    return sys.stdin if file == "-" else Path(file).read_text("utf-8").splitlines()


def _addresses(name: str) -> Iterable[str]:
    return dict.fromkeys(str(found[4][0]) for found in getaddrinfo(name, None))
