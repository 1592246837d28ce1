"""What an IMAP session tells of logins and STARTTLS, past literals, and that it keeps no secret."""

import base64
from collections.abc import Iterable, Sequence

import pytest

from scanner.conversation import Side
from scanner.events import (
    Event,
    Gap,
    Greeting,
    Label,
    Login,
    Offer,
    Outcome,
    Phase,
    Reached,
    TlsMode,
    TlsStarted,
    Weird,
)
from scanner.protocols.imap import DIALECT, PENDING_LIMIT, TEXT_LENGTH, ImapSession, backend
from scanner.protocols.sasl import NAME_LENGTH
from scanner.wire.lines import LINE_LIMIT

C, S = Side.CLIENT, Side.SERVER
Said = tuple[Side, bytes | int]
"""What one side said; a number stands for bytes that are lost."""
HELLO: list[Said] = [(S, b"* OK ready\r\n")]
GREETING = Greeting("OK ready")
STARTTLS = TlsStarted(TlsMode.STARTTLS)
ANSWERED, SERVED = Reached(Phase.ANSWERED), Reached(Phase.SERVED)
RECORD = b"\x16\x03\x01\0\x05hello"


def b64(message: bytes) -> bytes:
    return base64.b64encode(message)


PLAIN = b64(b"\0ann\0secret-1")


def heard(said: Iterable[Said], session: ImapSession | None = None) -> list[Event]:
    session = session or ImapSession()
    events: list[Event] = []
    for side, data in said:
        events.extend(session.gap(side, data, 0) if isinstance(data, int) else session.feed(side, data, 0))
    events.extend(session.end())
    return events


def talk(client: bytes, server: bytes) -> list[Said]:
    return [(C, client), (S, server)]


def accepted(name: str | None, mechanism: str = "IMAP-LOGIN") -> list[Login]:
    return [Login(mechanism, Outcome.ACCEPTED, name)]


def refused(
    name: str | None, reason: str, cause: str | None = None, mechanism: str = "IMAP-LOGIN"
) -> list[Login]:
    return [Login(mechanism, Outcome.REFUSED, name, reason, cause)]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        pytest.param(talk(b"a LOGIN ann secret-1\r\n", b"a OK in\r\n"), accepted("ann"), id="two atoms"),
        pytest.param(talk(b"a login ann secret-1\r\n", b"a ok in\r\n"), accepted("ann"), id="lower case"),
        pytest.param(talk(b"a  LOGIN\tann  secret-1\r\n", b"a OK in\r\n"), accepted("ann"), id="odd blanks"),
        pytest.param(
            talk(b'a LOGIN "ann lee" "secret-1 x"\r\n', b"a OK in\r\n"), accepted("ann lee"), id="in quotes"
        ),
        pytest.param(
            talk(b'a LOGIN "CORP\\\\an\\"n" "secret-1\\""\r\n', b"a OK in\r\n"),
            accepted('CORP\\an"n'),
            id="in quotes with escapes",
        ),
        pytest.param(
            talk(b'a LOGIN "ann secret-1\r\n', b"a BAD x\r\n"), refused('"ann', "x"), id="a quote left open"
        ),
        pytest.param(
            talk(b'a LOGIN "" secret-1\r\n', b"a NO who\r\n"), refused(None, "who"), id="an empty name"
        ),
        pytest.param(talk(b"a LOGIN \r\n", b"a BAD x\r\n"), refused(None, "x"), id="no name"),
        pytest.param(
            talk(b"a LOGIN " + b"n" * 999 + b" secret-1\r\n", b"a OK\r\n"),
            accepted("n" * NAME_LENGTH),
            id="a long name is cut",
        ),
        pytest.param(
            [
                *talk(b"a LOGIN {3}\r\n", b"+ go\r\n"),
                *talk(b"ann {8}\r\n", b"+ go\r\n"),
                *talk(b"secret-1\r\n", b"a OK in\r\n"),
            ],
            accepted("ann"),
            id="two literals that wait",
        ),
        pytest.param(
            talk(b"a LOGIN {3+}\r\nann {8+}\r\nsecret-1\r\n", b"a OK in\r\n"),
            accepted("ann"),
            id="two literals that do not wait",
        ),
        pytest.param(
            [(C, b"a LOGIN {8+}\r\nan\\"), (C, b'n" l'), (C, b"e {8+}\r\nsec"), (C, b"ret-1\r\n")],
            [Login("IMAP-LOGIN", None, 'an\\n" le')],
            id="a literal in pieces, with what a quoted string would escape",
        ),
        pytest.param(
            talk(b'a LOGIN "ann" {15+}\r\nb LOGIN eve x\r\n\r\n', b"a OK in\r\n"),
            accepted("ann"),
            id="a password that looks like a command",
        ),
        pytest.param(
            talk(b"a LOGIN {300+}\r\n" + b"n" * 300 + b" secret-1\r\n", b"a OK in\r\n"),
            accepted(None),
            id="a name that is too long a literal is not read",
        ),
        pytest.param(
            [*talk(b"a LOGIN {3}\r\n", b"a NO no literals\r\n"), *talk(b"b LOGIN bob x\r\n", b"b OK in\r\n")],
            accepted("bob"),
            id="a name whose literal is refused is not waited for",
        ),
        pytest.param(
            [*talk(b"a LOGIN {3}\r\n", b"* OK x\r\na OK odd\r\nz NO x\r\n"), (C, b"ann x\r\n")],
            [Login("IMAP-LOGIN", None, "ann")],
            id="a literal is waited for despite other answers",
        ),
        pytest.param(
            talk(b"a LOGIN ann x\r\nb LOGIN bob y\r\n", b"b OK in\r\na NO LOGIN failed.\r\n"),
            [*accepted("bob"), *refused("ann", "LOGIN failed.", "bad-credentials")],
            id="answers find their commands by tag",
        ),
        pytest.param(
            talk(b"a LOGIN ann x\r\n", b"a NO [AUTHENTICATIONFAILED] Authentication failed.\r\n"),
            refused("ann", "[AUTHENTICATIONFAILED] Authentication failed.", "bad-credentials"),
            id="a refusal has a reason",
        ),
        pytest.param(
            talk(b"a AUTHENTICATE PLAIN " + PLAIN + b"\r\n", b"a OK in\r\n"),
            accepted("ann", "PLAIN"),
            id="AUTHENTICATE with an initial response",
        ),
        pytest.param(
            talk(b"a AUTHENTICATE EXTERNAL =\r\n", b"a OK in\r\n"),
            accepted(None, "EXTERNAL"),
            id="AUTHENTICATE with an empty initial response",
        ),
        pytest.param(
            [*talk(b"a authenticate plain\r\n", b"+\r\n"), *talk(PLAIN + b"\r\n", b"a OK in\r\n")],
            accepted("ann", "PLAIN"),
            id="AUTHENTICATE in two steps, in lower case",
        ),
        pytest.param(
            [
                *talk(b"a AUTHENTICATE LOGIN\r\n", b"+ VXNlcm5hbWU6\r\n"),
                *talk(b64(b"ann") + b"\r\n", b"+ UGFzc3dvcmQ6\r\n"),
                *talk(b64(b"secret-1") + b"\r\n", b"a OK in\r\n"),
            ],
            accepted("ann", "LOGIN"),
            id="AUTHENTICATE LOGIN",
        ),
        pytest.param(
            [
                *talk(
                    b"a AUTHENTICATE XOAUTH2 " + b64(b"user=ann\x01auth=Bearer secret-1\x01\x01") + b"\r\n",
                    b"+ eyJzdGF0dXMiOiI0MDAifQ==\r\n",
                ),
                *talk(b"\r\n", b"a NO AUTHENTICATE failed.\r\n"),
            ],
            refused("ann", "AUTHENTICATE failed.", "bad-credentials", "XOAUTH2"),
            id="a token that is refused by way of an empty answer",
        ),
        pytest.param(
            [*talk(b"a AUTHENTICATE LOGIN\r\n", b"+ \r\n"), *talk(b"*\r\n", b"a BAD canceled\r\n")],
            refused(None, "canceled", None, "LOGIN"),
            id="an asterisk cancels",
        ),
        pytest.param(
            [
                *talk(b"a AUTHENTICATE X-NO\r\n", b"a NO Mechanism not supported\r\n"),
                *talk(b"b LOGIN ann x\r\n", b"b OK in\r\n"),
            ],
            [*refused(None, "Mechanism not supported", "mechanism-unknown", "X-NO"), *accepted("ann")],
            id="a second attempt by other means",
        ),
        pytest.param(
            talk(b"a AUTHENTICATE PLAIN\r\n", b"z NO other\r\nno tag\r\n"),
            [Login("PLAIN", None)],
            id="another tag answers nothing",
        ),
        pytest.param(
            [(C, b"a LOGIN ann x\r\n")], [Login("IMAP-LOGIN", None, "ann")], id="no answer is heard"
        ),
        pytest.param([(S, b"+ go\r\n")], [], id="a prompt that nobody asked for"),
        pytest.param(
            [(C, b"a LOGIN {3}\r\n"), (C, 20), *talk(b"b LOGIN bob x\r\n", b"b OK in\r\n")],
            accepted("bob"),
            id="a command that is lost in part is forgotten",
        ),
        pytest.param(
            [(C, b"a LOGIN ann x\r\n"), (S, 9), (S, b"a OK in\r\n")],
            accepted("ann"),
            id="an answer behind a loss still has its tag",
        ),
        pytest.param(
            [*talk(b"a AUTHENTICATE PLAIN " + PLAIN + b"\r\n", b"a OK in\r\na NO again\r\n")],
            accepted("ann", "PLAIN"),
            id="a second answer to the same tag",
        ),
    ],
)
def test_attempts(said: Sequence[Said], expected: Sequence[Login]) -> None:
    events = heard([*HELLO, *said])
    assert [event for event in events if isinstance(event, Login)] == list(expected)
    if "ann secret-1" not in repr(expected):
        shown = repr(events)
        assert not [word for word in ("secret", b64(b"secret-1").decode(), PLAIN.decode()) if word in shown]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        pytest.param(
            [
                *talk(b"a APPEND Drafts (\\Seen) {17}\r\n", b"+ go\r\n"),
                *talk(b"b LOGIN eve x\r\n\r\n\r\n", b"a OK kept\r\n"),
            ],
            [SERVED],
            id="the body of APPEND is no command",
        ),
        pytest.param(
            [(C, b"a APPEND x {17+}\r\nb LOGIN"), (C, b" eve x\r\n\r\n\r\nc LOGIN ann x\r\n")],
            [Login("IMAP-LOGIN", None, "ann"), ANSWERED],
            id="the body of APPEND in two packets, and a command behind it",
        ),
        pytest.param(
            [
                (C, b"a APPEND x {9+}\r\n"),
                (C, b"abcdefghi {17+}\r\nb LOGIN eve x\r\n\r\n\r\n"),
                (S, b"a NO x\r\n"),
            ],
            [ANSWERED],
            id="two bodies in one command",
        ),
        pytest.param(
            talk(
                b"a UID FETCH 1 BODY[]\r\n",
                b"* 1 FETCH (BODY[] {26}\r\na NO x\r\n* OK CAPABILITY X\r\n)\r\na OK done\r\n",
            ),
            [SERVED],
            id="the body of a message is no answer",
        ),
        pytest.param(talk(b"a SELECT INBOX\r\n", b"a NO none\r\n"), [ANSWERED], id="a mailbox is refused"),
        pytest.param(talk(b"a NOOP\r\n", b"a OK\r\n"), [ANSWERED], id="a command that proves nothing"),
        pytest.param(
            talk(b"DONE\r\n1 2 3\r\n\r\n" + b"t" * 65 + b" LOGIN a b\r\n", b"* 3 EXISTS\r\nx\r\n"),
            [ANSWERED],
            id="lines that are no command",
        ),
        pytest.param(
            talk(
                b"a CAPABILITY\r\n",
                b"* CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED AUTH=PLAIN auth=xoauth2\r\n"
                b"a OK CAPABILITY completed.\r\n",
            ),
            [Offer(("PLAIN", "XOAUTH2"), starttls=True, login_disabled=True, length=71), ANSWERED],
            id="an offer that forbids LOGIN",
        ),
        pytest.param(
            talk(b"a LOGIN ann x\r\n", b"a OK [CAPABILITY IMAP4rev1 AUTH=NTLM] in\r\n"),
            [Offer(("NTLM",), length=42), Login("IMAP-LOGIN", Outcome.ACCEPTED, "ann"), ANSWERED],
            id="an offer in an answer",
        ),
        pytest.param(
            [(C, b"a" * LINE_LIMIT), (C, b"b"), (C, b" LOGIN eve x\r\nb LOGIN ann x\r\n")],
            [Weird("imap_long_line"), Login("IMAP-LOGIN", None, "ann"), ANSWERED],
            id="a line that is too long is dropped whole",
        ),
        pytest.param(
            [(C, b"a NOOP\r\n" * 9 + b"".join(b"%d NOOP\r\n" % tag for tag in range(PENDING_LIMIT)))],
            [Weird("imap_pipeline"), ANSWERED],
            id="too many commands are told and not matched",
        ),
    ],
)
def test_commands_and_answers(said: Sequence[Said], expected: Sequence[Event]) -> None:
    assert heard([*HELLO, *said]) == [GREETING, *expected]


@pytest.mark.parametrize(
    ("said", "expected", "leftover"),
    [
        pytest.param(
            [*talk(b"a STARTTLS\r\n", b"a OK go\r\n"), (C, RECORD), (S, RECORD), (S, 9)],
            [STARTTLS, ANSWERED],
            (),
            id="accepted, and nothing more is read or lost",
        ),
        pytest.param(
            talk(b"a STARTTLS\r\nb LOGIN ann x\r\n", b"a OK go\r\n* OK more\r\n"),
            [STARTTLS, ANSWERED],
            ((C, 0, b"b LOGIN ann x\r\n"), (S, 0, b"* OK more\r\n")),
            id="what is injected behind it is not read",
        ),
        pytest.param(
            [(C, b"a STARTTLS\r\n"), *talk(b"b LOGIN ann x\r\n", b"a BAD no\r\nb OK in\r\n")],
            [*accepted("ann"), ANSWERED],
            (),
            id="refused, and what was held is read",
        ),
        pytest.param(
            talk(b"a STARTTLS\r\nb STARTTLS\r\nc NOOP\r\n", b"a NO no\r\nb OK go\r\n"),
            [STARTTLS, ANSWERED],
            ((C, 0, b"c NOOP\r\n"),),
            id="refused once, accepted then",
        ),
        pytest.param(
            [(C, b"a STARTTLS\r\n"), (C, RECORD[:1]), (C, RECORD[1:])],
            [STARTTLS, ANSWERED],
            ((C, 0, RECORD),),
            id="unanswered, and the client goes on in TLS",
        ),
        pytest.param([(C, b"a STARTTLS\r\n")], [ANSWERED], (), id="unanswered at the end"),
    ],
)
def test_starttls(
    said: Sequence[Said], expected: Sequence[Event], leftover: tuple[tuple[Side, int, bytes], ...]
) -> None:
    session = ImapSession()
    assert heard([*HELLO, *said], session) == [GREETING, *expected]
    assert session.leftover == leftover


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        pytest.param([], [], id="silence"),
        pytest.param([(C, b"")], [], id="a packet without bytes"),
        pytest.param(
            [(S, b"* PREAUTH welcome ann\r\n")],
            [Greeting("PREAUTH welcome ann"), Label("imap.preauth", "yes"), Reached(Phase.OPENED)],
            id="nobody needs to log in",
        ),
        pytest.param(
            [(S, b"* preauth hi\r\n"), (C, b"a NOOP\r\n")],
            [Greeting("preauth hi"), Label("imap.preauth", "yes"), SERVED],
            id="nobody needs to log in, and somebody speaks",
        ),
        pytest.param(
            [(S, b"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] [x] mail.example.com Cyrus\r\n")],
            [
                Greeting(
                    "OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] [x] mail.example.com Cyrus", "mail.example.com"
                ),
                Offer(("PLAIN",), length=67),
                Reached(Phase.OPENED),
            ],
            id="a greeting with an offer and a host",
        ),
        pytest.param(
            [(S, b"* OK The Microsoft Exchange IMAP4 service is ready.\r\n")],
            [Greeting("OK The Microsoft Exchange IMAP4 service is ready."), Reached(Phase.OPENED)],
            id="a greeting without a host",
        ),
        pytest.param(
            [(S, b"* OK " + b"x" * 999 + b"\r\n")],
            [Greeting("OK " + "x" * (TEXT_LENGTH - 3)), Reached(Phase.OPENED)],
            id="a long greeting is cut",
        ),
        pytest.param(
            [(S, -1), (S, b"* OK late\r\n"), (C, 3)],
            [Gap(S, -1), Gap(C, 3), Reached(Phase.OPENED)],
            id="behind a loss nothing is a greeting",
        ),
        pytest.param(
            [(S, b"a OK late\r\n* OK later\r\n")], [Reached(Phase.OPENED)], id="an answer was there before"
        ),
    ],
)
def test_beginnings(said: Sequence[Said], expected: Sequence[Event]) -> None:
    assert heard(said) == list(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("mail.example.com".encode("utf-16-le"), "mail.example.com", id="a host"),
        pytest.param("localhost".encode("utf-16-le"), None, id="a word that is no host"),
        pytest.param("m\u00e4il.example".encode("utf-16-le"), None, id="letters that no host has"),
        pytest.param("a.b\r\n".encode("utf-16-le"), None, id="line ends"),
        pytest.param(b"\x00\xd8" * 4, None, id="bytes that are no text"),
        pytest.param(b"mail.exam", None, id="an odd number of bytes"),
    ],
)
def test_the_backend_behind_a_greeting(text: bytes, expected: str | None) -> None:
    assert backend(b"OK ready. [" + b64(text) + b"]") == expected


@pytest.mark.parametrize("greeting", [b"OK ready", b"OK [abcdefghi]", b"OK [bQBhAGkAbAA=] behind"])
def test_no_backend_behind_a_greeting(greeting: bytes) -> None:
    assert backend(greeting) is None


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        pytest.param(b"a1 login ann x\r\n", True, id="a login"),
        pytest.param(b"1 ID NIL", True, id="a line that is not whole"),
        pytest.param(b"HELO a\r\n", False, id="another protocol"),
        pytest.param(b"QUIT\r\n", False, id="one word"),
        pytest.param(b"a1", None, id="a tag alone"),
        pytest.param(b"t" * 65 + b" LOGIN a b\r\n", False, id="a tag that is too long"),
    ],
)
def test_the_mark_of_a_client(head: bytes, expected: bool | None) -> None:
    assert DIALECT.client_mark(head) is expected


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        pytest.param(b"* OK ready\r\n", True, id="a greeting"),
        pytest.param(b"* BYE busy\r\n", True, id="a farewell"),
        pytest.param(b"* O", None, id="half a greeting"),
        pytest.param(b"* BY", None, id="half a farewell"),
        pytest.param(b"", None, id="nothing yet"),
        pytest.param(b"* NO", False, id="another word"),
        pytest.param(b"+OK", False, id="another protocol"),
    ],
)
def test_the_mark_of_a_server(head: bytes, expected: bool | None) -> None:
    assert DIALECT.server_mark(head) is expected


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        pytest.param(b'("name" "Thunderbird" "version" "128.0")', ["Thunderbird 128.0"], id="both"),
        pytest.param(b'("os" "x" "VERSION" "1" "Name" "a \\"b\\"")', ['a "b" 1'], id="in any order and case"),
        pytest.param(b'("version" "1")', ["1"], id="a version alone"),
        pytest.param(b'("name" NIL)', [], id="nothing told"),
        pytest.param(b'("name")', [], id="half a pair"),
        pytest.param(b"NIL", [], id="no list"),
    ],
)
def test_a_client_tells_its_program(arguments: bytes, expected: list[str]) -> None:
    session = ImapSession()
    session.feed(Side.SERVER, b"* OK ready\r\n", 0)
    events = session.feed(Side.CLIENT, b"a ID " + arguments + b"\r\n", 0)
    assert events == [Label("imap.id", text) for text in expected]


@pytest.mark.parametrize(
    ("line", "program"),
    [
        pytest.param(b'* ID ("name" "Dovecot")', "Dovecot", id="a name"),
        pytest.param(
            b'* ID ("Version" "15.2" "NAME" "Microsoft.Exchange.Imap4")', "Microsoft.Exchange.Imap4 15.2"
        ),
        pytest.param(b'* id ("name" NIL "version" NIL "os" "x")', None, id="nothing in it"),
        pytest.param(b"* ID NIL", None, id="nothing at all"),
        pytest.param(b'* IDLE ("name" "x")', None, id="another word"),
    ],
)
def test_a_server_says_which_program_it_is(line: bytes, program: str | None) -> None:
    events = heard([*HELLO, (C, b"a ID NIL\r\n"), (S, line + b"\r\na OK\r\n")])
    expected = [Label("imap.server_id", program)] if program else []
    assert [event for event in events if isinstance(event, Label)] == expected


def test_inside_tls_a_list_of_capabilities_is_no_greeting() -> None:
    said: list[Said] = [(C, b"a CAPABILITY\r\n"), (S, b"* CAPABILITY IMAP4 AUTH=PLAIN\r\na OK\r\n")]
    assert heard(said) == [Offer(("PLAIN",), length=31), ANSWERED]


def answered(said: Iterable[Said]) -> tuple[bytes, bool]:
    """The last answer of a dialogue, and whether another is awaited."""
    session = ImapSession()
    for side, data in said:
        assert isinstance(data, bytes)
        session.feed(side, data, 0)
    return session.answer, session.awaits


@pytest.mark.parametrize(
    ("said", "answer", "awaits"),
    [
        pytest.param([], b"", True, id="a greeting is awaited"),
        pytest.param(HELLO, b"OK ready", False, id="it came"),
        pytest.param(
            [(S, b"* OK [CAPABILITY ID] hi\r\n"), *talk(b"a NOOP\r\n", b"a OK\r\n")],
            b"OK",
            False,
            id="what a greeting lists stands in it alone",
        ),
        pytest.param(
            [*HELLO, *talk(b"a CAPABILITY\r\n", b"* CAPABILITY IMAP4\r\n")],
            b"OK ready",
            True,
            id="half an answer",
        ),
        pytest.param(
            [*HELLO, *talk(b"a CAPABILITY\r\n", b"* CAPABILITY IMAP4\r\na OK done\r\n")],
            b"OK done\r\nCAPABILITY IMAP4",
            False,
            id="a list stands below its answer",
        ),
        pytest.param(
            [*HELLO, *talk(b"a NOOP\r\n", b"+ go on\r\n")],
            b"OK ready",
            True,
            id="nothing was begun that could go on",
        ),
        pytest.param(
            [*HELLO, *talk(b"a AUTHENTICATE NTLM\r\n", b"+ abc\r\n")],
            b"+ abc",
            False,
            id="it is asked for more",
        ),
        pytest.param(
            [*HELLO, *talk(b"a NOOP\r\n", b"x OK\r\nb OK\r\n")], b"OK", True, id="somebody else's answers"
        ),
        pytest.param(
            [*HELLO, *talk(b"a NOOP\r\n", b"* BYE idle\r\n")], b"OK ready", False, id="it takes its leave"
        ),
        pytest.param(
            [*HELLO, *talk(b"a LOGOUT\r\n", b"* BYE\r\n")], b"OK ready", True, id="leave is taken in order"
        ),
    ],
)
def test_whose_turn_it_is(said: list[Said], answer: bytes, awaits: bool) -> None:
    assert answered(said) == (answer, awaits)
