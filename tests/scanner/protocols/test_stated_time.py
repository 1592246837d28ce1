"""What time servers say that it is."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.protocols.stated_time import clock_ahead, stated_time

OK = b"HTTP/1.1 200 OK\r\n"


def at(*when: int) -> int:
    return int(datetime(*when, tzinfo=UTC).timestamp()) * 1_000_000_000  # type: ignore[misc,arg-type]


@pytest.mark.parametrize(
    ("said", "stated"),
    [
        (
            b"220 PN4P287CA0064.outlook.office365.com Microsoft ESMTP MAIL Service ready at Sat,"
            b" 26 Apr 2025 18:08:13 +0000 [08DD84B323498C1A]\r\n",
            at(2025, 4, 26, 18, 8, 13),
        ),
        (
            b"220 a.example ESMTP Sendmail 8.15; Sat, 26 Apr 2025 20:08:13 +0200\r\n",
            at(2025, 4, 26, 18, 8, 13),
        ),
        (b"220 a.example ESMTP Exim 4.96 Sat, 26 Apr 2025 15:38:13 -0230\r\n", at(2025, 4, 26, 18, 8, 13)),
        (b"220-a.example Sat, 26 Apr 2025 18:08:60 GMT\r\n220 hello\r\n", at(2025, 4, 26, 18, 9, 0)),
        (OK + b"Server: x\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\nbody", at(1994, 11, 6, 8, 49, 37)),
        (b"HTTP/1.0 404 Not Found\r\ndate: Sun, 06 Nov 1994 08:49:37 GMT\r\n", at(1994, 11, 6, 8, 49, 37)),
        (OK + b"Date: Sun, 06 Nov 1994 08:49:37 GMT\r\nAge: 7\r\n\r\n", None),
        (OK + b"Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n", None),
        (OK + b"\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n", None),
        (b"220 a.example ready at Sun Nov  6 08:49:37 1994\r\n", None),
        (b"220 a.example Sun, 06 Nov 1994 08:49:37\r\n", None),
        (b"220 a.example Sun, 31 Feb 1994 08:49:37 GMT\r\n", None),
        (b"220 a.example Sun, 06 Nov 0000 08:49:37 GMT\r\n", None),
        (b"220 a.example Sat, 31 Dec 9999 23:59:99 GMT\r\n", None),
        (b"250 a.example Sun, 06 Nov 1994 08:49:37 GMT\r\n", None),
        (b"GET / HTTP/1.1\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n", None),
        (b"", None),
    ],
)
def test_a_date_with_its_zone_is_read(said: bytes, stated: int | None) -> None:
    assert stated_time(said) == stated


GREETING = "a.example Microsoft ESMTP ready at Sat, 26 Apr 2025 18:08:13 +0000 [08DD84B323498C1A]"
GREETED = at(2025, 4, 26, 18, 8, 13)
SECOND = 1_000_000_000


@pytest.mark.parametrize(
    ("greeting", "ours", "ahead"),
    [
        pytest.param(GREETING, GREETED + SECOND // 2, 0, id="clocks agree"),
        pytest.param(GREETING, GREETED + 2 * SECOND, 0, id="a greeting that was slow to come"),
        pytest.param(GREETING, GREETED - 300 * SECOND, 300, id="ours is five minutes slow"),
        pytest.param(GREETING, GREETED + 300 * SECOND, -300, id="ours is five minutes fast"),
        pytest.param(GREETING, GREETED - 86_400 * SECOND, 0, id="a day is no clock"),
        pytest.param("a.example ESMTP \udcff", GREETED, 0, id="no time is told"),
    ],
)
def test_by_how_much_a_greeting_is_ahead(greeting: str, ours: int, ahead: int) -> None:
    assert abs(clock_ahead(greeting, ours) - ahead) <= (1 if ahead else 0)


@given(
    st.sampled_from([b"220 ", OK + b"Date: "]),
    st.lists(
        st.sampled_from(
            [b"Sat, ", b"99 ", b"Feb ", b"9999 ", b"24:61:61 ", b"+9999", b"GMT", b"\r\n", b"\xff"]
        )
    ),
)
def test_anything_may_be_said(begin: bytes, parts: list[bytes]) -> None:
    assert stated_time(begin + b"".join(parts)) is None or parts
