"""From one conversation's events to its session record: the fold at the heart of the pipeline."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from scanner.conversation import Side
from scanner.events import (
    Certificate,
    ClientHello,
    ClientName,
    Event,
    Gap,
    Greeting,
    Label,
    Login,
    Mail,
    Offer,
    Outcome,
    Phase,
    Reached,
    ServerHello,
    Service,
    TlsMode,
    TlsStarted,
    Turn,
    Weird,
)
from scanner.model import Attempt, AuthClass, Basis
from scanner.protocols.sasl import auth_class

ATTEMPTS_KEPT = 16
"""Logins kept a session: a password guesser makes hundreds; the rest is counted as ``attempts_dropped``."""
LABELS_KEPT = 32
"""Facts kept a session; more would be a flood, told as the weird ``labels_dropped``."""
WEIRDS_KEPT = 8
"""Kinds of oddity kept a session; the rest repeats."""
TURNS_KEPT = 64
"""Turns inside TLS kept: a login is over in the first thirty (lab.md)."""
STEPS_KEPT = 12
"""Steps named in the evidence, so that it stays a line."""
STEP_LENGTH = 80
"""Characters of a step: a name or a mechanism list, not a novel."""

SEEN_CONFIDENCE = 0.99
"""A login read in the clear; what remains is our own misreading."""
NONE_CONFIDENCE = 0.97
"""The server served and nobody had logged in."""


class Usernames(StrEnum):
    """What becomes of user names."""

    KEEP = "keep"
    MASK = "mask"
    DROP = "drop"

    def treat(self, name: str | None) -> str | None:
        """Give the name as it may be shown; a masked one shows its first character and its domain."""
        if not name or self is Usernames.DROP:
            return None
        if self is Usernames.KEEP:
            return name
        person, at, domain = name.rpartition("@")
        return f"{(person or domain)[:1]}***" + (f"@{domain}" if at else "")


@dataclass(slots=True)
class Account:
    """What was heard of one conversation so far."""

    usernames: Usernames
    protocol: str | None = None
    tls_mode: TlsMode | None = None
    greeting_host: str | None = None
    client_name: str | None = None
    offered: tuple[str, ...] = ()
    service: str | None = None
    hello: ClientHello | None = None
    choice: ServerHello | None = None
    certificate: Certificate | None = None
    attempts: list[Attempt] = field(default_factory=list)
    username: str | None = None
    cause: str | None = None
    mails: int = 0
    gaps: int = 0
    whole: bool = False
    """Both sides were heard from the first packet to the last."""
    bare_inside: bool = False
    """What was inside TLS was heard in clear: a tap had decrypted it."""
    lost: bool = False
    """Bytes are missing that could be a login: the client's, or nobody knows how many."""
    phase: Phase | None = None
    served_before_loss: bool = False
    labels: list[Label] = field(default_factory=list)
    weird: list[str] = field(default_factory=list)
    turns: list[Turn] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)

    def hear(self, event: Event) -> None:
        """Fold one event in."""
        match event:
            case Turn():
                if len(self.turns) < TURNS_KEPT:
                    self.turns.append(event)
            case Greeting(host=host):
                self.greeting_host = self.greeting_host or host
                self._step(f"greeting of {host}" if host else "greeting")
            case ClientName(name=name, verb=verb):
                self.client_name = name or self.client_name
                self._step(f"{verb} {name}")
            case Offer(mechanisms=mechanisms, starttls=starttls):
                self._offer(mechanisms, starttls)
            case Login():
                self._login(event)
            case TlsStarted(mode=mode):
                self.tls_mode = mode
                self._step("STARTTLS" if mode is TlsMode.STARTTLS else "TLS from the start")
            case ClientHello() | ServerHello() | Certificate():
                self._tls(event)
            case Mail(accepted=accepted):
                self.mails += accepted
                self.served_before_loss |= accepted and not self.lost
            case Service(service=service):
                self.service = service
            case Label():
                self._label(event)
            case Gap(side=side, missing=missing):
                self.gaps += max(missing, 1)
                self.lost |= side is Side.CLIENT or missing < 0
            case Weird(name=name):
                self._weird(name)
            case Reached(phase=phase):
                self.phase = phase if self.phase is not Phase.SERVED else self.phase

    def _offer(self, mechanisms: tuple[str, ...], starttls: bool) -> None:
        self.offered = tuple(sorted({*self.offered, *mechanisms}))
        if mechanisms or starttls:
            self._step("offered " + " ".join((*mechanisms, *(("STARTTLS",) if starttls else ()))))

    def _login(self, login: Login) -> None:
        if len(self.attempts) == ATTEMPTS_KEPT:
            self._weird("attempts_dropped")
            self.attempts.pop(0)
        kind = auth_class(login.mechanism)
        self.attempts.append(Attempt(login.mechanism, kind, login.outcome, login.cause))
        self.username = self.usernames.treat(login.username) or self.username
        if login.outcome is Outcome.REFUSED:
            self.cause = login.cause or self.cause
        result = login.outcome.value if login.outcome else "no answer heard"
        self._step(f"{login.mechanism} {result}" + (f" ({login.cause})" if login.cause else ""))

    def _tls(self, event: ClientHello | ServerHello | Certificate) -> None:
        match event:
            case ClientHello():
                self.hello = self.hello or event
                self._step(f"hello for {event.server_name}" if event.server_name else "hello without a name")
            case ServerHello():
                self.choice = event
                self._step(f"{event.version} {event.cipher}")
            case Certificate():
                self.certificate = event

    def _label(self, label: Label) -> None:
        if len(self.labels) < LABELS_KEPT:
            self.labels.append(label)
        else:
            self._weird("labels_dropped")

    def _weird(self, name: str) -> None:
        if name not in self.weird and len(self.weird) < WEIRDS_KEPT:
            self.weird.append(name)

    def _step(self, step: str) -> None:
        if len(self.steps) < STEPS_KEPT and step[:STEP_LENGTH] not in self.steps[-1:]:
            self.steps.append(step[:STEP_LENGTH])

    def label(self, name: str) -> str | None:
        """Text of the first label of this field."""
        return next((label.text for label in self.labels if label.field == name), None)

    @property
    def auth(self) -> tuple[AuthClass, Basis, float]:
        """How the client authenticated, on what that rests, and how sure it is."""
        if self.attempts:
            return self.attempts[-1].auth_class, Basis.SEEN, SEEN_CONFIDENCE
        if self.label("http.cookie"):
            return AuthClass.COOKIE, Basis.SEEN, SEEN_CONFIDENCE
        if self.tls_mode in (TlsMode.STARTTLS, TlsMode.IMPLICIT) and not self.bare_inside:
            known = AuthClass.UNKNOWN if self.choice or self.gaps else AuthClass.INCOMPLETE
            return known, Basis.ENDPOINT, 0.0
        if self.lost and not self.served_before_loss:
            return AuthClass.UNKNOWN, Basis.SEEN, 0.0
        if self.phase is Phase.SERVED or self.whole:
            return AuthClass.NONE, Basis.SEEN, NONE_CONFIDENCE
        return AuthClass.INCOMPLETE, Basis.SEEN, SEEN_CONFIDENCE

    @property
    def evidence(self) -> str:
        """What the claim rests on, in a line."""
        steps = [*self.steps]
        if not self.attempts:
            match self.auth[0]:
                case AuthClass.UNKNOWN if self.auth[1] is Basis.ENDPOINT:
                    steps.append("the login is inside TLS")
                case AuthClass.UNKNOWN:
                    steps.append("bytes are missing where a login could be")
                case AuthClass.NONE:
                    served = self.phase is Phase.SERVED
                    steps.append("served without a login" if served else "closed without a login")
                case AuthClass.INCOMPLETE:
                    steps.append("ended before any login")
                case _:
                    pass
        if self.mails:
            steps.append(f"{self.mails} mails")
        return "; ".join(steps)
