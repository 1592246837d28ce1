"""What an SMTP session tells of logins, envelopes and STARTTLS, and that it keeps no secret."""

import base64
from collections.abc import Iterable, Sequence

import pytest

from scanner.conversation import Side
from scanner.events import (
    ClientName,
    Event,
    Gap,
    Greeting,
    Label,
    Login,
    Mail,
    Manner,
    Offer,
    Outcome,
    Phase,
    Reached,
    TlsMode,
    TlsStarted,
    Weird,
)
from scanner.protocols.message_head import MESSAGES_READ
from scanner.protocols.smtp import DIALECT, PENDING_LIMIT, REPLY_LINES, SmtpSession
from scanner.protocols.smtp_replies import TEXT_LENGTH, greeting, is_ehlo_reply, offer
from scanner.wire.lines import LINE_LIMIT

C, S = Side.CLIENT, Side.SERVER
Said = tuple[Side, bytes | int]
"""What one side said; a number stands for bytes that are lost."""
HELLO: list[Said] = [(S, b"220 mx.example.com ESMTP\r\n")]
GREETING = Greeting("mx.example.com ESMTP", "mx.example.com")
STARTTLS = TlsStarted(TlsMode.STARTTLS)
ANSWERED, SERVED = Reached(Phase.ANSWERED), Reached(Phase.SERVED)
RECORD = b"\x16\x03\x01\0\x05hello"
TO_DATA: list[Said] = [
    (C, b"MAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.com>\r\nDATA\r\n"),
    (S, b"250 ok\r\n250 ok\r\n354 go\r\n"),
]


def b64(message: bytes) -> bytes:
    return base64.b64encode(message)


ANN, PASSWORD = b64(b"ann"), b64(b"secret-1")
PLAIN = b64(b"\0ann\0secret-1")


def heard(said: Iterable[Said], session: SmtpSession | None = None) -> list[Event]:
    session = session or SmtpSession()
    events: list[Event] = []
    for side, data in said:
        events.extend(session.gap(side, data, 0) if isinstance(data, int) else session.feed(side, data, 0))
    events.extend(session.end())
    return [event for event in events if not isinstance(event, Manner)]


def lines(*parts: bytes) -> list[Said]:
    """A line a part; those that begin with a digit are the server's."""
    return [(S if part[:1].isdigit() else C, part + b"\r\n") for part in parts]


def accepted(mechanism: str, name: str | None = "ann") -> list[Login]:
    return [Login(mechanism, Outcome.ACCEPTED, name)]


def refused(mechanism: str, name: str | None, reason: str, cause: str | None = None) -> Login:
    return Login(mechanism, Outcome.REFUSED, name, reason, cause)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        pytest.param(
            lines(b"AUTH PLAIN " + PLAIN, b"235 ok"), accepted("PLAIN"), id="PLAIN with an initial response"
        ),
        pytest.param(lines(b"auth plain  " + PLAIN, b"235"), accepted("PLAIN"), id="PLAIN in lower case"),
        pytest.param(
            lines(b"AUTH PLAIN", b"334 ", PLAIN, b"235 ok"), accepted("PLAIN"), id="PLAIN in two steps"
        ),
        pytest.param(
            lines(b"AUTH LOGIN", b"334 VXNlcm5hbWU6", ANN, b"334 UGFzc3dvcmQ6", PASSWORD, b"235 ok"),
            accepted("LOGIN"),
            id="LOGIN in two steps",
        ),
        pytest.param(
            lines(b"AUTH LOGIN " + ANN, b"334 UGFzc3dvcmQ6", PASSWORD, b"235 ok"),
            accepted("LOGIN"),
            id="LOGIN with the name as initial response",
        ),
        pytest.param(
            lines(b"AUTH EXTERNAL =", b"235 ok"),
            accepted("EXTERNAL", None),
            id="an equals sign is an empty initial response",
        ),
        pytest.param(
            lines(b"AUTH CRAM-MD5", b"334 PDEuMkBteD4=", b64(b"ann secret-1"), b"235 ok"),
            accepted("CRAM-MD5"),
            id="CRAM-MD5",
        ),
        pytest.param(
            lines(
                b"AUTH NTLM " + b64(b"NTLMSSP\0\1\0\0\0"), b"334 TlRMTVNTUAACAAAA", b64(b"x" * 60), b"235 ok"
            ),
            accepted("NTLM", None),
            id="NTLM whose messages name nobody",
        ),
        pytest.param(
            lines(
                b"AUTH XOAUTH2 " + b64(b"user=ann\x01auth=Bearer secret-1\x01\x01"),
                b"334 eyJzdGF0dXMiOiI0MDAifQ==",
                b"",
                b"535 5.7.3 Invalid XOAUTH2 token",
            ),
            [refused("XOAUTH2", "ann", "5.7.3 Invalid XOAUTH2 token", "bad-token")],
            id="XOAUTH2 refused by way of an empty answer",
        ),
        pytest.param(
            lines(b"AUTH LOGIN", b"334 VXNlcm5hbWU6", b"*", b"501 5.7.0 Authentication canceled"),
            [refused("LOGIN", None, "5.7.0 Authentication canceled")],
            id="an asterisk cancels and is no name",
        ),
        pytest.param(
            [
                *lines(b"AUTH NTLM", b"504 5.7.4 Unrecognized authentication type"),
                *lines(b"AUTH PLAIN " + PLAIN, b"235 ok"),
            ],
            [
                refused("NTLM", None, "5.7.4 Unrecognized authentication type", "mechanism-unknown"),
                *accepted("PLAIN"),
            ],
            id="a second attempt after a mechanism that is unknown",
        ),
        pytest.param(
            [
                *lines(b"AUTH PLAIN " + PLAIN, b"535 5.7.3 Authentication unsuccessful"),
                *lines(b"AUTH LOGIN", b"334 ", ANN, b"334 ", PASSWORD, b"535-5.7.8 Not", b"535 you"),
            ],
            [
                refused("PLAIN", "ann", "5.7.3 Authentication unsuccessful", "bad-credentials"),
                refused("LOGIN", "ann", "5.7.8 Not you"),
            ],
            id="two refusals, one in two lines",
        ),
        pytest.param(
            lines(b"AUTH PLAIN " + PLAIN, b"421 4.7.0 too many", b"QUIT"),
            [refused("PLAIN", "ann", "4.7.0 too many")],
            id="the server hangs up on an attempt",
        ),
        pytest.param(
            [(C, b"RSET\r\nAUTH PLAIN " + PLAIN + b"\r\n"), (S, b"250 ok\r\n235 ok\r\n")],
            accepted("PLAIN"),
            id="an attempt behind another command in one packet",
        ),
        pytest.param(lines(b"AUTH", b"501 5.5.4 syntax"), [], id="AUTH without a mechanism is no attempt"),
        pytest.param(lines(b"AUTH PLAIN " + PLAIN), [Login("PLAIN", None, "ann")], id="no answer is heard"),
        pytest.param(
            [
                (C, b"AUTH LOGIN\r\n" + ANN + b"\r\n" + PASSWORD + b"\r\nMAIL FROM:<a@example.com>\r\n"),
                (S, b"334 VXNlcm5hbWU6\r\n334 UGFzc3dvcmQ6\r\n235 ok\r\n250 ok\r\n"),
            ],
            accepted("LOGIN"),
            id="an attempt and what follows it in one packet",
        ),
        pytest.param(
            [
                (C, b"AUTH PLAIN " + PLAIN + b"\r\nRCPT TO:<a@example.com>\r\n"),
                (S, 9),
                (S, b"250 ok\r\n550 no\r\n"),
            ],
            [Login("PLAIN", None, "ann")],
            id="a refusal of something else behind a lost answer",
        ),
        pytest.param(
            [(C, b"HELP\r\nAUTH PLAIN " + PLAIN + b"\r\n"), (S, b"502 no\r\n235 ok\r\n")],
            accepted("PLAIN"),
            id="a refusal of the command before",
        ),
        pytest.param(
            lines(b"AUTH PLAIN " + PLAIN, b"525 5.7.13 disabled"),
            [refused("PLAIN", "ann", "5.7.13 disabled")],
            id="a refusal by another code",
        ),
        pytest.param(lines(b"AUTH\tPLAIN " + PLAIN, b"235 ok"), accepted("PLAIN"), id="a tab for a blank"),
        pytest.param(
            lines(b"AUTH PLAIN " + PLAIN, b"AUTH PLAIN " + PLAIN, b"235 ok"),
            [Login("PLAIN", None, "ann"), *accepted("PLAIN")],
            id="an attempt on the heels of another",
        ),
        pytest.param(
            lines(b"AUTH PLAIN", b"334 ", PLAIN, b"QUIT"),
            [Login("PLAIN", None, "ann")],
            id="an attempt ends where the next command begins",
        ),
        pytest.param(
            lines(b"AUTH LOGIN", b"334 ", b"QUIT", b"221 bye"),
            [Login("LOGIN", None)],
            id="a bare command in the middle of an attempt ends it",
        ),
        pytest.param(
            [(C, b"AUTH PLAIN " + PLAIN + b"\r\n"), (S, 9), (S, b"235 ok\r\n")],
            accepted("PLAIN"),
            id="an answer behind a loss still answers",
        ),
        pytest.param(
            [(C, b"AUTH LOGIN\r\n"), (C, 7), (S, b"334 UGFzc3dvcmQ6\r\n"), (C, PASSWORD + b"\r\n")],
            [Login("LOGIN", None)],
            id="a password whose prompt was heard is no name after a loss",
        ),
    ],
)
def test_attempts(said: Sequence[Said], expected: Sequence[Login]) -> None:
    events = heard([*HELLO, *said])
    assert [event for event in events if isinstance(event, Login)] == list(expected)
    shown = repr(events)
    assert not [word for word in ("secret", PASSWORD.decode(), PLAIN.decode()) if word in shown]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        pytest.param(
            [*TO_DATA, (C, b"..\r\n.AUTH X x\r\nEHLO no\r\n.\r\nQUIT\r\n"), (S, b"250 ok\r\n221 bye\r\n")],
            [Mail(accepted=True), SERVED],
            id="lines of a body are no commands, dots stuffed or not",
        ),
        pytest.param(
            [
                *TO_DATA,
                (C, b"x\r\n.\r\nMAIL FROM:<a@example.com>\r\n"),
                (S, b"250 queued\r\n550 5.7.1 Client not authenticated\r\n"),
            ],
            [Mail(accepted=True), Mail(accepted=False), Label("smtp.refusal", "not-authenticated"), SERVED],
            id="the reply to a body is not the reply to the next command",
        ),
        pytest.param(
            [(C, b"DATA\r\n"), (C, b"EHLO no\r\n.\r\nNOOP\r\n"), (S, b"354 go\r\n250 ok\r\n250 ok\r\n")],
            [Mail(accepted=True), SERVED],
            id="a body that comes before it is asked for",
        ),
        pytest.param(
            [(C, b"DATA\r\n"), (S, b"554 5.5.1 no recipients\r\n"), (C, b"EHLO a\r\n"), (S, b"250 mx\r\n")],
            [Mail(accepted=False), ClientName("a", "EHLO"), Offer((), length=8), ANSWERED],
            id="a body that is refused is not waited for",
        ),
        pytest.param(
            [(C, b"DATA\r\n"), (S, 9), (S, b"503 no\r\n"), (C, b"EHLO a\r\n")],
            [Gap(S, 9), ClientName("a", "EHLO"), ANSWERED],
            id="a body that is refused behind a loss",
        ),
        pytest.param(
            [(C, b"DATA\r\n"), (S, 9), (S, b"354 go\r\n"), (C, b"EHLO no\r\n.\r\nHELO a\r\n")],
            [Gap(S, 9), Mail(accepted=True), ClientName("a", "HELO"), SERVED],
            id="a body that is asked for behind a loss",
        ),
        pytest.param(
            lines(b"MAIL FROM:<a@example.com>", b"250 ok", b"RCPT TO:<b@example.com>", b"550 no", b"RSET"),
            [SERVED],
            id="a recipient that is refused is no mail",
        ),
        pytest.param(
            lines(b"MAIL FROM:<a@example.com>", b"530 5.7.57 Client not authenticated to send mail"),
            [Mail(accepted=False), Label("smtp.refusal", "not-authenticated"), SERVED],
            id="a sender that is refused is told with the class of the refusal",
        ),
        pytest.param(
            [
                (C, b"MAIL FROM:<a@example.com>\r\nBDAT 9\r\nEHLO no\r\nBDAT 7 LAST\r\nHELO n\nNOOP\r\n"),
                (S, b"250 ok\r\n250 ok\r\n250 ok\r\n250 ok\r\n"),
            ],
            [Mail(accepted=True), SERVED],
            id="bytes of BDAT are no commands and one envelope counts once",
        ),
        pytest.param(
            [
                *lines(b"BDAT 0 LAST", b"554 no", b"MAIL FROM:<a@example.com>", b"250 ok"),
                *lines(b"BDAT", b"501 how many?", b"BDAT x", b"501 how many?"),
            ],
            [Mail(accepted=False), Mail(accepted=False), SERVED],
            id="BDAT that is refused, with and without a size",
        ),
        pytest.param(
            [(C, b"BDAT 20 LAST\r\nEHLO "), (C, b"no\r\nEHLO no\r\n"), (C, b"xyHELO a\r\n")],
            [ClientName("a", "HELO"), ANSWERED],
            id="bytes of BDAT may come in any number of packets",
        ),
        pytest.param(
            [
                (C, b"LHLO a\r\n"),
                (S, b"250-mx.example.com\r\n250 PIPELINING\r\n"),
                (C, b"MAIL FROM:<a@example.com>\r\nRCPT TO:<b>\r\nRCPT TO:<c>\r\nDATA\r\n"),
                (S, b"250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n"),
                (C, b"x\r\n.\r\n"),
                (S, b"250 ok\r\n550 5.2.2 full\r\n"),
                (C, b"QUIT\r\n"),
                (S, b"221 bye\r\n"),
            ],
            [ClientName("a", "LHLO"), Offer((), length=36), Mail(accepted=True), SERVED],
            id="LMTP answers a body once a recipient",
        ),
        pytest.param(
            lines(b"VRFY ann", b"252 perhaps", b"QUIT"), [SERVED], id="an address that is looked up is served"
        ),
        pytest.param(lines(b"SPAM a b", b"500 what?"), [ANSWERED], id="a word that is no command"),
    ],
)
def test_envelopes(said: Sequence[Said], expected: Sequence[Event]) -> None:
    assert heard([*HELLO, *said]) == [GREETING, *expected]


@pytest.mark.parametrize(
    ("said", "expected", "leftover"),
    [
        pytest.param(
            [(C, b"STARTTLS\r\n"), (S, b"220 go\r\n"), (C, RECORD), (S, RECORD)],
            [STARTTLS, ANSWERED],
            (),
            id="accepted, and nothing more is read",
        ),
        pytest.param(
            [(C, b"STARTTLS\r\nRSET\r\n"), (S, b"220 go\r\n250 ok\r\n")],
            [STARTTLS, ANSWERED],
            ((C, 0, b"RSET\r\n"), (S, 0, b"250 ok\r\n")),
            id="what is injected behind it is not read",
        ),
        pytest.param(
            [(C, b"STARTTLS\r\n"), (C, b"EHLO "), (C, b"a\r\n"), (S, b"454 4.7.0 not now\r\n")],
            [ClientName("a", "EHLO"), ANSWERED],
            (),
            id="refused, and what was held is read",
        ),
        pytest.param(
            [*lines(b"STARTTLS", b"454 no", b"STARTTLS", b"220 go")],
            [STARTTLS, ANSWERED],
            (),
            id="refused once, accepted then",
        ),
        pytest.param(
            [(C, b"STARTTLS\r\nSTARTTLS\r\n"), (S, b"454 no\r\n220 go\r\n")],
            [STARTTLS, ANSWERED],
            (),
            id="asked for twice in one packet",
        ),
        pytest.param(
            [(C, b"STARTTLS\r\n"), (C, RECORD)],
            [STARTTLS, ANSWERED],
            ((C, 0, RECORD),),
            id="unanswered, and the client goes on in TLS",
        ),
        pytest.param(
            [(C, b"STARTTLS\r\n" + RECORD)],
            [STARTTLS, ANSWERED],
            ((C, 0, RECORD),),
            id="unanswered, with TLS in the same packet",
        ),
        pytest.param(
            [(C, b"STARTTLS\r\n"), (C, RECORD[:1]), (C, RECORD[1:])],
            [STARTTLS, ANSWERED],
            ((C, 0, RECORD),),
            id="unanswered, with TLS in two packets",
        ),
        pytest.param([(C, b"STARTTLS\r\n")], [ANSWERED], (), id="unanswered at the end"),
        pytest.param(
            [(C, b"STARTTLS\r\n"), (S, b"220 go\r\n"), (S, 9)],
            [STARTTLS, ANSWERED],
            (),
            id="what is lost inside TLS is no loss here",
        ),
    ],
)
def test_starttls(
    said: Sequence[Said], expected: Sequence[Event], leftover: tuple[tuple[Side, int, bytes], ...]
) -> None:
    session = SmtpSession()
    assert heard([*HELLO, *said], session) == [GREETING, *expected]
    assert session.leftover == leftover


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        pytest.param([], [], id="silence"),
        pytest.param([(C, b"")], [], id="a packet without bytes"),
        pytest.param([(C, b"\r\nEH")], [Reached(Phase.OPENED)], id="one side alone"),
        pytest.param(
            [(S, b"220-mx.example.com hi\r\n220-there\r\n220 you\r\n")],
            [Greeting("mx.example.com hi there you", "mx.example.com"), Reached(Phase.OPENED)],
            id="a greeting of three lines",
        ),
        pytest.param(
            [(S, b"554\r\n")], [Greeting(""), Reached(Phase.OPENED)], id="a greeting that is a code alone"
        ),
        pytest.param(
            [(S, -1), (S, b"250-mx Hello [192.0.2.7]\r\n250-AUTH=LOGIN PLAIN\r\n250 STARTTLS\r\n")],
            [
                Gap(S, -1),
                Offer(("LOGIN", "PLAIN"), starttls=True, length=62),
                Label("smtp.public_ip", "192.0.2.7"),
                Reached(Phase.OPENED),
            ],
            id="an offer whose question was not heard",
        ),
        pytest.param(
            [(S, -1), (S, b"250-mx\r\n250 ok\r\n")],
            [Gap(S, -1), Reached(Phase.OPENED)],
            id="a reply too short to be an offer",
        ),
        pytest.param(
            [(S, b"220 mx.exa"), (S, 4), (S, b"m\r\n220 x\r\n")],
            [Gap(S, 4), Weird("smtp_no_reply_code"), Reached(Phase.OPENED)],
            id="a greeting that is lost in part",
        ),
        pytest.param(
            [(S, b"220-mx.example.com\r\n"), (S, 9), (S, b"250 ok\r\n")],
            [Gap(S, 9), Reached(Phase.OPENED)],
            id="half a reply is forgotten",
        ),
        pytest.param(
            [(S, b"+OK pop\r\n220_x\r\n2x0 y\r\n")],
            [Weird("smtp_no_reply_code")] * 3 + [Reached(Phase.OPENED)],
            id="lines that are no reply",
        ),
        pytest.param(
            [(C, b"a" * LINE_LIMIT), (C, b"b"), (C, b"EHLO no\r\nEHLO a\r\n")],
            [Weird("smtp_long_line"), ClientName("a", "EHLO"), Reached(Phase.OPENED)],
            id="a line that is too long is dropped whole",
        ),
    ],
)
def test_beginnings_losses_and_noise(said: Sequence[Said], expected: Sequence[Event]) -> None:
    assert heard(said) == list(expected)


def test_too_many_commands_are_told_and_not_matched() -> None:
    events = heard([*HELLO, (C, b"NOOP\r\n" * PENDING_LIMIT + b"HELO a\r\n")])
    assert events == [GREETING, Weird("smtp_pipeline"), ClientName("a", "HELO"), ANSWERED]


def test_a_reply_without_end_is_bounded() -> None:
    more = b"250-AUTH X%d\r\n"
    flood = b"".join(more % number for number in range(999)) + b"250 STARTTLS\r\n"
    events = heard([*HELLO, (C, b"EHLO a\r\n"), (S, b"250-mx\r\n" + flood)])
    offers = [event for event in events if isinstance(event, Offer)]
    assert [len(one.mechanisms) for one in offers] == [REPLY_LINES - 1]


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        pytest.param(
            [b"250-mx", b"250-auth login PLAIN", b"250-AUTH=LOGIN", b"250 8BITMIME"],
            [Offer(("LOGIN", "PLAIN"), length=60)],
            id="mechanisms in both spellings are told once",
        ),
        pytest.param([b"250 AUTH PLAIN"], [Offer((), length=16)], id="the first line is a name"),
        pytest.param([b"250-mx", b"250 starttls"], [Offer((), starttls=True, length=22)], id="STARTTLS"),
        pytest.param([b"250-mx", b"250-", b"250 X-STARTTLS"], [Offer((), length=30)], id="empty and unknown"),
        pytest.param(
            [b"250 mx Hello [2001:db8::1]"],
            [Offer((), length=28), Label("smtp.public_ip", "2001:db8::1")],
            id="the address that the server saw",
        ),
    ],
)
def test_what_a_reply_to_ehlo_offers(reply: list[bytes], expected: Sequence[Event]) -> None:
    assert list(offer(reply)) == list(expected)


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        pytest.param([b"220 mx.example.com"], Greeting("mx.example.com", "mx.example.com"), id="a host"),
        pytest.param([b"220 localhost ESMTP"], Greeting("localhost ESMTP"), id="a word that is no host"),
        pytest.param([b"220"], Greeting(""), id="no text"),
        pytest.param([b"220 " + b"x" * 999], Greeting("x" * TEXT_LENGTH), id="a long text is cut"),
        pytest.param([b"220 \xff"], Greeting("\N{REPLACEMENT CHARACTER}"), id="bytes that are no text"),
    ],
)
def test_what_a_greeting_says(reply: list[bytes], expected: Greeting) -> None:
    assert greeting(reply) == expected


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        pytest.param([b"250-a", b"250-b", b"250 c"], True, id="three lines of 250"),
        pytest.param([b"250-a", b"250 b"], False, id="two lines"),
        pytest.param([b"214-a", b"214-b", b"214 c"], False, id="help"),
    ],
)
def test_a_reply_to_ehlo_is_known_by_its_shape(reply: list[bytes], expected: bool) -> None:
    assert is_ehlo_reply(reply) is expected


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        pytest.param(b"ehlo a\r\n", True, id="a client that says hello"),
        pytest.param(b"MAIL FROM:<a>\r\n", True, id="an envelope"),
        pytest.param(b"QUIT\r\n", None, id="a word that other protocols have too"),
        pytest.param(b"  ", None, id="nothing yet"),
        pytest.param(b"EHL", None, id="half a word"),
        pytest.param(b"GET\n", False, id="another word"),
        pytest.param(b"GET / HTTP/1.1", False, id="another protocol"),
    ],
)
def test_the_mark_of_a_client(head: bytes, expected: bool | None) -> None:
    assert DIALECT.client_mark(head) is expected


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        pytest.param(b"220 mx ESMTP\r\n", True, id="a greeting"),
        pytest.param(b"554 no\r\n", True, id="a refusal"),
        pytest.param(b"220 ProFTPD\r\n", False, id="FTP"),
        pytest.param(b"220 mx SMTP, not FTP\r\n", True, id="a greeting that talks of FTP"),
        pytest.param(b"250\n220\n", True, id="codes without text"),
        pytest.param(b"550 go away\r\n", None, id="a code that other protocols have too"),
        pytest.param(b"22", None, id="half a code"),
        pytest.param(b"5", None, id="half a refusal"),
        pytest.param(b"3", None, id="half another code"),
        pytest.param(b"", None, id="nothing yet"),
        pytest.param(b"+OK", False, id="another protocol"),
    ],
)
def test_the_mark_of_a_server(head: bytes, expected: bool | None) -> None:
    assert DIALECT.server_mark(head) is expected


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        pytest.param(
            [(C, -1), (S, b"334 VXNlcm5hbWU6\r\n334 UGFzc3dvcmQ6\r\n235 ok\r\n")],
            accepted("LOGIN", None),
            id="the server alone",
        ),
        pytest.param(
            [
                (C, 12),
                (S, b"334 VXNlcm5hbWU6\r\n"),
                (C, ANN + b"\r\n"),
                (S, b"334 UGFzc3dvcmQ6\r\n"),
                (C, PASSWORD + b"\r\n"),
                (S, b"535 no\r\n"),
            ],
            [refused("LOGIN", "ann", "no")],
            id="the question behind a lost AUTH",
        ),
        pytest.param([(C, 12), (S, b"334 PDEuMkB4Pg==\r\n235 ok\r\n")], [], id="another's question"),
        pytest.param([(S, b"334 VXNlcm5hbWU6\r\n")], [], id="a question that nobody asked for"),
    ],
)
def test_login_is_known_by_its_questions(said: Sequence[Said], expected: Sequence[Login]) -> None:
    events = heard([*HELLO, *said])
    assert [event for event in events if isinstance(event, Login)] == list(expected)


@pytest.mark.parametrize(
    "said",
    [
        pytest.param([(C, 10), (S, b"220 go\r\n"), (C, b"\x16\3\1\0\5\1\0\0\1\0")], id="lost by the client"),
        pytest.param([(C, -1), (S, b"220 go\r\n"), (S, b"\x16\3\3\0\5\2\0\0\1\0")], id="heard of the server"),
    ],
)
def test_tls_is_heard_behind_a_lost_starttls(said: Sequence[Said]) -> None:
    session = SmtpSession()
    assert STARTTLS in heard([*HELLO, *said], session)
    assert [rest[2][:2] for rest in session.leftover] == [b"\x16\3"]


def test_a_size_of_thousands_of_digits_is_only_large() -> None:
    assert heard([*HELLO, (C, b"BDAT " + b"9" * 5000 + b" LAST\r\nEHLO no\r\n")]) == [GREETING, ANSWERED]


MESSAGE = b"From: a\r\nX-Mailer: Scan\r\n 3.1\r\n\r\nUser-Agent: body\r\nEHLO no\r\n"
SCAN = Label("mail.x_mailer", "Scan 3.1")


@pytest.mark.parametrize("step", [1, 7, 10_000], ids=["byte by byte", "by seven", "at once"])
@pytest.mark.parametrize(
    ("message", "expected"),
    [
        pytest.param(MESSAGE, [SCAN], id="a message"),
        pytest.param(b"X-Mailer: Scan 3.1\r\n", [SCAN], id="no body"),
        pytest.param(b"\r\nX-Mailer: Scan 3.1\r\n\r\n", [], id="no head"),
        pytest.param(b"X-Mailer: Scan 3.1\n\nX-Mailer: no\n", [SCAN], id="lines without CR"),
        pytest.param(b"X-Mailer: Scan 3.1\n\nUser-Agent: x\r\n\r\n", [SCAN], id="lines of either kind"),
        pytest.param(b"Received: x\r\nX-Mailer: Scan 3.1\r\n\r\n", [], id="passed on"),
        pytest.param(b"", [], id="nothing"),
    ],
)
def test_the_head_of_a_message_tells_its_program(message: bytes, expected: list[Label], step: int) -> None:
    data = [message[at : at + step] for at in range(0, len(message), step)]
    chunk = b"MAIL FROM:<a>\r\nBDAT %d LAST\r\n" % len(message)
    for said in (
        [*TO_DATA, *((C, part) for part in (*data, b".\r\nHELO z\r\n"))],
        [(C, chunk), *((C, part) for part in (*data, b"HELO z\r\n"))],
    ):
        events = heard([*HELLO, *said])
        assert [event for event in events if isinstance(event, Label)] == expected
        assert [event for event in events if isinstance(event, ClientName)] == [ClientName("z", "HELO")]


def test_only_the_first_chunk_of_a_message_is_read() -> None:
    said: list[Said] = [
        (C, b"MAIL FROM:<a>\r\nBDAT 9\r\nFrom: a\r\nBDAT 20 LAST\r\nX-Mailer: Scan 3.1\r\nHELO z\r\n")
    ]
    events = heard([*HELLO, *said])
    assert ClientName("z", "HELO") in events
    assert SCAN not in events


@pytest.mark.parametrize(
    "said",
    [
        pytest.param([*TO_DATA, (C, b"X-Mailer: Scan 3.1\r\n"), (C, 9), (C, b"\r\n\r\n.\r\n")], id="of DATA"),
        pytest.param(
            [(C, b"MAIL FROM:<a>\r\nBDAT 40\r\nX-Mailer: Scan 3.1\r\n"), (C, 20), (C, b"HELO z\r\n")],
            id="of a chunk",
        ),
    ],
)
def test_a_head_with_a_hole_tells_nothing(said: list[Said]) -> None:
    events = heard([*HELLO, *said])
    assert not [event for event in events if isinstance(event, Label)]


def test_what_is_lost_of_a_chunk_ends_where_the_chunk_ends() -> None:
    said: list[Said] = [(C, b"MAIL FROM:<a>\r\nBDAT 38\r\nX-Mail"), (C, 30), (C, b"noHELO z\r\nNOOP\r\n")]
    assert ClientName("z", "HELO") in heard([*HELLO, *said])


def test_the_heads_of_a_few_messages_are_read() -> None:
    message: list[Said] = [*TO_DATA, (C, b"X-Mailer: %d\r\n\r\n.\r\n"), (S, b"250 ok\r\n")]
    said = [
        (side, data.replace(b"%d", b"%d" % number) if isinstance(data, bytes) else data)
        for number in range(MESSAGES_READ + 2)
        for side, data in message
    ]
    labels = [event for event in heard([*HELLO, *said]) if isinstance(event, Label)]
    assert labels == [Label("mail.x_mailer", str(number)) for number in range(MESSAGES_READ)]
