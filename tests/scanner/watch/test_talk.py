"""What a sensor says is a line each, that no name of an interface or a device can break."""

from __future__ import annotations

import json
from typing import Any

import pytest
from statuses import HOSTILE, status

from scanner.watch.talk import JsonTalk, TextTalk


@pytest.fixture
def lines() -> list[str]:
    return []


def spoken(talk: Any) -> None:
    talk.note(f"{HOSTILE} is down")
    talk.second(status())
    for event in ("minute", "asked", "end"):
        talk.tell(event, status(fault=HOSTILE, waiting=2))


def test_people_are_told_in_lines(lines: list[str]) -> None:
    spoken(TextTalk(lines.append))
    shown = 'eth1"\\x1b[2J\\x0a\\u202e\\x00\\ud800'
    assert lines[0] == f"mailsunset: {shown} is down"
    assert len(lines) == 4
    assert lines[1:] == [lines[1]] * 3
    assert lines[1].startswith("1970-01-01T00:01:30Z eth1 1,000 packets, 50 looked at, ")
    assert f"{shown} (down) an unknown number of packets" in lines[1]
    assert f"2 sessions wait for the inventory ({shown})" in lines[1]
    assert all(line.isprintable() for line in lines)


def test_programs_are_told_in_json(lines: list[str]) -> None:
    spoken(JsonTalk(lines.append))
    note, *told = map(json.loads, lines)
    assert (note["event"], note["text"]) == ("note", f"{HOSTILE} is down")
    assert note["at"].endswith("Z")
    assert [one["event"] for one in told] == ["minute", "asked", "end"]
    assert all(line.isascii() and "\n" not in line for line in lines)
