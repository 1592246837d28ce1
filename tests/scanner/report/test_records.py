"""Records have exactly the keys that scripts rely on, null where nothing is known."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from scanner.events import Outcome, TlsMode
from scanner.model import (
    Attempt,
    AuthClass,
    Basis,
    Device,
    Heard,
    Host,
    Level,
    Observation,
    Reason,
    ServerKind,
    Usage,
    Verdict,
)
from scanner.report.records import host_record, reason_record, service_record, session_record, timestamp
from tests.services import bare, whole

AT = 1_790_000_000_123_456_789
"""2026-09-21T14:13:20 UTC and a bit."""
SESSION_KEYS = (
    "capture sensor first_seen last_seen client_ip client_port client_mac server_ip server_port server_name"
    " server_kind community_id protocol service tls_mode tls_version tls_cipher ja3 ja4 client_name mechanism"
    " auth_class outcome attempts basis confidence username mails gaps evidence"
)
HOST_KEYS = (
    "host addresses mac vendor names device asset mailboxes router mac_randomised verdict deadline reasons"
    " behind carries advice first_seen last_seen usage offers"
)
SERVICE_KEYS = (
    "host port protocol service tls_mode outcome offered offered_tls starttls tls_oldest tls_newest"
    " certificate banner ntlm device at login_disabled tls_weak server_name public_ip paths relaying findings"
    " detail"
)
USAGE_KEYS = (
    "server_name server_kind server_port protocol service tls_mode tls_version mechanism auth_class outcome"
    " basis confidence first_seen last_seen sessions"
)


def observation(**changes: Any) -> Observation:
    unknown = (
        "capture client_mac server_name protocol service tls_mode tls_version tls_cipher ja3 ja4 client_name"
        " mechanism outcome username"
    )
    nothing: dict[str, Any] = dict.fromkeys(unknown.split())
    known = {
        "sensor": "roof", "first_seen": AT, "last_seen": AT + 1, "client_ip": "10.0.0.1",
        "client_port": 50000, "server_ip": "52.96.0.1", "server_port": 587,
        "server_kind": ServerKind.EXCHANGE_ONLINE,
        "auth_class": AuthClass.UNKNOWN, "attempts": (), "basis": Basis.ENDPOINT, "confidence": 0.5,
        "mails": 0, "gaps": 0, "evidence": "a hello",
    }  # fmt: skip
    return Observation(**{**nothing, **known, **changes})


USAGE = Usage(
    server_name="smtp.office365.com", server_kind=ServerKind.EXCHANGE_ONLINE, server_port=587,
    protocol="smtp", service="submission", tls_mode=TlsMode.STARTTLS, tls_version="TLSv1.2",
    mechanism="LOGIN", auth_class=AuthClass.BASIC, outcome=Outcome.ACCEPTED, basis=Basis.SEEN, confidence=0.9,
    first_seen=AT, last_seen=AT, sessions=7,
)  # fmt: skip
HOST = Host(
    host="00:1e:8c:0a:0b:0c", addresses=("10.0.0.1", "2001:db8::1"), mac="00:1e:8c:0a:0b:0c",
    vendor="ASUSTek", router=False,
    labels=(Heard("smtp.client_name", "copier", AT, AT + 9000), Heard("tls.ja4", "t12", AT, AT)),
    first_seen=AT, last_seen=AT, usage=(USAGE,),
    device=Device("Example", "X1", "printer", 0.7, place="third floor"), behind=("10.0.0.9",),
)  # fmt: skip
REASON = Reason(
    "basic-auth", Level.BREAKS, "it breaks", "a page", Basis.SEEN, 0.9, date(2026, 12, 31), "Move it."
)


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (0, "1970-01-01T00:00:00.000000Z"),
        (AT, "2026-09-21T14:13:20.123456Z"),
        (999, "1970-01-01T00:00:00.000000Z"),
        (1000, "1970-01-01T00:00:00.000001Z"),
    ],
)
def test_times_are_rfc_3339_in_utc(at: int, text: str) -> None:
    assert timestamp(at) == text


def test_a_session_of_which_little_is_known_has_all_keys() -> None:
    record = session_record(observation())
    assert list(record) == SESSION_KEYS.split()
    assert record["attempts"] == []
    assert {record[key] for key in ("protocol", "mechanism", "outcome", "username", "tls_mode")} == {None}
    assert record["community_id"].startswith("1:")


def test_a_session_tells_its_attempts() -> None:
    attempts = (
        Attempt("NTLM", AuthClass.NTLM, Outcome.REFUSED, "basic-disabled"),
        Attempt("LOGIN", AuthClass.BASIC, None),
    )
    seen = observation(mechanism="LOGIN", attempts=attempts, tls_mode=TlsMode.CLEAR)
    assert json.loads(json.dumps(session_record(seen)))["attempts"] == [
        {"mechanism": "NTLM", "auth_class": "ntlm", "outcome": "refused"},
        {"mechanism": "LOGIN", "auth_class": "basic", "outcome": None},
    ]


def test_a_host_has_all_keys() -> None:
    record = json.loads(json.dumps(host_record(HOST, Verdict(Level.BREAKS, date(2026, 12, 31), (REASON,)))))
    assert list(record) == HOST_KEYS.split()
    assert (record["verdict"], record["deadline"], record["advice"]) == ("breaks", "2026-12-31", "Move it.")
    assert record["addresses"] == ["10.0.0.1", "2001:db8::1"]
    assert record["names"] == [
        {
            "name": "copier", "source": "smtp.client_name",
            "first_seen": timestamp(AT), "last_seen": timestamp(AT + 9000),
        }
    ]  # fmt: skip
    assert record["device"] == {
        "vendor": "Example", "model": "X1", "kind": "printer", "confidence": 0.7, "software": None,
        "place": "third floor",
    }  # fmt: skip
    assert record["behind"] == ["10.0.0.9"]
    (use,) = record["usage"]
    assert list(use) == USAGE_KEYS.split()
    assert (use["mechanism"], use["sessions"], use["first_seen"]) == ("LOGIN", 7, timestamp(AT))


def test_a_host_without_a_date_has_none() -> None:
    record = host_record(HOST, Verdict(Level.FINE, None, ()))
    assert (record["deadline"], record["reasons"], record["advice"]) == (None, [], "")


def test_a_service_of_which_little_is_known_has_all_keys() -> None:
    record = json.loads(json.dumps(service_record(bare(), Device())))
    assert list(record) == SERVICE_KEYS.split()
    known = {key: value for key, value in record.items() if value not in (None, [], "")}
    assert known.keys() == {"host", "port", "outcome", "device", "at"}


def test_a_service_tells_all_that_it_offers() -> None:
    record = json.loads(json.dumps(service_record(whole(), Device("Example", "X1", "printer", 0.7))))
    assert list(record) == SERVICE_KEYS.split()
    assert (record["protocol"], record["tls_mode"], record["outcome"]) == ("smtp", "starttls", "answered")
    assert (record["offered"], record["offered_tls"][-1]) == (["LOGIN", "PLAIN"], "XOAUTH2")
    assert (record["tls_oldest"], record["tls_newest"]) == ("TLSv1", "TLSv1.3")
    assert record["certificate"] == {
        "subject": "mail.example.com", "issuer": "Example CA", "names": ["mail.example.com", "10.0.0.1"],
        "not_after": "2026-09-22T14:13:20.000000Z", "not_before": "2026-09-20T14:13:20.000000Z",
        "key": "RSA 2048", "signature": "sha256", "self_signed": False,
    }  # fmt: skip
    assert record["ntlm"] == {"host": "mail.example.com", "domain": "EXAMPLE"}
    assert (record["device"]["model"], record["at"]) == ("X1", "2026-09-21T14:13:20.000000Z")
    assert record["paths"] == [
        {
            "service": "eas", "path": "/Microsoft-Server-ActiveSync", "status": 401,
            "offered": ["HTTP-Basic", "HTTP-Negotiate"],
        }
    ]  # fmt: skip
    assert (record["relaying"], record["login_disabled"]) == ("refuses", False)
    first, *_ = record["findings"]
    assert (first["rule"], first["level"]) == ("password-in-clear", "warn")
    assert first["text"] == "takes passwords in clear: LOGIN, PLAIN" and "RFC 8314" in first["why"]


@pytest.mark.parametrize(("as_of", "expired"), [(None, False), (date(2026, 12, 31), True)])
def test_findings_are_those_of_a_day(as_of: date | None, expired: bool) -> None:
    host = replace(HOST, offers=(whole(),))
    (offer,) = host_record(host, Verdict(Level.FINE, None, ()), as_of)["offers"]
    assert ("certificate-expired" in {one["rule"] for one in offer["findings"]}) == expired
    assert offer["device"]["vendor"] == "Example"


def test_a_reason_says_where_it_stands() -> None:
    assert json.loads(json.dumps(reason_record(REASON))) == {
        "rule": "basic-auth", "text": "it breaks", "source": "a page", "basis": "seen", "confidence": 0.9,
    }  # fmt: skip
