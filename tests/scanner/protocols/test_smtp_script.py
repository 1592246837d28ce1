"""What is said to an SMTP server, and what its answers say of relaying; whole dialogues: see test_played."""

from __future__ import annotations

import pytest

from scanner.events import Offer
from scanner.protocols.smtp_script import relaying, script
from scanner.services import Relaying
from scanner.session import Answer, Asker

GREETED = Answer((), b"220 mx ESMTP")
NOTHING_OFFERED = Answer((Offer(()),), b"250 mx")


def said_after_ehlo(asker: Asker, *lines: bytes, offered: Answer = NOTHING_OFFERED) -> list[object]:
    """What follows EHLO if these are the lines of the answers."""
    said = script(asker)
    assert next(said) == b""
    assert said.send(GREETED) == b"EHLO %s\r\n" % asker.name.encode()
    return [said.send(offered), *(said.send(Answer((), line)) for line in lines)]


def test_it_says_its_name() -> None:
    assert said_after_ehlo(Asker("mailsunset.example.com")) == [b"QUIT\r\n"]


@pytest.mark.parametrize(
    "asker",
    [
        pytest.param(Asker(relay_from="a@example.com"), id="one address alone is no test"),
        pytest.param(Asker(relay_from="a@b.c", relay_to="x@y.z>\r\nDATA"), id="more than an address"),
        pytest.param(Asker(relay_from="a@b.c> SIZE=1 <", relay_to="x@y.z"), id="a parameter in an address"),
    ],
)
def test_nothing_is_relayed(asker: Asker) -> None:
    assert said_after_ehlo(asker) == [b"QUIT\r\n"]


BOTH = Asker(relay_from="a@example.com", relay_to="b@example.com")
MAIL, RCPT = b"MAIL FROM:<a@example.com>\r\n", b"RCPT TO:<b@example.com>\r\n"


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        pytest.param(
            [b"250 ok", b"250 ok", b"250 ok"],
            [MAIL, RCPT, b"RSET\r\n", b"QUIT\r\n"],
            id="what is taken is taken back",
        ),
        pytest.param(
            [b"530 login", b"250 ok"], [MAIL, b"RSET\r\n", b"QUIT\r\n"], id="a sender that is refused"
        ),
    ],
)
def test_a_relay_is_tried_and_no_mail_is_begun(lines: list[bytes], expected: list[bytes]) -> None:
    assert said_after_ehlo(BOTH, *lines) == expected


def test_inside_tls_there_is_no_starttls() -> None:
    offers_it = Answer((Offer((), starttls=True),), b"250 STARTTLS")
    assert said_after_ehlo(Asker(secure=True), offered=offers_it) == [b"QUIT\r\n"]


@pytest.mark.parametrize(
    ("said", "line", "expected"),
    [
        pytest.param(RCPT, b"250 ok", Relaying.TAKES, id="a recipient that is taken"),
        pytest.param(RCPT, b"251 will forward", Relaying.TAKES, id="or forwarded"),
        pytest.param(RCPT, b"550 no relaying", Relaying.REFUSES, id="a recipient that is refused"),
        pytest.param(RCPT, b"451 greylisted", None, id="refused for now says nothing"),
        pytest.param(MAIL, b"530 login first", Relaying.REFUSES, id="a sender that is refused"),
        pytest.param(MAIL, b"250 ok", None, id="a sender alone says nothing"),
        pytest.param(RCPT, b"", None, id="no answer"),
        pytest.param(b"QUIT\r\n", b"250 bye", None, id="another step"),
    ],
)
def test_what_an_answer_says_of_relaying(said: bytes, line: bytes, expected: Relaying | None) -> None:
    assert relaying(said, Answer((), line)) == expected
