"""What ends when: the dates of ``retirement.toml``, each with its source and the day somebody looked."""

from __future__ import annotations

import datetime
import tomllib
from dataclasses import dataclass

from scanner.catalogue import BadTableError, table


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
    """Read the table: ours, or a user's file of the same form. Raises ``BadTableError``."""
    with table(path, "retirement.toml", "table of dates") as text:
        rows = [Deadline(**{"date": None, **row}) for row in tomllib.loads(text)["deadline"]]
        found = {row.id: row for row in rows}
        if missing := [needed for needed in NEEDED if needed not in found]:
            raise BadTableError(f"{path}: rows are missing: {', '.join(missing)}")
    return Retirement(found)
