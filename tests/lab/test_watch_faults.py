"""What goes wrong at a sensor is said, and loses nothing that was committed and counts nothing twice."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from stage.logins import logins
from stage.mirror import LARGEST_MTU, RECEIVER, SENDER, Mirror, mirrored
from stage.sensor import COMMITTED_S, END_S, Sensor, anybodys, watching

SOME = 5
"""Sessions sent at a time."""
MANY = 300
"""More than a database has spare room for."""
LOCKED_S = 4
LOCK = """
import sqlite3, sys
database = sqlite3.connect(sys.argv[1], timeout=10, isolation_level=None)
database.execute("BEGIN EXCLUSIVE")
print(flush=True)
sys.stdin.read()
database.execute("ROLLBACK")
"""
DISK_MB = 4
FILL = "dd if=/dev/zero of=$0/filler bs=4k 2>/dev/null; true"
GOES_ON, KILLED = "(mirror0) is still going", "(mirror0) was killed, or could not write"
FAULTY, WELL = "the inventory cannot be written", "the inventory is written again"
AT_ONCE = 4
"""Sensors that run at the same time: they mostly wait."""


@dataclass(frozen=True, slots=True)
class Came:
    """What came of it."""

    status: int
    said: list[str]
    sessions: list[dict[str, Any]]
    counted: int
    """Sessions by the usage of hosts."""
    remarks: str
    """What ``hosts`` says on stderr."""
    left: list[int]
    """Processes that outlived it."""

    @classmethod
    def of(cls, sensor: Sensor, how: signal.Signals | None = signal.SIGTERM) -> Came:
        """End a sensor, and see what it came to."""
        processes = sensor.processes() if how else []
        status = sensor.end(how)
        deadline = time.monotonic() + END_S
        while left := [pid for pid in processes if Path(f"/proc/{pid}").exists()]:
            if time.monotonic() > deadline:
                break
            time.sleep(0.1)
        sessions, hosts = sensor.ask(("sessions",), ("hosts", "--all"))
        counted = sum(use["sessions"] for host in hosts for use in host["usage"])
        ((_, remarks),) = sensor.run(("hosts", "--limit", "1"))
        return cls(status, sensor.said, sessions, counted, remarks, left)

    def said_once(self, *texts: str) -> bool:
        """Whether these were said, once each and in this order."""
        lines = [number for text in texts for number, line in enumerate(self.said) if text in line]
        return len(lines) == len(texts) and lines == sorted(lines)


def inside(mirror: Mirror, *command: str) -> None:
    subprocess.run(mirror.receiving(*command), check=True, capture_output=True)


def again(sensor: Sensor, sessions: int) -> None:
    """Hear some more, which then are so many in all."""
    sensor.send(logins(sensor.folder, SOME, first=sessions - SOME))
    sensor.until_committed(sessions, 2 * COMMITTED_S)


def flaps(readers: int, mirror: Mirror, folder: Path) -> Came:
    """The interface goes down and comes up, is renamed, is removed and made again."""
    with watching(mirror, folder, "--workers", str(readers)) as sensor:
        again(sensor, SOME)
        for way in ("down", "up"):
            inside(mirror, "ip", "link", "set", RECEIVER, way)
            sensor.until_said(f"{RECEIVER} is {way}")
        again(sensor, 2 * SOME)
        for words in (("down",), ("name", "other9"), ("up",)):
            inside(mirror, "ip", "link", "set", RECEIVER if words[0] != "up" else "other9", *words)
        sensor.until_said(f"{RECEIVER} is called other9 now")
        time.sleep(1)
        again(sensor, 3 * SOME)
        inside(mirror, "ip", "link", "del", "other9")
        sensor.until_said("other9 is gone")
        peer = ("peer", "name", SENDER, "mtu", str(LARGEST_MTU), "netns", str(mirror.sender_pid))
        inside(mirror, "ip", "link", "add", "other9", "mtu", str(LARGEST_MTU), "type", "veth", *peer)
        inside(mirror, "ip", "link", "set", "other9", "up")
        subprocess.run(mirror.sending("ip", "link", "set", SENDER, "up"), check=True)
        sensor.until_said("other9 is back")
        time.sleep(1)
        again(sensor, 4 * SOME)
        return Came.of(sensor)


def locked(mirror: Mirror, folder: Path) -> Came:
    """Somebody else has the database for a while, and sessions go on."""
    with watching(mirror, folder) as sensor:
        again(sensor, SOME)
        words = mirror.receiving(sys.executable, "-Ic", LOCK, str(sensor.database))
        with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as lock:
            assert lock.stdout
            lock.stdout.readline()
            sensor.send(logins(folder, MANY, first=SOME))
            sensor.until_said(FAULTY)
            time.sleep(LOCKED_S)
            sensor.send(logins(folder, SOME, first=SOME + MANY))
            sensor.tell(signal.SIGUSR1)
            sensor.until_said("sessions wait for the inventory")
            assert sensor.committed() == SOME
        sensor.until_said(WELL)
        again(sensor, MANY + 3 * SOME)
        return Came.of(sensor)


def disk_full(mirror: Mirror, folder: Path) -> Came:
    """The disk is full for a while, and sessions go on."""
    disk = folder / "disk"
    disk.mkdir()
    inside(mirror, "mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m,mode=777", "none", str(disk))
    with watching(mirror, folder, database=disk / "inventory.db") as sensor:
        again(sensor, SOME)
        inside(mirror, "sh", "-c", FILL, str(disk))
        sensor.send(logins(folder, MANY, first=SOME))
        sensor.until_said(FAULTY)
        time.sleep(2)
        inside(mirror, "rm", str(disk / "filler"))
        sensor.until_said(WELL)
        again(sensor, MANY + 2 * SOME)
        return Came.of(sensor)


def killed(mirror: Mirror, folder: Path) -> Came:
    """It is killed amid sessions, and started again."""
    with watching(mirror, folder, "--workers", "2") as sensor:
        again(sensor, SOME)
        sensor.send(logins(folder, MANY, first=10 * SOME))
        came = Came.of(sensor, signal.SIGKILL)
    assert came.left == []
    assert came.status == -signal.SIGKILL
    assert came.counted == len(came.sessions) >= SOME
    assert came.remarks.count(GOES_ON) == 1
    with watching(mirror, folder) as sensor:
        again(sensor, len(came.sessions) + SOME)
        return Came.of(sensor)


def bereft(child: int, mirror: Mirror, folder: Path) -> Came:
    """One of its processes is killed."""
    with watching(mirror, folder, "--workers", "2") as sensor:
        again(sensor, SOME)
        processes = sensor.processes()
        os.kill(processes[child], signal.SIGKILL)
        sensor.until(lambda: sensor.process.poll() is not None, END_S)
        came = Came.of(sensor, None)
    assert not [pid for pid in processes if Path(f"/proc/{pid}").exists()]
    return came


FAULTS: dict[str, Callable[[Mirror, Path], Came]] = {
    "flaps": partial(flaps, 1),
    "flaps, two readers": partial(flaps, 2),
    "locked": locked,
    "disk full": disk_full,
    "killed": killed,
    "no writer": partial(bereft, 1),
    "no reader": partial(bereft, 2),
}


@pytest.fixture(scope="module")
def faults() -> Iterator[dict[str, Future[Came]]]:
    def befall(fault: Callable[[Mirror, Path], Came]) -> Came:
        with mirrored() as mirror, anybodys() as folder:
            return fault(mirror, folder)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield {name: pool.submit(befall, fault) for name, fault in FAULTS.items()}


Faults = dict[str, Future[Came]]


@pytest.mark.parametrize("readers", ["flaps", "flaps, two readers"])
def test_an_interface_may_come_and_go(readers: str, faults: Faults) -> None:
    came = faults[readers].result()
    assert (came.status, len(came.sessions), came.counted) == (0, 4 * SOME, 4 * SOME)
    assert came.said_once(
        "mirror0 is down", "mirror0 is up", "mirror0 is called other9 now", "other9 is gone", "other9 is back"
    )
    assert re.search(r"interfaces away for \d+ s", came.remarks)


@pytest.mark.parametrize(("fault", "sessions"), [("locked", MANY + 3 * SOME), ("disk full", MANY + 2 * SOME)])
def test_an_inventory_that_cannot_be_written_is_caught_up_with(
    fault: str, sessions: int, faults: Faults
) -> None:
    came = faults[fault].result()
    assert (came.status, len(came.sessions), came.counted) == (0, sessions, sessions)

    assert came.said_once(FAULTY, WELL)
    assert came.said[-1].endswith("nothing missed")


def test_killed_and_started_again_it_goes_on(faults: Faults) -> None:
    came = faults["killed"].result()
    assert (came.status, came.counted) == (0, len(came.sessions))
    assert came.remarks.count(KILLED) == 1


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("no writer", "the process that keeps the inventory is gone; what was recorded before is kept"),
        ("no reader", "a reading process is gone, perhaps for want of memory"),
    ],
)
def test_without_one_of_its_processes_it_ends_with_one_line(fault: str, told: str, faults: Faults) -> None:
    came = faults[fault].result()
    assert (came.status, len(came.sessions), came.counted) == (1, SOME, SOME)

    assert came.said_once(told)
    assert not [line for line in came.said if "Traceback" in line]
