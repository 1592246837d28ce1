"""The lab, played once a session, and what mailsunset reads of it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from stage.namespace import run_inside

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PROGRAMS = [
    "unshare",
    "nsenter",
    "ip",
    "mount",
    "newuidmap",
    "openssl",
    "tcpdump",
    "tshark",
    "dovecot",
    "postconf",
    "curl",
    "gsasl",
    "swaks",
    "tinyproxy",
    "microsocks",
]
LAB_S = 90
"""Longest that playing may last; 13 s on two cores."""
ENDPOINTS = ("--endpoint", "10.31.0.0/16", "--endpoint", "fd00:31::/64")


@dataclass(frozen=True, slots=True)
class Played:
    """One connection as it was made."""

    title: str
    address: str
    """The server's, which no other connection has."""
    name: str
    user: str
    client_name: str | None
    secrets: list[str]
    status: int
    said: str


@dataclass(frozen=True, slots=True)
class Lab:
    """What the lab left behind."""

    folder: Path
    played: dict[str, Played]
    """By title."""

    @property
    def capture(self) -> Path:
        return self.folder / "lab.pcap"

    def logs(self) -> str:
        return (self.folder / "servers.log").read_text() + (self.folder / "tcpdump.log").read_text()


def python(
    home: Path, *arguments: str | Path, data: bytes = b"", path: str = ""
) -> subprocess.CompletedProcess[bytes]:
    """Run Python on our code with a home of its own."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("XDG", "MAILSUNSET"))}
    environment = {**kept, "HOME": str(home), "PYTHONPATH": path}
    command = [sys.executable, *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, env=environment, timeout=60, check=False, cwd=ROOT, input=data
    )


EACH = """
import json, sys
from scanner.cli import main
for sys.argv[1:] in json.load(sys.stdin):
    try:
        main()
    except SystemExit as end:
        print(end.code, file=sys.stderr)
"""


def mailsunset_each(home: Path, *commands: Sequence[str | Path]) -> tuple[bytes, list[str]]:
    """Run the program's commands one after the other in one process; give all output, and the statuses."""
    data = json.dumps([[str(word) for word in words] for words in commands]).encode()
    done = python(home, "-c", EACH, data=data)
    assert done.returncode == 0, done.stderr
    statuses = [line for line in done.stderr.decode().splitlines() if line.isdecimal() or line == "None"]
    assert len(statuses) == len(commands)
    return done.stdout + done.stderr, statuses


def mailsunset(home: Path, *arguments: str | Path) -> subprocess.CompletedProcess[bytes]:
    """Run the program."""
    return python(home, "-c", "from scanner.cli import main; main()", *arguments)


def tshark(capture: Path, *fields: str, only: str = "tcp", also: tuple[str, ...] = ()) -> list[list[str]]:
    """Give fields of the packets that a filter lets pass; several values of one field have commas between."""
    wanted = [part for field in fields for part in ("-e", field)]
    command = ["tshark", "-n", "-r", str(capture), "-Y", only, "-T", "fields", *wanted, *also]
    done = subprocess.run(command, capture_output=True, timeout=60, check=False, text=True)
    assert done.returncode == 0, done.stderr
    return [line.split("\t") for line in done.stdout.splitlines()]


def play(module: str, programs: list[str], limit_s: float, folders: pytest.TempPathFactory) -> Path:
    """Run a module of ours in namespaces of its own; give the folder where it left what it made."""
    path = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/sbin"))
    missing = [name for name in programs if not shutil.which(name, path=path)]
    if missing:
        pytest.fail(f"the lab needs {' '.join(missing)}: run tests/install-system-packages.sh", pytrace=False)
    folder = folders.mktemp(module)
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(HERE), "PYTHONDONTWRITEBYTECODE": "1"}
    done = run_inside([sys.executable, "-m", module, str(folder)], HERE, environment, limit_s)
    logs = "".join(log.read_text(errors="replace") for log in folder.glob("*.log"))
    assert done.returncode == 0, done.stderr.decode(errors="replace") + logs
    return folder


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """Build the lab, play every dialogue, and capture it."""
    folder = play("stage", PROGRAMS, LAB_S, tmp_path_factory)
    entries: list[dict[str, Any]] = json.loads((folder / "labels.json").read_text())
    return Lab(folder, {entry["title"]: Played(**entry) for entry in entries})


@pytest.fixture(scope="session")
def said(lab: Lab) -> dict[str, bytes]:
    """What the client said to each address, by tshark."""
    found: dict[str, bytes] = {}
    for four, six, payload in tshark(lab.capture, "ip.dst", "ipv6.dst", "tcp.payload", only="tcp.len > 0"):
        found[four or six] = found.get(four or six, b"") + bytes.fromhex(payload)
    return found


@pytest.fixture(scope="session")
def records(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, Any]]]:
    """Session records by the server's address."""
    home = tmp_path_factory.mktemp("home")
    read = ("read", "--no-db", "--format", "ndjson", "--usernames", "keep", *ENDPOINTS, lab.capture)
    done = mailsunset(home, *read)
    assert done.returncode == 0, done.stderr
    found: dict[str, list[dict[str, Any]]] = {}
    for line in done.stdout.splitlines():
        record = json.loads(line)
        found.setdefault(record["server_ip"], []).append(record)
    return found
