"""SMTP as tshark dissects it: replies meet their commands, and a login its outcome."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from scanner.dissection import Layer
from scanner.dissection.attempt import PENDING_LIMIT, Exchange, ntlm_name
from scanner.events import ClientName, Event, Greeting, Mail, TlsMode, TlsStarted
from scanner.protocols.smtp_replies import offer

_BODY = "."
_GREETINGS = ("220", "421", "554")
"""What a server may begin with (RFC 5321 4.3.2); another code answers what was not heard."""
_HELLOS = ("EHLO", "HELO", "LHLO")
_SERVED = ("RCPT", "QUIT", "VRFY", "BDAT")


class SmtpTalk(Exchange):
    """One SMTP conversation."""

    def __init__(self) -> None:
        """Begin before the greeting."""
        super().__init__()
        self._pending: deque[str] = deque(maxlen=PENDING_LIMIT)
        self._chunked = False

    def _asked(self, layer: Layer, at: int) -> Iterator[Event]:
        verb = ""
        for name, text in layer.fields:
            match name:
                case "smtp.req.command":
                    verb = text
                    self._pending.append(verb)
                    self._served |= verb == "MAIL"
                    if verb == "MAIL":
                        self._chunked = False
                case "smtp.req.parameter" if verb in _HELLOS:
                    yield ClientName(text, verb)
                case "smtp.req.parameter" if verb == "AUTH":
                    yield from self._begin(text, at)
                case "smtp.auth.username" if self._attempt:
                    self._attempt.username = self._attempt.username or text
                case _:
                    pass
        if self._attempt and (name_inside := ntlm_name(layer)):
            self._attempt.username = name_inside

    def _answered(self, layer: Layer) -> Iterator[Event]:
        for code, texts in _replies(layer):
            yield from self._replied(code, texts)

    def _replied(self, code: str, texts: list[str]) -> Iterator[Event]:
        if not self._greeted and not self._pending and code in _GREETINGS:
            self._greeted = True
            words = texts[0].split() if texts else []
            yield Greeting(" ".join(texts), words[0] if words and "." in words[0] else None)
            return
        self._greeted = True
        if code == "334" and "AUTH" in self._pending:
            return
        if code == "354":
            self._served = True
            if self._pending and self._pending[0] == "DATA":
                self._pending.popleft()
            self._pending.appendleft(_BODY)
            yield Mail(accepted=True)
            return
        verb = self._pending.popleft() if self._pending else ""
        good = code.startswith("2")
        self._served |= good and verb in _SERVED
        match verb:
            case "AUTH":
                yield from self._settle(good, " ".join(texts))
            case "STAR" if code == "220":
                yield TlsStarted(TlsMode.STARTTLS)
            case "EHLO" | "LHLO" if good:
                yield from offer([f"{code} {text}".encode() for text in texts or [""]])
            case "DATA" | "MAIL" if not good:
                yield Mail(accepted=False)
            case "BDAT" if not self._chunked:
                self._chunked = True
                yield Mail(accepted=good)
            case _:
                pass


def _replies(layer: Layer) -> Iterator[tuple[str, list[str]]]:
    """Code and texts of each reply."""
    code, texts = "", list[str]()
    for name, text in layer.fields:
        if name == "smtp.response.code":
            if code:
                yield code, texts
            code, texts = text, []
        elif name == "smtp.rsp.parameter":
            texts.append(text)
    if code:
        yield code, texts
