"""How a sensor does is one line, of text or of JSON, whatever interfaces and faults are called."""

from __future__ import annotations

import json

import pytest
from statuses import HOSTILE, status

from scanner.model import AuthClass, Observation, ServerKind
from scanner.totals import RunTotals
from scanner.watch import status as module
from scanner.watch.status import FINDINGS_KEPT, Findings, Wire, as_json, as_text, missed, stamp
from tests.db.samples import SEEN, other


def test_it_is_told_as_one_line_of_json() -> None:
    line = as_json("minute", status(waiting=9, fault=HOSTILE, reading_s=1.25, hearing_s=0.5))
    assert line.isascii()
    assert "\n" not in line
    assert json.loads(line) == {
        "at": "1970-01-01T00:01:30Z", "event": "minute", "seconds": 85,
        "interfaces": [
            {"name": "eth1", "up": True, "arrived": 1000, "delivered": 50, "dropped": 0, "tagged": 7},
            {"name": HOSTILE, "up": False, "arrived": None, "delivered": 4, "dropped": 3, "tagged": 0},
        ],
        "packets": 54, "dropped": 0, "sessions": 3, "passwords": 0, "devices": 0, "gaps": 0, "evicted": 0,
        "open": 6, "waiting": 9, "unwritten": 0, "fault": HOSTILE, "cpu": {"reading": 1.25, "hearing": 0.5},
    }  # fmt: skip


def test_it_is_told_in_words() -> None:
    findings = Findings()
    findings.add([SEEN])
    wires = Wire("eth1", True, 12345, 50, 0, 7), Wire("eth2", False, None, 4, 3, 0)
    assert as_text(status(findings, wires=wires)) == (
        "eth1 12,345 packets, 50 looked at, eth2 (down) an unknown number of packets, 4 looked at; "
        "3 sessions of 1 devices, 1 with a password for Exchange Online; nothing missed"
    )


@pytest.mark.parametrize(
    ("totals", "waiting", "fault", "said"),
    [
        (RunTotals(), 0, None, "nothing missed"),
        (RunTotals(), 5, None, "nothing missed"),
        (RunTotals(), 0, "disk full", "nothing missed"),
        (RunTotals(), 1234, "disk full", "1,234 sessions wait for the inventory (disk full)"),
        (
            RunTotals(dropped=1000, gaps=2), 0, None,
            "1,000 packets dropped by the kernel, 2 sessions with gaps",
        ),
        (
            RunTotals(evicted=3, unwritten=4), 0, None,
            "3 connections given up, 4 sessions that could not be written",
        ),
    ],
)  # fmt: skip
def test_what_was_missed_is_told(totals: RunTotals, waiting: int, fault: str | None, said: str) -> None:
    assert missed(status(totals=totals, waiting=waiting, fault=fault)) == said


@pytest.mark.parametrize(
    ("seen", "passwords", "last"),
    [
        pytest.param(SEEN, 1, True, id="a password for Exchange Online"),
        pytest.param(other(server_kind=ServerKind.INTERNAL), 0, True, id="one for another server"),
        pytest.param(other(auth_class=AuthClass.OAUTH, mechanism="XOAUTH2"), 0, True, id="a token"),
        pytest.param(other(auth_class=AuthClass.NONE, mechanism=None), 0, False, id="no login"),
    ],
)
def test_sessions_are_counted(seen: Observation, passwords: int, last: bool) -> None:
    findings = Findings()
    findings.add([seen])
    assert (findings.passwords, list(findings.last)) == (passwords, [seen] if last else [])


def test_only_the_last_and_only_so_many_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DEVICES_KEPT", 12)
    findings = Findings()
    findings.add([other(client_port=port, client_mac=None, client_ip=f"10.0.0.{port}") for port in range(20)])
    findings.add([other(client_port=port) for port in range(20, 30)])
    assert findings.devices == 12
    assert [one.client_port for one in findings.last] == list(range(30 - FINDINGS_KEPT, 30))
    assert findings.passwords == 30


def test_a_device_is_counted_once() -> None:
    findings = Findings()
    findings.add([SEEN, other(client_ip="10.0.0.9"), other(client_mac=None), other(client_mac=None)])
    assert findings.devices == 2


def test_a_time_is_told_to_the_second() -> None:
    assert stamp(1_790_000_000_999_999_999) == "2026-09-21T14:13:20Z"
