"""What was seen and what it means: observations, hosts, verdicts.

Times are integers, nanoseconds since 1970-01-01 UTC; addresses are text in canonical form (RFC 5952).
Nothing here does any work, and nothing here can hold a password, a token or a challenge answer.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from scanner.conversation import Ending, Endpoint, Flow
from scanner.events import Label, Outcome, TlsMode, Turn
from scanner.labels import NAMES
from scanner.net import community_id
from scanner.record import record
from scanner.services import Service


class AuthClass(StrEnum):
    """What a login rests on."""

    BASIC = "basic"
    OAUTH = "oauth"
    NTLM = "ntlm"
    KERBEROS = "kerberos"
    DIGEST = "digest"
    CERTIFICATE = "certificate"
    COOKIE = "cookie"
    NONE = "none"
    INCOMPLETE = "incomplete"
    UNKNOWN = "unknown"


class Basis(StrEnum):
    """What a claim rests on."""

    SEEN = "seen"
    INFERRED = "inferred"
    OFFERED = "offered"
    ENDPOINT = "endpoint"


class ServerKind(StrEnum):
    """Who the server is."""

    EXCHANGE_ONLINE = "exchange-online"
    SIGN_IN = "sign-in"
    INTERNAL = "internal"
    OTHER = "other"


@record
class Attempt:
    """One login that was tried."""

    mechanism: str
    auth_class: AuthClass
    outcome: Outcome | None
    cause: str | None = None


@record
class Observation:
    """One conversation, as it is shown and stored: the session record of design.md section 6."""

    capture: str | None
    sensor: str
    first_seen: int
    """ns"""
    last_seen: int
    """ns"""
    client_ip: str
    client_port: int
    client_mac: str | None
    """The one that DHCP gave the address to, else the one that its packets carried; it may be a router's."""
    server_ip: str
    server_port: int
    server_name: str | None
    server_kind: ServerKind
    protocol: str | None
    service: str | None
    tls_mode: TlsMode | None
    tls_version: str | None
    tls_cipher: str | None
    ja3: str | None
    ja4: str | None
    client_name: str | None
    mechanism: str | None
    auth_class: AuthClass
    outcome: Outcome | None
    attempts: tuple[Attempt, ...]
    basis: Basis
    confidence: float
    """0 to 1: of those at x, a share x is right."""
    username: str | None
    mails: int
    """Envelopes accepted."""
    gaps: int
    """Bytes missing; where their number is unknown a hole counts as one."""
    evidence: str
    """What the claim rests on, in a line."""
    offered: tuple[str, ...] = ()
    """Mechanisms that the server offered."""
    labels: tuple[Label, ...] = ()
    """Facts heard on the way (names, user agents, device ids, the site's public address)."""
    turns: tuple[Turn, ...] = ()
    """Inside TLS: who wrote how much, in order. Never stored as it is: sizes of a login betray secrets."""
    cause: str | None = None
    """Class of the last refusal."""
    weird: tuple[str, ...] = ()
    server_matched: str | None = None
    """Why ``server_kind``: ``name outlook.office365.com``, ``prefix 52.96.0.0/14``, ``--endpoint …``."""
    ending: Ending = Ending.ENDED
    server_mac: str | None = None
    """The MAC that the server's packets carried; it may be a router's."""
    server_family: str | None = None
    """Where ``server_name`` is a front end's own: the name asked for, else ``*.outlook.office365.com``."""
    login_again: bool | None = None
    """Whether the login is as long as one from before a token's life; False: longer or shorter than those of
    the hour before; None: there is nothing to compare with. How long it is is never told."""

    @property
    def server_used(self) -> str | None:
        """The server as a usage names it: Exchange Online greets by thousands of front ends' names."""
        return self.server_family or self.server_name

    @property
    def community_id(self) -> str:
        """The flow's name in other tools; it follows from the ends, so it is not kept."""
        client, server = (
            Endpoint(self.client_ip, self.client_port),
            Endpoint(self.server_ip, self.server_port),
        )
        return community_id(Flow(client, server))


@record
class Usage:
    """What one host used one service for, gathered over its sessions."""

    server_name: str | None
    server_kind: ServerKind
    server_port: int
    protocol: str | None
    service: str | None
    tls_mode: TlsMode | None
    tls_version: str | None
    mechanism: str | None
    auth_class: AuthClass
    outcome: Outcome | None
    basis: Basis
    confidence: float
    first_seen: int
    last_seen: int
    sessions: int
    mails: int = 0
    cause: str | None = None
    """Class of the last refusal."""
    client_version: str | None = None
    """Version that the client gave (EAS: MS-ASProtocolVersion)."""
    logins_same: int = 0
    """Sessions whose login was as long as one from before a token's life (``scanner.recurrence``)."""
    logins_changed: int = 0
    """Sessions whose login was longer or shorter than those of the hour before."""
    odd: int = 0
    """Pooled: sessions among these that by themselves seemed to log in in another way."""
    untold: int = 0
    """Pooled: sessions among these whose login could not be told."""


TOLD_APART = (1, 2, 3, 10)
"""Numbers of sessions that are told apart, each up to the next: hosts that differ less share a verdict."""
REPEATS, CHANGES = 3, 10
"""So many logins that stayed as long as they were speak for a password, if they are so many times those that
changed; so many that changed for a token, if those that stayed are not more than twice that."""


# What we think of it.


class Level(StrEnum):
    """How bad it is; ``SEVERITY`` orders them."""

    BROKEN = "broken"
    BREAKS = "breaks"
    REVIEW = "review"
    UNKNOWN = "unknown"
    FINE = "fine"


SEVERITY = {Level.FINE: 0, Level.UNKNOWN: 1, Level.REVIEW: 2, Level.BREAKS: 3, Level.BROKEN: 4}
"""The worst of a host's usages is the host's verdict."""


@dataclass(frozen=True, slots=True)
class Reason:
    """What one rule says of one usage."""

    rule: str
    """The rule's name, kebab-case."""
    level: Level
    text: str
    source: str
    """Where the date or the statement stands."""
    basis: Basis
    confidence: float
    deadline: date | None = None
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a host, and why."""

    level: Level
    deadline: date | None
    reasons: tuple[Reason, ...]
    """The worst first."""

    @property
    def advice(self) -> str:
        """What to do about the worst of it."""
        return self.reasons[0].advice if self.reasons else ""


@dataclass(frozen=True, slots=True)
class Device:
    """What a host is."""

    vendor: str | None = None
    model: str | None = None
    kind: str | None = None
    confidence: float = 0.0
    software: str | None = None
    """The program that speaks."""
    place: str | None = None
    """Where it stands, in its owner's words."""


class Sighting(NamedTuple):
    """Something heard of a machine: a name, or what tells its kind."""

    ip: str
    """Empty where it has none yet (DHCP)."""
    mac: str
    """Empty where it is not known."""
    field: str
    """One of ``scanner.labels.FIELDS``; ``LEASE``: DHCP gave the address to this MAC."""
    text: str
    first_seen: int
    """ns"""
    last_seen: int
    """ns; of a lease: when it runs out."""


LEASE = "lease"


class Heard(NamedTuple):
    """A label of a host, and when it was heard."""

    field: str
    text: str
    first_seen: int
    """ns"""
    last_seen: int
    """ns"""


@dataclass(frozen=True, slots=True)
class Host:
    """A machine: a MAC on our link, else an address."""

    host: str
    """Its name in the inventory: MAC or address."""
    addresses: tuple[str, ...]
    mac: str | None
    vendor: str | None
    """Of the MAC."""
    labels: tuple[Heard, ...]
    """All that was heard of it, by field and text."""
    router: bool
    first_seen: int
    last_seen: int
    usage: tuple[Usage, ...]
    device: Device = field(default_factory=Device)
    behind: tuple[str, ...] = ()
    """Relays that its mail passes, the nearest first."""
    carries: tuple[str, ...] = ()
    """Whose mail it takes and passes on."""
    offers: tuple[Service, ...] = ()
    """What listens there, as it was last asked; by port and address."""
    endpoints: tuple[int, ...] = field(default=(), compare=False)
    """Where the inventory keeps it."""

    @property
    def names(self) -> tuple[Heard, ...]:
        """What it is called."""
        return tuple(label for label in self.labels if label.field in NAMES)


class Passage(NamedTuple):
    """A host hands mail to another, or fetches it there."""

    client: int
    server: int
    protocol: str


@dataclass(frozen=True, slots=True)
class Chain:
    """Where a host stands among relays; hosts by number."""

    behind: tuple[int, ...]
    """The relays that its mail passes, the nearest first."""
    carries: tuple[int, ...]
    """Whose mail it takes and passes on, directly."""
    verdict: Verdict
    """What becomes of it, and of its mail behind the relays."""
