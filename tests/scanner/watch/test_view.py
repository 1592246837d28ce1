"""The live view fits a terminal, shows the last findings, and obeys nobody on the wire."""

from __future__ import annotations

import io

import pytest
from rich.console import Console
from statuses import HOSTILE, status

from scanner.events import Outcome
from scanner.totals import RunTotals
from scanner.watch.status import Findings, Status
from scanner.watch.view import LiveTalk
from tests.db.samples import SEEN, other


def findings() -> Findings:
    found = Findings()
    odd = other(
        client_name=f"[red]{HOSTILE}[/red]", server_name=f"{HOSTILE}.example.com", client_mac=None,
        mechanism="XOAUTH2", outcome=Outcome.REFUSED, username="a***@example.com",
    )  # fmt: skip
    found.add([SEEN, odd, other(client_ip="2001:db8:1234:5678:9abc:def0:1234:5678", client_mac=None)])
    found.add([other(client_port=port) for port in range(4)])
    return found


def drawn(now: Status, width: int = 80) -> list[str]:
    """What stands on a terminal after a second."""
    console = Console(
        file=io.StringIO(), record=True, width=width, height=24, force_terminal=True, color_system=None
    )
    talk = LiveTalk(console)
    talk.second(now)
    lines = console.export_text().splitlines()
    talk.tell("end", now)
    return lines


def test_it_shows_interfaces_findings_and_what_was_missed() -> None:
    lines = drawn(status(findings(), totals=RunTotals(observations=7, dropped=3), began=-3_600_000_000_000))
    text = "\n".join(lines)
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 80
    assert "interface" in text
    assert "1,000" in text
    assert "1:01:30 listened; 7 sessions of 3 devices" in " ".join(text.split())
    assert "3 packets dropped by the kernel" in " ".join(text.split())
    assert "(down)" in text
    assert text.count("submission  LOGIN accepted s***") == 6
    assert text.count("10.0.0.1") == 6
    assert "submission  XOAUTH2 refused a***@ex…" in text
    assert "2001:db8:1234:567…" in text
    assert text.count("smtp.office…") == 6


@pytest.mark.parametrize("width", [20, 40, 80, 200])
def test_nothing_from_the_wire_is_obeyed(width: int) -> None:
    text = "\n".join(drawn(status(findings(), waiting=3, fault=HOSTILE), width))
    assert not set(text) & {"\x1b", "\u202e", "\0", "\ud800"}
    assert text


def test_what_is_said_goes_above_and_stays() -> None:
    console = Console(file=io.StringIO(), record=True, width=200, height=24, force_terminal=False)
    talk = LiveTalk(console)
    talk.note(f"[bold]{HOSTILE}[/bold] is down")
    talk.tell("minute", status())
    talk.tell("asked", status())
    talk.tell("end", status())
    text = console.export_text()
    assert '[bold]eth1"\\x1b[2J\\x0a\\u202e\\x00\\ud800[/bold] is down' in text
    assert text.count("1970-01-01T00:01:30Z") == 2
