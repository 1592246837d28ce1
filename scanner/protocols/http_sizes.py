"""HTTP to Exchange in the dark: which service it is and how the client logs in, by sizes alone.

Every way to log in is weighed with every service and with what may have come of it (``http_fits``). What
several explain about as well is ``unknown``. Nothing tells a token from another, or from a ticket of Kerberos
(on premises); a password in one record with a long body from a token; a token from cookies.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from functools import cache, lru_cache
from typing import TypeVar

from scanner.events import Outcome, Turn
from scanner.protocols import http_exchanges
from scanner.protocols import http_fits as fits
from scanner.protocols import http_ways as ways
from scanner.protocols.http_exchanges import Exchange
from scanner.protocols.http_ways import NOTHING, SERVICES, Way
from scanner.record import record

SAFE, SURE = 0.85, 0.75
"""Least shares for a claim: that no password crossed, where a mistake is dear, and that one did."""
NOBODY = 0.97
"""Least share for a claim that nobody logged in: a password that is refused looks much like it."""
HIDDEN, HIDDEN_FROM = 0.9, 1100
"""Least share for either claim where each request came in one record, with its body perhaps, and of as many
bytes: a token could be in it as well as not."""
MOST = 0.94
"""Most confidence in a claim: requests of one connection are alike, and so are programs of one lab."""
TEMPER = 0.85
"""Evidence counts by this power of itself: what is told of one request is not independent of another."""
NAMED, CAME_OF_IT = 0.8, 0.85
"""Least shares for naming the service, and what came of the login."""
BROKEN_OFF = 0.3
"""How often a flow ends within a login: the client goes on by another connection."""
REMEMBERED = 1024
"""Flows whose claim is at hand: what polls says the same each time; past it they are weighed anew."""


@record
class Guess:
    """What a flow to Exchange's front end is, by sizes."""

    auth_class: str
    mechanism: str | None
    service: str | None
    outcome: Outcome | None
    confidence: float
    runner_up: str | None
    """The class that would be next."""
    reason: str
    """In words; no size that tells a login's length."""
    login: tuple[Hashable, int] | None = None
    """What can be compared with the same of another connection, and how long that is with what logs in; never
    to be told."""


Shares = dict[tuple[str, Way, Outcome | None], float]
Asked = Sequence[Exchange]
Kind = TypeVar("Kind")


def weigh(turns: Sequence[Turn], h2: bool | None, whole: bool) -> Guess:
    """Tell service and login from the turns of a connection to Exchange's front end.

    ``h2``: what ALPN chose, None where that was not heard. ``whole``: heard from its first byte on, without a
    hole.
    """
    if not whole:
        return _unknown("bytes are missing where a login could be")
    spoken = http_exchanges.is_http2(turns) if h2 is None else h2
    asked = http_exchanges.exchanges(turns, spoken)
    if not asked:
        return _unknown("no request was heard")
    return _claim(tuple(one._replace(wait_s=_rounded(one.wait_s)) for one in asked), spoken)


def _rounded(wait_s: float) -> float:
    """All that waits tell."""
    return next((least for least in (fits.LONG_HELD_S, fits.HELD_S, fits.SLOW_S) if wait_s >= least), 0.0)


@lru_cache(REMEMBERED)
def _claim(asked: tuple[Exchange, ...], h2: bool) -> Guess:
    return _decided(asked, h2, shares(asked, h2))


def shares(asked: Asked, h2: bool) -> Shares:
    """How likely each way to log in is with each service, and what came of it; all together 1."""
    often, replies = len(asked), fits.Replies(asked, h2)
    requests = {name: fits.Requests(name, asked, h2) for name in SERVICES}
    found: Shares = {}
    for name, way, usual in _usual(often, h2):
        said = requests[name].likelihood(way)
        refusals = min(_refusals(way), often)
        for at in range(refusals):
            bare = fits.CHALLENGE if way.steps[at] == ways.TYPE_1 else fits.BARE
            said *= replies.likelihood(name, bare, at, at + 1)
        for outcome, share, answer in _endings(name, way):
            if refusals < often:
                share *= (said * replies.likelihood(name, answer, refusals, often)) ** TEMPER
                found[name, way, outcome] = found.get((name, way, outcome), 0) + usual * share
        if refusals == often:
            found[name, way, None] = usual * said**TEMPER
    whole = sum(found.values())
    return {key: share / whole for key, share in found.items()}


@cache
def _usual(often: int, h2: bool) -> tuple[tuple[str, Way, float], ...]:
    """How usual each way is with each service, where there are so many requests."""
    found = []
    for name, service in SERVICES.items():
        for way in ways.WAYS_2 if h2 else ways.WAYS:
            share = service.share * service.classes.get(way.auth_class, 0.0) * way.share
            counts = ways.REQUESTS
            if way.auth_class == "none":
                counts = ways.REQUESTS_BEFORE_SIGN_IN if name == "owa" else ways.REQUESTS_IN_VAIN
            share *= counts[min(often, 3) - 1] * (BROKEN_OFF if _refusals(way) >= often else 1)
            found.append((name, way, share))
    return tuple(one for one in found if one[2])


def _refusals(way: Way) -> int:
    """How many requests have to be said again with more."""
    return next((at for at, step in enumerate(way.steps) if step not in (NOTHING, ways.TYPE_1)), 0)


def _endings(name: str, way: Way) -> Iterator[tuple[Outcome | None, float, str]]:
    """What may come of a way to log in, with shares, and how that is answered."""
    if way.auth_class != "none":
        yield Outcome.ACCEPTED, 1 - ways.REFUSED, fits.SERVED
        yield Outcome.REFUSED, ways.REFUSED, fits.REFUSED
        return
    share, answer = (ways.SENT_AWAY, fits.AWAY) if name == "owa" else (ways.ANYBODY, fits.SERVED)
    yield None, share, answer
    yield None, 1 - share, fits.BARE


def _decided(asked: Asked, h2: bool, found: Shares) -> Guess:
    """Make a claim of the shares, or say why there is none."""
    classes = _ranked((way.auth_class, share) for (_, way, _), share in found.items())
    services = _ranked((name, share) for (name, _, _), share in found.items())
    service = services[0][0] if services[0][1] >= NAMED else None
    (best, share), *others = classes
    second = others[0][0] if others else None
    least = {"basic": SURE, "none": NOBODY}.get(best, SAFE)
    if all(one.body is None and one.head >= HIDDEN_FROM for one in asked):
        least = max(least, HIDDEN)
    if share < least:
        return _unknown(f"sizes go with {best}, but about as well with {second}", service, best)
    own = [(key, part) for key, part in found.items() if key[1].auth_class == best]
    (way, _), *_ = _ranked((way, part) for (_, way, _), part in own)
    (outcome, part), *_ = _ranked((outcome, part) for (_, _, outcome), part in own)
    outcome = outcome if part >= CAME_OF_IT * share else None
    login = None if h2 else _login(way, service, asked)
    return Guess(best, way.mechanism, service, outcome, min(share, MOST), second, _reason(way), login)


def _login(way: Way, service: str | None, asked: Asked) -> tuple[Hashable, int] | None:
    """What is as long from one connection to the next, but for what logs in.

    It is what a request grew by that was said again after a 401; or a head of EAS or EWS with a body of a
    certain length: path and headers are those of a command. Elsewhere heads differ by what is asked for, and
    in HTTP/2 by what is in them (RFC 7541 B).
    """
    number = _refusals(way)
    if way.auth_class not in ("basic", "oauth") or number >= len(asked) or asked[number].body is None:
        return None
    one = asked[number]
    if number and one.body == asked[0].body:
        return "after a 401", one.head - asked[0].head
    return ((service, one.body), one.head) if service in ("eas", "ews") else None


def _unknown(reason: str, service: str | None = None, runner_up: str | None = None) -> Guess:
    return Guess("unknown", None, service, None, 0.0, runner_up, reason)


def _ranked(parts: Iterable[tuple[Kind, float]]) -> list[tuple[Kind, float]]:
    found: dict[Kind, float] = {}
    for name, share in parts:
        found[name] = found.get(name, 0.0) + share
    return sorted(found.items(), key=lambda one: -one[1])


def _reason(way: Way) -> str:
    if way.auth_class == "ntlm":
        return "three legs of NTLM"
    number = _refusals(way)
    last = way.steps[number]
    return f"refused without a login, then {last} more" if number else f"requests with {last}"
