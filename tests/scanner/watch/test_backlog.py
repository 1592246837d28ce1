"""What waits to be heard comes in its order, and it is known when it is too much."""

from __future__ import annotations

import pytest
from packets import Connection, S, decoded

from scanner.announcements import Told
from scanner.gatherer import Gathered
from scanner.net import Prefixes
from scanner.watch import backlog
from scanner.watch.backlog import Backlog
from scanner.wire.harvest import Selection
from scanner.wire.interest import Interest


def gathered(size: int) -> Gathered:
    selection = Selection(Interest(frozenset({25}), Prefixes()))
    talk = Connection(server=("192.0.2.1", 25)).open().say((S, b"220 " + bytes(size)))
    return Gathered(selection.pick(decoded(talk.packets)), Told())


def test_the_first_that_came_is_taken_first() -> None:
    waiting = Backlog()
    some = [gathered(10), Gathered(None, Told(), until=1), gathered(20)]
    for one in some:
        waiting.add(one)
    assert [waiting.take() for _ in range(len(waiting))] == some
    assert len(waiting) == 0


def test_it_is_full_by_bytes_and_no_more_once_enough_was_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backlog, "MOST_BYTES", 2500)
    waiting = Backlog()
    waiting.add(gathered(1000))
    assert not waiting.is_full
    waiting.add(gathered(1000))
    assert waiting.is_full
    waiting.take()
    assert not waiting.is_full
