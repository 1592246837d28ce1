"""Observations as rows, and rows as observations."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from functools import lru_cache
from typing import Any

from db.schema import identity
from scanner.conversation import Ending
from scanner.events import Label, Outcome, TlsMode
from scanner.model import Attempt, AuthClass, Basis, Observation, ServerKind, Usage

SHAPE_FIELDS = (
    "server_name", "server_kind", "server_port", "protocol", "service", "tls_mode", "tls_version",
    "mechanism", "auth_class", "outcome", "basis", "confidence", "cause",
)  # fmt: skip
"""What makes two sessions of a host the same usage, beside the version that the client gave."""
_KEPT = tuple(field.name for field in fields(Observation) if field.name != "turns")
"""Sizes inside TLS are never stored: those of a login betray the length of its secret."""


@lru_cache(65_536)
def shape_id(*values: object) -> int:
    """Id of a way to use a service."""
    return identity("shape", *values)


def shape_row(seen: Observation) -> dict[str, Any]:
    """How a session used its service, as a row of ``shapes``."""
    row = {name: getattr(seen, name) for name in SHAPE_FIELDS}
    row["client_version"] = next(
        (label.text[:64] for label in seen.labels if label.field == "eas.version"), None
    )
    row["id"] = shape_id(*row.values())
    return row


def session_id(seen: Observation) -> int:
    """Id of a session: the same packets read from another file give the same."""
    return identity(
        "session", seen.first_seen, seen.client_ip, seen.client_port, seen.server_ip, seen.server_port
    )


def endpoint_id(seen: Observation) -> int:
    """Id of an address behind a MAC."""
    return identity("endpoint", seen.client_mac, seen.client_ip)


def dump(seen: Observation) -> str:
    """An observation as JSON."""
    record = {name: value for name in _KEPT if (value := getattr(seen, name)) not in (None, ())}
    if seen.attempts:
        record["attempts"] = [[a.mechanism, a.auth_class, a.outcome, a.cause] for a in seen.attempts]
    if seen.labels:
        record["labels"] = [[label.field, label.text] for label in seen.labels]
    return json.dumps(record, separators=(",", ":"))


def load(text: str) -> Observation:
    """An observation from JSON; fields that the writer did not know have their defaults."""
    record: dict[str, Any] = {name: None for name in _KEPT if name not in ("offered", "labels", "cause")}
    record |= {"attempts": (), "weird": (), "ending": Ending.ENDED, "server_matched": None}
    record |= json.loads(text)
    record["server_kind"] = ServerKind(record["server_kind"])
    record["auth_class"] = AuthClass(record["auth_class"])
    record["basis"] = Basis(record["basis"])
    record["ending"] = Ending(record["ending"])
    record["tls_mode"] = TlsMode(record["tls_mode"]) if record["tls_mode"] else None
    record["outcome"] = _outcome(record["outcome"])
    record["attempts"] = tuple(Attempt(m, AuthClass(a), _outcome(o), c) for m, a, o, c in record["attempts"])
    record["labels"] = tuple(Label(*label) for label in record.get("labels", ()))
    record["offered"] = tuple(record.get("offered", ()))
    record["weird"] = tuple(record["weird"])
    return Observation(**record)


def usage(row: Mapping[str, Any], first_seen: int, last_seen: int, sessions: int, mails: int) -> Usage:
    """A row of ``shapes`` with its counts."""
    return Usage(
        server_name=row["server_name"],
        server_kind=ServerKind(row["server_kind"]),
        server_port=row["server_port"],
        protocol=row["protocol"],
        service=row["service"],
        tls_mode=TlsMode(row["tls_mode"]) if row["tls_mode"] else None,
        tls_version=row["tls_version"],
        mechanism=row["mechanism"],
        auth_class=AuthClass(row["auth_class"]),
        outcome=_outcome(row["outcome"]),
        basis=Basis(row["basis"]),
        confidence=row["confidence"],
        first_seen=first_seen,
        last_seen=last_seen,
        sessions=sessions,
        mails=mails,
        cause=row["cause"],
        client_version=row["client_version"],
    )


def _outcome(text: str | None) -> Outcome | None:
    return Outcome(text) if text else None
