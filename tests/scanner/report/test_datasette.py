"""What Datasette is told: by the form that it documents."""

import json
from datetime import date

import pytest

from db.asking import Sandbox
from scanner.report.datasette import DATABASE, SETTINGS, metadata
from scanner.report.questions import SAVED
from scanner.report.tables import TABLES

TOLD = metadata(date(2026, 11, 24))
(NAME,) = TOLD["databases"]


def test_every_view_and_column_is_described() -> None:
    tables = TOLD["databases"][DATABASE]["tables"]
    assert list(tables) == list(TABLES)
    for name, told in tables.items():
        columns = TABLES[name].kinds
        assert list(told["columns"]) == list(columns)
        assert {*told["units"], *told["facets"]} <= columns.keys()
        assert all(told["columns"].values()) and told["title"] and told["description"]
    assert "2026-11-24" in TOLD["description"]


@pytest.mark.parametrize("name", SAVED)
def test_every_saved_question_can_be_asked_there(name: str) -> None:
    """What comes from a form there is text."""
    told = TOLD["databases"][DATABASE]["queries"][name]
    with Sandbox({name: table.kinds for name, table in TABLES.items()}) as box:
        values = {"before": "2027-01-01", "since": "2026-11-01", "days": "30"}
        heads, found = box.ask(box.tried(told["sql"], values))
        assert heads[0] == "host" and list(found) == []
    assert told["title"] and told["description"]


def test_it_is_json() -> None:
    assert json.loads(json.dumps([TOLD, SETTINGS])) == [TOLD, SETTINGS]
    assert NAME == DATABASE
