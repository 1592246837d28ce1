"""What a polite prober says to an IMAP server: it asks, and leaves."""

from __future__ import annotations

import re

from scanner.events import Offer, TlsStarted
from scanner.protocols import ntlm
from scanner.session import Answer, Asker, Move, Script

CAPABILITY = re.compile(rb"(?:^|\[)CAPABILITY ([^\]\r\n]*)", re.IGNORECASE | re.MULTILINE)
"""What a server can do, in a response or in a greeting (RFC 9051 7.1, 7.2.2)."""


def script(asker: Asker) -> Script:
    """Ask what is offered, in clear and inside TLS, who the server is, and by NTLM what it is called.

    RFC 9051 6.1.1, 6.2.1, 6.2.2 (``*`` cancels) and 7.1 (a greeting may tell what CAPABILITY would); RFC 2971
    for ID, which is asked only of whom says that it knows it. Who greets with BYE is left alone.
    """
    answer = yield b""
    if answer.line[:3].upper() == b"BYE":
        return
    if not _listed(answer):
        answer = yield b"a1 CAPABILITY\r\n"
    if not asker.secure and any(isinstance(event, Offer) and event.starttls for event in answer.events):
        listed, answer = answer, (yield b"a2 STARTTLS\r\n")
        if any(isinstance(event, TlsStarted) for event in answer.events):
            yield Move.START_TLS
            answer = yield b"a3 CAPABILITY\r\n"
        else:
            answer = listed
    able = _listed(answer)
    if b"ID" in able:
        yield b'a4 ID ("name" "%s")\r\n' % asker.name.encode()
    if b"AUTH=NTLM" in able:
        yield from ntlm.asked(b"a5 AUTHENTICATE NTLM\r\n", b"+ ")
    yield b"a6 LOGOUT\r\n"


def _listed(answer: Answer) -> frozenset[bytes]:
    """What the server says that it can do, upper case; empty if the answer does not tell."""
    found = CAPABILITY.search(answer.line)
    return frozenset(found[1].upper().split()) if found else frozenset()
