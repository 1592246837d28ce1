"""What protocols in lines share: whole lines alone or in pieces, and TLS that begins among them."""

from __future__ import annotations

import pytest

from scanner.conversation import Side
from scanner.events import Event, Phase, Reached, TlsMode, TlsStarted, Weird
from scanner.protocols.imap import ImapSession
from scanner.protocols.pop3 import Pop3Session
from scanner.protocols.smtp import SmtpSession
from scanner.protocols.talk import Talk
from scanner.wire.lines import LINE_LIMIT

C, S = Side.CLIENT, Side.SERVER
HELLO = b"\x16\x03\x01\0\x2d\x01\0\0\x29\x03\x03" + bytes(32) + b"\0\0\x02\xc0\x2f\x01\0"
STARTED = TlsStarted(TlsMode.STARTTLS)
TALKS = [
    pytest.param(SmtpSession, b"220 x\r\n", b"STARTTLS\r\n", b"220 go\r\n", b"454 no\r\n", id="smtp"),
    pytest.param(ImapSession, b"* OK x\r\n", b"a STARTTLS\r\n", b"a OK go\r\n", b"a NO no\r\n", id="imap"),
    pytest.param(Pop3Session, b"+OK x\r\n", b"STLS\r\n", b"+OK go\r\n", b"-ERR no\r\n", id="pop3"),
]


def said(session: Talk, *parts: tuple[Side, bytes]) -> list[Event]:
    return [event for side, data in parts for event in session.feed(side, data, 0)]


@pytest.mark.parametrize(("kind", "greeting", "asks", "goes", "refuses"), TALKS)
def test_what_stands_behind_the_wish_for_tls_is_left_over(
    kind: type[Talk], greeting: bytes, asks: bytes, goes: bytes, refuses: bytes
) -> None:
    session = kind()
    assert STARTED in said(session, (S, greeting), (C, asks + b"\x16"), (S, goes + b"\x15"))
    assert session.leftover == ((C, 0, b"\x16"), (S, 0, b"\x15"))
    assert said(session, (C, b"QUIT\r\n")) == []


@pytest.mark.parametrize(("kind", "greeting", "asks", "goes", "refuses"), TALKS)
def test_a_hello_tells_that_tls_began_though_the_answer_was_not_heard(
    kind: type[Talk], greeting: bytes, asks: bytes, goes: bytes, refuses: bytes
) -> None:
    session = kind()
    assert said(session, (S, greeting), (C, asks), (C, HELLO[:1])) == kind().feed(S, greeting, 0)
    assert said(session, (C, HELLO[1:])) == [STARTED]
    lossy = kind()
    lossy.gap(S, -1, 0)
    assert said(lossy, (C, HELLO)) == [STARTED]


@pytest.mark.parametrize(("kind", "greeting", "asks", "goes", "refuses"), TALKS)
def test_after_a_refusal_what_was_held_back_is_heard(
    kind: type[Talk], greeting: bytes, asks: bytes, goes: bytes, refuses: bytes
) -> None:
    session = kind()
    said(session, (S, greeting), (C, asks + asks), (S, refuses))
    assert STARTED in said(session, (S, goes))


@pytest.mark.parametrize(("kind", "greeting", "asks", "goes", "refuses"), TALKS)
def test_who_spoke_tells_how_far_it_got(
    kind: type[Talk], greeting: bytes, asks: bytes, goes: bytes, refuses: bytes
) -> None:
    session = kind()
    assert session.end() == []
    said(session, (S, greeting))
    assert session.end() == [Reached(Phase.OPENED)]
    said(session, (C, asks))
    assert session.end()[-1] == Reached(Phase.ANSWERED)


@pytest.mark.parametrize(("kind", "greeting", "asks", "goes", "refuses"), TALKS)
def test_a_line_without_an_end_is_told_by_the_protocols_name(
    kind: type[Talk], greeting: bytes, asks: bytes, goes: bytes, refuses: bytes
) -> None:
    assert Weird(f"{kind.name}_long_line") in said(kind(), (S, b"2" * (LINE_LIMIT + 1)))
