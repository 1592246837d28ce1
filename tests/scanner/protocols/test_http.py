"""What an HTTP session tells of requests, logins and tunnels."""

import base64
from collections.abc import Iterable, Sequence

import pytest

from scanner.conversation import Side
from scanner.events import Event, Label, Login, Outcome
from scanner.protocols.http import HttpSession

C, S = Side.CLIENT, Side.SERVER
Said = tuple[Side, bytes]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


def heard(*said: Said) -> list[Event]:
    session = HttpSession()
    events: list[Event] = []
    for side, data in said:
        events.extend(session.feed(side, data, 0))
    events.extend(session.end())
    return events


def logins(events: Iterable[Event]) -> list[Login]:
    return [event for event in events if isinstance(event, Login)]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        pytest.param(b"CONNECT mx.example.com:25 HTTP/1.0", "mx.example.com:25", id="as the RFC has it"),
        pytest.param(
            b"CONNECT mx.example.com:25 / HTTP/1.0", "mx.example.com:25", id="with a path behind it"
        ),
    ],
)
def test_a_tunnel_says_where_it_leads(line: bytes, expected: str) -> None:
    events = heard((C, line + b"\r\n\r\n"), (S, b"HTTP/1.0 200 Connection established\r\n\r\n"))
    assert Label("http.connect", expected) in events


NTLM_OPEN = b"Authorization: NTLM " + base64.b64encode(b"NTLMSSP\0\1\0\0\0" + bytes(40)) + b"\r\n"
NTLM_FINAL = b"Authorization: NTLM " + base64.b64encode(b"NTLMSSP\0\3\0\0\0" + bytes(60)) + b"\r\n"
NO = b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: NTLM\r\nContent-Length: 0\r\n\r\n"


def request(header: bytes = b"") -> bytes:
    return b"GET /EWS/ HTTP/1.1\r\n" + header + b"\r\n"


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        pytest.param(
            [(C, request(NTLM_OPEN)), (S, NO), (C, request(NTLM_FINAL)), (S, OK)],
            [Outcome.ACCEPTED],
            id="in two steps",
        ),
        pytest.param(
            [(C, request(NTLM_OPEN)), (S, NO), (C, request(NTLM_FINAL)), (S, NO)],
            [Outcome.REFUSED],
            id="refused",
        ),
        pytest.param([(C, request(NTLM_OPEN)), (S, NO)], [None], id="given up after the first step"),
        pytest.param(
            [(C, request(NTLM_OPEN)), (S, NO), (C, request(NTLM_FINAL))], [None], id="no answer is heard"
        ),
        pytest.param([(C, request()), (S, NO)], [], id="nobody tries"),
    ],
)
def test_ntlm_takes_two_steps(said: Sequence[Said], expected: Sequence[Outcome | None]) -> None:
    assert [login.outcome for login in logins(heard(*said))] == expected


def test_a_blank_in_a_query_hides_no_login() -> None:
    request = (
        b"POST /Microsoft-Server-ActiveSync?Cmd=Sync&DeviceType=Fon 12 HTTP/1.1\r\n"
        b"Authorization: Basic YW5uOnNlY3JldC0x\r\n\r\n"
    )
    events = heard((C, request), (S, OK))
    assert Label("eas.device_type", "Fon 12") in events
    assert logins(events) == [Login("HTTP-Basic", Outcome.ACCEPTED, "ann")]
