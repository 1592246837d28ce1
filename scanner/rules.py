"""What becomes of a usage, and why: one function a rule, pure, on any day that is asked about.

A rule says nothing (None) where it does not apply; the worst of what is said is the verdict.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date

from scanner.catalogue.retirement import Deadline, Retirement
from scanner.events import Outcome
from scanner.model import SEVERITY, AuthClass, Level, Reason, ServerKind, Usage, Verdict

Rule = Callable[[Usage, Retirement, date, str | None], Reason | None]

_OLD_TLS = frozenset({"SSLv2", "SSLv3", "TLSv1", "TLSv1.1"})
PASSWORDS = frozenset({AuthClass.BASIC, AuthClass.DIGEST, AuthClass.NTLM})
"""What rests on a password, however it crosses."""
_SAFE = frozenset({AuthClass.OAUTH, AuthClass.CERTIFICATE, AuthClass.COOKIE, AuthClass.KERBEROS})
_LEGACY_ROLES = frozenset({"smtp-legacy", "pop-legacy", "imap-legacy"})
_OAUTH = "Move it to OAuth, to a relay that speaks OAuth, or to High Volume Email."
_REFUSALS = frozenset(
    {"basic-disabled", "basic-removed", "smtp-auth-disabled-tenant", "smtp-auth-disabled-mailbox"}
)


def judge(usage: Usage, retirement: Retirement, as_of: date, role: str | None = None) -> tuple[Reason, ...]:
    """Say what every rule says of a usage, the worst first; there is always at least one reason."""
    if usage.server_kind is not ServerKind.EXCHANGE_ONLINE and role not in _NEIGHBOURS:
        return (_elsewhere(usage),)
    said = [reason for rule in RULES if (reason := rule(usage, retirement, as_of, role))]
    if not any(reason.level in (Level.BROKEN, Level.BREAKS, Level.REVIEW) for reason in said):
        said.append(_rest(usage))
    return tuple(sorted(said, key=lambda reason: -SEVERITY[reason.level]))


UNHEARD = Verdict(Level.UNKNOWN, None, ())
"""Of a machine that was heard of, or asked what it offers, and not heard mailing."""


def weigh(said: Iterable[Reason]) -> Verdict:
    """Conclude from what was said of all that a host does."""
    reasons = tuple(dict.fromkeys(sorted(said, key=_urgency)))
    if not reasons:
        return Verdict(Level.FINE, None, ())
    return Verdict(reasons[0].level, reasons[0].deadline, reasons)


def _urgency(reason: Reason) -> tuple[int, date]:
    return -SEVERITY[reason.level], reason.deadline or date.max


def password_on_a_closed_protocol(
    usage: Usage, retirement: Retirement, as_of: date, role: str | None
) -> Reason | None:
    """POP3, IMAP4 and every HTTP service refuse passwords since January 2023, without a way back."""
    row = retirement["consumer-basic-auth" if role == "consumer" else "basic-auth"]
    if usage.protocol not in ("pop3", "imap", "http") or usage.auth_class not in PASSWORDS:
        return None
    if row.date and as_of < row.date:
        return _reason(usage, "basic-auth", Level.BREAKS, f"{_way(usage)} will be refused", row, _OAUTH)
    return _reason(usage, "basic-auth", Level.BROKEN, f"{_way(usage)} is refused", row, _OAUTH)


def password_on_submission(
    usage: Usage, retirement: Retirement, as_of: date, role: str | None
) -> Reason | None:
    """SMTP AUTH with a password is off by default from the end of December 2026."""
    if usage.protocol != "smtp" or usage.auth_class not in PASSWORDS or role in ("hve", *_NEIGHBOURS):
        return None
    row = retirement["consumer-basic-auth" if role == "consumer" else "smtp-auth"]
    if usage.outcome is Outcome.REFUSED and usage.cause in _REFUSALS:
        text = f"{_way(usage)} is refused already ({usage.cause})"
        return _reason(usage, "smtp-auth-refused", Level.BROKEN, text, row, _OAUTH)
    if row.date and as_of < row.date:
        return _reason(usage, "smtp-auth", Level.BREAKS, f"{_way(usage)} works until then", row, _OAUTH)
    return _reason(
        usage, "smtp-auth", Level.BROKEN, f"{_way(usage)} is off by default since then", row, _OAUTH
    )


def old_tls(usage: Usage, retirement: Retirement, as_of: date, role: str | None) -> Reason | None:
    """Exchange Online refuses TLS below 1.2, but on the opt-in hosts for legacy TLS."""
    if usage.tls_version not in _OLD_TLS or role == "mx":
        return None
    advice = "Update its firmware, or put a relay in front of it that speaks TLS 1.2."
    text = f"{usage.tls_version} is below TLS 1.2"
    if role in _LEGACY_ROLES:
        row = retirement["popimap-legacy-hosts-end"]
        level = Level.BREAKS if row.date and as_of < row.date else Level.BROKEN
        if role == "smtp-legacy":
            return _reason(usage, "legacy-tls", Level.REVIEW, text, None, advice)
        return _reason(usage, "legacy-tls", level, text, row, advice)
    row = retirement["smtp-legacy-tls" if usage.protocol == "smtp" else "popimap-legacy-tls"]
    return _reason(usage, "old-tls", Level.BROKEN, text, row, advice)


def old_activesync(usage: Usage, retirement: Retirement, as_of: date, role: str | None) -> Reason | None:
    """ActiveSync below protocol 16.1 is refused since March 2026."""
    version = _version(usage.client_version)
    if usage.service != "eas" or version is None or version >= (16, 1):
        return None
    row = retirement["eas-below-16.1"]
    level = Level.BREAKS if row.date and as_of < row.date else Level.BROKEN
    text = f"ActiveSync {usage.client_version} is below 16.1"
    return _reason(
        usage, "old-activesync", level, text, row, "Update the device, or use another mail program."
    )


def web_services(usage: Usage, retirement: Retirement, as_of: date, role: str | None) -> Reason | None:
    """EWS goes in two steps; however one logs in."""
    if usage.service != "ews":
        return None
    begin, end = retirement["ews-begin"], retirement["ews-end"]
    advice = "Ask its maker for a version that uses Microsoft Graph."
    if end.date and as_of >= end.date:
        return _reason(usage, "ews", Level.BROKEN, "EWS is switched off", end, advice)
    if begin.date and as_of >= begin.date:
        text = "EWS works only for allowed applications, and ends then"
        return _reason(usage, "ews", Level.BREAKS, text, end, advice)
    return _reason(usage, "ews", Level.BREAKS, "EWS is blocked for applications not allowed", begin, advice)


def retired_service(usage: Usage, retirement: Retirement, as_of: date, role: str | None) -> Reason | None:
    """Outlook Anywhere and Remote PowerShell are gone, however one logs in."""
    name = {"rpc": "outlook-anywhere", "powershell": "remote-powershell"}.get(usage.service or "")
    if name is None:
        return None
    row = retirement[name]
    level = Level.BREAKS if row.date and as_of < row.date else Level.BROKEN
    return _reason(usage, name, level, row.what, row, "Update the program that still uses it.")


def direct_send(usage: Usage, retirement: Retirement, as_of: date, role: str | None) -> Reason | None:
    """Mail to the tenant's MX without a login is direct send or a connector; other switches touch it."""
    to_mx = role == "mx" or (usage.server_port == 25 and usage.auth_class is AuthClass.NONE)
    if usage.protocol != "smtp" or not to_mx or usage.auth_class in (*PASSWORDS, *_SAFE):
        return None
    text = "mail to the tenant's MX: direct send, or a connector; not hit by the end of passwords"
    advice = "Check the tenant's connectors, and whether RejectDirectSend is on."
    return _reason(usage, "direct-send", Level.REVIEW, text, None, advice)


def high_volume_email(usage: Usage, retirement: Retirement, as_of: date, role: str | None) -> Reason | None:
    """High Volume Email keeps passwords, for internal recipients, until September 2028."""
    if role != "hve" or usage.auth_class not in (*PASSWORDS, AuthClass.UNKNOWN):
        return None
    row = retirement["hve-basic-auth"]
    advice = "Plan for OAuth before then; recipients must be internal."
    level = Level.REVIEW if row.date is None or as_of < row.date else Level.BROKEN
    return _reason(
        usage, "high-volume-email", level, "High Volume Email takes passwords until then", row, advice
    )


def legacy_host(usage: Usage, retirement: Retirement, as_of: date, role: str | None) -> Reason | None:
    """The opt-in hosts for legacy TLS are ending, whatever TLS is spoken with them."""
    if role not in _LEGACY_ROLES:
        return None
    row = retirement["popimap-legacy-hosts-end"] if role != "smtp-legacy" else None
    return _reason(usage, "legacy-host", Level.REVIEW, f"{role} is an opt-in host that ends", row,
                   "Use the normal host, with TLS 1.2.")  # fmt: skip


RULES: tuple[Rule, ...] = (
    password_on_a_closed_protocol,
    password_on_submission,
    old_tls,
    old_activesync,
    web_services,
    retired_service,
    direct_send,
    high_volume_email,
    legacy_host,
)
_NEIGHBOURS = ("azure-communication-services",)
"""Microsoft's, and no mailbox of Exchange Online: passwords stay."""


def _elsewhere(usage: Usage) -> Reason:
    """Not Exchange Online: not hit itself."""
    text = "not Exchange Online"
    if usage.server_kind is ServerKind.INTERNAL and usage.auth_class in PASSWORDS:
        text = "a password to a server of the site; what becomes of its mail is decided there"
    return _reason(usage, "not-exchange-online", Level.FINE, text, None, "")


def _rest(usage: Usage) -> Reason:
    """No rule touches it: say why it is fine, or why nobody can tell."""
    match usage.auth_class:
        case AuthClass.UNKNOWN if usage.tls_version or usage.tls_mode not in (None, "clear"):
            text = "the login is inside TLS and was not told apart"
        case AuthClass.UNKNOWN:
            text = "bytes are missing where the login would be"
        case AuthClass.INCOMPLETE:
            text = "no conversation got as far as a login"
        case AuthClass.NONE:
            return _reason(usage, "no-login", Level.FINE, "served without a login", None, "")
        case _ if usage.auth_class in _SAFE:
            return _reason(usage, "modern-login", Level.FINE, f"{_way(usage)} goes on working", None, "")
        case _:
            text = f"no rule is known for {_way(usage)}"
    return _reason(usage, "unknown-login", Level.UNKNOWN, text, None, "Listen longer, or look at the device.")


def _reason(usage: Usage, rule: str, level: Level, text: str, row: Deadline | None, advice: str) -> Reason:
    return Reason(
        rule=rule,
        level=level,
        text=text,
        source=row.source if row else "",
        basis=usage.basis,
        confidence=usage.confidence,
        deadline=row.date if row else None,
        advice=advice,
    )


def _way(usage: Usage) -> str:
    protocol = ("smtp" if usage.protocol == "smtp" else usage.service or usage.protocol or "mail").upper()
    return f"{protocol} with {usage.mechanism or usage.auth_class.value}"


def _version(text: str | None) -> tuple[int, int] | None:
    major, _, minor = (text or "").partition(".")
    return (int(major), int(minor or "0")) if major.isdecimal() and (minor or "0").isdecimal() else None
