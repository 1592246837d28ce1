"""How long after a login its sign-in is logged: what clocks are apart, and how delays are spread.

Both are read from the data: among the differences of all logins and sign-ins that may belong together, those
that do stand out of a plain that chance makes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import sqrt
from statistics import median

import numpy as np
import numpy.typing as npt

from scanner.match.fitting import Numbers, Reals, Stream, evenly, pairs
from scanner.tenant import HeardLogin

SEARCHED_S = 900
"""How far clocks may be apart: domain members keep within 5 minutes (Kerberos), others stray further."""
BEFORE_S, AFTER_S = 15, 45
"""How far from the usual a sign-in may be logged: half a minute is usual, refusals are held back."""
SMOOTHED_S = 5
"""Differences are spread over some seconds: by rounding, by how long TLS takes, by the log's own delays."""
SIGNIFICANT = 6.0
"""Standard deviations that a peak stands above the plain: chance alone makes one in a billion, and there are
two thousand places to look at."""
LEAST_PAIRS = 8
"""Coincidences of a peak, at least."""
SAMPLE = 20_000
"""Sign-ins looked at: their peak is sharp enough, and a site has hundreds of thousands."""
FLOOR = 0.02
"""Share of sign-ins that are logged at any time within bounds: delays that were not met yet."""
USUAL_S = 8.0
"""Where the data tell nothing: a delay's mean, after which longer ones are rarer."""
LEAST_LEARNED = 100
"""Pairs that tell a spread better than differences among everything do."""
DAY_NS = 86_400 * 1_000_000_000


@dataclass(frozen=True, slots=True)
class Delays:
    """How likely each delay is, a protocol."""

    usual_s: dict[str | None, int]
    """How far clocks are apart with the commonest delay: sign-in less login."""
    density: dict[str | None, Reals]
    """A share a second, from ``usual_s - BEFORE_S`` on."""

    def shifts(self, logins: Stream) -> Reals:
        """What to add to each login's time so that the usual delay is none."""
        by_kind = np.array([float(self.usual_s[kind.protocol]) for kind in logins.kinds])
        return by_kind[logins.kind]

    def likelihood(self, logins: Stream, of_login: Numbers, apart: Reals) -> Reals:
        """How likely these logins' sign-ins are so far off the usual, a share a second."""
        table = np.array([self.density[kind.protocol] for kind in logins.kinds])
        bins = np.clip(np.floor(apart + 0.5).astype(np.int64) + BEFORE_S, 0, table.shape[1] - 1)
        found: Reals = table[logins.kind[of_login], bins]
        return found

    def learn(self, logins: Stream, of_login: Numbers, apart: Reals, share: Reals) -> None:
        """Tell the spread anew, by how likely each pair belongs together."""
        bins = np.clip(np.floor(apart + 0.5).astype(np.int64) + BEFORE_S, 0, BEFORE_S + AFTER_S)
        for protocol in self.density:
            own = np.array([kind.protocol == protocol for kind in logins.kinds])[logins.kind[of_login]]
            if share[own].sum() >= LEAST_LEARNED:
                counts = np.bincount(bins[own], share[own], BEFORE_S + AFTER_S + 1)
                self.density[protocol] = _with_floor(np.convolve(counts, [0.1, 0.8, 0.1], "same"))


def ahead(logins: Sequence[HeardLogin]) -> list[float]:
    """By how many seconds servers' clocks are ahead of the sensor's, as they said nearest to that day."""
    told: dict[str, dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
    for one in logins:
        if one.ahead_s is not None:
            told[one.sensor][one.at // DAY_NS].append(one.ahead_s)

    @cache
    def on(sensor: str, day: int) -> float:
        days = told.get(sensor)
        return float(median(days[min(days, key=lambda known: (abs(known - day), known))])) if days else 0.0

    return [on(one.sensor, one.at // DAY_NS) for one in logins]


def learned(logins: Stream, sign_ins: Stream, fits: npt.NDArray[np.bool_]) -> Delays:
    """Read delays from all pairs of logins and sign-ins that fit."""
    protocols = sorted({kind.protocol for kind in logins.kinds}, key=str)
    chosen = evenly(len(sign_ins), SAMPLE)
    counts = np.zeros((len(logins.kinds), 2 * SEARCHED_S + 1))
    for of_sign_in, of_login in pairs(logins, sign_ins, fits, (-SEARCHED_S, SEARCHED_S), chosen):
        apart = np.floor(sign_ins.seconds[of_sign_in] - logins.seconds[of_login] + 0.5).astype(np.int64)
        np.add.at(counts, (logins.kind[of_login], apart + SEARCHED_S), 1)
    whole = _peak(counts.sum(axis=0)) or (0, _unknown())
    usual, density = {}, {}
    for protocol in protocols:
        own = [at for at, kind in enumerate(logins.kinds) if kind.protocol == protocol]
        usual[protocol], density[protocol] = _peak(counts[own].sum(axis=0)) or whole
    return Delays(usual, density)


def _peak(counts: Reals) -> tuple[int, Reals] | None:
    """Where differences stand out, and how they are spread there; None: nowhere."""
    window = np.ones(SMOOTHED_S)
    smooth = np.convolve(counts, window, "same")
    plain = max(float(np.median(counts)), float(np.mean(np.sort(counts)[: len(counts) // 2]))) * SMOOTHED_S
    edge = AFTER_S
    at = edge + int(np.argmax(smooth[edge:-edge]))
    above = smooth[at] - plain
    if smooth[at] < LEAST_PAIRS or above < SIGNIFICANT * sqrt(max(plain, 1.0)):
        return None
    near = counts[at - BEFORE_S : at + AFTER_S + 1] - plain / SMOOTHED_S
    spread = np.maximum(np.convolve(near, [0.25, 0.5, 0.25], "same"), 0)
    return at - SEARCHED_S, _with_floor(spread)


def _unknown() -> Reals:
    seconds = np.arange(-BEFORE_S, AFTER_S + 1)
    return _with_floor(np.exp(-np.abs(seconds) / USUAL_S))


def _with_floor(spread: Reals) -> Reals:
    found: Reals = spread / spread.sum() * (1 - FLOOR) + FLOOR / len(spread)
    return found
