"""What came off the wire does nothing to a terminal or a spreadsheet."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.report.escape import cell, visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("copier", "copier", id="plain text stays"),
        pytest.param("Büro 3", "Büro 3", id="letters of any language stay"),
        pytest.param("\x1b[2J", "\\x1b[2J", id="an escape sequence"),
        pytest.param("a\nb\tc", "a\\x0ab\\x09c", id="line ends and tabs"),
        pytest.param("\x9b31m", "\\x9b31m", id="a C1 control"),
        pytest.param("a\u202eb", "a\\u202eb", id="an override of direction"),
        pytest.param("\ud800", "\\ud800", id="a lone surrogate"),
    ],
)
def test_controls_are_made_visible(text: str, shown: str) -> None:
    assert visible(text) == shown


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1"])
def test_a_formula_is_defused(text: str) -> None:
    assert cell(text).startswith("'")


@given(st.text())
def test_no_control_survives(text: str) -> None:
    assert not any(ord(c) < 32 or 127 <= ord(c) < 160 for c in cell(text))
