"""Keep what was heard of machines, and who hands mail to whom: once each, with from when to when.

The same things are heard again and again. What is new is written at once; that it was heard later again is
remembered, and written when it is settled: at the end of a run, before reading, or when much came together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, Table

from db import bulk
from db.schema import labels, leases, passages
from scanner.model import LEASE

REMEMBERED = 100_000
"""Things that a writer remembers, some 30 MB; past it all are settled, let go and written anew."""
TEXTS_KEPT = 32
"""Texts of one field of one endpoint that a run keeps: a machine has a few names, a flood has no end; where
there were more, one says ``MORE``."""
MORE = "(and more)"
_SPAN = ("first_seen", "last_seen")
_LABEL = ("endpoint", "field", "text")
_PASSAGE = ("client", "server", "protocol")
_LEASE = ("endpoint",)

Key = tuple[Any, ...]
Span = tuple[int, int]


class Teller:
    """Writes labels, leases and passages; remembers what is written."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._labels, self._leases, self._passages = (
            _Spans(labels, _LABEL), _Spans(leases, _LEASE), _Spans(passages, _PASSAGE)
        )  # fmt: skip
        self._texts: Counter[tuple[int, str]] = Counter()

    def forget(self) -> None:
        """Let go of all: the transaction that wrote it may be rolled back."""
        for spans in (self._labels, self._leases, self._passages):
            spans.forget()
        self._texts.clear()

    def tell(self, connection: Connection, told: Iterable[tuple[int, str, str, int, int]]) -> None:
        """Keep labels and leases: endpoint, field, text, from when to when."""
        found, leased = [], []
        for endpoint, field, text, first, last in told:
            if field == LEASE:
                leased.append(((endpoint,), first, last))
            else:
                found.append((self._key(endpoint, field, text), first, last))
        self._labels.add(connection, found)
        self._leases.add(connection, leased)
        if len(self._labels) > REMEMBERED:
            self.settle(connection)
            self.forget()

    def connect(self, connection: Connection, told: Iterable[tuple[int, int, str, int, int]]) -> None:
        """Keep passages: client and server endpoint, protocol, from when to when."""
        self._passages.add(connection, ((row[:3], row[3], row[4]) for row in told))

    @property
    def owes(self) -> bool:
        """Whether anything is only remembered."""
        return any(spans.later for spans in (self._labels, self._leases, self._passages))

    def settle(self, connection: Connection) -> None:
        """Write what was only remembered."""
        for spans in (self._labels, self._leases, self._passages):
            spans.settle(connection)

    def _key(self, endpoint: int, field: str, text: str) -> Key:
        key = (endpoint, field, text)
        if key in self._labels:
            return key
        self._texts[endpoint, field] += 1
        return key if self._texts[endpoint, field] <= TEXTS_KEPT else (endpoint, field, MORE)


class _Spans:
    """From when to when each of many things was."""

    def __init__(self, table: Table, key: tuple[str, ...]) -> None:
        self._table, self._unique = table, key
        self._known: dict[Key, Span] = {}
        self.later: dict[Key, Span] = {}
        """Spans that grew since they were written."""

    def __len__(self) -> int:
        return len(self._known)

    def __contains__(self, key: Key) -> bool:
        return key in self._known

    def forget(self) -> None:
        """What is still to be written stays: it was of batches that are committed."""
        self._known.clear()

    def add(self, connection: Connection, told: Iterable[tuple[Key, int, int]]) -> None:
        known, new = self._known, dict[Key, Span]()
        for key, first, last in told:
            span = known.get(key)
            if span is None:
                known[key] = new[key] = first, last
            elif first < span[0] or last > span[1]:
                known[key] = min(first, span[0]), max(last, span[1])
                (new if key in new else self.later)[key] = known[key]
        self._write(connection, new)

    def settle(self, connection: Connection) -> None:
        later, self.later = self.later, {}
        self._write(connection, later)

    def _write(self, connection: Connection, spans: dict[Key, Span]) -> None:
        rows = sorted((*key, *span) for key, span in spans.items())
        bulk.add(connection, self._table, (*self._unique, *_SPAN), rows, self._unique, ())
