"""How clients log in to Exchange's front end, told by sizes of requests that are written out here.

Each case is made of the text of requests as programs write them (nothing of it is a capture's), so that a
case says what it is about: a header more, a body in a record of its own.
"""

from __future__ import annotations

import re
from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.conversation import Side
from scanner.events import Outcome, Turn
from scanner.protocols.http_exchanges import exchanges
from scanner.protocols.http_sizes import MOST, SAFE, Guess, shares, weigh
from scanner.protocols.http_ways import HEADERS, PASSWORD, SERVICES, TOKEN, WAYS, WAYS_2

C, S = Side.CLIENT, Side.SERVER
QUICK, SLOW, HELD, HEARTBEAT = 0.02, 0.4, 3.0, 480.0
REFUSAL = 830
"""A 401 with its challenges and request ids."""
OK = 1500

PHONE = (
    "POST /Microsoft-Server-ActiveSync?User=anna.muster&DeviceId=0123456789ABCDEFGHIJKLMNOP"
    "&DeviceType=iPhone&Cmd=Sync HTTP/1.1\r\nHost: outlook.office365.com\r\n"
    "Content-Type: application/vnd.ms-sync.wbxml\r\nUser-Agent: Apple-iPhone11C8/1804.70\r\n"
    "MS-ASProtocolVersion: 16.1\r\nX-MS-PolicyKey: 1234567890\r\nContent-Length: 60\r\n"
)
SOAP = (
    "POST /EWS/Exchange.asmx HTTP/1.1\r\nHost: outlook.office365.com\r\nUser-Agent: imagined/1.2\r\n"
    "Accept-Encoding: gzip, deflate\r\nAccept: */*\r\nContent-Type: text/xml; charset=utf-8\r\n"
    "Content-Length: 1100\r\n"
)
OUTLOOK = (
    "POST /mapi/emsmdb/?MailboxId=01234567-89ab-cdef-0123-456789abcdef@contoso.example HTTP/1.1\r\n"
    "Host: outlook.office365.com\r\nConnection: Keep-Alive\r\nContent-Type: application/mapi-http\r\n"
    "User-Agent: Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.17126; Pro)\r\n"
    "X-RequestId: {01234567-89AB-CDEF-0123-456789ABCDEF}:1\r\n"
    "X-ClientInfo: {01234567-89AB-CDEF-0123-456789ABCDEF}:1\r\n"
    "client-request-id: {01234567-89AB-CDEF-0123-456789ABCDEF}\r\n"
    "X-ClientApplication: Outlook/16.0.17126.20126\r\nX-MapiHttpCapability: 1\r\n"
    "X-RequestType: Execute\r\nX-AnchorMailbox: anna.muster@contoso.example\r\nContent-Length: 120\r\n"
)
BASIC = "Authorization: Basic " + b64encode(b"anna.muster@contoso.example:" + b"x" * 14).decode() + "\r\n"
BEARER = "Authorization: Bearer " + "x" * 1700 + "\r\n"
TYPE_1 = "Authorization: NTLM " + "x" * 56 + "\r\n"
TYPE_3 = "Authorization: NTLM " + "x" * 620 + "\r\n"
BACKEND_COOKIE = "Cookie: X-BackEndCookie=" + "x" * 260 + "\r\n"
END = "\r\n"

Said = tuple[tuple[int, ...], int, float]
"""A request's records, its reply's size, and how long that took."""


def split(head: str, body: int = 60, reply: int = OK, wait_s: float = QUICK) -> Said:
    """A request with its body in a record of its own."""
    return (len(head + END), body), reply, wait_s


def joined(head: str, body: int = 60, reply: int = OK, wait_s: float = QUICK) -> Said:
    """A request in one record."""
    return (len(head + END) + body,), reply, wait_s


def talk(*said: Said) -> list[Turn]:
    """Turns of HTTP/1.1 under AEAD."""
    turns, at = [], 0
    for sizes, reply, wait_s in said:
        turns.append(Turn(C, sum(sizes), sum(sizes), len(sizes), at, sizes))
        at += int(wait_s * 1e9)
        turns.append(Turn(S, reply, reply, 1, at, (reply,)))
        at += 1_000_000_000
    return turns


def framed(*said: tuple[int, int | None, int]) -> list[Turn]:
    """Turns of HTTP/2: HEADERS, DATA (None: there is none), the reply."""
    turns = [Turn(C, 64, 64, 1, 0, (64,)), Turn(S, 51, 51, 1, 1, (51,)), Turn(C, 9, 9, 1, 2, (9,))]
    for number, (head, body, reply) in enumerate(said):
        sizes = (head,) if body is None else (head, body)
        if number == 0:
            turns.pop()
            sizes = (9, *sizes)
        turns.append(Turn(C, sum(sizes), sum(sizes), len(sizes), 10**7 * number, sizes))
        turns.append(Turn(S, reply, reply, 1, 10**7 * number + 5, (reply,)))
    return turns


def hpacked(text: str) -> int:
    """About what HTTP/2 makes of a head by HPACK's tables and Huffman code."""
    return int(len(text) * 0.62) + 9


PHONE_2, BASIC_2, BEARER_2 = hpacked(PHONE), int(len(BASIC) * 0.8), int(len(BEARER) * 0.8)
AGAIN = 75
"""HEADERS of a request like the one before: the path and a length; the rest is indexed."""


@pytest.mark.parametrize(
    ("said", "auth_class", "mechanism"),
    [
        pytest.param(
            [split(PHONE + BASIC), split(PHONE + BASIC, 90, 900), split(PHONE + BASIC)],
            "basic",
            "HTTP-Basic",
            id="a phone that sends its password each time",
        ),
        pytest.param(
            [split(PHONE, reply=REFUSAL), split(PHONE + BASIC), split(PHONE + BASIC, 90, 900)],
            "basic",
            "HTTP-Basic",
            id="a phone that sends its password after a 401: the growth is the header",
        ),
        pytest.param(
            [joined(PHONE + BASIC), joined(PHONE + BASIC, 90, 900), joined(PHONE + BASIC, 13, 700)],
            "basic",
            "HTTP-Basic",
            id="requests too short for any token, bodies and all, after which the server serves",
        ),
        pytest.param(
            [split(SOAP + BASIC, 1100), split(SOAP + BASIC + BACKEND_COOKIE, 1400, 4000)],
            "basic",
            "HTTP-Basic",
            id="cookies that the server set are no token",
        ),
        pytest.param(
            [split(PHONE + BEARER), split(PHONE + BEARER, 90, 900), split(PHONE + BEARER)],
            "oauth",
            "HTTP-Bearer",
            id="a phone that sends a token each time",
        ),
        pytest.param(
            [split(PHONE, reply=REFUSAL), split(PHONE + BEARER), split(PHONE + BEARER, 90, 900)],
            "oauth",
            "HTTP-Bearer",
            id="a phone that sends a token after a 401",
        ),
        pytest.param(
            [split(SOAP + BEARER, 1100), split(SOAP + BEARER, 1400, 4000), split(SOAP + BEARER, 900, 2000)],
            "oauth",
            "HTTP-Bearer",
            id="a program of EWS whose heads are long, whatever their bodies",
        ),
        pytest.param(
            [
                split(SOAP, 1100, REFUSAL),
                split(SOAP + TYPE_1, 1100, REFUSAL + 220),
                split(SOAP + TYPE_3, 1100),
                split(SOAP, 1100),
            ],
            "ntlm",
            "HTTP-NTLM",
            id="NTLM's three legs, after which nothing is said again",
        ),
        pytest.param(
            [split(SOAP + TYPE_1, 1100, REFUSAL + 220), split(SOAP + TYPE_3, 1100), split(SOAP, 1100)],
            "ntlm",
            "HTTP-NTLM",
            id="NTLM that does not wait for the first 401",
        ),
    ],
)
def test_a_login_in_http11_is_told(said: list[Said], auth_class: str, mechanism: str) -> None:
    for h2 in (None, False):
        found = weigh(talk(*said), h2, whole=True)
        assert (found.auth_class, found.mechanism) == (auth_class, mechanism)
        assert 0.75 <= found.confidence <= MOST
        assert found.runner_up not in (None, auth_class)


@pytest.mark.parametrize(
    ("said", "auth_class"),
    [
        pytest.param(
            [(PHONE_2 + BASIC_2, 69, 800), (AGAIN + BASIC_2, 69, 130), (AGAIN + BASIC_2, 109, 300)],
            "basic",
            id="a password each time",
        ),
        pytest.param(
            [(PHONE_2 + BASIC_2, 69, 800), (AGAIN, 69, 130), (AGAIN, 109, 300)],
            "basic",
            id="a password that is indexed",
        ),
        pytest.param(
            [(PHONE_2 + BEARER_2, 69, 800), (AGAIN + BEARER_2, 69, 130), (AGAIN + BEARER_2, 109, 300)],
            "oauth",
            id="a token each time",
        ),
        pytest.param(
            [(PHONE_2 + BEARER_2, 69, 800), (AGAIN - 55, 69, 130), (AGAIN - 55, 109, 300)],
            "oauth",
            id="a token that is indexed: only the first request shows it",
        ),
        pytest.param(
            [(PHONE_2, 69, 560), (AGAIN + BEARER_2, 69, 800), (AGAIN + BEARER_2, 69, 130)],
            "oauth",
            id="a token after a 401",
        ),
    ],
)
def test_a_login_in_http2_is_told(said: list[tuple[int, int | None, int]], auth_class: str) -> None:
    for h2 in (None, True):
        assert weigh(framed(*said), h2, whole=True).auth_class == auth_class


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(
            [joined(PHONE, reply=REFUSAL)], id="one short request that is refused: no login, or a bad one"
        ),
        pytest.param([joined(SOAP + BASIC, 1600)], id="a password with a long body in the same record"),
        pytest.param([joined(SOAP + BASIC, 1600)] * 3, id="the same over and over"),
        pytest.param([joined(SOAP + BEARER, 100)], id="a token with a body in the same record, once"),
    ],
)
def test_what_could_be_either_is_unknown(said: list[Said]) -> None:
    found = weigh(talk(*said), None, whole=True)
    assert (found.auth_class, found.mechanism, found.outcome, found.confidence) == ("unknown", None, None, 0)
    assert found.reason


@pytest.mark.parametrize(
    "said",
    [
        pytest.param([split(SOAP + BASIC, body) for body in (600, 1100, 2300)], id="EWS, bodies apart"),
        pytest.param([joined(SOAP + BASIC, body) for body in (600, 1100, 2300)], id="EWS, bodies with heads"),
        pytest.param(
            [joined(SOAP + BASIC, body, 1500 + body // 2) for body in (1600, 1640, 1590, 1610)],
            id="EWS, nearly the same each time, and nearly the same answers",
        ),
        pytest.param(
            [joined(SOAP + BASIC, body, 8 * body - 10_000) for body in (1600, 1640, 1590, 1610)],
            id="EWS, nearly the same each time",
        ),
        pytest.param([joined(SOAP, 1100, REFUSAL), joined(SOAP + BASIC, 1100)], id="EWS after a 401, joined"),
        pytest.param(
            [joined(PHONE + BASIC), joined(PHONE + BASIC, 2600), joined(PHONE + BASIC)], id="EAS, a mail sent"
        ),
        pytest.param([split(OUTLOOK + BASIC, 300)] * 3, id="Outlook's long heads"),
        pytest.param(
            [split(OUTLOOK + BACKEND_COOKIE + BASIC, 8, 700, HEARTBEAT)] * 2,
            id="Outlook's long poll, cookies",
        ),
        pytest.param([joined(OUTLOOK + BACKEND_COOKIE + BASIC, 500)] * 3, id="Outlook, all in one record"),
        pytest.param([split(PHONE + BASIC, reply=REFUSAL, wait_s=SLOW)] * 3, id="refused again and again"),
        pytest.param([joined(PHONE + BASIC, reply=REFUSAL, wait_s=SLOW)], id="refused once"),
        pytest.param([split(PHONE + "Authorization: Basic " + "x" * 330, 60)] * 3, id="a very long password"),
    ],
)
def test_no_password_is_called_safe(said: list[Said]) -> None:
    assert weigh(talk(*said), None, whole=True).auth_class in ("basic", "unknown")


@pytest.mark.parametrize("body", [600, 1100, 2300])
def test_no_password_in_frames_that_share_a_record_is_called_safe(body: int) -> None:
    head = hpacked(SOAP) + BASIC_2 + body + 9
    again = AGAIN + BASIC_2 + body + 9
    said = [(head, None, 1500), (again, None, 1200), (again, None, 1900)]
    assert weigh(framed(*said), None, whole=True).auth_class in ("basic", "unknown")


def test_indexed_heads_ahead_of_long_bodies_are_no_control_frames() -> None:
    said = [(hpacked(SOAP) + BASIC_2, 1109, 3000), (22, 2109, 4000), (22, 2109, 4000)]
    assert weigh(framed(*said), None, whole=True).auth_class in ("basic", "unknown")


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        pytest.param(
            [split(PHONE + BASIC, reply=size) for size in (1500, 1800, 1500)],
            Outcome.ACCEPTED,
            id="replies longer than refusals",
        ),
        pytest.param(
            [split(PHONE + BASIC, reply=900, wait_s=HELD)] * 3,
            Outcome.ACCEPTED,
            id="replies that were held back",
        ),
        pytest.param(
            [split(PHONE + BASIC, reply=size) for size in (800, 900, 1100)],
            Outcome.ACCEPTED,
            id="unlike replies",
        ),
        pytest.param(
            [split(PHONE + BASIC, reply=REFUSAL, wait_s=SLOW)] * 3,
            Outcome.REFUSED,
            id="short replies, late, all alike",
        ),
    ],
)
def test_outcomes(said: list[Said], outcome: Outcome) -> None:
    found = weigh(talk(*said), None, whole=True)
    assert (found.auth_class, found.outcome) == ("basic", outcome)


def test_a_hole_hides_the_login() -> None:
    found = weigh(talk(*[split(PHONE + BASIC)] * 3), None, whole=False)
    assert (found.auth_class, found.confidence) == ("unknown", 0)
    assert "missing" in found.reason


def test_where_nothing_was_asked_nothing_is_said() -> None:
    assert weigh([], None, whole=True).reason == "no request was heard"


def test_a_heartbeat_and_small_bodies_name_a_phones_service() -> None:
    said = [
        split(PHONE + BASIC, 60, 900, HEARTBEAT),
        split(PHONE + BASIC, 110, 1500),
        split(PHONE + BASIC, 60, 900, HEARTBEAT),
    ]
    assert weigh(talk(*said), None, True).service == "eas"


def test_a_phone_is_known_by_answers_without_news_though_a_token_and_bodies_share_records() -> None:
    said = [
        joined(PHONE + BEARER, 21, 1230, HELD),
        joined(PHONE + BEARER, 110, 1240),
        joined(PHONE + BEARER, 21, 1230, HELD),
        joined(PHONE + BEARER, 160, 1660),
    ]
    found = weigh(talk(*said), None, True)
    assert (found.service, found.auth_class, found.outcome) == ("eas", "oauth", Outcome.ACCEPTED)


def test_long_bodies_behind_short_heads_name_soap() -> None:
    said = [split(SOAP + BASIC, body, 3000) for body in (900, 1700, 1200)]
    assert weigh(talk(*said), None, True).service == "ews"


def test_reasons_hold_no_sizes() -> None:
    for said in ([split(PHONE + BASIC)] * 3, [split(PHONE + BEARER)] * 3, [joined(PHONE)]):
        found = weigh(talk(*said), None, True)
        assert found.reason and not re.search(r"\d{2,}", found.reason.replace("401", ""))


def test_cbc_is_told_as_well() -> None:
    exact = talk(*[split(PHONE + BASIC), split(PHONE + BASIC, 90, 900), split(PHONE + BASIC)])
    ranged = [
        Turn(
            t.side,
            t.low - 10 * t.records,
            t.high + 5 * t.records,
            t.records,
            t.at,
            tuple(s + 5 for s in t.sizes),
        )
        for t in exact
    ]
    assert weigh(ranged, None, True).auth_class == "basic"


@given(
    st.lists(
        st.tuples(st.sampled_from(Side), st.lists(st.integers(0, 17_000), min_size=1, max_size=9)),
        max_size=16,
    ),
    st.sampled_from([None, True, False]),
    st.integers(0, 10**12),
)
def test_any_turns_make_a_guess(spoken: list[tuple[Side, list[int]]], h2: bool | None, pace: int) -> None:
    turns = [
        Turn(side, sum(sizes), sum(sizes), len(sizes), number * pace, tuple(sizes[:8]))
        for number, (side, sizes) in enumerate(spoken)
    ]
    found = weigh(turns, h2, whole=True)
    assert isinstance(found, Guess) and 0 <= found.confidence <= MOST
    assert (found.auth_class == "unknown") == (found.confidence == 0)


def test_shares_come_to_one() -> None:
    asked = exchanges(talk(*[split(PHONE + BASIC)] * 3), h2=False)
    found = shares(asked, h2=False)
    assert sum(found.values()) == pytest.approx(1)
    assert max(found, key=found.__getitem__)[1].auth_class == "basic"
    assert max(found.values()) > SAFE / 2


@pytest.mark.parametrize("name", SERVICES)
def test_what_is_stated_of_a_service_is_sound(name: str) -> None:
    service = SERVICES[name]
    assert sum(share for share, _ in service.bodies) == pytest.approx(1)
    assert sum(service.classes.values()) == pytest.approx(1)
    assert service.classes.keys() <= {way.auth_class for way in WAYS}
    assert sum(share for share, _ in service.answers) == pytest.approx(1)
    for part in (service.head, *(part for _, part in (*service.bodies, *service.answers))):
        assert list(part) == sorted(part)


def test_what_is_stated_of_logins_is_sound() -> None:
    assert sum(service.share for service in SERVICES.values()) == pytest.approx(1)
    for all_ways in (WAYS, WAYS_2):
        for name in {way.auth_class for way in all_ways}:
            assert sum(way.share for way in all_ways if way.auth_class == name) == pytest.approx(1)
    assert all(list(part) == sorted(part) for parts in HEADERS.values() for part in parts)


def test_no_password_is_as_long_as_any_token() -> None:
    (password,), (token,) = HEADERS[PASSWORD], HEADERS[TOKEN]
    assert password.most * 2 < token.least
