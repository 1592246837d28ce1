"""Session, host and service records, key by key as the README lists them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from functools import cache, lru_cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from scanner.account import Usernames
from scanner.exposure import findings
from scanner.identify import oauth_row
from scanner.model import Device, Heard, Host, Level, Observation, Reason, Verdict
from scanner.net import is_randomised
from scanner.services import Service, ShownCertificate
from scanner.tenant import Asset, Tie

if TYPE_CHECKING:
    from scanner.catalogue.retirement import Deadline
    from scanner.compare import Difference
    from scanner.remedies import Option, Remedy

Record = dict[str, Any]
SESSION = (
    "capture", "sensor", "first_seen", "last_seen", "client_ip", "client_port", "client_mac", "server_ip",
    "server_port", "server_name", "server_kind", "community_id", "protocol", "service", "tls_mode",
    "tls_version", "tls_cipher", "ja3", "ja4", "client_name", "mechanism", "auth_class", "outcome",
    "attempts", "basis", "confidence", "username", "mails", "gaps", "evidence",
)  # fmt: skip
"""Keys of a session's record; what they hold is called so in the model, too."""
_USAGE = (
    "server_name", "server_kind", "server_port", "protocol", "service", "tls_mode", "tls_version",
    "mechanism", "auth_class", "outcome", "basis", "confidence", "first_seen", "last_seen", "sessions",
)  # fmt: skip
_DEVICE = ("vendor", "model", "kind", "confidence", "software", "place")
_ASSET = ("owner", "place", "note")
_NO_ASSETS: Mapping[str, Asset] = {}
_NO_TIES: Mapping[str, Sequence[Tie]] = {}
_ATTEMPT = ("mechanism", "auth_class", "outcome")
_FINDING = ("rule", "level", "text", "why")
_PATH = ("service", "path", "status", "offered")
_OPTION = ("way", "text", "effort", "needs", "limits", "source")
_REMEDIED = (
    "host", "addresses", "mac", "vendor", "names", "device", "asset", "mailboxes", "router",
    "mac_randomised", "verdict", "deadline", "behind",
)  # fmt: skip
"""Keys that the record of a remedy has from that of its host."""
_REASON = ("rule", "text", "source", "basis", "confidence")


@lru_cache(4096)
def _second(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def timestamp(at: int) -> str:
    """Nanoseconds as RFC 3339 in UTC, to the microsecond."""
    second, rest = divmod(at, 1_000_000_000)
    return f"{_second(second)}.{rest // 1000:06d}Z"


@cache
def _of(keys: tuple[str, ...]) -> attrgetter[Any]:
    return attrgetter(*keys)


def _record(keys: tuple[str, ...], of: object) -> Record:
    """What an object has of these names; times become text."""
    record = dict(zip(keys, _of(keys)(of), strict=True))
    for key in ("first_seen", "last_seen"):
        if key in record:
            record[key] = timestamp(record[key])
    return record


def session_record(seen: Observation) -> Record:
    """The record of a session."""
    return _record(SESSION, seen) | {"attempts": [_record(_ATTEMPT, attempt) for attempt in seen.attempts]}


def host_record(
    host: Host,
    verdict: Verdict,
    as_of: date | None = None,
    assets: Mapping[str, Asset] = _NO_ASSETS,
    ties: Mapping[str, Sequence[Tie]] = _NO_TIES,
    usernames: Usernames = Usernames.MASK,
) -> Record:
    """The record of a host and what becomes of it; ``as_of``: as in ``service_record``.

    ``assets``: what the site's own lists say of MACs, addresses and names; ``ties``: whose mailboxes hosts
    use, by name.
    """
    asset = asset_of(host, assets) if assets else None
    return {
        "host": host.host,
        "addresses": list(host.addresses),
        "mac": host.mac,
        "vendor": host.vendor,
        "names": [_name(name) for name in host.names],
        "device": _record(_DEVICE, host.device),
        "asset": _record(_ASSET, asset) if asset else None,
        "mailboxes": [mailbox_record(tie, usernames) for tie in ties.get(host.host, ())],
        "router": host.router,
        "mac_randomised": bool(host.mac and is_randomised(host.mac)),
        "verdict": verdict.level,
        "deadline": verdict.deadline.isoformat() if verdict.deadline else None,
        "reasons": [reason_record(reason) for reason in verdict.reasons],
        "behind": list(host.behind),
        "carries": list(host.carries),
        "advice": advice(host, verdict),
        "first_seen": timestamp(host.first_seen),
        "last_seen": timestamp(host.last_seen),
        "usage": [_record(_USAGE, use) for use in host.usage],
        "offers": [service_record(offer, host.device, as_of) for offer in host.offers],
    }


def mailbox_record(tie: Tie, usernames: Usernames) -> Record:
    """Whose mailbox a host uses."""
    user = usernames.treat(tie.user)
    return {"user": user, "score": tie.score, "basis": tie.basis, "count": tie.count}


def asset_of(host: Host, assets: Mapping[str, Asset]) -> Asset | None:
    """What a list says of a host: by its MAC, else a name with its domain or without, else an address."""
    names = [name.text.lower() for name in host.names]
    keys = (host.mac or "", *names, *(name.partition(".")[0] for name in names), *host.addresses)
    return next((assets[key] for key in keys if key in assets), None)


def service_record(service: Service, device: Device, as_of: date | None = None) -> Record:
    """The record of a port that was asked, with what is found on a day; None: on that when it was asked."""
    certificate, ntlm = service.certificate, service.ntlm
    found = findings(service, as_of or datetime.fromtimestamp(service.at // 1_000_000_000, UTC).date())
    return {
        "host": service.host,
        "port": service.port,
        "protocol": service.protocol,
        "service": service.service,
        "tls_mode": service.tls_mode,
        "outcome": service.outcome,
        "offered": list(service.offered),
        "offered_tls": list(service.offered_tls),
        "starttls": service.starttls,
        "tls_oldest": service.tls.oldest,
        "tls_newest": service.tls.newest,
        "certificate": _certificate(certificate) if certificate else None,
        "banner": service.banner,
        "ntlm": {"host": ntlm.host, "domain": ntlm.domain} if ntlm else None,
        "device": _record(_DEVICE, device),
        "at": timestamp(service.at),
        "login_disabled": service.login_disabled,
        "tls_weak": list(service.tls.weak),
        "server_name": service.server_name,
        "public_ip": service.public_ip,
        "paths": [_record(_PATH, path) | {"offered": list(path.offered)} for path in service.paths],
        "relaying": service.relaying,
        "findings": [_record(_FINDING, one) for one in found],
        "detail": service.detail,
    }


def _certificate(shown: ShownCertificate) -> Record:
    return {
        "subject": shown.subject,
        "issuer": shown.issuer,
        "names": list(shown.names),
        "not_after": timestamp(shown.not_after),
        "not_before": timestamp(shown.not_before),
        "key": shown.key,
        "signature": shown.signature,
        "self_signed": shown.self_signed,
    }


def advice(host: Host, verdict: Verdict) -> str:
    """What to do, with what is known of the device where its login is to change."""
    known = oauth_row(host.device) if verdict.level in (Level.BROKEN, Level.BREAKS) else None
    return " ".join(part for part in (verdict.advice, known.advice if known else "") if part)


def remedy_record(
    remedy: Remedy,
    assets: Mapping[str, Asset] = _NO_ASSETS,
    ties: Mapping[str, Sequence[Tie]] = _NO_TIES,
    usernames: Usernames = Usernames.MASK,
) -> Record:
    """The record of what to do about a host; what else is given is as in ``host_record``."""
    host = host_record(remedy.host, remedy.verdict, None, assets, ties, usernames)
    return {
        **{key: host[key] for key in _REMEDIED},
        "effort": remedy.effort,
        "options": option_records(remedy.options),
    }


def option_records(options: Sequence[Option]) -> list[Record]:
    """The records of ways in which mail can go on."""
    return [_record(_OPTION, option) for option in options]


def _name(heard: Heard) -> Record:
    return {
        "name": heard.text,
        "source": heard.field,
        "first_seen": timestamp(heard.first_seen),
        "last_seen": timestamp(heard.last_seen),
    }


def reason_record(reason: Reason) -> Record:
    """The record of a reason."""
    return _record(_REASON, reason)


def deadline_record(row: Deadline, as_of: date) -> Record:
    """The record of a date, with the days that are left on a day."""
    return {
        "id": row.id,
        "date": row.date.isoformat() if row.date else None,
        "days": (row.date - as_of).days if row.date else None,
        "what": row.what,
        "applies": row.applies,
        "source": row.source,
        "checked": row.checked.isoformat(),
        "confidence": row.confidence,
    }


def difference_record(capture: str, found: Difference) -> Record:
    """The record of what two readings of a session do not agree on."""
    return {
        "capture": capture,
        "first_seen": timestamp(found.first_seen),
        "client_ip": found.client[0],
        "client_port": found.client[1],
        "server_ip": found.server[0],
        "server_port": found.server[1],
        "field": found.field,
        "ours": found.ours,
        "tshark": found.tshark,
    }
