"""What is said to an IMAP server, step by step; whole dialogues: see test_played."""

from __future__ import annotations

import pytest

from scanner.events import Offer
from scanner.protocols.imap_script import script
from scanner.session import Answer, Asker

ASK = b"a1 CAPABILITY\r\n"
ID = b'a4 ID ("name" "mailsunset.example")\r\n'
NTLM = b"a5 AUTHENTICATE NTLM\r\n"
LOGOUT = b"a6 LOGOUT\r\n"
STARTTLS = b"a2 STARTTLS\r\n"


def able(line: bytes) -> Answer:
    return Answer((Offer((), starttls=b"STARTTLS" in line),), line)


@pytest.mark.parametrize(
    ("secure", "answers", "expected"),
    [
        pytest.param(False, [b"OK ready", b"OK done\r\nCAPABILITY IMAP4"], [ASK, LOGOUT], id="an old server"),
        pytest.param(
            False, [b"OK [CAPABILITY IMAP4 ID] hi", b"OK"], [ID, LOGOUT], id="its greeting tells all"
        ),
        pytest.param(False, [b"OK [capability IMAP4 id] hi"], [ID], id="in any case"),
        pytest.param(
            False, [b"OK hi", b"OK\r\nCAPABILITY X-ID IDLE"], [ASK, LOGOUT], id="what only looks like ID"
        ),
        pytest.param(
            False,
            [b"OK [CAPABILITY STARTTLS ID] hi", b"NO", b"OK"],
            [STARTTLS, ID, LOGOUT],
            id="TLS is refused",
        ),
        pytest.param(True, [b"OK [CAPABILITY STARTTLS] hi"], [LOGOUT], id="inside TLS there is no STARTTLS"),
        pytest.param(
            False,
            [b"OK hi", b"OK CAPABILITY completed.\r\nCAPABILITY IMAP4 ID", b"OK"],
            [ASK, ID, LOGOUT],
            id="Exchange says that CAPABILITY is completed",
        ),
        pytest.param(False, [b"OK [CAPABILITY AUTH=NTLM]", b"NO"], [NTLM, LOGOUT], id="NTLM is refused"),
        pytest.param(False, [b"OK hi", b"BAD what"], [ASK, LOGOUT], id="a server that understands nothing"),
    ],
)
def test_what_is_said(secure: bool, answers: list[bytes], expected: list[bytes]) -> None:
    said = script(Asker("mailsunset.example", secure=secure))
    assert next(said) == b""
    assert [said.send(able(line)) for line in answers] == expected
