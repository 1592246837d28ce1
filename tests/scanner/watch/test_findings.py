"""Numbers in words."""

import pytest

from scanner.watch.findings import lasting, many, percent


@pytest.mark.parametrize(
    ("part", "whole", "said"),
    [
        (0, 0, "0 %"), (0, 7, "0 %"), (7, 7, "100 %"), (1, 8, "12.5 %"), (1, 10**6, "0.1 %"),
        (10**6 - 1, 10**6, "99.9 %"),
    ],
)  # fmt: skip
def test_what_is_not_quite_all_or_nothing_is_not_told_as_that(part: int, whole: int, said: str) -> None:
    assert percent(part, whole) == said


def test_one_is_not_many() -> None:
    assert [many(count, "packet") for count in (0, 1, 12_345)] == ["0 packets", "1 packet", "12,345 packets"]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(4.2, "4.2 s"), (119, "119.0 s"), (150, "2.5 minutes"), (86_400, "24.0 hours"), (10**6, "11.6 days")],
)
def test_lengths_of_time_have_the_unit_that_fits(seconds: float, said: str) -> None:
    assert lasting(int(seconds * 1e9)) == said
