"""What a sensor does, for Prometheus to fetch."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, make_wsgi_app, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from scanner.report.escape import visible
from scanner.watch.status import Status, Wire

_OF_INTERFACE: dict[str, tuple[str, Callable[[Wire], int | None]]] = {
    "arrived_packets": ("Packets that the interface received.", lambda wire: wire.arrived),
    "packets": ("Packets that passed the kernel's filter.", lambda wire: wire.delivered),
    "dropped_packets": ("Packets that passed it and found no room.", lambda wire: wire.dropped),
    "tagged_packets": ("Packets with a VLAN tag.", lambda wire: wire.tagged),
}
_COUNTERS: dict[str, tuple[str, Callable[[Status], int]]] = {
    "sessions": ("Sessions heard.", lambda status: status.totals.observations),
    "password_sessions": (
        "Sessions with Exchange Online in which a password crossed.",
        lambda status: status.findings.passwords,
    ),
    "gap_sessions": ("Sessions with bytes missing.", lambda status: status.totals.gaps),
    "evicted_connections": ("Connections given up for want of room.", lambda status: status.totals.evicted),
    "unwritten_sessions": ("Sessions that could not be written.", lambda status: status.totals.unwritten),
}
_GAUGES: dict[str, tuple[str, Callable[[Status], float]]] = {
    "devices": ("Clients heard so far.", lambda status: status.findings.devices),
    "open_connections": ("Connections followed now.", lambda status: status.open),
    "waiting_sessions": ("Sessions not yet in the inventory.", lambda status: status.waiting),
    "inventory_writable": ("1 unless the inventory cannot be written.", lambda status: not status.fault),
    "started_seconds": ("When the sensor began, Unix time.", lambda status: status.began / 1e9),
}


class Metrics(Collector):
    """Serves the status that it was shown last."""

    def __init__(self) -> None:
        """Get ready; what the library needs is loaded now, for later its files may be out of reach."""
        self._status: Status | None = None
        self._registry = CollectorRegistry()
        self._registry.register(self)
        make_wsgi_app(self._registry)({"REQUEST_METHOD": "GET", "PATH_INFO": "/"}, lambda *_: None)

    def serve(self, address: str, port: int) -> None:
        """Serve HTTP there, in a thread of its own. Raises OSError."""
        self._server, self._thread = start_http_server(port, address, self._registry)

    def show(self, status: Status) -> None:
        """Take what is to be served from now on."""
        self._status = status

    def collect(self) -> Iterator[Metric]:
        """Give all metrics."""
        status = self._status
        if status is None:
            return
        for name, (what, of_wire) in _OF_INTERFACE.items():
            counter = CounterMetricFamily(f"mailsunset_{name}", what, labels=["interface"])
            for wire in status.wires:
                if (count := of_wire(wire)) is not None:
                    counter.add_metric([visible(wire.name)], count)
            yield counter
        up = GaugeMetricFamily(
            "mailsunset_interface_up", "1 while the interface is up.", labels=["interface"]
        )
        for wire in status.wires:
            up.add_metric([visible(wire.name)], wire.up)
        yield up
        took = CounterMetricFamily(
            "mailsunset_cpu_seconds", "Processor time, by what took it.", labels=["part"]
        )
        took.add_metric(["reading"], status.reading_s)
        took.add_metric(["hearing"], status.hearing_s)
        yield took
        for name, (what, of) in _COUNTERS.items():
            yield CounterMetricFamily(f"mailsunset_{name}", what, value=of(status))
        for name, (what, has) in _GAUGES.items():
            yield GaugeMetricFamily(f"mailsunset_{name}", what, value=has(status))

    def close(self) -> None:
        """Serve no more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
