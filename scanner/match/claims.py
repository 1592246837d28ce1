"""Which streams are claimed: those that gain enough, by coincidences that are the device's alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from math import exp, log
from typing import NamedTuple

import numpy as np

from scanner.match.fitting import Reals
from scanner.match.schedules import Schedules
from scanner.match.streams import Streams

SCORE_KEPT = 0.9
"""A tie that is less sure is not kept: it would be a guess about somebody's mailbox."""
LEAST_COINCIDENCES = 2
"""One alone is never a claim, however few devices it fits."""
SURE = 0.99
"""The most that is claimed; so of a name in clear, and of a connection's own number."""
TEMPER, CHOICE = 0.6, 0.33
"""How much of a gain counts, for streams are not Poisson's and delays not as assumed; and how much of what
there is to choose from. By ``benchmarks.matched``: of ties at a score at least that share was right."""
LIKELY = 0.5
"""A sign-in comes from a stream that is likelier than all else together."""
RIVAL = 0.5
"""A stream that gains so much of another's gain disputes the logins that both claim."""


class Claim(NamedTuple):
    """A stream that is claimed."""

    stream: int
    score: float
    pairs: list[int]
    """Its sign-ins with their logins."""


class _Stream(NamedTuple):
    device: int
    gain: float
    pairs: list[int]
    logins: frozenset[int]


def claims(streams: Streams, shares: Reals, gained: Reals, schedules: Schedules, choice: int) -> list[Claim]:
    """Choose streams; ``shares``, ``gained``: see ``Estimate``; ``choice``: how many there might be."""
    by_stream: dict[int, list[int]] = defaultdict(list)
    for at in _sources(streams, shares):
        by_stream[int(streams.stream[at])].append(at)
    known: dict[int, _Stream] = {}
    rivals: dict[int, list[int]] = defaultdict(list)
    for stream, pairs in sorted(by_stream.items()):
        device, logins = int(streams.device[stream]), streams.login[pairs]
        gain = min(float(gained[stream]), schedules.most(device, logins))
        known[stream] = _Stream(device, gain, pairs, frozenset(logins.tolist()))
        rivals[device].append(stream)
    found = []
    for stream, one in known.items():
        others = [known[other] for other in rivals[one.device] if other != stream]
        score = score_of(one.gain * _undisputed(one, others), choice)
        if len(one.pairs) >= LEAST_COINCIDENCES and score >= SCORE_KEPT:
            found.append(Claim(stream, score, one.pairs))
    return found


def _sources(streams: Streams, shares: Reals) -> Iterator[int]:
    """Give a pair of each sign-in that likely comes from one stream: with its likeliest login."""
    order = np.lexsort((-shares, streams.stream, streams.row))
    row, stream = streams.row[order], streams.stream[order]
    new = np.ones(len(row), np.bool_)
    new[1:] = (row[1:] != row[:-1]) | (stream[1:] != stream[:-1])
    first = np.flatnonzero(new)
    if len(first):
        whole = np.add.reduceat(shares[order], first)
        yield from order[first[whole >= LIKELY]].tolist()


def _undisputed(one: _Stream, others: list[_Stream]) -> float:
    """The share of its logins that no other stream of the device claims: a login makes but one sign-in."""
    disputed = frozenset[int]().union(*(other.logins for other in others if other.gain >= RIVAL * one.gain))
    return len(one.logins - disputed) / len(one.logins)


def score_of(gain: float, choice: int) -> float:
    """How sure a tie is that gains so much, one of so many that there might be."""
    odds = gain * TEMPER - log(max(choice, 2)) * CHOICE
    return round(min(1 / (1 + exp(-max(min(odds, 50), -50))), SURE), 2)
