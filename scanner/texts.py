"""What a server's replies weigh, learned from its own other sessions.

A server answers alike whoever asks: what a success is in bytes for one client it is for the next. Only
sessions that are read beyond doubt teach, and nobody is taught by his own: else one that is misread would
confirm itself. What is kept are lengths of a server's sentences, which hold nothing of a login.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple


class Span(NamedTuple):
    """Bytes of an answer, and how many clients heard it."""

    low: int
    high: int
    """Equal to ``low`` where sizes are exact."""
    heard_by: int = 1


Texts = tuple[tuple[str, tuple[Span, ...]], ...]
"""How long answers are, by what they answer (``sizes.Move.answer``)."""
Lesson = tuple[str, int, int]
"""An answer's name, and its bytes: at least and at most."""
Clients = tuple[str, ...]
"""Addresses, sorted."""
Lessons = dict[tuple[str, Lesson], Clients]
"""What was learned of servers, and from whom."""

DOUBT = 1.0
"""So many clients' word weighs as much as what is known of servers at large. Where answers were heard of one
client before, 92 of 100 of another's were as long (``make calibrate``); one that misleads must not decide."""
TEACHERS_KEPT = 4
"""Clients remembered a length: those with the least addresses, so that any order of work keeps the same."""
SERVERS_KEPT = 4096
"""Servers remembered; past it the one that taught nothing for longest is forgotten, and learned anew."""
SPANS_KEPT = 8
"""Lengths kept an answer: a success, with and without an id; past it the oldest is forgotten."""


def likelihood(general: float, spans: Iterable[Span], low: int, high: int) -> float:
    """How likely an answer of so many bytes is, by what is known of all servers and of this one."""
    hits, count = 0.0, 0
    for least, most, heard_by in spans:
        count += heard_by
        common = min(most, high) - max(least, low) + 1
        if common > 0:
            hits += heard_by * common / (most - least + 1)
    return (DOUBT * general + hits) / (DOUBT + count)


def known_to(texts: Texts, answers: Iterable[Lesson]) -> bool:
    """Whether any of these answers is as long as one that others heard."""
    known = dict(texts)
    return any(
        span.low <= high and low <= span.high
        for answer, low, high in (answers if known else ())
        for span in known.get(answer, ())
    )


def add(lessons: Lessons, more: Mapping[tuple[str, Lesson], Clients]) -> None:
    """Put together what was learned in several places."""
    for key, clients in more.items():
        lessons[key] = _teachers(lessons.get(key, ()), clients)


def _teachers(some: Clients, others: Clients) -> Clients:
    return tuple(sorted({*some, *others})[:TEACHERS_KEPT])


class Servers:
    """What is known of servers so far; bounded."""

    def __init__(self) -> None:
        """Know of none."""
        self._known: dict[str, dict[Lesson, Clients]] = {}
        self._told: dict[str, dict[str, Texts]] = {}

    def fresh(self, server: str, client: str, lessons: Iterable[Lesson]) -> Lessons:
        """Say what of this was not known, or from too few."""
        known = self._known.get(server, {})
        return {
            (server, one): (client,)
            for one in lessons
            if len(teachers := known.get(one, ())) < TEACHERS_KEPT and client not in teachers
        }

    def learn(self, lessons: Lessons) -> None:
        """Take in what was learned; in whatever order it came, the same comes of it."""
        for (server, lesson), clients in sorted(lessons.items()):
            known = self._known.pop(server, None)
            if known is None:
                known = {}
                if len(self._known) >= SERVERS_KEPT:
                    oldest = next(iter(self._known))
                    del self._known[oldest]
                    self._told.pop(oldest, None)
            self._known[server] = known
            if lesson not in known:
                same = [one for one in known if one[0] == lesson[0]]
                if len(same) >= SPANS_KEPT:
                    del known[same[0]]
            known[lesson] = _teachers(known.get(lesson, ()), clients)
            self._told.pop(server, None)

    def texts(self, server: str, client: str) -> Texts:
        """Say how long a server's answers are, by what others than this client heard."""
        known = self._known.get(server)
        if not known:
            return ()
        told = self._told.setdefault(server, {})
        found = told.get(client)
        if found is None:
            whom = client if any(client in teachers for teachers in known.values()) else ""
            found = told.get(whom)
            if found is None:
                found = told[whom] = _texts(known, whom)
        return found


def _texts(known: Mapping[Lesson, Clients], but_for: str) -> Texts:
    """Of exact lengths only, where there are any."""
    spans: dict[str, list[Span]] = {}
    for (answer, low, high), teachers in sorted(known.items()):
        if count := len(teachers) - (but_for in teachers):
            spans.setdefault(answer, []).append(Span(low, high, count))
    return tuple(
        (answer, tuple(exact) if (exact := [one for one in found if one.low == one.high]) else tuple(found))
        for answer, found in spans.items()
    )
