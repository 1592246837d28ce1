"""POP3 as tshark dissects it: replies meet their commands by their order."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from scanner.dissection import Layer
from scanner.dissection.attempt import PENDING_LIMIT, Attempted, Exchange
from scanner.events import Event, Greeting, Offer, Outcome, TlsMode, TlsStarted
from scanner.protocols.imap import backend

_SERVED = ("QUIT", "STAT", "LIST", "RETR", "UIDL")


class Pop3Talk(Exchange):
    """One POP3 conversation."""

    def __init__(self) -> None:
        """Begin before the greeting."""
        super().__init__()
        self._pending: deque[str] = deque(maxlen=PENDING_LIMIT)
        self._user: Attempted | None = None

    def _asked(self, layer: Layer, at: int) -> Iterator[Event]:
        verb = layer.first("pop.request.command")
        word = layer.first("pop.request.parameter")
        if verb is None:
            return
        self._pending.append(verb)
        match verb:
            case "USER":
                self._user = Attempted("USERPASS", at, word)
            case "PASS":
                self._attempt = self._user or Attempted("USERPASS", at)
            case "APOP":
                self._attempt = Attempted("APOP", at, word)
            case "AUTH" if word:
                yield from self._begin(word, at)
            case _:
                pass

    def _answered(self, layer: Layer) -> Iterator[Event]:
        indicator = layer.first("pop.response.indicator")
        sentence = layer.first("pop.response.description") or ""
        if indicator not in ("+OK", "-ERR"):
            return
        good = indicator == "+OK"
        if not self._greeted and not self._pending:
            self._greeted = True
            yield Greeting(f"{indicator} {sentence}", backend(sentence.encode()))
            return
        self._greeted = True
        verb = self._pending.popleft() if self._pending else ""
        if verb in ("PASS", "APOP", "AUTH") and self._attempt:
            yield from self._settle(good, sentence)
        elif verb == "USER" and not good and self._user:
            yield self._user.login(Outcome.REFUSED, sentence)
        elif verb == "STLS" and good:
            yield TlsStarted(TlsMode.STARTTLS)
        elif verb in ("CAPA", "AUTH") and good:
            yield _offer(verb, layer.all("pop.response.data"))
        self._served |= good and verb in _SERVED


def _offer(verb: str, listed: list[str]) -> Offer:
    mechanisms: set[str] = set()
    starttls = False
    for line in listed:
        words = line.upper().split()
        if verb == "AUTH":
            mechanisms.update(word for word in words[:1] if word != ".")
        elif words[:1] == ["SASL"]:
            mechanisms.update(words[1:])
        elif words[:1] == ["USER"]:
            mechanisms.add("USERPASS")
        starttls |= words[:1] == ["STLS"]
    return Offer(tuple(sorted(mechanisms)), starttls)
