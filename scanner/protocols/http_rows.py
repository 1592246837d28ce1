"""How likely sizes of requests and replies are, by service and by what logs in, out of ``http_ways``' parts.

Each is made when it is first asked for, and kept: there are some hundred.
"""

from __future__ import annotations

from functools import cache

from scanner.protocols import http_ways as ways
from scanner.protocols.http_lengths import Part, Row, mixed, row
from scanner.protocols.http_ways import HEADERS, SERVICES

MIDDLE = 3072
"""Stands for no growth where growths are weighed: a request may shrink."""


def _scaled(part: Part, by: float) -> Part:
    return Part(*(int(size * by) for size in part))


def _header(step: str, h2: bool) -> tuple[Part, ...]:
    part = HEADERS[step]
    return () if part is None else (_scaled(part, ways.CODED) if h2 else part,)


@cache
def body(name: str) -> Row:
    """Likelihoods of a body that came in records of its own."""
    return mixed(*((share, row(part)) for share, part in SERVICES[name].bodies if part))


@cache
def first(name: str, step: str, joined: int, h2: bool) -> Row:
    """Likelihoods of the first request's head, with its body where that may have come with it."""
    head = _scaled(SERVICES[name].head, ways.HPACKED if h2 else 1)
    usual = _perhaps_joined(name, (head, *_header(step, h2)), joined, h2)
    if step != ways.TYPE_1 or joined <= 0:
        return usual
    return mixed((1 - ways.BODY_LATER, usual), (ways.BODY_LATER, row(head, *_header(step, h2))))


@cache
def second(name: str, before: str, now: str, joined: int) -> Row:
    """Likelihoods of HTTP/2's second HEADERS, which say again only what is new."""
    full = _perhaps_joined(name, (ways.AGAIN, *_header(now, True)), joined, True)
    indexed = ways.INDEXED[now] if before == now else 0.0
    return mixed((1 - indexed, full), (indexed, _perhaps_joined(name, (ways.AGAIN,), joined, True)))


def _perhaps_joined(name: str, head: tuple[Part, ...], joined: int, h2: bool) -> Row:
    """Rows of a head that stood alone, or may have its body in it.

    ``joined``: how many requests came in a record each, and none in several; 0: a body came by itself;
    -1: this request came in one record, and another's body came by itself.
    """
    splits, bodies = ways.SPLITS[h2], SERVICES[name].bodies
    bare = sum(share for share, body in bodies if not body)
    if joined <= 0:
        return mixed((splits * (bare if joined else 1 - bare), row(*head)))
    alone = splits * bare**joined + (1 - splits) * bare
    with_body = ((share * (1 - splits), row(*head, body)) for share, body in bodies if body)
    return mixed((alone, row(*head)), *with_body)


@cache
def growth(name: str, before: str, now: str, together: bool, h2: bool) -> Row:
    """Likelihoods of how much a request is longer than the one before, ``MIDDLE`` added."""
    varies = SERVICES[name].varies if together else ways.HEAD_VARIES
    less, more = _header(before, h2), _header(now, h2)
    middle = MIDDLE
    added: tuple[Part, ...] = ()
    if more and before != now:
        added = (_in_place(more[0], less[0]),) if less else more
    elif less and before != now:
        middle -= (less[0].low + less[0].high) // 2
        varies += (less[0].high - less[0].low) // 2
    same = Part(middle - 16, middle - 8, middle + 8, middle + 16)
    about = Part(middle - varies, middle - varies // 3, middle + varies // 3, middle + varies)
    exact, loose, cookies = ways.ALIKE if before == now else ways.ALIKE_AFTER_401
    often, odd = SERVICES[name].odd if together else (0.0, 0)
    far = Part(middle - odd, middle - odd // 2, middle + odd // 2, middle + odd)
    if together and now == ways.TYPE_3:
        usual = max((share, part) for share, part in SERVICES[name].bodies if part)[1]
        kept_back = row(same, *added, usual)
        return mixed((1 - ways.BODY_LATER, row(same, *added)), (ways.BODY_LATER, kept_back))
    return mixed(
        (exact * (1 - often), row(same, *added)),
        (loose * (1 - often), row(about, *added)),
        (cookies * (1 - often), row(same, ways.COOKIES_SET, *added)),
        (often, row(far, *added) if often else row(about)),
    )


def _in_place(part: Part, other: Part) -> Part:
    """How much longer it is to have a part in place of another."""
    taken = (other.low + other.high) // 2
    return Part(*(max(size - taken, 0) for size in part))


@cache
def reply(name: str, nobody: bool, to_come: str | None, h2: bool) -> Row:
    """Likelihoods of a reply: to who said this and has yet to log in, to who never does, to who did."""
    by = ways.ANSWERED if h2 else 1
    refusal = _scaled(ways.REFUSAL, by)
    if to_come:
        return row(refusal, ways.CHALLENGE) if to_come == ways.TYPE_1 else row(refusal)
    if nobody and name == "owa":
        return row(_scaled(ways.TO_SIGN_IN, by))
    refused = {"autodiscover": 0.5}.get(name, 0.95) if nobody else ways.REFUSED
    return mixed((refused, row(refusal)), (1 - refused, row(_scaled(SERVICES[name].reply, by))))


@cache
def least(name: str, step: str, h2: bool) -> int:
    """Bytes below which no request has this in it."""
    head = SERVICES[name].head.least * (ways.HPACKED if h2 else 1)
    return int(head) + sum(part.least for part in _header(step, h2))
