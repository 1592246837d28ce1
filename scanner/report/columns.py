"""Columns of views that are asked by SQL, and how values are written there.

Lists are JSON, which ``json_each`` takes apart; times are RFC 3339 in UTC, so text sorts them and SQLite's
date functions read them; yes and no are 1 and 0.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from scanner.report.records import timestamp

Row = tuple[Any, ...]
TEXT, INTEGER, REAL = "TEXT", "INTEGER", "REAL"
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a view."""

    name: str
    kind: str
    """SQLite's type."""
    means: str
    value: Callable[[Any], Any] | None = None
    """Makes it of what a row is made of; None: the database does."""
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """A view."""

    name: str
    rows: str
    """What a row is."""
    columns: tuple[Column, ...]
    indexed: tuple[str, ...]
    """Columns that one finds and sorts by."""

    def row(self, of: Any) -> Row:
        """Make a row."""
        return tuple(column.value(of) for column in self.columns if column.value)

    @property
    def kinds(self) -> dict[str, str]:
        """SQLite's type of each column."""
        return {column.name: column.kind for column in self.columns}


def time(at: int | None) -> str | None:
    """Nanoseconds as text; what was never seen has none."""
    return timestamp(at) if at else None


def day(found: date | None) -> str | None:
    """A day as text."""
    return found.isoformat() if found else None


def plain(text: str) -> str:
    """Text that a database takes: what was no UTF-8 in a file's name or a banner is replaced."""
    return text.encode("utf-8", "replace").decode()


def listed(items: Iterable[Any]) -> str:
    """A list as JSON."""
    found = list(items)
    return plain(_encode(found)) if found else "[]"


def flat(value: Any) -> Any:
    """What a record holds as a value of a column."""
    match value:
        case bool():
            return int(value)
        case list():
            return listed(value)
        case str():
            return plain(value)
        case _:
            return value
