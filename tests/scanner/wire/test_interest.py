"""Which segments are followed: by port, by prefix, by how they begin."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packets import C, Connection, Packet, S, batch, datagram, decoded

from scanner.net import Prefixes
from scanner.wire.decode import Decoder
from scanner.wire.interest import MARKS, Interest, begins_like_mail, begins_talk, begins_tls

FAR = "198.51.100.7"


def segment(server: tuple[str, int], data: bytes = b"", client: str | None = None) -> list[Packet]:
    """A segment to a server, and one back."""
    own = client or ("2001:db8:9::9" if ":" in server[0] else "10.0.0.1")
    return Connection((own, 50000), server).send(C, data).send(S).packets


def wanted(interest: Interest, packets: list[Packet]) -> list[bool]:
    found: list[bool] = interest.wanted(decoded(packets)).tolist()
    return found


@pytest.mark.parametrize(
    ("server", "follows"),
    [
        pytest.param((FAR, 25), True, id="a wanted port"),
        pytest.param((FAR, 26), False, id="another port"),
        pytest.param((FAR, 0), False, id="port 0"),
        pytest.param(("192.0.2.1", 443), True, id="a wanted prefix"),
        pytest.param(("192.0.2.255", 443), True, id="its last address"),
        pytest.param(("192.0.3.0", 443), False, id="the address behind it"),
        pytest.param(("192.0.1.255", 443), False, id="the address before it"),
        pytest.param(("203.0.113.9", 443), True, id="a single address"),
        pytest.param(("203.0.113.10", 443), False, id="its neighbour"),
        pytest.param(("2001:db8:1::5", 443), True, id="a wanted prefix of IPv6"),
        pytest.param(("2001:db8:2::5", 443), False, id="another prefix of IPv6"),
        pytest.param(("::c000:201", 443), False, id="IPv6 that has the number of a wanted IPv4 address"),
    ],
)
def test_segments_of_interest(server: tuple[str, int], follows: bool) -> None:
    interest = Interest(frozenset({25}), Prefixes(["192.0.2.0/24", "203.0.113.9", "2001:db8:1::/48"]))
    assert wanted(interest, segment(server)) == [follows, follows]


def test_without_prefixes_only_ports_count() -> None:
    packets = segment((FAR, 25)) + segment((FAR, 443))
    assert wanted(Interest(frozenset({25}), Prefixes()), packets) == [True, True, False, False]


def test_datagrams_are_never_followed() -> None:
    packets = [datagram(("10.0.0.1", 53), (FAR, 25), b"220 hello")]
    interest = Interest(frozenset({25}), Prefixes([FAR]))
    assert wanted(interest, packets) == [False]


NETWORKS = st.integers(0, 255).flatmap(
    lambda last: st.sampled_from([24, 25, 28, 31, 32]).map(
        lambda bits: str(ip_network(f"192.0.2.{last}/{bits}", strict=False))
    )
)


@settings(deadline=None)
@given(st.lists(NETWORKS, max_size=5), st.integers(0, 2**10 - 1))
def test_no_address_of_any_prefix_is_missed(cidrs: list[str], offset: int) -> None:
    address = ip_address("192.0.1.0") + offset
    inside = any(address in ip_network(cidr) for cidr in cidrs)
    interest = Interest(frozenset(), Prefixes(cidrs))
    assert wanted(interest, segment((str(address), 443))) == [inside, inside]


@pytest.mark.parametrize("mark", MARKS)
def test_marks_are_found_on_any_port(mark: bytes) -> None:
    columns = decoded(segment((FAR, 9025), mark + b"more") + segment((FAR, 9026), b"x" + mark))
    interest = Interest(frozenset({25}), Prefixes())
    everything = np.ones(len(columns), np.bool_)
    assert interest.marked(columns, everything).tolist() == [0]
    assert interest.marked(columns, ~everything).tolist() == []
    assert begins_like_mail(mark + b"more")
    assert not begins_like_mail(b"x" + mark)


def test_marks_are_not_looked_for_unless_asked() -> None:
    columns = decoded(segment((FAR, 9025), b"220 hello"))
    interest = Interest(frozenset({25}), Prefixes(), marks=False)
    assert interest.marked(columns, np.ones(len(columns), np.bool_)).tolist() == []


def test_a_mark_that_is_cut_is_none() -> None:
    packets = segment((FAR, 9025), b"220 hello")
    columns = decoded([packets[0].cut(6), packets[1]])
    assert Interest(frozenset(), Prefixes()).marked(columns, np.ones(2, np.bool_)).tolist() == []


def test_a_mark_at_the_very_end_of_a_block_is_found() -> None:
    columns = decoded(segment((FAR, 9025), b"220 ")[:1])
    assert Interest(frozenset(), Prefixes()).marked(columns, np.ones(1, np.bool_)).tolist() == [0]


def test_a_mark_in_ipv6_is_found() -> None:
    (columns,) = Decoder().decode(batch(segment(("2001:db8::1", 9025), b"EHLO x\r\n")))
    assert Interest(frozenset(), Prefixes()).marked(columns, np.ones(2, np.bool_)).tolist() == [0]


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        pytest.param(b"220 mx ESMTP\r\n", True, id="a greeting"),
        pytest.param(b"EHLO a\r\n", True, id="a client that says hello"),
        pytest.param(b"250 ok\r\n", False, id="an answer"),
        pytest.param(b"22", False, id="too little"),
    ],
)
def test_mail_begins_with_a_mark(payload: bytes, expected: bool) -> None:
    assert begins_like_mail(payload) is expected


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        pytest.param(b"\x16\x03\x01\x02\0\x01\0\x01\xfc", True, id="a hello"),
        pytest.param(b"\x16\x03\x03\0\x2a\x02", False, id="a server's hello"),
        pytest.param(b"\x17\x03\x03\0\x2a\x01", False, id="data"),
        pytest.param(b"\x16\x03\x01\x02\0", False, id="too little"),
        pytest.param(b"", False, id="nothing"),
    ],
)
def test_tls_begins_with_a_hello(payload: bytes, expected: bool) -> None:
    assert begins_tls(payload) is expected


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        pytest.param(b"220 mx ESMTP\r\n", True, id="SMTP's greeting"),
        pytest.param(b"EHLO a\r\n", True, id="SMTP's hello"),
        pytest.param(b"+OK 1 2\r\n", False, id="POP3 may answer so"),
        pytest.param(b"* OK still here\r\n", False, id="IMAP may say so"),
        pytest.param(b"GET / HTTP/1.1\r\n", False, id="HTTP asks often"),
    ],
)
def test_some_words_are_only_said_first(payload: bytes, expected: bool) -> None:
    assert begins_talk(payload) is expected
