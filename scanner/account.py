"""From one conversation's events to its session record: the fold at the heart of the pipeline."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Any

from scanner.claims import Inferred, infer
from scanner.conversation import CLIENT
from scanner.events import (
    Answer,
    Certificate,
    ClientHello,
    ClientName,
    Event,
    Gap,
    Greeting,
    Label,
    Leased,
    Login,
    Mail,
    Manner,
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
from scanner.labels import SERVER as OF_SERVER
from scanner.model import Attempt, AuthClass, Basis
from scanner.protocols.banner import TIMESTAMP
from scanner.protocols.sasl import auth_class
from scanner.sizes import Known
from scanner.texts import Texts

ATTEMPTS_KEPT = 16
"""Logins kept a session: a password guesser makes hundreds; the rest is counted as ``attempts_dropped``."""
LABELS_KEPT = 32
"""Facts kept a session; more would be a flood, told as the weird ``labels_dropped``."""
WEIRDS_KEPT = 8
"""Kinds of oddity kept a session; the rest repeats."""
TURNS_KEPT = 64
"""Turns inside TLS kept: a login is over in the first thirty (lab.md)."""
MANNERS_REMEMBERED = 1024
"""Ways to speak SMTP; a site has a few dozen, and makes each label once."""
STEPS_KEPT = 12
"""Steps named in the evidence, so that it stays a line."""
STEP_LENGTH = 80
"""Characters of a step: a name or a mechanism list, not a novel."""

TUNNELS = frozenset({"http.connect", "socks.connect"})
"""The labels of a proxy's answer after which another conversation begins."""
SEEN_CONFIDENCE = 0.99
"""A login read in the clear; what remains is our own misreading."""
NONE_CONFIDENCE = 0.97
"""The server served and nobody had logged in."""

_CONNECTION = re.compile(r"\[[0-9A-F]{16}\]$")
"""Exchange Online's name for a connection, which refusals repeat, as logs since 2024 show."""
Claim = tuple[AuthClass, Basis, float]
"""How the client authenticated, on what that rests, and how sure it is."""
_INSIDE_TLS: Claim = (AuthClass.UNKNOWN, Basis.ENDPOINT, 0.0)
_BEFORE_TLS: Claim = (AuthClass.INCOMPLETE, Basis.ENDPOINT, 0.0)
_LOST: Claim = (AuthClass.UNKNOWN, Basis.SEEN, 0.0)
_NONE: Claim = (AuthClass.NONE, Basis.SEEN, NONE_CONFIDENCE)
_EARLY: Claim = (AuthClass.INCOMPLETE, Basis.SEEN, SEEN_CONFIDENCE)
_SEEN, _SERVED, _REFUSED = Basis.SEEN, Phase.SERVED, Outcome.REFUSED
_CLEAR, _STARTTLS = TlsMode.CLEAR, TlsMode.STARTTLS


class Usernames(StrEnum):
    """What becomes of user names."""

    KEEP = "keep"
    MASK = "mask"
    DROP = "drop"

    def treat(self, name: str | None) -> str | None:
        """Give the name as it may be shown; a masked one shows its first character and its domain."""
        if not name or self is _DROP:
            return None
        if self is _KEEP:
            return name
        person, at, domain = name.rpartition("@")
        return f"{(person or domain)[:1]}***" + (f"@{domain}" if at else "")


_KEEP, _DROP = Usernames.KEEP, Usernames.DROP


@dataclass(slots=True)
class Account:
    """What was heard of one conversation so far."""

    usernames: Usernames
    protocol: str | None = None
    tls_mode: TlsMode | None = None
    greeting_host: str | None = None
    greeting: tuple[str, str] | None = None
    """The protocol and the text of a greeting; one that came through a proxy's tunnel is not kept."""
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
    """What was inside TLS was heard: a tap had decrypted it, or we had the keys."""
    lost: bool = False
    """Bytes are missing that could be a login: the client's, or nobody knows how many."""
    tunnel_host: str | None = None
    """Where a proxy's tunnel leads, if one was opened: the name or the address that was asked for."""
    tunnel_port: int | None = None
    phase: Phase | None = None
    served_before_loss: bool = False
    labels: list[Label] = field(default_factory=list)
    weird: list[str] = field(default_factory=list)
    turns: list[Turn] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)
    reply: int | None = None
    """Bytes of the reply to EHLO that was heard in clear."""
    inferred: Inferred | None = None
    """What sizes tell of a login inside TLS."""
    inner: TlsStarted | Label | None = None
    """What opened a layer inside this one: STARTTLS, or a proxy's tunnel."""

    def hear(self, event: Event) -> None:
        """Fold one event in."""
        FOLDS[type(event)](self, event)

    def enter_tunnel(self, host: str, port: int) -> None:
        """Begin anew inside a proxy's tunnel: what the proxy did for the client is no mail."""
        self.protocol = self.tls_mode = self.phase = None
        self.tunnel_host, self.tunnel_port = host, port

    def forget(self, *fields: str) -> None:
        """Drop the labels of these fields."""
        self.labels = [label for label in self.labels if label.field not in fields]

    def tell_banner(self, text: str) -> None:
        """Add what the greeting says of the server's program."""
        if self.greeting and text:
            self._label(Label(f"{self.greeting[0]}.banner", text))

    def _turn(self, turn: Turn) -> None:
        if len(self.turns) < TURNS_KEPT:
            self.turns.append(turn)

    def _greeting(self, greeting: Greeting) -> None:
        host = greeting.host
        self.greeting_host = self.greeting_host or host
        if self.tunnel_host is None and self.protocol:
            self.greeting = self.protocol, greeting.text
        connection = _CONNECTION.search(greeting.text)
        said = f"greeting of {host}" if host else "greeting"
        self._step(f"{said} {connection[0]}" if connection else said)

    def _client_name(self, client: ClientName) -> None:
        self.client_name = client.name or self.client_name
        self._step(f"{client.verb} {client.name}")

    def _tls_started(self, started: TlsStarted) -> None:
        self.tls_mode = started.mode
        if started.mode is _STARTTLS:
            self.inner = started
        self._step("STARTTLS" if started.mode is _STARTTLS else "TLS from the start")

    def _mail(self, mail: Mail) -> None:
        self.mails += mail.accepted
        self.served_before_loss |= mail.accepted and not self.lost

    def _service(self, service: Service) -> None:
        self.service = service.service

    def _gap(self, gap: Gap) -> None:
        self.gaps += max(gap.missing, 1)
        self.lost |= gap.side is CLIENT or gap.missing < 0

    def _reached(self, reached: Reached) -> None:
        if self.phase is not _SERVED:
            self.phase = reached.phase

    def _elsewhere(self, told: Answer | Leased) -> None:
        """What DNS and DHCP tell is about others than these two."""

    def _offer(self, offer: Offer) -> None:
        mechanisms, starttls = offer.mechanisms, offer.starttls
        self.reply = offer.length or self.reply
        if mechanisms:
            self.offered = tuple(sorted({*self.offered, *mechanisms})) if self.offered else mechanisms
        if mechanisms or starttls:
            self._step("offered " + " ".join((*mechanisms, "STARTTLS") if starttls else mechanisms))

    def _login(self, login: Login) -> None:
        if len(self.attempts) == ATTEMPTS_KEPT:
            self._odd("attempts_dropped")
            self.attempts.pop(0)
        kind = auth_class(login.mechanism)
        self.attempts.append(Attempt(login.mechanism, kind, login.outcome, login.cause))
        self.username = self.usernames.treat(login.username) or self.username
        if login.outcome is _REFUSED:
            self.cause = login.cause or self.cause
        result = login.outcome or "no answer heard"
        self._step(
            f"{login.mechanism} {result} ({login.cause})" if login.cause else f"{login.mechanism} {result}"
        )

    def _client_hello(self, hello: ClientHello) -> None:
        self.hello = self.hello or hello
        self._step(f"hello for {hello.server_name}" if hello.server_name else "hello without a name")

    def _server_hello(self, choice: ServerHello) -> None:
        self.choice = choice
        self._step(f"{choice.version} {choice.cipher}")

    def _certificate(self, certificate: Certificate) -> None:
        self.certificate = certificate
        if certificate.subject:
            self._label(Label("tls.certificate", certificate.subject))

    def _manner(self, manner: Manner) -> None:
        text = manner.text if manner.left or not self.whole else f"{manner.text} quit=none".lstrip()
        if text:
            self._label(_of_manner(text))

    def _label(self, label: Label) -> None:
        if label.field in TUNNELS:
            self.inner = label
        elif self.tunnel_host is not None and label.field in OF_SERVER:
            return  # it is about a server behind the proxy, whose address nobody knows
        if len(self.labels) < LABELS_KEPT:
            self.labels.append(label)
        else:
            self._odd("labels_dropped")

    def _weird(self, weird: Weird) -> None:
        self._odd(weird.name)

    def _odd(self, name: str) -> None:
        if name not in self.weird and len(self.weird) < WEIRDS_KEPT:
            self.weird.append(name)

    def _step(self, step: str) -> None:
        steps, step = self.steps, step[:STEP_LENGTH]
        if not steps or (len(steps) < STEPS_KEPT and step != steps[-1]):
            steps.append(step)

    def infer(self, exchange: float, texts: Texts = ()) -> None:
        """Conclude from sizes what was said inside TLS; ``exchange`` and ``texts``: see ``claims.infer``."""
        choice, heard = self.choice, self.attempts and not self.inferred
        if heard or choice is None or self.bare_inside:
            return
        known = Known(exchange, implicit=True)
        if self.tls_mode is _STARTTLS:
            name = len(self.client_name) if self.client_name else None
            timestamp = bool(TIMESTAMP.search(self.greeting[1])) if self.greeting else None
            known = Known(exchange, False, name, self.reply, timestamp)
        told = {"tls13": choice.version == "TLSv1.3", "ended": self.whole, "lost": self.gaps > 0}
        self.inferred = infer(self.protocol, known, self.turns, **told, texts=texts)
        if self.inferred:
            self.attempts = list(self.inferred.attempts)

    def label(self, name: str) -> str | None:
        """Text of the first label of this field."""
        for label in self.labels:
            if label.field == name:
                return label.text
        return None

    @property
    def auth(self) -> Claim:
        """How the client authenticated, on what that rests, and how sure it is."""
        if self.inferred:
            return self.inferred.auth_class, Basis.INFERRED, self.inferred.confidence
        if self.attempts:
            return self.attempts[-1].auth_class, _SEEN, SEEN_CONFIDENCE
        if self.tls_mode and self.tls_mode is not _CLEAR and not self.bare_inside:
            if self.turns or self.gaps or (self.choice and not self.whole):
                return _INSIDE_TLS
            return _BEFORE_TLS
        if self.lost and not self.served_before_loss:
            return _LOST
        if self.phase is _SERVED or self.whole:
            return _NONE
        return _EARLY

    @property
    def evidence(self) -> str:
        """What the claim rests on, in a line."""
        steps = [*self.steps]
        if self.inferred:
            steps += self.inferred.steps
        elif not self.attempts:
            claim = self.auth
            if claim is _INSIDE_TLS:
                steps.append("the login is inside TLS" + ("" if self.choice else ", its start not heard"))
            elif claim is _LOST:
                steps.append("bytes are missing where a login could be")
            elif claim is _NONE:
                served = self.phase is _SERVED
                steps.append("served without a login" if served else "closed without a login")
            else:
                steps.append("ended before any login")
        if self.mails:
            steps.append(f"{self.mails} mails")
        return "; ".join(steps)


@lru_cache(MANNERS_REMEMBERED)
def _of_manner(text: str) -> Label:
    return Label("smtp.manner", text)


FOLDS: dict[type[Event], Callable[[Account, Any], None]] = {
    Greeting: Account._greeting,
    ClientName: Account._client_name,
    Offer: Account._offer,
    Login: Account._login,
    TlsStarted: Account._tls_started,
    ClientHello: Account._client_hello,
    ServerHello: Account._server_hello,
    Certificate: Account._certificate,
    Turn: Account._turn,
    Mail: Account._mail,
    Label: Account._label,
    Manner: Account._manner,
    Answer: Account._elsewhere,
    Leased: Account._elsewhere,
    Gap: Account._gap,
    Weird: Account._weird,
    Service: Account._service,
    Reached: Account._reached,
}
"""How each event is folded in: a look-up, as there are dozens a conversation."""
