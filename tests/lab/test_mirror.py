"""What is sent at one end of the mirror arrives at the other, frame by frame, and nothing else does."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from packets import Packet, frame, pcap
from stage.mirror import RECEIVER, REPLAY, SENDER, Mirror, mirrored
from stage.replay import renumbered

from scanner.capture.file import CaptureFile

TAGGED = bytes.fromhex("020000000002 020000000001 8100 e064 8100 0007 0806") + bytes(46)
SUPER = frame(("10.0.0.1", 25), ("10.0.0.2", 40000), bytes(65_000))
FRAMES = [TAGGED, SUPER, *(frame(("10.0.0.1", 25), ("10.0.0.2", 40000), bytes([n] * 40)) for n in range(250))]
STARTS_S = 10
"""Longest for a program to listen."""


@pytest.fixture(scope="module")
def mirror() -> Iterator[Mirror]:
    with mirrored() as laid:
        yield laid


@pytest.fixture
def capture(tmp_path: Path) -> str:
    path = tmp_path / "sent.pcap"
    path.write_bytes(pcap([Packet(number * 1_000_000, data) for number, data in enumerate(FRAMES)]))
    return str(path)


def send(mirror: Mirror, *words: str) -> subprocess.CompletedProcess[str]:
    command = mirror.sending(sys.executable, str(REPLAY), SENDER, *words)
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def frames(path: Path) -> list[bytes]:
    with CaptureFile(str(path)) as file:
        return [
            batch.buffer[start : start + size].tobytes()
            for batch in file
            for start, size in zip(batch.start.tolist(), batch.captured.tolist(), strict=True)
        ]


def test_frames_arrive_as_they_were_sent(mirror: Mirror, capture: str, tmp_path: Path) -> None:
    arrived = tmp_path / "arrived.pcap"
    listen = mirror.receiving("tcpdump", "-Z", "root", "-i", RECEIVER, "-B", "8192", "-U", "-w", "-")
    with arrived.open("wb") as file, subprocess.Popen(listen, stdout=file, stderr=subprocess.PIPE) as tap:
        assert tap.stderr
        assert b"listening" in tap.stderr.readline()
        sent = send(mirror, capture, "--loops", "2")
        deadline = time.monotonic() + STARTS_S
        while arrived.stat().st_size < 2 * sum(map(len, FRAMES)) and time.monotonic() < deadline:
            time.sleep(0.05)
        tap.terminate()
    assert json.loads(sent.stdout) | {"seconds": 0} == {
        "frames": 2 * len(FRAMES),
        "bytes": 2 * sum(map(len, FRAMES)),
        "refused": 0,
        "seconds": 0,
    }
    assert frames(arrived) == 2 * FRAMES


@pytest.mark.parametrize(("pace", "seconds"), [(["--timed"], 0.251), (["--pps", "500"], 0.502)])
def test_a_pace_is_kept(mirror: Mirror, capture: str, pace: list[str], seconds: float) -> None:
    assert seconds <= json.loads(send(mirror, capture, *pace).stdout)["seconds"] < seconds + 2


def test_connections_are_new_in_each_loop(capture: str) -> None:
    with CaptureFile(capture) as file:
        (batch,) = file
        again = renumbered(batch, 3)
    ports = again.start[2:, None] + np.arange(34, 38)
    assert {bytes(row) for row in again.buffer[ports]} == {struct.pack(">HH", 25, 40000 ^ 3)}
    assert again.buffer[: len(TAGGED)].tobytes() == TAGGED


def test_what_is_not_ethernet_is_not_sent(mirror: Mirror, tmp_path: Path) -> None:
    cooked = bytearray(pcap([Packet(0, bytes(60))]))
    struct.pack_into("<I", cooked, 20, 113)
    path = tmp_path / "cooked.pcap"
    path.write_bytes(cooked)
    done = send(mirror, str(path))
    assert (done.returncode, json.loads(done.stdout)["frames"]) == (2, 0)
    assert done.stderr == f"{path}: link type 113 cannot be sent on Ethernet\n"


def test_nothing_is_left_of_it() -> None:
    with mirrored() as laid:
        pids = (laid.receiver_pid, laid.sender_pid)
        assert all(Path(f"/proc/{pid}").exists() for pid in pids)
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
