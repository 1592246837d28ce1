"""Likely sizes: how long a part of a message is, and how likely a length is for a sum of parts.

A part is a trapezoid: nothing outside ``least`` and ``most``, even between ``low`` and ``high``. Lengths are
told in steps of ``STEP`` bytes: no part is known better.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

STEP = 32
"""Bytes that are not told apart."""
CEILING = 8192
"""Bytes beyond which lengths are taken for this: more says nothing of the login."""
STRAY = 0.02
"""The share of lengths that follow no part we know: spread evenly, so that no length is impossible."""
BINS = CEILING // STEP
_BLUR = 0.6 * STEP
"""Ends of parts lie within steps: more than half a one, so that a part of no width is in one at least."""


class Part(NamedTuple):
    """How long a part of a message is; bytes."""

    least: int
    low: int
    """From here to ``high`` all lengths are equally usual."""
    high: int
    most: int


Row = tuple[float, ...]
"""Likelihoods of lengths, a step each."""


@cache
def row(*parts: Part) -> Row:
    """Likelihoods of the lengths of a message made of these parts."""
    found = [1.0]
    for part in parts:
        found = _sum(found, _one(part))
    stray = STRAY / BINS
    return tuple((1 - STRAY) * share + stray for share in found) + (stray,) * (BINS - len(found))


def likelihood(of: Row, size: int) -> float:
    """How likely a length is; above 0 for every length."""
    return of[min(max(size, 0) // STEP, BINS - 1)]


def mixed(*rows: tuple[float, Row]) -> Row:
    """Likelihoods where it is one of several kinds, each with its share; the shares make 1."""
    return tuple(sum(share * of[at] for share, of in rows) for at in range(BINS))


def _one(part: Part) -> list[float]:
    """A part's trapezoid, summing up to 1."""
    least, low, high, most = part
    heights = []
    for at in range(min(most // STEP, BINS - 1) + 1):
        middle = at * STEP + STEP // 2
        rising = (middle - least + _BLUR) / (low - least + 2 * _BLUR)
        falling = (most + _BLUR - middle) / (most - high + 2 * _BLUR)
        heights.append(max(0.0, min(1.0, rising, falling)))
    total = sum(heights)
    return [height / total for height in heights]


def _sum(one: list[float], other: list[float]) -> list[float]:
    """The lengths of two parts together."""
    found = [0.0] * min(len(one) + len(other) - 1, BINS)
    for at, share in enumerate(one):
        if share:
            for more, and_share in enumerate(other[: BINS - at]):
                found[at + more] += share * and_share
    return found
