"""Which endpoints are one host."""

import pytest

from db.grouping import ROUTER_ADDRESSES, EndpointRow, groups

ROUTER, DEVICE, OTHER = "02:00:00:00:00:fe", "02:00:00:00:00:01", "02:00:00:00:00:02"
BEHIND = [(f"10.9.0.{number}", ROUTER) for number in range(ROUTER_ADDRESSES + 1)]
"""Enough to make a MAC a router's."""


@pytest.mark.parametrize(
    ("endpoints", "host", "members"),
    [
        pytest.param([("10.0.0.1", DEVICE), ("10.0.0.2", DEVICE)], DEVICE, "10.0.0.1 10.0.0.2",
                     id="a MAC that changed its address is one"),
        pytest.param([("10.0.0.1", DEVICE), ("", DEVICE)], DEVICE, "10.0.0.1 ",
                     id="before it had an address"),
        pytest.param([("10.0.0.1", "")], "10.0.0.1", "10.0.0.1", id="an address alone"),
        pytest.param([*BEHIND, ("10.0.0.1", ROUTER)], "10.0.0.1", "10.0.0.1",
                     id="behind a router an address is a host"),
        pytest.param([*BEHIND, ("10.0.0.1", ROUTER), ("10.0.0.1", DEVICE)], DEVICE, "10.0.0.1 10.0.0.1",
                     id="seen on both sides of a router it is its own MAC's"),
        pytest.param([("10.0.0.1", ""), ("10.0.0.1", DEVICE)], DEVICE, "10.0.0.1 10.0.0.1",
                     id="seen without a MAC as well"),
        pytest.param([*BEHIND, ("10.0.0.1", ROUTER), ("10.0.0.1", DEVICE), ("10.0.0.1", OTHER)],
                     "10.0.0.1", "10.0.0.1", id="an address that went from hand to hand is nobody's"),
        pytest.param([*BEHIND, ("", ROUTER)], ROUTER, " ".join([*(ip for ip, _ in BEHIND), ""]),
                     id="a router keeps what is behind it"),
    ],
)  # fmt: skip
def test_groups(endpoints: list[tuple[str, str]], host: str, members: str) -> None:
    for order in (endpoints, endpoints[::-1]):
        found = groups([EndpointRow(number, ip, mac, "") for number, (ip, mac) in enumerate(order)])
        its = {group.name: group for group in found}
        assert sorted(member.ip for member in its[host].members) == sorted(members.split(" "))


def test_who_was_seen_to_forward_is_a_router_however_few_are_behind_it() -> None:
    ends = [("10.0.0.1", ROUTER), ("10.0.0.2", ROUTER), ("10.0.0.3", DEVICE)]
    rows = [EndpointRow(number, ip, mac, "") for number, (ip, mac) in enumerate(ends)]
    found = {group.name: group.router for group in groups(rows, {ROUTER})}
    assert found == {ROUTER: True, DEVICE: False, "10.0.0.1": False, "10.0.0.2": False}


def test_what_is_behind_a_router_is_not_its_own() -> None:
    ends = [*BEHIND, ("", ROUTER)]
    found = groups([EndpointRow(number, ip, mac, "") for number, (ip, mac) in enumerate(ends)])
    (router,) = [group for group in found if group.router]
    assert [member.ip for member in router.own] == [""]
