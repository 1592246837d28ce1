"""A mirror port that is right, and what is wrong with others, as the program tells it live."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import click
import pytest
from packets import datagram

from scanner.capture.file import CaptureFile
from scanner.cli.commands.doctor import as_seconds
from tests.scanner.cli import mirror_port

ROOT = Path(__file__).parents[3]
MIRROR = bytes.fromhex(mirror_port.MAC.replace(":", ""))
SENDER = bytes.fromhex("020000000a02")
LISTENS_S = "2"
"""Long enough for the second after which a silent side counts as missing."""
Frames = list[bytes]


def office() -> Frames:
    with CaptureFile(str(ROOT / "captures" / "office.pcapng")) as capture:
        return [
            batch.buffer[at : at + size].tobytes()
            for batch in capture
            for at, size in zip(batch.start.tolist(), batch.captured.tolist(), strict=True)
        ]


def of_clients(frames: Frames) -> Frames:
    """What comes from the higher port."""
    return [one for one in frames if one[12:15] == b"\x08\0\x45" and one[34:36] > one[36:38]]


def in_vxlan(frames: Frames) -> Frames:
    ends = (("10.9.0.1", 40_000), ("10.9.0.2", 4789))
    wrapped = [datagram(*ends, b"\x08" + bytes(7) + one).data for one in frames]
    return [MIRROR + SENDER + one[12:] for one in wrapped]


SCENES: dict[str, Callable[[], Frames]] = {
    "right": office,
    "late": office,
    "one way": lambda: of_clients(office()),
    "twice": lambda: [one for one in office() for _ in range(2)],
    "tagged": lambda: [one[:12] + b"\x81\0\0\7" + one[12:] for one in office()],
    "twice tagged": lambda: [one[:12] + b"\x88\xa8\0\7\x81\0\0\5" + one[12:] for one in office()],
    "cut": lambda: [one[:80] for one in office()],
    "cut to headers": lambda: [one[:50] for one in office()],
    "wrapped": lambda: in_vxlan(office()),
    "cut and wrapped": lambda: in_vxlan([one[:80] for one in office()]),
    "broadcast": lambda: [b"\xff" * 6 + SENDER + b"\x08\6" + bytes(46)] * 20,
    "unknown": lambda: [one[:12] + b"\x88\xb5" + bytes(8) + one for one in office()],
    "silent": list,
}


class Told:
    """What the program told."""

    def __init__(self, done: subprocess.CompletedProcess[bytes]) -> None:
        self.status = done.returncode
        self.said = done.stderr.decode()
        assert done.stdout, self.said
        self.findings: dict[str, dict[str, Any]] = {
            found["check"]: found for found in map(json.loads, done.stdout.splitlines())
        }

    @property
    def wrong(self) -> set[str]:
        """What is to be mended."""
        return {check for check, found in self.findings.items() if found["result"] in ("bad", "warn")}

    def text(self, check: str) -> str:
        return str(self.findings[check]["text"])


def doctor(
    frames: Frames, folder: Path, *options: str, late_s: int = 0
) -> subprocess.CompletedProcess[bytes]:
    (folder / "frames").write_bytes(pickle.dumps(frames))
    words = [str(folder / "frames"), str(late_s), "--for", LISTENS_S, *options]
    command = ["unshare", "-Urn", sys.executable, mirror_port.__file__, *words]
    environment = {
        key: value for key, value in os.environ.items() if not key.startswith(("XDG", "MAILSUNSET"))
    }
    environment |= {"HOME": str(folder)}
    return subprocess.run(command, capture_output=True, env=environment, timeout=60, check=False, cwd=ROOT)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Told]:
    """What is told of each scene; they are played side by side, for most of it is waiting."""

    homes = {scene: tmp_path_factory.mktemp("home") for scene in SCENES}

    def play(scene: str) -> Told:
        late_s = 600 if scene == "late" else 0
        return Told(doctor(SCENES[scene](), homes[scene], "--format", "ndjson", late_s=late_s))

    with ThreadPoolExecutor(4) as players:
        return dict(zip(SCENES, players.map(play, SCENES), strict=True))


def test_of_a_mirror_that_is_right_nothing_is_to_be_mended(told: dict[str, Told]) -> None:
    right = told["right"]
    assert (right.status, right.wrong) == (0, set())
    assert "224 went from one other machine to another" in right.text("mirror")
    assert right.text("both directions") == "Of 8 mail connections 8 (100 %) were seen both ways."
    assert right.text("beginnings") == "Of 8 mail connections 8 (100 %) began in sight."
    assert right.text("mail").endswith("7 of them to Exchange Online.")
    assert "smtp.office365.com:587 smtp, exchange-online: 2" in right.findings["mail"]["details"]
    assert "clock is right" in right.text("clock")
    assert right.text("duplicates") == "Packets come once."


@pytest.mark.parametrize(
    ("scene", "check", "said"),
    [
        ("late", "clock", "clock is 10.0 minutes ahead by what"),
        ("one way", "both directions", "What servers answer is missing"),
        ("cut", "snap length", "cut short"),
        ("cut to headers", "snap length", "cut short"),
        ("cut and wrapped", "snap length", "cut short"),
        ("broadcast", "mirror", "Only what comes to any port arrived (20 to everybody, 0 of"),
        ("unknown", "contents", "No TCP is in 224 packets"),
        ("silent", "mirror", "mirror0 is up, and nothing arrived in 2 s"),
    ],
)
def test_what_is_wrong_is_told_with_what_to_do(
    told: dict[str, Told], scene: str, check: str, said: str
) -> None:
    found = told[scene]
    assert found.status == 1
    assert found.wrong == {check}
    assert said in found.text(check)
    assert found.findings[check]["advice"]


@pytest.mark.parametrize(
    ("scene", "check", "said"),
    [
        ("twice", "duplicates", "50.0 % of packets"),
        ("tagged", "wrapping", "226 packets with a VLAN tag: they are looked through"),
        ("twice tagged", "wrapping", "226 packets with a VLAN tag, 226 VLAN tags further in (QinQ"),
        ("wrapped", "wrapping", "226 packets in VXLAN: they are looked through"),
    ],
)
def test_what_does_no_harm_is_told_and_looked_through(
    told: dict[str, Told], scene: str, check: str, said: str
) -> None:
    found = told[scene]
    assert (found.status, found.wrong) == (0, set())
    assert found.findings[check]["result"] == "info"
    assert said in found.text(check)
    assert found.text("mail") == told["right"].text("mail")
    assert found.text("both directions") == told["right"].text("both directions")


def test_a_table_tells_it_in_plain_words(tmp_path: Path) -> None:
    done = doctor(office(), tmp_path)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.decode().splitlines()
    assert lines[0].rstrip() == "mirror0, 2 s"
    assert any(line.strip() == "smtp.office365.com:587 smtp, exchange-online: 2" for line in lines)
    assert any(line.split()[:2] == ["mirror0:", "mirror"] for line in lines)
    assert not list(tmp_path.rglob("*.db*"))


def test_without_rings_it_tells_the_same(told: dict[str, Told], tmp_path: Path) -> None:
    found = Told(doctor(office(), tmp_path, "--format", "ndjson", "--scapy"))
    assert (found.status, found.wrong) == (0, set())
    assert found.findings["mail"] == told["right"].findings["mail"]


def test_an_interface_that_is_not_there_is_said() -> None:
    command = [sys.executable, "-c", mirror_port.PROGRAM, "doctor", "-i", "none0"]
    done = subprocess.run(
        ["unshare", "-Urn", *command], capture_output=True, timeout=60, check=False, cwd=ROOT
    )
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"none0" in done.stderr
    assert b"there are: lo" in done.stderr


def test_whoever_may_not_capture_is_told_so() -> None:
    command = [
        "setpriv",
        "--bounding-set",
        "-all",
        sys.executable,
        "-c",
        mirror_port.PROGRAM,
        "doctor",
        "-i",
        "lo",
    ]
    done = subprocess.run(
        ["unshare", "-Urn", *command], capture_output=True, timeout=60, check=False, cwd=ROOT
    )
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"CAP_NET_RAW" in done.stderr


def test_an_interface_that_is_down_is_not_waited_for(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-c",
        mirror_port.PROGRAM,
        "doctor",
        "-i",
        "lo",
        "--for",
        "1h",
        "--format",
        "json",
    ]
    done = subprocess.run(
        ["unshare", "-Urn", *command], capture_output=True, timeout=60, check=False, cwd=ROOT
    )
    assert done.returncode == 1
    first = json.loads(done.stdout)[0]
    assert (first["check"], first["result"], first["text"]) == (
        "mirror",
        "bad",
        "lo is down, or has no carrier.",
    )


@pytest.mark.parametrize(("text", "seconds"), [("90", 90), ("1s", 1), ("10m", 600), ("24h", 86_400)])
def test_lengths_of_time_are_read(text: str, seconds: int) -> None:
    assert as_seconds(None, None, text) == seconds  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["", "0", "0s", "25h", "x", "1d", "-1", "1 m", "٣"])
def test_what_is_no_length_of_time_is_said(text: str) -> None:
    with pytest.raises(click.BadParameter, match="not a time"):
        as_seconds(None, None, text)  # type: ignore[arg-type]
