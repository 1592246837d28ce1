"""What is said to a POP3 server, step by step; whole dialogues: see test_played."""

from __future__ import annotations

import pytest

from scanner.events import Offer
from scanner.protocols.pop3_script import script
from scanner.session import Answer, Asker

READY = Answer((), b"+OK ready")
QUIT = b"QUIT\r\n"


@pytest.mark.parametrize(
    ("secure", "answers", "expected"),
    [
        pytest.param(False, [READY, Answer((Offer(("PLAIN",)),), b"+OK")], [b"CAPA\r\n", QUIT], id="no TLS"),
        pytest.param(
            True,
            [READY, Answer((Offer((), True),), b"+OK")],
            [b"CAPA\r\n", QUIT],
            id="inside TLS there is no STLS",
        ),
        pytest.param(
            False,
            [
                READY,
                Answer((Offer(("NTLM",), True),), b"+OK"),
                Answer((), b"-ERR not now"),
                Answer((), b"-ERR"),
            ],
            [b"CAPA\r\n", b"STLS\r\n", b"AUTH NTLM\r\n", QUIT],
            id="TLS is refused",
        ),
        pytest.param(False, [Answer((), b"-ERR full")], [QUIT], id="it is sent away"),
    ],
)
def test_what_is_said(secure: bool, answers: list[Answer], expected: list[bytes]) -> None:
    said = script(Asker(secure=secure))
    assert next(said) == b""
    assert [said.send(answer) for answer in answers] == expected
