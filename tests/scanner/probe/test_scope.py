"""Nothing outside of what was named is ever touched."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.probe.scope import Scope, plan
from scanner.probe.targets import ScopeError, Written

NAMES = {
    "printer.example": ["192.168.1.5", "fd00::5", "fe80::5%eth0", "fe80::6"],
    "www.example": ["8.8.8.8"],
    "empty.example": [],
}


def resolve(name: str) -> Iterable[str]:
    if name not in NAMES:
        raise OSError(-2, "Name or service not known")
    return NAMES[name]


def scope(
    *targets: str, excludes: Iterable[str] = (), allow_public: bool = False, yes: bool = False
) -> Scope:
    given = ([Written(word) for word in words] for words in (targets, excludes))
    return Scope(*given, resolve=resolve, allow_public=allow_public, yes=yes)


@pytest.mark.parametrize(
    ("targets", "excludes", "left"),
    [
        (["192.168.1.0/30"], [], ["192.168.1.1", "192.168.1.2"]),
        (["192.168.1.0/30", "192.168.1.3"], [], ["192.168.1.1", "192.168.1.2", "192.168.1.3"]),
        (["10.0.0.1-5"], ["10.0.0.2-4"], ["10.0.0.1", "10.0.0.5"]),
        (["10.0.0.1-5"], ["10.0.0.0/30"], ["10.0.0.4", "10.0.0.5"]),
        (["10.0.0.1", "10.0.0.1-2", "10.0.0.2"], [], ["10.0.0.1", "10.0.0.2"]),
        (["printer.example"], [], ["192.168.1.5", "fd00::5", "fe80::5%eth0"]),
        (["printer.example"], ["192.168.0.0/16"], ["fd00::5", "fe80::5%eth0"]),
        (["192.168.1.4-6"], ["printer.example"], ["192.168.1.4", "192.168.1.6"]),
        (["fd00::/126"], ["fd00::2"], ["fd00::", "fd00::1", "fd00::3"]),
        (["fe80::1%eth0", "fe80::1%eth1"], ["fe80::1%eth1"], ["fe80::1%eth0"]),
        (["fe80::1-fe80::2%eth0", "fe80::1%eth1"], ["fe80::1"], ["fe80::2%eth0"]),
        (["127.0.0.1", "::1"], [], ["127.0.0.1", "::1"]),
        (["10.0.0.1", "8.8.8.8"], ["8.0.0.0/8"], ["10.0.0.1"]),
    ],
    ids=lambda value: " ".join(value) or "nothing",
)
def test_what_is_left(targets: list[str], excludes: list[str], left: list[str]) -> None:
    chosen = scope(*targets, excludes=excludes)
    assert sorted(chosen.addresses(3)) == left
    assert len(chosen) == len(left)
    assert all(ip in chosen for ip in left)


@pytest.mark.parametrize(
    ("targets", "said"),
    [
        (["nonsense!"], "nonsense!: not an address, prefix, range or name"),
        (["192.168.1.0/33"], "192.168.1.0/33: not a prefix"),
        (["192.168.1.300"], "192.168.1.300: not an address, prefix, range or name"),
        (["gone.example"], "gone.example: no address found: Name or service not known"),
        (["empty.example"], "empty.example: no address found"),
        (["10.0.0.1", "www.example"], "www.example: 8.8.8.8 is a public address: that needs --allow-public"),
        (["9.0.0.0-11.0.0.0"], "9.0.0.0-11.0.0.0: 9.0.0.0 is a public address: that needs --allow-public"),
        (["192.0.2.1"], "192.0.2.1: 192.0.2.1 is a public address: that needs --allow-public"),
        (["2001:db8::/64"], "2001:db8::/64: 2001:db8:: is a public address: that needs --allow-public"),
        (["224.0.0.1"], "224.0.0.1: not the address of a machine"),
        (["ff02::1"], "ff02::1: not the address of a machine"),
        (["255.255.255.255"], "255.255.255.255: not the address of a machine"),
        (["0.0.0.0"], "0.0.0.0: not the address of a machine"),
        (["::"], "::: not the address of a machine"),
        (["10.0.0.0/15"], "131,070 addresses: more than 65,536 need --yes"),
        ([], "no address is left to ask"),
    ],
)
def test_what_is_refused(targets: list[str], said: str) -> None:
    with pytest.raises(ScopeError) as refused:
        scope(*targets)
    assert str(refused.value) == said


def test_the_line_of_a_file_is_named() -> None:
    with pytest.raises(ScopeError, match=r"^hosts\.txt, line 7: 10\.0\.0\.1/40: not a prefix$"):
        Scope([Written("10.0.0.1/40", "hosts.txt, line 7")], resolve=resolve)


def test_what_is_wrong_in_an_exclude_is_no_reason_to_go_on() -> None:
    with pytest.raises(ScopeError, match="no address found"):
        scope("10.0.0.1", excludes=["gone.example"])


def test_all_excluded_is_nothing() -> None:
    with pytest.raises(ScopeError, match="no address is left"):
        scope("10.0.0.0/24", "fd00::/64", excludes=["10.0.0.0/8", "fd00::/8"])


def test_a_name_is_resolved_once() -> None:
    asked: list[str] = []

    def once(name: str) -> list[str]:
        asked.append(name)
        return ["10.0.0.1"]

    chosen = Scope([Written("A.example"), Written("a.example"), Written("10.0.0.2")], resolve=once)
    assert asked == ["A.example"]
    assert chosen.names == {"10.0.0.1": "A.example"}


def test_link_local_is_another_machine_on_another_link() -> None:
    chosen = scope("fe80::1%eth0")
    assert "fe80::1%eth0" in chosen
    assert "fe80::1%eth1" not in chosen
    assert "fe80::1" not in chosen


def test_the_internet_is_no_group_and_no_reserved_address() -> None:
    chosen = scope("0.0.0.0/0", "::/0", allow_public=True, yes=True)
    assert all(ip in chosen for ip in ("1.1.1.1", "2001:db8::1", "fd00::1"))
    untouched = (
        "0.0.0.1",
        "127.0.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "240.0.0.1",
        "::1",
        "ff02::1",
        "fe80::1",
    )
    assert not any(ip in chosen for ip in untouched)
    assert "192.168.0.1" not in scope("::/0", allow_public=True)


def test_a_large_prefix_costs_nothing() -> None:
    tracemalloc.start()
    chosen = scope("10.0.0.0/8", yes=True)
    some = [ip for ip, _ in zip(chosen.addresses(), range(1000), strict=False)]
    used = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(chosen) == (1 << 24) - 2
    assert len(set(some)) == 1000
    assert used < 300_000


def test_ipv6_too_large_to_walk_stands_apart() -> None:
    chosen = scope("10.0.0.1", "fd00:1::/64", "fd00:2::/112", excludes=["fd00:1::1", "fd00:2::"])
    assert len(chosen) == 1 << 16
    assert [target.text for target in chosen.targets if target.large] == ["fd00:1::/64"]
    assert "fd00:1::abcd" in chosen
    assert "fd00:1::1" not in chosen


@pytest.mark.parametrize(
    ("own", "length", "asked"),
    [
        ("fd00:1::9", 64, True),
        ("fd00:1:0:8000::9", 48, True),
        ("fd00:2::9", 64, False),
        ("fd00:3::9", 64, False),
        ("192.168.1.1", 120, False),
        ("fe80::9%eth0", 64, True),
        ("fe80::9%eth1", 64, False),
    ],
)
def test_all_on_a_link_are_asked_where_a_large_prefix_was_named(own: str, length: int, asked: bool) -> None:
    chosen = scope(
        "192.168.1.0/24",
        "fd00:1::/64",
        "fd00:2::1",
        "fd00:3::/64",
        "fe80::/64%eth0",
        excludes=["fd00:3::/32"],
    )
    assert chosen.wants_all(own, length) is asked


@given(st.lists(st.tuples(st.integers(0, 255), st.integers(0, 40)), min_size=1, max_size=8), st.integers())
def test_the_order_visits_each_once_and_can_be_taken_up(ranges: list[tuple[int, int]], seed: int) -> None:
    chosen = scope(*(f"10.0.{third}.1-{1 + size}" for third, size in ranges))
    order = list(chosen.addresses(seed))
    assert len(order) == len(set(order)) == len(chosen)
    assert all(ip in chosen for ip in order)
    half = len(order) // 2
    assert list(chosen.addresses(seed, half)) == order[half:]


def test_neighbours_are_not_asked_in_a_row() -> None:
    last = [int(ip.rpartition(".")[2]) for ip in scope("192.168.1.0/24").addresses(5)]
    assert min(abs(one - other) for one, other in pairwise(last)) > 60


def test_the_plan_says_how_many_and_how_long() -> None:
    chosen = scope(
        "192.168.0.0/22", "printer.example", "fd00::/64", excludes=["192.168.1.0/24", "192.168.2.1"]
    )
    assert plan(chosen, [25, 587], 200, 4, 2, 2) == [
        "192.168.0.0/22: 765 addresses",
        "printer.example: 2 addresses",
        "fd00::/64: by multicast, and what is known",
        "excluded: 257 addresses",
        "asked: 767 addresses, 2 ports (25 587)",
        "at most 200 probes a second, 4 a host: 8 s if nobody is there, 16 s if everybody is",
    ]


def test_a_plan_is_short_and_without_limit_promises_nothing() -> None:
    lines = plan(scope(*(f"10.0.0.{last}" for last in range(1, 30))), [25], 0, 0, 1, 1)
    assert lines[20:] == ["and 9 more targets", "asked: 29 addresses, 1 ports (25)", "as fast as it goes"]


def test_a_plan_of_a_day_is_told_in_hours() -> None:
    assert "327 h if everybody is" in plan(scope("10.0.0.0/8", yes=True), list(range(12)), 200, 4, 2, 12)[-1]
