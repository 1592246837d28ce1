"""The unit asks for two capabilities and is fenced in; systemd takes it, and the program can bear it."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
UNIT = ROOT / "packaging" / "mailsunset-watch.service"
CAPABILITIES = {"CAP_NET_RAW", "CAP_BPF"}
MOST_EXPOSED = 20
"""Tenths, as ``systemd-analyze security`` weighs (version 252: 16): network, packet sockets and bpf(2)."""
PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN = 65, 1
"""linux/prctl.h: what MemoryDenyWriteExecute= forbids, from kernel 6.3 on for any process that asks."""


def settings() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in UNIT.read_text("utf-8").splitlines():
        name, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found.setdefault(name, []).append(value)
    return found


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which("systemd-analyze")
    assert program, "see tests/install-system-packages.sh"
    return subprocess.run([program, *arguments], capture_output=True, text=True, check=False)


def test_systemd_understands_every_line(tmp_path: Path) -> None:
    unit = tmp_path / UNIT.name
    (begin,) = settings()["ExecStart"]
    unit.write_text(UNIT.read_text("utf-8").replace(begin.split()[0], sys.executable), "utf-8")
    done = analyze("verify", "--man=no", str(unit))
    assert (done.returncode, done.stderr) == (0, "")


def test_it_asks_for_two_capabilities_and_is_fenced_in_otherwise() -> None:
    asked = settings()
    for name in ("AmbientCapabilities", "CapabilityBoundingSet"):
        assert [set(value.split()) for value in asked[name]] == [CAPABILITIES]
    assert asked["SystemCallFilter"][-1].split() == ["bpf", "capset"]  # the filter, and to drop both for good
    done = analyze("security", "--offline=true", f"--threshold={MOST_EXPOSED}", "--no-pager", str(UNIT))
    assert done.returncode == 0, done.stdout


def test_it_is_the_command_that_there_is() -> None:
    asked = settings()
    assert asked["ExecStart"][0].split()[:2] == ["/opt/mailsunset/bin/mailsunset", "watch"]
    assert asked["EnvironmentFile"] == ["/etc/default/mailsunset"]
    state = f"/var/lib/{asked['StateDirectory'][0]}/inventory.db"
    assert asked["Environment"][0].split()[0] == f"MAILSUNSET_DB={state}"


def refuse_executable_memory(prctl: ctypes._CFuncPtr) -> None:
    if prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0):
        os._exit(99)


def test_the_program_needs_no_memory_that_is_written_and_run(tmp_path: Path) -> None:
    refuse = partial(refuse_executable_memory, ctypes.CDLL(None).prctl)
    capture = ROOT / "captures" / "office.pcapng"
    command = [sys.executable, "-c", "from scanner.cli import main; main()", "read", "--no-db", str(capture)]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=ROOT, preexec_fn=refuse,
        env={**os.environ, "HOME": str(tmp_path)},
    )  # fmt: skip
    if done.returncode == 99:
        pytest.skip("this kernel cannot refuse it to a process: it is older than 6.3")
    assert (done.returncode, "8 sessions" in done.stderr) == (0, True), done.stderr
