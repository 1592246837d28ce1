"""POP3 as tshark dissects it: replies meet their commands by their order."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from scanner.conversation import CLIENT, Side
from scanner.dissection import Layer
from scanner.dissection.attempt import Attempted
from scanner.events import Event, Greeting, Offer, Outcome, Phase, Reached, TlsMode, TlsStarted
from scanner.protocols.imap import backend

PENDING_LIMIT = 1024
"""Commands that wait for a reply; the oldest is given up for one more."""
_SERVED = ("QUIT", "STAT", "LIST", "RETR", "UIDL")


class Pop3Talk:
    """One POP3 conversation."""

    def __init__(self) -> None:
        """Begin before the greeting."""
        self._pending: deque[str] = deque(maxlen=PENDING_LIMIT)
        self._user: Attempted | None = None
        self._attempt: Attempted | None = None
        self._greeted = self._served = False
        self._spoke = [False, False]

    def hear(self, side: Side, layer: Layer, at: int) -> Iterator[Event]:
        """Hear commands of the client, or replies of the server."""
        self._spoke[side] = True
        if side is CLIENT:
            yield from self._asked(layer, at)
        elif indicator := layer.first("pop.response.indicator"):
            sentence = layer.first("pop.response.description") or ""
            yield from self._answered(indicator, sentence, layer.all("pop.response.data"))

    def end(self) -> Iterator[Event]:
        """Tell an attempt without an answer, and how far it got."""
        if self._attempt:
            yield self._attempt.login(None)
        both = Phase.SERVED if self._served else Phase.ANSWERED
        yield Reached(both if all(self._spoke) else Phase.OPENED)

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
                if self._attempt:
                    yield self._attempt.login(None)
                self._attempt = Attempted(word.upper(), at)
            case _:
                pass

    def _answered(self, indicator: str, sentence: str, listed: list[str]) -> Iterator[Event]:
        if indicator not in ("+OK", "-ERR"):
            return
        good = indicator == "+OK"
        if not self._greeted and not self._pending:
            self._greeted = True
            yield Greeting(f"{indicator} {sentence}", backend(sentence.encode()))
            return
        self._greeted = True
        verb = self._pending.popleft() if self._pending else ""
        outcome = Outcome.ACCEPTED if good else Outcome.REFUSED
        if verb in ("PASS", "APOP", "AUTH") and self._attempt:
            attempt, self._attempt = self._attempt, None
            yield attempt.login(outcome, sentence)
        elif verb == "USER" and not good and self._user:
            yield self._user.login(outcome, sentence)
        elif verb == "STLS" and good:
            yield TlsStarted(TlsMode.STARTTLS)
        elif verb in ("CAPA", "AUTH") and good:
            yield _offer(verb, listed)
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
