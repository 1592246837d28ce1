"""Cards, addresses, names and lists as options hold them."""

from collections.abc import Sequence
from ipaddress import ip_address

import pytest

from scanner.protocols.fields import (
    ADDRESSES_TOLD,
    VALUES_READ,
    address,
    card,
    domain_name,
    hosts_of,
    reachable,
    values,
)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        pytest.param(b"\x02\0\0\0\0\x07", "02:00:00:00:00:07", id="a card"),
        pytest.param(bytes(6), None, id="zeros are none"),
        pytest.param(b"\x01\0\x5e\0\0\1", None, id="a group is no card"),
        pytest.param(b"\xff" * 6, None, id="all are no card"),
        pytest.param(b"\x02\0\0\0\0", None, id="one that is cut"),
        pytest.param(b"\x02" * 8, None, id="one of eight bytes"),
        pytest.param(b"", None, id="nothing"),
    ],
)
def test_a_card(raw: bytes, expected: str | None) -> None:
    assert card(raw) == expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        pytest.param(b"\x0a\0\0\7", "10.0.0.7", id="version 4"),
        pytest.param(b"\x20\x01\x0d\xb8" + bytes(11) + b"\1", "2001:db8::1", id="version 6"),
        pytest.param(bytes(4), None, id="none yet"),
        pytest.param(b"\0\0\0\7", None, id="this network"),
        pytest.param(b"\xe0\0\0\xfb", None, id="a group of version 4"),
        pytest.param(b"\xff" * 4, None, id="everybody"),
        pytest.param(bytes(16), None, id="none yet, of version 6"),
        pytest.param(b"\xff\x02" + bytes(14), None, id="a group of version 6"),
        pytest.param(b"\x0a\0\0", None, id="one that is cut"),
        pytest.param(b"", None, id="nothing"),
    ],
)
def test_an_address(raw: bytes, expected: str | None) -> None:
    assert address(raw) == expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        pytest.param(b"\x04copy\x04corp\0", "copy.corp", id="a name"),
        pytest.param(b"\x04Copy", "Copy", id="a part of a name, its capitals kept"),
        pytest.param(b"\x04copy\0\x04more\0", "copy", id="the first of two"),
        pytest.param(b"\x04cop", "", id="a label that is cut"),
        pytest.param(b"\x04copy\xc0\x00", "", id="a pointer is not allowed"),
        pytest.param(b"\0", "", id="the root"),
        pytest.param(b"", "", id="nothing"),
        pytest.param(b"\x01a" * 999, "", id="labels without end"),
    ],
)
def test_a_domain_name(raw: bytes, expected: str) -> None:
    assert domain_name(raw) == expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        pytest.param(b"\0\1\0\2ab\0\2\0\0", [(1, b"ab"), (2, b"")], id="two, one of them empty"),
        pytest.param(b"\0\1\0\2ab\0\2\0\3ab", [(1, b"ab")], id="a value that is cut"),
        pytest.param(b"\0\1\0\2ab\0\2\0", [(1, b"ab")], id="a head that is cut"),
        pytest.param(bytes(4) * 999, [(0, b"")] * VALUES_READ, id="a flood"),
        pytest.param(b"", [], id="nothing"),
    ],
)
def test_codes_and_values(raw: bytes, expected: list[tuple[int, bytes]]) -> None:
    assert list(values(raw, 4, lambda head: (head >> 16, head & 0xFFFF))) == expected


def test_values_of_another_order_and_of_lengths_that_cannot_be() -> None:
    assert list(values(b"\2\1ab", 2, lambda head: (head >> 8, head & 0xFF), "little")) == [(1, b"ab")]
    assert list(values(b"\0ab", 1, lambda size: (0, size - 1))) == []


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
