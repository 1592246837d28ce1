"""Rows of a table as text: CSV (RFC 4180) with any separator, and what spreadsheets make of it.

A quote that is never closed would swallow the rest of a file: past a limit the row where it stands is set
aside, and reading goes on at the line after.
"""

from __future__ import annotations

import csv
import io
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import islice

from scanner.importers.family import TEXT_KEPT, Rejected, Row, loose
from scanner.importers.source import Source

LINE_LONGEST = 1_000_000
"""Characters; the longest rows known are those of Log Analytics, with policies as JSON of some 50,000."""
CELL_LONGEST = 131_072
"""Characters; Excel's cells have 32,767 at most."""
LINES_A_ROW = 500
"""Of a cell with line ends in it; more are a quote that is never closed."""
HEADS_TRIED = 20
"""Rows before the one that names the columns: titles, and when a report was made."""
_SEPARATORS = ",;\t|"
_TYPE, _SEP = "#TYPE", "sep="
"""First lines of Windows PowerShell's ``Export-Csv``, and of what is meant for Excel."""


def separator(line: str) -> str:
    """What stands most often between the cells of a line, outside of quotes."""
    bare = "".join(line.split('"')[::2])
    return max(_SEPARATORS, key=bare.count)


class Table:
    """A table, and its columns as they are called."""

    def __init__(self, source: Source, head: int, names: Sequence[str], separator: str) -> None:
        """Found by ``heads``; ``head``: the line that names the columns."""
        self._source, self._head, self._separator = source, head, separator
        self.names = tuple(name.strip(" \t\r\n\ufeff") for name in names)
        self._columns = _unique(self.names)
        csv.field_size_limit(CELL_LONGEST)

    @property
    def columns(self) -> tuple[str, ...]:
        """Their loose names, of which none is there twice."""
        return self._columns

    def rows(self) -> Iterator[Row | Rejected]:
        """What stands below the names."""
        lines = _Lines(self._source, self._head)
        reader = csv.reader(lines, delimiter=self._separator)
        columns, width = self._columns, len(self._columns)
        while True:
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as fault:
                yield lines.reject(str(fault))
                continue
            line, text = lines.taken()
            if len(text) > LINE_LONGEST - 1:
                yield Rejected(line, "an over-long line", text[:TEXT_KEPT])
            elif len(cells) > width and any(cells[width:]):
                yield Rejected(line, f"{len(cells)} cells under {width} names", text[:TEXT_KEPT])
            elif len(cells) < width and not text.endswith(("\n", "\r")):
                yield Rejected(line, "the file ends within it", text[:TEXT_KEPT])
            elif any(cells):
                yield Row(line, dict(zip(columns, cells, strict=False)), text)


def heads(source: Source) -> Iterator[Table]:
    """Tables that the file may be, by each of its first lines that could name columns."""
    told = None
    for number, line in enumerate(islice(io.StringIO(source.head, newline=""), HEADS_TRIED), 1):
        if line.lower().startswith(_SEP) and len(line.rstrip()) == len(_SEP) + 1:
            told = line[len(_SEP)]
        elif line.strip() and not line.startswith(_TYPE):
            between = told or separator(line)
            try:
                names = next(csv.reader([line[:LINE_LONGEST]], delimiter=between), [])
            except csv.Error:
                continue
            yield Table(source, number, names, between)


class _Lines:
    """Lines for ``csv``, which asks for more while a quote is open."""

    def __init__(self, source: Source, head: int) -> None:
        self._left = islice(source.lines(LINE_LONGEST), head, None)
        self._again: deque[tuple[int, str]] = deque()
        self._taken: list[tuple[int, str]] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if len(self._taken) >= LINES_A_ROW:
            raise csv.Error("a quote is never closed")
        if not self._again:
            found = next(self._left, None)
            if found is None:
                raise StopIteration
        else:
            found = self._again.popleft()
        self._taken.append(found)
        return found[1]

    def taken(self) -> tuple[int, str]:
        """The lines of the row that was read, as one."""
        taken, self._taken = self._taken, []
        return taken[0][0], taken[0][1] if len(taken) == 1 else "".join(text for _, text in taken)

    def reject(self, why: str) -> Rejected:
        """Give up the first line of those, and hand out the others again."""
        (line, text), *rest = self._taken
        self._again.extendleft(reversed(rest))
        self._taken = []
        return Rejected(line, why, text[:TEXT_KEPT])


def _unique(names: Sequence[str]) -> tuple[str, ...]:
    """Loose names; one that comes again (as "Incoming token type" does) has a number behind it."""
    found: dict[str, None] = {}
    for number, name in enumerate(names):
        plain = loose(name)
        found[f"{plain} {number}" if plain in found or not plain else plain] = None
    return tuple(found)
