"""What was listened to, and what of it was missed: by runs and by hours."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class RunTotals:
    """What a run listened to so far, and what of it was lost; packets where nothing else is said."""

    packets: int = 0
    bytes: int = 0
    conversations: int = 0
    """TCP connections that were followed."""
    observations: int = 0
    gaps: int = 0
    """Observations with bytes missing."""
    evicted: int = 0
    """Connections given up because the flow table was full."""
    fragments_dropped: int = 0
    truncated: int = 0
    malformed: int = 0
    not_ip: int = 0
    unknown_link: int = 0
    first_at: int | None = None
    """ns"""
    last_at: int | None = None
    """ns"""
    unreadable: tuple[str, ...] = ()
    """A line for each file that could not be read to its end."""
    dropped: int = 0
    """Those that the kernel had no room for."""
    unwritten: int = 0
    """Observations given up because the inventory could not be written."""
    down_ns: int = 0
    """How long interfaces were away."""


HOUR_NS = 3_600_000_000_000


@dataclass(frozen=True, slots=True)
class Hour:
    """What came and was missed in an hour, for finding when a sensor did not see well."""

    at: int
    """Its beginning, ns: a multiple of ``HOUR_NS``."""
    packets: int = 0
    bytes: int = 0
    dropped: int = 0
    """Packets that the kernel had no room for."""
    cut: int = 0
    """Connections that were no more listened to once what matters had passed."""
    evicted: int = 0
    """Connections given up because the flow table was full."""
    sessions: int = 0
    gaps: int = 0
    """Sessions with bytes missing."""
    unwritten: int = 0
    """Sessions given up because the inventory could not be written."""
    down_ns: int = 0
    """How long interfaces were away."""


COUNTS = tuple(field.name for field in fields(Hour) if field.name != "at")
"""What is counted of an hour, in the order of ``Hour``."""
