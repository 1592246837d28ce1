"""What ends when: the dates of ``retirement.toml``, each with its source and the day somebody looked."""

from __future__ import annotations

import datetime
import tomllib
from collections.abc import Mapping
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


Retirement = Mapping[str, Deadline]
"""All dates by their ids, in their order; those without one last."""

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
        rows.sort(key=lambda row: (row.date or datetime.date.max, row.id))
        found = {row.id: row for row in rows}
        if missing := [needed for needed in NEEDED if needed not in found]:
            raise BadTableError(f"{path}: rows are missing: {', '.join(missing)}")
    return found
