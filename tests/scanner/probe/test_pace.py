"""No second holds more than was allowed, whenever it begins, and hardly less where there is more to send."""

from __future__ import annotations

import asyncio
import time
import tracemalloc
from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.probe.pace import GROWS_EVERY_S, LATE_S, LEAST, MOST_VANISHED, Pace, turn

NOW = 1_234_567.25
"""Clocks do not begin at 0."""


def most_in_a_second(times: list[float]) -> int:
    """How many at most lie in a closed window of a second."""
    times = sorted(times)
    return max(sum(begin <= at <= begin + 1 for at in times) for begin in times)


@given(
    st.integers(1, 12) | st.sampled_from([0, 1000]),
    st.integers(0, 4),
    st.lists(
        st.tuples(
            st.floats(0, 0.7) | st.just(0.0),
            st.sampled_from("abc"),
            st.floats(0, LATE_S) | st.sampled_from([0, LATE_S]),
            st.sampled_from(("", "", "", "vanished", "answered")),
        ),
        min_size=1,
        max_size=120,
    ),
)
def test_no_second_holds_more_than_the_rates(
    rate: int, per_host: int, requests: list[tuple[float, str, float, str]]
) -> None:
    pace, now = Pace(rate, per_host), NOW
    sent: dict[str, list[float]] = defaultdict(list)
    for since, host, late, told in requests:
        now += since
        due = pace.reserve(host, now)
        assert due >= now
        sent[host].append(due + late)
        for _ in range(5):
            if told:
                getattr(pace, told)(now)
    if rate:
        assert most_in_a_second([at for times in sent.values() for at in times]) <= rate
    if per_host:
        assert all(most_in_a_second(times) <= per_host for times in sent.values())


@pytest.mark.parametrize(("rate", "per_host"), [(1, 0), (4, 0), (50, 0), (0, 1), (0, 4), (1000, 4)])
def test_the_first_as_late_as_can_be_and_the_last_not_at_all(rate: int, per_host: int) -> None:
    most = per_host or rate
    for millisecond in range(1500):
        pace, now = Pace(rate, per_host), NOW + millisecond / 1000
        first, *_, last = (pace.reserve("a", now) for _ in range(most + 1))
        assert last - (first + LATE_S) > 1


@pytest.mark.parametrize("rate", [200, 2_000])
@pytest.mark.parametrize("late", [0.0, 0.001, 0.002])
def test_late_timers_cost_little(rate: int, late: float) -> None:
    pace, now, count = Pace(rate, 0), NOW, 0
    while now < NOW + 10:
        due = pace.reserve("", now)
        now = due + late if due > now else now
        count += 1
    assert count >= 0.97 * 10 * rate


def test_who_must_wait_for_a_host_keeps_nobody_from_asking_others() -> None:
    pace = Pace(200, 4)
    waiting = [pace.reserve("busy", NOW) for _ in range(40)]
    assert waiting[-1] > NOW + 9
    others = [pace.reserve(f"h{number}", NOW) for number in range(190)]
    assert others[-1] < NOW + 1.1
    assert most_in_a_second(waiting + others) <= 200


def test_without_limit_nobody_waits() -> None:
    pace = Pace(0, 0)
    assert pace.rate == 0
    assert [pace.reserve("a", NOW) for _ in range(1000)] == [NOW] * 1000


def test_hosts_of_the_past_are_forgotten() -> None:
    pace, now = Pace(10_000, 4), NOW
    tracemalloc.start()
    for number in range(100_000):
        now = pace.reserve(f"10.{number}", now)
    used = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert used < 4 << 20


def vanish(pace: Pace, now: float) -> None:
    for _ in range(MOST_VANISHED + 1):
        pace.vanished(now)


def throughput(pace: Pace, now: float, seconds: float = 10) -> float:
    end, count = now + seconds, 0
    while now < end:
        now = pace.reserve("", now)
        count += 1
    return count / seconds


def test_where_answers_vanish_half_as_much_is_sent_and_slowly_more_again() -> None:
    pace = Pace(200, 0)
    vanish(pace, NOW)
    assert (pace.rate, pace.slowed) == (100, "slowed down to 100 a second: answers vanish")
    assert 95 <= throughput(pace, NOW) <= 101
    pace.answered(NOW + GROWS_EVERY_S / 2)
    assert pace.rate == 100
    pace.answered(NOW + GROWS_EVERY_S)
    assert pace.rate == pytest.approx(110)
    assert 104 <= throughput(pace, NOW + 20) <= 111
    for number in range(20):
        pace.answered(NOW + 100 + number * GROWS_EVERY_S)
    assert (pace.rate, pace.slowed) == (200, None)


def test_it_never_goes_slower_than_is_of_use() -> None:
    pace = Pace(200, 0)
    for _ in range(20):
        vanish(pace, NOW)
    assert pace.rate == LEAST
    gentle = Pace(LEAST // 2, 0)
    vanish(gentle, NOW)
    assert (gentle.rate, gentle.slowed) == (LEAST // 2, None)


def test_some_may_vanish() -> None:
    pace = Pace(200, 0)
    for number in range(1000):
        (pace.vanished if number % 5 == 0 else pace.answered)(NOW)
    assert pace.slowed is None


def test_without_limit_it_slows_down_to_half_of_what_was_reached() -> None:
    pace = Pace(0, 0)
    for number in range(6000):
        pace.reserve("a", NOW + number / 3000)
    vanish(pace, NOW + 2)
    assert pace.rate == pytest.approx(1500, rel=0.01)
    assert throughput(pace, NOW + 2) == pytest.approx(1500, rel=0.02)
    for number in range(1, 12):
        pace.answered(NOW + 2 + number * GROWS_EVERY_S)
    assert (pace.rate, pace.slowed) == (0, None)


def test_who_wakes_up_too_late_waits_again() -> None:
    times: list[float] = []

    async def send(pace: Pace, number: int) -> None:
        await turn(pace, f"h{number}")
        times.append(time.monotonic())

    async def run() -> float:
        pace = Pace(50, 4)
        waiting = [asyncio.create_task(send(pace, number)) for number in range(20)]
        await asyncio.sleep(0.05)
        time.sleep(0.2)  # something else takes long
        stalled = time.monotonic()
        await asyncio.gather(*waiting)
        return stalled

    stalled = asyncio.run(run())
    assert len(times) == 20
    assert sum(stalled <= at < stalled + 0.019 for at in times) <= 2
    assert max(times) - min(times) > 0.4
