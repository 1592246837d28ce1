"""JSON in the shapes that logs have; a broken document costs itself."""

import json
from pathlib import Path
from typing import Any

import pytest

from scanner.importers import documents, source
from scanner.importers.family import Rejected, Row
from scanner.importers.source import Source

ONE: dict[str, Any] = {
    "id": "1",
    "status": {"errorCode": 0, "more": None},
    "list": [1],
    "isInteractive": True,
}
TWO: dict[str, Any] = {"id": "2", "text": 'a "quote" }{ [\n'}
CELLS = [
    {"id": "1", "statuserrorcode": "0", "statusmore": "", "list": "", "isinteractive": "True"},
    {"id": "2", "text": 'a "quote" }{ [\n'},
]
PAGE = {"@odata.context": "https://graph.microsoft.com/v1.0/$metadata#signIns", "@odata.count": 2}


def read(path: Path, text: str) -> list[Row | Rejected]:
    (path / "a.json").write_text(text, encoding="utf-8")
    return list(documents.rows(Source(str(path / "a.json"))))


@pytest.mark.parametrize("chunk", [1, 7, 262_144])
@pytest.mark.parametrize(
    "text",
    [
        pytest.param(json.dumps([ONE, TWO]), id="an array"),
        pytest.param(json.dumps([ONE, TWO], indent=2), id="an array over many lines"),
        pytest.param(f"{json.dumps(ONE)}\n{json.dumps(TWO)}\n", id="a document a line"),
        pytest.param(f"\x1e{json.dumps(ONE)}\n\x1e{json.dumps(TWO)}\n", id="a text sequence"),
        pytest.param(json.dumps({**PAGE, "value": [ONE, TWO], "@odata.nextLink": "https://x"}), id="a page"),
        pytest.param(json.dumps({"value": [ONE]}) + json.dumps({"value": [TWO]}), id="two pages"),
        pytest.param(json.dumps({"records": [ONE, TWO]}), id="an event hub's records"),
    ],
)
def test_documents_are_rows(tmp_path: Path, text: str, chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "CHUNK", chunk)
    monkeypatch.setattr(documents, "AHEAD", 150)
    assert [row.cells for row in read(tmp_path, text) if isinstance(row, Row)] == CELLS
    assert documents.is_documents(text)


def test_a_line_is_counted(tmp_path: Path) -> None:
    assert [row.line for row in read(tmp_path, json.dumps([TWO, TWO], indent=1))] == [2, 6]


def test_what_storage_wraps_is_taken_out(tmp_path: Path) -> None:
    (row,) = read(tmp_path, json.dumps({"category": "SignInLogs", "id": "x", "properties": ONE}))
    assert isinstance(row, Row) and (row.cells["id"], row.cells["category"]) == ("1", "SignInLogs")


@pytest.mark.parametrize("chunk", [1, 5, 262_144])
@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"id": "1"}\n{"id": }\n{"id": "3"}\n', ["1", "no JSON, cut off, or too long", "3"]),
        ('[{"id": "1"},\n{"id": "2', ["1", "no JSON, cut off, or too long"]),
        ('[{"id": "1"},\n{"id": 2', ["1", "no JSON, cut off, or too long"]),
        ('[{"id": "1"}, nonsense ]', ["1"]),
        (
            '{"id": "1"}\n{"id": ' + "[" * 100_000 + '\n{"id": "3"}\n',
            ["1", "no JSON, cut off, or too long", "3"],
        ),
        ('{"id": ' + "9" * 5000 + '}\n{"id": "3"}\n', ["no JSON, cut off, or too long", "3"]),
        ("[1, 2]", []),
    ],
)
def test_a_broken_document_costs_itself(
    tmp_path: Path, text: str, found: list[str], chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "CHUNK", chunk if len(text) < 1000 else 262_144)
    monkeypatch.setattr(documents, "AHEAD", 1)
    rows = read(tmp_path, text)
    assert [row.cells["id"] if isinstance(row, Row) else row.why for row in rows] == found


def test_a_document_without_end_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "LONGEST", 1000)
    monkeypatch.setattr(source, "CHUNK", 100)
    rows = read(tmp_path, '{"id": "' + "x" * 5000 + '\n{"id": "2"}\n')
    assert [row.cells["id"] if isinstance(row, Row) else row.why for row in rows] == [
        "no JSON, cut off, or too long",
        "2",
    ]
