"""What a polite prober says to an SMTP server: it asks, and leaves."""

from __future__ import annotations

import re

from scanner.events import Offer, TlsStarted
from scanner.protocols import ntlm
from scanner.services import Relaying
from scanner.session import Answer, Asker, Move, Script

_ADDRESS = re.compile(r"[!-;=?-~]{3,254}")
"""What may stand between the brackets of a path (RFC 5321 4.1.2, 4.5.3.1.3): no blank, no bracket."""


def script(asker: Asker) -> Script:
    """Ask what is offered, in clear and inside TLS; try to relay if asked; begin NTLM for the names it tells.

    RFC 5321 4.1.1.1, RFC 3207 4.2, RFC 4954 4 (``*`` cancels); a message is never begun. Who greets with
    a refusal is left (RFC 5321 3.1).
    """
    answer = yield b""
    if answer.line.startswith(b"2"):
        hello = b"EHLO " + asker.name.encode() + b"\r\n"
        offer = _offer((yield hello))
        if offer is None:
            yield hello.replace(b"EHLO", b"HELO", 1)
        elif offer.starttls and not asker.secure:
            answer = yield b"STARTTLS\r\n"
            if any(isinstance(event, TlsStarted) for event in answer.events):
                yield Move.START_TLS
                offer = _offer((yield hello))
        if asker.relay_from and asker.relay_to:
            yield from _relayed(asker.relay_from, asker.relay_to)
        if offer and "NTLM" in offer.mechanisms:
            yield from ntlm.asked(b"AUTH NTLM\r\n", b"334")
    yield b"QUIT\r\n"


def relaying(said: bytes, answer: Answer) -> Relaying | None:
    """Tell of one step of the script whether mail would be taken; None where it does not tell.

    A refusal for now (4yz: greylisting, too many connections) tells nothing.
    """
    code = answer.line[:1]
    if said.startswith(b"RCPT TO:") and code == b"2":
        return Relaying.TAKES
    return Relaying.REFUSES if said.startswith((b"MAIL FROM:", b"RCPT TO:")) and code == b"5" else None


def _relayed(sender: str, recipient: str) -> Script:
    """Name both, and take it back; addresses that could be more than addresses are not said."""
    if not (_ADDRESS.fullmatch(sender) and _ADDRESS.fullmatch(recipient)):
        return
    answer = yield b"MAIL FROM:<%s>\r\n" % sender.encode()
    if answer.line.startswith(b"2"):
        yield b"RCPT TO:<%s>\r\n" % recipient.encode()
    yield b"RSET\r\n"


def _offer(answer: Answer) -> Offer | None:
    return next((event for event in answer.events if isinstance(event, Offer)), None)
