"""Measure: ``python -m benchmarks.run [NAME...]`` prints ratios to nDPI and tshark, and memory.

Every program reads the same file in turn, so that a noisy machine is noisy for all; medians count.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.make import capture

ROUNDS = 3
FILTER = " or ".join(f"tcp port {port}" for port in (25, 587, 465, 110, 995, 143, 993))
FIELDS = (
    "smtp.req.command",
    "smtp.response.code",
    "imap.request",
    "pop.request.command",
    "tls.handshake.extensions_server_name",
)
START = ("--help", "deadlines")
START_LIMIT_S = 0.3


def measured(command: Sequence[str]) -> tuple[float, float]:
    """Run a program; its seconds and its peak memory in MB."""
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command[0]} ended with {process.returncode}")
    return time.perf_counter() - began, usage.ru_maxrss / 1024


def ours(path: Path, folder: str) -> list[str]:
    database = Path(folder) / f"{time.time_ns()}.db"
    code = "from scanner.cli import main; main()"
    return [sys.executable, "-c", code, "--db", str(database), "read", "--format", "ndjson", str(path)]


def peers(path: Path) -> dict[str, list[str]]:
    """What there is to compare with, and how it reads a capture."""
    fields = [word for field in FIELDS for word in ("-e", field)]
    commands = {
        "nDPI": ["ndpiReader", "-q", "-i", str(path), "-f", FILTER],
        "tshark": ["tshark", "-r", str(path), "-T", "fields", *fields],
    }
    return {name: command for name, command in commands.items() if shutil.which(command[0])}


def compare(name: str, goals: dict[str, float], memory: float) -> None:
    """Print a capture's ratios: above 1 we are faster."""
    path = capture(name)
    spent: dict[str, list[float]] = {}
    peak = 0.0
    with tempfile.TemporaryDirectory() as folder:
        rivals = {rival: command for rival, command in peers(path).items() if rival in goals}
        for number in range(ROUNDS):
            for rival, command in rivals.items():
                if rival != "tshark" or number == 0:
                    spent.setdefault(rival, []).append(measured(command)[0])
            seconds, size = measured(ours(path, folder))
            spent.setdefault("mailsunset", []).append(seconds)
            peak = max(peak, size)
    own = statistics.median(spent["mailsunset"])
    for rival, goal in goals.items():
        if rival in spent:
            told(f"{name}: speed to {rival}", statistics.median(spent[rival]) / own, goal, "at least")
        else:
            print(f"{name}: {rival} is not installed, not compared")
    told(f"{name}: peak MB", peak, memory, "at most")


def told(what: str, value: float, goal: float, sense: str) -> None:
    """Print a figure beside its goal."""
    met = value >= goal if sense == "at least" else value <= goal
    print(f"{what:32} {value:8.2f}   {sense} {goal:g}   {'met' if met else 'NOT MET'}", flush=True)


def start_up() -> None:
    """Print how long commands take that read no capture."""
    code = "from scanner.cli import main; main()"
    for argument in START:
        best = min(measured([sys.executable, "-c", code, argument])[0] for _ in range(5))
        told(f"start of {argument}, s", best, START_LIMIT_S, "at most")


def main() -> None:
    """Measure what was asked for, or all."""
    wanted = sys.argv[1:] or ["start", "mailstorm", "office", "halfopen"]
    if "start" in wanted:
        start_up()
    if "mailstorm" in wanted:
        compare("mailstorm", {"nDPI": 0.75}, 250)
    if "office" in wanted:
        compare("office", {"nDPI": 1.0, "tshark": 45.0}, 120)
    if "halfopen" in wanted:
        compare("halfopen", {}, 150)


if __name__ == "__main__":
    main()
