"""Read captures by our engine and by tshark's, and hold every difference against a table of explained ones.

``python -m benchmarks.agreement FOLDER…`` does it for the captures of folders; a ``read.args`` in one says
what ``mailsunset read`` is told with them. It exits with 1 if a difference is not explained, or an explained
one of a capture that was read is gone.
"""

from __future__ import annotations

import argparse
import sys
import time
import tomllib
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from scanner.account import Usernames
from scanner.capture import UnreadableCapture
from scanner.capture.file import CaptureFile, expand
from scanner.capture.tshark import dissect
from scanner.capture.wireshark import tshark_path
from scanner.catalogue.exchange import Catalogue, load_catalogue
from scanner.compare import Difference, Session, Tally, compare, session
from scanner.dissection.streams import SecondOpinion
from scanner.pipeline import Pipeline

TABLE = Path(__file__).with_name("explained.toml")
Key = tuple[str, str]
"""A capture's name, and a field."""


class Verdict(NamedTuple):
    """What a table says of differences."""

    unexplained: list[Key]
    vanished: list[Key]
    """Explained, but not found though the capture was read."""


class Spent(NamedTuple):
    """What reading took, s."""

    ours: float
    tshark: float


def explained() -> dict[Key, str]:
    """Why two readings differ, by capture and field."""
    rows = tomllib.loads(TABLE.read_text("utf-8"))["explained"]
    return {(name, field): row["why"] for row in rows for name in row["captures"] for field in row["fields"]}


def judge(found: Iterable[Key], read: Iterable[str], table: dict[Key, str]) -> Verdict:
    """Hold differences of the captures that were read against the table."""
    differing, names = set(found), set(read)
    due = {key for key in table if key[0] in names}
    return Verdict(sorted(differing - due), sorted(due - differing))


def both(path: str, catalogue: Catalogue) -> tuple[list[Difference], Tally, Spent]:
    """Read one capture twice; a capture that is cut is compared as far as it goes."""
    began = time.perf_counter()
    ours = list(_ours(path, catalogue))
    between = time.perf_counter()
    theirs = list(_tsharks(path, catalogue))
    ended = time.perf_counter()
    return (*compare(ours, theirs), Spent(between - began, ended - between))


def _ours(path: str, catalogue: Catalogue) -> Iterator[Session]:
    try:
        with CaptureFile(path) as capture:
            for seen in Pipeline(catalogue, "", Usernames.MASK).read(capture, path):
                yield from map(session, seen)
    except UnreadableCapture as fault:
        print(f"ours: {fault}", file=sys.stderr)


def _tsharks(path: str, catalogue: Catalogue) -> Iterator[Session]:
    opinion = SecondOpinion(catalogue, "", Usernames.MASK, partial(dissect, tshark=tshark_path()))
    try:
        for seen in opinion.read(path):
            yield from map(session, seen)
    except UnreadableCapture as fault:
        print(f"tshark's: {fault}", file=sys.stderr)


def main() -> int:
    """Compare all captures of the folders."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folders", nargs="+", type=Path)
    tally, spent, found, read = Tally(), Spent(0, 0), list[Key](), list[str]()
    for folder in parser.parse_args().folders:
        words = (folder / "read.args").read_text("utf-8").split() if (folder / "read.args").exists() else []
        endpoints = [after for word, after in pairwise(words) if word == "--endpoint"]
        catalogue = load_catalogue(None, tuple(endpoints))
        for path in expand([str(folder)]):
            differences, counted, took = both(path, catalogue)
            name = Path(path).name
            read.append(name)
            found += [(name, one.field) for one in differences]
            tally = tally.plus(counted)
            spent = Spent(spent.ours + took.ours, spent.tshark + took.tshark)
    verdict = judge(found, read, explained())
    for name, field in verdict.unexplained:
        print(f"not explained: {name}: {field}")
    for name, field in verdict.vanished:
        print(f"explained, but gone: {name}: {field}")
    print(f"{len(read)} captures; {tally}; {spent.ours:.1f} s ours, {spent.tshark:.1f} s tshark's")
    return int(bool(verdict.unexplained or verdict.vanished))


if __name__ == "__main__":
    sys.exit(main())
