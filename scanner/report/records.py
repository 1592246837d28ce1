"""Session and host records, key by key as the README lists them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from functools import lru_cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from scanner.identify import oauth_advice
from scanner.model import Heard, Host, Level, Observation, Reason, Verdict
from scanner.net import is_randomised

if TYPE_CHECKING:
    from scanner.catalogue.retirement import Deadline
    from scanner.compare import Difference

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
_ATTEMPT = ("mechanism", "auth_class", "outcome")
_REASON = ("rule", "text", "source", "basis", "confidence")


@lru_cache(4096)
def _second(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def timestamp(at: int) -> str:
    """Nanoseconds as RFC 3339 in UTC, to the microsecond."""
    second, rest = divmod(at, 1_000_000_000)
    return f"{_second(second)}.{rest // 1000:06d}Z"


def _record(keys: Sequence[str], of: object) -> Record:
    """What an object has of these names; times become text."""
    record = dict(zip(keys, attrgetter(*keys)(of), strict=True))
    for key in ("first_seen", "last_seen"):
        if key in record:
            record[key] = timestamp(record[key])
    return record


def session_record(seen: Observation) -> Record:
    """The record of a session."""
    return _record(SESSION, seen) | {"attempts": [_record(_ATTEMPT, attempt) for attempt in seen.attempts]}


def host_record(host: Host, verdict: Verdict) -> Record:
    """The record of a host and what becomes of it."""
    return {
        "host": host.host,
        "addresses": list(host.addresses),
        "mac": host.mac,
        "vendor": host.vendor,
        "names": [_name(name) for name in host.names],
        "device": _record(_DEVICE, host.device),
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
        "offers": [],
    }


def advice(host: Host, verdict: Verdict) -> str:
    """What to do, with what is known of the device where its login is to change."""
    known = oauth_advice(host.device) if verdict.level in (Level.BROKEN, Level.BREAKS) else None
    return " ".join(part for part in (verdict.advice, known) if part)


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
