"""How fast may be asked: a rate for all, a rate for each host, and less where answers begin to vanish.

Pure but for ``turn``. Time is an argument, in seconds of a clock that is never set.

All sends go at the beginnings of slots, one each. Somebody who is late takes a free slot that began up to
``CREDIT_S`` ago, so that a timer's lateness costs nothing; between that and the wire pass up to ``LATE_S``.
So a send is on the wire within CREDIT_S + LATE_S from where its slot began. Of any rate + 1 sends, two have
slots that are rate * slot apart, and are themselves apart at least rate * slot - CREDIT_S - LATE_S. With

    slot = (1 + CREDIT_S + LATE_S + SPARE_S) / rate

that is more than a second: no window of a second holds more than ``rate`` sends. It costs 2.6 % of the rate.
A host's sends are apart likewise, (1 + LATE_S + SPARE_S) / per_host from when the last was due.
"""

from __future__ import annotations

import asyncio
from collections import deque
from math import ceil, floor
from typing import Protocol

CREDIT_S = 0.006
"""Timers are late by a millisecond or two, and more on a busy machine."""
LATE_S = 0.02
"""From when a send is due until it is on the wire; who comes later than that asks again."""
_WAKE_S = LATE_S * 3 / 4
"""Of it for the timer; the rest is the way to the wire."""
SPARE_S = 0.001
"""So that rounding decides nothing."""
WINDOW = 64
"""Last answers, or their lack, that are weighed: enough to tell a machine's failing from the network's."""
MOST_VANISHED = 16
"""Of them. More, and we ask faster than somebody on the way bears; a host that dies has so many ports."""
LEAST = 10
"""Sends a second, below which slowing down helps nobody."""
GROWS_EVERY_S = 5.0
GROWS_BY = 0.05
"""Of the rate that was asked for, each time without another reason to slow down: half is regained in 50 s."""
_SWEPT_AT = 1 << 10
"""Slots or hosts remembered before the first look at which are past."""


class Turns(Protocol):
    """When a host may be sent something, and what came of it."""

    def reserve(self, host: str, now: float) -> float:
        """Book a send; tells when it may go."""
        ...

    def answered(self, now: float) -> None:
        """Learn that a host known to answer did."""
        ...

    def vanished(self, now: float) -> None:
        """Learn that it did not."""
        ...


class Pace:
    """When which host may be sent something."""

    def __init__(self, rate: int, per_host: int) -> None:
        """Take sends a second, of all and of each host; 0: no limit."""
        self._limit = float(rate)
        self._share = 1.0
        self._slot = (1 + CREDIT_S + LATE_S + SPARE_S) / rate if rate else 0.0
        self._apart = (1 + LATE_S + SPARE_S) / per_host if per_host else 0.0
        self._unlimited = rate == 0
        self._taken: dict[int, int] = {}
        """Slots that are taken, each with one behind it that may be free."""
        self._ready: dict[str, float] = {}
        """When a host may be sent the next."""
        self._most_taken = self._most_ready = _SWEPT_AT
        self._vanished: deque[bool] = deque(maxlen=WINDOW)
        self._changed = 0.0
        self._second, self._sent, self._sent_before = 0, 0, 0

    @property
    def rate(self) -> float:
        """Sends a second at present; 0: no limit."""
        return self._limit * self._share

    @property
    def slowed(self) -> str | None:
        """Why it goes slower than was asked for, in words."""
        if not self._limit or self._share == 1.0:
            return None
        return f"slowed down to {self.rate:.0f} a second: answers vanish"

    def reserve(self, host: str, now: float) -> float:
        """Book a send, and tell when it may go; who has not sent it ``LATE_S`` after that books another."""
        at = max(now, self._ready.get(host, now))
        if self._limit:
            slot = self._free(ceil((at - CREDIT_S) / self._slot), now)
            at = max(at, slot * self._slot)
        if self._apart:
            self._ready[host] = at + self._apart
            if len(self._ready) > self._most_ready:
                self._ready = {name: ready for name, ready in self._ready.items() if ready > now}
                self._most_ready = max(_SWEPT_AT, 2 * len(self._ready))
        self._count(now)
        return at

    def answered(self, now: float) -> None:
        """Learn that a host known to answer did."""
        self._vanished.append(False)
        if self._share < 1.0 and now - self._changed >= GROWS_EVERY_S:
            self._changed = now
            self._share = min(self._share + GROWS_BY, 1.0)
            if self._share == 1.0 and self._unlimited:
                self._limit = 0.0

    def vanished(self, now: float) -> None:
        """Learn that a host known to answer did not, not even with a refusal."""
        self._vanished.append(True)
        if sum(self._vanished) <= MOST_VANISHED:
            return
        self._vanished.clear()  # what is sent more slowly is judged anew
        self._changed = now
        if not self._limit:
            self._limit = float(max(self._sent, self._sent_before, LEAST))
            self._slot = 1 / self._limit
            self._taken.clear()
        self._share = max(self._share / 2, min(LEAST / self._limit, self._share))

    def _free(self, slot: int, now: float) -> int:
        """Take the first free slot from one on; of those that a lower rate leaves, every so-manyth is one."""
        slot = self._allowed(slot)
        passed = []
        while slot in self._taken:
            passed.append(slot)
            slot = self._allowed(self._taken[slot])
        for one in (*passed, slot):
            self._taken[one] = slot + 1
        if len(self._taken) > self._most_taken:
            past = ceil((now - CREDIT_S) / self._slot)
            self._taken = {one: behind for one, behind in self._taken.items() if one >= past}
            self._most_taken = max(_SWEPT_AT, 2 * len(self._taken))
        return slot

    def _allowed(self, slot: int) -> int:
        """The first slot from one on that is left: where slot * share passes a whole number."""
        if self._share == 1.0:
            return slot
        return max(ceil((floor((slot - 1) * self._share) + 1) / self._share), slot)

    def _count(self, now: float) -> None:
        """Count what was sent in this second and in the one before."""
        if int(now) != self._second:
            self._sent_before = self._sent if int(now) == self._second + 1 else 0
            self._second, self._sent = int(now), 0
        self._sent += 1


async def turn(pace: Turns, host: str) -> None:
    """Wait until a host may be sent something; it is to be sent at once."""
    clock = asyncio.get_running_loop().time
    while (due := pace.reserve(host, now := clock())) > now:
        await asyncio.sleep(due - now)
        if clock() <= due + _WAKE_S:
            return
