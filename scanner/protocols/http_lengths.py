"""Likely sizes: how long a part of a message is, and how likely a length is for a sum of parts.

A part is a trapezoid: nothing outside ``least`` and ``most``, even between ``low`` and ``high``. Lengths are
told in steps of ``STEP`` bytes: no part is known better.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

STEP = 16
"""Bytes that are not told apart."""
CEILING = 8192
"""Bytes beyond which lengths are taken for this: more says nothing of the login."""
STRAY = 0.02
"""The share of lengths that follow no part we know: spread evenly, so that no length is impossible."""
BINS = CEILING // STEP
_BLUR = 0.6 * STEP
"""Ends of parts lie within steps: more than half a one, so that a part of no width is in one at least."""


class Part(NamedTuple):
    """How long a part of a message is; bytes, below 0 where it makes the message shorter."""

    least: int
    low: int
    """From here to ``high`` all lengths are equally usual."""
    high: int
    most: int

    def by(self, factor: float) -> Part:
        """The same, so many times as long."""
        return Part(*(int(size * factor) for size in self))


Field = NDArray[np.float64]
"""How likely something is by how long a part is that nobody knows: a step each, from 0 on."""
ANY: Field = np.ones(BINS)
"""As likely whatever the length."""


class Row(NamedTuple):
    """Shares of lengths, a step each."""

    first: int
    """The step of the first."""
    shares: NDArray[np.float64]

    def likelihood(self, size: int) -> float:
        """How likely a length is; above 0 for every length."""
        at = min(size, CEILING) // STEP - self.first
        found = float(self.shares[at]) if 0 <= at < len(self.shares) else 0.0
        return found * (1 - STRAY) + STRAY / BINS

    def given(self, size: int) -> Field:
        """How likely a length is with another part, by how long that is."""
        last = min(size, CEILING) // STEP - self.first
        start = last - len(self.shares) + 1
        found = np.full(BINS, STRAY / BINS)
        if last >= 0 and start < BINS:
            shares = self.shares[::-1][max(-start, 0) : BINS - start]
            found[max(start, 0) : last + 1] += shares * (1 - STRAY)
        return found

    def over(self, of: Field) -> float:
        """How likely something is whose likelihood goes by this length."""
        seen = of[max(self.first, 0) : max(self.first + len(self.shares), 0)]
        start = max(-self.first, 0)
        return float(seen @ self.shares[start : start + len(seen)])

    def before(self, of: Field) -> Field:
        """How likely something is by how long a part is that comes beside this one."""
        seen = of[max(self.first, 0) : max(self.first, 0) + BINS + len(self.shares)]
        reach = np.zeros(BINS + len(self.shares) - 1)
        start = max(-self.first, 0)
        reach[start : start + len(seen)] = seen[: max(len(reach) - start, 0)]
        return np.correlate(reach, self.shares, "valid")


def row(*parts: Part) -> Row:
    """Likelihoods of the lengths of a message made of these parts."""
    return _row(parts)


@cache
def _row(parts: tuple[Part, ...]) -> Row:
    if not parts:
        return Row(0, np.ones(1))
    found = _row(parts[:-1])
    least, low, high, most = parts[-1]
    first, last = least // STEP, min(most, CEILING) // STEP
    middles = np.arange(first, last + 1) * STEP + STEP // 2
    rising = (middles - least + _BLUR) / (low - least + 2 * _BLUR)
    falling = (most + _BLUR - middles) / (most - high + 2 * _BLUR)
    heights = np.clip(np.minimum(rising, falling), 0, 1)
    return Row(found.first + first, np.convolve(found.shares, heights / heights.sum())[:BINS])


def mixed(*rows: tuple[float, Row]) -> Row:
    """Likelihoods where it is one of several kinds, each with its share."""
    first = min(of.first for _, of in rows)
    found = np.zeros(max(of.first + len(of.shares) for _, of in rows) - first)
    for share, of in rows:
        found[of.first - first :][: len(of.shares)] += share * of.shares
    return Row(first, found)
