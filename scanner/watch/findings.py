"""What a diagnosis is made of, and how its numbers are put into words."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

_UNITS = (("days", 86_400), ("hours", 3600), ("minutes", 60))


class Grade(StrEnum):
    """What a finding asks for."""

    OK = "ok"
    INFO = "info"
    """Worth knowing; nothing need be done."""
    WARN = "warn"
    """Something is missed, or will be."""
    BAD = "bad"
    """Most is missed."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One answer."""

    check: str
    grade: Grade
    text: str
    """What was seen, in whole sentences."""
    advice: str = ""
    """What to do."""
    interface: str | None = None
    details: tuple[str, ...] = ()
    """A line each."""


def many(count: int, what: str) -> str:
    """So many of something."""
    return f"{count:,} {what}{'s' * (count != 1)}"


def percent(part: int, whole: int) -> str:
    """A share; one that is not quite all, or none, is not told as that."""
    if part in (0, whole):
        return "100 %" if part else "0 %"
    return f"{min(max(100 * part / whole, 0.1), 99.9):.1f} %"


def lasting(length: int) -> str:
    """A length of time (ns)."""
    seconds = length / 1_000_000_000
    for unit, size in _UNITS:
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.1f} s"
