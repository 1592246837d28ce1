"""What waits is small, what is next is not packed for nothing, and both come out as they went in."""

from __future__ import annotations

import pytest

from db.prepare import Prepared
from scanner.watch.parcel import Parcel

MANY = 200
BATCH = Prepared([], [], [("10.0.0.1", "", "dhcp.name", f"copier {n}", 1, 2) for n in range(MANY)], [])


@pytest.mark.parametrize("is_next", [True, False])
def test_what_is_put_in_comes_out(is_next: bool) -> None:
    parcel = Parcel.of(BATCH, is_next)
    assert parcel.rows() == BATCH
    assert parcel.sessions == 0


def test_what_has_to_wait_is_a_tenth_of_what_is_next() -> None:
    assert Parcel.of(BATCH, is_next=False).size * 10 < Parcel.of(BATCH, is_next=True).size
