"""Recognise a file by its content, and read it: facts a batch at a time, what cannot be read set aside."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice

from scanner.importers import documents, lease_files, table, times
from scanner.importers.assets import ASSETS
from scanner.importers.family import (
    Fact,
    Family,
    Kind,
    Rejected,
    Row,
    Terms,
    UnreadableFileError,
    UnreadableRowError,
    first,
)
from scanner.importers.leases import LEASES
from scanner.importers.mailboxes import MAILBOXES, SENDERS
from scanner.importers.sign_ins import APPLICATIONS, SIGN_INS, STEPS
from scanner.importers.source import Source

FAMILIES = (SIGN_INS, APPLICATIONS, STEPS, MAILBOXES, SENDERS, LEASES, ASSETS)
"""The first that fits counts; that of any list of machines stands last."""
ROWS_TRIED = 20
"""Rows of a form without a head that may be of another kind: the wrapping of a log."""
BATCH = 1000
"""Rows read at a time."""

Rows = Callable[[], Iterator[Row | Rejected]]


class Reading:
    """A file that is recognised; iterate once."""

    def __init__(self, path: str, terms: Terms | None = None, kind: Kind | None = None) -> None:
        """Look at a file. Raises ``UnreadableFileError``.

        ``terms``: how to read what it leaves open, but for when it was written; ``kind``: what it must be.
        """
        self._source = Source(path)
        self.family, self._rows, names = _recognised(self._source, kind)
        self.unknown = tuple(
            name for name, plain in names if plain.split(" ")[0] not in {"", *self.family.knows}
        )
        """Columns of which nothing is known."""
        self.rows = self.useless = 0
        """Rows that were read, those set aside among them, and those that told nothing."""
        self.rejected: list[Rejected] = []
        """Of the last batch."""
        self._terms = replace(terms or Terms(0), at=self._source.at)
        self.zoneless = any(map(times.lacks_zone, islice(self._times(self.family.utc), 1)))
        """Whether its times, by the first, do not say their zone."""
        if self._terms.day_first is None and self.family.times:
            self._terms = replace(self._terms, day_first=self._order())

    @property
    def size(self) -> int:
        """Bytes."""
        return self._source.size

    @property
    def position(self) -> int:
        """Bytes read so far."""
        return self._source.position

    def __iter__(self) -> Iterator[list[Fact]]:
        """Read it. Raises ``UnreadableFileError``."""
        rows = self._rows()
        while True:
            self.rejected, before = [], self.rows
            batch = [fact for row in islice(rows, BATCH) for fact in self._read(row)]
            if self.rows == before:
                return
            yield batch

    def _read(self, row: Row | Rejected) -> Sequence[Fact]:
        self.rows += 1
        if isinstance(row, Row):
            try:
                found = tuple(self.family.read(row.cells, self._terms))
            except UnreadableRowError as fault:
                row = Rejected(row.line, str(fault), row.text)
            else:
                self.useless += not found
                return found
        self.rejected.append(row)
        return ()

    def _times(self, but: tuple[str, ...] = ()) -> Iterator[str]:
        """Its times as they stand there, but those of some columns."""
        names = [name for name in self.family.times if name not in but]
        return (first(row.cells, names) for row in self._rows() if isinstance(row, Row))

    def _order(self) -> bool | None:
        """Whether days stand before months, by the file's own dates."""
        found, asked = times.day_first(self._times())
        if found is None and asked:
            raise UnreadableFileError(
                "none of its dates tells day from month; say --dates dmy or --dates mdy"
            )
        return found


Named = list[tuple[str, str]]
"""Columns as they are called, and by loose name."""


def _recognised(source: Source, kind: Kind | None) -> tuple[Family, Rows, Named]:
    families = [one for one in FAMILIES if kind in (None, one.kind)]
    best: list[str] = []
    for rows, names in _candidates(source):
        plain = [loose for _, loose in names]
        for family in families:
            if family.fits(plain):
                return family, rows, names
        best = best or families[0].lacking(plain)
    if not source.size:
        raise UnreadableFileError("it is empty")
    lacking = f"; for {kind} it lacks a column {', '.join(best)}" if kind and best else ""
    raise UnreadableFileError(f"not recognised as anything to import{lacking}")


def _candidates(source: Source) -> Iterator[tuple[Rows, Named]]:
    """Ways to read a file, each with the columns that it would have."""
    head = source.head
    forms = (
        (documents.is_documents, documents.rows), (lease_files.is_markup, lease_files.markup),
        (lease_files.is_isc, lease_files.isc), (lease_files.is_dnsmasq, lease_files.dnsmasq),
    )  # fmt: skip
    for is_such, read in forms:
        if is_such(head):
            for row in islice(read(source), ROWS_TRIED):
                if isinstance(row, Row):
                    yield partial(read, source), [(name, name) for name in row.cells]
            return
    for found in table.heads(source):
        yield found.rows, list(zip(found.names, found.columns, strict=True))
