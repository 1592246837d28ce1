"""What a polite prober says to a POP3 server: it asks, and leaves."""

from __future__ import annotations

from scanner.events import Offer, TlsStarted
from scanner.protocols import ntlm
from scanner.session import Answer, Asker, Move, Script


def script(asker: Asker) -> Script:
    """Ask what is offered, in clear and inside TLS, and by NTLM what the server is called.

    RFC 2449 5 (CAPA), RFC 2595 4 (STLS), RFC 5034 4 (``*`` cancels); old servers list mechanisms to a bare
    AUTH alone. Who greets with -ERR is left.
    """
    answer = yield b""
    if not answer.line.startswith(b"-"):
        answer = yield b"CAPA\r\n"
        if answer.line.startswith(b"-"):
            answer = yield b"AUTH\r\n"
        offer = _offer(answer)
        if offer and offer.starttls and not asker.secure:
            answer = yield b"STLS\r\n"
            if any(isinstance(event, TlsStarted) for event in answer.events):
                yield Move.START_TLS
                offer = _offer((yield b"CAPA\r\n"))
        if offer and "NTLM" in offer.mechanisms:
            yield from ntlm.asked(b"AUTH NTLM\r\n", b"+ ")
    yield b"QUIT\r\n"


def _offer(answer: Answer) -> Offer | None:
    return next((event for event in answer.events if isinstance(event, Offer)), None)
