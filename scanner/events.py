"""What sessions tell: one closed vocabulary for all protocols.

Nothing here can hold a password, a token or a challenge answer. Times are nanoseconds since 1970 UTC.
"""

from __future__ import annotations

from enum import StrEnum

from scanner.conversation import Side
from scanner.record import record


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
    """The server did something for the client (took an envelope, listed a mailbox, sent a page), the client
    began an envelope, or it took its leave in order: that nobody logged in is then a finding, not a lack of
    listening."""


class TlsMode(StrEnum):
    """How TLS came into the conversation."""

    CLEAR = "clear"
    STARTTLS = "starttls"
    IMPLICIT = "implicit"


@record
class Greeting:
    """The server's first line."""

    text: str
    """At most 512 characters."""
    host: str | None = None
    """The host name the server gave itself."""


@record
class ClientName:
    """The name a client gave itself (EHLO, HELO, LHLO)."""

    name: str
    verb: str


@record
class Offer:
    """What the server said it can do."""

    mechanisms: tuple[str, ...]
    """SASL mechanisms, upper case, sorted; HTTP schemes as ``HTTP-Basic`` …"""
    starttls: bool = False
    login_disabled: bool = False
    """IMAP LOGINDISABLED (RFC 9051 6.2.2)."""
    length: int = 0
    """Bytes of the reply that held it, for comparing with the same reply inside TLS."""


@record
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


@record
class TlsStarted:
    """From here on the bytes are TLS."""

    mode: TlsMode


@record
class ClientHello:
    """The first TLS message (RFC 8446 4.1.2, RFC 5246 7.4.1.2, RFC 6101 E for the old form)."""

    server_name: str | None
    alpn: tuple[str, ...]
    versions: tuple[str, ...]
    """Versions offered, newest first, in the session record's spelling."""
    ja3: str | None
    ja4: str | None


@record
class ServerHello:
    """The server's choice (RFC 8446 4.1.3)."""

    version: str
    cipher: str
    """IANA name; ``0x....`` where it has none here."""
    alpn: str | None = None
    encrypt_then_mac: bool = False
    """RFC 7366."""
    resumed: bool | None = None


@record
class Certificate:
    """The server's certificate, in clear up to TLS 1.2."""

    subject: str | None
    names: tuple[str, ...]
    issuer: str | None


@record
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
    sizes: tuple[int, ...] = ()
    """Plaintext bytes, at most, of each of its first records."""

    def plus(self, low: int, high: int) -> Turn:
        """The same with so many bytes more."""
        return Turn(self.side, self.low + low, self.high + high, self.records, self.at, self.sizes)


@record
class Mail:
    """An envelope was accepted or refused."""

    accepted: bool


@record
class Manner:
    """How a client speaks, as far as it tells programs apart; see ``protocols.smtp_manner``."""

    text: str
    left: bool
    """It took its leave, or nobody can tell: False where all was heard and there was none."""


@record
class Label:
    """A fact worth keeping, named ``protocol.field``, such as ``smtp.public_ip`` or ``eas.device_id``.

    In a conversation the field tells whether it is the client's or the server's (``scanner.labels``); what is
    announced to all is about the one that says it, unless ``ip`` or ``mac`` names another.
    """

    field: str
    text: str
    """At most 512 characters."""
    ip: str | None = None
    """Canonical; only where it is not the speaker."""
    mac: str | None = None
    """``aa:bb:cc:dd:ee:ff``; likewise."""


@record
class Leased:
    """An address was given to a network card (RFC 2131 3.1)."""

    ip: str
    mac: str
    seconds: int
    """For how long from now on."""
    renewed: bool = False
    """It had the address before (RFC 2131 4.3.2: the client was RENEWING or REBINDING)."""


@record
class Answer:
    """A name that an address was asked for (DNS)."""

    name: str
    """Lower case, without the last dot."""
    address: str


@record
class Gap:
    """Bytes are missing."""

    side: Side
    missing: int
    """-1: nobody knows how many."""


@record
class Weird:
    """Something that the protocol does not allow, or a limit that was reached; ``protocol_what``."""

    name: str
    detail: str = ""


@record
class Service:
    """What kind of HTTP or mail service is spoken with: ``eas``, ``ews``, ``submission`` …"""

    service: str


@record
class Reached:
    """How far the conversation got."""

    phase: Phase


Event = (
    Greeting | ClientName | Offer | Login | TlsStarted | ClientHello | ServerHello | Certificate | Turn | Mail
    | Manner | Label | Leased | Answer | Gap | Weird | Service | Reached
)  # fmt: skip
