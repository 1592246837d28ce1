"""Measure what names and devices cost: one capture read with and without them, by CPU time of all processes.

``python -m benchmarks.names read …`` is mailsunset without: nothing that users have turns them off.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.measure import measured

ROUNDS = 5
MOST = 10.0
"""Per cent of reading's CPU time."""
_WITH = (sys.executable, "-c", "from scanner.cli import main; main()")
_WITHOUT = (sys.executable, "-m", "benchmarks.names")


def cost(path: str) -> float:
    """Per cent that names and devices add: of the least of some rounds each, taken by turns."""
    spent: dict[tuple[str, ...], list[float]] = {_WITH: [], _WITHOUT: []}
    for _ in range(ROUNDS):
        for program, runs in spent.items():
            with tempfile.TemporaryDirectory() as folder:
                database = str(Path(folder) / "inventory.db")
                runs.append(measured([*program, "--db", database, "read", path]).cpu_s)
    return 100 * (min(spent[_WITH]) / min(spent[_WITHOUT]) - 1)


def _deafen() -> None:
    """Hear only DNS, tell nothing of the ends of conversations, and know no device, in this process."""
    from db import prepare
    from scanner import announcements, identify, pipeline
    from scanner.model import Device

    def nothing(*_: Any) -> Iterator[Any]:
        return iter(())

    for module in (announcements, pipeline):
        vars(module)["ports"] = lambda: frozenset({53})
    vars(announcements)["smb_setups"] = nothing
    vars(identify)["identify"] = lambda *_: Device()
    for method in ("hear", "sightings"):
        setattr(prepare._Told, method, nothing)


if __name__ == "__main__":
    _deafen()
    from scanner.cli import main

    main()
