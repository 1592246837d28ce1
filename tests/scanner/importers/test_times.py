"""Times in the forms that exports and desks have, and what cannot be told is not guessed."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.importers.family import UnreadableRowError
from scanner.importers.times import SECOND, day_first, lacks_zone, nanoseconds, zone_of

AT = int(datetime(2026, 11, 25, 15, 4, 5, tzinfo=UTC).timestamp()) * SECOND


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-25T15:04:05Z",
        "2026-11-25T15:04:05.0000000Z",
        "2026-11-25T16:04:05+01:00",
        "2026-11-25 15:04:05",
        "11/25/2026 3:04:05 PM",
        "11/25/2026, 3:04:05.000 PM",
        "11/25/2026, 3:04:05\u202fPM",
        "25/11/2026 3:04:05 p. m.",
        "25.11.2026 15:04:05",
        "25.11.26 15:04:05",
        "25-11-2026 15:04:05",
        "2026/11/25 15:04:05",
        "11/25/2026 16:04:05 +0100",
    ],
)
def test_a_time_is_read_as_it_is_written(text: str) -> None:
    assert nanoseconds(text, UTC, None) == AT


@pytest.mark.parametrize(
    ("text", "first", "month", "day"),
    [
        ("3/4/2026", True, 4, 3),
        ("3/4/2026", False, 3, 4),
        ("3.4.2026", False, 4, 3),
        ("5/5/2026", None, 5, 5),
    ],
)
def test_the_order_of_day_and_month_is_as_told(text: str, first: bool | None, month: int, day: int) -> None:
    assert nanoseconds(text, UTC, first) == datetime(2026, month, day, tzinfo=UTC).timestamp() * SECOND


def test_fractions_of_a_second_are_kept_to_the_microsecond() -> None:
    assert nanoseconds("2026-11-25T15:04:05.1234567Z", UTC, None) == AT + 123_456_000
    assert nanoseconds("11/25/2026, 3:04:05.123 PM", UTC, None) == AT + 123_000_000


def test_a_zone_holds_where_the_time_tells_none() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    assert nanoseconds("25.11.2026 16:04:05", berlin, None) == AT
    assert nanoseconds("2026-11-25T15:04:05Z", berlin, None) == AT


@pytest.mark.parametrize(
    "text",
    [
        "", "yesterday", "2026-13-01T00:00:00Z", "13/13/2026", "32.1.2026", "11/25/2026 13:00 PM",
        "0001-01-01",
        "9999-12-31T23:59:59Z", "2026-11-25T25:00:00", "25.11.2026 15:04:05 +99:99", "0/0/2026", "1/2/3/4",
    ],
)  # fmt: skip
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(UnreadableRowError, match="no time"):
        nanoseconds(text, UTC, False)


def test_a_date_that_could_be_two_is_refused() -> None:
    with pytest.raises(UnreadableRowError, match="day or month first"):
        nanoseconds("1/2/2026", UTC, None)


@pytest.mark.parametrize(
    ("texts", "found"),
    [
        (["1/2/2026", "2/25/2026", "3/3/2026"], (False, True)),
        (["1/2/2026", "25/2/2026"], (True, True)),
        (["1/2/2026", "2/1/2026"], (None, True)),
        (["5/5/2026"], (None, False)),
        (["1.2.2026", "2026-01-02T03:04:05Z", "2026/1/2", "", "?"], (None, False)),
    ],
)
def test_the_other_dates_of_a_file_tell_the_order(texts: list[str], found: tuple[bool | None, bool]) -> None:
    assert day_first(texts) == found


def test_a_long_file_without_such_dates_is_not_read_to_the_end() -> None:
    def endless() -> Iterator[str]:
        while True:
            yield "2026-01-02T03:04:05Z"

    assert day_first(endless()) == (None, False)


def test_a_zone_may_be_an_offset() -> None:
    assert zone_of("-05:30") == timezone(-timedelta(hours=5, minutes=30))
    assert [zone_of(text) for text in ("Europe/Berlin", "+25:00", "+01:60", "1")] == [None] * 4


def test_a_time_says_its_zone_or_not() -> None:
    lacking = ["2026-11-25T15:04:05", "1/2/2026, 3:04:05 PM", "25.11.2026 15:04"]
    assert all(map(lacks_zone, lacking))
    assert not any(map(lacks_zone, ["2026-11-25T15:04:05Z", "1/2/2026 3:04 +0100", "1764126245", "soon", ""]))


@given(st.text(max_size=40), st.sampled_from([True, False, None]))
def test_any_text_is_a_time_or_refused(text: str, first: bool | None) -> None:
    with suppress(UnreadableRowError):
        assert isinstance(nanoseconds(text, UTC, first), int)
