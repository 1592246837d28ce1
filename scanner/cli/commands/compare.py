"""``mailsunset compare``: what tshark's dissectors read otherwise than we do."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator

import click

from scanner.capture import UnreadableCapture
from scanner.cli import options
from scanner.cli.settings import FOUND, Settings, catalogue_of
from scanner.compare import Session, Tally, compare, session
from scanner.model import Observation
from scanner.report.formats import Format, write
from scanner.report.records import Record, difference_record
from scanner.report.views import DIFFERENCES


@click.command("compare")
@click.argument("captures", nargs=-1, required=True, metavar="CAPTURE...")
@options.table
@options.endpoints
@options.catalogue
@options.usernames
@click.option("--fail-on-difference", is_flag=True, help="Exit with 10 if anything differs.")
@click.pass_obj
def command(
    settings: Settings, captures: tuple[str, ...], form: str, usernames: str, fail_on_difference: bool
) -> None:
    """Read captures twice, by our engine and by tshark's, and list where sessions differ."""
    from scanner.account import Usernames  # NumPy costs 200 ms that --help need not pay
    from scanner.capture.file import CaptureFile
    from scanner.cli.sources import meant, second_opinion
    from scanner.dissection.streams import MAX_STREAMS
    from scanner.pipeline import Pipeline

    known, treated, paths = catalogue_of(settings), Usernames(usernames), meant(captures)
    theirs = second_opinion(known, "", treated, captures, MAX_STREAMS)
    ours = Pipeline(known, "", treated)

    def read_ours(path: str) -> Iterator[list[Observation]]:
        with CaptureFile(path) as capture:
            yield from ours.read(capture, path)

    tally = Tally()
    records: list[Record] = []
    faults: list[UnreadableCapture] = []
    for path in paths:  # its sessions are held, a line's worth each, until both have read it
        found, counted = compare(*(_sessions(read, path, faults) for read in (read_ours, theirs.read)))
        records += [difference_record(path, one) for one in found]
        tally = tally.plus(counted)
    write(records, Format(form), DIFFERENCES, "Differences", sys.stdout)
    click.echo(_summed_up(tally), err=True)
    if faults:
        raise click.exceptions.Exit(1)
    if fail_on_difference and not tally.agreed:
        raise click.exceptions.Exit(FOUND)


def _sessions(
    read: Callable[[str], Iterator[list[Observation]]], path: str, faults: list[UnreadableCapture]
) -> list[Session]:
    """Read a capture; a fault of it is told once an engine, and what was read before that is compared."""
    found: list[Session] = []
    try:
        for seen in read(path):
            found.extend(map(session, seen))
    except UnreadableCapture as fault:
        faults.append(fault)
        click.echo(f"mailsunset: {fault}", err=True)
    return found


def _summed_up(tally: Tally) -> str:
    alone = f"{tally.only_ours} only ours, {tally.only_tshark} only tshark's"
    return f"{tally.compared} sessions compared: {tally.equal} equal, {tally.differing} differing; {alone}"
