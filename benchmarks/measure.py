"""Run a program and measure it and all its children: seconds, CPU seconds, peak memory."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

SAMPLE_S = 0.02
"""Between two looks at memory; a peak shorter than this may be missed for all but the biggest process."""


@dataclass(frozen=True, slots=True)
class Spent:
    """What a run took."""

    seconds: float
    cpu_s: float
    """Of the program and its children."""
    peak_mb: float
    """Most memory at any time; what processes share counts once."""


class FailedError(Exception):
    """A measured program did not end well."""


def measured(command: Sequence[str], whole_tree: bool = False) -> Spent:
    """Run a program to its end, its output to nowhere.

    ``whole_tree``: look at the memory of all its processes, which costs time of its own; otherwise at that of
    the largest.
    """
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    over = threading.Event()
    sizes = [0]
    watcher = threading.Thread(target=_watch, args=(process.pid, over, sizes))
    if whole_tree:
        watcher.start()
    said = process.stderr.read() if process.stderr else b""
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if whole_tree:
        over.set()
        watcher.join()
    if process.stderr:
        process.stderr.close()
    if process.returncode:
        last = said.decode("utf-8", "replace").strip().splitlines()[-1:]
        raise FailedError(f"{command[0]} ended with {process.returncode}: {' '.join(last)}")
    return Spent(seconds, usage.ru_utime + usage.ru_stime, max(usage.ru_maxrss, *sizes) / 1024)


def _watch(pid: int, over: threading.Event, sizes: list[int]) -> None:
    """Note the size of a tree of processes (KB) until it is over."""
    while not over.wait(SAMPLE_S):
        sizes[0] = max(sizes[0], sum(map(proportional_kb, tree(pid))))


def tree(root: int) -> set[int]:
    """A process and what descends from it, by the parent that each process names."""
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            after_name = (folder / "stat").read_text("utf-8", "replace").rpartition(")")[2]
        except OSError:  # it has ended meanwhile
            continue
        children.setdefault(int(after_name.split()[1]), []).append(int(folder.name))
    found: set[int] = set()
    open_ends = [root]
    while open_ends:
        pid = open_ends.pop()
        found.add(pid)
        open_ends += children.get(pid, [])
    return found


def proportional_kb(pid: int) -> int:
    """Proportional set size: a page that three processes share counts a third in each."""
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:  # it has ended meanwhile
        return 0
    return sum(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
