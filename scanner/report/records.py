"""Session and host records, key by key as the README lists them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from scanner.identify import oauth_advice
from scanner.model import Attempt, Heard, Host, Level, Observation, Reason, Usage, Verdict
from scanner.net import is_randomised

if TYPE_CHECKING:
    from scanner.catalogue.retirement import Deadline
    from scanner.compare import Difference

Record = dict[str, Any]


@lru_cache(4096)
def _second(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def timestamp(at: int) -> str:
    """Nanoseconds as RFC 3339 in UTC, to the microsecond."""
    second, rest = divmod(at, 1_000_000_000)
    return f"{_second(second)}.{rest // 1000:06d}Z"


def session_record(seen: Observation) -> Record:
    """The record of a session."""
    return {
        "capture": seen.capture,
        "sensor": seen.sensor,
        "first_seen": timestamp(seen.first_seen),
        "last_seen": timestamp(seen.last_seen),
        "client_ip": seen.client_ip,
        "client_port": seen.client_port,
        "client_mac": seen.client_mac,
        "server_ip": seen.server_ip,
        "server_port": seen.server_port,
        "server_name": seen.server_name,
        "server_kind": seen.server_kind,
        "community_id": seen.community_id,
        "protocol": seen.protocol,
        "service": seen.service,
        "tls_mode": seen.tls_mode,
        "tls_version": seen.tls_version,
        "tls_cipher": seen.tls_cipher,
        "ja3": seen.ja3,
        "ja4": seen.ja4,
        "client_name": seen.client_name,
        "mechanism": seen.mechanism,
        "auth_class": seen.auth_class,
        "outcome": seen.outcome,
        "attempts": [_attempt(attempt) for attempt in seen.attempts],
        "basis": seen.basis,
        "confidence": seen.confidence,
        "username": seen.username,
        "mails": seen.mails,
        "gaps": seen.gaps,
        "evidence": seen.evidence,
    }


def host_record(host: Host, verdict: Verdict) -> Record:
    """The record of a host and what becomes of it."""
    return {
        "host": host.host,
        "addresses": list(host.addresses),
        "mac": host.mac,
        "vendor": host.vendor,
        "names": [_name(name) for name in host.names],
        "device": {
            "vendor": host.device.vendor,
            "model": host.device.model,
            "kind": host.device.kind,
            "confidence": host.device.confidence,
            "software": host.device.software,
            "place": host.device.place,
        },
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
        "usage": [_usage(use) for use in host.usage],
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
    return {
        "rule": reason.rule,
        "text": reason.text,
        "source": reason.source,
        "basis": reason.basis,
        "confidence": reason.confidence,
    }


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


def _attempt(attempt: Attempt) -> Record:
    return {"mechanism": attempt.mechanism, "auth_class": attempt.auth_class, "outcome": attempt.outcome}


def _usage(use: Usage) -> Record:
    return {
        "server_name": use.server_name,
        "server_kind": use.server_kind,
        "server_port": use.server_port,
        "protocol": use.protocol,
        "service": use.service,
        "tls_mode": use.tls_mode,
        "tls_version": use.tls_version,
        "mechanism": use.mechanism,
        "auth_class": use.auth_class,
        "outcome": use.outcome,
        "basis": use.basis,
        "confidence": use.confidence,
        "first_seen": timestamp(use.first_seen),
        "last_seen": timestamp(use.last_seen),
        "sessions": use.sessions,
    }
