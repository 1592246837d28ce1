"""Lengths of messages made of parts: what is likely, what is not, and that nothing is impossible."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.protocols.http_lengths import BINS, STEP, STRAY, Part, likelihood, mixed, row

SHORT, LONG = Part(40, 60, 120, 300), Part(900, 1100, 2600, 4000)


@pytest.mark.parametrize(
    ("parts", "likelier", "than"),
    [
        pytest.param((SHORT,), 90, 250, id="the middle of a part is likelier than its end"),
        pytest.param((SHORT,), 200, 320, id="an end is likelier than what lies outside"),
        pytest.param((LONG,), 1500, 600, id="a long part is not short"),
        pytest.param((SHORT, LONG), 1900, 950, id="two parts together are longer than one"),
        pytest.param((SHORT, SHORT), 180, 60, id="a part twice is twice as long"),
    ],
)
def test_lengths_are_weighed(parts: tuple[Part, ...], likelier: int, than: int) -> None:
    found = row(*parts)
    assert likelihood(found, likelier) > 2 * likelihood(found, than)


def test_a_part_of_no_width_is_where_it_is() -> None:
    found = row(Part(1000, 1000, 1000, 1000))
    assert max(range(BINS), key=found.__getitem__) == 1000 // STEP


@given(st.integers(-5000, 100_000))
def test_no_length_is_impossible(size: int) -> None:
    assert 0 < STRAY / BINS <= likelihood(row(SHORT), size) <= 1


@pytest.mark.parametrize("parts", [(), (SHORT,), (SHORT, LONG), (LONG, LONG, LONG)], ids=len)
def test_shares_of_all_lengths_come_to_one_at_most(parts: tuple[Part, ...]) -> None:
    assert 0.5 < sum(row(*parts)) <= 1 + 1e-9


def test_a_mixture_lies_between_what_it_is_made_of() -> None:
    both = mixed((0.25, row(SHORT)), (0.75, row(LONG)))
    assert both[90 // STEP] == pytest.approx(0.25 * row(SHORT)[90 // STEP] + 0.75 * row(LONG)[90 // STEP])
