"""The program serving an inventory, as its user runs it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Timer
from typing import NamedTuple

from db.store import Inventory
from scanner.model import Observation

PROGRAM = (sys.executable, "-c", "from scanner.cli import main; main()")
PATIENCE_S = 60


class Served(NamedTuple):
    """A server that runs."""

    link: str
    """What it wrote when it began."""
    process: subprocess.Popen[str]

    def ended(self, how: signal.Signals) -> tuple[int, str]:
        """End it; gives its exit status and what it said."""
        self.process.send_signal(how)
        _, said = self.process.communicate(timeout=PATIENCE_S)
        return self.process.returncode, said


@contextmanager
def served(db: Path, *arguments: str, token: str = "") -> Iterator[Served]:
    """Serve an inventory, and no longer than needed."""
    environment = {**os.environ, **({"MAILSUNSET_TOKEN": token} if token else {})}
    settings = ["--db", str(db), "--as-of", "2026-11-24"]
    process = subprocess.Popen(
        [*PROGRAM, *settings, "serve", "--bind", "127.0.0.1:0", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )
    watchdog = Timer(PATIENCE_S, process.kill)
    watchdog.start()
    try:
        assert process.stdout
        link = process.stdout.readline().strip()
        assert link, process.communicate()[1]
        yield Served(link, process)
    finally:
        watchdog.cancel()
        process.kill()
        process.communicate()


def add(db: Path, seen: Sequence[Observation]) -> None:
    """Write to an inventory as a sensor does."""
    with Inventory.open(str(db)) as kept:
        kept.record(kept.begin_run("here", ["eth0"], 1), seen)
