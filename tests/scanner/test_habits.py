"""What programs and devices do beside the plain dialogue, made from the grammar and from sentences."""

from itertools import cycle

import pytest

from scanner.claims import Inferred, infer
from scanner.conversation import Side
from scanner.events import Turn
from scanner.model import AuthClass
from scanner.sizes import Known

EXCHANGE, IMPLICIT = Known(exchange=0.97, client_name=7, reply=204), Known(exchange=0.93, implicit=True)
OTHER, OTHER_IMPLICIT = Known(exchange=0.03, client_name=7, reply=150), Known(exchange=0.6, implicit=True)
HELLO, LOGIN, LET_IN, REFUSED = (14, 214), (12, 18, 30, 18, 18), 37, 160
MAIL, QUIT = (45, 21, 31, 24, 6, 46, 400, 97, 6, 48), (6, 48)
OTHER_HELLO, OTHER_MAIL, OTHER_QUIT = (14, 160), (41, 14, 33, 14, 6, 37, 400, 35, 6, 20), (6, 20)
OFFERS, LOGOUT = (17, 151), (13, 86)
TOGETHER = 3
"""Records of a server that answers commands one by one that came together."""


def said(*lengths: int, block: int = 0, late: int | None = None, records: int = 1) -> list[Turn]:
    """Client and server by turns; with a block cipher only ranges are known; answer ``late`` takes 5 s."""
    found, at = [], 0
    for number, (side, length) in enumerate(zip(cycle((Side.CLIENT, Side.SERVER)), lengths, strict=False)):
        at += 5_000_000_000 if number == late else 10_000_000
        low, high = (length - length % block, length - length % block + block - 1) if block else (length,) * 2
        found.append(Turn(side, low, high, records if side is Side.SERVER else 1, at, (high,)))
    return found


def claim(protocol: str, known: Known, turns: list[Turn]) -> Inferred:
    found = infer(protocol, known, turns, tls13=False, ended=True, lost=False)
    assert found is not None
    return found


def told(found: Inferred) -> list[str]:
    return [f"{one.mechanism} {one.outcome.value if one.outcome else 'unheard'}" for one in found.attempts]


SMTP = [
    pytest.param(EXCHANGE, said(*HELLO, *HELLO, *LOGIN, LET_IN, *MAIL), ["LOGIN accepted"], id="EHLO twice"),
    pytest.param(EXCHANGE, said(*LOGIN, LET_IN, *HELLO, *MAIL), ["LOGIN accepted"],
                 id="AUTH before any EHLO"),
    pytest.param(OTHER, said(14, 45, 14, 40, *LOGIN, 30, *OTHER_MAIL), ["LOGIN accepted"],
                 id="HELO where EHLO is refused"),
    pytest.param(OTHER, said(*OTHER_HELLO, 13, 18, 30, 18, 18, 30, *OTHER_MAIL), ["LOGIN accepted"],
                 id="a blank behind AUTH LOGIN"),
    pytest.param(EXCHANGE, said(*HELLO, 12, 127, *LOGIN, LET_IN, *MAIL), ["LOGIN accepted"],
                 id="PLAIN is not offered, LOGIN is"),
    pytest.param(EXCHANGE, said(*HELLO, 69, 127, *LOGIN, LET_IN, *MAIL), ["PLAIN refused", "LOGIN accepted"],
                 id="PLAIN at once, refused, then LOGIN"),
    pytest.param(EXCHANGE, said(*HELLO, 1855, 123, 1871, LET_IN, *MAIL),
                 ["XOAUTH2 refused", "XOAUTH2 accepted"], id="an old token, a fresh one"),
    pytest.param(EXCHANGE, said(*HELLO, 1855, 160, 2, 123, *LOGIN, LET_IN, *MAIL),
                 ["XOAUTH2 refused", "LOGIN accepted"], id="a token, an error in JSON, a password"),
    pytest.param(EXCHANGE, said(*HELLO, 1855, 160, 1842, 123, *QUIT), ["XOAUTH2 refused"],
                 id="the token again for an answer to the error"),
    pytest.param(OTHER, said(*OTHER_HELLO, *LOGIN, 44, *LOGIN, 44, *LOGIN, 44, *OTHER_QUIT),
                 ["LOGIN refused"] * 3, id="refused thrice in the same words"),
    pytest.param(EXCHANGE, said(*HELLO, *LOGIN, LET_IN, 6, 14, 6, 14, *MAIL), ["LOGIN accepted"],
                 id="NOOP to keep it alive"),
    pytest.param(EXCHANGE, said(*HELLO, 6, 21, 6, 14, *LOGIN, LET_IN, *MAIL), ["LOGIN accepted"],
                 id="RSET and NOOP before a login"),
    pytest.param(EXCHANGE, said(*HELLO, 26, 60, *LOGIN, LET_IN, *MAIL), ["LOGIN accepted"], id="VRFY first"),
    pytest.param(EXCHANGE, said(*HELLO, 45, 134, 6, 21, *LOGIN, LET_IN, *MAIL), ["LOGIN accepted"],
                 id="an envelope, told to authenticate, RSET, a login"),
    pytest.param(EXCHANGE, said(*HELLO, *LOGIN, LET_IN, 45, 21, 31, 24, 14000, 44, 12, 97, *QUIT),
                 ["LOGIN accepted"], id="BDAT"),
    pytest.param(EXCHANGE, said(*HELLO, *LOGIN, REFUSED, 45, 134, *QUIT), ["LOGIN refused"],
                 id="mail in spite of a refusal"),
    pytest.param(EXCHANGE, said(*HELLO, 12, 18, 3, 60, *QUIT), ["LOGIN refused"], id="taken back"),
    pytest.param(EXCHANGE, said(*HELLO, *LOGIN, LET_IN, *QUIT), ["LOGIN accepted"], id="a login test"),
]  # fmt: skip
IMAP = [
    pytest.param(IMPLICIT, said(80, 95, *OFFERS, 45, 26, 16, 60, 19, 300, *LOGOUT), ["IMAP-LOGIN accepted"],
                 id="ID, CAPABILITY, LOGIN, NAMESPACE, SELECT"),
    pytest.param(IMPLICIT, said(*OFFERS, 45, 26, 19, 310, 10, 30, 6, 24, 10, 30, 6, 24, *LOGOUT),
                 ["IMAP-LOGIN accepted"], id="IDLE and DONE"),
    pytest.param(IMPLICIT, said(*OFFERS, 45, 23, 45, 23, 49, 26, 18, 310, *LOGOUT),
                 ["IMAP-LOGIN refused", "IMAP-LOGIN refused", "IMAP-LOGIN accepted"], id="until let in"),
    pytest.param(IMPLICIT, said(*OFFERS, 2280, 30, 78, 33, 18, 310, *LOGOUT),
                 ["XOAUTH2 refused", "PLAIN accepted"], id="a token, then PLAIN"),
    pytest.param(IMPLICIT, said(*OFFERS, 29, 30, 45, 26, 18, 310, *LOGOUT), ["IMAP-LOGIN accepted"],
                 id="CRAM-MD5 is not offered"),
]  # fmt: skip
POP3 = [
    pytest.param(IMPLICIT, said(28, 5, 19, 34, 6, 5, 6, 11, 6, 60, 9, 800, 6, 56), ["USERPASS accepted"],
                 id="NOOP, STAT, UIDL, RETR"),
    pytest.param(IMPLICIT, said(28, 5, 19, 39, 28, 5, 19, 39, 6, 56), ["USERPASS refused"] * 2,
                 id="refused twice"),
    pytest.param(IMPLICIT, said(6, 45, 14, 4, 2002, 65, 28, 5, 19, 39, 6, 56),
                 ["XOAUTH2 refused", "USERPASS refused"], id="a token, then a password"),
    pytest.param(OTHER_IMPLICIT, said(6, 60, 15, 30, 28, 5, 19, 30, 6, 11, 6, 20), ["USERPASS accepted"],
                 id="CRAM-MD5 is not offered"),
    pytest.param(IMPLICIT, said(47, 44, 6, 56, records=2), ["USERPASS refused"],
                 id="USER and PASS together"),
]  # fmt: skip
ALL = [("smtp", SMTP), ("imap", IMAP), ("pop3", POP3)]


@pytest.mark.parametrize(
    ("protocol", "known", "turns", "attempts"),
    [pytest.param(name, *one.values, id=f"{name}: {one.id}") for name, table in ALL for one in table],
)
def test_every_login_is_told_in_order(
    protocol: str, known: Known, turns: list[Turn], attempts: list[str]
) -> None:
    found = claim(protocol, known, turns)
    assert told(found) == attempts
    assert found.confidence >= 0.9


@pytest.mark.parametrize(
    ("protocol", "known", "turns"),
    [
        pytest.param("smtp", OTHER, said(14, 45, 14, 40, *OTHER_MAIL), id="HELO, and mail"),
        pytest.param("smtp", EXCHANGE, said(14, 190, 45, 21, 31, 24, 33, 24, 6, 46, 90000, 97, *QUIT),
                     id="mail to several"),
        pytest.param("smtp", EXCHANGE, said(14, 190, 900, 134, *QUIT, records=TOGETHER), id="all together"),
        pytest.param("smtp", OTHER, said(*OTHER_HELLO, 41, 14, 33, 60, *OTHER_QUIT), id="relaying refused"),
        pytest.param("smtp", OTHER, said(*OTHER_HELLO, 6, 14, *OTHER_QUIT), id="NOOP"),
        pytest.param("smtp", EXCHANGE, said(14, 190, 12, 92, *QUIT), id="LOGIN where nothing is offered"),
        pytest.param("imap", IMPLICIT, said(*OFFERS, 20, 45, *LOGOUT), id="EXAMINE without a login"),
        pytest.param("imap", IMPLICIT, said(*OFFERS, 16, 45, 16, 45, *LOGOUT), id="NAMESPACE and LIST"),
        pytest.param("imap", OTHER_IMPLICIT, said(17, 120, 13, 35, 13, 60), id="ID"),
    ],
)  # fmt: skip
def test_a_probe_is_no_login(protocol: str, known: Known, turns: list[Turn]) -> None:
    found = claim(protocol, known, turns)
    assert (found.auth_class, told(found)) == (AuthClass.NONE, [])
    assert found.confidence >= 0.8


@pytest.mark.parametrize(
    ("protocol", "known", "lengths", "answer"),
    [
        pytest.param("pop3", IMPLICIT, (28, 5, 19, 39, 6, 56), 3, id="USER and PASS"),
        pytest.param("imap", IMPLICIT, (*OFFERS, 45, 23, *LOGOUT), 3, id="IMAP LOGIN"),
        pytest.param("smtp", OTHER, (*OTHER_HELLO, *LOGIN, 44, *OTHER_QUIT), 7, id="LOGIN"),
        pytest.param("smtp", OTHER, (*OTHER_HELLO, 69, 44), 3, id="PLAIN, or an envelope refused"),
    ],
)
def test_an_answer_held_back_tells_a_refusal_where_only_ranges_are_known(
    protocol: str, known: Known, lengths: tuple[int, ...], answer: int
) -> None:
    found = claim(protocol, known, said(*lengths, block=16, late=answer))
    assert found.auth_class is AuthClass.BASIC
    assert told(found)[-1].endswith(" refused")
    assert any("answered late by" in step for step in found.steps)


def test_who_might_have_sent_a_password_is_called_safe_only_if_that_is_unlikely() -> None:
    doubtful = claim("smtp", OTHER, said(*OTHER_HELLO, 57, 40, *OTHER_QUIT, block=16))
    assert doubtful.auth_class is not AuthClass.BASIC
    assert doubtful.confidence < 0.7
