"""Real programs log in at real servers, and the records say what happened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from stage.dialogues import DIALOGUES, Dialogue

if TYPE_CHECKING:
    from .conftest import Lab

EVERY = pytest.mark.parametrize("row", DIALOGUES, ids=[row.title for row in DIALOGUES])


ALIKE = {
    "OAUTHBEARER": ("XOAUTH2",), "SCRAM-SHA-256": ("SCRAM-SHA-1",),
    "IMAP-LOGIN": ("PLAIN",), "PLAIN": ("IMAP-LOGIN", "LOGIN"), "LOGIN": ("PLAIN", "IMAP-LOGIN"),
}  # fmt: skip
"""Mechanisms of one class that sizes may not tell apart: with servers nobody knows, or under CBC."""


INSEPARABLE = {
    "Python smtp PLAIN refused, starttls TLSv1.3", "swaks smtp PLAIN refused, starttls TLSv1.3",
    "Python pop3 APOP refused, implicit TLSv1",
}  # fmt: skip
"""A refused PLAIN of one message is like a refused envelope, a refused APOP under CBC like USER: not
much is claimed."""


def test_titles_are_unique() -> None:
    assert {row.title for row in DIALOGUES} > INSEPARABLE
    assert len({row.title for row in DIALOGUES}) == len(DIALOGUES)


def test_nothing_was_lost_on_the_way(lab: Lab) -> None:
    assert "0 packets dropped by kernel" in lab.logs()


@EVERY
def test_the_program_did_what_the_row_says(row: Dialogue, lab: Lab) -> None:
    """Without this the lab could go wrong and the records be right about it."""
    played = lab.played[row.title]
    if row.right and "refused" not in row.title:
        assert played.status == 0, played.said


@EVERY
def test_the_record_says_what_was_seen(
    row: Dialogue, lab: Lab, records: dict[str, list[dict[str, Any]]]
) -> None:
    played = lab.played[row.title]
    (record,) = records[played.address]
    wanted = {
        "protocol": row.protocol,
        "server_port": row.port,
        "client_ip": "fd00:30::2" if row.six else "10.30.0.2",
        "client_mac": "02:00:00:00:00:02",
        "server_kind": "exchange-online",
        "mechanism": row.mechanism,
        "auth_class": row.auth_class,
        "outcome": row.outcome,
        "attempts": [list(attempt) for attempt in row.attempts],
        "basis": row.basis,
        "username": played.user if row.names_user else None,
        "client_name": played.client_name,
        "tls_mode": row.tls_mode,
        "tls_version": row.tls_version,
        "mails": row.mails,
        "gaps": 0,
    }
    record["attempts"] = [[one["mechanism"], one["outcome"]] for one in record["attempts"]]
    if row.tls_mode != "clear":
        assert record["server_name"] == (played.name if row.asks_name else "mx.lab.test")
        assert record["confidence"] >= 0.6 or row.title in INSEPARABLE, record["evidence"]
        if record["mechanism"] in ALIKE.get(row.mechanism or "", ()):
            wanted["mechanism"] = record["mechanism"]
        if row.tls_version in ("TLSv1", "TLSv1.1") and record["outcome"] is not None:
            del wanted["outcome"]  # within sixteen bytes sentences look alike
    if row.title in INSEPARABLE:
        assert record["auth_class"] in (row.auth_class, "unknown") or record["confidence"] < 0.9
        return
    assert {key: record[key] for key in wanted} == wanted, record["evidence"]
    if row.server_name:
        assert record["server_name"] == row.server_name.format(name=played.name)
    if row.protocol == "smtp":
        assert record["service"] == (row.service or "submission")
