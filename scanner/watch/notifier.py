"""Tell of findings as they come: in a thread beside the one that writes, which never waits for it.

What the inventory held when listening began is known, and not told. What could not be told when the sensor
ends stays in the inventory, and it says how much that is.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from time import monotonic, time_ns
from typing import NamedTuple

from db.filters import Lens
from db.store import Inventory, InventoryError
from scanner.model import SEVERITY, Host, Level, Verdict
from scanner.report.escape import visible
from scanner.watch.keeping import BUSY_MS, Say
from scanner.watch.notice import Destination, Finding, destination

LOOK_S = 60.0
"""Between two looks at the inventory: of 20,000 hosts one takes about a second of the process that writes."""
WAITING = 1_000
"""Findings that may wait for who is to be told; the oldest are given up first."""
FIRST_RETRY_S, LAST_RETRY_S = 5.0, 3_600.0
"""Between two tries; it doubles from the one to the other."""
PATIENCE_S = 3.0
"""For telling what waits when the sensor ends."""
_TOLD = frozenset({Level.BROKEN, Level.BREAKS, Level.REVIEW})


class Notice(NamedTuple):
    """Who is to be told, and how to look at hosts."""

    target: str
    """As ``scanner.watch.notice.destination`` takes it."""
    lens: Callable[[], Lens]
    """Asked again each day, as verdicts depend on it."""


class Notifier:
    """Looks at the inventory again and again, and tells of hosts that became worse."""

    def __init__(
        self, url: str, sensor: str, notice: Notice, committed: Callable[[], object], say: Say
    ) -> None:
        """Learn what is known by now. ``committed``: changes whenever something was written."""
        self._url, self._sensor, self._notice = url, sensor, notice
        self._committed, self._say = committed, say
        self._to: Destination = destination(notice.target)
        self._known: dict[int, int] | None = None
        """How bad each endpoint has been known to be; None: nobody could look yet."""
        self._lens: tuple[date, Lens] | None = None
        self._seen: object = None
        self._waiting: deque[Finding] = deque(maxlen=WAITING)
        self._given_up = 0
        self._next_look = self._next_try = self._retry_s = 0.0
        self._until = float("inf")
        self._faults: set[str] = set()
        """Those that were said, since somebody was told of a finding last."""
        self._ending = threading.Event()
        self._round()
        self._thread = threading.Thread(target=self._work, name="notifier", daemon=True)
        self._thread.start()

    def close(self, patience_s: float = PATIENCE_S) -> None:
        """Look once more, tell what can be told in so long, and stop."""
        self._until = monotonic() + patience_s
        self._ending.set()
        self._thread.join(patience_s)
        self._until = 0.0
        if lost := len(self._waiting):
            self._say(f"findings not told to {self._to.name}, but in the inventory: {lost:,}")

    def _work(self) -> None:
        while not self._ending.wait(max(0.0, self._due() - monotonic())):
            self._round()
        self._next_look = self._next_try = 0.0
        self._round()

    def _due(self) -> float:
        return min(self._next_look, self._next_try) if self._waiting else self._next_look

    def _round(self) -> None:
        try:
            if monotonic() >= self._next_look:
                self._next_look = monotonic() + LOOK_S
                self._look()
        except InventoryError:
            pass  # the writer says so, and the next look is soon
        except Exception as fault:  # a table that is broken now must not end it
            self._complain(f"findings cannot be looked for: {fault}")
        self._tell()

    def _look(self) -> None:
        """Find hosts that are worse than they were known to be; the first time, only learn."""
        today, committed = datetime.now(UTC).date(), self._committed()
        if self._lens is None or self._lens[0] != today:
            self._lens, self._seen = (today, self._notice.lens()), None
        if self._seen is not None and self._seen == committed:
            return
        with Inventory.open(self._url, busy_ms=BUSY_MS) as kept:
            listed = kept.hosts(self._lens[1])
            known, worse = dict(self._known or {}), []
            for at, (places, level) in enumerate(zip(listed.endpoints, listed.levels, strict=True)):
                before = max((known.get(place, 0) for place in places), default=0)
                if level in _TOLD and SEVERITY[level] > before:
                    worse.append(at)
                known |= dict.fromkeys(places, max(before, SEVERITY[level]))
            if self._known is not None:
                self._add([listed[at] for at in worse[:WAITING]], len(worse[WAITING:]))
        self._known, self._seen = known, committed

    def _add(self, pairs: Sequence[tuple[Host, Verdict]], more: int) -> None:
        now = time_ns()
        found = [Finding(*one, self._sensor, now) for one in pairs if one[1].level in _TOLD]
        given_up = max(0, len(self._waiting) + len(found) - WAITING) + more
        self._waiting.extend(found)
        self._given_up += given_up
        if given_up:
            self._say(f"{given_up:,} findings are not told, as too many wait; they are in the inventory")

    def _tell(self) -> None:
        while self._waiting and self._next_try <= monotonic() < self._until:
            try:
                self._to.tell(self._waiting[0])
            except (OSError, ValueError) as fault:  # names that no resolver takes are the latter
                self._retry_s = min(max(FIRST_RETRY_S, 2 * self._retry_s), LAST_RETRY_S)
                self._next_try = monotonic() + self._retry_s
                self._complain(f"findings wait, as {self._to.name} cannot be told: {fault}")
                return
            self._waiting.popleft()
            if self._retry_s:
                self._say(f"{self._to.name} is told of findings again")
            self._retry_s = 0.0
            self._faults.clear()

    def _complain(self, text: str) -> None:
        """Once, until somebody is told again: a log must not fill."""
        if text not in self._faults and monotonic() < self._until:
            self._faults.add(text)
            self._say(visible(text))
