"""What is heard at a mirror port is what is read from a capture of it, however one listens."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest
from stage.mirror import LARGEST_MTU, SENDER, Mirror, mirrored
from stage.sensor import COMMITTED_S, ROOT, anybodys, send, watching

from .conftest import mailsunset

CAPTURES = sorted((ROOT / "captures").glob("*.pcapng"))
WAYS = {
    "best": (),
    "classic": ("--filter", "classic"),
    "none": ("--filter", "none", "--format", "ndjson"),
    "scapy": ("--scapy",),
    "workers": ("--workers", "2"),
    "a direction each": ("-i", "other0"),
    "a direction each, workers": ("-i", "other0", "--workers", "2"),
}
CABLE = f"ip link add other0 mtu {LARGEST_MTU} type veth peer name other1 mtu {LARGEST_MTU} netns %d"
UP = "ip link set %s addrgenmode none up"
SEND = f"""
import socket, sys
from scanner.capture.file import CaptureFile
ways = [socket.socket(socket.AF_PACKET, socket.SOCK_RAW) for _ in range(2)]
for way, name in zip(ways, ("{SENDER}", "other1")):
    way.bind((name, 0))
for path in sys.argv[1:]:
    with CaptureFile(path) as capture:
        for batch in capture:
            for at, size in zip(batch.start.tolist(), batch.captured.tolist()):
                frame = batch.buffer[at : at + size].tobytes()
                four = frame[12:14] == bytes([8, 0])
                source, target = (frame[26:30], frame[30:34]) if four else (frame[22:38], frame[38:54])
                tagged = frame[:12] + bytes([0x81, 0, 0, 100]) + frame[12:]
                ways[source > target].send(tagged if source > target else frame)
"""
"""As switches do that mirror a port's two directions to two ports, one of them in a VLAN."""
WHEN_AND_WHERE = ("capture", "sensor", "first_seen", "last_seen")
"""What must differ from what is read of a capture."""
LEARNED = "; the server answers as it answered others"
"""How a server answers is learned from what is heard with or before a session, which live may be less."""
FELL_BACK = "the kernel cuts no connections off"
AT_ONCE = 3
"""Sensors that run at the same time."""
LISTINGS = (("sessions",), ("--as-of", "2026-11-25", "hosts", "--all"))
Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Found:
    """What a sensor came to."""

    status: int
    sessions: list[Record]
    hosts: list[Record]
    said: list[str]
    told: list[str]
    took_s: float
    """From the end of the last conversation until it was in the inventory."""


def timeless(record: Any) -> Any:
    """A record without what must differ."""
    if isinstance(record, dict):
        record = {key: timeless(value) for key, value in record.items() if key not in WHEN_AND_WHERE}
        return record | {"evidence": (record.get("evidence") or "").removesuffix(LEARNED)}
    return [timeless(one) for one in record] if isinstance(record, list) else record


def told_apart(records: list[Record]) -> set[str]:
    """Records as they can be compared, in any order; none is there twice."""
    lines = [json.dumps(timeless(record), sort_keys=True) for record in records]
    assert len(set(lines)) == len(lines)
    return set(lines)


def may_load() -> bool:
    """Whether the kernel takes extended filters from us; it takes none from a user namespace."""
    return os.getuid() == 0


def lay_another(mirror: Mirror) -> None:
    """Lay another cable beside the mirror's."""
    made = mirror.receiving(*(CABLE % mirror.sender_pid).split())
    for command in (
        made,
        mirror.receiving(*(UP % "other0").split()),
        mirror.sending(*(UP % "other1").split()),
    ):
        subprocess.run(command, check=True)


def listen(way: str, sessions: int) -> Found:
    """Listen that way while all captures are sent."""
    with mirrored(own_users=way != "best" or not may_load()) as mirror, anybodys() as folder:
        apart = "other0" in WAYS[way]
        if apart:
            lay_another(mirror)
        with watching(mirror, folder, *WAYS[way]) as sensor:
            if apart:
                each_by_its_own = mirror.sending(sys.executable, "-c", SEND, *map(str, CAPTURES))
                subprocess.run(each_by_its_own, check=True, cwd=ROOT)
            else:
                send(mirror, *CAPTURES)
            took_s = sensor.until_committed(sessions, 2 * COMMITTED_S)
            status = sensor.end()
        found, hosts = sensor.ask(*LISTINGS)
        return Found(status, found, hosts, sensor.said, sensor.told, took_s)


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Record], list[Record]]:
    """Sessions and hosts that ``read`` finds."""
    home = tmp_path_factory.mktemp("home")
    assert mailsunset(home, "read", *CAPTURES).returncode == 0
    told = [mailsunset(home, *words, "--format", "ndjson").stdout.splitlines() for words in LISTINGS]
    sessions, hosts = ([json.loads(line) for line in lines] for lines in told)
    return sessions, hosts


@pytest.fixture(scope="module")
def heard(read: tuple[list[Record], list[Record]]) -> Iterator[dict[str, Future[Found]]]:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield {way: pool.submit(listen, way, len(read[0])) for way in WAYS}


@pytest.mark.parametrize("way", WAYS)
def test_it_finds_the_sessions_that_read_finds(
    way: str, heard: dict[str, Future[Found]], read: tuple[list[Record], list[Record]]
) -> None:
    found = heard[way].result()
    assert len(read[0]) > 30
    assert told_apart(found.sessions) == told_apart(read[0])
    assert found.status == 0
    assert found.said[-1].endswith("nothing missed")


@pytest.mark.parametrize("way", WAYS)
def test_it_finds_the_machines_that_read_finds(
    way: str, heard: dict[str, Future[Found]], read: tuple[list[Record], list[Record]]
) -> None:
    """With the names that they announced, and who hides behind which relay."""
    assert told_apart(heard[way].result().hosts) == told_apart(read[1])


@pytest.mark.parametrize("way", WAYS)
def test_sessions_are_committed_within_five_seconds(way: str, heard: dict[str, Future[Found]]) -> None:
    assert heard[way].result().took_s <= COMMITTED_S


def test_without_a_right_to_load_it_falls_back_and_says_so_once(heard: dict[str, Future[Found]]) -> None:
    notes = [line for line in heard["best"].result().said if FELL_BACK in line]
    assert len(notes) == (0 if may_load() else 1)


def test_each_session_is_printed_as_it_is_heard(
    heard: dict[str, Future[Found]], read: tuple[list[Record], list[Record]]
) -> None:
    assert told_apart([json.loads(line) for line in heard["none"].result().told]) == told_apart(read[0])
    assert heard["classic"].result().told == []
