"""Addresses in one spelling, the longest prefix, and Community ID as its specification has it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner import net
from scanner.conversation import Endpoint, Flow, Transport


@pytest.mark.parametrize(
    ("client", "server", "transport", "expected"),
    [
        (("128.232.110.120", 34855), ("66.35.250.204", 80), "tcp", "1:LQU9qZlK+B5F3KDmev6m5PMibrg="),
        (("66.35.250.204", 80), ("128.232.110.120", 34855), "tcp", "1:LQU9qZlK+B5F3KDmev6m5PMibrg="),
        (("192.168.1.52", 54585), ("8.8.8.8", 53), "udp", "1:d/FP5EW3wiY1vCndhwleRRKHowQ="),
    ],
)
def test_community_id_has_its_known_values(
    client: tuple[str, int], server: tuple[str, int], transport: str, expected: str
) -> None:
    assert net.community_id(Flow(Endpoint(*client), Endpoint(*server), Transport(transport))) == expected


@pytest.mark.parametrize(
    ("ip", "internal"),
    [
        ("10.1.2.3", True),
        ("172.31.0.1", True),
        ("172.32.0.1", False),
        ("fe80::1", True),
        ("2001:db8::1", False),
    ],
)
def test_the_sites_own_addresses(ip: str, internal: bool) -> None:
    assert net.is_internal(ip) is internal


@given(st.ip_addresses(v=4) | st.ip_addresses(v=6))
def test_a_number_has_one_text(address: object) -> None:
    value = net.number(str(address))
    assert net.number(net.text(value >> 64, value & (1 << 64) - 1)) == value


def test_the_longest_prefix_wins() -> None:
    both = net.Prefixes(("10.0.0.0/8", "10.1.0.0/16"))
    assert both.find(net.number("10.1.2.3")) == "10.1.0.0/16"
    assert both.find(net.number("10.2.0.1")) == "10.0.0.0/8"
    assert both.find(net.number("192.0.2.1")) is None
    assert "10.9.9.9" in both


@pytest.mark.parametrize(("mac", "randomised"), [("02:00:00:00:00:01", True), ("00:26:73:00:00:01", False)])
def test_a_randomised_mac_says_so(mac: str, randomised: bool) -> None:
    assert net.is_randomised(mac) is randomised
    assert net.vendor("02:00:00:00:00:01") is None
    assert "RICOH" in str(net.vendor("00:26:73:00:00:01"))
    assert net.vendor("00:50:c2:00:01:23") == "T.L.S. Corp." != net.vendor("00:50:c2:00:11:23")
