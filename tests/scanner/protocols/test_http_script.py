"""What is asked of a web server: a page of a device, all paths of Exchange; dialogues: see test_played."""

from __future__ import annotations

import pytest

from scanner.events import Event, Label, Offer
from scanner.protocols.http_script import EAS, PATHS, script
from scanner.protocols.ntlm import NEGOTIATE
from scanner.session import Answer, Asker

ASKER = Asker("mailsunset", "printer.example")
MARK = Label("http.exchange", "X-FEServer: EX1")
NONE = Answer((), b"HTTP/1.1 404 Not Found")


def answer(status: int, *events: Event, location: str | None = None) -> Answer:
    below = "" if location is None else f"\r\nLocation: {location}"
    return Answer(events, f"HTTP/1.1 {status} Whatever{below}".encode())


def denied(*schemes: str) -> Answer:
    return answer(401, Offer(tuple(f"HTTP-{scheme}" for scheme in schemes)))


def asked(*answers: Answer, asker: Asker = ASKER) -> list[bytes]:
    """The requests of a script that is given these answers, then no more than that nothing is there."""
    said, requests = script(asker), []
    remaining = iter(answers)
    request = next(said)
    while True:
        assert isinstance(request, bytes)
        requests.append(request)
        try:
            request = said.send(next(remaining, NONE))
        except StopIteration:
            return requests


def paths(*answers: Answer, asker: Asker = ASKER) -> list[bytes]:
    return [request.split(b" ")[1] for request in asked(*answers, asker=asker)]


def test_a_request_says_who_asks_whom() -> None:
    assert asked()[0] == (
        b"GET / HTTP/1.1\r\nHost: printer.example\r\nUser-Agent: mailsunset\r\nAccept: */*\r\n"
        b"Connection: keep-alive\r\n\r\n"
    )


@pytest.mark.parametrize(
    ("host", "line"),
    [
        pytest.param("10.0.0.7", b"Host: 10.0.0.7\r\n", id="an address"),
        pytest.param("10.0.0.7:8080", b"Host: 10.0.0.7:8080\r\n", id="an address and a port"),
        pytest.param("fe80::1%eth0", b"Host: [fe80::1]\r\n", id="an address of IPv6, without its zone"),
        pytest.param("[2001:db8::1]:8443", b"Host: [2001:db8::1]:8443\r\n", id="one with a port"),
    ],
)
def test_the_host_is_written_as_http_wants_it(host: str, line: bytes) -> None:
    assert line in asked(asker=Asker(host=host))[0]


@pytest.mark.parametrize(
    ("page", "eas", "is_asked"),
    [
        pytest.param(answer(200), answer(404), False, id="a printer"),
        pytest.param(answer(200), answer(200), False, id="a device that shows its page whatever is asked"),
        pytest.param(answer(200), answer(501), False, id="a device without OPTIONS"),
        pytest.param(denied("Basic"), denied("Basic"), False, id="a device that wants a password for all"),
        pytest.param(Answer((), b""), Answer((), b""), False, id="a device that says nothing"),
        pytest.param(answer(200), denied("Basic"), True, id="a login for ActiveSync alone"),
        pytest.param(denied("NTLM"), denied("NTLM"), True, id="Windows logs in everywhere"),
        pytest.param(answer(200), answer(403, MARK), True, id="ActiveSync is closed, but it is Exchange"),
        pytest.param(answer(403, MARK), answer(404), True, id="the page is Exchange's"),
        pytest.param(
            answer(302, location="https://mail.example/owa/"), answer(404), True, id="it sends to OWA"
        ),
    ],
)
def test_only_what_seems_to_be_exchange_is_asked_for_the_rest(
    page: Answer, eas: Answer, is_asked: bool
) -> None:
    requests = paths(page, eas)
    assert requests[:2] == [b"/", EAS]
    assert requests[2:6] == ([*PATHS] if is_asked else [])


@pytest.mark.parametrize(
    ("location", "secure", "path"),
    [
        pytest.param("/web/index.html", False, b"/web/index.html", id="a path"),
        pytest.param("start.asp?lang=1#top", False, b"/start.asp?lang=1", id="a relative path with a query"),
        pytest.param("http://printer.example/x", False, b"/x", id="the same server in full"),
        pytest.param("http://PRINTER.example:80/x", False, b"/x", id="with its usual port"),
        pytest.param("https://printer.example/x", True, b"/x", id="the same server inside TLS"),
        pytest.param("https://printer.example/x", False, None, id="its other port"),
        pytest.param("http://printer.example:8080/x", False, None, id="another port"),
        pytest.param("http://other.example/x", False, None, id="another server"),
        pytest.param("//other.example/x", False, None, id="another server, without a scheme"),
        pytest.param("http://printer.example@other.example/", False, None, id="another server, disguised"),
        pytest.param("http://[broken/", False, None, id="no address at all"),
        pytest.param("http://printer.example:x/", False, None, id="no port at all"),
        pytest.param("/a b\tc", False, None, id="a path with blanks"),
        pytest.param("/" + "x" * 2000, False, None, id="an endless path"),
        pytest.param("/", False, None, id="itself"),
        pytest.param("", False, None, id="nowhere"),
        pytest.param("ftp://printer.example/x", False, None, id="another protocol"),
    ],
)
def test_a_redirection_is_followed_within_the_server(location: str, secure: bool, path: bytes | None) -> None:
    requests = paths(answer(302, location=location), asker=Asker(host="printer.example", secure=secure))
    assert requests == [b"/", *([path] if path else []), EAS]


def test_only_one_redirection_is_followed() -> None:
    assert paths(answer(302, location="/a"), answer(302, location="/b")) == [b"/", b"/a", EAS]


def test_a_device_behind_a_redirection_that_wants_a_password_for_all_is_spared() -> None:
    assert paths(answer(302, location="/a"), denied("Basic"), denied("Basic")) == [b"/", b"/a", EAS]


@pytest.mark.parametrize(
    ("answers", "path", "line"),
    [
        pytest.param([denied("NTLM"), NONE], b"/", b"NTLM", id="for the page"),
        pytest.param(
            [answer(200), denied("Basic"), denied("Negotiate"), denied("NTLM")],
            PATHS[1],
            b"NTLM",
            id="NTLM before Negotiate",
        ),
        pytest.param([answer(200), denied("Negotiate")], EAS, b"Negotiate", id="Negotiate alone"),
    ],
)
def test_ntlm_is_begun_once(answers: list[Answer], path: bytes, line: bytes) -> None:
    *others, last = asked(*answers)
    assert last.startswith(b"GET %s HTTP/1.1\r\n" % path)
    assert b"\r\nAuthorization: %s %s\r\n\r\n" % (line, NEGOTIATE) in last
    assert not [request for request in others if b"Authorization" in request]


def test_no_login_is_tried_where_only_passwords_are_taken() -> None:
    assert not [request for request in asked(answer(200), denied("Basic")) if b"Authorization" in request]
