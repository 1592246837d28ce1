"""How much coincidences may tell at most: what a schedule makes each day is one coincidence, not one a day.

A device and a machine that nobody hears may both begin at two in the morning; that they meet day after day
speaks no more for the device than that both were set so, and than what varies from day to day.
"""

from __future__ import annotations

from itertools import pairwise
from math import log

import numpy as np

from scanner.match.fitting import Numbers, Reals, Stream

SAME_S = 30
"""Times of day that are less apart are one schedule."""
A_DAY = 0.3
"""What a day adds to a schedule: whether it was kept, and by how many seconds it was missed."""
ALONE = 0.1
"""Devices a schedule that nobody else was heard to have is shared with."""
DAY_S = 86_400


class Schedules:
    """Times of day at which devices log in."""

    def __init__(self, logins: Stream) -> None:
        """Of all logins."""
        times = logins.seconds % DAY_S
        self._days = max(float(np.ptp(logins.seconds)) / DAY_S, 1.0)
        self._devices = len(logins.names)
        self._all = np.sort(times)
        order = np.lexsort((times, logins.owner))
        bounds = np.searchsorted(logins.owner[order], np.arange(self._devices + 1))
        self._own = [times[order[a:b]] for a, b in pairwise(bounds)]
        self._times = times

    def most(self, device: int, its: Numbers) -> float:
        """What coincidences of these logins of a device may gain at most.

        As many devices as log in at that time of day on a day, so likely is one more that nobody hears.
        """
        times = np.sort(self._times[its])
        phases = 1 + int(np.count_nonzero(np.diff(times) > SAME_S))
        others = (_within(self._all, times) - _within(self._own[device], times)).mean() / self._days
        return 2 * phases * log(max(self._devices / (others + ALONE), 1.0)) + A_DAY * len(its)


def _within(every: Reals, times: Reals) -> Numbers:
    return np.searchsorted(every, times + SAME_S, "right") - np.searchsorted(every, times - SAME_S, "left")
