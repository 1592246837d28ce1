"""The types that everything else speaks: flows, conversations, events, observations, verdicts.

Times are integers, nanoseconds since 1970-01-01 UTC; addresses are text in canonical form (RFC 5952).
Nothing here does any work, and nothing here can hold a password, a token or a challenge answer.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import IntEnum, StrEnum
from typing import NamedTuple


class Side(IntEnum):
    """Who speaks: the one who opened the conversation, or the one who answered."""

    CLIENT = 0
    SERVER = 1

    @property
    def other(self) -> Side:
        """The peer."""
        return Side.SERVER if self is Side.CLIENT else Side.CLIENT


class Transport(StrEnum):
    """What carries the conversation."""

    TCP = "tcp"
    UDP = "udp"


class Endpoint(NamedTuple):
    """One end of a flow."""

    ip: str
    """Address, canonical text."""
    port: int
    """0 to 65535."""


class Flow(NamedTuple):
    """Both ends of a conversation; ``client`` is the one who opened it."""

    client: Endpoint
    server: Endpoint
    transport: Transport = Transport.TCP


class Chunk(NamedTuple):
    """Bytes that one side sent, in order; or a hole where such bytes are missing."""

    side: Side
    at: int
    """When the (first) packet was seen, ns."""
    data: bytes
    """Empty for a hole."""
    missing: int = 0
    """Bytes known to be lost here; -1: lost, but nobody knows how many (the start was not seen)."""


class Ending(StrEnum):
    """Why nothing more is heard of a conversation."""

    CLOSED = "closed"
    """FIN from both sides, or from one and the capture went quiet."""
    RESET = "reset"
    CUT = "cut"
    """The limit of bytes kept a direction was reached: the login is over by then."""
    IDLE = "idle"
    REUSED = "reused"
    """A new SYN took the same ports."""
    EVICTED = "evicted"
    """The flow table was full."""
    ENDED = "ended"
    """The capture ended first."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """What was heard of one TCP connection, both sides merged in the order of time."""

    flow: Flow
    chunks: tuple[Chunk, ...]
    first_seen: int
    """ns"""
    last_seen: int
    """ns"""
    ending: Ending
    client_started: bool
    """The client's SYN (or its first byte, known by the peer's SYN-ACK) was seen."""
    server_started: bool
    """The server's SYN-ACK was seen."""
    client_mac: str | None = None
    """The MAC that the client's packets carried, ``aa:bb:cc:dd:ee:ff``; it may be a router's."""
    server_mac: str | None = None
    duplicates: int = 0
    """Packets seen twice or retransmitted."""
    conflicts: int = 0
    """Bytes that a second copy gave differently; the first copy was kept."""
    truncated: bool = False
    """The capture's snap length cut payload off somewhere."""
    capture: str | None = None
    """Name of the file (or interface) it came from."""


# ----------------------------------------------------------------------------------------------------
# Events: one closed vocabulary for all protocols.


class Outcome(StrEnum):
    """How an attempt to log in ended."""

    ACCEPTED = "accepted"
    REFUSED = "refused"


class Phase(StrEnum):
    """How far a conversation got; later is further."""

    OPENED = "opened"
    """One side spoke its protocol."""
    ANSWERED = "answered"
    """Both sides spoke."""
    SERVED = "served"
    """The server did something for the client (took an envelope, listed a mailbox, sent a page) or the client
    took its leave in order: that nobody logged in is then a finding, not a lack of listening."""


class TlsMode(StrEnum):
    """How TLS came into the conversation."""

    CLEAR = "clear"
    STARTTLS = "starttls"
    IMPLICIT = "implicit"


@dataclass(frozen=True, slots=True)
class Greeting:
    """The server's first line."""

    text: str
    """At most 512 characters."""
    host: str | None = None
    """The host name the server gave itself."""


@dataclass(frozen=True, slots=True)
class ClientName:
    """The name a client gave itself (EHLO, HELO, LHLO)."""

    name: str
    verb: str


@dataclass(frozen=True, slots=True)
class Offer:
    """What the server said it can do."""

    mechanisms: tuple[str, ...]
    """SASL mechanisms, upper case, sorted; HTTP schemes as ``HTTP-Basic`` …"""
    starttls: bool = False
    login_disabled: bool = False
    """IMAP LOGINDISABLED (RFC 9051 6.2.2)."""
    length: int = 0
    """Bytes of the reply that held it, for comparing with the same reply inside TLS."""


@dataclass(frozen=True, slots=True)
class Login:
    """One attempt to log in, told when its outcome is known or the conversation ended without one."""

    mechanism: str
    """As in the session record: ``PLAIN``, ``LOGIN``, ``IMAP-LOGIN``, ``USERPASS``, ``HTTP-Basic`` …"""
    outcome: Outcome | None
    username: str | None = None
    """Only the name; never the secret."""
    reason: str | None = None
    """The server's sentence, at most 256 characters, for a refusal."""
    cause: str | None = None
    """The class of a refusal: ``basic-disabled``, ``bad-credentials`` …, see ``protocols``."""
    at: int = 0
    """When the attempt began, ns."""


@dataclass(frozen=True, slots=True)
class TlsStarted:
    """From here on the bytes are TLS."""

    mode: TlsMode


@dataclass(frozen=True, slots=True)
class ClientHello:
    """The first TLS message (RFC 8446 4.1.2, RFC 5246 7.4.1.2, RFC 6101 E for the old form)."""

    server_name: str | None
    alpn: tuple[str, ...]
    versions: tuple[str, ...]
    """Versions offered, newest first, in the session record's spelling."""
    ja3: str | None
    ja4: str | None


@dataclass(frozen=True, slots=True)
class ServerHello:
    """The server's choice (RFC 8446 4.1.3)."""

    version: str
    cipher: str
    """IANA name; ``0x....`` where it has none here."""
    alpn: str | None = None
    encrypt_then_mac: bool = False
    """RFC 7366."""
    resumed: bool | None = None


@dataclass(frozen=True, slots=True)
class Certificate:
    """The server's certificate, in clear up to TLS 1.2."""

    subject: str | None
    names: tuple[str, ...]
    issuer: str | None


@dataclass(frozen=True, slots=True)
class Turn:
    """One side's turn inside TLS, by sizes alone."""

    side: Side
    low: int
    """Plaintext bytes, at least."""
    high: int
    """Plaintext bytes, at most; equal to ``low`` under AEAD."""
    records: int
    at: int
    """When its first record was seen, ns."""


@dataclass(frozen=True, slots=True)
class Mail:
    """An envelope was accepted or refused."""

    accepted: bool


@dataclass(frozen=True, slots=True)
class Label:
    """A fact worth keeping, named ``protocol.field``, such as ``smtp.public_ip`` or ``eas.device_id``."""

    field: str
    text: str
    """At most 512 characters."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A name that an address was asked for (DNS)."""

    name: str
    """Lower case, without the last dot."""
    address: str


@dataclass(frozen=True, slots=True)
class Gap:
    """Bytes are missing."""

    side: Side
    missing: int
    """-1: nobody knows how many."""


@dataclass(frozen=True, slots=True)
class Weird:
    """Something that the protocol does not allow, or a limit that was reached; ``protocol_what``."""

    name: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Service:
    """What kind of HTTP or mail service is spoken with: ``eas``, ``ews``, ``submission`` …"""

    service: str


@dataclass(frozen=True, slots=True)
class Reached:
    """How far the conversation got."""

    phase: Phase


Event = (
    Greeting | ClientName | Offer | Login | TlsStarted | ClientHello | ServerHello | Certificate | Turn | Mail
    | Label | Answer | Gap | Weird | Service | Reached
)  # fmt: skip


# ----------------------------------------------------------------------------------------------------
# What was seen.


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


@dataclass(frozen=True, slots=True)
class Attempt:
    """One login that was tried."""

    mechanism: str
    auth_class: AuthClass
    outcome: Outcome | None
    cause: str | None = None


@dataclass(frozen=True, slots=True)
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
    server_ip: str
    server_port: int
    server_name: str | None
    server_kind: ServerKind
    community_id: str
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


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
class RunTotals:
    """What one run listened to, and what of it was lost; counts of packets where nothing else is said."""

    packets: int = 0
    bytes: int = 0
    conversations: int = 0
    """TCP connections that were followed."""
    observations: int = 0
    gaps: int = 0
    """Observations with bytes missing."""
    evicted: int = 0
    """Connections given up because the flow table was full."""
    fragments_dropped: int = 0
    truncated: int = 0
    malformed: int = 0
    not_ip: int = 0
    unknown_link: int = 0
    first_at: int | None = None
    """ns"""
    last_at: int | None = None
    """ns"""
    unreadable: tuple[str, ...] = ()
    """A line for each file that could not be read to its end."""


# ----------------------------------------------------------------------------------------------------
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


@dataclass(frozen=True, slots=True)
class Name:
    """A name that a host goes by."""

    name: str
    source: str
    """Where it was heard: ``smtp.client_name``, ``dhcp.host_name`` …"""


@dataclass(frozen=True, slots=True)
class Host:
    """A machine: a MAC on our link, else an address."""

    host: str
    """Its name in the inventory: MAC or address."""
    addresses: tuple[str, ...]
    mac: str | None
    vendor: str | None
    """Of the MAC."""
    names: tuple[Name, ...]
    router: bool
    first_seen: int
    last_seen: int
    usage: tuple[Usage, ...]
    device: Device = field(default_factory=Device)
    behind: tuple[str, ...] = ()
