"""How sure several sessions are together."""

from itertools import pairwise

import pytest

from scanner.model import AuthClass
from scanner.odds import MOST, confidence, constancy, together, weight


def of(sure: float, often: int) -> float:
    return confidence(together(weight(sure, often), often), AuthClass.NTLM, None, False)


@pytest.mark.parametrize("sure", [0.6, 0.75, 0.8, 0.9, 0.99])
def test_more_that_agree_are_surer_but_never_as_two_that_are_independent(sure: float) -> None:
    found = [of(sure, often) for often in (1, 2, 3, 10, 1_000)]
    assert found[0] == sure
    assert all(one <= more for one, more in pairwise(found))
    assert found[-1] <= min(MOST, round(confidence(weight(sure, 2), AuthClass.NTLM, None, False), 2))


def test_what_is_no_better_than_a_coin_stays_so() -> None:
    assert of(0.5, 100) == of(0.0, 100) == 0.5


@pytest.mark.parametrize(
    ("same", "changed", "expected"),
    [(3, 0, True), (2, 0, None), (30, 3, True), (29, 3, None), (6, 3, False), (7, 3, None), (0, 2, None)],
)
def test_constancy(same: int, changed: int, expected: bool | None) -> None:
    assert constancy(same, changed) is expected
