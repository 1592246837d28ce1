"""Notice when the clock is set: sessions are dated by it, and it is not always right when a sensor starts."""

from __future__ import annotations

import time
from collections.abc import Callable

SMALLEST_NS = 1_000_000_000
"""What is less is NTP's slewing, or this process having slept between two looks at its clocks."""
Clock = Callable[[], int]
"""Tells ns."""


class Jumps:
    """Compares the wall clock with one that is never set. Daylight saving is none of theirs: both are UTC."""

    def __init__(self, wall: Clock = time.time_ns, steady: Clock = time.monotonic_ns) -> None:
        """Begin with the clock as it is."""
        self._wall, self._steady = wall, steady
        self._apart = wall() - steady()

    def jump(self) -> int:
        """By how much (ns) the clock was set forward since this was asked last; 0 for hardly anything."""
        apart = self._wall() - self._steady()
        jumped = apart - self._apart
        if abs(jumped) < SMALLEST_NS:
            return 0
        self._apart = apart
        return jumped
