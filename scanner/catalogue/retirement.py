"""What ends when: the dates of ``retirement.toml``, each with its source and the day somebody looked."""

from __future__ import annotations

import datetime
import tomllib
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path


class BadRetirementError(ValueError):
    """The user's table of dates cannot be used; the text says why in one line."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """One date."""

    id: str
    date: datetime.date | None
    """None: announced without one."""
    what: str
    applies: str
    source: str
    checked: datetime.date
    confidence: str


class Retirement:
    """All dates."""

    def __init__(self, deadlines: dict[str, Deadline]) -> None:
        """Take the rows by their id."""
        self._deadlines = deadlines

    def deadlines(self) -> tuple[Deadline, ...]:
        """All rows by date; those without one last."""
        return tuple(
            sorted(self._deadlines.values(), key=lambda row: (row.date or datetime.date.max, row.id))
        )

    def deadline(self, name: str) -> Deadline:
        """The row of an id. KeyError for one that the table lacks: then the table was refused on loading."""
        return self._deadlines[name]


NEEDED = (
    "basic-auth", "smtp-auth", "ews-begin", "ews-end", "eas-below-16.1", "smtp-legacy-tls",
    "popimap-legacy-tls", "popimap-legacy-hosts-end", "hve-basic-auth", "consumer-basic-auth",
    "remote-powershell", "outlook-anywhere",
)  # fmt: skip
"""Rows that the rules rest on."""


def load_retirement(path: str | None = None) -> Retirement:
    """Read the table: ours, or a user's file of the same form. Raises ``BadRetirementError``."""
    name = path or "retirement.toml"
    try:
        own = files("scanner.catalogue").joinpath("retirement.toml")
        text = Path(path).read_text("utf-8") if path else own.read_text("utf-8")
        rows = [Deadline(**{"date": None, **row}) for row in tomllib.loads(text)["deadline"]]
    except OSError as fault:
        raise BadRetirementError(f"{name}: {fault.strerror or fault}") from fault
    except (ValueError, KeyError, TypeError) as fault:
        raise BadRetirementError(f"{name}: not a table of dates: {fault}") from fault
    found = {row.id: row for row in rows}
    if missing := [needed for needed in NEEDED if needed not in found]:
        raise BadRetirementError(f"{name}: rows are missing: {', '.join(missing)}")
    return Retirement(found)
