"""Lengths of messages made of parts: what is likely, what is not, and that nothing is impossible."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.protocols.http_lengths import ANY, BINS, STEP, STRAY, Part, mixed, row

SHORT, LONG, LESS = Part(40, 60, 120, 300), Part(900, 1100, 2600, 4000), Part(-300, -120, -60, -40)
ROWS = [(), (SHORT,), (SHORT, LONG), (LONG, LONG, LONG), (LESS,), (LONG, LESS)]


@pytest.mark.parametrize(
    ("parts", "likelier", "than"),
    [
        pytest.param((SHORT,), 90, 250, id="the middle of a part is likelier than its end"),
        pytest.param((SHORT,), 200, 320, id="an end is likelier than what lies outside"),
        pytest.param((LONG,), 1500, 600, id="a long part is not short"),
        pytest.param((SHORT, LONG), 1900, 950, id="two parts together are longer than one"),
        pytest.param((SHORT, SHORT), 180, 60, id="a part twice is twice as long"),
        pytest.param((LESS,), -90, 90, id="what a message may lack makes it shorter"),
    ],
)
def test_lengths_are_weighed(parts: tuple[Part, ...], likelier: int, than: int) -> None:
    found = row(*parts)
    assert found.likelihood(likelier) > 2 * found.likelihood(than)


def test_a_part_of_no_width_is_where_it_is() -> None:
    found = row(Part(1000, 1000, 1000, 1000))
    assert max(range(0, 2000, STEP), key=found.likelihood) == 1000 // STEP * STEP


@given(st.integers(-5000, 100_000))
def test_no_length_is_impossible(size: int) -> None:
    assert 0 < STRAY / BINS <= row(SHORT).likelihood(size) <= 1


@pytest.mark.parametrize("parts", ROWS, ids=len)
def test_shares_of_all_lengths_come_to_one_at_most(parts: tuple[Part, ...]) -> None:
    assert 0.5 < sum(row(*parts).shares) <= 1 + 1e-9


def test_a_mixture_lies_between_what_it_is_made_of() -> None:
    both = mixed((0.25, row(SHORT)), (0.75, row(LONG)))
    for size in (90, 1500):
        parts = row(SHORT).likelihood(size), row(LONG).likelihood(size)
        assert both.likelihood(size) == pytest.approx(0.25 * parts[0] + 0.75 * parts[1])


@pytest.mark.parametrize("parts", ROWS, ids=len)
@pytest.mark.parametrize("size", [0, 90, 1500, 1900, 20_000])
def test_a_length_with_another_part_is_as_likely_as_what_is_left(parts: tuple[Part, ...], size: int) -> None:
    found = row(*parts).given(size)
    for other in (0, 90, 1500, 5000):
        left = min(size, BINS * STEP) // STEP - other // STEP
        assert found[other // STEP] == pytest.approx(row(*parts).likelihood(left * STEP))


@pytest.mark.parametrize("parts", ROWS, ids=len)
def test_a_part_ahead_is_added_up_over(parts: tuple[Part, ...]) -> None:
    """Whether two parts are one row, or one is taken off what the other was given, is the same."""
    ahead, size = row(*parts), 1616
    both = ahead.before(row(SHORT).given(size))
    assert row().over(both) == pytest.approx(ahead.over(row(SHORT).given(size)))
    assert ahead.over(ANY) <= 1 + 1e-9
    assert row(SHORT, *parts).likelihood(size) == pytest.approx(ahead.over(row(SHORT).given(size)), abs=1e-4)
