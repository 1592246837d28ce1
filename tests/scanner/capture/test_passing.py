"""What passes is what the catalogue and the protocols of names want, never less."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.announcements import ports
from scanner.capture.passing import MOST_RANGES_4, MOST_RANGES_6, Passing, Ranges, coarsened
from scanner.catalogue.exchange import load_catalogue
from scanner.net import Prefixes
from scanner.wire.interest import MARKS


def test_a_catalogue_says_what_passes() -> None:
    catalogue = load_catalogue(extra=["203.0.113.7", "2001:db8::/32"])
    passing = Passing.of(catalogue)
    assert passing.tcp_ports == catalogue.mail_ports
    assert passing.udp_ports == ports() | {4789, 8472, 6081, 37008}
    assert passing.marks == MARKS
    assert (0xCB007107, 0xCB007107) in passing.ranges_4
    assert (0x20010DB8 << 32, (0x20010DB9 << 32) - 1) in passing.ranges_6


def test_our_catalogue_is_told_apart_exactly() -> None:
    passing = Passing.of(load_catalogue())
    assert len(passing.ranges_4) < MOST_RANGES_4 // 2
    assert len(passing.ranges_6) < MOST_RANGES_6


@pytest.mark.parametrize(
    ("prefixes", "old", "new"),
    [
        ((), (), ()),
        (("0.0.0.0/0",), ((0, 0xFFFFFFFF),), ()),
        (("::/0",), (), ((0, (1 << 64) - 1),)),
        (("10.0.0.0/25", "10.0.0.128/25"), ((0x0A000000, 0x0A0000FF),), ()),
        (("2001:db8::1/128", "2001:db8::2/128"), (), ((0x20010DB800000000, 0x20010DB800000000),)),
    ],
)
def test_prefixes_are_ranges(prefixes: tuple[str, ...], old: Ranges, new: Ranges) -> None:
    passing = Passing(frozenset(), frozenset(), Prefixes(prefixes))
    assert (passing.ranges_4, passing.ranges_6) == (old, new)


def test_the_smallest_gaps_are_closed_first() -> None:
    assert coarsened([(0, 1), (10, 11), (13, 14), (100, 101)], 3) == ((0, 1), (10, 14), (100, 101))
    assert coarsened([(0, 1), (10, 11), (13, 14), (100, 101)], 1) == ((0, 101),)


@given(st.lists(st.tuples(st.integers(0, 300), st.integers(0, 9)), max_size=30), st.integers(1, 12))
def test_coarser_ranges_hold_all_that_the_finer_do(spans: list[tuple[int, int]], most: int) -> None:
    ranges = [(first, first + more) for first, more in spans]
    found = coarsened(ranges, most)
    assert len(found) <= most
    assert all(any(a <= first and last <= b for a, b in found) for first, last in ranges)
    assert all(before[1] + 1 < after[0] for before, after in itertools.pairwise(found))
    if not ranges:
        assert found == ()
