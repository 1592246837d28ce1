"""What is measured of a live sensor is told apart rightly; that it can be measured at all, the lab shows."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.sensor import compared
from benchmarks.watched import Watched


def record(port: int, **fields: Any) -> dict[str, Any]:
    ends = {"client_ip": "10.0.0.1", "client_port": port, "server_ip": "192.0.2.1", "server_port": 587}
    return {**ends, "mechanism": "LOGIN", "first_seen": "then", **fields}


@pytest.mark.parametrize(
    ("found", "apart"),
    [
        pytest.param([record(2), record(1)], (0, 0, 0), id="the same in another order"),
        pytest.param([record(1, first_seen="now"), record(2)], (0, 0, 0), id="the same at another time"),
        pytest.param([record(1)], (1, 0, 0), id="one is missing"),
        pytest.param([record(1), record(2), record(2)], (0, 1, 0), id="one is counted twice"),
        pytest.param([record(1), record(2, mechanism="PLAIN")], (0, 0, 1), id="one says something else"),
        pytest.param([record(1), record(3)], (1, 1, 0), id="one is of somebody else"),
    ],
)
def test_differences_are_counted(found: list[dict[str, Any]], apart: tuple[int, int, int]) -> None:
    assert compared(found, [record(1), record(2)]) == apart


@pytest.mark.parametrize(
    ("said", "dropped"),
    [
        ("listening on mirror0\n7 packets captured\n3 packets dropped by kernel\n", 3),
        ('{"event": "minute", "dropped": 1}\n{"event": "end", "dropped": 4}\n', 4),
        ("nothing of that kind\n", None),
    ],
)
def test_losses_are_those_that_a_program_owns_up_to(said: str, dropped: int | None) -> None:
    assert Watched(said=said).dropped == dropped
