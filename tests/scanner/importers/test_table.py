"""Tables with any separator, titles above, and rows that are broken."""

from pathlib import Path

import pytest

from scanner.importers import table
from scanner.importers.family import Rejected, Row
from scanner.importers.source import Source
from scanner.importers.table import Table, heads, separator


def read(path: Path, text: str, head: int = 0) -> tuple[Table, list[Row | Rejected]]:
    """The table whose columns a line (from 0, of those that may) names, and its rows."""
    (path / "a.csv").write_bytes(text.encode())
    found = list(heads(Source(str(path / "a.csv"))))[head]
    return found, list(found.rows())


def cells(path: Path, text: str, head: int = 0) -> list[object]:
    return [list(row.cells.values()) if isinstance(row, Row) else row for row in read(path, text, head)[1]]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("a,b\n1,x y\n", id="commas"),
        pytest.param("a;b\r\n1;x y\r\n", id="semicolons"),
        pytest.param("a\tb\n1\tx y", id="tabs, and no end of line"),
        pytest.param("a|b\r1|x y\r", id="bars, and line ends of an old Mac"),
        pytest.param("sep=;\na;b\n1;x y\n", id="a separator told to Excel"),
        pytest.param('#TYPE System.Object\n"a","b"\n"1","x y"\n', id="PowerShell's type"),
        pytest.param('"a, or; so";b;c\n"1";"x y";\n', id="separators in a name"),
    ],
)
def test_a_separator_is_told_by_the_names(tmp_path: Path, text: str) -> None:
    assert cells(tmp_path, text)[0][:2] == ["1", "x y"]  # type: ignore[index]


def test_names_stand_below_titles(tmp_path: Path) -> None:
    assert cells(tmp_path, "SMTP\x0bAUTH\u2028clients\n\nRange,7 days\na,b,c\n1,2,3\n", head=2) == [
        ["1", "2", "3"]
    ]


def test_a_name_that_comes_twice_has_two_columns(tmp_path: Path) -> None:
    found, (row,) = read(tmp_path, "Kind,,Kind ,\n1,2,3,4\n")
    assert isinstance(row, Row) and found.columns == ("kind", " 1", "kind 2", " 3")
    assert row.cells["kind"] == "1"


def test_cells_with_line_ends_and_quotes_stay_whole_and_lines_are_counted(tmp_path: Path) -> None:
    _, rows = read(tmp_path, 'a,b\n"x\r\ny ""z""",2\n\n3,4\n')
    assert [(row.line, row.cells) for row in rows if isinstance(row, Row)] == [
        (2, {"a": 'x\r\ny "z"', "b": "2"}),
        (5, {"a": "3", "b": "4"}),
    ]


def test_zeros_and_formulas_are_text(tmp_path: Path) -> None:
    assert cells(tmp_path, "a,b\n=1+1,\0x\n") == [["=1+1", "\0x"]]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("1,2,3\n", "3 cells under 2 names"),
        ("1", "the file ends within it"),
        ("x" * 200_000 + ",2\n", "field larger than field limit (131072)"),
        ("1," * 700_000 + "\n", "an over-long line"),
    ],
)
def test_a_broken_row_is_set_aside_with_its_line(tmp_path: Path, text: str, why: str) -> None:
    first, broken = cells(tmp_path, f"a,b\n0,0\n{text}")
    assert first == ["0", "0"]
    assert isinstance(broken, Rejected) and (broken.line, broken.why) == (3, why)
    assert text.startswith(broken.text[:1000]) and len(broken.text) <= 2000


def test_a_row_that_lacks_empty_cells_is_whole(tmp_path: Path) -> None:
    assert cells(tmp_path, "a,b,c\n1\n2,3,4,,\n") == [["1"], ["2", "3", "4"]]


def test_a_quote_that_is_never_closed_costs_one_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "LINES_A_ROW", 10)
    rows = cells(tmp_path, 'a,b\n1,2\n"3,4\n' + "5,6\n" * 100)
    assert rows[0] == ["1", "2"]
    assert rows[1] == Rejected(3, "a quote is never closed", '"3,4\n')
    assert rows[2:] == [["5", "6"]] * 100


def test_separators_in_quotes_do_not_count() -> None:
    assert separator('"a,b,c,d";e;f') == ";"
