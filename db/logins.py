"""Logins at Exchange Online that were heard, as far as they bear on whose mailbox a host uses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, select

from db import rows
from db.grouping import endpoint_rows, forwarding, groups
from db.schema import details, sessions, shapes
from scanner.model import Attempt, AuthClass, ServerKind
from scanner.tenant import HeardLogin

ROWS_A_READ = 5000
SURE = 0.9
"""A login that was told from sizes with less confidence may have been another, or ended otherwise."""
_NOBODY = (AuthClass.NONE, AuthClass.INCOMPLETE)
_PASSWORD = {AuthClass.BASIC: True, AuthClass.OAUTH: False}
_AHEAD, _PUBLIC = "clock.ahead", "smtp.public_ip"
_CONNECTION = re.compile(r"^greeting[^;]* \[([0-9A-F]{16})\]")
"""What a session's evidence says of the server's name for it."""


def logins_of(connection: Connection, since: int) -> Iterator[HeardLogin]:
    """Logins of sessions that began at or after a time (ns), in order of time."""
    found = groups(endpoint_rows(connection), forwarding(connection))
    hosts = {member.id: group.name for group in found for member in group.own}
    ways = {row["id"]: rows.way(row) for row in connection.execute(select(shapes)).mappings()}
    known: dict[int, tuple[HeardLogin, ...]] = {}
    query = select(
        sessions.c.first_seen, sessions.c.endpoint, sessions.c.detail, sessions.c.username,
        sessions.c.evidence, details.c.shape, details.c.record,
    )  # fmt: skip
    query = query.join(details, details.c.id == sessions.c.detail).join(
        shapes, shapes.c.id == details.c.shape
    )
    query = query.where(
        shapes.c.server_kind == ServerKind.EXCHANGE_ONLINE, shapes.c.auth_class.not_in(_NOBODY),
        sessions.c.first_seen >= since,
    ).order_by(sessions.c.first_seen, sessions.c.flow)  # fmt: skip
    told = connection.execution_options(yield_per=ROWS_A_READ).execute(query)
    for at, endpoint, detail, username, evidence, shape, record in told:
        if detail not in known:
            known[detail] = tuple(_logins(ways[shape], rows.load(record)))
        named = _CONNECTION.search(evidence)
        for one in known[detail]:
            yield HeardLogin(
                hosts[endpoint], at, one.protocol, one.service, one.outcome, one.password, one.sensor,
                one.public_ip, one.ahead_s, username, named and named[1],
            )  # fmt: skip


def _logins(way: dict[str, Any], detail: dict[str, Any]) -> Iterator[HeardLogin]:
    """The logins of sessions alike, without whose and when."""
    told = {label.field: label.text for label in detail["labels"]}
    # a greeting in clear came with the address, and tells of a clock only where it does not agree with ours
    ahead = told.get(_AHEAD, "0" if _PUBLIC in told else "")
    last = Attempt(way["mechanism"] or "", way["auth_class"], way["outcome"])
    for attempt in detail["attempts"] or (last,):
        sure = way["confidence"] >= SURE
        yield HeardLogin(
            "", 0, way["protocol"], way["service"] if way["protocol"] == "http" else None,
            attempt.outcome if sure else None,
            _PASSWORD.get(attempt.auth_class) if sure else None,
            detail["sensor"], told.get(_PUBLIC), int(ahead) if ahead else None,
        )  # fmt: skip
