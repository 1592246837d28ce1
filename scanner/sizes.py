"""How long a message may be: distributions over bytes of plaintext, and dialogues of such messages.

A protocol states its dialogue as moves: what the client says, in how many bytes, what the server answers, in
how many, and what may follow how often. ``scanner.inference`` weighs what was heard against it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial

from scanner.events import Outcome

ACCEPTED = 0.7
"""How often a login is accepted, before anything is heard of it: two of three in a laboratory that tries
refusals, more where people work; ``make calibrate`` counts anew."""
NEVER = 0.01
"""How often a conversation breaks off anywhere: power, cables, patience."""
EARLY = 0.01
"""How often a login of several messages is refused before the last of them."""
BROKEN_OFF = 0.005
"""How often a conversation ends within a login; measured: 0.007 of 1243, with what breaks off anywhere."""
CANCEL, CANCELLED = 3, 0.03
"""Bytes of the line that takes a login back (RFC 4954 4), and how much of what is refused was taken back."""
_FREELY = {None: (0.88, 0.1, 0.02), Outcome.ACCEPTED: (0.8, 0.18, 0.02)}
HELD_BACK = {
    True: {**_FREELY, Outcome.REFUSED: (0.12, 0.44, 0.44)},
    False: {**_FREELY, Outcome.REFUSED: (0.35, 0.4, 0.25)},
}
"""How often Exchange Online (True) and others answer at once, after a while, and after seconds: to no login,
to one accepted, and to one refused. Servers make who guesses passwords wait: Exchange Online 5 s (facts 3.1),
Dovecot and PAM 2 s, others not at all. Measured in laboratories: 455 of 588 refusals held back, none of 1102
successes, 15 of 7400 others; but a service of many millions may take a second to look somebody up."""
REMEMBERED = 4096
"""Likelihoods at hand a distribution; sizes repeat, past it they are worked out anew."""
SHARED = 4096
"""Distributions at hand: dialogues have most in common, and so have what is known of their likelihoods. Past
it they are made anew, only slower."""


@dataclass(frozen=True, slots=True)
class Band:
    """Sizes from ``low`` to ``high`` in steps, all equally likely, with this weight of the whole."""

    weight: float
    low: int
    high: int
    step: int = 1

    @property
    def count(self) -> int:
        """How many sizes."""
        return (self.high - self.low) // self.step + 1

    def within(self, low: int, high: int) -> int:
        """How many of them lie between two bounds."""
        first = max(0, -(-(low - self.low) // self.step))
        last = min(self.count - 1, (high - self.low) // self.step)
        return max(0, last - first + 1)


class Sizes:
    """A distribution over sizes: bands, whose weights come to one."""

    __slots__ = ("_known", "bands", "least", "most")

    def __init__(self, bands: Iterable[Band]) -> None:
        """Take bands; their weights are made to come to one."""
        found = [band for band in bands if band.weight > 0 and band.high >= band.low]
        whole = sum(band.weight for band in found)
        self.bands = tuple(Band(one.weight / whole, one.low, one.high, one.step) for one in found)
        self.least = min((band.low for band in found), default=0)
        self.most = max((band.high for band in found), default=-1)
        self._known: dict[tuple[int, int], float] = {}

    def likelihood(self, low: int, high: int) -> float:
        """How likely a size between two bounds (bytes; equal under AEAD) is."""
        key = low, high
        known = self._known.get(key)
        if known is None:
            known = sum(band.weight * band.within(low, high) / band.count for band in self.bands)
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            self._known[key] = known
        return known

    def fixed(self, low: int, high: int) -> bool:
        """Whether a size between two bounds may be one that the message always has."""
        return any(low <= band.low == band.high <= high for band in self.bands)

    @lru_cache(SHARED)  # noqa: B019 - bounded, and what it keeps alive is small and shared
    def plus(self, bytes_: int) -> Sizes:
        """The same with so many bytes more."""
        return Sizes(Band(b.weight, b.low + bytes_, b.high + bytes_, b.step) for b in self.bands)


@lru_cache(SHARED)
def at(*sizes: int) -> Sizes:
    """Exactly one of these."""
    return Sizes(Band(1, size, size) for size in sizes)


@lru_cache(SHARED)
def span(low: int, high: int) -> Sizes:
    """Anything from ... to."""
    return Sizes([Band(1, low, high)])


@lru_cache(SHARED)
def spans(*parts: tuple[float, int, int]) -> Sizes:
    """Spans that may overlap, each with its weight."""
    return Sizes(Band(*part) for part in parts)


@lru_cache(SHARED)
def steps(low: int, high: int, step: int = 4) -> Sizes:
    """From ... to, in steps: base64 comes in fours."""
    return Sizes([Band(1, low, high, step)])


@lru_cache(SHARED)
def mix(*parts: tuple[float, Sizes]) -> Sizes:
    """One or the other, by weight."""
    return Sizes(
        Band(weight * band.weight, band.low, band.high, band.step)
        for weight, sizes in parts
        for band in sizes.bands
    )


@dataclass(frozen=True, slots=True, eq=False)
class Move:
    """Something that the client says, and the server's answer to it."""

    name: str
    """What it must have been, for people."""
    client: Sizes
    server: Sizes
    follows: Mapping[str, float] = field(default_factory=dict)
    """What comes next, by name and weight; ``END``: nothing does."""
    mechanism: str | None = None
    """A login begins with it."""
    outcome: Outcome | None = None
    """A login ends with its answer."""
    several: bool = False
    """More than one command at once: the replies are several, mostly in records of their own."""
    hides: bool = False
    """It holds a name or a secret, or what does may be taken for it: how long it is must not be told."""
    answer: str = ""
    """Which of the server's sentences it is answered by, if that is as long for everybody."""
    lines: bool = False
    """The reply has several lines, which may come in records of their own."""

    def refused(self, server: Sizes, follows: Mapping[str, float], answer: str) -> Move:
        """The same, answered by a refusal; and what is not a login's first message may take it back."""
        client = self.client if self.mechanism else mix((1 - CANCELLED, self.client), (CANCELLED, at(CANCEL)))
        outcome = Outcome.REFUSED
        return replace(self, client=client, server=server, follows=follows, outcome=outcome, answer=answer)


END = "end"
OFFERED = ", offered "
"""Between what asks and what is offered, in a move's name: an exact length tells it, bounds of one do not."""


class Dialogue:
    """The moves of a protocol, and how it begins; moves are known by number."""

    __slots__ = ("_numbers", "begins", "ends", "follows", "held_back", "moves", "reach", "tag")

    def __init__(
        self, moves: Mapping[str, Move], begins: Mapping[str, float], tag: int = 0, exchange: bool = False
    ) -> None:
        """Number the moves, and make of weights how often each follows; with ``exchange`` Online or not.

        ``tag``: bytes that every answer begins with because the client chose so (RFC 9051 2.2.1).
        """
        self.held_back = HELD_BACK[exchange]
        self.tag = tag
        self._numbers = numbers = {name: number for number, name in enumerate(moves)}

        def shared(weights: Mapping[str, float]) -> tuple[tuple[int, float], ...]:
            whole = sum(weights.values())
            return tuple((numbers[name], w / whole) for name, w in weights.items() if name != END and w)

        self.moves = tuple(moves.values())
        self.reach = tuple(map(_reach, self.moves))
        """The least and the most that client and server say in each: outside of that it cannot be."""
        self.begins = shared(begins)
        self.follows = tuple(shared(move.follows) for move in self.moves)
        self.ends = tuple(
            NEVER + move.follows.get(END, 0.0) / sum(move.follows.values()) for move in self.moves
        )
        """How often each is the last."""

    def resized(self, sizes: Mapping[str, tuple[Sizes, Sizes | None]]) -> Dialogue:
        """The same but for what client and, unless it is None, server say in some moves, by name."""
        found, moves = copy(self), list(self.moves)
        for name, (client, server) in sizes.items():
            number = self._numbers[name]
            moves[number] = replace(moves[number], client=client, server=server or moves[number].server)
        found.moves, found.reach = tuple(moves), tuple(map(_reach, moves))
        return found


def _reach(move: Move) -> tuple[int, int, int, int]:
    return move.client.least, move.client.most, move.server.least, move.server.most


@dataclass(frozen=True, slots=True)
class Known:
    """What the clear part of a conversation told, which bears on what is inside TLS."""

    exchange: float = 0.0
    """How likely the server speaks Exchange Online's sentences."""
    implicit: bool = False
    """TLS from the start: the server speaks first inside it."""
    client_name: int | None = None
    """Bytes of the name that the client gave itself."""
    reply: int | None = None
    """Bytes of the reply to EHLO."""
    timestamp: bool | None = None
    """Whether the greeting brought a timestamp, without which no APOP is (RFC 1939 7); None: not heard."""


def either(known: Known) -> tuple[tuple[float, Known], ...]:
    """A server speaks Exchange Online's sentences or does not: both, with weights."""
    often = known.exchange
    return (often, replace(known, exchange=1.0)), (1 - often, replace(known, exchange=0.0))


class Script:
    """Collects the moves of a dialogue; a login's last message is two moves, one accepted and one refused."""

    def __init__(self) -> None:
        """Begin with none."""
        self.moves: dict[str, Move] = {}

    def move(
        self,
        name: str,
        client: Sizes,
        server: Sizes,
        follows: Mapping[str, float],
        *,
        several: bool = False,
        lines: bool = False,
        hides: bool = False,
        alike: bool = True,
        like: str = "",
    ) -> None:
        """Add one that has nothing to do with a login; ``alike``: its answer is as long for everybody.

        ``like``: the move whose answer it has, if not its own.
        """
        answer = (like or name) if alike and not several else ""
        self.moves[name] = Move(name, client, server, follows, None, None, several, hides, answer, lines)

    def login(
        self,
        mechanism: str,
        name: str,
        legs: Iterable[tuple[Sizes, Sizes]],
        last: tuple[Sizes, Sizes, Sizes],
        after: tuple[Mapping[str, float], Mapping[str, float]],
        accepted: float = ACCEPTED,
        *,
        titles: Sequence[str] = (),
        answers: Sequence[str] = (),
        bare: bool = False,
        several: bool = False,
        unheard: float = 0.0,
        early: float = EARLY,
    ) -> dict[str, float]:
        """Add a login: legs of client and challenge; the last message, success, refusal; what follows.

        ``titles``: what each message is, for people; ``answers``: what challenges, success and refusal are
        known by (``Move.answer``); ``bare``: the first but names the mechanism; ``unheard``, ``early``: how
        often it is refused by the first, and before the last. Gives what begins it, with weights.
        """
        legs, ends = list(legs), {f"{name}, accepted": accepted, f"{name}, refused": 1 - accepted}
        names = [f"{name} {number}" for number in range(len(legs))]
        said = answers or [""] * (len(legs) + 2)
        refused = partial(Move.refused, server=last[2], follows=after[1], answer=said[-1])
        for number, (client, server) in enumerate(legs):
            last_leg, more = number + 1 == len(legs), f"{name} {number + 1}"
            next_ = ends if last_leg else {more: 1 - early, f"{more}, refused": early}
            begun, title = None if number else mechanism, titles[number] if titles else name
            then, hides = {**next_, END: BROKEN_OFF}, number > 0 or not bare
            leg = Move(title, client, server, then, begun, None, False, hides, said[number])
            self.moves[names[number]] = leg
            if number or unheard:  # a server may refuse before it has heard all
                self.moves[f"{names[number]}, refused"] = refused(leg)
        ends_with = (titles or [name])[-1], *last[:2], after[0], None if legs else mechanism
        end = Move(*ends_with, Outcome.ACCEPTED, several, True, said[-2])
        self.moves |= zip(ends, (end, refused(end)), strict=True)
        refusal = {f"{name} 0, refused": unheard} if unheard else {}
        return {names[0]: 1 - unheard, **refusal} if names else ends


def scaled(weights: Mapping[str, float], by: float) -> dict[str, float]:
    """Weights of moves, each so much."""
    return {name: weight * by for name, weight in weights.items()}
