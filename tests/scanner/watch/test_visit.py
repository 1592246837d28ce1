"""Listening for a while: until the time is over, somebody says stop, or all is down."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Iterator

import pytest
from packets import Connection, Packet, batch

from scanner.capture.live import Counts, Filter
from scanner.catalogue.exchange import load_catalogue
from scanner.watch import visit
from scanner.watch.evidence import WireEvidence
from scanner.watch.examination import Examination, Wire
from scanner.watch.visit import Visit
from scanner.watch.wishes import Wishes
from scanner.wire.batch import Batch, LinkType

FRAME = Connection().open().packets[0]


class Tap:
    """A tap whose packets are put into it."""

    interface = "lo"

    def __init__(self) -> None:
        self._end, self._far = socket.socketpair()
        self._waiting: list[list[Packet]] = []
        self.up, self.closed = True, False
        self.news: list[str] = []
        self.filters: list[Filter] = []
        self.dropped = self.delivered = 0

    def put(self, count: int) -> None:
        self._waiting.append([FRAME] * count)
        self.delivered += count
        self._far.send(b".")

    def look(self) -> list[str]:
        told, self.news = self.news, []
        return told

    def fileno(self) -> int:
        return self._end.fileno()

    def batches(self) -> Iterator[Batch]:
        while self._waiting:
            self._end.recv(1)
            yield batch(self._waiting.pop(0))

    def refilter(self, attach: Filter) -> None:
        self.filters.append(attach)

    def counts(self) -> Counts:
        return Counts(self.delivered, self.dropped)

    def close(self) -> None:
        self.closed = True
        self._end.close()
        self._far.close()


def attach(sock: socket.socket, link: LinkType) -> None:
    """What is to be attached."""


class Visited:
    """A visit to taps, and what it said."""

    def __init__(self, *taps: Tap) -> None:
        self.told: list[int] = []
        self.examination = Examination(load_catalogue(None, ()), [Wire(None, 1500) for _ in taps])
        self.visit = Visit(taps, self.examination, attach)

    def run(self, seconds: float) -> tuple[WireEvidence, ...]:
        with Wishes() as wishes:
            self.visit.run(seconds, wishes, lambda at, _: self.told.append(at))
        return self.visit.wires()


def test_it_lasts_as_long_as_it_should_and_tells_each_second() -> None:
    tap = Tap()
    visited = Visited(tap)
    tap.put(3)
    threading.Timer(0.3, tap.put, (4,)).start()
    (wire,) = visited.run(1.5)
    assert 1.5 <= visited.visit.seconds < 3
    assert visited.told == [1]
    assert (wire.frames.frames, wire.segments, wire.passed, wire.dropped) == (7, 7, 7, 0)
    assert wire.arrived is not None
    assert tap.closed
    assert not visited.visit.filtered


def test_what_comes_last_is_heard() -> None:
    tap = Tap()
    visited = Visited(tap)
    tap.put(1)
    (wire,) = visited.run(0)
    assert wire.frames.frames == 1


def test_a_signal_ends_it() -> None:
    visited = Visited(Tap())
    threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
    visited.run(30)
    assert visited.visit.seconds < 5


def test_interfaces_that_are_all_down_are_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visit, "DOWN_S", 1)
    taps = Tap(), Tap()
    taps[0].up = taps[1].up = False
    taps[1].news = ["lo is down"]
    visited = Visited(*taps)
    wires = visited.run(30)
    assert visited.visit.seconds < 5
    assert [(wire.up, wire.news) for wire in wires] == [(False, ()), (False, ("lo is down",))]


def test_while_one_is_up_the_others_are_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visit, "DOWN_S", 1)
    taps = Tap(), Tap()
    taps[1].up = False
    visited = Visited(*taps)
    visited.run(1.3)
    assert visited.visit.seconds >= 1.3


def test_an_interface_that_wakes_for_nothing_costs_little() -> None:
    tap = Tap()
    tap._far.send(b".")
    before = time.process_time()
    Visited(tap).run(0.9)
    assert time.process_time() - before < 0.4


def test_when_enough_was_looked_at_the_kernel_filters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visit, "EVERYTHING_S", 0.5)
    monkeypatch.setattr(visit, "ENOUGH_PACKETS", 10)
    tap = Tap()
    visited = Visited(tap)
    tap.put(10)
    tap.dropped = 5

    def go_on() -> None:
        tap.put(2)
        tap.dropped = 6

    threading.Timer(1.3, go_on).start()
    (wire,) = visited.run(1.6)
    assert tap.filters == [attach]
    assert visited.visit.filtered
    assert (wire.frames.frames, wire.passed, wire.dropped) == (12, 2, 1)


def test_a_quiet_mirror_is_never_filtered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visit, "EVERYTHING_S", 0.5)
    monkeypatch.setattr(visit, "ENOUGH_PACKETS", 10)
    tap = Tap()
    visited = Visited(tap)
    tap.put(9)
    visited.run(1.3)
    assert tap.filters == []
