"""Every script against servers of paper, through the session of the sniffer, however their bytes are cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.conversation import Side
from scanner.events import Event, Label, Login, Offer, Outcome, TlsMode, TlsStarted
from scanner.protocols import http, imap, ipp, pjl, pop3, smtp
from scanner.protocols.ntlm import NEGOTIATE
from scanner.protocols.smtp_examples import MACHINE, NTLM_CHALLENGE
from scanner.session import Answer, Asker, Dialect, Move, Spoken

CLOSING = b"HTTP/1.0"
"""An answer of this version ends with its connection."""
TLS = (b"", b"")
"""Both begin TLS here."""
STARTED = TlsStarted(TlsMode.STARTTLS)


class Play(NamedTuple):
    """What is said and answered, line by line (of HTTP the first line alone), and what must come of it."""

    dialect: Dialect
    lines: Sequence[tuple[bytes, bytes]]
    told: Sequence[Event]
    asker: Asker = Asker(host="10.0.0.7")
    still_waits: bool = False


def page(body: bytes, *headers: bytes, status: bytes = b"200 OK") -> bytes:
    length = b"Content-Length: %d" % len(body)
    return b"\r\n".join([b"HTTP/1.1 " + status, *headers, length, b"", body])


def denied(*challenges: bytes) -> bytes:
    return page(b"no", *(b"WWW-Authenticate: " + one for one in challenges), status=b"401 Unauthorized")


CHUNKED = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"12\r\n<title>MFP</title>\r\n3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n"
)
ENDLESS = b"HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n<title>Old</title>"
NOT_FOUND = page(b"<html>none</html>", status=b"404 Not Found")
GET, OPTIONS = b"GET / HTTP/1.1", b"OPTIONS /Microsoft-Server-ActiveSync HTTP/1.1"
EXCHANGE_PATHS = (
    (b"GET /EWS/Exchange.asmx HTTP/1.1", denied(b"Negotiate", b"NTLM")),
    (b"GET /autodiscover/autodiscover.xml HTTP/1.1", denied(b"Negotiate", b"NTLM", b'Basic realm="x"')),
    (
        b"GET /owa/ HTTP/1.1",
        page(b"", b"Location: https://10.0.0.7/owa/auth/logon.aspx", status=b"302 Found"),
    ),
    (b"GET /mapi/emsmdb/ HTTP/1.1", denied(b"Negotiate")),
    (b"GET /EWS/Exchange.asmx HTTP/1.1", denied(b"NTLM " + NTLM_CHALLENGE)),
)
MESSAGE, CANCEL = NEGOTIATE + b"\r\n", b"*\r\n"

PLAYS = {
    "SMTP: offers inside TLS, NTLM there, and a relay": Play(
        smtp.DIALECT,
        [
            (b"", b"220-mail.acme.example\r\n220 ESMTP\r\n"),
            (b"EHLO mailsunset\r\n", b"250-mail\r\n250-AUTH NTLM LOGIN\r\n250 STARTTLS\r\n"),
            (b"STARTTLS\r\n", b"220 go\r\n"),
            TLS,
            (b"EHLO mailsunset\r\n", b"250-mail\r\n250-AUTH=LOGIN\r\n250 AUTH NTLM\r\n"),
            (b"MAIL FROM:<a@acme.example>\r\n", b"250 ok\r\n"),
            (b"RCPT TO:<b@example.com>\r\n", b"550-5.7.1\r\n550 no relaying\r\n"),
            (b"RSET\r\n", b"250 ok\r\n"),
            (b"AUTH NTLM\r\n", b"334 \r\n"),
            (MESSAGE, b"334 " + NTLM_CHALLENGE + b"\r\n"),
            (CANCEL, b"501 cancelled\r\n"),
            (b"QUIT\r\n", b"221 bye\r\n"),
        ],
        [Offer(("LOGIN", "NTLM"), True), STARTED, Offer(("LOGIN", "NTLM")), *MACHINE],
        Asker(relay_from="a@acme.example", relay_to="b@example.com"),
    ),
    "SMTP: TLS is refused, so NTLM is begun in clear, and refused at once": Play(
        smtp.DIALECT,
        [
            (b"", b"220 mx\r\n"),
            (b"EHLO mailsunset\r\n", b"250-mx\r\n250-STARTTLS\r\n250 AUTH NTLM\r\n"),
            (b"STARTTLS\r\n", b"454 not now\r\n"),
            (b"AUTH NTLM\r\n", b"504 unknown\r\n"),
            (b"QUIT\r\n", b"221\r\n"),
        ],
        [Offer(("NTLM",), True), Login("NTLM", Outcome.REFUSED, None, "unknown")],
    ),
    "SMTP: the challenge of NTLM stays out": Play(
        smtp.DIALECT,
        [
            (b"", b"220 mx\r\n"),
            (b"EHLO mailsunset\r\n", b"250-mx\r\n250 AUTH NTLM\r\n"),
            (b"AUTH NTLM\r\n", b"334 NTLM supported\r\n"),
            (MESSAGE, b"535 5.7.3 no\r\n"),
            (b"QUIT\r\n", b"221\r\n"),
        ],
        [Login("NTLM", Outcome.REFUSED, None, "5.7.3 no")],
    ),
    "SMTP: who greets with a refusal is left": Play(
        smtp.DIALECT, [(b"", b"554-go\r\n554 away\r\n"), (b"QUIT\r\n", b"221 bye\r\n")], []
    ),
    "SMTP: who knows no EHLO is greeted with HELO": Play(
        smtp.DIALECT,
        [
            (b"", b"220 ups\r\n"),
            (b"EHLO mailsunset\r\n", b"502 what\r\n"),
            (b"HELO mailsunset\r\n", b"250 ups\r\n"),
            (b"QUIT\r\n", b"221 bye\r\n"),
        ],
        [],
    ),
    "SMTP: an answer that never ends": Play(
        smtp.DIALECT, [(b"", b"220-" + b"x" * 300 + b"\r\n220-more\r\n220-")], [], still_waits=True
    ),
    "IMAP: a greeting tells, TLS, ID, LOGOUT": Play(
        imap.DIALECT,
        [
            (b"", b"* OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED ID] ready\r\n"),
            (b"a2 STARTTLS\r\n", b"a2 OK go\r\n"),
            TLS,
            (b"a3 CAPABILITY\r\n", b"* CAPABILITY IMAP4rev1 ID AUTH=PLAIN\r\na3 OK done\r\n"),
            (
                b'a4 ID ("name" "mailsunset")\r\n',
                b'* ID ("NAME" "Dovecot" "support-url" NIL "version" "2.3")\r\na4 OK\r\n',
            ),
            (b"a6 LOGOUT\r\n", b"* BYE bye\r\na6 OK done\r\n"),
        ],
        [
            Offer((), True, True),
            STARTED,
            Offer(("PLAIN",)),
            Label("imap.server_id", "Dovecot 2.3"),
        ],
    ),
    "IMAP: NTLM in clear, without ID": Play(
        imap.DIALECT,
        [
            (b"", b"* OK The Microsoft Exchange IMAP4 service is ready.\r\n"),
            (b"a1 CAPABILITY\r\n", b"* CAPABILITY IMAP4 AUTH=NTLM\r\na1 OK completed.\r\n"),
            (b"a5 AUTHENTICATE NTLM\r\n", b"+\r\n"),
            (MESSAGE, b"+ " + NTLM_CHALLENGE + b"\r\n"),
            (CANCEL, b"a5 BAD cancelled\r\n"),
            (b"a6 LOGOUT\r\n", b"* BYE\r\na6 OK\r\n"),
        ],
        [*MACHINE, Login("NTLM", Outcome.REFUSED, None, "cancelled")],
    ),
    "IMAP: who knows ID answers in literals; nothing that stands in them ends the answer": Play(
        imap.DIALECT,
        [
            (b"", b"* OK [CAPABILITY IMAP4rev1 ID]\r\n"),
            (
                b'a4 ID ("name" "mailsunset")\r\n',
                b'* ID ("os" {10}\r\na4 OK no\r\n "version" "1")\r\n* 1 EXISTS\r\na4 OK\r\n',
            ),
            (b"a6 LOGOUT\r\n", b"a6 OK\r\n"),
        ],
        [],
    ),
    "IMAP: who greets with BYE is left": Play(imap.DIALECT, [(b"", b"* BYE full\r\n")], []),
    "IMAP: who says BYE is not waited for": Play(
        imap.DIALECT,
        [
            (b"", b"* OK\r\n"),
            (b"a1 CAPABILITY\r\n", b"* BYE idle for too long\r\n"),
            (b"a6 LOGOUT\r\n", b""),
        ],
        [],
    ),
    "IMAP: a flood without a tagged answer": Play(
        imap.DIALECT,
        [(b"", b"* OK\r\n"), (b"a1 CAPABILITY\r\n", b"* 1 EXISTS\r\n+ go\r\nx1 OK\r\n" * 20 + b"a1")],
        [],
        still_waits=True,
    ),
    "POP3: offers inside TLS, and NTLM there": Play(
        pop3.DIALECT,
        [
            (b"", b"+OK ready\r\n"),
            (b"CAPA\r\n", b"+OK\r\nSTLS\r\nSASL NTLM\r\n.\r\n"),
            (b"STLS\r\n", b"+OK go\r\n"),
            TLS,
            (b"CAPA\r\n", b"+OK\r\nUSER\r\nSASL NTLM PLAIN\r\n.\r\n"),
            (b"AUTH NTLM\r\n", b"+ \r\n"),
            (MESSAGE, b"+ " + NTLM_CHALLENGE + b"\r\n"),
            (CANCEL, b"-ERR cancelled\r\n"),
            (b"QUIT\r\n", b"+OK bye\r\n"),
        ],
        [
            Offer(("NTLM",), True),
            STARTED,
            Offer(("NTLM", "PLAIN", "USERPASS")),
            *MACHINE,
        ],
    ),
    "POP3: an old server lists its mechanisms to AUTH": Play(
        pop3.DIALECT,
        [
            (b"", b"+OK ready\r\n"),
            (b"CAPA\r\n", b"-ERR what\r\n"),
            (b"AUTH\r\n", b"+OK\r\nCRAM-MD5\r\nNTLM\r\n.\r\n"),
            (b"AUTH NTLM\r\n", b"-ERR no\r\n"),
            (b"QUIT\r\n", b"+OK bye\r\n"),
        ],
        [Offer(("CRAM-MD5", "NTLM"))],
    ),
    "POP3: an older one knows neither": Play(
        pop3.DIALECT,
        [
            (b"", b"+OK ready\r\n"),
            (b"CAPA\r\n", b"-ERR what\r\n"),
            (b"AUTH\r\n", b"-ERR what\r\n"),
            (b"QUIT\r\n", b"+OK bye\r\n"),
        ],
        [],
    ),
    "POP3: who greets with -ERR is left": Play(
        pop3.DIALECT, [(b"", b"-ERR full\r\n"), (b"QUIT\r\n", b"+OK bye\r\n")], []
    ),
    "HTTP: Exchange is asked for all of its paths": Play(
        http.DIALECT,
        [
            (GET, page(b"<title>IIS</title>", b"Content-Type: text/html", b"Server: Microsoft-IIS/10.0")),
            (OPTIONS, denied(b'Basic realm="10.0.0.7"')),
            *EXCHANGE_PATHS,
        ],
        [
            Label("http.title", "IIS"),
            Offer(("HTTP-Basic",)),
            Offer(("HTTP-NTLM", "HTTP-Negotiate")),
            *MACHINE,
        ],
    ),
    "HTTP: a printer is spared, its page comes in chunks": Play(
        http.DIALECT, [(GET, CHUNKED), (OPTIONS, NOT_FOUND)], [Label("http.title", "MFP")]
    ),
    "HTTP: a camera that wants a password for everything": Play(
        http.DIALECT,
        [(GET, denied(b'Digest realm="IPCam"')), (OPTIONS, denied(b'Digest realm="IPCam"'))],
        [Offer(("HTTP-Digest",)), Label("http.realm", "IPCam"), Offer(("HTTP-Digest",))],
    ),
    "HTTP: an old device closes after each answer": Play(
        http.DIALECT, [(GET, ENDLESS), (OPTIONS, b"HTTP/1.0 501 No\r\n\r\n")], [Label("http.title", "Old")]
    ),
    "HTTP: 100 is no answer": Play(
        http.DIALECT, [(GET, b"HTTP/1.1 100 Continue\r\n\r\n")], [], still_waits=True
    ),
    "HTTP: an answer without a body": Play(
        http.DIALECT, [(GET, b"HTTP/1.1 204 No\r\n\r\n"), (OPTIONS, page(b""))], []
    ),
    "IPP: an older printer answers at the second path": Play(
        ipp.DIALECT,
        [
            (b"POST /ipp/print HTTP/1.1", NOT_FOUND),
            (b"POST /ipp/printer HTTP/1.1", ipp.DIALECT.examples[0].lines[1][1]),
        ],
        [Label("ipp.make_and_model", "Copier 12"), Label("ipp.location", "Floor 3")],
    ),
    "PJL: a printer says its ID": Play(
        pjl.DIALECT,
        [(b"\x1b%-12345X@PJL INFO ID\r\n\x1b%-12345X", b'@PJL INFO ID\r\n"HP LaserJet 4250"\r\n')],
        [Label("pjl.id", "HP LaserJet 4250")],
    ),
}


def played(play: Play, sizes: Sequence[int]) -> list[Event]:
    """Play a script; the server's bytes come in pieces of these sizes, over and over."""
    assert play.dialect.script
    script, session = play.dialect.script(play.asker), cast(Spoken, play.dialect.session())
    events: list[Event] = []
    told: Answer | None = None
    for number, (line, answer) in enumerate(play.lines):
        said = next(script) if told is None else script.send(told)
        if line == answer == b"":
            assert said is Move.START_TLS
            session, told = cast(Spoken, play.dialect.session()), Answer((), b"")
            continue
        assert isinstance(said, bytes)
        assert (said.split(b"\r\n")[0] if play.dialect.name in ("http", "ipp") else said) == line
        heard = [*session.feed(Side.CLIENT, said, 0)] if said else []
        at = 0
        while at < len(answer):
            assert session.awaits, answer[:at]
            size = sizes[(at + number) % len(sizes)]
            heard += session.feed(Side.SERVER, answer[at : at + size], 0)
            at += size
        told = Answer(tuple(heard), session.answer)
        events += heard
        closes = answer.startswith(CLOSING)
        assert session.awaits is (closes or (play.still_waits and number == len(play.lines) - 1))
        if closes:
            session = cast(Spoken, play.dialect.session())
    if told and not play.still_waits:
        with pytest.raises(StopIteration):
            script.send(told)
    return events


@pytest.mark.parametrize("play", PLAYS.values(), ids=PLAYS)
def test_a_script_says_its_lines_and_hears_what_it_came_for(play: Play) -> None:
    lengths_aside = (
        replace(event, length=0) if isinstance(event, Offer) else event for event in played(play, [4096])
    )
    events = iter(lengths_aside)
    for wanted in play.told:
        assert wanted in events, f"{wanted} is not told, or not in its turn"


@pytest.mark.parametrize("play", PLAYS.values(), ids=PLAYS)
def test_it_does_so_byte_by_byte(play: Play) -> None:
    assert played(play, [1]) == played(play, [4096])


@settings(max_examples=25, deadline=None)
@given(sizes=st.lists(st.integers(1, 40), min_size=1, max_size=9))
@pytest.mark.parametrize("play", PLAYS.values(), ids=PLAYS)
def test_it_does_so_however_the_answers_are_cut(play: Play, sizes: list[int]) -> None:
    assert played(play, sizes) == played(play, [4096])


@pytest.mark.parametrize("play", PLAYS.values(), ids=PLAYS)
def test_no_challenge_is_in_any_event(play: Play) -> None:
    assert NTLM_CHALLENGE[:40] not in repr(played(play, [4096])).encode()


STEPS = 12
"""No script has more."""
ODD = st.one_of(
    st.sampled_from([answer for play in PLAYS.values() for _, answer in play.lines]),
    st.binary(max_size=60).map(
        lambda raw: b"HTTP/1.1 302 Go\r\nContent-Length: 0\r\nLocation: " + raw + b"\r\n\r\n"
    ),
    st.binary(max_size=60).map(
        lambda raw: b"* OK [CAPABILITY " + raw + b"]\r\na1 OK\r\n250 " + raw + b"\r\n"
    ),
    st.binary(max_size=60),
)


@settings(max_examples=150, deadline=None)
@given(answers=st.lists(ODD, min_size=STEPS, max_size=STEPS))
@pytest.mark.parametrize(
    "dialect", [http.DIALECT, imap.DIALECT, pop3.DIALECT, smtp.DIALECT], ids=lambda one: one.name
)
def test_whatever_is_answered_a_script_ends_in_order(dialect: Dialect, answers: list[bytes]) -> None:
    assert dialect.script
    script, session = (
        dialect.script(Asker(relay_from="a@b.c", relay_to="d@e.f")),
        cast(Spoken, dialect.session()),
    )
    said = next(script)
    for answer in answers:
        heard: list[Event] = []
        if isinstance(said, bytes):
            assert not said or (said.endswith(b"\r\n") and said.isascii())
            heard = [*session.feed(Side.CLIENT, said, 0), *session.feed(Side.SERVER, answer, 0)]
        else:
            session = cast(Spoken, dialect.session())
        try:
            said = script.send(Answer(tuple(heard), session.answer))
        except StopIteration:
            return
    raise AssertionError(f"it still says {said!r}")
