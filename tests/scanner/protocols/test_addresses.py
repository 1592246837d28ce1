"""Which addresses a machine is known by, of those it tells."""

from collections.abc import Sequence
from ipaddress import ip_address

import pytest

from scanner.protocols.addresses import ADDRESSES_TOLD, hosts_of, reachable


@pytest.mark.parametrize(
    ("told", "known"),
    [
        pytest.param(["192.0.2.1", "2001:db8::1"], ["192.0.2.1"], id="IPv4 is enough"),
        pytest.param(
            ["192.0.2.2", "192.0.2.1", "192.0.2.2"],
            ["192.0.2.2", "192.0.2.1"],
            id="each of them once, in order",
        ),
        pytest.param(["fe80::1", "2001:db8::1"], ["2001:db8::1"], id="IPv6 where there is nothing else"),
        pytest.param(["169.254.1.1", "2001:db8::1"], ["2001:db8::1"], id="link-local is less than IPv6"),
        pytest.param(["fe80::1", "169.254.1.1"], ["169.254.1.1"], id="only link-local ones"),
        pytest.param(["fe80::1%eth0"], ["fe80::1"], id="a zone is no part of an address"),
        pytest.param(["::ffff:192.0.2.1", "192.0.2.1"], ["192.0.2.1"], id="IPv4 in the dress of IPv6"),
        pytest.param(
            ["127.0.1.1", "0.0.0.0", "0.1.2.3", "255.255.255.255", "224.0.0.251"], [], id="nobody's"
        ),
        pytest.param(["::1", "::", "ff02::fb", "::ffff:127.0.0.1"], [], id="nobody's of IPv6"),
        pytest.param([], [], id="nothing told"),
    ],
)
def test_which_addresses_a_machine_is_known_by(told: Sequence[str], known: Sequence[str]) -> None:
    assert reachable(map(ip_address, told)) == tuple(known)


def test_a_machine_of_many_addresses_is_bounded() -> None:
    assert len(reachable(ip_address(f"10.0.0.{last}") for last in range(1, 100))) == ADDRESSES_TOLD


@pytest.mark.parametrize(
    ("urls", "known"),
    [
        pytest.param(["http://192.0.2.1:5357/x"], ["192.0.2.1"], id="an address and a port"),
        pytest.param(["http://[fe80::1%25eth0]:80/", "https://[2001:db8::2]"], ["2001:db8::2"], id="IPv6"),
        pytest.param(["http://[FE80::1%25eth0]:80/"], ["fe80::1"], id="a zone"),
        pytest.param(
            ["http://copier.example/", " http://192.0.2.3/ "], ["192.0.2.3"], id="a name tells none"
        ),
        pytest.param(["http://user@192.0.2.4/"], ["192.0.2.4"], id="a user is no host"),
        pytest.param(
            ["http://[", "http://[::1/", "192.0.2.5", "", "http://192.0.2/", "//"], [], id="no host"
        ),
        pytest.param(["http://192.0.2.1\u2100/"], [], id="what becomes another host when it is normalised"),
    ],
)
def test_which_addresses_urls_hold(urls: Sequence[str], known: Sequence[str]) -> None:
    assert hosts_of(urls) == tuple(known)
