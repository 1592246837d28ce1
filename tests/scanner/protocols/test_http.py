"""What an HTTP session tells of requests, logins, services and tunnels, and that bodies pass unread."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import replace

import pytest

from scanner.conversation import Side
from scanner.events import Event, Gap, Label, Login, Offer, Outcome, Phase, Reached, Service, Weird
from scanner.protocols.http import DIALECT, PENDING_LIMIT, HttpSession
from scanner.protocols.http_heads import TEXT_LENGTH
from scanner.protocols.smtp_examples import MACHINE
from scanner.protocols.smtp_examples import NTLM_CHALLENGE as NTLM_CHALLENGE_NAMED
from scanner.wire.lines import LINE_LIMIT

C, S = Side.CLIENT, Side.SERVER
Said = tuple[Side, bytes | int]
"""What one side said; a number stands for bytes that are lost."""


def b64(message: bytes) -> bytes:
    return base64.b64encode(message)


BASIC = b"Basic " + b64(b"ann:secret-1")
OTHER = b"Basic " + b64(b"bob:secret-2")
NTLM_OPEN = b"NTLM " + b64(b"NTLMSSP\0\x01\0\0\0")
NTLM_CHALLENGE = b"NTLM " + b64(b"NTLMSSP\0\x02\0\0\0")
NTLM_ANSWER = b"NTLM " + b64(b"NTLMSSP\0\x03\0\0\0" + bytes(60))
REFUSED_401 = Outcome.REFUSED, "401 Unauthorized"
EWS = b"/EWS/Exchange.asmx"


def ask(target: bytes = EWS, *headers: bytes, body: bytes = b"", method: bytes = b"POST") -> Said:
    head = [method + b" " + target + b" HTTP/1.1", *headers]
    if body or method == b"POST":
        head.append(b"Content-Length: %d" % len(body))
    return C, b"\r\n".join([*head, b"", body])


def login(value: bytes, target: bytes = EWS, body: bytes = b"") -> Said:
    return ask(target, b"Authorization: " + value, body=body)


def reply(status: bytes = b"200 OK", *headers: bytes, body: bytes = b"") -> Said:
    return S, b"\r\n".join([b"HTTP/1.1 " + status, *headers, b"Content-Length: %d" % len(body), b"", body])


def denied(*schemes: bytes) -> Said:
    return reply(
        b"401 Unauthorized", *(b"WWW-Authenticate: " + scheme for scheme in schemes), body=b"<html>no</html>"
    )


def heard(said: Iterable[Said], session: HttpSession | None = None) -> list[Event]:
    session = session or HttpSession()
    events: list[Event] = []
    for side, data in said:
        events.extend(session.gap(side, data, 0) if isinstance(data, int) else session.feed(side, data, 0))
    events.extend(session.end())
    return events


def logins(events: Iterable[Event]) -> list[Login]:
    return [event for event in events if isinstance(event, Login)]


def accepted(mechanism: str, name: str | None = None) -> Login:
    return Login(mechanism, Outcome.ACCEPTED, name)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        pytest.param([login(BASIC), reply()], [accepted("HTTP-Basic", "ann")], id="Basic"),
        pytest.param(
            [login(BASIC), denied(b'Basic realm=""')],
            [Login("HTTP-Basic", *REFUSED_401[:1], "ann", REFUSED_401[1])],
            id="Basic, refused",
        ),
        pytest.param(
            [login(BASIC), reply(b"403 Forbidden")],
            [Login("HTTP-Basic", Outcome.REFUSED, "ann", "403 Forbidden")],
            id="Basic, forbidden",
        ),
        pytest.param(
            [login(BASIC), reply(b"456 Blocked")],
            [Login("HTTP-Basic", Outcome.REFUSED, "ann", "456 Blocked")],
            id="Basic, blocked as Exchange Online does",
        ),
        pytest.param(
            [login(BASIC), reply(b"503 Busy")], [Login("HTTP-Basic", None, "ann")], id="a server at fault"
        ),
        pytest.param([login(BASIC)], [Login("HTTP-Basic", None, "ann")], id="Basic, no answer"),
        pytest.param([login(b"Bearer secret-1"), reply()], [accepted("HTTP-Bearer")], id="Bearer"),
        pytest.param(
            [login(b'Digest username="ann", response="secret-1"'), reply()],
            [accepted("HTTP-Digest", "ann")],
            id="Digest",
        ),
        pytest.param(
            [login(NTLM_OPEN), denied(NTLM_CHALLENGE), login(NTLM_ANSWER), reply()],
            [accepted("HTTP-NTLM")],
            id="NTLM in two steps: the first 401 is none",
        ),
        pytest.param(
            [login(NTLM_OPEN), denied(NTLM_CHALLENGE), login(NTLM_ANSWER), denied(b"NTLM")],
            [Login("HTTP-NTLM", Outcome.REFUSED, None, "401 Unauthorized")],
            id="NTLM, refused",
        ),
        pytest.param(
            [login(b"Negotiate " + NTLM_OPEN[5:]), denied(b"Negotiate " + NTLM_CHALLENGE[5:]),
             login(b"Negotiate " + NTLM_ANSWER[5:]), reply()],
            [accepted("HTTP-NTLM")],
            id="NTLM inside Negotiate",
        ),
        pytest.param(
            [login(b"Negotiate " + b64(b"\x60\x82\x05\x12secret-1")), reply()],
            [accepted("HTTP-Negotiate")],
            id="a Kerberos ticket",
        ),
        pytest.param(
            [ask(), denied(b"Negotiate", b"NTLM"), login(BASIC), reply()],
            [accepted("HTTP-Basic", "ann")],
            id="first without, then with",
        ),
        pytest.param(
            [login(BASIC), reply(), login(BASIC), reply(), login(BASIC), reply()],
            [accepted("HTTP-Basic", "ann")],
            id="the same login with every request is one",
        ),
        pytest.param(
            [login(BASIC), denied(b"Basic"), login(OTHER), reply()],
            [Login("HTTP-Basic", Outcome.REFUSED, "ann", "401 Unauthorized"), accepted("HTTP-Basic", "bob")],
            id="another try on the same connection",
        ),
        pytest.param(
            [(C, login(BASIC)[1] + login(OTHER)[1]), (S, denied(b"Basic")[1] + reply()[1])],  # type: ignore[operator]
            [Login("HTTP-Basic", Outcome.REFUSED, "ann", "401 Unauthorized"), accepted("HTTP-Basic", "bob")],
            id="pipelined",
        ),
        pytest.param(
            [login(BASIC), (S, b"HTTP/1.1 100 Continue\r\n\r\n"), denied(b"Basic")],
            [Login("HTTP-Basic", Outcome.REFUSED, "ann", "401 Unauthorized")],
            id="100 is no answer yet",
        ),
        pytest.param([ask(EWS, b"Authorization: Hawk id=x"), reply()], [], id="an unknown scheme"),
        pytest.param([ask(), reply()], [], id="nobody logs in"),
        pytest.param(
            [ask(EWS, b"authorization:" + BASIC), reply()], [accepted("HTTP-Basic", "ann")], id="in any case"
        ),
    ],
)  # fmt: skip
def test_logins(said: list[Said], expected: list[Login]) -> None:
    events = heard(said)
    assert logins(events) == expected
    assert "secret" not in repr(events)
    bytewise = [
        (side, data[at : at + 1]) for side, data in said if isinstance(data, bytes) for at in range(len(data))
    ]
    assert heard(bytewise) == events


HIDDEN = b"HTTP/1.1 200 OK\r\n\r\nGET /EWS/ HTTP/1.1\r\nAuthorization: " + OTHER + b"\r\n\r\n"


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        pytest.param([login(BASIC, body=HIDDEN), reply()], 1, id="a request's body"),
        pytest.param([login(BASIC), reply(body=HIDDEN), login(OTHER), denied()], 2, id="an answer's body"),
        pytest.param(
            [
                login(BASIC),
                (S, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
                (S, b"%x;x=y\r\n" % len(HIDDEN) + HIDDEN + b"\r\n3\r\nabc\r\n0\r\nTrailer: x\r\n\r\n"),
                login(OTHER),
                denied(),
            ],
            2,
            id="an answer in chunks",
        ),
        pytest.param(
            [
                (
                    C,
                    b"POST /EWS/ HTTP/1.1\r\nAuthorization: "
                    + BASIC
                    + b"\r\nTransfer-Encoding: chunked\r\n\r\n",
                ),
                (C, b"%X\r\n" % len(HIDDEN) + HIDDEN + b"\r\n0\r\n\r\n"),
                reply(),
                login(OTHER),
                denied(),
            ],
            2,
            id="a request in chunks",
        ),
        pytest.param(
            [
                ask(EWS, b"Authorization: " + BASIC, method=b"HEAD"),
                (S, b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n"),
                login(OTHER),
                denied(),
            ],
            2,
            id="HEAD has no body whatever its length",
        ),
        pytest.param(
            [
                login(BASIC),
                (S, b"HTTP/1.1 204 No Content\r\nContent-Length: 9\r\n\r\n"),
                login(OTHER),
                denied(),
            ],
            2,
            id="neither has 204",
        ),
        pytest.param(
            [login(BASIC), (S, b"HTTP/1.1 200 OK\r\n\r\n" + HIDDEN), (S, HIDDEN)],
            1,
            id="a body that ends with the connection",
        ),
    ],
)
def test_bodies_pass_unread(said: list[Said], expected: int) -> None:
    found = logins(heard(said))
    assert len(found) == expected
    assert found[0] == accepted("HTTP-Basic", "ann")
    assert all(one.outcome is Outcome.REFUSED and one.username == "bob" for one in found[1:])


@pytest.mark.parametrize(
    ("target", "service"),
    [
        (b"/EWS/Exchange.asmx", "ews"),
        (b"/ews/exchange.asmx", "ews"),
        (b"/autodiscover/autodiscover.xml", "autodiscover"),
        (b"/mapi/emsmdb/?MailboxId=x", "mapi"),
        (b"/rpc/rpcproxy.dll?mail.example.com:6001", "rpc"),
        (b"/OAB/1/oab.xml", "oab"),
        (b"/PowerShell-LiveID?PSVersion=5", "powershell"),
        (b"/owa/", "owa"),
        (b"http://mail.example.com/EWS/Exchange.asmx", "ews"),
        (b"/", None),
        (b"/news/", None),
    ],
    ids=lambda value: value.decode() if isinstance(value, bytes) else "",
)
def test_services_are_known_by_their_paths(target: bytes, service: str | None) -> None:
    events = heard([ask(target), reply(), ask(target), reply()])
    found = [event.service for event in events if isinstance(event, Service)]
    assert found == ([service] if service else [])


def test_outlook_anywhere_has_methods_of_its_own() -> None:
    target = b"/rpc/rpcproxy.dll?mail.example.com:6001"
    request = (
        b"RPC_IN_DATA "
        + target
        + b" HTTP/1.1\r\nAuthorization: "
        + BASIC
        + b"\r\nContent-Length: 1073741824\r\n\r\n"
    )
    events = heard([(C, request + bytes(5000)), denied(b"Basic")])
    assert Service("rpc") in events
    assert logins(events) == [Login("HTTP-Basic", Outcome.REFUSED, "ann", "401 Unauthorized")]


ENCODED = b64(bytes([161, 9, 9, 4]) + b"\x02\xab\x12" + b"\x00" + b"\x03Fon")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        pytest.param(
            b"Cmd=Sync&User=ann&DeviceId=AB12&DeviceType=Fon",
            {"eas.command": "Sync", "eas.user": "ann", "eas.device_id": "AB12", "eas.device_type": "Fon"},
            id="in clear",
        ),
        pytest.param(
            ENCODED,
            {"eas.version": "16.1", "eas.device_id": "AB12", "eas.device_type": "Fon"},
            id="in base64",
        ),
    ],
)
def test_activesync_names_its_device(query: bytes, expected: dict[str, str]) -> None:
    target = b"/Microsoft-Server-ActiveSync?" + query
    events = heard([ask(target, b"User-Agent: Fon/1.0"), reply(), ask(target), reply()])
    found = {event.field: event.text for event in events if isinstance(event, Label)}
    assert found == {"http.user_agent": "Fon/1.0", "eas.user_agent": "Fon/1.0", **expected}
    assert sum(isinstance(event, Label) for event in events) == len(found)


def test_headers_are_labels_once_and_bounded() -> None:
    headers = b"Host: mail.example.com", b"User-Agent: " + b"x" * 999, b"MS-ASProtocolVersion: 16.1"
    events = heard([ask(b"/", *headers), reply(), ask(b"/", *headers), reply()])
    assert [event for event in events if isinstance(event, Label)] == [
        Label("http.host", "mail.example.com"),
        Label("http.user_agent", "x" * TEXT_LENGTH),
        Label("eas.version", "16.1"),
    ]


COOKIES = b"Cookie: lang=en; FedAuth=secret-1; cadata=secret-2"
BEARER = b"Authorization: Bearer secret-3"


@pytest.mark.parametrize(
    ("said", "logins"),
    [
        pytest.param(
            [ask(b"/owa/", COOKIES), reply()], [Login("HTTP-Cookie", Outcome.ACCEPTED)],
            id="a cookie that stands for a login",
        ),
        pytest.param([ask(b"/owa/", b"Cookie: lang=en"), reply()], [], id="any other cookie"),
        pytest.param(
            [ask(b"/owa/", COOKIES), reply(b"302 Found")], [Login("HTTP-Cookie", None)],
            id="sent away to sign in",
        ),
        pytest.param(
            [ask(b"/owa/", COOKIES), reply(b"440 Login Timeout")],
            [Login("HTTP-Cookie", Outcome.REFUSED, reason="440 Login Timeout")],
            id="a login that is too old",
        ),
        pytest.param(
            [ask(b"/mapi/", COOKIES, BEARER), reply(), ask(b"/mapi/", COOKIES), reply()],
            [Login("HTTP-Bearer", Outcome.ACCEPTED)],
            id="cookies beside a login, and after it",
        ),
        pytest.param(
            [ask(b"/owa/", COOKIES), denied(b"Bearer"), ask(b"/owa/", BEARER, COOKIES), reply()],
            [
                Login("HTTP-Cookie", Outcome.REFUSED, reason="401 Unauthorized"),
                Login("HTTP-Bearer", Outcome.ACCEPTED),
            ],
            id="a login after a cookie",
        ),
    ],
)  # fmt: skip
def test_what_rests_on_cookies(said: list[Said], logins: list[Login]) -> None:
    events = heard(said)
    assert [replace(event, at=0) for event in events if isinstance(event, Login)] == logins
    assert "secret" not in repr(events)


def test_what_a_server_offers() -> None:
    events = heard([ask(), denied(b"Negotiate", b"NTLM", b'Basic realm="x"'), ask(), denied(b"Bearer")])
    assert [event.mechanisms for event in events if isinstance(event, Offer)] == [
        ("HTTP-Basic", "HTTP-NTLM", "HTTP-Negotiate"),
        ("HTTP-Bearer",),
    ]


def test_a_tunnel_leaves_the_rest_to_what_is_in_it() -> None:
    session = HttpSession()
    request = b"CONNECT smtp.example.com:587 HTTP/1.1\r\nHost: x\r\n\r\n"
    events = heard([(C, request), (S, b"HTTP/1.1 200 ok\r\n\r\n220 mx"), (C, b"EHLO x\r\n")], session)
    assert Label("http.connect", "smtp.example.com:587") in events
    assert session.leftover == ((S, 0, b"220 mx"),)


def test_a_tunnel_that_is_refused_is_none() -> None:
    session = HttpSession()
    events = heard(
        [ask(b"smtp.example.com:587", method=b"CONNECT"), reply(b"407 No", body=b"220 mx\r\n")], session
    )
    assert not [event for event in events if isinstance(event, Label)]
    assert session.leftover == ()


@pytest.mark.parametrize(
    ("said", "phase"),
    [
        pytest.param([ask()], Phase.OPENED, id="a request"),
        pytest.param([ask(), denied(b"Basic")], Phase.ANSWERED, id="a login is asked for"),
        pytest.param([ask(), reply()], Phase.SERVED, id="a page"),
    ],
)
def test_how_far_it_got(said: list[Said], phase: Phase) -> None:
    assert heard(said)[-1] == Reached(phase)


def test_nothing_said_nothing_told() -> None:
    assert heard([]) == []


def test_an_answer_that_was_lost_is_no_acceptance() -> None:
    events = heard([login(BASIC), (S, 300), login(OTHER), reply()])
    assert Gap(S, 300) in events
    assert Login("HTTP-Basic", None, "ann") in events
    assert accepted("HTTP-Basic", "ann") not in events


def test_ntlm_whose_answer_was_lost_was_accepted_if_the_client_goes_on_without_login() -> None:
    step = [login(NTLM_OPEN), denied(NTLM_CHALLENGE), login(NTLM_ANSWER), (S, 300)]
    assert logins(heard([*step, ask(), reply()])) == [accepted("HTTP-NTLM")]
    assert accepted("HTTP-NTLM") not in logins(heard(step))


def test_a_gap_in_a_head_forgets_it() -> None:
    events = heard([(C, b"POST /EWS/ HTTP/1.1\r\nHost: x\r\n"), (C, 50), (C, b"\r\n"), reply()])
    assert not [event for event in events if isinstance(event, Service)]
    assert logins(heard([(C, 500), login(BASIC), reply()])) == [accepted("HTTP-Basic", "ann")]


def test_limits_are_told() -> None:
    assert Weird("http_long_line") in heard([(C, b"GET /" + b"x" * (LINE_LIMIT + 1)), (C, b"\r\n")])
    many = ask(b"/", method=b"GET")[1] * (PENDING_LIMIT + 1)
    assert heard([(C, many)]).count(Weird("http_pipeline")) == 1


@pytest.mark.parametrize(
    "junk",
    [
        pytest.param(b"HTTP/1.1\r\n\r\n", id="no status"),
        pytest.param(b"HTTP/1.1 2\xb2 x\r\n\r\n", id="a status that is no number"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", id="a length below zero"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n", id="a huge length"),
        pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", id="a chunk of no size"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nx", id="a chunk below zero"
        ),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n\r\n1_0\r\n", id="odd chunks"
        ),
    ],
)
def test_odd_answers_raise_nothing(junk: bytes) -> None:
    assert heard([login(BASIC), (S, junk), login(OTHER), reply()])[-1] in map(Reached, Phase)


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"GET / HTTP/1.1\r\n", True), (b"RPC_IN_DATA /rpc/ HTTP/1.1\r\n", True), (b"POST /x", True),
        (b"GE", None), (b"GET x\r\n", False), (b"EHLO x\r\n", False), (b"PRI * HTTP/2.0\r\n", False),
    ],
)  # fmt: skip
def test_the_mark_of_a_client(head: bytes, expected: bool | None) -> None:
    assert DIALECT.client_mark(head) is expected


@pytest.mark.parametrize(
    ("head", "expected"),
    [(b"HTTP/1.0 200 OK", True), (b"HTT", None), (b"", None), (b"220 x", False), (b"HTTP/2", False)],
)
def test_the_mark_of_a_server(head: bytes, expected: bool | None) -> None:
    assert DIALECT.server_mark(head) is expected


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
    events = heard([(C, line + b"\r\n\r\n"), (S, b"HTTP/1.0 200 Connection established\r\n\r\n")])
    assert Label("http.connect", expected) in events


@pytest.mark.parametrize(
    "said",
    [
        pytest.param([login(NTLM_OPEN), denied(NTLM_CHALLENGE)], id="after the first step"),
        pytest.param([login(NTLM_OPEN), denied(NTLM_CHALLENGE), login(NTLM_ANSWER)], id="before an answer"),
    ],
)
def test_ntlm_that_is_given_up_is_an_attempt_without_outcome(said: list[Said]) -> None:
    assert [login.outcome for login in logins(heard(said))] == [None]


def test_a_blank_in_a_query_hides_no_login() -> None:
    request = (
        b"POST /Microsoft-Server-ActiveSync?Cmd=Sync&DeviceType=Fon 12 HTTP/1.1\r\n"
        b"Authorization: Basic YW5uOnNlY3JldC0x\r\n\r\n"
    )
    events = heard([(C, request), reply()])
    assert Label("eas.device_type", "Fon 12") in events
    assert logins(events) == [Login("HTTP-Basic", Outcome.ACCEPTED, "ann")]


HTML = b"Content-Type: text/html; charset=utf-8"
PAGE = b"<html><head><title>MFP 300</title></head>" + b"x" * 5000
TITLE = Label("http.title", "MFP 300")
NEXT: list[Said] = [ask(EWS), denied(b"Basic")]
"""What must be heard rightly behind a page."""


def chunked(*pieces: bytes) -> bytes:
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


CHUNKED = b"HTTP/1.1 200 OK\r\n" + HTML + b"\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("page", "title"),
    [
        pytest.param(reply(b"200 OK", HTML, body=PAGE), True, id="a page"),
        pytest.param(reply(b"200 OK", HTML, body=PAGE[:34]), True, id="a page that is but a title"),
        pytest.param(reply(b"200 OK", HTML, body=PAGE[:20]), False, id="a title that is cut off"),
        pytest.param(reply(b"200 OK", HTML), False, id="an empty page"),
        pytest.param(reply(b"200 OK", HTML, body=b" " * 3000 + PAGE), False, id="a title far behind"),
        pytest.param((S, CHUNKED + chunked(PAGE)), True, id="in one chunk"),
        pytest.param((S, CHUNKED + chunked(PAGE[:20], PAGE[20:])), True, id="in two chunks"),
        pytest.param((S, CHUNKED + chunked(b" " * 3000, PAGE)), False, id="in a chunk far behind"),
        pytest.param((S, CHUNKED + chunked(PAGE[:20])), False, id="cut off within a chunk"),
        pytest.param((S, CHUNKED + chunked()), False, id="no chunk"),
        pytest.param(reply(b"404 Not Found", HTML, body=PAGE), False, id="a page that is not found"),
        pytest.param(reply(b"200 OK", b"Content-Type: text/plain", body=PAGE), False, id="plain text"),
        pytest.param(reply(b"200 OK", HTML, b"Content-Encoding: gzip", body=PAGE), False, id="compressed"),
        pytest.param(
            reply(b"200 OK", HTML, b"Content-Encoding: identity", body=PAGE), True, id="said to be plain"
        ),
    ],
)
@pytest.mark.parametrize("step", [1, 7, 10_000], ids=["byte by byte", "by seven", "at once"])
def test_the_title_of_a_page_is_told_and_the_rest_passes(page: Said, title: bool, step: int) -> None:
    side, data = page
    assert isinstance(data, bytes)
    parts: list[Said] = [(side, data[at : at + step]) for at in range(0, len(data), step)]
    events = heard([ask(b"/", method=b"GET"), *parts, *NEXT])
    assert [event for event in events if isinstance(event, Label)] == ([TITLE] if title else [])
    assert Offer(("HTTP-Basic",)) in events


def test_the_title_of_a_page_without_a_length_is_told() -> None:
    page = b"HTTP/1.0 200 OK\r\n" + HTML + b"\r\n\r\n" + PAGE
    assert TITLE in heard([ask(b"/", method=b"GET"), (S, page), (S, PAGE)])
    plain = page.replace(b"title", b"h1")
    assert TITLE not in heard([ask(b"/", method=b"GET"), (S, plain), (S, PAGE)])


@pytest.mark.parametrize(
    "page",
    [
        pytest.param((S, reply(b"200 OK", HTML, body=PAGE)[1][:-5020]), id="with a length"),  # type: ignore[index]
        pytest.param((S, CHUNKED + chunked(PAGE)[:20]), id="in chunks"),
        pytest.param((S, b"HTTP/1.0 200 OK\r\n" + HTML + b"\r\n\r\n" + PAGE[:9]), id="without a length"),
    ],
)
def test_a_title_with_a_hole_is_not_told(page: Said) -> None:
    events = heard([ask(b"/", method=b"GET"), page, (S, 5), (S, PAGE)])
    assert [event for event in events if isinstance(event, Label)] == []


def test_a_server_tells_its_program_and_its_realm() -> None:
    answer = reply(b"401 Unauthorized", b"Server: Embedded/2", b'WWW-Authenticate: Basic realm="MFP 300"')
    events = heard([ask(b"/"), answer, ask(b"/"), answer])
    assert [event for event in events if isinstance(event, Label)] == [
        Label("http.server", "Embedded/2"),
        Label("http.realm", "MFP 300"),
    ]


def test_what_a_proxy_fetches_says_nothing_of_the_proxy() -> None:
    answer = reply(b"200 OK", b"Server: Embedded/2", HTML, body=PAGE)
    events = heard([ask(b"http://mfp.example.com/", method=b"GET"), answer])
    assert [event for event in events if isinstance(event, Label)] == []


def test_a_proxys_password_is_not_heard() -> None:
    secret = b64(b"ann:secret-1")
    tunnel = ask(b"smtp.example.com:587", b"Proxy-Authorization: Basic " + secret, method=b"CONNECT")
    wanted = reply(b"407 Auth", b'Proxy-Authenticate: Basic realm="proxy"', body=b"<html>no</html>")
    first = ask(b"smtp.example.com:587", method=b"CONNECT")
    events = heard([first, wanted, tunnel, reply(), (S, b"220 x\r\n")])
    assert [event for event in events if not isinstance(event, Reached)] == [
        Label("http.connect", "smtp.example.com:587")
    ]
    assert secret.decode() not in repr(events)


@pytest.mark.parametrize(
    ("said", "answer", "awaits"),
    [
        pytest.param([], b"", False, id="nothing was asked"),
        pytest.param([ask(), reply(), ask()], b"", True, id="the last request has no answer yet"),
        pytest.param([ask(), reply()], b"HTTP/1.1 200 OK", False, id="answered"),
        pytest.param(
            [ask(), reply(b"302 Found", b"Location: /x")],
            b"HTTP/1.1 302 Found\r\nLocation: /x",
            False,
            id="where it leads stands below",
        ),
        pytest.param([ask(), (S, b"HTTP/1.1 100 Go\r\n\r\n")], b"", True, id="100 is no answer"),
        pytest.param(
            [ask(), (S, b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab")],
            b"HTTP/1.1 200 OK",
            True,
            id="a body that is not whole",
        ),
        pytest.param([ask(), (S, b"HTTP/1.1 200 OK\r\n")], b"", True, id="a head that is not whole"),
        pytest.param(
            [ask(), (S, b"HTTP/1.1 200 OK\r\n\r\nabc")],
            b"HTTP/1.1 200 OK",
            True,
            id="a body until the end",
        ),
        pytest.param(
            [ask(), (S, b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>")],
            b"HTTP/1.1 200 OK",
            True,
            id="a page until the end, whose title may come",
        ),
        pytest.param(
            [ask(), (S, b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" + b"x" * 3000)],
            b"HTTP/1.1 200 OK",
            True,
            id="though enough of it was read",
        ),
    ],
)
def test_whose_turn_it_is(said: list[Said], answer: bytes, awaits: bool) -> None:
    session = HttpSession()
    for side, data in said:
        assert isinstance(data, bytes)
        session.feed(side, data, 0)
    assert (session.answer, session.awaits) == (answer, awaits)


def test_exchange_is_known_by_its_headers_and_where_it_leads_is_told_to_nobody() -> None:
    owa = reply(b"302 Found", b"X-OWA-Version: 15.2.1118.7", b"X-FEServer: EX1", b"Location: /owa/?secret-1")
    events = heard([ask(), owa, ask(), owa])
    assert [event for event in events if isinstance(event, Label)] == [
        Label("http.exchange", "X-OWA-Version: 15.2.1118.7"),
        Label("http.exchange", "X-FEServer: EX1"),
    ]
    assert "secret-1" not in repr(events)


@pytest.mark.parametrize(
    "challenge",
    [
        pytest.param(b"Negotiate " + NTLM_CHALLENGE_NAMED, id="bare"),
        pytest.param(
            b"Negotiate " + b64(b"\xa1\x81\xb0" + base64.b64decode(NTLM_CHALLENGE_NAMED)), id="in SPNEGO"
        ),
        pytest.param(b"ntlm " + NTLM_CHALLENGE_NAMED, id="NTLM, in small letters"),
    ],
)
def test_a_challenge_of_ntlm_names_the_server(challenge: bytes) -> None:
    events = heard([login(NTLM_OPEN), denied(challenge)])
    assert [event for event in events if isinstance(event, Label)] == list(MACHINE)


@pytest.mark.parametrize(
    "challenge", [b"NTLM", b"NTLM ", b"Negotiate !!", b"NTLM TlRM", b"Basic TlRMTVNTUAACAAAA"]
)
def test_other_challenges_name_nobody(challenge: bytes) -> None:
    assert not [event for event in heard([ask(), denied(challenge)]) if isinstance(event, Label)]
