"""Keep what was heard of machines, and who hands mail to whom: once each, with from when to when.

The same things are heard again and again. What is new is written with the batch it came in, or where one
follows the other within a second; that it was heard later again is remembered, and written when it is
settled: at the end of a run, before reading, or when much came together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from time import monotonic
from typing import Any

from sqlalchemy import Connection, Table

from db import bulk
from db.schema import labels, leases, passages
from scanner.model import LEASE

REMEMBERED = 50_000
"""Things that a writer remembers, some 20 MB; past it all are settled, let go and written anew."""
GATHERED_S = 1.0
"""What is new may wait so long for more: labels of many machines lie all over the table, and a commit writes
each page that one of them is in. Whoever is killed loses those of the last second."""
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
        self._all = self._labels, self._leases, self._passages
        self._texts: dict[tuple[int, str], int] = {}
        self._written_at = -GATHERED_S

    def forget(self) -> None:
        """Let go of all: the transaction that wrote it may be rolled back."""
        for spans in self._all:
            spans.forget()
        self._texts.clear()

    def committed(self) -> None:
        """Learn that what was told and written last is committed."""
        for spans in self._all:
            spans.committed()

    def tell(
        self, connection: Connection, places: Places, told: Iterable[Told], passed: Iterable[Passed]
    ) -> None:
        """Keep labels, leases and passages; ``places``: ids of endpoints by address and MAC."""
        labels, leases = self._labels, self._leases
        for spans in self._all:
            spans.begin()
        for ip, mac, field, text, first, last in told:
            if field == LEASE:
                leases.hear((places[ip, mac],), first, last)
            else:
                key = places[ip, mac], field, text
                labels.hear(key if key in labels.known else self._bounded(key), first, last)
        for ip, mac, server_ip, server_mac, protocol, first, last in passed:
            ends = places[ip, mac], places[server_ip, server_mac]
            self._passages.hear((*ends, protocol), first, last)
        if len(labels.known) > REMEMBERED:
            self.settle(connection)
            labels.known.clear()
            self._texts.clear()
        elif (now := monotonic()) - self._written_at >= GATHERED_S:
            for spans in self._all:
                spans.write(connection)
            self._written_at = now

    @property
    def owes(self) -> bool:
        """Whether anything is only remembered."""
        return any(spans.owes for spans in self._all)

    def settle(self, connection: Connection) -> None:
        """Write what was only remembered."""
        for spans in self._all:
            spans.settle(connection)

    def _bounded(self, key: tuple[int, str, str]) -> Key:
        endpoint, field, _ = key
        texts = self._texts[endpoint, field] = self._texts.get((endpoint, field), 0) + 1
        return key if texts <= TEXTS_KEPT else (endpoint, field, MORE)


class _Spans:
    """From when to when each of many things was."""

    def __init__(self, table: Table, key: tuple[str, ...]) -> None:
        self._table, self._unique = table, key
        self.known: dict[Key, Span] = {}
        self._fresh: dict[Key, Span] = {}
        """New in the batch that is told: its endpoints may not stay."""
        self._new: dict[Key, Span] = {}
        """New in those before."""
        self._grown: dict[Key, Span] = {}
        """Known, but not how far they reach."""
        self._written: tuple[dict[Key, Span], ...] = ()

    @property
    def owes(self) -> bool:
        return bool(self._fresh or self._new or self._grown)

    def forget(self) -> None:
        """What was of batches that are committed is still to be written."""
        self.known.clear()
        self._fresh.clear()
        self._written = ()

    def begin(self) -> None:
        """What was written before and is not committed never will be."""
        self._written = ()

    def committed(self) -> None:
        for spans in self._written:
            spans.clear()
        self._written = ()
        self._new |= self._fresh
        self._fresh.clear()

    def hear(self, key: Key, first: int, last: int) -> None:
        span = self.known.get(key)
        if span is None:
            self.known[key] = self._fresh[key] = first, last
        elif first < span[0] or last > span[1]:
            span = self.known[key] = min(first, span[0]), max(last, span[1])
            if key in self._fresh:
                self._fresh[key] = span
            else:
                (self._new if key in self._new else self._grown)[key] = span

    def write(self, connection: Connection) -> None:
        """Write what is new."""
        self._write(connection, self._new, self._fresh)

    def settle(self, connection: Connection) -> None:
        """Write all."""
        self._write(connection, self._grown, self._new, self._fresh)

    def _write(self, connection: Connection, *owed: dict[Key, Span]) -> None:
        rows = sorted((*key, *span) for spans in owed for key, span in spans.items())
        bulk.add(connection, self._table, (*self._unique, *_SPAN), rows, self._unique, ())
        self._written = owed
