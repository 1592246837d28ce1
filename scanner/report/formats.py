"""Write records as a table, JSON, NDJSON or CSV."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Any, TextIO

from scanner.report.escape import cell, visible
from scanner.report.records import Record

PLAIN_WIDTH = 160
"""Columns of a table that goes to a file or a pipe."""


class Format(StrEnum):
    """How records are written."""

    TABLE = "table"
    JSON = "json"
    NDJSON = "ndjson"
    CSV = "csv"


def write(records: Iterable[Record], form: Format, columns: Sequence[str], title: str, out: TextIO) -> None:
    """Write records; a table shows ``columns`` only, CSV and JSON everything."""
    match form:
        case Format.NDJSON:
            write_lines(records, out)
        case Format.JSON:
            out.write(json.dumps(list(records), indent=2) + "\n")
        case Format.CSV:
            _csv(list(records), columns, out)
        case Format.TABLE:
            _table(list(records), columns, title, out)


def write_lines(records: Iterable[Record], out: TextIO) -> None:
    """Write one JSON object a line; ASCII only, so that no control character survives."""
    encode = json.JSONEncoder(separators=(",", ":")).encode
    out.writelines(f"{encode(record)}\n" for record in records)


def _csv(records: list[Record], columns: Sequence[str], out: TextIO) -> None:
    names = list(records[0]) if records else list(columns)
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(names)
    rows.writerows([cell(_flat(record[name])) for name in names] for record in records)


def _flat(value: Any) -> str:
    if value is None:
        return ""
    return json.dumps(value) if isinstance(value, list | dict) else str(value)


def _table(records: list[Record], columns: Sequence[str], title: str, out: TextIO) -> None:
    from rich.console import Console  # 60 ms that other formats need not pay
    from rich.table import Table
    from rich.text import Text

    table = Table(title=visible(title), title_justify="left")
    for name in columns:
        table.add_column(name.replace("_", " "), overflow="fold")
    for record in records:
        level = str(record.get("verdict", ""))
        style = {"broken": "bold red", "breaks": "red", "review": "yellow", "fine": "green"}.get(level, "")
        shown = [brief(record[name]) for name in columns]
        table.add_row(*(Text(text, style=style if text == level else "") for text in shown))
    Console(file=out, width=None if out.isatty() else PLAIN_WIDTH, highlight=False).print(table)


def brief(value: Any) -> str:
    """A value in a few words, safe for a terminal; an item of a list a line."""
    if value is None or value in ("", [], {}):
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, list):
        return visible(str(value))
    return "\n".join(dict.fromkeys(visible(_brief_item(item)) for item in value))


def _brief_item(item: Any) -> str:
    if not isinstance(item, dict):
        return str(item)
    if "name" in item:
        return str(item["name"])
    if "rule" in item:
        return str(item["text"])
    return _brief_usage(item)


def _brief_usage(use: Record) -> str:
    way = use["mechanism"] or use["auth_class"]
    where = use["server_name"] or use["server_kind"]
    outcome = f" {use['outcome']}" if use["outcome"] else ""
    return f"{use['service'] or use['protocol']} {way}{outcome} to {where}:{use['server_port']}"
