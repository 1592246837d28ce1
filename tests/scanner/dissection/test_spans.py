"""Holes in what one side sent."""

from __future__ import annotations

import pytest

from scanner.dissection.spans import HOLES_KEPT, Spans

CASES: tuple[tuple[str, list[tuple[int, int]], int, int], ...] = (
    ("all in order", [(1, 10), (11, 5)], 16, 0),
    ("all, and a FIN that counts as a byte", [(1, 10)], 12, 0),
    ("a hole", [(1, 10), (21, 5)], 26, 10),
    ("a hole that a late segment fills", [(1, 10), (21, 5), (11, 10)], 26, 0),
    ("a hole that a late segment fills in its middle", [(1, 10), (21, 5), (13, 4)], 26, 6),
    ("what was sent twice", [(1, 10), (1, 10), (6, 10)], 16, 0),
    ("bytes that only the peer's acknowledgement tells of", [(1, 10)], 31, 20),
    ("a side that is not heard at all", [], 31, -1),
    ("a side that says nothing", [(1, 0)], 1, 0),
)


@pytest.mark.parametrize(
    ("segments", "acknowledged", "missing"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_missing_bytes_are_counted(segments: list[tuple[int, int]], acknowledged: int, missing: int) -> None:
    spans = Spans()
    for begin, length in segments:
        spans.seen(begin, length)
    spans.acknowledged(acknowledged)
    assert spans.missing == missing


def test_holes_that_are_no_longer_kept_stay_holes() -> None:
    spans = Spans()
    for number in range(HOLES_KEPT + 10):
        spans.seen(1 + 20 * number, 10)
    assert spans.missing == 10 * (HOLES_KEPT + 9)
    spans.seen(11, 10)
    assert spans.missing == 10 * (HOLES_KEPT + 9), "the first was given up"
