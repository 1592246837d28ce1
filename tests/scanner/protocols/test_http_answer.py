"""Bodies of answers over HTTP, however they come, and none longer than is good."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.conversation import CLIENT, SERVER
from scanner.events import Event, Gap, Label, Phase, Reached, Weird
from scanner.protocols.http_answer import ANSWER_READ, HttpAnswers, request
from scanner.session import Asker

ASKED = b"GET /x HTTP/1.1\r\nHost: 192.0.2.7\r\n\r\n"
GOOD = b"HTTP/1.1 200 OK\r\n"
SERVED = Reached(Phase.SERVED)


def read(body: bytes) -> Iterable[Event]:
    return (Label("http.title", body.decode("latin-1")),)


def session() -> HttpAnswers:
    return HttpAnswers("test", read)


def heard(*said: bytes, asked: bytes = ASKED) -> list[Event]:
    one = session()
    events = list(one.feed(CLIENT, asked, 0))
    for data in said:
        events.extend(one.feed(SERVER, data, 0))
    return [*events, *one.end()]


CASES = [
    ("with a length", GOOD + b"Content-Length: 3\r\n\r\nabc", "abc"),
    ("with a length, and more behind", GOOD + b"content-length:3\r\n\r\nabcdef", "abc"),
    ("until it is closed", GOOD + b"\r\nabc", "abc"),
    ("in chunks", GOOD + b"Transfer-Encoding: chunked\r\n\r\n2;x=y\r\nab\r\n1\r\nc\r\n0\r\n\r\n", "abc"),
    (
        "in chunks with a trailer",
        GOOD + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nA: b\r\n\r\n",
        "abc",
    ),
    ("in chunks, cut", GOOD + b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n9\r\nc", "abc"),
    ("cut", GOOD + b"Content-Length: 9\r\n\r\nabc", "abc"),
    (
        "behind a word to go on",
        b"HTTP/1.1 100 Continue\r\n\r\n" + GOOD + b"Content-Length: 3\r\n\r\nabc",
        "abc",
    ),
    ("of an old server with bare LF", b"HTTP/1.0 200 OK\nServer: x\n\nabc", "abc"),
]


@pytest.mark.parametrize(("said", "body"), [row[1:] for row in CASES], ids=[row[0] for row in CASES])
def test_a_body_is_read(said: bytes, body: str) -> None:
    told = [Label("http.title", body), SERVED]
    assert heard(said) == told
    assert heard(*(said[at : at + 1] for at in range(len(said)))) == told


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(b"HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\nabc", id="a refusal"),
        pytest.param(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n", id="without a body"),
        pytest.param(b"HTTP/1.1 204 No Content\r\n\r\n", id="no content"),
        pytest.param(b"220 mail.example.com ESMTP\r\n", id="another protocol"),
        pytest.param(
            GOOD + b"Transfer-Encoding: chunked\r\n\r\n-5\r\nab\r\n", id="a chunk of less than nothing"
        ),
        pytest.param(GOOD + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\nab\r\n", id="a chunk of no size"),
    ],
)
def test_nothing_is_read(said: bytes) -> None:
    assert not [event for event in heard(said) if isinstance(event, Label)]


def test_whose_turn_it_is() -> None:
    one = session()
    assert not one.awaits
    one.feed(CLIENT, ASKED[:-1], 0)
    assert not one.awaits
    one.feed(CLIENT, ASKED[-1:] + b"body", 0)
    assert one.awaits
    one.feed(SERVER, b"HTTP/1.1 404 Not Found\r\nContent-Length: 1\r\n\r\n", 0)
    assert one.awaits
    one.feed(SERVER, b"x", 0)
    assert (one.awaits, one.answer) == (False, b"HTTP/1.1 404 Not Found")
    one.feed(CLIENT, ASKED, 0)
    assert list(one.feed(SERVER, GOOD + b"Content-Length: 1\r\n\r\ny", 0)) == [Label("http.title", "y")]


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(GOOD + b"\r\n", id="an endless body"),
        pytest.param(GOOD + b"Content-Length: 99999999999999999999\r\n\r\n", id="a body of any length"),
        pytest.param(
            GOOD + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n", id="a chunk of any size"
        ),
        pytest.param(GOOD + b"X: ", id="an endless head"),
        pytest.param(b"", id="an endless first line"),
    ],
)
def test_what_is_too_long_is_left(head: bytes) -> None:
    one = session()
    one.feed(CLIENT, ASKED, 0)
    events = list(one.feed(SERVER, head, 0))
    for _ in range(ANSWER_READ // 1000 + 1):
        events += one.feed(SERVER, b"x" * 1000, 0)
    assert Weird("test_long_answer") in events
    assert not one.awaits
    assert all(len(event.text) <= ANSWER_READ + 1000 for event in events if isinstance(event, Label))
    one.feed(CLIENT, ASKED, 0)
    assert not one.awaits


def test_what_is_lost_ends_it() -> None:
    one = session()
    one.feed(CLIENT, ASKED, 0)
    assert one.gap(SERVER, 5, 0) == (Gap(SERVER, 5),)
    assert not one.awaits
    assert not one.feed(SERVER, GOOD + b"Content-Length: 1\r\n\r\ny", 0)


def test_what_a_request_looks_like() -> None:
    asked = request("GET", "/d.xml", Asker(name="me", host="2001:db8::7"), 80, "A: b", body=b"c")
    assert asked == b"GET /d.xml HTTP/1.1\r\nHost: [2001:db8::7]:80\r\nUser-Agent: me\r\nA: b\r\n\r\nc"


@given(
    st.lists(st.binary(max_size=60) | st.sampled_from([GOOD, b"\r\n\r\n", b"Transfer-Encoding: chunked\r\n"]))
)
def test_bytes_of_any_kind_never_raise(said: list[bytes]) -> None:
    heard(*said)
