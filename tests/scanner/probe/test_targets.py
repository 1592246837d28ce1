"""How people write what is to be scanned."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.net import number
from scanner.probe.targets import (
    ScopeError,
    Span,
    Written,
    is_name,
    literal,
    merged,
    size_of,
    without,
    written,
)

FILES = {
    "hosts.txt": ["# printers\n", "192.168.1.5  # upstairs\n", "\n", "  printer.example  \n"],
    "-": ["10.0.0.0/24"],
}


def lines(name: str) -> Iterator[str]:
    if name == "latin.txt":
        raise UnicodeDecodeError("utf-8", b"\xe4", 0, 1, "invalid start byte")
    if name not in FILES:
        raise FileNotFoundError(2, "No such file or directory")
    yield from FILES[name]


def test_files_and_stdin_hold_a_target_a_line() -> None:
    assert written(["10.1.1.1", "@hosts.txt", "-", "@-"], lines) == [
        Written("10.1.1.1"),
        Written("192.168.1.5", "hosts.txt, line 2"),
        Written("printer.example", "hosts.txt, line 4"),
        Written("10.0.0.0/24", "stdin, line 1"),
        Written("10.0.0.0/24", "stdin, line 1"),
    ]


@pytest.mark.parametrize(
    ("name", "said"),
    [("gone.txt", "gone.txt: No such file or directory"), ("latin.txt", "latin.txt: is not text")],
)
def test_a_file_that_cannot_be_read_is_said_in_a_line(name: str, said: str) -> None:
    with pytest.raises(ScopeError, match=said):
        written([f"@{name}"], lines)


def test_what_a_file_holds_is_shown_harmless_and_short() -> None:
    said = str(Written("\x1b[2J" + "x" * 10_000, "a\nb, line 1").wrong("no"))
    assert said.isprintable()
    assert len(said) < 120


@pytest.mark.parametrize(
    ("target", "first", "last", "zone"),
    [
        ("192.168.1.7", "192.168.1.7", "192.168.1.7", ""),
        ("192.168.1.0/24", "192.168.1.1", "192.168.1.254", ""),
        ("192.168.1.77/24", "192.168.1.1", "192.168.1.254", ""),
        ("192.168.1.0/255.255.255.0", "192.168.1.1", "192.168.1.254", ""),
        ("192.168.1.0/30", "192.168.1.1", "192.168.1.2", ""),
        ("192.168.1.0/31", "192.168.1.0", "192.168.1.1", ""),
        ("192.168.1.9/32", "192.168.1.9", "192.168.1.9", ""),
        ("192.168.1.10-192.168.2.20", "192.168.1.10", "192.168.2.20", ""),
        ("192.168.1.10 - 20", "192.168.1.10", "192.168.1.20", ""),
        ("192.168.1.0-255", "192.168.1.0", "192.168.1.255", ""),
        ("::ffff:192.168.1.7", "192.168.1.7", "192.168.1.7", ""),
        ("fd00::/64", "fd00::", "fd00::ffff:ffff:ffff:ffff", ""),
        ("fd00::1-fd00::9", "fd00::1", "fd00::9", ""),
        ("fe80::1%eth0", "fe80::1", "fe80::1", "eth0"),
        ("fe80::/64%br-lan", "fe80::", "fe80::ffff:ffff:ffff:ffff", "br-lan"),
        ("fe80::%eth0.10/64", "fe80::", "fe80::ffff:ffff:ffff:ffff", "eth0.10"),
        ("fe80::1-fe80::9%br-lan", "fe80::1", "fe80::9", "br-lan"),
    ],
)
def test_addresses_prefixes_and_ranges(target: str, first: str, last: str, zone: str) -> None:
    assert literal(target, whole=False) == ((number(first), number(last)), zone)


@pytest.mark.parametrize(
    "target",
    [
        "192.168.1.0/33", "192.168.1.0/", "/24", "300.1.1.0/24", "printer/24",
        "192.168.1.20-10", "192.168.1.1-256", "192.168.1.1-", "192.168.1.1-printer", "192.168.1.1-fd00::1",
        "192.168.1.1%eth0", "fd00::1%eth0", "fe80::1%", "fe80::1%eth0:1", "fe80::1%-eth0", "fe80::1",
        "fe80::/64", "fe80::1%eth0-fe80::9%eth0",
    ],
)  # fmt: skip
def test_what_looks_like_one_and_is_none(target: str) -> None:
    with pytest.raises(ValueError, match=r"prefix|range|link-local"):
        literal(target, whole=False)


def test_of_an_exclude_nothing_is_spared() -> None:
    assert literal("192.168.1.0/24", whole=True) == ((number("192.168.1.0"), number("192.168.1.255")), "")
    assert literal("fe80::/64", whole=True) == ((number("fe80::"), number("fe80::ffff:ffff:ffff:ffff")), "")


@pytest.mark.parametrize(
    "name", ["printer", "mail-gw.example.com", "10-20.example", "a_b.local.", "drucker-büro.local", "3com"]
)
def test_names(name: str) -> None:
    assert literal(name, whole=False) is None
    assert is_name(name)


@pytest.mark.parametrize(
    "text",
    ["", ".", "a..b", "-a", "a-", "a b", "x" * 64, "a." * 127 + "a", "192.168.1.300", "10.1", "0x7f000001",
     "2130706433", "1.2.3.٤", "http://x", "@x", "*"],
)  # fmt: skip
def test_what_the_resolver_might_take_for_an_address_is_no_name(text: str) -> None:
    assert not is_name(text)


@given(st.text())
def test_any_text_is_a_target_or_an_error(text: str) -> None:
    try:
        literal(text, whole=False)
    except ValueError as fault:
        assert str(fault)


spans = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 8)).map(lambda one: (one[0], sum(one))))


@given(spans, spans)
def test_spans_are_sets(some: list[Span], cuts: list[Span]) -> None:
    def numbers(of: list[Span]) -> set[int]:
        return {value for first, last in of for value in range(first, last + 1)}

    left = without(merged(some), merged(cuts))
    assert numbers(left) == numbers(some) - numbers(cuts)
    assert size_of(left) == len(numbers(left))
    assert all(one[1] + 1 < other[0] for one, other in pairwise(merged(some)))
