"""HTTP to Exchange in the dark: which service it is and how the client logs in, by sizes alone.

Every way to log in is weighed with every service: the first request by the sum of its parts, those behind it
by how much they grew (after a 401, RFC 9110 11.6, that is the header itself), replies by what they may be.
What several ways explain about as well is ``unknown``. Nothing tells a token from another, or from a ticket
of Kerberos (on premises); a password in one record with a long body from a token; a token from cookies.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache, lru_cache

from scanner.events import Outcome, Turn
from scanner.protocols import http_exchanges
from scanner.protocols import http_rows as rows
from scanner.protocols import http_ways as ways
from scanner.protocols.http_exchanges import Exchange
from scanner.protocols.http_lengths import likelihood
from scanner.protocols.http_ways import NOTHING, SERVICES, WAYS, Way
from scanner.record import record

WEIGHED = 5
"""Requests that are weighed: NTLM's three legs, one ahead and one behind."""
SAFE, SURE = 0.85, 0.75
"""Least shares for a claim: that no password crossed, where a mistake is dear, and that one did."""
NOBODY = 0.97
"""Least share for a claim that nobody logged in: a password that is refused looks much like it."""
HIDDEN, HIDDEN_FROM = 0.9, 1100
"""Least share for either claim where each request came in one record, with its body perhaps, and of as many
bytes: a token could be in it as well as not. For NTLM in requests of any length, as bodies come and go."""
MOST = (0.8, 0.9, 0.93)
"""Most confidence in a claim by one, two and more requests: alike as they are, each is some evidence."""
STEPPED = 0.96
"""The same where a step after a 401 showed the header by itself, and no body came with it."""
TEMPER = 0.8
"""Evidence counts by this power of itself: what is told of one request is not independent of another."""
NAMED = 0.85
"""Least share for naming the service."""
HELD_S, LONG_HELD_S = 1.5, 50.0
"""A reply that took longer than a server works, and one about as long as a heartbeat at least (60 s)."""
HELD_REPLY = (1600, 350)
"""Most bytes of a held reply, which has next to nothing to tell: HTTP/1.1, HTTP/2."""
LATE, SLOW = 0.1, 0.4
"""How often a server takes as long to say 401 to who said no password, and ``REFUSED_S``."""
SAME, SAME_OF_OTHERS, SAME_AFTER_401, SAME_IN_VAIN = 0.5, 0.15, 0.03, 0.85
"""How often two replies are of one size: to one request said twice, to two, a 401 and a success, two 401s."""
REFUSED_S = 0.15
"""A wrong password is answered late: longer than any round trip, and shorter than ``HELD_S``."""
ALIKE = 30
"""Two refusals differ by no more bytes: request ids, a number's digits."""
SAME_WITHIN = 3
"""Bytes that do not count: a number's digits, a request id coded by Huffman."""
BROKEN_OFF = 0.3
"""How often a flow ends within a login: the client goes on by another connection."""
NEGLIGIBLE = 2e-3
"""Ways that explain the first request so much worse than the best are let go."""
REMEMBERED = 1024
"""Flows whose claim is at hand: what polls says the same each time; past it they are weighed anew."""
IMPOSSIBLE = 1e-3
"""What is left of a way for each request that is too short for it."""


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


Shares = dict[tuple[str, Way], float]


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
    return next((least for least in (LONG_HELD_S, HELD_S, REFUSED_S) if wait_s >= least), 0.0)


@lru_cache(REMEMBERED)
def _claim(asked: tuple[Exchange, ...], h2: bool) -> Guess:
    return _decided(asked, h2, shares(asked, h2))


def shares(asked: Sequence[Exchange], h2: bool) -> Shares:
    """How likely each way to log in is with each service; all together 1."""
    first, joined = asked[0].head, _joined(asked, 0)
    about = {name: _of_service(name, asked, h2) for name in SERVICES}
    found = {
        (name, way): prior
        * (about[name] * likelihood(rows.first(name, way.steps[0], joined, h2), first)) ** TEMPER
        for name, way, prior in _priors(h2)
    }
    least = NEGLIGIBLE * max(found.values())
    found = {key: share for key, share in found.items() if share >= least}
    weighed = asked[:WEIGHED]
    alike = {name: _alike(name, weighed, h2) for name in {name for name, _ in found}}
    for name, way in found:
        found[name, way] *= _of_way(name, way, weighed, alike[name], h2) ** TEMPER
    whole = sum(found.values())
    return {key: share / whole for key, share in found.items()}


@cache
def _priors(h2: bool) -> tuple[tuple[str, Way, float], ...]:
    """Each way with each service; NTLM logs a connection in, which HTTP/2 does not allow."""
    return tuple(
        (name, way, service.share * service.classes[way.auth_class] * way.share)
        for name, service in SERVICES.items()
        for way in WAYS
        if way.auth_class in service.classes and not (h2 and way.auth_class == "ntlm")
    )


def _joined(asked: Sequence[Exchange], number: int) -> int:
    """How one request and all came in records: see ``http_rows``."""
    if asked[number].body is not None:
        return 0
    return min(len(asked), WEIGHED) if all(one.body is None for one in asked) else -1


def _of_service(name: str, asked: Sequence[Exchange], h2: bool) -> float:
    """How well bodies and waits go with a service."""
    held = [one.wait_s for one in asked if one.wait_s >= HELD_S and one.reply <= HELD_REPLY[h2]]
    found = SERVICES[name].held[max(held) >= LONG_HELD_S] if held else 1.0
    bodies = sorted({one.body for one in asked if one.body is not None})
    for body in bodies[:: max(len(bodies) - 1, 1)]:
        found *= likelihood(rows.body(name), body)
    return found


def _of_way(name: str, way: Way, asked: Sequence[Exchange], alike: list[float], h2: bool) -> float:
    """How well what follows the first request's head goes with a way to log in to a service."""
    steps = way.steps
    found = _counts(name, way)[min(len(asked), 3) - 1]
    for number, one in enumerate(asked):
        step = steps[min(number, len(steps) - 1)]
        if number and len(steps) == 1 and not (number == 1 and h2):
            found *= alike[number]
        elif number:
            found *= _follows(name, steps, asked[: number + 1], h2)
        if not (number and h2) and _total(one) < rows.least(name, step, h2):
            found *= IMPOSSIBLE
    for number, one in enumerate(asked[:2]):
        if one.reply and not (number and h2):
            refused = _is_refused(steps, number)
            found *= likelihood(
                rows.reply(name, way.auth_class == "none", steps[number] if refused else None, h2), one.reply
            )
            found *= LATE if refused and one.wait_s >= HELD_S else 1
    found *= _replies_alike(steps, asked, h2, in_vain=way.auth_class == "none" and name != "owa")
    if way.auth_class == "none" and name != "owa":
        slowest = max(one.wait_s for one in asked)
        found *= LATE if slowest >= HELD_S else SLOW if slowest >= REFUSED_S else 1
    return found * (BROKEN_OFF if _is_refused(steps, len(asked) - 1) else 1)


def _replies_alike(steps: tuple[str, ...], asked: Sequence[Exchange], h2: bool, in_vain: bool) -> float:
    """How well it goes with a login which replies are of one size: all of them where it is refused."""
    accepted = refused = 1.0
    for number in range(
        1 + h2, len(asked)
    ):  # HTTP/2's first reply is longer: others have its headers indexed
        last, one = asked[number - 1], asked[number]
        if not one.reply:
            continue
        alike = abs(one.reply - last.reply) <= SAME_WITHIN
        same = SAME if abs(_total(one) - _total(last)) <= SAME_WITHIN else SAME_OF_OTHERS
        if _is_refused(steps, number - 1) and not _is_refused(steps, number):
            same = SAME_AFTER_401
        accepted *= same if alike else 1 - same
        refused *= SAME_IN_VAIN if alike else 1 - SAME_IN_VAIN
    return refused if in_vain else ways.REFUSED * refused + (1 - ways.REFUSED) * accepted


def _counts(name: str, way: Way) -> tuple[float, float, float]:
    if way.auth_class != "none":
        return ways.REQUESTS
    return ways.REQUESTS_BEFORE_SIGN_IN if name == "owa" else ways.REQUESTS_IN_VAIN


def _is_refused(steps: tuple[str, ...], number: int) -> bool:
    """This request has to be said again with more."""
    return number + 1 < len(steps) and steps[number] != ways.TYPE_3


def _alike(name: str, asked: Sequence[Exchange], h2: bool) -> list[float]:
    """How well each request goes with those before it where all log in alike; 1 for the first."""
    rest = range(1, len(asked))
    return [1.0, *(_follows(name, (NOTHING,), asked[: at + 1], h2, anew=False) for at in rest)]


def _follows(
    name: str, steps: tuple[str, ...], asked: Sequence[Exchange], h2: bool, anew: bool = True
) -> float:
    """How well the last request follows the two before it, by the one that it goes best with.

    ``anew``: HTTP/2 has learnt from the first request what to leave out of the second.
    """
    number = len(asked) - 1
    one, last = asked[-1], asked[-2]
    before, now = (steps[min(at, len(steps) - 1)] for at in (number - 1, number))
    if one.body is None or last.body is None:
        body = 1.0
    else:
        same = ways.SAME_BODY if before == now or now == NOTHING else ways.SAME_BODY_AFTER_401
        body = same if one.body == last.body else 1 - same
    if h2 and number == 1:
        return body * (
            likelihood(rows.second(name, before, now, _joined(asked, number)), one.head) if anew else 1
        )
    found = _grown(name, before, now, last, one, h2)
    if number > 1 + h2:
        earlier = steps[min(number - 2, len(steps) - 1)]
        found = max(found, _grown(name, earlier, now, asked[-3], one, h2))
    return body * found


def _grown(name: str, before: str, now: str, last: Exchange, one: Exchange, h2: bool) -> float:
    together = one.body is None or last.body is None
    grown = (_total(one) - _total(last)) if together else one.head - last.head
    if before == now:
        before = now = NOTHING
    return likelihood(rows.growth(name, before, now, together, h2), grown + rows.MIDDLE)


def _total(one: Exchange) -> int:
    return one.head + (one.body or 0)


def _decided(asked: Sequence[Exchange], h2: bool, found: Shares) -> Guess:
    """Make a claim of the shares, or say why there is none."""
    classes = _ranked((way.auth_class, share) for (_, way), share in found.items())
    services = _ranked((name, share) for (name, _), share in found.items())
    service = services[0][0] if services[0][1] >= NAMED else None
    (best, share), *others = classes
    second = others[0][0] if others else None
    joined = all(one.body is None for one in asked)
    hidden = joined and (best == "ntlm" or all(one.head >= HIDDEN_FROM for one in asked))
    least = {"basic": SURE, "none": NOBODY}.get(best, SAFE)
    if share < (max(least, HIDDEN) if hidden else least):
        return _unknown(f"sizes go with {best}, but about as well with {second}", service, best)
    of_way = [(part, way) for way in WAYS if (part := sum(found.get((name, way), 0.0) for name in SERVICES))]
    part, way = max((one for one in of_way if one[1].auth_class == best), key=lambda one: one[0])
    stepped = len(way.steps) > 1 and part >= SAFE and (h2 or asked[0].body is not None)
    most = STEPPED if stepped else MOST[min(len(asked), len(MOST)) - 1]
    outcome = _outcome(way, asked, h2)
    return Guess(best, way.mechanism, service, outcome, min(share, most), second, _reason(way))


def _unknown(reason: str, service: str | None = None, runner_up: str | None = None) -> Guess:
    return Guess("unknown", None, service, None, 0.0, runner_up, reason)


def _ranked(parts: Iterable[tuple[str, float]]) -> list[tuple[str, float]]:
    found: dict[str, float] = {}
    for name, share in parts:
        found[name] = found.get(name, 0.0) + share
    return sorted(found.items(), key=lambda one: -one[1])


def _outcome(way: Way, asked: Sequence[Exchange], h2: bool) -> Outcome | None:
    """What came of it: a refused login is answered late, shortly and always alike."""
    told = [one for one in asked[len(way.steps) - 1 :] if one.reply]
    if way.mechanism in (None, "HTTP-Cookie") or not told:
        return None
    replies, waits = [one.reply for one in told], [one.wait_s for one in told]
    if max(replies) > ways.REFUSAL.high * (ways.ANSWERED if h2 else 1) or max(waits) >= HELD_S:
        return Outcome.ACCEPTED
    if min(waits) >= REFUSED_S:
        return Outcome.REFUSED
    like = replies[1:] if h2 else replies  # HTTP/2's first reply says what the others need not
    return Outcome.ACCEPTED if like and max(like) - min(like) > ALIKE else None


_WORDS = {
    ways.PASSWORD: "a short, password-sized header",
    ways.TOKEN: "a long, token-sized header",
    ways.COOKIES: "cookies",
    NOTHING: "no login",
}


def _reason(way: Way) -> str:
    if way.auth_class == "ntlm":
        return "three legs of NTLM"
    last = _WORDS[way.steps[-1]]
    return f"refused without a login, then {last} more" if len(way.steps) > 1 else f"requests with {last}"
