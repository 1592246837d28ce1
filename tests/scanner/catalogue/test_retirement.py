"""The dates have sources, and a table without what the rules need is refused."""

from pathlib import Path

import pytest

from scanner.catalogue import BadTableError
from scanner.catalogue.retirement import NEEDED, load_retirement


def test_every_date_has_a_source_and_the_day_somebody_looked() -> None:
    rows = list(load_retirement().values())
    assert {row.id for row in rows} >= set(NEEDED)
    assert all(row.source and row.checked and row.what and row.confidence for row in rows)


def test_dates_come_in_order_and_the_unknown_last() -> None:
    rows = list(load_retirement().values())
    dated = [row.date for row in rows if row.date]
    assert dated == sorted(dated)
    assert rows[-1].date is None


@pytest.mark.parametrize(
    ("text", "why"),
    [
        pytest.param("= broken", "not a table of dates", id="no TOML"),
        pytest.param("[[deadline]]\nid = 'x'", "not a table of dates", id="a row without fields"),
        pytest.param("deadline = []", "rows are missing", id="no rows"),
    ],
)
def test_a_bad_table_is_told(tmp_path: Path, text: str, why: str) -> None:
    table = tmp_path / "dates.toml"
    table.write_text(text)
    with pytest.raises(BadTableError, match=why):
        load_retirement(str(table))


def test_a_missing_table_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadTableError, match="No such file"):
        load_retirement(str(tmp_path / "none"))
