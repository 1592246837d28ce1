"""What a POP3 session tells of logins and STLS, and that it keeps no secret."""

from __future__ import annotations

import base64
from collections.abc import Iterable

import pytest

from scanner.conversation import Side
from scanner.events import (
    Event,
    Gap,
    Greeting,
    Login,
    Offer,
    Outcome,
    Phase,
    Reached,
    TlsMode,
    TlsStarted,
    Weird,
)
from scanner.protocols.pop3 import DIALECT, PENDING_LIMIT, TEXT_LENGTH, Pop3Session
from scanner.wire.lines import LINE_LIMIT

C, S = Side.CLIENT, Side.SERVER
Said = tuple[Side, bytes | int]
"""What one side said; a number stands for bytes that are lost."""
ANSWERED, SERVED, OPENED = Reached(Phase.ANSWERED), Reached(Phase.SERVED), Reached(Phase.OPENED)
STARTTLS = TlsStarted(TlsMode.STARTTLS)
READY: Said = (S, b"+OK ready\r\n")
RECORD = b"\x16\x03\x01\0\x05hello"


def b64(message: bytes) -> bytes:
    return base64.b64encode(message)


PLAIN = b64(b"\0ann\0secret-1")


def heard(said: Iterable[Said], session: Pop3Session | None = None) -> list[Event]:
    session = session or Pop3Session()
    events: list[Event] = []
    for side, data in said:
        events.extend(session.gap(side, data, 0) if isinstance(data, int) else session.feed(side, data, 0))
    events.extend(session.end())
    return events


def lines(*parts: bytes) -> list[Said]:
    """A line a part; those that begin with + or -ERR are the server's. The greeting goes before."""
    return [READY, *((S if part.startswith((b"+", b"-ERR")) else C, part + b"\r\n") for part in parts)]


def logins(events: Iterable[Event]) -> list[Login]:
    return [event for event in events if isinstance(event, Login)]


def accepted(mechanism: str, name: str | None = "ann") -> Login:
    return Login(mechanism, Outcome.ACCEPTED, name)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        pytest.param(
            lines(b"USER ann", b"+OK", b"PASS secret-1", b"+OK 3 mails"),
            [accepted("USERPASS")],
            id="USER, PASS",
        ),
        pytest.param(
            lines(b"user ann", b"+OK", b"pass secret-1 with blanks", b"+OK"),
            [accepted("USERPASS")],
            id="in lower case, a password with blanks",
        ),
        pytest.param(
            [READY, (C, b"USER ann\r\nPASS secret-1\r\nSTAT\r\n"), (S, b"+OK\r\n+OK\r\n+OK 0 0\r\n")],
            [accepted("USERPASS")],
            id="pipelined",
        ),
        pytest.param(
            lines(b"USER ann", b"+OK", b"PASS secret-1", b"-ERR [AUTH] no"),
            [Login("USERPASS", Outcome.REFUSED, "ann", "[AUTH] no")],
            id="refused",
        ),
        pytest.param(
            lines(b"USER ann", b"-ERR nobody"),
            [Login("USERPASS", Outcome.REFUSED, "ann", "nobody")],
            id="refused at the name",
        ),
        pytest.param(
            lines(b"USER ann", b"+OK", b"PASS secret-1", b"-ERR no", b"PASS secret-2", b"+OK"),
            [Login("USERPASS", Outcome.REFUSED, "ann", "no"), accepted("USERPASS")],
            id="a second try",
        ),
        pytest.param(
            lines(b"PASS secret-1", b"+OK"), [accepted("USERPASS", None)], id="a password without a name"
        ),
        pytest.param(
            lines(b"APOP ann c4c9334bac560ecc979e58001b3e22fb", b"+OK"), [accepted("APOP")], id="APOP"
        ),
        pytest.param(
            lines(b"AUTH PLAIN " + PLAIN, b"+OK"), [accepted("PLAIN")], id="PLAIN with an initial response"
        ),
        pytest.param(
            lines(b"AUTH PLAIN", b"+ ", PLAIN, b"+OK"), [accepted("PLAIN")], id="PLAIN in two steps"
        ),
        pytest.param(
            lines(b"AUTH LOGIN", b"+ VXNlcm5hbWU6", b64(b"ann"), b"+ UGFzc3dvcmQ6", b64(b"secret-1"), b"+OK"),
            [accepted("LOGIN")],
            id="LOGIN",
        ),
        pytest.param(
            lines(
                b"AUTH XOAUTH2 " + b64(b"user=ann\x01auth=Bearer secret-1\x01\x01"),
                b"+ eyJzdGF0dXMiOiI0MDAifQ==",
                b"",
                b"-ERR Authentication failure: unknown user name or bad password.",
            ),
            [
                Login(
                    "XOAUTH2",
                    Outcome.REFUSED,
                    "ann",
                    "Authentication failure: unknown user name or bad password.",
                    "bad-credentials",
                )
            ],
            id="XOAUTH2 refused by way of an empty answer",
        ),
        pytest.param(
            lines(
                b"AUTH NTLM", b"+ ", b64(b"NTLMSSP\0\1\0\0\0"), b"+ TlRMTVNTUAACAAAA", b64(b"x" * 60), b"+OK"
            ),
            [accepted("NTLM", None)],
            id="NTLM whose messages name nobody",
        ),
        pytest.param(
            lines(b"AUTH LOGIN", b"+ VXNlcm5hbWU6", b"*", b"-ERR cancelled"),
            [Login("LOGIN", Outcome.REFUSED, None, "cancelled")],
            id="an asterisk cancels and is no name",
        ),
        pytest.param(
            lines(b"USER ann", b"+OK", b"PASS secret-1"),
            [Login("USERPASS", None, "ann")],
            id="no answer to the password",
        ),
        pytest.param(
            lines(b"AUTH PLAIN " + PLAIN), [Login("PLAIN", None, "ann")], id="no answer to an exchange"
        ),
        pytest.param(lines(b"USER ann", b"+OK", b"QUIT", b"+OK bye"), [], id="a name alone is no login"),
        pytest.param(lines(b"CAPA", b"-ERR what?", b"QUIT", b"+OK"), [], id="nobody logs in"),
    ],
)
def test_logins(said: list[Said], expected: list[Login]) -> None:
    events = heard(said)
    assert logins(events) == expected
    assert "secret" not in repr(events)


def test_no_secret_stays_in_the_session() -> None:
    session = Pop3Session()
    heard(
        lines(b"USER ann", b"+OK", b"PASS secret-1", b"-ERR", b"AUTH PLAIN", b"+ ", PLAIN, b"-ERR"), session
    )
    kept = repr([getattr(session, name) for name in dir(session) if name != "_lines"])
    assert "secret-1" not in kept
    assert PLAIN.decode() not in kept


@pytest.mark.parametrize(
    ("said", "offer"),
    [
        pytest.param(
            [*lines(b"CAPA", b"+OK"), (S, b"USER\r\nSASL PLAIN xoauth2\r\nSTLS\r\n.\r\n")],
            Offer(("PLAIN", "USERPASS", "XOAUTH2"), starttls=True, length=32),
            id="CAPA",
        ),
        pytest.param(
            [*lines(b"CAPA", b"+OK"), (S, b"TOP\r\n.\r\n")], Offer((), length=5), id="CAPA without a login"
        ),
        pytest.param(
            [*lines(b"AUTH", b"+OK"), (S, b"LOGIN\r\nPLAIN\r\n.\r\n")],
            Offer(("LOGIN", "PLAIN"), length=14),
            id="AUTH alone lists mechanisms",
        ),
    ],
)
def test_offers(said: list[Said], offer: Offer) -> None:
    assert [event for event in heard(said) if isinstance(event, Offer)] == [offer]


def test_a_mail_that_looks_like_replies_changes_nothing() -> None:
    mail = b"+OK\r\nReceived: x\r\n+OK Microsoft\r\n-ERR\r\n..\r\n.\r\n"
    said = lines(b"RETR 1", mail[:3], b"USER ann", b"+OK", b"PASS secret-1", b"+OK")
    said[2] = (S, mail)
    assert logins(heard(said)) == [accepted("USERPASS")]


@pytest.mark.parametrize(
    ("said", "leftover"),
    [
        pytest.param(lines(b"STLS", b"+OK go"), (), id="nothing behind it"),
        pytest.param([*lines(b"STLS", b"+OK go"), (C, RECORD)], (), id="TLS in a later packet is left alone"),
        pytest.param(
            [READY, (C, b"STLS\r\n" + RECORD), (S, b"+OK\r\n")], ((C, 0, RECORD),), id="TLS at once"
        ),
        pytest.param(
            [READY, (C, b"STLS\r\n"), (S, b"+OK\r\n" + RECORD)], ((S, 0, RECORD),), id="the server's TLS"
        ),
    ],
)
def test_stls_ends_the_plain_part(said: list[Said], leftover: tuple[tuple[Side, int, bytes], ...]) -> None:
    session = Pop3Session()
    events = heard(said, session)
    assert events.count(STARTTLS) == 1
    assert session.leftover == leftover


def test_stls_whose_answer_was_lost_is_known_by_the_record_behind_it() -> None:
    session = Pop3Session()
    events = heard([READY, (C, b"STLS\r\n"), (S, 5), (C, RECORD)], session)
    assert STARTTLS in events
    assert session.leftover == ((C, 0, RECORD),)


def test_stls_that_is_refused_changes_nothing() -> None:
    said = lines(b"STLS", b"-ERR no", b"USER ann", b"+OK", b"PASS secret-1", b"+OK")
    assert logins(heard(said)) == [accepted("USERPASS")]
    early: list[Said] = [
        READY,
        (C, b"STLS\r\nUSER ann\r\n"),
        (S, b"-ERR no\r\n+OK\r\n"),
        (C, b"PASS x\r\n"),
        READY,
    ]
    assert logins(heard(early)) == [accepted("USERPASS")]


@pytest.mark.parametrize(
    ("said", "phase"),
    [
        pytest.param([READY], OPENED, id="a greeting"),
        pytest.param(lines(b"CAPA"), ANSWERED, id="a command"),
        pytest.param(lines(b"QUIT", b"+OK bye"), SERVED, id="a farewell"),
        pytest.param(lines(b"STAT", b"-ERR"), ANSWERED, id="nothing was done"),
    ],
)
def test_how_far_it_got(said: list[Said], phase: Reached) -> None:
    assert heard(said)[-1] == phase


def test_nothing_said_nothing_told() -> None:
    assert heard([]) == []


def test_a_greeting_is_bounded() -> None:
    events = heard([(S, b"+OK " + b"x" * 2000 + b"\r\n")])
    assert isinstance(events[0], Greeting)
    assert len(events[0].text) == TEXT_LENGTH


def test_after_a_gap_replies_are_matched_with_nothing() -> None:
    events = heard([*lines(b"USER ann", b"+OK", b"PASS secret-1"), (S, 40), (S, b"+OK 3 mails\r\n")])
    assert Gap(S, 40) in events
    assert logins(events) == [Login("USERPASS", None, "ann")]


def test_a_line_without_end_is_told() -> None:
    assert Weird("pop3_long_line") in heard([READY, (C, b"x" * (LINE_LIMIT + 1)), (C, b"\r\n")])


def test_more_commands_than_anybody_pipelines_are_told() -> None:
    events = heard([READY, (C, b"DELE 1\r\n" * (PENDING_LIMIT + 1))])
    assert events.count(Weird("pop3_pipeline")) == 1


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"CAPA\r\n", True), (b"stls\r\n", True), (b"PASS x\r\n", True), (b"USER ann\r\n", True),
        (b"USER ann", None), (b"USER a 0 * :x\r\n", False), (b"AUTH PLAIN\r\n", None),
        (b"QUIT\r\n", None), (b"GET / HTTP/1.1\r\n", False), (b"\r\n", False), (b"", None),
        (b"*1\r\n$4\r\n", False),
    ],
)  # fmt: skip
def test_the_mark_of_a_client(head: bytes, expected: bool | None) -> None:
    assert DIALECT.client_mark(head) is expected


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        pytest.param(b"+OK ready\r\n", True, id="a greeting"),
        pytest.param(b"-ERR busy\r\n", True, id="a refusal"),
        pytest.param(b"+O", None, id="too little"),
        pytest.param(b"-E", None, id="half a refusal"),
        pytest.param(b"+PONG\r\n", False, id="redis"),
        pytest.param(b"* OK IMAP\r\n", False, id="IMAP"),
    ],
)
def test_the_mark_of_a_server(head: bytes, expected: bool | None) -> None:
    assert DIALECT.server_mark(head) is expected
