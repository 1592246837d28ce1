"""The views hold what records hold, by names that stay."""

import json
import re
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from db.queries import Run
from scanner.catalogue.retirement import load_retirement
from scanner.events import Outcome
from scanner.model import (
    AuthClass,
    Basis,
    Device,
    Heard,
    Host,
    Level,
    Reason,
    ServerKind,
    Usage,
    Verdict,
)
from scanner.report.columns import INTEGER, REAL, TEXT, Table
from scanner.report.records import SESSION, deadline_record, host_record, service_record
from scanner.report.tables import (
    DEADLINES,
    DEVICES,
    RUNS,
    SERVICES,
    SESSIONS,
    TABLES,
    USAGE,
    deadline_rows,
    device_rows,
    run_rows,
    service_rows,
    usage_rows,
)
from scanner.totals import RunTotals
from tests.services import BARE, WHOLE

DAY = date(2026, 11, 24)
USE = Usage(
    server_name="smtp.office365.com", server_kind=ServerKind.EXCHANGE_ONLINE, server_port=587,
    protocol="smtp", service="submission", tls_mode=None, tls_version="TLSv1.2", mechanism="LOGIN",
    auth_class=AuthClass.BASIC,
    outcome=Outcome.ACCEPTED, basis=Basis.SEEN, confidence=0.99, first_seen=10**18, last_seen=2 * 10**18,
    sessions=3, mails=2,
)  # fmt: skip
HOST = Host(
    host="00:26:73:00:00:01", addresses=("10.0.0.1", "fe80::1"), mac="00:26:73:00:00:01", vendor="Ricoh",
    labels=(
        Heard("dhcp.host_name", "old", 1, 2), Heard("mdns.host", "new\u202e", 1, 3),
        Heard("smb.name", "new\u202e", 1, 1), Heard("http.server", "no name", 1, 9),
    ),
    router=False, first_seen=10**18, last_seen=2 * 10**18, usage=(USE, replace(USE, sessions=4)),
    device=Device("Ricoh", "MP C3004", "multifunction printer", 0.9, place="Third floor"), behind=("relay",),
    offers=(BARE, WHOLE),
)  # fmt: skip
REASON = Reason(
    "smtp-auth", Level.BREAKS, "works until then", "there", Basis.SEEN, 0.99, date(2026, 12, 31), "Go."
)
VERDICT = Verdict(Level.BREAKS, date(2026, 12, 31), (REASON, REASON, replace(REASON, text="other")))
EMPTY = Host("10.0.0.9", (), None, None, (), True, 0, 0, ())
NOTHING = Verdict(Level.UNKNOWN, None, ())


def named(table: Table, rows: Any) -> list[dict[str, Any]]:
    return [dict(zip(table.kinds, row, strict=True)) for row in rows]


def test_a_device_is_as_in_its_record() -> None:
    (row,) = named(DEVICES, device_rows([(HOST, VERDICT)], DAY))
    record = host_record(HOST, VERDICT, DAY)
    same = ("host", "mac", "vendor", "verdict", "deadline", "advice", "first_seen", "last_seen")
    assert {name: row[name] for name in same} == {name: record[name] for name in same}
    for name in ("addresses", "behind", "carries"):
        assert json.loads(row[name]) == record[name]
    assert (row["name"], json.loads(row["names"])) == ("new\u202e", ["new\u202e", "old"])
    assert json.loads(row["reasons"]) == ["works until then", "other"]
    told = (
        "address",
        "model",
        "kind",
        "place",
        "router",
        "mac_randomised",
        "days",
        "rule",
        "sessions",
        "mails",
        "offers",
    )
    assert [row[name] for name in told] == [
        "10.0.0.1", "MP C3004", "multifunction printer", "Third floor", 0, 0, 37, "smtp-auth", 7, 4, 2,
    ]  # fmt: skip


def test_of_a_device_of_which_nothing_is_known_nothing_is_said() -> None:
    (row,) = named(DEVICES, device_rows([(EMPTY, NOTHING)], DAY))
    known = {"host": "10.0.0.9", "router": 1, "verdict": "unknown", "advice": "", "mac_randomised": 0}
    known |= dict.fromkeys(("addresses", "names", "reasons", "behind", "carries"), "[]")
    known |= dict.fromkeys(("offers", "sessions", "mails"), 0)
    assert {name: value for name, value in row.items() if value is not None} == known


def test_a_usage_is_judged_by_itself_and_its_like_once() -> None:
    asked = []

    def judge(host: Host) -> Verdict:
        asked.append(host.usage)
        return VERDICT if host.usage[0].auth_class is AuthClass.BASIC else NOTHING

    modern = replace(USE, auth_class=AuthClass.OAUTH, mechanism="XOAUTH2")
    hosts = [
        (HOST, NOTHING),
        (replace(HOST, host="other", usage=(modern, replace(USE, first_seen=1))), NOTHING),
    ]
    rows = named(USAGE, usage_rows(hosts, judge))
    assert len(asked) == 2
    assert [(row["host"], row["mechanism"], row["verdict"], row["reason"]) for row in rows] == [
        (HOST.host, "LOGIN", "breaks", "works until then"),
        (HOST.host, "LOGIN", "breaks", "works until then"),
        ("other", "XOAUTH2", "unknown", None), ("other", "LOGIN", "breaks", "works until then"),
    ]  # fmt: skip
    assert [row["sessions"] for row in rows] == [3, 4, 3, 3]
    assert rows[0]["last_seen"] == "2033-05-18T03:33:20.000000Z"


def test_a_service_is_as_in_its_record() -> None:
    bare, whole = named(SERVICES, service_rows([(HOST, VERDICT)], DAY))
    record = service_record(WHOLE, HOST.device, DAY)
    for name in (
        "port",
        "protocol",
        "service",
        "outcome",
        "tls_mode",
        "tls_oldest",
        "tls_newest",
        "banner",
        "at",
    ):
        assert whole[name] == record[name]
    for name in ("offered", "offered_tls", "tls_weak", "paths"):
        assert json.loads(whole[name]) == record[name]
    assert json.loads(whole["findings"]) == [finding["text"] for finding in record["findings"]]
    told = ("host", "address", "starttls", "login_disabled", "certificate_subject", "ntlm_domain", "relaying")
    assert [whole[name] for name in told] == [
        HOST.host,
        "10.0.0.1",
        1,
        0,
        "mail.example.com",
        "EXAMPLE",
        "refuses",
    ]
    assert [bare[name] for name in told] == [HOST.host, "10.0.0.1", *[None] * 5]


def test_deadlines_are_as_in_their_records() -> None:
    dates = load_retirement().values()
    assert named(DEADLINES, deadline_rows(dates, DAY)) == [deadline_record(row, DAY) for row in dates]


def test_a_run_tells_when_it_listened_as_far_as_it_is_known() -> None:
    listened = RunTotals(packets=9, observations=2, first_at=10**18, last_at=2 * 10**18, dropped=1)
    runs = [Run(1, "here", ("caf\udce9.pcap",), 1, 2, listened), Run(2, "here", (), 10**18, None, None)]
    whole, killed = named(RUNS, run_rows(runs))
    assert (whole["sources"], whole["packets"], whole["observations"], whole["dropped"]) == (
        '["caf?.pcap"]',
        9,
        2,
        1,
    )
    assert whole["last_packet"] == "2033-05-18T03:33:20.000000Z"
    assert [name for name, value in killed.items() if value is not None] == ["sensor", "sources", "began"]


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_every_view_says_what_its_columns_mean(table: Table) -> None:
    assert re.fullmatch("v_[a-z]+", table.name) and table.rows
    assert len(table.kinds) == len(table.columns) and set(table.indexed) <= table.kinds.keys()
    for column in table.columns:
        assert re.fullmatch("[a-z0-9_]+", column.name) and column.kind in (TEXT, INTEGER, REAL)
        assert column.means and "|" not in column.means


def test_sessions_have_the_columns_of_their_record() -> None:
    assert list(SESSIONS.kinds) == ["host", *(name for name in SESSION if name != "community_id")]
