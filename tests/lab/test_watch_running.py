"""What a sensor says and shows while it runs, what signals have it do, and with which rights."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import stat
import subprocess
import sys
import termios
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from stage.logins import SECRET, logins
from stage.mirror import mirrored
from stage.needles import Search
from stage.sensor import COMMITTED_S, READY_S, ROOT, Sensor, anybodys, watching

from .test_watch import told_apart

OFFICE = ROOT / "captures" / "office.pcapng"
IN_OFFICE = 8
"""Sessions."""
METRICS = "127.0.0.1:9150"
FETCH = "import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1], timeout=5).read().decode())"
CATALOGUE = ROOT / "scanner" / "catalogue" / "exchange.toml"
OWN_SERVER = ("203.0.113.7", 587)
OWN_ENDPOINT = """
[[endpoint]]
names = ["mail.example.com"]
prefixes = ["203.0.113.0/24"]
ports = [587]
kind = "exchange-online"
role = "submission"
cloud = "worldwide"
source = "a test"
published = 2026-08-14
checked = 2026-11-23
confidence = "observed"
"""
EARLY, LATE = 3, 5
"""Sessions with that server before and after the catalogue says that it is Exchange Online."""
ALL = IN_OFFICE + EARLY + LATE
PASSWORDS = ("copier", "script", "relay", "pop", "phone", *(f"{number:08}" for number in range(EARLY + LATE)))
RIGHTS = re.compile(r"^(Uid|Gid|Groups|Cap\w+|NoNewPrivs):\s*(.*?)\s*$", re.MULTILINE)
NOBODY = "65534"
READERS = {"one reader, in a user namespace": 1, "two readers, as root where one is": 2}


@dataclass(slots=True)
class Lived:
    """What was seen of one sensor."""

    status: int
    said: list[str]
    told: list[str]
    journal: list[str]
    rights: list[dict[str, str]]
    """What the kernel tells of each process."""
    left: list[int]
    """Processes that outlived it."""
    metrics: str
    sessions: list[dict[str, Any]]
    database: bytes
    kept: bytes
    """What ``--write`` made."""
    modes: set[int]
    """Of those files."""
    read_again: list[dict[str, Any]]
    """What ``read`` finds in it."""

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.said]

    @property
    def notes(self) -> list[str]:
        return [event["text"] for event in self.events if event["event"] == "note"]


def rights(sensor: Sensor) -> list[dict[str, str]]:
    paths = [f"/proc/{pid}/status" for pid in sensor.processes()]
    told = subprocess.run(sensor.mirror.receiving("cat", *paths), capture_output=True, check=True, text=True)
    return [dict(RIGHTS.findall(one)) for one in told.stdout.split("Name:")[1:]]


def contents(sensor: Sensor, files: list[Path]) -> bytes:
    """What is in files that perhaps only somebody inside may read."""
    command = sensor.mirror.receiving("cat", *map(str, files))
    return subprocess.run(command, capture_output=True, check=True).stdout


def fetched(sensor: Sensor) -> str:
    command = sensor.mirror.receiving(sys.executable, "-Ic", FETCH, f"http://{METRICS}/metrics")
    return subprocess.run(command, capture_output=True, check=True, text=True).stdout


def live(readers: int, folder: Path) -> Lived:
    """Have a sensor go through all that may be asked of it."""
    catalogue = folder / "exchange.toml"
    catalogue.write_text(CATALOGUE.read_text())
    words = ("--log-format", "json", "--metrics", METRICS, "--catalogue", str(catalogue), "--workers",
             str(readers), "--write", str(folder / "kept.pcapng"), "--format", "ndjson", "--usernames",
             "keep")  # fmt: skip
    with mirrored(own_users=readers == 1 or os.getuid() != 0) as mirror:
        with watching(mirror, folder, *words) as sensor:
            has, processes = rights(sensor), sensor.processes()
            sensor.send(OFFICE, logins(folder, EARLY, server=OWN_SERVER))
            sensor.until_committed(IN_OFFICE + EARLY, 2 * COMMITTED_S)
            catalogue.write_text(CATALOGUE.read_text() + "\n[[endpoint]\n")
            sensor.tell(signal.SIGHUP)
            sensor.until_said("the catalogue is not read again")
            catalogue.write_text(CATALOGUE.read_text() + OWN_ENDPOINT)
            sensor.tell(signal.SIGHUP)
            sensor.until_said("the catalogue is read again")
            sensor.send(logins(folder, LATE, first=EARLY, server=OWN_SERVER))
            sensor.until_committed(ALL, 2 * COMMITTED_S)
            sensor.tell(signal.SIGUSR1)
            sensor.until_said('"asked"')
            metrics = fetched(sensor)
            database = contents(sensor, sorted(folder.glob("inventory.db*")))
            status = sensor.end(signal.SIGTERM)
        kept = sorted(folder.glob("kept*"))
        reading = ("read", "--no-db", "--usernames", "keep", "--catalogue", str(catalogue), *map(str, kept))
        sessions, again = sensor.ask(("sessions",), reading)
        return Lived(
            status, sensor.said, sensor.told, sensor.journal, has,
            [pid for pid in processes if Path(f"/proc/{pid}").exists()], metrics, sessions,
            database, contents(sensor, kept), {stat.S_IMODE(path.stat().st_mode) for path in kept},
            again,
        )  # fmt: skip


def search_of_samples() -> Search:
    return Search(f"{SECRET}{word}".encode() for word in PASSWORDS)


@pytest.fixture(scope="module")
def lives() -> Iterator[dict[str, Future[Lived]]]:
    with ExitStack() as stack:
        pool = stack.enter_context(ThreadPoolExecutor(len(READERS)))
        folders = {way: stack.enter_context(anybodys()) for way in READERS}
        yield {way: pool.submit(live, readers, folders[way]) for way, readers in READERS.items()}


@pytest.fixture(params=READERS)
def lived(request: pytest.FixtureRequest, lives: dict[str, Future[Lived]]) -> Lived:
    return lives[request.param].result()


def test_it_ends_well_and_whole_when_told_to(lived: Lived) -> None:
    assert lived.status == 0
    assert lived.left == []
    end = lived.events[-1]
    assert (end["event"], end["sessions"], end["waiting"], end["unwritten"]) == ("end", ALL, 0, 0)
    assert [one["name"] for one in end["interfaces"]] == ["mirror0"]


def test_asked_it_says_how_it_does(lived: Lived) -> None:
    (asked,) = (event for event in lived.events if event["event"] == "asked")
    assert (asked["sessions"], asked["dropped"], asked["fault"]) == (ALL, 0, None)
    assert asked["interfaces"][0]["up"]
    assert asked["packets"] >= ALL


def test_another_catalogue_counts_from_then_on_and_a_faulty_one_never(lived: Lived) -> None:
    kinds = sorted(
        (record["client_port"], record["server_kind"])
        for record in lived.sessions
        if record["server_ip"] == OWN_SERVER[0]
    )
    assert [kind for _, kind in kinds] == ["other"] * EARLY + ["exchange-online"] * LATE
    refused, taken = (text for text in lived.notes if "catalogue" in text)
    assert "exchange.toml" in refused
    assert taken.startswith("the catalogue is read again")


def test_each_session_is_printed_when_it_is_heard(lived: Lived) -> None:
    assert told_apart([json.loads(line) for line in lived.told]) == told_apart(lived.sessions)


def test_metrics_are_served(lived: Lived) -> None:
    values = dict(line.rsplit(" ", 1) for line in lived.metrics.splitlines() if line[:1] not in ("", "#"))
    wanted = {"sessions_total": ALL, "devices": 8, "unwritten_sessions_total": 0,
              "inventory_writable": 1, 'interface_up{interface="mirror0"}': 1,
              'dropped_packets_total{interface="mirror0"}': 0}  # fmt: skip
    assert {name: float(values[f"mailsunset_{name}"]) for name in wanted} == wanted
    assert float(values['mailsunset_arrived_packets_total{interface="mirror0"}']) > 226


def test_what_is_kept_is_read_as_it_was_heard(lived: Lived) -> None:
    ends = (
        "first_seen",
        "last_seen",
        "client_ip",
        "client_port",
        "mechanism",
        "outcome",
        "username",
        "mails",
    )
    kept, heard = (
        {tuple(one[end] for end in ends) for one in records} for records in (lived.read_again, lived.sessions)
    )
    assert kept == heard
    assert len(kept) == ALL
    assert lived.modes == {0o600}
    assert sum("can read passwords" in text for text in lived.notes) == 1


def test_no_process_has_a_right_left(lived: Lived) -> None:
    parser, writer, *readers = lived.rights
    assert len(readers) in (0, 2)
    for has in (parser, *readers):
        assert has["Uid"].split() == has["Gid"].split() == [NOBODY] * 4
        assert has["Groups"] == NOBODY
    assert writer["Uid"].split() in ([NOBODY] * 4, ["0"] * 4)  # where nobody cannot read Python, its owner
    for has in lived.rights:
        assert {int(has[kind], 16) for kind in ("CapInh", "CapPrm", "CapEff", "CapAmb")} == {0}
        assert has["NoNewPrivs"] == "1"


def test_systemd_learns_how_it_fares(lived: Lived) -> None:
    told = lived.journal
    assert told[0] == "READY=1"
    assert told[-1] == "STOPPING=1"
    reloads = [number for number, one in enumerate(told) if one.startswith("RELOADING=1\nMONOTONIC_USEC=")]
    assert [told[number + 1] for number in reloads] == ["READY=1"] * 2
    assert sum(one.startswith("WATCHDOG=1\nSTATUS=mirror0 ") for one in told) > 2


def test_no_password_is_told_anywhere(lived: Lived) -> None:
    search = search_of_samples()
    assert f"{SECRET}phone".encode() in search.found(lived.kept)
    said = "\n".join([*lived.said, *lived.told, *lived.journal, lived.metrics, json.dumps(lived.sessions)])
    assert "user0@example.com" in said
    for hay in (said.encode(), lived.database):
        assert search.found(hay) == set()


def test_a_terminal_shows_it_live_and_is_as_before_after_it() -> None:
    ours, its = pty.openpty()
    termios.tcsetwinsize(its, (40, 160))
    before = termios.tcgetattr(its)
    shown: list[str] = []
    screen = threading.Thread(target=_show, args=(ours, shown), daemon=True)
    screen.start()
    with mirrored() as mirror, anybodys() as folder, anybodys() as other:
        with watching(mirror, folder, stderr=its) as sensor, watching(mirror, other) as plain:
            sensor.send(OFFICE)
            sensor.until(lambda: "LOGIN" in "".join(shown), READY_S, "a login on the screen")
            plain.until_committed(IN_OFFICE, 2 * COMMITTED_S)
            assert (sensor.end(signal.SIGINT), plain.end(signal.SIGINT)) == (0, 0)
        after = termios.tcgetattr(its)
        os.close(its)
        screen.join(5)
        told = "".join(shown)
        for word in ("interface", "mirror0", "looked at", "8 sessions of 7 devices", "10.20.0.31", "587"):
            assert word in told
        assert after == before
        assert told.rindex("\x1b[?25h") > told.rindex("\x1b[?25l")
        assert told.endswith("nothing missed\r\n")
        assert search_of_samples().found(told.encode()) == set()
        assert not [line for line in plain.said if "\x1b" in line]
        assert re.fullmatch(r"20\S+Z mirror0 .*; 8 sessions of 7 devices, .*; nothing missed", plain.said[-1])


def test_it_goes_on_though_what_it_says_goes_nowhere() -> None:
    gone, pipe = os.pipe()
    os.close(gone)
    full = os.open("/dev/full", os.O_WRONLY)
    screen, terminal = pty.openpty()
    with (
        mirrored() as mirror,
        anybodys() as folder,
        anybodys() as other,
        watching(mirror, folder, "--format", "ndjson", stdout=full, stderr=pipe) as sensor,
        watching(mirror, other, stderr=terminal) as drawn,
    ):
        os.close(screen)
        sensor.send(OFFICE)
        for one in (sensor, drawn):
            one.until_committed(IN_OFFICE, 2 * COMMITTED_S)
        sensor.send(logins(folder, LATE))
        for one in (sensor, drawn):
            one.until_committed(IN_OFFICE + LATE, 2 * COMMITTED_S)
            assert one.end() == 0
    for file in (pipe, full, terminal):
        os.close(file)


def _show(terminal: int, shown: list[str]) -> None:
    with suppress(OSError):  # it ends when nobody has the other side open
        while data := os.read(terminal, 1 << 16):
            shown.append(data.decode(errors="replace"))
    os.close(terminal)
