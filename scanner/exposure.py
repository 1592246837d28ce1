"""What is wrong with what a machine offers, and whether it is a relay: one function a rule, pure.

A rule says nothing (None) where it does not apply; its docstring says why it matters and where that stands.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from functools import cache

from scanner.events import TlsMode
from scanner.identify import votes
from scanner.net import is_internal
from scanner.services import Answered, Relaying, Service

OLD_TLS = frozenset({"SSLv2", "SSLv3", "TLSv1", "TLSv1.1"})
PASSWORDS = frozenset({"LOGIN", "PLAIN", "USERPASS", "HTTP-Basic"})
"""Mechanisms that hand over a password as it is."""
KEY_BITS = 2048
"""RSA keys shorter than this are short: RFC 9325 4.5."""
LAST_SECOND = 253_402_300_799
"""Of the year 9999: certificates that never end say so (RFC 5280 4.1.2.5)."""
_MAIL = frozenset({"smtp", "imap", "pop3"})
_SHORT_KEY = re.compile(r"(?:RSA|DSA) (\d{1,5})")


class Severity(StrEnum):
    """How much a finding matters."""

    WARN = "warn"
    """To be put right."""
    NOTE = "note"
    """To be known."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one rule says of one service."""

    rule: str
    """The rule's name, kebab-case."""
    level: Severity
    text: str
    why: str
    """Why it matters, and where that stands."""


class Relay(StrEnum):
    """By what a mail server on the LAN is taken for a relay; of several the first."""

    EXCHANGE = "Exchange Server"
    GATEWAY = "mail gateway"
    BRIDGE = "OAuth bridge"
    WITHOUT_LOGIN = "takes mail without a login"
    LOGIN_IN_CLEAR = "takes a login in clear"


Rule = Callable[[Service, date], str | None]


def findings(service: Service, as_of: date) -> tuple[Finding, ...]:
    """Say what every rule says of a service on a day, what is to be put right first."""
    return tuple(
        Finding(rule.__name__.replace("_", "-"), level, text, _why(rule))
        for level, rules in ((Severity.WARN, WARNINGS), (Severity.NOTE, NOTES))
        for rule in rules
        if (text := rule(service, as_of))
    )


@cache
def _why(rule: Rule) -> str:
    return " ".join((rule.__doc__ or "").split())


def relay_of(service: Service) -> Relay | None:
    """Tell whether, and by what, a service is a relay for mail of the LAN."""
    if service.protocol != "smtp" or service.outcome is not Answered.ANSWERED:
        return None
    if not is_internal(service.host):
        return None
    said = votes("smtp.banner", service.banner or "")
    for relay, names in _SPEAKERS:
        if any(vote.kind in names or vote.software in names for vote in said):
            return relay
    if service.relaying is Relaying.TAKES:
        return Relay.WITHOUT_LOGIN
    return Relay.LOGIN_IN_CLEAR if service.offered else None


_SPEAKERS = (
    (Relay.EXCHANGE, frozenset({"Exchange Server"})),
    (Relay.GATEWAY, frozenset({"mail gateway"})),
    (Relay.BRIDGE, frozenset({"oauth bridge"})),
)
"""Kinds and programs as fingerprints have them."""


def password_in_clear(service: Service, as_of: date) -> str | None:
    """A password that is taken without TLS can be read by whoever is on the way (RFC 4954 4, RFC 8314 3)."""
    found = PASSWORDS.intersection(service.offered)
    return f"takes passwords in clear: {', '.join(sorted(found))}" if found else None


def login_not_disabled(service: Service, as_of: date) -> str | None:
    """Without LOGINDISABLED an IMAP client may send its password in clear (RFC 9051 6.2.3, RFC 8314 3)."""
    clear = service.protocol == "imap" and service.tls_mode is not TlsMode.IMPLICIT
    return "takes LOGIN in clear" if clear and service.login_disabled is False else None


def no_starttls(service: Service, as_of: date) -> str | None:
    """Without TLS all crosses in clear, mail and login (RFC 3207 6, RFC 2595 1, RFC 8314 3)."""
    clear = service.protocol in _MAIL and service.tls_mode is not TlsMode.IMPLICIT
    return "offers no TLS" if clear and service.starttls is False else None


def ends_below_tls_1_2(service: Service, as_of: date) -> str | None:
    """TLS 1.2 is the least to be used (RFC 8996); a relay without it does not reach Exchange Online."""
    newest = service.tls.newest
    return f"speaks no TLS newer than {newest}" if newest in OLD_TLS else None


def old_tls_taken(service: Service, as_of: date) -> str | None:
    """TLS 1.0 and 1.1 are not to be used, SSL still less (RFC 8996 4 and 5, RFC 7568, RFC 6176)."""
    oldest, newest = service.tls.oldest, service.tls.newest
    return f"takes {oldest}" if oldest in OLD_TLS and newest not in OLD_TLS else None


def weak_ciphers(service: Service, as_of: date) -> str | None:
    """RC4, NULL, export ciphers and those with blocks of 64 bits can be broken (RFC 7465, RFC 9325 4.1)."""
    return f"takes weak ciphers: {', '.join(service.tls.weak)}" if service.tls.weak else None


def short_key(service: Service, as_of: date) -> str | None:
    """RSA and DSA keys below 2048 bits are too short (RFC 9325 4.5, NIST SP 800-131A)."""
    key = service.certificate.key if service.certificate else ""
    found = _SHORT_KEY.fullmatch(key)
    return f"its certificate's key is short: {key}" if found and int(found[1]) < KEY_BITS else None


def weak_signature(service: Service, as_of: date) -> str | None:
    """What is signed with MD5 or SHA-1 can be forged, and newer clients refuse it (RFC 6151, RFC 9155)."""
    signature = service.certificate.signature if service.certificate else ""
    weak = signature.lower().replace("-", "") in ("md2", "md4", "md5", "sha1")
    return f"its certificate is signed with {signature}" if weak else None


def certificate_expired(service: Service, as_of: date) -> str | None:
    """A client that checks the certificate refuses one that ran out (RFC 5280 6.1.3)."""
    if service.certificate is None or (until := _day(service.certificate.not_after)) >= as_of:
        return None
    return f"its certificate ran out on {until}"


def certificate_not_yet_valid(service: Service, as_of: date) -> str | None:
    """A client that checks the certificate refuses one that is not valid yet (RFC 5280 6.1.3)."""
    if service.certificate is None or (since := _day(service.certificate.not_before)) <= as_of:
        return None
    return f"its certificate is not valid before {since}"


def open_relay(service: Service, as_of: date) -> str | None:
    """Whoever reaches it may send mail through it to that address (RFC 5321 7.9, RFC 2505 2.1)."""
    taken = service.relaying is Relaying.TAKES
    return "takes mail for the address that was named, without a login" if taken else None


def lan_relay(service: Service, as_of: date) -> str | None:
    """Devices may send through it; its own login to Exchange Online then decides on their mail."""
    relay = relay_of(service)
    return f"may be a relay: {relay.value}" if relay else None


def old_web_page(service: Service, as_of: date) -> str | None:
    """A device mostly has one TLS library for page and mail; Exchange Online takes TLS 1.2 and newer."""
    newest = service.tls.newest
    if service.protocol != "http" or newest not in OLD_TLS:
        return None
    return f"its web page ends at {newest}: its mail client likely does, too, and is refused"


def names_disclosed(service: Service, as_of: date) -> str | None:
    """NTLM tells the names of machine and domain to whoever begins a login ([MS-NLMP] 2.2.1.2, 2.2.2.1)."""
    names = service.ntlm and [name for name in (service.ntlm.host, service.ntlm.domain) if name]
    return f"tells its names to anybody: {', '.join(names)}" if names else None


WARNINGS: tuple[Rule, ...] = (
    open_relay,
    password_in_clear,
    login_not_disabled,
    no_starttls,
    ends_below_tls_1_2,
    old_tls_taken,
    weak_ciphers,
    short_key,
    weak_signature,
    certificate_expired,
    certificate_not_yet_valid,
)
NOTES: tuple[Rule, ...] = (lan_relay, old_web_page, names_disclosed)


def _day(at: int) -> date:
    """The day of a time (ns)."""
    return datetime.fromtimestamp(min(max(at // 1_000_000_000, 0), LAST_SECOND), UTC).date()
