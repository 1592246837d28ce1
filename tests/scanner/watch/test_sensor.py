"""The sensor's loop, with clocks that go as they are told: seconds, minutes, days, wishes, and the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from packets import BEGAN, SECOND, C, Connection, Packet, S, batch

from db.prepare import Prepared
from scanner.account import Usernames
from scanner.capture.live import Counts, TapError
from scanner.catalogue.exchange import load_catalogue
from scanner.gatherer import Gathered
from scanner.model import Observation
from scanner.pipeline import Pipeline
from scanner.totals import HOUR_NS, Hour, RunTotals
from scanner.watch import sensor as module
from scanner.watch.clock import Jumps
from scanner.watch.ears import Seen, Told
from scanner.watch.sensor import DAY_NS, NOTHING_S, Arrived, Sensor, finisher, less_than
from scanner.watch.status import Status
from scanner.wire.batch import Tally

WAKE = 0.7
"""Seconds after which something comes to be heard."""


class World:
    """All that a sensor deals with; nothing in it is real but the bench."""

    def __init__(self, began: int = BEGAN) -> None:
        self.wall, self.steady, self.slept = began, 5.0, 0.0
        self.plan: list[tuple[float, Callable[[], object]]] = []
        self.did: list[str] = []
        self.pipeline = Pipeline(load_catalogue(), "here", Usernames.MASK, live=True)
        self.gatherer = self.pipeline.gatherer()
        self.packets: list[Packet] = []
        self.counts, self.up, self.received, self.lines = Counts(), True, 0, list[str]()
        self.fault: str | None = None
        self.noted: list[tuple[str, list[Hour], RunTotals, int]] = []
        self.written: list[Prepared] = []
        self.shown: list[Status] = []
        self.said: list[str] = []
        self.waiting = self.unwritten = 0
        self.stop = self.wants_tell = self.wants_reload = self.ready = False

    def at(self, seconds: float, do: Callable[[], object]) -> None:
        self.plan.append((5.0 + seconds, do))

    def set(self, **what: Any) -> Callable[[], None]:
        return lambda: self.__dict__.update(what)

    # The clocks, and waiting.

    def time_ns(self) -> int:
        return self.wall

    def monotonic(self) -> float:
        return self.steady

    def thread_time(self) -> float:
        return self.steady

    def sleep(self, seconds: float) -> None:
        self.slept += seconds
        self.go(seconds)

    def go(self, seconds: float) -> None:
        self.steady += seconds
        self.wall += round(seconds * SECOND)
        due = [do for at, do in self.plan if at <= self.steady]
        self.plan = [(at, do) for at, do in self.plan if at > self.steady]
        for do in due:
            do()

    def select(self, waiting: list[int], *_: object) -> tuple[list[int], list[int], list[int]]:
        if waiting == [1]:  # a look while it hears
            return ([1] if self.ready else []), [], []
        assert waiting == [1, 2, 3]
        rest = _[-1]
        assert isinstance(rest, float)
        self.go(min(rest, WAKE) + 1e-6)
        return ([1] if self.ready else []), [], []

    # Ears.

    def filenos(self) -> list[int]:
        return [1]

    def gathered(self) -> Iterator[Gathered]:
        if not self.ready:
            packets, self.packets = self.packets, []
            yield from self.gatherer.gather(batch(packets))
            yield self.gatherer.so_far(self.wall)

    def told(self) -> Told:
        return Told(Tally(packets=self.counts.delivered), (Seen("eth1", self.counts, self.up),))

    def news(self) -> list[str]:
        lines, self.lines = self.lines, []
        return lines

    def rest(self) -> Iterator[Gathered]:
        self.did.append("rest")
        if self.fault:
            raise TapError(self.fault)
        yield from self.gathered()

    # The scribe.

    def put(self, rows: Prepared) -> None:
        self.written.append(rows)

    def count(self, hours: list[Hour], totals: RunTotals, at: int) -> None:
        self.noted.append(("count", hours, totals, at))

    def rotate(self, hours: list[Hour], totals: RunTotals, at: int) -> None:
        self.noted.append(("rotate", hours, totals, at))

    def close(self, *with_what: Any) -> int:
        self.did.append("scribe closes" if with_what else "ears close")
        if with_what:
            self.noted.append(("close", *with_what))
        return 3

    def listen(self) -> None: ...

    # Talk, and wishes.

    def note(self, text: str) -> None:
        self.said.append(text)

    def second(self, status: Status) -> None:
        self.shown.append(status)

    def tell(self, event: str | None = None, status: Status | None = None) -> bool:
        if event is None:
            asked, self.wants_tell = self.wants_tell, False
            return asked
        self.did.append(f"tells {event}")
        return True

    def reload(self) -> bool:
        asked, self.wants_reload = self.wants_reload, False
        return asked

    def calm(self) -> None: ...


class _Scribe:
    """The world, as a scribe that has its own descriptor."""

    def __init__(self, world: World, number: int) -> None:
        self._world, self._number = world, number

    def fileno(self) -> int:
        return self._number

    def __getattr__(self, name: str) -> Any:
        return getattr(self._world, name)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[Sensor, int]]:
    def running(world: World, seconds: float, seen: list[Observation] | None = None) -> tuple[Sensor, int]:
        """Run so long, and end; gives what could not be written, too."""
        monkeypatch.setattr(module, "time", world)
        monkeypatch.setattr(module, "select", world)
        monkeypatch.setattr(module, "received", lambda _: world.received)
        steady = lambda: round(world.steady * SECOND)  # noqa: E731
        monkeypatch.setattr(module, "Jumps", lambda: Jumps(world.time_ns, steady))
        scribe, wishes, ears = _Scribe(world, 3), _Scribe(world, 2), world
        bench = world.pipeline.bench("eth1", finisher())
        each = seen.append if seen is not None else None
        reload = lambda: world.did.append("reloads")  # noqa: E731
        sensor = Sensor(ears, bench, scribe, world, reload, [lambda _: None], each)  # type: ignore[arg-type]
        world.at(seconds, world.set(stop=True))
        sensor.run(wishes)  # type: ignore[arg-type]
        return sensor, sensor.end()

    return running


Run = Callable[..., tuple[Sensor, int]]


def test_seconds_minutes_and_the_end_come_in_order(run: Run) -> None:
    world = World()
    assert run(world, 125.5)[1] == 3
    assert 124 <= len(world.shown) <= 127
    assert [what for what, *_ in world.noted] == ["count", "count", "close"]
    assert world.did == ["tells minute", "tells minute", "rest", "ears close", "scribe closes", "tells end"]
    assert world.slept == 0
    gaps = [(later.at - one.at) / SECOND for one, later in zip(world.shown, world.shown[1:], strict=False)]
    assert max(gaps) < 1.5


def test_an_hour_is_told_what_came_since_the_last_time(run: Run) -> None:
    world = World(began=3 * HOUR_NS - 90 * SECOND)
    for second in range(200):
        world.at(second, world.set(counts=Counts(10 * second, second // 10, 1)))
    run(world, 195)
    hours = [hour for _, noted, *_ in world.noted for hour in noted]
    assert [hour.at // HOUR_NS for hour in hours] == [2, 3, 3, 3]
    assert sum(hour.packets for hour in hours) == world.counts.delivered == 1950
    assert sum(hour.dropped for hour in hours) == 19
    assert all(hour.packets > 0 for hour in hours)
    totals = [totals.packets for _, _, totals, _ in world.noted]
    assert totals == sorted(totals)
    assert totals[-1] == 1950


def test_with_each_day_a_run_begins(run: Run) -> None:
    world = World(began=5 * DAY_NS - 30 * SECOND)
    for second in range(400):
        world.at(second, world.set(counts=Counts(10 * second)))
    run(world, 250)
    assert [what for what, *_ in world.noted] == ["rotate", "count", "count", "count", "close"]
    rotated, *later = [totals for _, _, totals, _ in world.noted]
    assert rotated.packets + later[-1].packets == 2500
    assert rotated.first_at == 5 * DAY_NS - 30 * SECOND
    assert later[-1].first_at == world.noted[0][3]
    assert sum(hour.packets for _, hours, *_ in world.noted for hour in hours) == 2500


def test_how_long_an_interface_was_away_is_counted(run: Run) -> None:
    world = World()
    world.at(10.5, world.set(up=False, lines=["eth1 is down"]))
    world.at(40.5, world.set(up=True, lines=["eth1 is up"]))
    run(world, 70)
    _, _, totals, _ = world.noted[-1]
    assert 29 * SECOND <= totals.down_ns <= 31 * SECOND
    assert sum(hour.down_ns for _, hours, *_ in world.noted for hour in hours) == totals.down_ns
    assert world.said == ["eth1 is down", "eth1 is up"]


def test_signals_are_heeded_once(run: Run) -> None:
    world = World()
    world.at(3, world.set(wants_tell=True))
    world.at(7, world.set(wants_reload=True))
    run(world, 20)
    assert world.did[:2] == ["tells asked", "reloads"]
    assert world.did[2] == "rest"


@pytest.mark.parametrize("by", [3600, -3600])
def test_a_clock_that_is_set_is_told_and_how_long_it_ran_stays_right(run: Run, by: int) -> None:
    world = World(began=BEGAN // DAY_NS * DAY_NS + 12 * HOUR_NS)
    connection = Connection(server=("192.0.2.1", 25), at=world.wall).open().say((S, b"220 mx ESMTP\r\n"))
    world.at(1, world.set(packets=list(connection.packets)))
    world.at(20, lambda: setattr(world, "wall", world.wall + by * SECOND))
    late = Connection(("10.0.0.2", 7), ("192.0.2.1", 25), at=world.wall + 19 * SECOND)
    late.open().say((S, b"220 mx ESMTP\r\n"), (C, b"EHLO late\r\n"))
    world.at(20.1, world.set(packets=late.packets))
    sensor, _ = run(world, 50)
    (said,) = world.said
    assert said == f"the clock was set by {by:+.1f} s; open connections move along"
    assert round((sensor.status().at - sensor.status().began) / SECOND) == 50
    assert {status.open for status in world.shown[30:]} == {2}
    sessions = [own for rows in world.written for _, _, _, own, _ in rows.sessions]
    began, now = sensor.status().began, sensor.status().at
    assert len(sessions) == 2
    assert all(began <= own[0] <= own[2] <= now for own in sessions)


def test_sessions_are_put_counted_and_handed_on(run: Run) -> None:
    world, seen = World(), list[Observation]()
    connection = Connection(server=("52.96.0.1", 587), at=world.wall).open()
    connection.say((S, b"220 x ESMTP\r\n"), (C, b"EHLO copier\r\n"), (S, b"250-x\r\n250 AUTH LOGIN\r\n"))
    connection.say((C, b"AUTH LOGIN\r\n"), (S, b"334 VXNlcm5hbWU6\r\n"), (C, b"YW5u\r\n")).close()
    world.at(1, world.set(packets=connection.packets))
    sensor, _ = run(world, 4, seen)
    (one,) = seen
    assert (one.client_name, one.mechanism) == ("copier", "LOGIN")
    assert [len(rows.sessions) for rows in world.written if rows.sessions] == [1]
    findings = sensor.status().findings
    assert (findings.passwords, findings.devices, list(findings.last)) == (1, 1, [one])


def test_a_tap_that_failed_loses_nothing_else(run: Run) -> None:
    world = World()
    world.fault = "eth1 is no more"
    connection = Connection(server=("192.0.2.1", 25), at=world.wall).open().say((S, b"220 mx ESMTP\r\n"))
    world.at(1, world.set(packets=connection.packets))
    assert run(world, 5)[1] == 3
    assert sum(len(rows.sessions) for rows in world.written) == 1
    assert world.did == ["rest", "ears close", "scribe closes", "tells end"]


def test_who_is_woken_for_nothing_sleeps_a_little(run: Run) -> None:
    world = World()
    world.ready = True
    run(world, 10)
    assert world.slept > 3 * NOTHING_S
    assert len(world.shown) >= 9


@pytest.mark.parametrize(
    ("counters", "packets"),
    [
        pytest.param([], None, id="never told"),
        pytest.param([None, None], None, id="not told"),
        pytest.param([1000], 0, id="what came before is not counted"),
        pytest.param([1000, 1005, 1005], 5, id="what came since is"),
        pytest.param([1000, 1005, None, 1007], 7, id="though it was gone for a moment"),
        pytest.param([1000, 1005, None, 3, 4], 9, id="or came back anew"),
    ],
)
def test_how_many_arrived(counters: list[int | None], packets: int | None) -> None:
    arrived = Arrived()
    for counter in counters:
        arrived.count(counter)
    assert arrived.packets == packets


def test_what_came_since_is_a_difference_of_counts_alone() -> None:
    before = RunTotals(packets=5, first_at=1, last_at=2, unreadable=("x",), down_ns=7)
    now = RunTotals(packets=9, gaps=2, first_at=1, last_at=8, unreadable=("x", "y"), down_ns=9)
    assert less_than(now, before) == RunTotals(
        packets=4, gaps=2, first_at=1, last_at=8, unreadable=("x", "y"), down_ns=2
    )
