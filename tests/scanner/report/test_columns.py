"""Values as a database of views takes them."""

import json
import sqlite3
from datetime import date

import pytest

from scanner.report.columns import INTEGER, TEXT, Column, Table, day, flat, listed, plain, time


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (None, None),
        (True, 1),
        (False, 0),
        (7, 7),
        (0.5, 0.5),
        ("text", "text"),
        ("", ""),
        ("caf\udce9\ud800", "caf??"),
        ([], "[]"),
        (["a", "küche"], '["a","küche"]'),
        ([{"b": None}], '[{"b":null}]'),
        (["\ud800"], '["?"]'),
    ],
)
def test_a_database_takes_what_a_record_holds(value: object, written: object) -> None:
    assert flat(value) == written
    assert type(flat(value)) is type(written)
    assert sqlite3.connect(":memory:").execute("SELECT ?", (flat(value),)).fetchone() == (written,)


def test_lists_are_json_and_plain_text_stays() -> None:
    hostile = ['"]', "\x1b[2J\n", "'; DROP TABLE x"]
    assert json.loads(listed(iter(hostile))) == hostile
    assert plain("küche \u202e") == "küche \u202e"


def test_what_was_never_has_no_time() -> None:
    assert (time(None), time(0), day(None)) == (None, None, None)
    assert time(1_790_000_000_123_456_789) == "2026-09-21T14:13:20.123456Z"
    assert day(date(2026, 12, 31)) == "2026-12-31"


def test_a_row_has_a_value_a_column() -> None:
    table = Table(
        "v", "x", (Column("a", TEXT, "A", str), Column("b", INTEGER, "B", lambda of: of + 1)), ("a",)
    )
    assert table.row(1) == ("1", 2)
    assert table.kinds == {"a": "TEXT", "b": "INTEGER"}
