"""Answers and announcements are told from questions before anything is made of them."""

from __future__ import annotations

import struct

import pytest
from packets import ACK, C, Connection, Packet, datagram, decoded

from scanner.wire.announced import announced

PORTS = frozenset({53, 137, 1900, 3702, 5353, 5355})


def header(flags: int, authority: int = 0) -> bytes:
    return struct.pack(">6H", 1, flags, 1, 0, authority, 0)


def sent(port: int, payload: bytes, by: int = 40000) -> Packet:
    return datagram(("10.0.0.1", by), ("10.0.0.2", port), payload)


@pytest.mark.parametrize(
    ("port", "payload", "worth"),
    [
        pytest.param(53, header(0x8180), True, id="an answer of DNS"),
        pytest.param(53, header(0x0100), False, id="a question of DNS"),
        pytest.param(53, header(0x2800, 2), False, id="an update of DNS"),
        pytest.param(5355, header(0x8000), True, id="an answer of LLMNR"),
        pytest.param(5355, header(0, 1), False, id="a question of LLMNR"),
        pytest.param(5353, header(0x8400), True, id="an announcement of mDNS"),
        pytest.param(5353, header(0), False, id="a question of mDNS"),
        pytest.param(5353, header(0, 1), True, id="a probe of mDNS"),
        pytest.param(5353, header(0, 256), True, id="a probe of many records"),
        pytest.param(137, header(0x0110), False, id="a question for a NetBIOS name"),
        pytest.param(137, header(0x8500), True, id="an answer for a NetBIOS name"),
        pytest.param(137, header(0x2910), True, id="a registration"),
        pytest.param(137, header(0x4000), True, id="a refresh"),
        pytest.param(137, header(0x4800), True, id="a refresh as some send it"),
        pytest.param(137, header(0x7910), True, id="a registration of a machine with two cards"),
        pytest.param(137, header(0x3000), False, id="a release"),
        pytest.param(5353, header(0x8400)[:11], False, id="half a header"),
        pytest.param(53, b"", False, id="nothing"),
        pytest.param(1900, b"M-SEARCH", True, id="all of SSDP"),
        pytest.param(3702, b"", True, id="all of WS-Discovery"),
        pytest.param(123, header(0x8400), False, id="a port that nobody asked for"),
    ],
)
def test_what_is_worth_reading(port: int, payload: bytes, worth: bool) -> None:
    columns = decoded([sent(port, payload), sent(99, b"", port)], PORTS | {99, 123})
    assert announced(columns, PORTS).tolist() == ([0] if worth else []) + (
        [1] if port in (1900, 3702) else []
    )
    back = decoded([datagram(("10.0.0.2", port), ("10.0.0.1", 40000), payload)], PORTS | {123})
    assert announced(back, PORTS).tolist() == ([0] if worth else [])


def test_rows_come_in_the_order_of_capture() -> None:
    said = [
        sent(1900, b"x"),
        sent(5353, header(0)),
        sent(5353, header(0x8400)),
        sent(1900, b"y"),
        sent(53, header(0x8180)),
    ]
    assert announced(decoded(said, PORTS), PORTS).tolist() == [0, 2, 3, 4]


def test_between_two_ports_one_reason_is_enough() -> None:
    columns = decoded(
        [sent(53, header(0, 1), 5353), sent(53, header(0), 1900), sent(53, header(0), 5353)], PORTS
    )
    assert announced(columns, PORTS).tolist() == [0, 1]


def test_only_ports_that_are_asked_for_count() -> None:
    columns = decoded([sent(53, header(0x8180)), sent(1900, b"x")], PORTS)
    assert announced(columns, frozenset({1900})).tolist() == [1]
    assert announced(columns, frozenset()).tolist() == []


def test_what_the_snap_length_cut_is_not_looked_for_in_the_next_packet() -> None:
    columns = decoded([sent(5353, header(0x8400)).cut(4), sent(5353, header(0x8400))], PORTS)
    assert announced(columns, PORTS).tolist() == [1]


def test_segments_are_no_datagrams() -> None:
    columns = decoded(Connection(server=("10.0.0.53", 53)).send(C, header(0x8180), ACK).packets)
    assert announced(columns, PORTS).tolist() == []
