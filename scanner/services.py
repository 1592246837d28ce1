"""What a machine offers when it is asked: the service record of design.md section 6.

Times are integers, nanoseconds since 1970-01-01 UTC; addresses are text in canonical form (RFC 5952).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from scanner.events import TlsMode


class Answered(StrEnum):
    """How asking a port ended."""

    ANSWERED = "answered"
    """The dialogue was held."""
    REFUSED = "refused"
    """Nobody listens there: the connection was reset at once."""
    TIMEOUT = "timeout"
    """Somebody listens and did not say enough in time."""
    CLOSED = "closed"
    """Somebody listened and hung up before the dialogue was held."""
    HANDSHAKE_ERROR = "handshake-error"
    """TLS could not be begun."""
    PROTOCOL_ERROR = "protocol-error"
    """What was said is not the protocol, or far too much."""
    FILTERED = "filtered"
    """No answer to the connection, or the network said that it cannot be."""


@dataclass(frozen=True, slots=True)
class ShownCertificate:
    """The certificate that a server showed."""

    subject: str | None
    """Common name (RFC 5280 4.1.2.6)."""
    issuer: str | None
    """Common name, else organisation."""
    names: tuple[str, ...]
    """DNS names and addresses of the subject's alternative names."""
    not_before: int
    """ns"""
    not_after: int
    """ns"""
    key: str
    """``RSA 2048``, ``EC secp256r1``, ``Ed25519``."""
    signature: str
    """The hash that it is signed with, ``sha256``; or the algorithm where there is none apart."""
    self_signed: bool


@dataclass(frozen=True, slots=True)
class TlsAccepted:
    """What of TLS a server takes."""

    oldest: str | None
    """``SSLv3`` to ``TLSv1.3``."""
    newest: str | None
    weak: tuple[str, ...] = ()
    """Weak ciphers that it takes, by IANA's names."""


@dataclass(frozen=True, slots=True)
class NtlmNames:
    """Who a server says that it is when NTLM is begun ([MS-NLMP] 2.2.2.1)."""

    host: str | None
    """DNS name, else NetBIOS name."""
    domain: str | None


@dataclass(frozen=True, slots=True)
class ServicePath:
    """One of Exchange's paths on a web server."""

    service: str
    """``eas``, ``ews``, ``autodiscover``, ``mapi``, ``owa`` …"""
    path: str
    status: int
    """RFC 9110 15."""
    offered: tuple[str, ...]
    """``HTTP-Basic`` …, sorted."""


class Relaying(StrEnum):
    """Whether mail is taken for the address that the user named, without a login."""

    TAKES = "takes"
    REFUSES = "refuses"


@dataclass(frozen=True, slots=True)
class Service:
    """One port that was asked."""

    host: str
    """Its address."""
    port: int
    outcome: Answered
    at: int
    """ns"""
    protocol: str | None = None
    """``smtp`` …; None where it was not found out."""
    service: str | None = None
    """The first Exchange service of a web server; ``submission`` or ``mx`` for smtp."""
    tls_mode: TlsMode | None = None
    offered: tuple[str, ...] = ()
    """Mechanisms offered in clear, sorted."""
    offered_tls: tuple[str, ...] = ()
    """Mechanisms offered inside TLS, sorted."""
    starttls: bool | None = None
    login_disabled: bool | None = None
    """IMAP: LOGINDISABLED was said (RFC 9051 6.2.2), in clear unless TLS comes first."""
    tls: TlsAccepted = TlsAccepted(None, None)
    certificate: ShownCertificate | None = None
    banner: str | None = None
    server_name: str | None = None
    """The host name that it gave itself in its greeting."""
    public_ip: str | None = None
    """The address that the server said we come from."""
    ntlm: NtlmNames | None = None
    paths: tuple[ServicePath, ...] = ()
    relaying: Relaying | None = None
    """None: was not tried."""
    detail: str = ""
    """Why the outcome is no answer, in a few words."""


@dataclass(frozen=True, slots=True)
class ScanPlan:
    """What a scan may touch, and how it asks."""

    targets: tuple[str, ...]
    """As the user wrote them."""
    excludes: tuple[str, ...] = ()
    ports: tuple[int, ...] = ()
    addresses: int = 0
    """How many are in scope."""
    seed: int = 0
    """Of the order in which they are asked: whoever resumes asks in the same."""
    options: tuple[tuple[str, str], ...] = ()
    """What else matters to what is found: name and value of each."""

    @property
    def scope(self) -> tuple[frozenset[str], frozenset[str], frozenset[int]]:
        """Scans of the same can be resumed, and compared."""
        return frozenset(self.targets), frozenset(self.excludes), frozenset(self.ports)


@dataclass(frozen=True, slots=True)
class ScanTotals:
    """What a scan came to so far."""

    addresses: int = 0
    """Asked."""
    hosts: int = 0
    """Those of them that answered in any way."""
    ports: int = 0
    """Asked, of all hosts."""
    outcomes: Mapping[Answered, int] = field(default_factory=dict)
    """How asking them ended."""
    retries: int = 0
    vanished: int = 0
    """Calls without any answer."""
    lost: tuple[str, ...] = ()
    """What could not be done for lack of privileges, a line each."""


@dataclass(frozen=True, slots=True)
class Scan:
    """One scan."""

    id: int
    sensor: str
    plan: ScanPlan
    began: int
    """ns"""
    ended: int | None
    """ns; None: killed, or it still goes on."""
    alive: int | None
    """When it last told how far it is, ns; None: never."""
    done: int
    """All addresses before this one are done, in the order of ``plan.seed``."""
    totals: ScanTotals
    forgotten: bool = False
    """Some of what it found was dropped, for newer scans know better: nothing can be compared with it."""
