"""How a sensor does, for tests of what is told of it."""

from __future__ import annotations

from dataclasses import replace

from scanner.totals import RunTotals
from scanner.watch.status import Findings, Status, Wire

HOSTILE = 'eth1"\x1b[2J\n\u202e\0\ud800'


def status(findings: Findings | None = None, **changes: object) -> Status:
    wires = Wire("eth1", True, 1000, 50, 0, 7), Wire(HOSTILE, False, None, 4, 3, 0)
    plain = Status(
        90_000_000_000, 5_000_000_000, wires, RunTotals(packets=54, observations=3), 6,
        findings or Findings(), 0, None,
    )  # fmt: skip
    return replace(plain, **changes)  # type: ignore[arg-type]
