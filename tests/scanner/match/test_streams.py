"""A stream gains what nothing else explains."""

from __future__ import annotations

import numpy as np

from scanner.match.streams import Estimate, Streams, gains

WINDOW = 100_000.0
MANY = 20


def estimate(*devices: list[int], logins: int = MANY) -> Estimate:
    """Sign-ins of one user far apart, each device at those that are listed, with its login just before."""
    row = np.array([one for some in devices for one in some])
    stream = np.array([number for number, some in enumerate(devices) for _ in some])
    many = len(devices)
    streams = Streams(
        row, np.arange(len(row)), stream, np.full(len(row), 0.2), np.arange(many), np.zeros(many, np.int64),
        np.full(many, 0.5),
    )  # fmt: skip
    seconds = np.arange(MANY) * WINDOW / MANY
    found = Estimate(streams, np.full(many, float(logins)), seconds, np.zeros(MANY, np.int64), WINDOW)
    found.improve(60)
    return found


def test_a_device_alone_makes_all_sign_ins() -> None:
    found = estimate(list(range(MANY)))
    assert found.streams.strength[0] > 0.95
    assert found.background.sum() < 0.01
    assert gains(found)[0] > 100


def test_a_device_that_was_there_half_the_time_makes_half() -> None:
    assert abs(estimate(list(range(0, MANY, 2))).streams.strength[0] - 0.5) < 0.01


def test_of_two_that_are_always_there_neither_gains() -> None:
    found = gains(estimate(list(range(MANY)), list(range(MANY))))
    assert max(found) < 3


def test_the_one_that_is_always_there_gains_and_the_other_does_not() -> None:
    always, often = gains(estimate(list(range(MANY)), list(range(0, MANY, 2))))
    assert always > 30
    assert often < 3


def test_two_that_share_the_sign_ins_both_gain() -> None:
    assert min(gains(estimate(list(range(0, MANY, 2)), list(range(1, MANY, 2))))) > 30


def test_a_device_has_no_more_sign_ins_than_logins() -> None:
    assert estimate(list(range(MANY)), logins=5).streams.strength[0] <= 1


def test_what_explains_nothing_is_left_out() -> None:
    found = estimate(list(range(MANY)), [0])
    found.prune()
    assert found.streams.device.tolist() == [0]
