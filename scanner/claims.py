"""What is claimed of a login inside TLS: what most of its explanations agree on, and how sure that is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from functools import cache, lru_cache
from importlib import import_module
from importlib.util import find_spec

from scanner.events import Outcome, Turn
from scanner.inference import ODD, Exchange, Tried, Weighed, exchanges, lessons, weigh
from scanner.model import Attempt, AuthClass
from scanner.protocols.sasl import auth_class
from scanner.record import record
from scanner.sizes import OFFERED, Dialogue, Known, Move
from scanner.texts import Lesson, Texts, known_to

REMEMBERED = 4096
"""Conversations whose claim is at hand: devices repeat themselves; past it they are weighed anew."""
LEAST = 0.6
"""A claim less sure than this is none: it stays unknown."""
MOST = 0.99
"""Sizes alone prove nothing."""
CAUTION = 4
"""How many times what speaks for a password counts against a claim that there was none: to call a password
safe costs more than to call a token unsafe. So of such claims more are right than their confidence says."""
SURE = 0.95
"""An explanation as likely as this teaches what the server's answers weigh."""
TOLD = 2
"""Digits of a confidence: more would tell sessions apart that are alike, and each would be a usage."""
OVER_A_HOLE, UNFINISHED = 0.9, 0.65
"""The most where bytes are missing behind a login that was accepted: what came before is not all known; and
behind one that was refused or not heard to its end: another may have followed."""
AS_OTHERS = "the server answers as it answered others"
OVER_HOLE = "bytes are missing where a login could be"
SILENT = 0.9
"""TLS stood, and the client said nothing in it."""
STEPS_TOLD = 14
"""Turns that the evidence names."""
SHORT, LONG = 200, 600
"""Bytes up to which a message that hides something is called short, and from which long."""
UNIT = 4
"""Bytes by which logins differ: base64 comes in fours, and what counts tags of IMAP is smaller."""
_COMPARED = frozenset({AuthClass.BASIC, AuthClass.OAUTH})
"""What a length over time can tell apart."""
_SERVED = frozenset(
    {
        "MAIL",
        "MAIL without a login",
        "MAIL and RCPT",
        "RCPT",
        "RCPT and DATA",
        "DATA",
        "body",
        "QUIT",
        "LOGOUT",
        "MAIL refused",
    }
)
"""Moves after which nobody is about to log in any more, or that show that nobody had to."""


@record
class Inferred:
    """A claim about what is inside TLS."""

    auth_class: AuthClass
    confidence: float
    attempts: tuple[Attempt, ...]
    steps: tuple[str, ...]
    """For people: what was said, as far as sizes tell, and what else it might have been."""
    login: int | None = None
    """How long the part of the last login is that hides something, in fours of bytes; to be compared with
    another (``scanner.recurrence``), and never to be told."""
    lessons: tuple[Lesson, ...] = ()
    """What the session teaches of the server's answers, where it is beyond doubt."""
    like: Hashable = None
    """What it can be compared with, where it is more than the login: likewise never to be told."""


def infer(
    protocol: str | None,
    known: Known,
    turns: Sequence[Turn],
    *,
    tls13: bool,
    ended: bool,
    lost: bool,
    texts: Texts = (),
) -> Inferred | None:
    """Weigh a conversation; None where the protocol's dialogue is not known in sizes, or nothing was said.

    ``ended``: it was heard to its end; ``lost``: bytes are missing behind the turns; ``texts``: how long the
    server's answers are, by its other sessions.
    """
    if protocol is None or not turns or (dialogues := _dialogues(protocol)) is None:
        return None
    found = exchanges(turns, known.implicit, tls13)
    if not found:
        return _silent(ended, lost)
    return _inferred(dialogues, known, tuple(found), ended and not lost, lost, texts)


@cache
def _dialogues(protocol: str) -> Callable[[Known], list[tuple[float, Dialogue]]] | None:
    """What the file ``protocols/NAME_sizes.py`` states, if there is one."""
    name = f"scanner.protocols.{protocol}_sizes"
    return getattr(import_module(name), "dialogues", None) if find_spec(name) else None


def _silent(ended: bool, lost: bool) -> Inferred:
    if lost:
        return Inferred(AuthClass.UNKNOWN, 0.0, (), (OVER_HOLE,))
    if not ended:
        return Inferred(AuthClass.INCOMPLETE, SILENT, (), ("nothing said inside TLS yet",))
    return Inferred(AuthClass.NONE, SILENT, (), ("the client said nothing inside TLS",))


@lru_cache(REMEMBERED)
def _inferred(
    dialogues: Callable[[Known], list[tuple[float, Dialogue]]],
    known: Known,
    said: tuple[Exchange, ...],
    ended: bool,
    lost: bool,
    texts: Texts,
) -> Inferred:
    found = weigh(dialogues(known), said, ended, texts)
    claimed = _claimed(found, said, ended, lost)
    if not found:
        return claimed
    answers = lessons(found[0], said)
    steps = (*claimed.steps, AS_OTHERS) if known_to(texts, answers) else claimed.steps
    sure = found[0].share >= SURE and not found[0].odd
    return replace(claimed, steps=steps, lessons=answers if sure else ())


def _claimed(found: Sequence[Weighed], said: Sequence[Exchange], ended: bool, lost: bool) -> Inferred:
    shares: dict[AuthClass, float] = defaultdict(float)
    for one in found:
        shares[_class(one)] += one.share
    ranking = sorted(shares, key=lambda kind: -shares[kind])
    if not ranking or ranking[0] is AuthClass.UNKNOWN or shares[ranking[0]] < LEAST:
        return _unknown(found, ranking, shares, said)
    kind = ranking[0]
    own = [one for one in found if _class(one) is kind]
    attempts = _attempts(own)
    sure = shares[kind]
    if kind is not AuthClass.BASIC:
        sure = max(min(sure, 1 - CAUTION * shares[AuthClass.BASIC]), LEAST)
    sure = round(min(sure, MOST), TOLD)
    if lost:
        accepted = attempts and attempts[-1].outcome is Outcome.ACCEPTED
        sure = min(sure, OVER_A_HOLE if accepted else UNFINISHED)
    if kind is AuthClass.NONE and not (ended or _SERVED.intersection(move.name for move in own[0].moves)):
        why = OVER_HOLE if lost else "ended before any login"
        gone = AuthClass.UNKNOWN if lost else AuthClass.INCOMPLETE
        return Inferred(gone, 0.0 if lost else sure, (), (*_steps(own[0], said), why))
    if kind is AuthClass.NONE and lost:
        return Inferred(AuthClass.UNKNOWN, 0.0, (), (*_steps(own[0], said), OVER_HOLE))
    steps = (*_steps(own[0], said), *_rival(ranking[1:], shares, found))
    return Inferred(kind, sure, attempts, steps, _login(own[0], said) if kind in _COMPARED else None)


def _login(one: Weighed, said: Sequence[Exchange]) -> int | None:
    """The longest message of the last login: an answer to a refusal or a name may be as long for anybody."""
    longest = None
    inside = False
    for move, exchange in zip(one.moves, said, strict=False):
        if move.mechanism is not None:
            longest, inside = 0, True
        if inside and longest is not None and move.hides:
            longest = None if move.several else max(longest, exchange.client_high)
        inside = inside and move.outcome is None
    return longest // UNIT if longest else None


def _class(one: Weighed) -> AuthClass:
    if one.tried:
        return auth_class(one.tried[-1][0])
    return AuthClass.UNKNOWN if one.odd else AuthClass.NONE


def _attempts(own: Sequence[Weighed]) -> tuple[Attempt, ...]:
    """The likeliest explanation's, with the last mechanism and its outcome as most explanations have them."""
    tried = list(own[0].tried)
    if not tried:
        return ()
    last: dict[Tried, float] = defaultdict(float)
    for one in own:
        last[one.tried[-1]] += one.share
    mechanisms: dict[str, float] = defaultdict(float)
    outcomes: dict[Outcome | None, float] = defaultdict(float)
    for (mechanism, outcome), share in last.items():
        mechanisms[mechanism] += share
        outcomes[outcome] += share
    tried[-1] = max(mechanisms, key=mechanisms.__getitem__), max(outcomes, key=outcomes.__getitem__)
    return tuple(Attempt(mechanism, auth_class(mechanism), outcome) for mechanism, outcome in tried)


def _unknown(
    found: Sequence[Weighed],
    ranking: Sequence[AuthClass],
    shares: dict[AuthClass, float],
    said: Sequence[Exchange],
) -> Inferred:
    steps = _steps(found[0], said, sure=False) if found else ()
    best = [f"{kind.value} {shares[kind]:.2f}" for kind in ranking[:2] if kind is not AuthClass.UNKNOWN]
    why = f"cannot be told apart: {', '.join(best)}" if best else "no dialogue that is known fits"
    return Inferred(AuthClass.UNKNOWN, 0.0, (), (*steps, why))


def _steps(one: Weighed, said: Sequence[Exchange], *, sure: bool = True) -> tuple[str, ...]:
    """The dialogue for people: what the client must have said, and how long the server's answer was.

    Not ``sure``: any of it might be a login.
    """
    pairs = zip(one.moves[:STEPS_TOLD], said, strict=False)
    return tuple(_step(move, exchange, hides=not sure or move.hides) for move, exchange in pairs)


def _step(move: Move, exchange: Exchange, *, hides: bool) -> str:
    low, high, server_low, server_high = exchange[:4]
    size = _bytes(low, high)
    if hides or move.name == ODD:
        size = _sized(high)
    elif not move.client.fixed(low, high):  # a login that was taken for this would show how long it is
        size = _sized(high).partition(",")[0]
    named = move.name if server_low == server_high else move.name.partition(OFFERED)[0]
    named = "something else" if move.name == ODD else named
    if server_low is None or server_high is None:
        return f"inside TLS: {named} ({size}), no answer"
    came = f", {move.outcome.value}" if move.outcome else ""
    late = " late" if exchange.held_back else ""
    return f"inside TLS: {named} ({size}), answered{late} by {_bytes(server_low, server_high)}{came}"


def _bytes(low: int, high: int) -> str:
    return f"{high} bytes" if low == high else f"{low} to {high} bytes"


def _sized(size: int) -> str:
    """The class of a size that must not be told."""
    if size <= SHORT:
        return "short, password-sized"
    return "long, token-sized" if size >= LONG else "neither short nor long"


def _rival(
    others: Sequence[AuthClass], shares: dict[AuthClass, float], found: Sequence[Weighed]
) -> tuple[str, ...]:
    """What else it might have been, if anything is left of it."""
    if not others or shares[others[0]] < 1 - MOST:
        return ()
    rival = next(one for one in found if _class(one) is others[0])
    what = rival.tried[-1][0] if rival.tried else "no login"
    return (f"rather than {what} ({shares[others[0]]:.2f})",)
