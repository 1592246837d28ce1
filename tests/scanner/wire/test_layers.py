"""Rows keep together and in order while they are peeled."""

from __future__ import annotations

import numpy as np

from scanner.wire.batch import Tally
from scanner.wire.layers import Block, Front, Kind, split

FORM = np.dtype([("word", ">u2")])


def front(*rows: int, size: int = 4) -> Front:
    row = np.array(rows, dtype=np.int64)
    return Front(row, row * 2, row * 2 + size, row * 2 + size + 1, row, row, row)


def test_where_keeps_everything_as_it_is_if_nothing_falls_away() -> None:
    rows = front(1, 2, 3)
    assert rows.where(rows.row > 0) is rows
    assert rows.where(rows.row > 1).row.tolist() == [2, 3]


def test_joined_rows_come_in_the_order_of_capture() -> None:
    rows = Front.joined([front(1, 4), front(0, 2, 9)]).ordered()
    assert rows.ordered() is rows
    assert rows.row.tolist() == [0, 1, 2, 4, 9]
    assert rows.pos.tolist() == [0, 2, 4, 8, 18]


def test_headers_are_read_at_any_offset_up_to_the_last() -> None:
    block = Block(np.arange(8, dtype=np.uint8), Tally())
    assert block.header(np.array([0, 3, 6]), FORM)["word"].tolist() == [0x0001, 0x0304, 0x0607]
    assert len(block.header(np.empty(0, dtype=np.int64), FORM)) == 0


def test_a_short_row_is_cut_or_malformed() -> None:
    tally = Tally()
    block = Block(np.zeros(16, dtype=np.uint8), tally)
    rows = front(1, 2)
    assert len(block.read(rows, np.dtype("V5"))[0]) == 0
    assert (tally.truncated, tally.malformed) == (2, 0)
    assert block.holds(rows, np.array([4, 6])).tolist() == [True, False]
    assert (tally.truncated, tally.malformed) == (2, 1)


def test_split_counts_what_leads_nowhere() -> None:
    rows = front(1, 2, 3, 4)
    found, left = split(rows, np.array([6, 17, 6, 1]), {6: Kind.TCP, 17: Kind.UDP, 47: Kind.GRE})
    assert [(kind, its.row.tolist()) for kind, its in found] == [(Kind.TCP, [1, 3]), (Kind.UDP, [2])]
    assert left == 1
    assert split(rows, rows.row * 0, {0: Kind.TCP, 1: Kind.UDP})[1] == 0
