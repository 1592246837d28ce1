"""How a sensor does: what came, what was found, what was missed; as a line of text or of JSON."""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime

from scanner.model import AuthClass, Observation, ServerKind
from scanner.totals import RunTotals

DEVICES_KEPT = 100_000
"""Clients told apart for counting; past it no new one is counted."""
FINDINGS_KEPT = 8
"""The last of them, for a person that looks on."""


@dataclass(frozen=True, slots=True)
class Wire:
    """One interface since the sensor began; counts of packets."""

    name: str
    up: bool
    arrived: int | None
    """All that the interface received; None where the system does not tell."""
    delivered: int
    """What the kernel's filter let pass."""
    dropped: int
    tagged: int


@dataclass(slots=True)
class Findings:
    """What the sessions heard so far come to."""

    passwords: int = 0
    """Sessions with Exchange Online in which a password crossed."""
    last: deque[Observation] = field(default_factory=lambda: deque(maxlen=FINDINGS_KEPT))
    _devices: set[str] = field(default_factory=set)

    @property
    def devices(self) -> int:
        """Clients heard, by MAC or else address."""
        return len(self._devices)

    def add(self, seen: list[Observation]) -> None:
        """Count what was heard."""
        for one in seen:
            if one.server_kind is ServerKind.EXCHANGE_ONLINE and one.auth_class is AuthClass.BASIC:
                self.passwords += 1
            if one.mechanism:
                self.last.append(one)
            if len(self._devices) < DEVICES_KEPT:
                self._devices.add(one.client_mac or one.client_ip)


@dataclass(frozen=True, slots=True)
class Status:
    """How it does now."""

    at: int
    """ns"""
    began: int
    """ns"""
    wires: tuple[Wire, ...]
    totals: RunTotals
    """Since the sensor began."""
    open: int
    """Connections followed now."""
    findings: Findings
    waiting: int
    """Sessions that are not yet in the inventory."""
    fault: str | None
    """Why they cannot be written."""
    reading_s: float = 0.0
    """Processor time that reading and sorting out packets took."""
    hearing_s: float = 0.0
    """What hearing what is of interest took."""


def as_json(event: str, status: Status) -> str:
    """One line; times are RFC 3339 in UTC."""
    totals, found = status.totals, status.findings
    told = {
        "at": stamp(status.at),
        "event": event,
        "seconds": (status.at - status.began) // 1_000_000_000,
        "interfaces": [
            {"name": one.name, "up": one.up, "arrived": one.arrived, "delivered": one.delivered,
             "dropped": one.dropped, "tagged": one.tagged}
            for one in status.wires
        ],
        "packets": totals.packets,
        "dropped": totals.dropped,
        "sessions": totals.observations,
        "passwords": found.passwords,
        "devices": found.devices,
        "gaps": totals.gaps,
        "evicted": totals.evicted,
        "open": status.open,
        "waiting": status.waiting,
        "unwritten": totals.unwritten,
        "fault": status.fault,
        "cpu": {"reading": round(status.reading_s, 3), "hearing": round(status.hearing_s, 3)},
    }  # fmt: skip
    return json.dumps(told)


def as_text(status: Status) -> str:
    """One line for people."""
    totals, found = status.totals, status.findings
    wires = ", ".join(
        f"{one.name}{'' if one.up else ' (down)'} {_count(one.arrived)} packets, {one.delivered:,} looked at"
        for one in status.wires
    )
    heard = f"{totals.observations:,} sessions of {found.devices:,} devices"
    parts = [wires, f"{heard}, {found.passwords:,} with a password for Exchange Online", missed(status)]
    return "; ".join(parts)


def missed(status: Status) -> str:
    """What was missed, and what still has to be written."""
    totals = status.totals
    lost = {
        "packets dropped by the kernel": totals.dropped,
        "sessions with gaps": totals.gaps,
        "connections given up": totals.evicted,
        "sessions that could not be written": totals.unwritten,
    }
    parts = [f"{count:,} {what}" for what, count in lost.items() if count]
    if status.waiting and status.fault:
        parts.append(f"{status.waiting:,} sessions wait for the inventory ({status.fault})")
    return ", ".join(parts) or "nothing missed"


def stamp(at: int) -> str:
    """A time (ns) to the second, RFC 3339."""
    return datetime.fromtimestamp(at // 1_000_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _count(number: int | None) -> str:
    return "an unknown number of" if number is None else f"{number:,}"
