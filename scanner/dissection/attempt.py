"""What conversations of requests and answers have in common, as fields tell: logins, and how far it got."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from scanner.conversation import CLIENT, Side
from scanner.dissection import Layer
from scanner.events import Event, Login, Outcome, Phase, Reached
from scanner.protocols.sasl import login

PENDING_LIMIT = 1024
"""Requests that wait for an answer; the oldest is given up for one more."""
_NOBODY = ("", "NULL")
"""What tshark writes where a name is empty."""


@dataclass(slots=True)
class Attempted:
    """One login in progress; it never holds more than its mechanism and the user's name."""

    mechanism: str
    at: int
    """When it began, ns."""
    username: str | None = None

    def login(self, outcome: Outcome | None, sentence: str = "") -> Login:
        """Tell it as an event, with what the server said to it."""
        return login(self.mechanism, outcome, self.username, sentence.encode(), self.at)


class Exchange:
    """One conversation in which a client asks and a server answers; a protocol says what that means."""

    def __init__(self) -> None:
        """Begin before the first word."""
        self._attempt: Attempted | None = None
        self._greeted = self._served = False
        self._spoke = [False, False]

    def hear(self, side: Side, layer: Layer, at: int) -> Iterable[Event]:
        """Hear what the client asked, or the server answered."""
        self._spoke[side] = True
        return self._asked(layer, at) if side is CLIENT else self._answered(layer)

    def end(self) -> Iterator[Event]:
        """Tell an attempt without an answer, and how far it got."""
        if self._attempt:
            yield self._attempt.login(None)
        both = Phase.SERVED if self._served else Phase.ANSWERED
        yield Reached(both if all(self._spoke) else Phase.OPENED)

    def _asked(self, layer: Layer, at: int) -> Iterable[Event]:
        return ()

    def _answered(self, layer: Layer) -> Iterable[Event]:
        return ()

    def _begin(self, mechanism: str, at: int) -> Iterator[Event]:
        """Note a login that begins, and tell one before it that was never answered."""
        if self._attempt:
            yield self._attempt.login(None)
        self._attempt = Attempted(mechanism.upper(), at)

    def _settle(self, good: bool, sentence: str) -> Iterator[Event]:
        """Tell the login that is answered."""
        if self._attempt:
            yield self._attempt.login(Outcome.ACCEPTED if good else Outcome.REFUSED, sentence)
        self._attempt = None


def ntlm_name(layer: Layer) -> str | None:
    """``DOMAIN\\user`` or ``user`` of an NTLM message in this layer ([MS-NLMP] 2.2.1.3)."""
    user, domain = layer.first("ntlmssp.auth.username"), layer.first("ntlmssp.auth.domain")
    if user is None or user in _NOBODY:
        return None
    return user if domain is None or domain in _NOBODY else f"{domain}\\{user}"
