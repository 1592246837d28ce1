"""What is claimed of streams that gain enough."""

from __future__ import annotations

import numpy as np
import pytest

from scanner.match.claims import SCORE_KEPT, claims, score_of
from scanner.match.fitting import Kind, Stream
from scanner.match.schedules import Schedules
from scanner.match.streams import Streams

KIND = Kind("smtp", None, None, None, frozenset(), None)
HOUR, DAY = 3600.0, 86_400.0


def schedules(*seconds: float, others: list[float] | None = None) -> Schedules:
    """Of a device, and of others that were heard at these times."""
    times = sorted((at, name) for name, some in (("a", seconds), ("b", others or ())) for at in some)
    owners = ["a" if name == "a" else f"b{number % 20}" for number, (_, name) in enumerate(times)]
    return Schedules(Stream(np.array([at for at, _ in times]), owners, [KIND] * len(times)))


def test_a_schedule_that_others_have_tells_less_than_one_of_its_own() -> None:
    daily = [day * DAY for day in range(10)]
    alone = schedules(*daily, others=[at + 9 * HOUR for at in daily for _ in range(20)])
    shared = schedules(*daily, others=[at for at in daily for _ in range(20)])
    assert alone.most(0, np.array([0])) > 3 * shared.most(0, np.array([0]))


def test_times_of_day_apart_tell_more_than_one_time() -> None:
    daily = schedules(*(day * DAY for day in range(10)))
    spread = schedules(*(day * (DAY + HOUR) for day in range(10)))
    assert spread.most(0, np.arange(10)) > 3 * daily.most(0, np.arange(10))


SCORES = {(0.0, 100): False, (8.0, 100): True, (8.0, 10**9): False, (1e9, 100): True, (-1e9, 100): False}


@pytest.mark.parametrize(("gain_and_choice", "kept"), SCORES.items())
def test_the_more_there_is_to_choose_from_the_more_must_be_gained(
    gain_and_choice: tuple[float, int], kept: bool
) -> None:
    assert (score_of(*gain_and_choice) >= SCORE_KEPT) is kept


def claimed(*logins_of: list[int], gained: list[float]) -> list[int]:
    """Users of one device that are claimed; each has a sign-in for each of these logins."""
    pairs = [(user, login) for user, some in enumerate(logins_of) for login in some]
    many = len(logins_of)
    streams = Streams(
        np.arange(len(pairs)), np.array([login for _, login in pairs]), np.array([user for user, _ in pairs]),
        np.ones(len(pairs)), np.zeros(many, np.int64), np.arange(many), np.ones(many),
    )  # fmt: skip
    at = schedules(*(number * (DAY + HOUR) for number in range(20)))
    return [claim.stream for claim in claims(streams, np.ones(len(pairs)), np.array(gained), at, 100)]


def test_two_mailboxes_by_logins_of_their_own_are_both_claimed() -> None:
    assert claimed(list(range(10)), list(range(10, 20)), gained=[50, 50]) == [0, 1]


def test_two_mailboxes_by_the_same_logins_are_not() -> None:
    assert claimed(list(range(10)), list(range(10)), gained=[50, 50]) == []


def test_what_gains_far_more_is_not_disputed() -> None:
    assert claimed(list(range(10)), list(range(10)), gained=[50, 12]) == [0]


def test_one_coincidence_is_no_claim() -> None:
    assert claimed([0], gained=[50]) == []
