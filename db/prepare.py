"""Make rows of observations and sightings, without a database: in whatever process they were made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from db import rows
from scanner.events import Outcome, TlsMode
from scanner.model import AuthClass, Observation, ServerKind, Sighting
from scanner.totals import HOUR_NS

REMEMBERED = 10_000
"""Forms at hand, some 10 MB; past it all are let go and made anew: servers that greet by ever new names."""
CLIENT_NAME = "smtp.client_name"
_MAIL = frozenset({"smtp", "imap", "pop3"})
_EXCHANGE, _UNKNOWN, _ACCEPTED = ServerKind.EXCHANGE_ONLINE, AuthClass.UNKNOWN, Outcome.ACCEPTED

Place = tuple[str, str]
"""Address and MAC; empty where one is not known."""
Span = list[int]
"""From when to when, ns."""


class Prepared(NamedTuple):
    """What is ready to be written: plain numbers and text, cheap to hand from process to process."""

    forms: list[rows.Form]
    """What sessions have alike, each once."""
    sessions: list[tuple[int, str, str, tuple[Any, ...], bool | None]]
    """Place in ``forms``, address and MAC of the client, what ``rows.own`` gives of it, and whether its login
    is as long as an earlier one."""
    sightings: list[tuple[str, str, str, str, int, int]]
    """By the fields of ``Sighting``."""
    passages: list[tuple[str, str, str, str, str, int, int]]
    """Address and MAC of the client and of the server, protocol, from when to when."""

    @classmethod
    def joined(cls, batches: Iterable[Prepared]) -> Prepared:
        """One batch of several, in their order; a form that two of them have is there twice, for nothing."""
        whole = cls([], [], [], [])
        for one in batches:
            before = len(whole.forms)
            whole.sessions.extend(
                (before + place, ip, mac, own, again) for place, ip, mac, own, again in one.sessions
            )
            whole.forms.extend(one.forms)
            whole.sightings.extend(one.sightings)
            whole.passages.extend(one.passages)
        return whole

    def hours(self) -> Counter[int]:
        """How many sessions ended in each hour, by its beginning, ns."""
        return Counter(own[rows.OWN_LAST] // HOUR_NS * HOUR_NS for _, _, _, own, _ in self.sessions)


class Preparer:
    """Makes rows, without a database; remembers the forms that come again and again."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._forms: dict[tuple[Any, ...], rows.Form] = {}

    def prepare(self, seen: Sequence[Observation], sighted: Iterable[Sighting] = ()) -> Prepared:
        """Make the rows of a batch."""
        if len(self._forms) > REMEMBERED:
            self._forms.clear()
        known, places = self._forms, dict[int, int]()
        forms: list[rows.Form] = []
        found = []
        told = _Told()
        for one, values in zip(seen, map(rows.shared, seen), strict=True):
            form = known.get(values)
            if form is None:
                form = known[values] = rows.form(values)
            place = places.setdefault(form.key, len(forms))
            if place == len(forms):
                forms.append(form)
            own = rows.own(one)
            found.append((place, one.client_ip, one.client_mac or "", own, one.login_again))
            told.hear(one, form, own)
        return Prepared(forms, found, [*map(of_sighting, sighted), *told.sightings()], told.passages())


class _Told:
    """What the sessions of a batch tell of their ends, each once."""

    def __init__(self) -> None:
        self._clients: dict[tuple[str, str, rows.Form], Span] = {}
        self._names: dict[tuple[str, str, str], Span] = {}
        self._servers: dict[tuple[str, str, rows.Form], Span] = {}
        self._passages: dict[tuple[str, str, str, str, str], Span] = {}

    def hear(self, one: Observation, form: rows.Form, own: tuple[Any, ...]) -> None:
        ip, mac, first, last = one.client_ip, one.client_mac or "", one.first_seen, one.last_seen
        if name := own[rows.OWN_NAME]:
            _stretch(self._names, (ip, mac, name), first, last)
        if form.client:
            _stretch(self._clients, (ip, mac, form), first, last)
        if one.server_kind is _EXCHANGE:
            return
        server_ip, server_mac = one.server_ip, one.server_mac or ""
        if form.server:
            _stretch(self._servers, (server_ip, server_mac, form), first, last)
        if one.protocol in _MAIL and _got_through(one):
            _stretch(self._passages, (ip, mac, server_ip, server_mac, one.protocol), first, last)

    def sightings(self) -> Iterator[tuple[str, str, str, str, int, int]]:
        for (ip, mac, name), (first, last) in self._names.items():
            yield ip, mac, CLIENT_NAME, name, first, last
        for (ip, mac, form), (first, last) in self._clients.items():
            for field, text in form.client:
                yield ip, mac, field, text, first, last
        for (ip, mac, form), (first, last) in self._servers.items():
            for field, text in form.server:
                yield ip, mac, field, text, first, last

    def passages(self) -> list[tuple[str, str, str, str, str, int, int]]:
        return [(*ends, first, last) for ends, (first, last) in self._passages.items()]


def _stretch(spans: dict[Any, Span], key: Any, first: int, last: int) -> None:
    span = spans.get(key)
    if span is None:
        spans[key] = [first, last]
        return
    if first < span[0]:
        span[0] = first
    if last > span[1]:
        span[1] = last


def _got_through(one: Observation) -> bool:
    """Whether the server did anything for the client, so far as one can tell; not if it but knocked."""
    if one.mails or one.outcome is _ACCEPTED:
        return True
    return one.auth_class is _UNKNOWN and one.outcome is None and one.tls_mode is not TlsMode.CLEAR


def of_sighting(one: Sighting) -> tuple[str, str, str, str, int, int]:
    """Make a row of a sighting."""
    text = one.text[: rows.NAME_LENGTH].replace("\0", rows.REPLACED)
    return one.ip, one.mac, one.field, text, one.first_seen, one.last_seen
