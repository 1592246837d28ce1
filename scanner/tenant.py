"""What the tenant's own logs and lists say of sign-ins and mailboxes, and whose mailbox a device uses.

Times are integers, nanoseconds since 1970-01-01 UTC; addresses are text in canonical form (RFC 5952).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from scanner.events import Outcome
from scanner.record import record


@record
class SignIn:
    """One row of a sign-in log."""

    id: str
    """The log's own (request id), else a hash of the row."""
    at: int
    """ns; logs tell seconds at best."""
    user: str
    """User principal name, lower case."""
    ip: str | None
    """The address that the service saw; behind NAT the site's own."""
    protocol: str | None
    """``smtp``, ``imap``, ``pop3``, ``http``; None: another, or not told."""
    service: str | None
    """``eas``, ``ews`` … for http."""
    outcome: Outcome | None
    password: bool | None
    """A password crossed (ropc, BAV2ROPC); False: a token; None: not told."""
    reason: str | None = None
    """Why it was refused, in the log's words."""
    user_agent: str | None = None


@record
class HeardLogin:
    """A login at Exchange Online that was heard on the network, as far as it bears on whose it was."""

    host: str
    """Its name in the inventory."""
    at: int
    """When its session began, ns, by the sensor's clock."""
    protocol: str | None
    service: str | None
    outcome: Outcome | None
    password: bool | None
    """A password crossed; False: a token; None: not told, or not surely."""
    sensor: str = ""
    public_ip: str | None = None
    """The address that the server saw, from its reply to EHLO."""
    ahead_s: int | None = None
    """By how much the server's clock, as it greeted, was ahead of the sensor's; None: it told no time."""
    username: str | None = None
    """Where it crossed in clear; masked, as it is kept."""
    connection: str | None = None
    """The server's name for the connection, from its greeting; refusals repeat it."""


class SmtpAuth(StrEnum):
    """The three states of ``SmtpClientAuthenticationDisabled`` of a mailbox."""

    ALLOWED = "allowed"
    """``$false``"""
    DISABLED = "disabled"
    """``$true``; tokens are refused, too."""
    INHERITED = "inherited"
    """``$null``: the tenant's switch decides."""


@record
class Mailbox:
    """What the tenant says of a mailbox."""

    address: str
    """Primary SMTP address, lower case."""
    smtp_auth: SmtpAuth | None
    """None: not told."""
    at: int
    """When it was so, ns: of the file."""


@record
class Sender:
    """A row of the report "SMTP AUTH clients"."""

    address: str
    """Lower case."""
    password: bool | None
    """By its column "Authentication Protocol"; None: not told."""
    messages: int
    at: int
    """When it was so, ns: of the file."""


@record
class Asset:
    """A row of a list of the site's own."""

    key: str
    """MAC, address or name, lower case."""
    owner: str | None
    place: str | None
    note: str | None


@record
class Coincidence:
    """A session and a sign-in that fit."""

    session_at: int
    """When the login in the session began, as far as known; ns."""
    sign_in: str
    """Its id."""
    apart_ns: int
    """How far they are apart once clocks are compared; sign-in less session."""
    candidates: int
    """Devices that this sign-in would have fitted as well, this one included."""


@dataclass(frozen=True, slots=True)
class Tie:
    """A device uses a mailbox."""

    host: str
    """Its name in the inventory."""
    user: str
    score: float
    """0 to 1: of those at x, a share x is right."""
    basis: str
    """``seen`` (the name crossed in clear), ``refusal`` (a refusal's connection id), ``coincidence``."""
    coincidences: tuple[Coincidence, ...] = ()
    """Some of them, the best first."""
    count: int = 0
    """All of them."""
