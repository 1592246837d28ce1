"""``mailsunset compare``: what tshark's dissectors read otherwise than we do."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import click

from scanner.cli import options
from scanner.cli.settings import FOUND, Settings, catalogue_of
from scanner.report.formats import Format, write
from scanner.report.records import Record, difference_record
from scanner.report.views import DIFFERENCES

if TYPE_CHECKING:
    from scanner.compare import Session, Tally
    from scanner.dissection.streams import SecondOpinion
    from scanner.pipeline import Pipeline


@click.command("compare")
@click.argument("captures", nargs=-1, required=True, metavar="CAPTURE...")
@options.table
@options.endpoints
@options.catalogue
@options.usernames
@click.option("--fail-on-difference", is_flag=True, help="Exit with 10 if anything differs.")
@click.pass_obj
def command(
    settings: Settings,
    captures: tuple[str, ...],
    form: str,
    endpoints: tuple[str, ...],
    catalogue: str | None,
    usernames: str,
    fail_on_difference: bool,
) -> None:
    """Read captures twice, by our engine and by tshark's, and list where sessions differ."""
    from scanner.account import Usernames  # NumPy costs 200 ms that --help need not pay
    from scanner.cli.sources import meant, second_opinion
    from scanner.compare import Tally
    from scanner.dissection.streams import MAX_STREAMS
    from scanner.pipeline import Pipeline

    paths = meant(captures)
    settings = dataclasses.replace(
        settings,
        endpoints=(*settings.endpoints, *endpoints),
        catalogue=catalogue or settings.catalogue,
    )
    known, treated = catalogue_of(settings), Usernames(usernames)
    theirs = second_opinion(known, "", treated, captures, MAX_STREAMS)
    ours = Pipeline(known, "", treated)
    both = _Both(ours, theirs)
    tally = Tally()
    records: list[Record] = []
    for path in paths:
        found, counted = both.compare(path)
        records += found
        tally = tally.plus(counted)
    write(records, Format(form), DIFFERENCES, "Differences", sys.stdout)
    click.echo(_summed_up(tally), err=True)
    if both.unreadable:
        raise click.exceptions.Exit(1)
    if fail_on_difference and not tally.agreed:
        raise click.exceptions.Exit(FOUND)


class _Both:
    """Both engines; faults of a capture are told once, and what was read before them is compared."""

    def __init__(self, ours: Pipeline, theirs: SecondOpinion) -> None:
        self._ours = ours
        self._theirs = theirs
        self.unreadable = False

    def compare(self, path: str) -> tuple[list[Record], Tally]:
        """Read one capture twice; its sessions are held, a line's worth each, until both are done."""
        from scanner.compare import compare

        ours, theirs = self._sessions(self._read_ours, path), self._sessions(self._read_theirs, path)
        differences, tally = compare(ours, theirs)
        return [difference_record(path, one) for one in differences], tally

    def _sessions(self, read: Callable[[str], Iterator[Session]], path: str) -> list[Session]:
        from scanner.capture import UnreadableCapture

        found: list[Session] = []
        try:
            found.extend(read(path))
        except UnreadableCapture as fault:
            self.unreadable = True
            click.echo(f"mailsunset: {fault}", err=True)
        return found

    def _read_ours(self, path: str) -> Iterator[Session]:
        from scanner.capture.file import CaptureFile
        from scanner.compare import session

        with CaptureFile(path) as capture:
            for seen in self._ours.read(capture, path):
                yield from map(session, seen)

    def _read_theirs(self, path: str) -> Iterator[Session]:
        from scanner.compare import session

        for seen in self._theirs.read(path):
            yield from map(session, seen)


def _summed_up(tally: Tally) -> str:
    alone = f"{tally.only_ours} only ours, {tally.only_tshark} only tshark's"
    return f"{tally.compared} sessions compared: {tally.equal} equal, {tally.differing} differing; {alone}"
