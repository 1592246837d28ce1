"""Keep what was heard of machines, and who hands mail to whom: once each, with from when to when.

The same things are heard again and again. What is new is written at once; that it was heard later again is
remembered, and written when it is settled: at the end of a run, before reading, or when much came together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
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
Places = Mapping[tuple[str, str], int]
Told = tuple[str, str, str, str, int, int]
"""Address and MAC, field, text, from when to when."""
Passed = tuple[str, str, str, str, str, int, int]
"""Address and MAC of the client and of the server, protocol, from when to when."""


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

    def tell(self, connection: Connection, places: Places, told: Iterable[Told]) -> None:
        """Keep labels and leases; ``places``: ids of endpoints by address and MAC."""
        labels, leases = self._labels, self._leases
        for ip, mac, field, text, first, last in told:
            if field == LEASE:
                leases.hear((places[ip, mac],), first, last)
            else:
                key = places[ip, mac], field, text
                labels.hear(key if key in labels.known else self._bounded(key), first, last)
        labels.write(connection)
        leases.write(connection)
        if len(labels.known) > REMEMBERED:
            self.settle(connection)
            self.forget()

    def connect(self, connection: Connection, places: Places, told: Iterable[Passed]) -> None:
        """Keep passages."""
        for ip, mac, server_ip, server_mac, protocol, first, last in told:
            ends = places[ip, mac], places[server_ip, server_mac]
            self._passages.hear((*ends, protocol), first, last)
        self._passages.write(connection)

    @property
    def owes(self) -> bool:
        """Whether anything is only remembered."""
        return any(spans.later for spans in (self._labels, self._leases, self._passages))

    def settle(self, connection: Connection) -> None:
        """Write what was only remembered."""
        for spans in (self._labels, self._leases, self._passages):
            spans.settle(connection)

    def _bounded(self, key: tuple[int, str, str]) -> Key:
        endpoint, field, _ = key
        self._texts[endpoint, field] += 1
        return key if self._texts[endpoint, field] <= TEXTS_KEPT else (endpoint, field, MORE)


class _Spans:
    """From when to when each of many things was."""

    def __init__(self, table: Table, key: tuple[str, ...]) -> None:
        self._table, self._unique = table, key
        self.known: dict[Key, Span] = {}
        self._new: dict[Key, Span] = {}
        self.later: dict[Key, Span] = {}
        """Spans that grew since they were written."""

    def forget(self) -> None:
        """What is still to be written stays: it was of batches that are committed."""
        self.known.clear()
        self._new.clear()

    def hear(self, key: Key, first: int, last: int) -> None:
        span = self.known.get(key)
        if span is None:
            self.known[key] = self._new[key] = first, last
        elif first < span[0] or last > span[1]:
            span = self.known[key] = min(first, span[0]), max(last, span[1])
            (self._new if key in self._new else self.later)[key] = span

    def write(self, connection: Connection) -> None:
        """Write what is new."""
        new, self._new = self._new, {}
        self._write(connection, new)

    def settle(self, connection: Connection) -> None:
        """Write what grew."""
        later, self.later = self.later, {}
        self._write(connection, later)

    def _write(self, connection: Connection, spans: dict[Key, Span]) -> None:
        rows = sorted((*key, *span) for key, span in spans.items())
        bulk.add(connection, self._table, (*self._unique, *_SPAN), rows, self._unique, ())
