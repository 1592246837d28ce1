"""How well requests and replies of HTTP, by sizes alone, go with a service and a way to log in.

What does not change within a connection, a head and what logs in, may be of any length: a ``Field`` goes by
that, and all lengths are added up. Bodies and answers come on top of it, and after a 401 (RFC 9110 11.6) what
logs in.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from scanner.protocols import http_ways as ways
from scanner.protocols.http_exchanges import Exchange
from scanner.protocols.http_lengths import ANY, Field, Part, Row, mixed, row
from scanner.protocols.http_ways import HEADERS, SERVICES, Way

SLOW_S = 0.15
"""A reply that took longer than any round trip."""
HELD_S, LONG_HELD_S = 1.5, 50.0
"""One that took longer than a server works, and one about as long as a heartbeat at least (60 s)."""
HELD_FOR_NOTHING = 0.01
"""How often a server takes as long without a reason."""
SAME_WITHIN = 3
"""Bytes that do not count: a number's digits, a request id coded by Huffman."""
BARE, CHALLENGE, REFUSED, SERVED = "401", "challenge", "refused", "served"
AWAY = "to sign in"
"""What a server may say: to who did not log in, began to, is refused, and is let in; and to a browser."""


class Requests:
    """The requests of a connection, as they would be to a service."""

    def __init__(self, name: str, asked: Sequence[Exchange], h2: bool) -> None:
        """``name``: of the service."""
        self._name, self._service, self._h2 = name, SERVICES[name], h2
        self._heads = [one.head for one in asked]
        self._apart = any(one.body is not None for one in asked)
        self._bodies = self._of_bodies([one.body for one in asked])
        self._runs: dict[tuple[int, int, bool], tuple[Field, Field]] = {}

    def likelihood(self, way: Way) -> float:
        """How well they go with a way to log in."""
        alone, often = len(way.steps) == 1, len(self._heads)
        marks = [at for at in range(often) if at < len(way.steps) or (self._h2 and at == 1)]
        field = ANY
        for start, stop in zip(marks, [*marks[1:], often], strict=True):
            step = way.steps[min(start, len(way.steps) - 1)]
            own = () if alone else _header(step, self._h2)
            if self._h2:  # its first request is longer: what follows has most of that indexed
                own = (ways.AGAIN if start else self._service.head.by(ways.HPACKED), *own)
            first, rest = self._run(start, stop, step == ways.TYPE_1)
            anew = row(*own).before(first * rest) if own else first * rest
            if start > self._h2:
                grown = self._heads[start] - self._heads[start - 1]
                again = _growth(way.steps[start - 1], step, self._h2).likelihood(grown)
                anew = (1 - ways.SAME_AFTER_401) * anew + ways.SAME_AFTER_401 * again * rest
            field = field * anew
        login = _header(way.steps[0], self._h2) if alone else ()
        base = row(*login) if self._h2 else row(self._service.head, *login)
        return self._bodies * base.over(field)

    def _run(self, start: int, stop: int, first_leg: bool) -> tuple[Field, Field]:
        """How likely requests that log in alike are: the first of them, and the rest."""
        key = start, stop, first_leg
        if key not in self._runs:
            rest = ANY
            for number in range(start + 1, stop):
                anew = _varied(self._name, True, first_leg, self._apart).given(self._heads[number])
                share, alike = self._alike(self._heads[start : number + 1])
                rest = rest * (share * anew + alike)
            first = _varied(self._name, start > 0, first_leg, self._apart)
            self._runs[key] = first.given(self._heads[start]), rest
        return self._runs[key]

    def _of_bodies(self, bodies: Sequence[int | None]) -> float:
        """How well bodies that came in records of their own go with the service."""
        found, before = 1.0, list[int]()
        if not self._apart:
            return found
        for number, body in enumerate(bodies):
            bare = self._service.bare[number > 0]
            found *= bare if body is None else 1 - bare
            if body is not None:
                before.append(body)
                share, alike = self._alike(before) if before[1:] else (1.0, 0.0)
                found *= share * _body(self._name).likelihood(body) + alike
        return found

    def _alike(self, sizes: Sequence[int]) -> tuple[float, float]:
        """How often a size has nothing to do with those before it, and how likely the last is if it has."""
        *before, size = sizes
        same = self._service.same
        alike = same * any(abs(size - one) <= SAME_WITHIN for one in before)
        alike += ways.NEARLY * row(ways.VARIES).likelihood(size - before[-1])
        return 1 - same - ways.NEARLY, alike


@cache
def _body(name: str) -> Row:
    return mixed(*((share, row(part)) for share, part in SERVICES[name].bodies))


@cache
def _varied(name: str, later: bool, first_leg: bool, apart: bool) -> Row:
    """Likelihoods of what in a request is not in every one: of a head alone, or with its body."""
    head = row(ways.VARIES)
    if apart:
        return head
    bare = SERVICES[name].bare[later]
    bare += (1 - bare) * ways.BODY_LATER * first_leg
    bodies = (((1 - bare) * share, row(ways.VARIES, body)) for share, body in SERVICES[name].bodies)
    return mixed((bare, head), *bodies)


def _header(step: str, h2: bool) -> tuple[Part, ...]:
    return tuple(part.by(ways.CODED) if h2 else part for part in HEADERS[step])


@cache
def _growth(before: str, now: str, h2: bool) -> Row:
    """Likelihoods of how much longer a request is that is said again with another login."""
    less = (Part(-part.most, -part.high, -part.low, -part.least) for part in _header(before, h2))
    return row(*_header(now, h2), *less)


class Replies:
    """The replies of a connection."""

    def __init__(self, asked: Sequence[Exchange], h2: bool) -> None:
        """Nothing is known of who said them."""
        self._asked, self._h2 = asked, h2
        self._known: dict[tuple[str | None, str, int, int], float] = {}

    def likelihood(self, name: str, answer: str, start: int, stop: int) -> float:
        """How well some go with a service, if all of them are of one kind."""
        key = name if answer == SERVED else None, answer, start, stop
        if key not in self._known:
            cut = min(max(start, 1), stop) if self._h2 else start
            runs = [(at, to) for at, to in ((start, cut), (cut, stop)) if at < to]
            found = self._waited(name, answer, start, stop)
            for at, to in runs:
                found *= self._run(name, answer, at, to)
            self._known[key] = found
        return self._known[key]

    def _run(self, name: str, answer: str, start: int, stop: int) -> float:
        common, on_top = _answer(name, answer, start > 0, self._h2)
        field = ANY
        heard = [one for one in self._asked[start:stop] if one.reply]
        for number, one in enumerate(heard):
            likely = on_top.given(one.reply)
            if number:
                last = heard[number - 1]
                share, more = _same(answer, one, last), one.reply - last.reply
                nearly = ways.NEARLY_ANSWER if answer == SERVED else 0.0
                alike = share * (abs(more) <= SAME_WITHIN) + nearly * row(ways.VARIES).likelihood(more)
                likely = alike + (1 - share - nearly) * likely
            field = field * likely
        return common.over(field) if heard else 1.0

    def _waited(self, name: str, answer: str, start: int, stop: int) -> float:
        """How well waits go with what is said."""
        waits = [one.wait_s for one in self._asked[start:stop] if one.reply]
        if not waits:
            return 1.0
        if max(waits) >= HELD_S:
            return SERVICES[name].held[max(waits) >= LONG_HELD_S] if answer == SERVED else HELD_FOR_NOTHING
        always = ways.TARRIES if answer == REFUSED else ways.FAR
        late = always + (1 - always) * ways.WORKS ** len(waits)
        return late if min(waits) >= SLOW_S else 1 - late


@cache
def _answer(name: str, answer: str, again: bool, h2: bool) -> tuple[Row, Row]:
    """Likelihoods of what all replies of a kind have in common, and of what is on top of it."""
    head = {SERVED: ways.ANSWER, AWAY: ways.TO_SIGN_IN}.get(answer, ways.REFUSAL)
    common = head.by(ways.ANSWERED) if h2 else head
    if h2 and again:
        common = ways.ANSWERED_AGAIN
    if answer == SERVED:
        bodies = ((share, row(ways.JITTER, body)) for share, body in SERVICES[name].answers)
        return row(common), mixed(*bodies)
    more = (ways.CHALLENGE,) if answer == CHALLENGE else ()
    return row(common, *more), row(ways.VARIES if answer == AWAY else ways.JITTER)


def _same(answer: str, one: Exchange, last: Exchange) -> float:
    """How often an answer is as long as the last of its kind."""
    if answer == SERVED:
        grown = one.head + (one.body or 0) - last.head - (last.body or 0)
        return ways.SAME_ANSWER if abs(grown) <= SAME_WITHIN else ways.SAME_ANSWER_TO_OTHERS
    return ways.SAME_WAY if answer == AWAY else ways.SAME_REFUSAL
