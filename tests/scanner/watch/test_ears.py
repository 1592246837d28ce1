"""Taps are read, told of, filtered anew and let go, all in one process."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from packets import PORTS, Connection, Packet, S, batch

from scanner.capture.live import Counts, Filter
from scanner.capture.passing import Passing
from scanner.capture.pcapng_writer import PcapngWriter
from scanner.gatherer import Gathered, Gatherer
from scanner.net import Prefixes
from scanner.watch.ears import HOLD_S, OwnEars, Seen
from scanner.wire.batch import Batch
from scanner.wire.interest import Interest

INTEREST = Interest(PORTS, Prefixes())


class FakeTap:
    def __init__(self, number: int, packets: list[Packet]) -> None:
        self.interface, self.number, self.up = f"eth{number}", number, number == 1
        self.packets = packets
        self.filters: list[Filter] = []
        self.closed = 0

    def fileno(self) -> int:
        return self.number

    def batches(self) -> Iterator[Batch]:
        packets, self.packets = self.packets, []
        if packets:
            yield batch(packets)

    def look(self) -> list[str]:
        return [f"{self.interface} is {'up' if self.up else 'down'}"]

    def refilter(self, attach: Filter) -> None:
        self.filters.append(attach)

    def counts(self) -> Counts:
        return Counts(10 * self.number, self.number)

    def close(self) -> None:
        self.closed += 1


def talk(client: str, port: int = 25) -> list[Packet]:
    return Connection((client, 50000), ("192.0.2.1", port)).open().say((S, b"hello\r\n")).packets


def segments(found: list[Gathered]) -> int:
    return sum(len(one.harvest) for one in found if one.harvest)


@pytest.fixture
def taps() -> list[FakeTap]:
    return [FakeTap(1, talk("10.0.0.1")), FakeTap(2, talk("10.0.0.2"))]


def test_what_there_is_is_given_once_a_second(taps: list[FakeTap], monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now)
    ears = OwnEars(taps, Gatherer(INTEREST), None, [])
    assert list(ears.gathered()) == []
    now += HOLD_S
    before = time.time_ns()
    (found,) = ears.gathered()
    assert (segments([found]), found.until is not None) == (6, True)
    assert before <= (found.until or 0) <= time.time_ns()
    assert list(ears.gathered()) == []
    taps[0].packets = talk("10.0.0.3")
    *_, last = found_at_last = list(ears.rest())
    assert (segments(found_at_last), last.until) == (3, None)


def test_how_the_taps_are_is_told(taps: list[FakeTap]) -> None:
    ears = OwnEars(taps, Gatherer(INTEREST), None, ["it began"])
    assert ears.filenos() == [1, 2]
    before = ears.told()
    list(ears.gathered())
    assert (before.tally.packets, ears.told().tally.packets) == (0, 8)
    assert ears.told().seen == (Seen("eth1", Counts(10, 1), True), Seen("eth2", Counts(20, 2), False))
    assert ears.news() == ["it began", "eth1 is up", "eth2 is down"]
    assert ears.news() == ["eth1 is up", "eth2 is down"]


def test_a_reload_filters_anew_only_where_something_else_passes(taps: list[FakeTap]) -> None:
    ears = OwnEars(taps, Gatherer(INTEREST), None, [])
    other = Interest(frozenset({9025}), Prefixes())
    ears.reload(other, None)
    assert [len(tap.filters) for tap in taps] == [0, 0]
    ears.reload(other, Passing(frozenset({9025}), frozenset(), Prefixes()))
    assert [len(tap.filters) for tap in taps] == [1, 1]
    taps[1].packets = talk("10.0.0.2", 9025)
    assert segments(list(ears.rest())) == 3


def test_what_is_kept_is_closed_with_the_taps(taps: list[FakeTap], tmp_path: Path) -> None:
    said: list[str] = []
    writer = PcapngWriter(str(tmp_path / "kept.pcapng"), said.append)
    ears = OwnEars(taps, Gatherer(INTEREST, keep=writer.write), writer, said)
    list(ears.rest())
    ears.close()
    assert [tap.closed for tap in taps] == [1, 1]
    (kept,) = tmp_path.iterdir()
    assert b"hello" in kept.read_bytes()
