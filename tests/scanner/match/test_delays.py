"""What clocks are apart, and how late sign-ins are logged, is read from the data."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest

from scanner.match.delays import BEFORE_S, Delays, ahead, learned
from scanner.match.fitting import Stream, fitting, logins_stream, sign_ins_stream
from scanner.tenant import HeardLogin, SignIn

BEGAN, DAY, SECOND = 1_790_000_000, 86_400, 10**9
LOGIN = HeardLogin("copier", BEGAN * SECOND, "smtp", None, None, None, "here")


def site(late: float, count: int = 200, spread: float = 2.0) -> tuple[Stream, Stream, Delays]:
    draw = random.Random(1)
    times = sorted(draw.sample(range(BEGAN, BEGAN + 9 * DAY), count))
    heard = [replace(LOGIN, at=at * SECOND) for at in times]
    logged = sorted(int(at + late + draw.expovariate(1 / spread)) for at in times)
    sign_ins = [SignIn(str(at), at * SECOND, "u", None, "smtp", None, None, None) for at in logged]
    streams = logins_stream(heard), sign_ins_stream(sign_ins, False)
    return *streams, learned(*streams, fitting(*streams))


@pytest.mark.parametrize("late", [-600, -3, 0, 3, 300, 840])
def test_how_far_clocks_are_apart_is_found(late: int) -> None:
    assert abs(site(late)[2].usual_s["smtp"] - (late + 1)) <= 2


def test_too_few_logins_tell_no_clock() -> None:
    assert site(300, count=5)[2].usual_s["smtp"] == 0


def test_a_delay_that_is_usual_is_the_likeliest() -> None:
    logins, _, delays = site(4)
    apart = np.array([-10.0, 0.0, 40.0])
    before, usual, late = delays.likelihood(logins, np.zeros(3, np.int64), apart)
    assert usual > 20 * max(before, late)
    assert min(before, late) > 0


def test_delays_are_shares_that_sum_up() -> None:
    density = site(4)[2].density["smtp"]
    assert density.sum() == pytest.approx(1)
    assert len(density) > BEFORE_S


def test_clocks_are_compared_by_the_day_and_the_sensor() -> None:
    heard = [
        replace(LOGIN, ahead_s=300),
        replace(LOGIN, ahead_s=301),
        replace(LOGIN, ahead_s=2000),
        replace(LOGIN, protocol="imap"),
        replace(LOGIN, at=LOGIN.at + 5 * DAY * SECOND, ahead_s=310),
        replace(LOGIN, at=LOGIN.at + 4 * DAY * SECOND, protocol="imap"),
        replace(LOGIN, sensor="elsewhere"),
    ]
    assert ahead(heard)[3:] == [301, 310, 310, 0]
