"""``mailsunset doctor``: is the mirror right, and this machine ready to watch it?"""

from __future__ import annotations

import re
import sys
from functools import partial
from io import StringIO
from typing import TYPE_CHECKING

import click

from scanner.cli import options
from scanner.cli.settings import InputError, Settings, catalogue_of
from scanner.report.formats import Format, write
from scanner.report.views import View

if TYPE_CHECKING:
    from scanner.report.records import Record
    from scanner.watch.examination import Examination
    from scanner.watch.findings import Finding
    from scanner.watch.visit import Opened

LONGEST_S = 86_400
TOLD_S = 10
"""How often it is said how far the test is."""
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600}
_SAMPLE: Record = {
    "check": "ä漢",
    "interface": None,
    "result": "ok",
    "text": "-",
    "advice": "",
    "details": [],
}
FINDINGS = View(
    tuple(_SAMPLE),
    {
        "check": lambda record: ": ".join(part for part in (record["interface"], record["check"]) if part),
        "result": lambda record: record["result"],
        "what was seen, and what to do": lambda record: [
            record["text"], *record["details"], *([f"-> {record['advice']}"] if record["advice"] else [])
        ],
    },
    frozenset({"check", "result"}),
)  # fmt: skip


def as_seconds(ctx: click.Context, param: click.Parameter, value: str) -> int:
    """Read a length of time as seconds."""
    found = re.fullmatch(r"([0-9]{1,6})([smh]?)", value)
    seconds = int(found[1]) * _UNITS[found[2]] if found else 0
    if not 1 <= seconds <= LONGEST_S:
        raise click.BadParameter(f"{value!r} is not a time up to a day like 60s or 10m")
    return seconds


@click.command("doctor")
@click.option("-i", "--interface", "interfaces", multiple=True, required=True, metavar="NAME",
              help="Listen here; may be given several times.")  # fmt: skip
@click.option("--for", "seconds", default="60s", show_default=True, metavar="TIME", callback=as_seconds,
              help="How long to listen, such as 90s or 10m.")  # fmt: skip
@click.option("--scapy", "portable", is_flag=True, default=sys.platform != "linux",
              help="Listen by way of scapy, as is done where Linux's rings are not.")  # fmt: skip
@options.table
@options.endpoints
@options.catalogue
@click.pass_obj
def command(settings: Settings, interfaces: tuple[str, ...], seconds: int, portable: bool, form: str) -> None:
    """Listen for a while, and tell what is wrong with the mirror port and what to do about it.

    Exit status: 0 nothing is wrong; 1 something should be mended; 2 it cannot be listened here.
    """
    from scanner.watch.diagnosis import diagnose, to_mend
    from scanner.watch.visit import visit
    from scanner.watch.wishes import Wishes

    names = tuple(dict.fromkeys(interfaces))
    opened = _open(settings, names, portable)
    click.echo(f"listening to {', '.join(names)} for {seconds} s; Ctrl-C ends it earlier", err=True)
    with Wishes() as wishes:
        evidence = visit(opened, seconds, wishes, _tell)
    found = diagnose(evidence)
    title = f"{', '.join(names)}, {evidence.seconds:.0f} s"
    write(map(record, found), Format(form), FINDINGS, title, sys.stdout)
    raise click.exceptions.Exit(1 if to_mend(found) else 0)


def _open(settings: Settings, names: tuple[str, ...], portable: bool) -> Opened:
    from scanner.capture.kernel_bpf import FilterRefused
    from scanner.capture.live import TapError
    from scanner.watch.privileges import PrivilegesError
    from scanner.watch.visit import Plan, open_all

    known = catalogue_of(settings)
    try:
        return open_all(Plan(names, settings.db, portable), known, _rehearse, partial(click.echo, err=True))
    except (TapError, FilterRefused, PrivilegesError) as fault:
        raise InputError(str(fault)) from None


def _rehearse() -> None:
    """Draw once for nobody: what that loads may be out of reach without privileges."""
    write([_SAMPLE], Format.TABLE, FINDINGS, "", StringIO())


def _tell(seconds: int, heard: Examination) -> None:
    if seconds % TOLD_S == 0:
        said = f"{seconds} s: {heard.looked_at:,} packets, {heard.connections:,} connections of mail"
        click.echo(said, err=True)


def record(finding: Finding) -> Record:
    """A finding as it is written."""
    return {
        "check": finding.check,
        "interface": finding.interface,
        "result": finding.grade.value,
        "text": finding.text,
        "advice": finding.advice,
        "details": list(finding.details),
    }
