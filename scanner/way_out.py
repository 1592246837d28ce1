"""The way out to Exchange Online: what asking it from here told, and what is found in that; pure.

One function a rule, as in ``exposure``; its docstring says why it matters and where that stands.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from scanner.events import TlsMode
from scanner.exposure import PASSWORDS, Finding, Severity
from scanner.net import canonical, is_internal
from scanner.services import Answered, Service

DNS_ERROR = "dns-error"
"""How asking ended where there was no address to ask: beside those of ``Answered``."""
CLOCK_NS = 5_000_000_000
"""How far clocks may be apart: a greeting tells whole seconds, and is heard some tenths of one later."""
BLOCKED_PORT = 25
INCLUDED = ("spf.protection.outlook.com", "spf.protection.office365.us", "spf.protection.partner.outlook.cn")
"""What Microsoft has a domain include (its "Set up SPF", and the national clouds' own)."""
_DATED = ("certificate has expired", "certificate is not yet valid")
"""Of OpenSSL's reasons (X509_verify_cert_error_string) those that a clock decides on."""
_CLOSING = frozenset({"pop-legacy", "imap-legacy"})
_PASSWORDS = PASSWORDS | {"IMAP-LOGIN"}


@dataclass(frozen=True, slots=True)
class Address:
    """Where a name leads."""

    ip: str
    prefix: str | None
    """The catalogue's that holds it."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An endpoint that was asked."""

    name: str
    """Or address."""
    port: int
    role: str | None
    """The catalogue's; None: a server that it does not know."""
    addresses: tuple[Address, ...] = ()
    fault: str = ""
    """Why there is no address to ask."""
    service: Service | None = None
    """What the last address that was asked gave."""
    issuers: tuple[str, ...] = ()
    """Whose certificate is expected; empty: anybody's."""
    trusted: bool | None = None
    """This machine's trust store knows who issued the certificate; None: that was not found out."""
    distrust: str = ""
    """Why not."""
    greeting_known: bool | None = None
    """The name that it greets by is in the catalogue; None: it gave none, or does not speak SMTP."""
    ahead_ns: int | None = None
    """How far its clock is ahead of this machine's; None: it did not tell the time."""

    @property
    def place(self) -> str:
        """Name (or address) and port as one writes them."""
        return f"[{self.name}]:{self.port}" if ":" in self.name else f"{self.name}:{self.port}"

    @property
    def known(self) -> bool:
        """Whether it is Microsoft's by the catalogue."""
        return self.role is not None

    @property
    def outcome(self) -> str:
        """How asking it ended."""
        return self.service.outcome if self.service else DNS_ERROR

    @property
    def issuer_expected(self) -> bool | None:
        """Whether who issued the certificate issues Microsoft's; None: no certificate, or anybody may."""
        shown = self.service.certificate if self.service else None
        if shown is None or not self.issuers:
            return None
        return any(_fits_pattern(shown.issuer or "", pattern) for pattern in self.issuers)

    @property
    def names_fit(self) -> bool | None:
        """Whether the certificate is for the name that was asked; None: no certificate, or no name."""
        shown = self.service.certificate if self.service else None
        if shown is None or is_address(self.name):
            return None
        return any(fits(name, self.name) for name in shown.names)

    @property
    def stripped(self) -> bool:
        """Whether one of Microsoft's names answered in clear, and TLS was not offered or not begun."""
        service = self.service
        clear = service is not None and service.starttls is not None and service.tls_mode is TlsMode.CLEAR
        return self.known and clear

    @property
    def intercepted(self) -> bool | None:
        """Whether somebody on the way answers in Microsoft's place; None: nothing tells."""
        if not self.known:
            return None
        dated = self.distrust in _DATED  # this machine's clock may be wrong
        signs = (self.issuer_expected, self.names_fit, None if dated else self.trusted)
        if self.stripped or False in signs:
            return True
        return False if True in signs else None

    @property
    def passwords(self) -> tuple[str, ...]:
        """Mechanisms offered, in clear or inside TLS, that hand over a password as it is."""
        if self.service is None:
            return ()
        paths = (name for path in self.service.paths for name in path.offered)
        offered = {*self.service.offered, *self.service.offered_tls, *paths}
        if self.service.protocol == "imap" and self.service.login_disabled is False:
            offered.add("IMAP-LOGIN")
        return tuple(sorted(_PASSWORDS & offered))

    @property
    def trouble(self) -> str | None:
        """Why the way to it is not free, in a few words; of endpoints that are being closed it is none."""
        if self.outcome != Answered.ANSWERED:
            return None if self.role in _CLOSING else self.outcome
        return "intercepted" if self.intercepted else None


@dataclass(frozen=True, slots=True)
class Published:
    """What a tenant's domain says in the DNS."""

    name: str
    kind: str
    """``MX``, ``CNAME``, ``SRV`` or ``TXT``, of which the one for SPF."""
    records: tuple[str, ...] = ()
    fault: str = ""
    """Why there is no answer; a name that does not exist has none of the records."""

    @property
    def place(self) -> str:
        """Name and kind."""
        return f"{self.name} {self.kind}"

    @property
    def outcome(self) -> str:
        """How asking ended."""
        return DNS_ERROR if self.fault else Answered.ANSWERED

    @property
    def targets(self) -> tuple[str, ...]:
        """Names that MX, CNAME and SRV lead to."""
        words = (record.split() for record in self.records)
        return tuple(parts[-1].lower() for parts in words if parts and parts[-1] != ".")

    @property
    def trouble(self) -> str | None:
        """Why it could not be asked."""
        return DNS_ERROR if self.fault else None


def seen_as(found: Iterable[Endpoint | Published]) -> tuple[str, ...]:
    """Addresses that servers said we come from, sorted; what is none is left out."""
    said = (one.service.public_ip for one in found if isinstance(one, Endpoint) and one.service)
    return tuple(sorted({canonical(ip) for ip in said if ip and is_address(ip)}))


def fits(pattern: str, name: str) -> bool:
    """Tell whether a name of a certificate is for a host; a star is its first label (RFC 9525 6.3)."""
    pattern, name = pattern.lower().rstrip("."), name.lower().rstrip(".")
    first, _, rest = pattern.partition(".")
    return pattern == name or (first == "*" and "." in rest and name.partition(".")[2] == rest)


def is_address(text: str) -> bool:
    """Tell an address from a name."""
    try:
        return bool(canonical(text))
    except ValueError:
        return False


def _fits_pattern(name: str, pattern: str) -> bool:
    return name.startswith(pattern[:-1]) if pattern.endswith("*") else name == pattern


Rule = Callable[[Endpoint], str | None]


def findings(asked: Endpoint) -> tuple[Finding, ...]:
    """Say what every rule says of an endpoint, what is to be put right first."""
    return tuple(
        Finding(rule.__name__.replace("_", "-"), level, text, " ".join((rule.__doc__ or "").split()))
        for level, rules in ((Severity.WARN, WARNINGS), (Severity.NOTE, NOTES))
        for rule in rules
        if (text := rule(asked))
    )


def foreign_issuer(asked: Endpoint) -> str | None:
    """Who opens TLS on the way reads mail and passwords, and a device that does not know him cannot send."""
    shown = asked.service.certificate if asked.service else None
    if shown is None or asked.issuer_expected is not False:
        return None
    by = shown.issuer or "nobody that it names"
    own = "; this machine trusts him, a device may not" if asked.trusted else ""
    return f"its certificate is by {by}, who issues none of Microsoft's: a proxy opens TLS{own}"


def foreign_name(asked: Endpoint) -> str | None:
    """A client that checks the certificate refuses one for another name (RFC 9525 6.3)."""
    shown = asked.service.certificate if asked.service else None
    if shown is None or asked.names_fit is not False:
        return None
    return f"its certificate is for {shown.names[0] if shown.names else shown.subject or 'no name'}"


def untrusted(asked: Endpoint) -> str | None:
    """A client that checks the certificate refuses one whose issuer it does not know (RFC 5280 6.1)."""
    return f"this machine does not trust its certificate: {asked.distrust}" if asked.distrust else None


def starttls_taken_away(asked: Endpoint) -> str | None:
    """Exchange Online always offers STARTTLS; firewalls that inspect SMTP hide or refuse it (RFC 3207 6)."""
    if not asked.stripped or asked.service is None:
        return None
    how = "offers STARTTLS, and does not begin it" if asked.service.starttls else "offers no STARTTLS"
    return f"{how}: somebody on the way takes it away"


def internal_address(asked: Endpoint) -> str | None:
    """Microsoft's names lead to public addresses, unless a resolver or a hosts file sends them elsewhere."""
    found = [one.ip for one in asked.addresses if is_internal(one.ip)] if asked.known else []
    return f"its name leads to {found[0]}, an address of this site" if found else None


def clock_apart(asked: Endpoint) -> str | None:
    """Sessions are matched with Microsoft's sign-in logs by the time, and certificates are valid by it."""
    if asked.ahead_ns is None or abs(asked.ahead_ns) <= CLOCK_NS:
        return None
    seconds, way = divmod(abs(asked.ahead_ns), 10**9)[0], "behind" if asked.ahead_ns > 0 else "ahead of"
    return f"this machine's clock is {seconds:,} s {way} its own"


def closed_on_the_way(asked: Endpoint) -> str | None:
    """Many providers let nobody out to port 25; a mailbox submits to 587, direct send and relay need 25."""
    closed = asked.outcome in (Answered.FILTERED, Answered.REFUSED, Answered.TIMEOUT)
    return "port 25 seems to be closed on the way" if closed and asked.port == BLOCKED_PORT else None


def passwords_offered(asked: Endpoint) -> str | None:
    """Exchange Online takes passwords over SMTP alone, and how long 'mailsunset deadlines' tells."""
    if not (asked.known and asked.passwords and asked.service):
        return None
    refused = "" if asked.service.protocol == "smtp" else ", which Exchange Online refuses since 2023"
    return f"offers passwords: {' '.join(asked.passwords)}{refused}"


def outside_prefixes(asked: Endpoint) -> str | None:
    """Firewalls are opened by Microsoft's list of prefixes; what lies outside is new, or not theirs."""
    missing = [one.ip for one in asked.addresses if one.prefix is None and not is_internal(one.ip)]
    return f"not in the catalogue's prefixes: {' '.join(missing)}" if asked.known and missing else None


def foreign_greeting(asked: Endpoint) -> str | None:
    """Exchange Online greets by a name of its own; a relay that takes its place greets by another."""
    if not asked.known or asked.greeting_known is not False or asked.service is None:
        return None
    return f"greets as {asked.service.server_name}, a name that is not Microsoft's"


WARNINGS: tuple[Rule, ...] = (
    starttls_taken_away, foreign_issuer, foreign_name, untrusted, internal_address, clock_apart,
)  # fmt: skip
NOTES: tuple[Rule, ...] = (closed_on_the_way, passwords_offered, outside_prefixes, foreign_greeting)


def of_tenant(
    published: Published, role: Callable[[str], str | None], seen_as: Collection[str]
) -> tuple[Finding, ...]:
    """Say what a tenant's record means; ``role``: the catalogue's of a name."""
    if published.fault:
        return ()
    if published.kind == "MX":
        return (_mail_goes(published, role),)
    if published.kind == "TXT":
        return tuple(_sender_policy(published, seen_as))
    roles = {role(name) for name in published.targets}
    if not published.targets:
        return ()
    led = "to Exchange Online" if roles <= {"autodiscover", "outlook"} else "elsewhere"
    why = "Programs find their mailbox by it; in a hybrid one's own server is asked first ([MS-OXDISCO])."
    return (Finding("autodiscover", Severity.NOTE, f"Autodiscover leads {led}", why),)


def _mail_goes(published: Published, role: Callable[[str], str | None]) -> Finding:
    why = "Direct send and relay need the MX that Microsoft gave the domain, whatever stands in front of it."
    own = [role(name) == "mx" for name in published.targets]
    if not own:
        return Finding("mail-goes", Severity.WARN, "has no MX: mail does not go to Exchange Online", why)
    if all(own):
        return Finding("mail-goes", Severity.NOTE, "mail goes to Exchange Online", why)
    text = (
        "some mail goes elsewhere first" if any(own) else "mail goes elsewhere first: to a gateway, perhaps"
    )
    return Finding("mail-goes", Severity.NOTE, text, why)


def _sender_policy(published: Published, seen_as: Collection[str]) -> list[Finding]:
    why = "Direct send is checked like mail from outside: by SPF, for the address that the site is seen as."
    if len(published.records) != 1:
        text = f"{len(published.records) or 'no'} SPF records, where there should be one (RFC 7208 4.5)"
        return [Finding("sender-policy", Severity.WARN, text, why)]
    terms = published.records[0].lower().split()[1:]
    included = any(term.lstrip("+").removeprefix("include:") in INCLUDED for term in terms)
    text = "SPF covers Exchange Online" if included else "SPF does not include Exchange Online itself"
    found = [Finding("sender-policy", Severity.NOTE, text, why)]
    for ip in sorted(seen_as):
        named = "names" if any(_holds(term, ip) for term in terms) else "does not itself name"
        text = f"SPF {named} {ip}, as which this site is seen"
        found.append(Finding("direct-send", Severity.NOTE, text, why))
    return found


def _holds(term: str, ip: str) -> bool:
    """Tell whether ``ip4:`` or ``ip6:`` names an address (RFC 7208 5.6)."""
    mechanism, _, prefix = term.lstrip("+").partition(":")
    try:
        return mechanism in ("ip4", "ip6") and ip_address(ip) in ip_network(prefix, strict=False)
    except ValueError:
        return False
