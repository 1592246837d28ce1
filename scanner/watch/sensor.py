"""The sensor's loop: wait, gather, hear, hand on, and once a second look after everything else."""

from __future__ import annotations

import os
import select
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import fields, replace
from typing import NamedTuple

from db.prepare import Prepared, Preparer
from scanner.announcements import Told as Announced
from scanner.capture.interface import received
from scanner.capture.live import TapError
from scanner.gatherer import Gathered
from scanner.model import Observation, Sighting
from scanner.pipeline import Bench, Finish, counted
from scanner.totals import HOUR_NS, Hour, RunTotals
from scanner.watch.backlog import Backlog
from scanner.watch.clock import Jumps
from scanner.watch.ears import Ears, Told
from scanner.watch.scribe import Scribe
from scanner.watch.status import Findings, Status, Wire
from scanner.watch.talk import Talk
from scanner.watch.wishes import Wishes

SECOND, MINUTE = 1.0, 60.0
DAY_NS = 24 * HOUR_NS
"""A run is ended and begun anew with each day, UTC: it is what is forgotten as a whole."""
WAITED_S = 10.0
"""After the clock was set for so long packets come that were dated before: they waited in a ring."""
NOTHING_S = 0.05
"""A wait after being woken for nothing, as sockets of an interface that is down do without end."""


class Found(NamedTuple):
    """What became of conversations."""

    rows: Prepared
    seen: list[Observation]


def finisher() -> Finish[Found]:
    """What makes of observations what the sensor wants."""
    preparer = Preparer()

    def finish(seen: list[Observation], sighted: tuple[Sighting, ...]) -> Found:
        return Found(preparer.prepare(seen, sighted), seen)

    return finish


class Sensor:
    """One run of ``watch``."""

    def __init__(
        self,
        ears: Ears,
        bench: Bench[Found],
        scribe: Scribe,
        talk: Talk,
        reload: Callable[[], None],
        each_second: Iterable[Callable[[Status], None]] = (),
        each_session: Callable[[Observation], None] | None = None,
    ) -> None:
        """Everything is open; ``reload`` is called when SIGHUP asks for it, the others as they are named."""
        self._ears, self._bench, self._scribe, self._talk = ears, bench, scribe, talk
        self._reload = reload
        self._each_second = (talk.second, *each_second)
        self._each_session = each_session
        self._jumps = Jumps()
        self._began = self._day = time.time_ns()
        self._findings = Findings()
        self._backlog = Backlog()
        self._reading_s = self._hearing_s = 0.0
        self._arrived = [Arrived() for _ in ears.told().seen]
        self._told = Told(ears.told().tally, ())
        self._down_ns = self._set = 0
        self._set_until = 0.0
        self._noted = self._of_day = RunTotals()
        self._noted_cut = 0
        self._missing = False

    def run(self, wishes: Wishes) -> None:
        """Watch until a signal says to stop."""
        self._look(0)
        second = minute = time.monotonic()
        minute += MINUTE
        while not wishes.stop:
            self._wait(wishes, second)
            self._turn()
            now = time.monotonic()
            if now >= second:
                self._every_second(now - second + SECOND, wishes)
                second = now + SECOND
            if now >= minute:
                self._every_minute("minute")
                minute = now + MINUTE

    def _turn(self) -> None:
        began = time.thread_time()
        self._gather(self._ears.gathered())
        read = time.thread_time()
        self._hear()
        self._reading_s += read - began
        self._hearing_s += time.thread_time() - read

    def end(self) -> int:
        """Hear what is left, and let go of everything; tells how many sessions could not be written."""
        with suppress(TapError):  # it ended because of one, perhaps, and that was told
            self._gather(self._ears.rest())
            self._look(0)
        while self._backlog:
            self._take(self._bench.hear(self._backlog.take()))
        self._take(self._bench.flush())
        self._ears.close()
        lost = self._scribe.close(self._hours(), self._of_run(), time.time_ns())
        self._talk.tell("end", self.status())
        return lost

    def status(self) -> Status:
        """How it does now."""
        told, scribe = self._told, self._scribe
        wires = [
            Wire(name, up, arrived.packets, counts.delivered, counts.dropped, counts.tagged)
            for (name, counts, up), arrived in zip(told.seen, self._arrived, strict=True)
        ]
        return Status(
            time.time_ns(), self._began, tuple(wires), self._totals(), self._bench.open, self._findings,
            scribe.waiting, scribe.fault, self._told.cpu_s + self._reading_s, self._hearing_s,
        )  # fmt: skip

    def _wait(self, wishes: Wishes, until: float) -> None:
        waiting = [*self._ears.filenos(), wishes.fileno(), self._scribe.fileno()]
        rest = 0.0 if self._backlog else max(until - time.monotonic(), 0)
        if os.name == "nt":  # there only sockets can be waited for
            time.sleep(min(rest, NOTHING_S))
            self._scribe.listen()
            return
        ready, _, _ = select.select(waiting, [], [], rest)
        if wishes.fileno() in ready:
            wishes.calm()
        self._missing = bool(ready)
        if self._scribe.fileno() in ready:
            self._scribe.listen()

    def _gather(self, gathered: Iterable[Gathered]) -> None:
        for one in gathered:
            self._missing = False
            if jumped := self._jumps.jump():
                self._talk.note(f"the clock was set by {jumped / 1e9:+.1f} s; open connections move along")
                self._began += jumped
                self._backlog.add(Gathered(None, Announced(), clock_set=jumped))
                self._set, self._set_until = jumped, time.monotonic() + WAITED_S
            if self._set and time.monotonic() < self._set_until:
                one = one.redated(self._set, time.time_ns())
            self._backlog.add(one)
        if self._missing and not self._backlog:
            time.sleep(NOTHING_S)

    def _hear(self) -> None:
        """Hear what waits, until there is something to read: packets are lost, what was gathered is not."""
        while self._backlog:
            self._take(self._bench.hear(self._backlog.take()))
            if not self._backlog.is_full and self._ready():
                return

    def _ready(self) -> bool:
        return os.name != "nt" and bool(select.select(self._ears.filenos(), [], [], 0)[0])

    def _take(self, found: Iterable[Found]) -> None:
        for rows, seen in found:
            self._scribe.put(rows)
            self._findings.add(seen)
            for one in seen if self._each_session else ():
                assert self._each_session
                self._each_session(one)

    def _every_second(self, lasted: float, wishes: Wishes) -> None:
        for line in self._ears.news():
            self._talk.note(line)
        self._look(lasted)
        status = self.status()
        for show in self._each_second:
            show(status)
        if wishes.tell():
            self._talk.tell("asked", status)
        if wishes.reload():
            self._reload()

    def _look(self, lasted: float) -> None:
        self._told = self._ears.told()
        for seen, arrived in zip(self._told.seen, self._arrived, strict=True):
            arrived.count(received(seen.name))
            if not seen.up:
                self._down_ns += int(lasted * 1e9)

    def _every_minute(self, event: str) -> None:
        self._talk.tell(event, self.status())
        now, hours = time.time_ns(), self._hours()
        if now // DAY_NS != self._day // DAY_NS:
            self._scribe.rotate(hours, self._of_run(), now)
            self._day, self._of_day = now, self._totals()
        else:
            self._scribe.count(hours, self._of_run(), now)

    def _totals(self) -> RunTotals:
        """Since the sensor began."""
        dropped = sum(seen.counts.dropped for seen in self._told.seen)
        heard = counted(RunTotals(), self._told.tally, self._bench.tally)
        return replace(heard, dropped=dropped, down_ns=self._down_ns, unwritten=self._scribe.unwritten)

    def _of_run(self) -> RunTotals:
        """Since the run began."""
        now = self._totals()
        less = less_than(now, self._of_day)
        return replace(less, first_at=max(self._began, self._day), last_at=time.time_ns())

    def _hours(self) -> list[Hour]:
        """What came since this was asked last, for the hour that it is."""
        now, cut = self._totals(), self._bench.tally.cut
        new = less_than(now, self._noted)
        hour = Hour(
            time.time_ns() // HOUR_NS * HOUR_NS, new.packets, new.bytes, new.dropped, cut - self._noted_cut,
            new.evicted, new.observations, new.gaps, 0, new.down_ns,
        )  # fmt: skip
        self._noted, self._noted_cut = now, cut
        return [hour]


class Arrived:
    """How many packets an interface received, though its counter may begin anew when it comes back."""

    def __init__(self) -> None:
        """Nothing is counted yet."""
        self.packets: int | None = None
        """None: the system does not tell."""
        self._before = 0

    def count(self, counter: int | None) -> None:
        """Look at the counter."""
        if counter is None:
            return
        if self.packets is None:
            self.packets = 0
        else:
            self.packets += counter - self._before if counter >= self._before else counter
        self._before = counter


def less_than(totals: RunTotals, before: RunTotals) -> RunTotals:
    """What came since; times and texts stay those of the later."""
    counts = [name.name for name in fields(RunTotals) if isinstance(getattr(totals, name.name), int)]
    counts = [name for name in counts if not name.endswith("_at")]
    return replace(totals, **{name: getattr(totals, name) - getattr(before, name) for name in counts})
