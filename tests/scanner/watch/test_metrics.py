"""Prometheus fetches what a sensor does, over real HTTP."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing
from urllib.request import urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families
from statuses import HOSTILE, status

from scanner.report.escape import visible
from scanner.totals import RunTotals
from scanner.watch.metrics import Metrics
from scanner.watch.status import Findings, Wire
from tests.db.samples import SEEN


@pytest.fixture
def port() -> int:
    with closing(socket.socket()) as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])


@pytest.fixture
def metrics(port: int) -> Iterator[Metrics]:
    served = Metrics()
    served.serve("127.0.0.1", port)
    yield served
    served.close()


def fetched(port: int) -> dict[tuple[str, str | None], float]:
    with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        text = answer.read().decode()
    return {
        (one.name.removeprefix("mailsunset_"), next(iter(one.labels.values()), None)): one.value
        for family in text_string_to_metric_families(text)
        for one in family.samples
    }


def test_what_was_shown_last_is_served(metrics: Metrics, port: int) -> None:
    assert fetched(port) == {}
    findings = Findings()
    findings.add([SEEN, SEEN])
    odd = visible(HOSTILE)
    wires = Wire("eth1", True, 1000, 50, 2, 7), Wire(HOSTILE, False, None, 4, 3, 0)
    totals = RunTotals(observations=3, gaps=1, evicted=9, unwritten=8)
    metrics.show(status(findings, wires=wires, totals=totals, waiting=5, fault="disk full", reading_s=1.5))
    assert fetched(port) == {
        ("arrived_packets_total", "eth1"): 1000, ("packets_total", "eth1"): 50, ("packets_total", odd): 4,
        ("dropped_packets_total", "eth1"): 2, ("dropped_packets_total", odd): 3,
        ("tagged_packets_total", "eth1"): 7, ("tagged_packets_total", odd): 0,
        ("interface_up", "eth1"): 1, ("interface_up", odd): 0,
        ("sessions_total", None): 3, ("password_sessions_total", None): 2, ("gap_sessions_total", None): 1,
        ("evicted_connections_total", None): 9, ("unwritten_sessions_total", None): 8,
        ("devices", None): 1, ("open_connections", None): 6, ("waiting_sessions", None): 5,
        ("inventory_writable", None): 0, ("started_seconds", None): 5,
        ("cpu_seconds_total", "reading"): 1.5, ("cpu_seconds_total", "hearing"): 0,
    }  # fmt: skip


def test_an_address_that_is_taken_or_not_ours_is_refused(metrics: Metrics, port: int) -> None:
    for address in ("127.0.0.1", "192.0.2.1", "no-such-host.invalid"):
        with pytest.raises(OSError):
            Metrics().serve(address, port)
