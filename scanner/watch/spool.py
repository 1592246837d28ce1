"""Write what was seen in a thread of its own, so that capture never waits for the inventory.

What cannot be written, as the database is locked or the disk full, waits in memory and is tried again, the
oldest first. Each try is one transaction, so nothing is counted twice.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from time import monotonic
from typing import NamedTuple

from db.prepare import Prepared
from db.store import UnavailableError
from scanner.totals import COUNTS, Hour, RunTotals
from scanner.watch.keeping import BUSY_MS, Keeper, Say, Tally
from scanner.watch.parcel import Parcel

BOUND_BYTES = 32_000_000
"""What may wait: 30,000 sessions that came one at a time, 115,000 that came twenty at a time (measured)."""
RETRY_S = 0.5
"""Between two tries."""
GATHERED_S = 1.0
"""Sightings alone may wait so long for a session to be written with: a commit costs more than rows."""
GATHERED_BYTES = 100_000
"""What is written at once of what waits, packed: some hundred sessions to five hundred. Unpacked it is ten
times as much, and a commit costs as much as twenty sessions."""
PATIENCE_S = 10.0
"""How long closing tries to write what waits: less than service managers wait before they kill."""


@dataclass(frozen=True, slots=True)
class State:
    """How the writing goes; times are of ``time.monotonic``."""

    waiting: int = 0
    """Batches."""
    waiting_sessions: int = 0
    waiting_bytes: int = 0
    written: int = 0
    """Sessions that were new to the inventory."""
    unwritten: int = 0
    """Sessions given up for want of room."""
    fault: str | None = None
    """Why the last try failed; None: it did not."""
    committed_at: float | None = None
    """When something was written last, s."""


class _End(NamedTuple):
    """The end of a run."""

    tally: Tally


@dataclass(slots=True)
class _Outage:
    """A time in which things wait, from the first fault until all is written."""

    is_told: bool = False
    is_full: bool = False
    """It was told that sessions are given up."""
    sessions: int = 0
    """Those that waited and are written."""
    longest_s: float = 0.0
    given_up: int = 0

    def ended(self) -> str:
        lost = f", {self.given_up:,} were given up" if self.given_up else ""
        waited = f"{self.sessions:,} sessions had waited, up to {self.longest_s:.0f} s{lost}"
        return f"the inventory is written again: {waited}"


_Job = Tally | _End | list[Parcel]


class Spool:
    """The one writer of a sensor's inventory. It is for one thread: the one that captures.

    What the writing thread did not foresee is raised by the next call of any method.
    """

    def __init__(
        self, url: str, sensor: str, sources: Sequence[str], at: int, say: Say, bound: int = BOUND_BYTES
    ) -> None:
        """Open the inventory and begin a run (ns). Raises ``InventoryError`` where waiting would not help.

        ``say`` is called in either thread; ``bound``: bytes that may wait. Fork before, not after.
        """
        self._say, self._bound = say, bound
        self._changed = threading.Condition()
        """Guards what both threads use, which is all below."""
        self._queue: deque[Parcel | _End] = deque()
        self._ends = 0
        """Those in the queue."""
        self._tally: Tally | None = None
        """Of the run that goes on; noted once the end of the one before is."""
        self._forget_before: int | None = None
        self._lost: Counter[int] = Counter()
        """Sessions given up that are in no tally yet, by the beginning of the hour that they ended in, ns."""
        self._lost_of_run = 0
        self._state = State()
        self._outage = _Outage()
        self._until = float("inf")
        """When to stop trying."""
        self._is_ended = False
        self._broken: BaseException | None = None
        self._tried = threading.Event()
        work = partial(self._work, Keeper(url, sensor, sources, at, say))
        self._thread = threading.Thread(target=work, name="inventory writer", daemon=True)
        self._thread.start()
        self._tried.wait()
        self._raise()

    @property
    def state(self) -> State:
        """How the writing goes, now."""
        return self._state

    def put(self, batch: Prepared) -> None:
        """Have a batch written; where there is no room for it, it is given up and its sessions counted.

        Names heard with them are lost too: they will be heard again.
        """
        self._raise()
        made = Parcel.of(batch, is_next=not self._queue)
        with self._changed:
            if self._state.waiting_bytes + made.size <= self._bound:
                self._queue.append(made)
                self._weigh([made], 1)
                self._changed.notify()
                return
            is_told, self._outage.is_full = self._outage.is_full, True
            self._give_up(batch)
        if not is_told:
            waiting = f"{self._state.waiting_sessions:,} sessions wait for the inventory, and no more can"
            self._say(f"{waiting}: those that come now are given up, and counted")

    def count(self, hours: Iterable[Hour], totals: RunTotals, at: int) -> None:
        """Note what came and was missed by hours since this was called last, and in the run by now (ns).

        ``unwritten`` is filled in here. Call it each minute: who reads sees by it that the run goes on.
        """
        self._raise()
        with self._changed:
            self._tally = self._tallied(hours, totals, at)
            self._changed.notify()

    def rotate(self, hours: Iterable[Hour], totals: RunTotals, at: int) -> None:
        """Count for the last time, end the run, and begin another (ns)."""
        self._raise()
        with self._changed:
            self._queue.append(_End(self._tallied(hours, totals, at)))
            self._ends += 1
            self._tally, self._lost_of_run = None, 0
            self._changed.notify()

    def forget(self, before: int) -> None:
        """Drop the sessions of runs that began before a time (ns), a few at a time between what comes."""
        self._raise()
        with self._changed:
            self._forget_before = before
            self._changed.notify()

    def close(self, hours: Iterable[Hour], totals: RunTotals, at: int, patience_s: float = PATIENCE_S) -> int:
        """Count for the last time, end the run (ns), and ``drain``."""
        self.rotate(hours, totals, at)
        return self.drain(patience_s)

    def drain(self, patience_s: float = PATIENCE_S) -> int:
        """Wait so long for all to be written, and stop: a run that goes on is left unfinished.

        Tells how many sessions are lost as they could not be written.
        """
        with self._changed:
            self._until, self._is_ended = monotonic() + patience_s, True
            self._changed.notify()
        self._thread.join(patience_s + RETRY_S + 2 * BUSY_MS / 1000)
        self._raise()
        lost, fault = self._state.waiting_sessions, self._state.fault
        if lost:
            self._say(f"{lost:,} sessions are lost, as they could not be written: {fault or 'no more time'}")
        return lost

    def _raise(self) -> None:
        if self._broken is not None:
            raise self._broken

    def _give_up(self, batch: Prepared) -> None:
        self._lost.update(batch.hours())
        self._lost_of_run += len(batch.sessions)
        self._outage.given_up += len(batch.sessions)
        self._state = replace(self._state, unwritten=self._state.unwritten + len(batch.sessions))

    def _tallied(self, more: Iterable[Hour], totals: RunTotals, at: int) -> Tally:
        """What is to be noted, with what is not noted yet."""
        hours = self._tally.hours if self._tally else {}
        lost = [Hour(hour, unwritten=sessions) for hour, sessions in self._lost.items()]
        self._lost.clear()
        for one in (*more, *lost):
            was = hours.get(one.at, Hour(one.at))
            sums = {name: getattr(was, name) + getattr(one, name) for name in COUNTS}
            hours[one.at] = replace(was, **sums)
        return Tally(hours, replace(totals, unwritten=self._lost_of_run), at)

    def _weigh(self, batches: Sequence[Parcel], sign: int) -> None:
        was = self._state
        self._state = replace(
            was,
            waiting=was.waiting + sign * len(batches),
            waiting_sessions=was.waiting_sessions + sign * sum(batch.sessions for batch in batches),
            waiting_bytes=was.waiting_bytes + sign * sum(batch.size for batch in batches),
        )

    # What the writing thread does.

    def _work(self, keeper: Keeper) -> None:
        try:
            with closing(keeper):
                job: _Job | None = []
                while job is not None and self._try(partial(self._do, keeper, job)):
                    job = self._next(keeper)
        except BaseException as fault:  # for the other thread to raise: here it would vanish
            self._broken = fault
        finally:
            self._tried.set()

    def _try(self, do: Callable[[], object]) -> bool:
        """Do something again and again until it works; tells whether it did in time."""
        while True:
            try:
                do()
            except UnavailableError as fault:
                self._suffer(str(fault))
            else:
                return True
            finally:
                self._tried.set()
            if monotonic() > self._until:
                return False
            time.sleep(RETRY_S)

    def _next(self, keeper: Keeper) -> _Job | None:
        """Wait for what is to be done; no batches: there is time to forget something; None: all is done."""
        with self._changed:
            while monotonic() < self._until:
                if self._forget_before is not None:
                    keeper.forget(self._forget_before)
                    self._forget_before = None
                if self._tally and not self._ends:
                    tally, self._tally = self._tally, None
                    return tally
                if self._queue and isinstance(end := self._queue[0], _End):
                    return end
                if batches := self._batches():
                    return batches
                if self._is_ended:
                    return None
                if keeper.forgets:
                    return []
                self._changed.wait(GATHERED_S if self._queue else None)
        return None

    def _batches(self) -> list[Parcel]:
        """What to write in one transaction; nothing while sightings alone can wait."""
        taken: list[Parcel] = []
        size = 0
        for batch in self._queue:
            if isinstance(batch, _End) or size > GATHERED_BYTES:
                return taken
            taken.append(batch)
            size += batch.size
        has_aged = taken and monotonic() - taken[0].came_at >= GATHERED_S
        is_due = has_aged or self._is_ended or any(batch.sessions for batch in taken)
        return taken if is_due else []

    def _do(self, keeper: Keeper, job: _Job) -> None:
        new = 0
        if isinstance(job, Tally):
            keeper.note(job)
        elif isinstance(job, _End):
            keeper.end(job.tally)
        elif job:
            new = keeper.write(Prepared.joined(batch.rows() for batch in job))
        else:
            keeper.forget_some()
        self._recover(job, new)

    def _suffer(self, fault: str) -> None:
        with self._changed:
            self._state = replace(self._state, fault=fault)
            is_told = self._outage.is_told
            self._outage = self._outage if is_told or self._outage.is_full else _Outage()
            self._outage.is_told = True
        if not is_told:
            self._say(f"the inventory cannot be written, what is seen waits in memory: {fault}")

    def _recover(self, job: _Job, new: int) -> None:
        """Let go of what is written, and tell once nothing waits any more."""
        with self._changed:
            now, outage = monotonic(), self._outage
            if isinstance(job, _End):
                self._queue.popleft()
                self._ends -= 1
            elif isinstance(job, list):
                for batch in job:
                    self._queue.popleft()
                    outage.sessions += batch.sessions
                    outage.longest_s = max(outage.longest_s, now - batch.came_at)
                self._weigh(job, -1)
            written = self._state.written + new
            self._state = replace(self._state, fault=None, written=written, committed_at=now)
            if self._queue:
                return
            self._outage = _Outage()
        if outage.is_told or outage.is_full:
            self._say(outage.ended())
