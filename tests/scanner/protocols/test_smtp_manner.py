"""How programs speak SMTP, each in a line; nothing that they say is in it."""

from collections.abc import Iterable

import pytest

from scanner.conversation import Side
from scanner.events import Manner
from scanner.protocols.smtp import SmtpSession
from scanner.protocols.smtp_manner import form

C, S = Side.CLIENT, Side.SERVER
Said = tuple[Side, bytes | int]
"""What one side said; a number stands for bytes that are lost."""
HELLO: list[Said] = [(S, b"220 mx.example.com ESMTP\r\n")]
PASSWORD = b"c2VjcmV0LTE="


def manners(said: Iterable[Said]) -> list[tuple[str, bool]]:
    """Text of the manner, and whether leave was taken."""
    session = SmtpSession()
    events = []
    for side, data in said:
        events += session.gap(side, data, 0) if isinstance(data, int) else session.feed(side, data, 0)
    events += session.end()
    assert PASSWORD.decode() not in repr(events)
    return [(event.text, event.left) for event in events if isinstance(event, Manner)]


def lines(*parts: bytes) -> list[Said]:
    """A line a part; those that begin with a digit are the server's."""
    return [(S if part[:1].isdigit() else C, part + b"\r\n") for part in parts]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        pytest.param(
            lines(b"EHLO PC7", b"250 x", b"AUTH login YW5u", b"334 UGFz", PASSWORD, b"235 ok", b"QUIT"),
            "ehlo=bare auth=LOGIN+initial auth-case=lower",
            id="a bare name, LOGIN in lower case with the user inline",
        ),
        pytest.param(
            lines(b"ehlo [192.0.2.7]", b"250 x", b"mail FROM:<a>", b"250 x", b"rcpt TO:<b>", b"quit"),
            "ehlo=literal verbs=lower",
            id="verbs in lower case",
        ),
        pytest.param(lines(b"EHLO a", b"250 x", b"Quit"), "ehlo=bare verbs=mixed", id="verbs in both cases"),
        pytest.param(lines(b"Ehlo a", b"250 x", b"Quit"), "ehlo=bare verbs=mixed", id="verbs capitalised"),
        pytest.param(lines(b"HELO ups", b"250 x", b"QUIT"), "ehlo=bare helo-first", id="HELO at once"),
        pytest.param(
            lines(b"EHLO ups", b"502 what?", b"HELO ups", b"250 x", b"QUIT"), "ehlo=bare", id="HELO at last"
        ),
        pytest.param(
            lines(b"EHLO a.b", b"250 x", b"EHLO a.b", b"250 x", b"QUIT"), "ehlo=fqdn ehlo-twice", id="twice"
        ),
        pytest.param(
            lines(b"EHLO a", b"250 x", b"AUTH PLAIN", b"334 ", PASSWORD, b"535 no", b"AUTH LOGIN", b"QUIT"),
            "ehlo=bare auth=PLAIN",
            id="the first mechanism counts",
        ),
        pytest.param(
            lines(b"EHLO a", b"250 x", b"AUTH Plain " + PASSWORD, b"235 x", b"QUIT"),
            "ehlo=bare auth=PLAIN+initial auth-case=mixed",
            id="a mechanism capitalised",
        ),
        pytest.param(
            lines(b"EHLO a", b"250 x", b"AUTH " + PASSWORD, b"504 what?", b"QUIT"),
            "ehlo=bare auth=other",
            id="a password where the mechanism belongs",
        ),
        pytest.param(
            [
                *lines(b"EHLO a", b"250 x"),
                (C, b"MAIL FROM:<a>\r\nRCPT TO:<b>\r\n"),
                *lines(b"250 x", b"QUIT"),
            ],
            "ehlo=bare pipelined",
            id="an envelope in one go",
        ),
        pytest.param(
            lines(b"EHLO a", b"250 x", b"MAIL FROM:<a>", b"250 x", b"RCPT TO:<b>", b"RCPT TO:<c>", b"QUIT"),
            "ehlo=bare",
            id="recipients in one go are no such envelope",
        ),
        pytest.param(lines(b"EHLO", b"501 who?", b"QUIT"), "", id="no name"),
    ],
)
def test_a_manner_is_a_line(said: list[Said], expected: str) -> None:
    assert manners([*HELLO, *said]) == ([(expected, True)] if expected else [])


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        pytest.param([*HELLO, *lines(b"EHLO a", b"250 x")], [("ehlo=bare", False)], id="it just goes"),
        pytest.param([*HELLO, *lines(b"NOOP", b"250 x")], [("", False)], id="it just goes, and said little"),
        pytest.param(HELLO, [], id="it says nothing"),
        pytest.param(
            [*HELLO, *lines(b"EHLO a", b"250 STARTTLS", b"STARTTLS", b"220 go")],
            [("ehlo=bare", True)],
            id="it goes on inside TLS",
        ),
        pytest.param(
            [*HELLO, *lines(b"EHLO a", b"250 STARTTLS", b"STARTTLS", b"454 no")],
            [("ehlo=bare", False)],
            id="it leaves as there is no TLS",
        ),
        pytest.param(
            [*HELLO, (C, 9), *lines(b"HELO a", b"250 x")],
            [("ehlo=bare", True)],
            id="behind a loss nobody knows what was said before, or last",
        ),
        pytest.param(
            lines(b"MAIL FROM:<a>", b"250 x", b"QUIT"),
            [("starttls-then-no-ehlo", True)],
            id="a layer within, without a name",
        ),
        pytest.param([(C, -1), *lines(b"MAIL FROM:<a>")], [], id="joined late"),
    ],
)
def test_what_was_not_heard_is_not_claimed(said: list[Said], expected: list[tuple[str, bool]]) -> None:
    assert manners(said) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        pytest.param(b"[192.0.2.7]", "literal", id="a literal"),
        pytest.param(b"[IPv6:2001:db8::7]", "literal", id="a literal of IPv6"),
        pytest.param(b"192.0.2.7", "ip", id="an address without brackets"),
        pytest.param(b"2001:db8::7", "ip", id="an address of IPv6 without brackets"),
        pytest.param(b"LocalHost", "localhost", id="localhost in any case"),
        pytest.param(b"localhost.localdomain", "localhost.localdomain", id="with its domain"),
        pytest.param(b"copier.example.com.", "fqdn", id="a full name, with a dot behind"),
        pytest.param(b"RNP00267391", "bare", id="a name without a dot"),
        pytest.param(b"12345", "bare", id="a number"),
        pytest.param(b"my copier", "bare", id="two words"),
    ],
)
def test_names_have_forms(name: bytes, expected: str) -> None:
    assert form(name) == f"ehlo={expected}"
