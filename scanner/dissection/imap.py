"""IMAP as tshark dissects it: tags bring commands and answers together."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from scanner.dissection import Layer
from scanner.dissection.attempt import Attempted, Exchange
from scanner.events import Event, Greeting, Label, Offer, Outcome, TlsMode, TlsStarted
from scanner.protocols.imap import backend

PENDING_LIMIT = 256
"""Commands that wait for their answer; what is beyond is not matched with any."""
_MAILBOX = frozenset({
    "SELECT", "EXAMINE", "LIST", "LSUB", "STATUS", "FETCH", "UID", "SEARCH", "APPEND", "LOGOUT", "IDLE",
    "NAMESPACE",
})  # fmt: skip
_CAPABILITY = re.compile(r"CAPABILITY ([^\]\r\n]*)", re.IGNORECASE)
_BRACKETED = re.compile(r"\[[^\]]*\]")
_HOST = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}")


class ImapTalk(Exchange):
    """One IMAP conversation."""

    def __init__(self) -> None:
        """Begin before the greeting."""
        super().__init__()
        self._pending: dict[str, str] = {}
        self._attempts: dict[str, Attempted] = {}

    def end(self) -> Iterator[Event]:
        """Tell attempts without an answer, and how far it got."""
        for attempt in self._attempts.values():
            yield attempt.login(None)
        yield from super().end()

    def _answered(self, layer: Layer) -> Iterator[Event]:
        tag = answer = ""
        for name, text in layer.fields:
            match name:
                case "imap.line":
                    yield from self._untagged(text[2:].strip())
                case "imap.response_tag":
                    tag = text
                case "imap.response":
                    answer = text
                case "imap.response.status" if text.upper() in ("OK", "NO", "BAD"):
                    yield from _offer(answer)
                    yield from self._tagged(tag, text.upper() == "OK", answer)
                case _:
                    pass

    def _asked(self, layer: Layer, at: int) -> Iterable[Event]:
        tag = ""
        for name, text in layer.fields:
            match name:
                case "imap.request_tag":
                    tag = text
                case "imap.request.command" if len(self._pending) < PENDING_LIMIT:
                    self._pending[tag] = text
                    if text == "LOGIN":
                        self._attempts[tag] = Attempted("IMAP-LOGIN", at)
                case "imap.request.username" if tag in self._attempts:
                    self._attempts[tag].username = text
                case _:
                    pass
        mechanisms = iter(layer.all("imap.request"))
        for tag in layer.all("imap.request_tag"):
            if self._pending.get(tag) == "AUTHENTICATE" and (mechanism := next(mechanisms, None)):
                self._attempts[tag] = Attempted(mechanism.upper(), at)
        return ()

    def _untagged(self, text: str) -> Iterator[Event]:
        if not self._greeted:
            self._greeted = True
            yield Greeting(text, backend(text.encode()) or _host(text))
            if text.upper().startswith("PREAUTH"):
                self._served = True
                yield Label("imap.preauth", "yes")
        yield from _offer(text)

    def _tagged(self, tag: str, good: bool, text: str) -> Iterator[Event]:
        self._greeted = True
        verb = self._pending.pop(tag, "")
        attempt = self._attempts.pop(tag, None)
        if attempt:
            yield attempt.login(Outcome.ACCEPTED if good else Outcome.REFUSED, text.partition(" ")[2])
        elif verb == "STARTTLS" and good:
            yield TlsStarted(TlsMode.STARTTLS)
        self._served |= good and verb in _MAILBOX


def _offer(text: str) -> Iterator[Event]:
    if found := _CAPABILITY.search(text):
        words = found[1].upper().split()
        mechanisms = sorted({word[5:] for word in words if word.startswith("AUTH=")})
        yield Offer(tuple(mechanisms), "STARTTLS" in words, "LOGINDISABLED" in words)


def _host(greeting: str) -> str | None:
    """The first word after the status that is a full host name."""
    words = _BRACKETED.sub("", greeting).split()[1:4]
    return next((word for word in words if _HOST.fullmatch(word)), None)
