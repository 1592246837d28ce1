"""systemd hears on its own socket how the sensor fares, and where there is no systemd nobody minds."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from scanner.totals import RunTotals
from scanner.watch.journal import STATUS_LENGTH, Journal
from scanner.watch.status import Findings, Status, Wire

NAMES = ["a path", "an abstract name"]


@pytest.fixture(params=NAMES)
def named(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return str(tmp_path / "notify") if request.param == NAMES[0] else f"@mailsunset-test-{os.getpid()}"


@pytest.fixture
def systemd(named: str) -> Iterator[socket.socket]:
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as bound:
        bound.bind("\0" + named[1:] if named.startswith("@") else named)
        bound.settimeout(5)
        yield bound


def status(name: str) -> Status:
    return Status(0, 0, (Wire(name, True, 5, 4, 0, 0),), RunTotals(), 0, Findings(), 0, None)


def test_everything_is_told_as_systemd_reads_it(systemd: socket.socket, named: str) -> None:
    journal = Journal({"NOTIFY_SOCKET": named})
    told = []
    for tell in (journal.ready, journal.reloading, journal.stopping):
        tell()
        told.append(systemd.recv(4096).decode())
    assert re.fullmatch(r"RELOADING=1\nMONOTONIC_USEC=[1-9][0-9]+", told.pop(1))
    assert told == ["READY=1", "STOPPING=1"]
    journal.close()
    journal.close()
    journal.ready()
    systemd.setblocking(False)
    with pytest.raises(BlockingIOError):
        systemd.recv(4096)


@pytest.mark.parametrize("watched", [False, True])
def test_how_it_does_is_told_in_a_line(systemd: socket.socket, named: str, watched: bool) -> None:
    environment = {"NOTIFY_SOCKET": named} | ({"WATCHDOG_USEC": "60000000"} if watched else {})
    with closing(Journal(environment)) as journal:
        journal.second(status("eth1\nREADY=0\r"))
        told = systemd.recv(4096).decode()
        assert told.startswith("WATCHDOG=1\nSTATUS=" if watched else "STATUS=")
        assert told.partition("STATUS=")[2].startswith("eth1 READY=0 5 packets, 4 looked at; 0 sessions")
        assert told.count("\n") == watched
        journal.second(status("ü" * 9999))
        assert len(systemd.recv(4096).decode().partition("STATUS=")[2]) == STATUS_LENGTH


def test_a_systemd_that_does_not_read_holds_nobody_up(systemd: socket.socket, named: str) -> None:
    with closing(Journal({"NOTIFY_SOCKET": named})) as journal:
        for _ in range(10_000):
            journal.ready()
    assert systemd.recv(4096) == b"READY=1"


@pytest.mark.parametrize(
    "name", ["", "/nowhere/at/all", "@mailsunset-nobody", "vsock:2:1234", "notify", "@", "/" * 999]
)
def test_where_nobody_listens_nothing_is_told(name: str) -> None:
    for environment in ({"NOTIFY_SOCKET": name}, {}):
        with closing(Journal(environment)) as journal:
            journal.ready()
            journal.second(status("eth1"))


ME = str(os.getpid())


@pytest.mark.parametrize(
    ("environment", "seconds"),
    [
        pytest.param({}, None, id="nobody looks"),
        pytest.param({"WATCHDOG_USEC": "60000000"}, 60.0, id="whoever it is"),
        pytest.param({"WATCHDOG_USEC": "1500000", "WATCHDOG_PID": ME}, 1.5, id="this process"),
        pytest.param({"WATCHDOG_USEC": "1500000", "WATCHDOG_PID": "1"}, None, id="another process"),
        pytest.param({"WATCHDOG_USEC": "1500000", "WATCHDOG_PID": ""}, None, id="no process"),
        pytest.param({"WATCHDOG_USEC": "0"}, None, id="no time"),
        pytest.param({"WATCHDOG_USEC": "-5"}, None, id="a negative time"),
        pytest.param({"WATCHDOG_USEC": "soon"}, None, id="no number"),
    ],
)
def test_how_often_systemd_looks(environment: dict[str, str], seconds: float | None) -> None:
    assert Journal(environment).watchdog_s() == seconds
