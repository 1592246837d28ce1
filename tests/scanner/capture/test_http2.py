"""HTTP/2 as tshark tells it becomes HTTP/1.1, without its secrets."""

from __future__ import annotations

from base64 import b64encode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.capture.http2 import Message, messages
from scanner.conversation import Side
from scanner.events import Login, Outcome
from scanner.protocols.http import HttpSession

REQUEST = {":method": "POST", ":scheme": "https", ":authority": "mail.example.com", ":path": "/EWS/x"}
SECRET = "hunter2-inside"
Heads = list[tuple[str, str]]


def told(kinds: str, streams: str, *heads: dict[str, str] | Heads) -> list[Message]:
    rows = [row for head in heads for row in (head.items() if isinstance(head, dict) else head)]
    names, values = [name for name, _ in rows], [value for _, value in rows]
    return list(messages(kinds.split(), streams.split(), names, values))


def test_a_request_and_a_response_look_like_http_1() -> None:
    asked, answered = told("1 8 1", "1 1 1", {**REQUEST, "content-length": "5"}, {":status": "200"})
    assert asked == (1, True, b"POST /EWS/x HTTP/1.1\r\nhost: mail.example.com\r\n\r\n")
    assert answered == (1, False, b"HTTP/1.1 200 \r\ncontent-length: 0\r\n\r\n")


def test_heads_of_several_streams_in_a_packet_are_told_apart() -> None:
    found = told("4 1 1 0", "0 1 3 3", {**REQUEST, "user-agent": "x"}, REQUEST)
    assert [(one.stream, b"user-agent" in one.data) for one in found] == [(1, True), (3, False)]
    found = told("1 1", "5 7", {":status": "100"}, {":status": "401", "www-authenticate": "Basic"})
    assert [one.stream for one in found] == [5, 7]


def test_headers_that_come_twice_are_one() -> None:
    head = [*REQUEST.items(), ("cookie", "a=1"), ("cookie", "b=2"), ("x", "1"), ("x", "2")]
    (found,) = told("1", "1", head)
    assert b"cookie: a=; b=\r\n" in found.data and b"x: 1, 2\r\n" in found.data


@pytest.mark.parametrize(
    ("kinds", "head"),
    [
        pytest.param("1", {"grpc-status": "0"}, id="trailers"),
        pytest.param("1", {":method": "BREW TEA", ":path": "/"}, id="no method"),
        pytest.param("1", {":status": "200 OK"}, id="no status"),
        pytest.param("0", REQUEST, id="no frame that holds headers"),
        pytest.param("1", {}, id="no headers"),
    ],
)
def test_what_is_no_head_gives_nothing(kinds: str, head: dict[str, str]) -> None:
    assert told(kinds, "1", head) == []


@pytest.mark.parametrize(
    ("value", "left"),
    [
        ("Basic " + b64encode(f"ann:{SECRET}".encode()).decode(), "Basic YW5uOg=="),
        (f"bearer {SECRET}", "bearer -"),
        (f"Negotiate {SECRET}", "Negotiate -"),
        (f"Basic {SECRET}!", "Basic Og=="),
        (f"{SECRET}", "-"),
        ("", "-"),
    ],
    ids=["a password", "a token", "a ticket", "no base64", "no scheme", "empty"],
)
def test_of_authorization_only_scheme_and_name_stay(value: str, left: str) -> None:
    (found,) = told("1", "1", {**REQUEST, "authorization": value})
    assert f"authorization: {left}\r\n".encode() in found.data
    assert SECRET.encode() not in found.data


def test_what_a_proxy_or_a_cookie_knows_stays_behind() -> None:
    head = {**REQUEST, "cookie": f"FedAuth={SECRET}; {SECRET}", "proxy-authorization": f"Basic {SECRET}"}
    (found,) = told("1", "1", {**head, "user-agent": "iPhone"})
    assert SECRET.encode() not in found.data
    assert b"FedAuth=" in found.data and b"user-agent: iPhone" in found.data


def test_nothing_that_a_header_holds_makes_a_line_of_its_own() -> None:
    (found,) = told("1", "1", {**REQUEST, "user-agent": "a\r\nauthorization: Basic eDp5\r\n\r\n"})
    assert found.data.count(b"\r\n") == 4


def test_the_session_reads_it() -> None:
    session, basic = HttpSession(), "Basic " + b64encode(f"ann:{SECRET}".encode()).decode()
    asked, answered = told("1 1", "1 1", {**REQUEST, "authorization": basic}, {":status": "401"})
    events = [*session.feed(Side.CLIENT, asked.data, 0), *session.feed(Side.SERVER, answered.data, 1)]
    assert [event for event in events if isinstance(event, Login)] == [
        Login("HTTP-Basic", Outcome.REFUSED, "ann", "401 ")
    ]


ROW = st.tuples(st.sampled_from([*REQUEST, ":status", "authorization", "cookie", "x"]), st.text(max_size=20))


@settings(deadline=None)
@given(st.lists(st.sampled_from("0159"), max_size=6), st.lists(ROW, max_size=12))
def test_nothing_breaks_it(kinds: list[str], rows: Heads) -> None:
    for one in told(" ".join(kinds), " ".join("1" for _ in kinds), rows):
        assert one.data.endswith(b"\r\n\r\n") and one.data.count(b"\r\n\r\n") == 1
