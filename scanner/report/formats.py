"""Write records as a table, JSON, NDJSON or CSV."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from enum import StrEnum
from typing import Any, TextIO

from scanner.report.escape import cell, visible
from scanner.report.records import Record
from scanner.report.views import View

PLAIN_WIDTH = 160
"""Columns of a table that goes to a file or a pipe."""


class Format(StrEnum):
    """How records are written."""

    TABLE = "table"
    JSON = "json"
    NDJSON = "ndjson"
    CSV = "csv"


def write(records: Iterable[Record], form: Format, view: View, title: str, out: TextIO) -> None:
    """Write records as they come; a table shows what is in the view, the others everything."""
    match form:
        case Format.NDJSON:
            write_lines(records, out)
        case Format.JSON:
            _json(records, out)
        case Format.CSV:
            _csv(records, view, out)
        case Format.TABLE:
            _table(list(records), view, title, out)


def write_lines(records: Iterable[Record], out: TextIO) -> None:
    """Write one JSON object a line; ASCII only, so that no control character survives."""
    out.writelines(map(line, records))


def line(record: Record) -> str:
    """A record as a line of NDJSON."""
    return _encode(record) + "\n"


_encode = json.JSONEncoder(separators=(",", ":")).encode


def _json(records: Iterable[Record], out: TextIO) -> None:
    """As ``json.dumps`` would with an indent of 2, a record at a time."""
    before = "[\n  "
    for record in records:
        out.write(before + json.dumps(record, indent=2).replace("\n", "\n  "))
        before = ",\n  "
    out.write("[]\n" if before.startswith("[") else "\n]\n")


def _csv(records: Iterable[Record], view: View, out: TextIO) -> None:
    rows = csv.writer(out, lineterminator="\n")
    names: list[str] = []
    for record in records:
        if not names:
            names = list(record)
            rows.writerow(map(cell, names))
        rows.writerow([cell(_flat(record[name])) for name in names])
    if not names:
        rows.writerow(map(cell, view.fields))


def _flat(value: Any) -> str:
    if value is None:
        return ""
    return json.dumps(value) if isinstance(value, list | dict) else str(value)


def _table(records: list[Record], view: View, title: str, out: TextIO) -> None:
    from rich import box  # rich costs 60 ms that other forms need not pay
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(
        title=visible(title), title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, padding=0
    )
    for name in view.columns:
        table.add_column(Text(visible(name)), overflow="fold", no_wrap=name in view.rigid)
    for record in records:
        level = str(record.get("verdict", ""))
        style = {"broken": "bold red", "breaks": "red", "review": "yellow", "fine": "green"}.get(level, "")
        shown = {name: brief(column(record)) for name, column in view.columns.items()}
        table.add_row(*(Text(text, style=style if name == "verdict" else "") for name, text in shown.items()))
    Console(file=out, width=None if out.isatty() else PLAIN_WIDTH, highlight=False).print(table)


def brief(value: Any) -> str:
    """A value in a few words, safe for a terminal; an item of a list a line."""
    if value is None or value in ("", []):
        return "-"
    items = value if isinstance(value, list) else [value]
    return "\n".join(dict.fromkeys(visible(str(item)) for item in items))
