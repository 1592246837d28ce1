"""A sensor that listens for long, or to a flood, stays as small as it was and hears all."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from stage.mirror import mirrored
from stage.sensor import Sensor, anybodys, watching

from benchmarks.make import flood, mailstorm, written
from benchmarks.measure import proportional_kb
from scanner.capture.file import CaptureFile

from .conftest import mailsunset

SOAK_S = 20.0
SOAK_SESSIONS = 3_000
MOST_GROWTH_MB = 10.0
"""Between a third of the soak and its end, with as many new machines; ten minutes are in the benchmarks."""
FLOOD_CONNECTIONS, FLOOD_SESSIONS, FLOOD_PPS = 200_000, 300, 60_000
MOST_MB = 300.0
SETTLE_S = 30.0
MB = 1024
ENDS = ("client_ip", "client_port", "server_ip", "server_port", "mechanism", "outcome")
Record = dict[str, Any]


@dataclass(slots=True)
class Loaded:
    """What became of a sensor under load."""

    sessions: list[Record] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    sizes: list[tuple[float, float]] = field(default_factory=list)
    """Memory of all its processes over time: seconds, MB."""
    status: int | None = None


def load(capture: Path, sessions: int, *pace: str) -> Loaded:
    """Listen to a capture, and look at memory meanwhile."""
    loaded = Loaded()
    with mirrored() as mirror, anybodys() as folder, ThreadPoolExecutor(1) as sending:
        with watching(mirror, folder) as sensor:
            began = time.monotonic()
            sent = sending.submit(sensor.send, *pace, capture)
            while not sent.done() or sensor.committed() < sessions:
                at = time.monotonic() - began
                assert at < SOAK_S + SETTLE_S, sensor.said
                loaded.sizes.append((at, memory_mb(sensor)))
                time.sleep(0.5)
            sent.result()
            loaded.status = sensor.end()
        (loaded.sessions,), loaded.said = sensor.ask(("sessions",)), sensor.said
    return loaded


def memory_mb(sensor: Sensor) -> float:
    return sum(map(proportional_kb, sensor.processes())) / MB


def ends(records: list[Record]) -> list[tuple[Any, ...]]:
    return sorted((tuple(record[end] for end in ENDS) for record in records), key=str)


def read(home: Path, capture: Path) -> list[Record]:
    told = mailsunset(home, "read", "--no-db", "--format", "ndjson", capture).stdout
    return [json.loads(line) for line in told.splitlines()]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def soak(home: Path) -> Iterator[tuple[list[Record], Future[Loaded]]]:
    """Sessions of other machines and ports all along, while the flood comes elsewhere."""
    capture = written(home / "storm.pcap", mailstorm(SOAK_SESSIONS))
    wanted = read(home, capture)
    with CaptureFile(str(capture)) as file:
        packets = sum(len(batch.at) for batch in file)
    with ThreadPoolExecutor(1) as pool:
        yield wanted, pool.submit(load, capture, len(wanted), "--pps", str(packets / SOAK_S))


def test_all_logins_amid_a_flood_are_found_in_little_memory(
    soak: tuple[list[Record], Future[Loaded]], home: Path
) -> None:
    capture = written(home / "flood.pcap", flood(FLOOD_CONNECTIONS, FLOOD_SESSIONS))
    wanted = read(home, capture)
    found = load(capture, len(wanted), "--pps", str(FLOOD_PPS))
    assert len(wanted) > FLOOD_SESSIONS * 0.9
    assert ends(found.sessions) == ends(wanted)
    assert found.status == 0
    assert max(size for _, size in found.sizes) < MOST_MB


def test_memory_stays_as_it_was_and_all_sessions_are_found(soak: tuple[list[Record], Future[Loaded]]) -> None:
    wanted, going = soak
    found = going.result()
    assert ends(found.sessions) == ends(wanted)
    assert found.status == 0
    warm = [size for at, size in found.sizes if SOAK_S / 3 < at < SOAK_S / 2]
    late = [size for at, size in found.sizes if SOAK_S * 5 / 6 < at < SOAK_S]
    assert max(late) - max(warm) < MOST_GROWTH_MB, found.sizes
