"""What several readers gather is heard in one place, in the order of time, and none is missed that dies."""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import pytest
from packets import BEGAN, PORTS, SECOND, Connection, S, batch

from scanner.announcements import Told as Announced
from scanner.capture.live import Counts, TapError
from scanner.capture.passing import Passing
from scanner.gatherer import Gathered, Gatherer
from scanner.model import LEASE, Sighting
from scanner.net import Prefixes
from scanner.watch.ears import Seen, Told
from scanner.watch.shared_ears import LATE_NS, SharedEars
from scanner.wire.batch import Tally
from scanner.wire.interest import Interest

INTEREST = Interest(PORTS, Prefixes())
LEASED = Sighting("10.0.0.1", "02:00:00:00:00:01", LEASE, "", 0, 9)


def heard(second: int, client: str, *sighted: Sighting) -> Gathered:
    """What one reader gathered at a second, and that nothing from before is still to come."""
    gatherer = Gatherer(INTEREST)
    at = BEGAN + second * SECOND
    connection = Connection((client, 50000), ("192.0.2.1", 25), at=at).open().say((S, b"220 x\r\n"))
    assert not list(gatherer.gather(batch(connection.packets)))
    found = gatherer.so_far(at + SECOND)
    return Gathered(found.harvest, Announced((), sighted), until=found.until)


class Reader:
    """Ears in a reading process that gather what they are told to."""

    def __init__(self, gathers: Sequence[Gathered], packets: int, name: str = "eth1") -> None:
        self.gathers, self.packets, self.name = list(gathers), packets, name
        self.lines = [f"{name} is up"]
        self.at_last: list[Gathered] = []

    def filenos(self) -> list[int]:
        return []

    def gathered(self) -> Iterator[Gathered]:
        gathers, self.gathers = self.gathers, []
        yield from gathers

    def told(self) -> Told:
        tally = Tally(packets=self.packets, bytes=7, first_at=self.packets, last_at=self.packets)
        return Told(tally, (Seen(self.name, Counts(self.packets, 1, 2, 3), self.packets < 9),))

    def news(self) -> list[str]:
        lines, self.lines = self.lines, []
        return lines

    def reload(self, interest: Interest, passing: Passing | None) -> None:
        self.lines.append(f"reload {sorted(interest.ports)} {passing}")

    def rest(self) -> Iterator[Gathered]:
        yield from self.at_last

    def close(self) -> None: ...


class Dying(Reader):
    def __init__(self, how: Callable[[], object]) -> None:
        super().__init__([], 0)
        self.how = how

    def gathered(self) -> Iterator[Gathered]:
        self.how()
        yield from ()


def shared(*readers: Reader) -> SharedEars:
    ears: Any = [partial(lambda one: one, reader) for reader in readers]
    return SharedEars(ears, lambda: None)


def collected(ears: SharedEars, enough: Callable[[list[Gathered]], object]) -> list[Gathered]:
    found: list[Gathered] = []
    end = time.monotonic() + 20
    while not enough(found):
        assert time.monotonic() < end
        select.select(ears.filenos(), [], [], 0.1)
        found += ears.gathered()
    return found


def times(found: Sequence[Gathered]) -> list[int]:
    """At which seconds what was heard in what is given."""
    return [(int(one.harvest.columns.at[-1]) - BEGAN) // SECOND for one in found if one.harvest]


def test_what_two_gather_is_given_in_the_order_of_time_and_names_first() -> None:
    first, second = Reader([], 0), Reader([], 0)
    first.at_last = [heard(second, "10.0.0.1") for second in (1, 4, 5)]
    second.at_last = [heard(second, "10.0.0.2", *([LEASED] if second == 6 else [])) for second in (2, 3, 6)]
    ears = shared(first, second)
    found = list(ears.rest())
    assert sorted(times(found)) == [1, 2, 3, 4, 5, 6]
    ears.close()


def test_nobody_is_told_before_the_slowest_is_as_far() -> None:
    ears = shared(
        Reader([heard(9, "10.0.0.1"), heard(11, "10.0.0.1")], 0), Reader([heard(10, "10.0.0.2", LEASED)], 0)
    )
    found = collected(
        ears, lambda found: any(one.told != Announced() for one in found) and len(times(found)) >= 2
    )
    assert times(found) == sorted(times(found))
    announced = next(number for number, one in enumerate(found) if one.told != Announced())
    assert found[announced].told.sightings == (LEASED,)
    assert all(one.told == Announced() for one in found if one.harvest)
    untils = [one.until for one in found if one.until is not None]
    assert untils[-1] == BEGAN + 11 * SECOND - LATE_NS
    assert all(one.until is None for one in found if one.harvest)
    found += ears.rest()
    assert times(found) == [9, 10, 11]
    ears.close()


def test_a_clock_that_was_set_back_is_followed() -> None:
    later, sooner = (
        [heard(7200, "10.0.0.1"), heard(5, "10.0.0.1")],
        [heard(7200, "10.0.0.2"), heard(5, "10.0.0.2")],
    )
    ears = shared(Reader(later, 0), Reader(sooner, 0))
    found = collected(ears, lambda found: [one for one in found if one.until == BEGAN + 6 * SECOND - LATE_NS])
    found += ears.rest()
    assert sorted(times(found)) == [5, 5, 7200, 7200]
    ears.close()


def test_what_the_readers_count_is_summed_though_one_calls_it_otherwise() -> None:
    ears = shared(Reader([], 5), Reader([], 9, name="mirror"))
    told = ears.told()
    assert told.seen == (Seen("eth1", Counts(14, 2, 4, 6), False),)
    assert (told.tally.packets, told.tally.bytes, told.tally.first_at, told.tally.last_at) == (14, 14, 5, 9)
    news: list[str] = []
    collected(ears, lambda _: news.extend(ears.news()) or news)
    assert news == ["eth1 is up"]
    ears.reload(Interest(frozenset({25}), Prefixes()), None)
    collected(ears, lambda _: news.extend(ears.news()) or len(news) > 1)
    assert news[1:] == ["reload [25] None"]
    assert list(ears.rest()) == []
    ears.close()


def test_a_reader_that_cannot_listen_says_why() -> None:
    def refused() -> Any:
        raise TapError("eth9: no such interface")

    with pytest.raises(TapError, match=r"^eth9: no such interface$"):
        SharedEars([lambda: Reader([], 0), refused], lambda: None)  # type: ignore[list-item, return-value]


def fails() -> None:
    raise TapError("eth1 cannot be read any more")


@pytest.mark.parametrize(
    ("how", "why"),
    [
        pytest.param(
            lambda: os.kill(os.getpid(), signal.SIGKILL), "a reading process is gone", id="is killed"
        ),
        pytest.param(fails, "eth1 cannot be read any more", id="cannot go on"),
    ],
)
def test_a_reader_that_dies_is_told_and_the_others_are_heard(how: Callable[[], object], why: str) -> None:
    other = Reader([], 0)
    other.at_last = [heard(1, "10.0.0.1")]
    ears = shared(other, Dying(how))
    with pytest.raises(TapError, match=why) as told:
        collected(ears, lambda _: False)
    assert "\n" not in str(told.value)
    assert times(list(ears.rest())) == [1]
    ears.close()


def test_a_reader_that_hangs_holds_nobody_up() -> None:
    ears = shared(Dying(lambda: time.sleep(30)))
    time.sleep(0.8)
    began = time.monotonic()
    ears.close()
    assert time.monotonic() - began < 10


def test_each_reader_lets_go_of_what_it_must_not_hold() -> None:
    here, there = os.pipe()
    ears = SharedEars([lambda: Reader([], 0)] * 2, lambda: os.close(there))  # type: ignore[list-item, return-value]
    os.close(there)
    assert select.select([here], [], [], 10)[0]
    assert os.read(here, 1) == b""
    os.close(here)
    ears.close()
