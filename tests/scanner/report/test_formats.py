"""The same records in four forms."""

import csv
import io
import json

import pytest

from scanner.report.formats import Format, brief, write
from scanner.report.views import View

RECORDS = [
    {"host": "10.0.0.1", "names": [{"name": "a\x1b", "source": "x"}], "verdict": "broken", "usage": []},
    {"host": "=1+1", "names": [], "verdict": "fine", "usage": None},
]

VIEW = View(
    ("host", "names"),
    {
        "host": lambda record: record["host"],
        "called": lambda record: [name["name"] for name in record["names"]],
        "verdict": lambda record: record["verdict"],
    },
)


def written(form: Format) -> str:
    out = io.StringIO()
    write(RECORDS, form, VIEW, "Ho\x1bsts", out)
    return out.getvalue()


def test_ndjson_is_an_object_a_line() -> None:
    assert [json.loads(line) for line in written(Format.NDJSON).splitlines()] == RECORDS
    assert "\x1b" not in written(Format.NDJSON)


def test_json_is_a_list() -> None:
    assert json.loads(written(Format.JSON)) == RECORDS


def test_csv_has_all_columns_and_no_formula() -> None:
    rows = list(csv.DictReader(io.StringIO(written(Format.CSV))))
    assert [row["host"] for row in rows] == ["10.0.0.1", "'=1+1"]
    assert rows[1]["usage"] == ""


def test_csv_of_nothing_has_its_head() -> None:
    out = io.StringIO()
    write([], Format.CSV, VIEW, "", out)
    assert out.getvalue() == "host,names\n"


def test_a_table_shows_its_columns_escaped() -> None:
    shown = written(Format.TABLE)
    assert "10.0.0.1" in shown
    assert "a\\x1b" in shown
    assert "Ho\\x1bsts" in shown
    assert "\x1b" not in shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "-"),
        ([], "-"),
        (3, "3"),
        (["a", "a", "b"], "a\nb"),
        (["a\nb"], "a\\x0ab"),
    ],
)
def test_a_value_in_few_words(value: object, shown: str) -> None:
    assert brief(value) == shown
