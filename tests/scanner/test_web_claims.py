"""What becomes of a session's record when its requests inside TLS are told by their sizes."""

from collections.abc import Sequence

import pytest

from scanner.account import Account, Usernames
from scanner.conversation import Side
from scanner.events import ClientHello, Gap, Login, Outcome, ServerHello, TlsMode, TlsStarted, Turn
from scanner.model import AuthClass, Basis
from scanner.web_claims import infer_web

C, S = Side.CLIENT, Side.SERVER
NAME = "outlook.office365.com"
TLS12, TLS13 = "TLSv1.2", "TLSv1.3"
CIPHER = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"
PASSWORD, TOKEN = 500, 2100
"""Heads of requests to EAS with either in them."""


def account(
    *heads: int, version: str = TLS12, offered: tuple[str, ...] = ("http/1.1",), alpn: str | None = "http/1.1"
) -> Account:
    """Requests of such heads, each with a short body by itself and a reply of some length."""
    found = Account(Usernames.DROP, protocol="http", tls_mode=TlsMode.IMPLICIT, whole=True)
    found.hear(TlsStarted(TlsMode.IMPLICIT))
    found.hear(ClientHello(NAME, offered, (version,), None, None))
    found.hear(ServerHello(version, CIPHER, alpn))
    for number, head in enumerate(heads):
        at = number * 10**9
        found.hear(Turn(C, head + 60, head + 60, 2, at, (head, 60)))
        reply = 1400 + 150 * number
        found.hear(Turn(S, reply, reply, 1, at + 10**7, (reply,)))
    return found


@pytest.mark.parametrize(
    ("head", "auth_class", "mechanism"),
    [
        pytest.param(PASSWORD, AuthClass.BASIC, "HTTP-Basic", id="short heads hold a password"),
        pytest.param(TOKEN, AuthClass.OAUTH, "HTTP-Bearer", id="long heads hold a token"),
    ],
)
def test_a_login_is_inferred(head: int, auth_class: AuthClass, mechanism: str) -> None:
    found = account(head, head, head)
    infer_web(found, NAME)
    claimed, basis, confidence = found.auth
    assert (claimed, basis) == (auth_class, Basis.INFERRED)
    assert 0.75 <= confidence < 0.95
    (attempt,) = found.attempts
    assert (attempt.mechanism, attempt.outcome) == (mechanism, Outcome.ACCEPTED)
    assert "-sized header" in found.evidence and str(head) not in found.evidence


def test_what_cannot_be_told_is_unknown_and_says_why() -> None:
    found = account(320)
    found.turns = found.turns[:1]
    infer_web(found, NAME)
    assert found.auth == (AuthClass.UNKNOWN, Basis.INFERRED, 0.0)
    assert not found.attempts
    assert "about as well with" in found.evidence


def test_nothing_is_claimed_over_a_hole() -> None:
    found = account(PASSWORD, PASSWORD, PASSWORD)
    found.hear(Gap(S, 100))
    infer_web(found, NAME)
    assert found.auth[0] is AuthClass.UNKNOWN
    assert "missing" in found.evidence


def test_what_was_heard_is_not_inferred() -> None:
    seen = account(TOKEN, TOKEN, TOKEN)
    seen.hear(Login("HTTP-Basic", Outcome.ACCEPTED))
    opened = account(TOKEN, TOKEN)
    opened.bare_inside = True
    for one in (seen, opened):
        before = one.auth
        infer_web(one, NAME)
        assert one.inferred is None and one.auth == before


def test_before_the_servers_hello_nothing_is_inferred() -> None:
    found = Account(Usernames.DROP, protocol="http", tls_mode=TlsMode.IMPLICIT)
    infer_web(found, NAME)
    assert found.inferred is None


@pytest.mark.parametrize(
    ("name", "service"),
    [
        pytest.param("autodiscover-s.outlook.com", "autodiscover", id="Microsoft's name"),
        pytest.param("Autodiscover.contoso.example", "autodiscover", id="a domain's own"),
        pytest.param("autodiscovery.contoso.example", None, id="a name that only begins like it"),
        pytest.param(None, None, id="no name"),
    ],
)
def test_autodiscover_is_known_by_its_name(name: str | None, service: str | None) -> None:
    found = account()
    infer_web(found, name)
    assert found.service == service


@pytest.mark.parametrize(
    ("version", "offered", "alpn"),
    [
        pytest.param(TLS12, ("h2", "http/1.1"), "h2", id="ALPN said so"),
        pytest.param(TLS13, ("h2", "http/1.1"), None, id="it was said inside TLS: by the preface"),
    ],
)
def test_http2_is_told_apart(version: str, offered: tuple[str, ...], alpn: str | None) -> None:
    found = account(version=version, offered=offered, alpn=alpn)
    found.turns = [Turn(C, 64, 64, 1, 0, (64,)), Turn(S, 51, 51, 1, 1, (51,))]
    for number, head in enumerate((1650, 1450, 1450)):
        sizes = (9, head, 69) if number == 0 else (head, 69)
        found.turns.append(Turn(C, sum(sizes), sum(sizes), len(sizes), number * 10**9 + 2, sizes))
        found.turns.append(Turn(S, 800 - number, 800 - number, 1, number * 10**9 + 3, (800 - number,)))
    infer_web(found, NAME)
    assert found.auth[0] is AuthClass.OAUTH


@pytest.mark.parametrize("alpn", ["http/1.1", None])
def test_where_http2_was_not_chosen_no_preface_is_looked_for(alpn: str | None) -> None:
    found = account(PASSWORD, PASSWORD, PASSWORD, offered=("h2", "http/1.1"), alpn=alpn)
    infer_web(found, NAME)
    assert found.auth[0] is AuthClass.BASIC


def said(*requests: tuple[int, int | None, int, float]) -> list[Turn]:
    """Heads, bodies that came apart, replies, and how long those took."""
    turns: list[Turn] = []
    for number, (head, body, reply, wait_s) in enumerate(requests):
        sizes, at = (head,) if body is None else (head, body), number * 10**12
        turns.append(Turn(C, sum(sizes), sum(sizes), len(sizes), at, sizes))
        turns.append(Turn(S, reply, reply, 1, at + int(wait_s * 1e9), (reply,)))
    return turns


PHONE = (500, 21, 900, 400.0), (505, 160, 1500, 0.1), (500, 21, 900, 400.0)
STEP = (320, 60, 830, 0.05), (420, 60, 1500, 0.1), (420, 90, 1900, 0.1)


@pytest.mark.parametrize(
    ("requests", "like", "login"),
    [
        pytest.param(PHONE, ("eas", 21), 500, id="a phone's command by its body's length"),
        pytest.param(STEP, "after a 401", 100, id="what a request grew by that was said again"),
        pytest.param(
            [(head, None, reply, wait_s) for head, _, reply, wait_s in PHONE], None, None,
            id="a head that may have a body in it",
        ),
        pytest.param(
            [(1900, 900, 2500, 0.1), (1940, 300, 4000, 0.1), (2100, 1700, 1200, 0.1)], None, None,
            id="a service that was not told",
        ),
    ],
)  # fmt: skip
def test_what_can_be_compared(
    requests: Sequence[tuple[int, int | None, int, float]], like: object, login: int | None
) -> None:
    found = account()
    found.turns = said(*requests)
    infer_web(found, NAME)
    assert found.inferred and found.inferred.auth_class in (AuthClass.BASIC, AuthClass.OAUTH)
    assert (found.inferred.like, found.inferred.login) == (like, login)
    assert not login or str(login) not in found.evidence
