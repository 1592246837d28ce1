"""Datagrams of the ports that were asked for, as they were sent."""

from __future__ import annotations

from packets import ACK, BEGAN, C, Connection, datagram, decoded

from scanner.conversation import Endpoint
from scanner.wire.datagrams import Datagram, datagrams, dns_replies

PORTS = frozenset({53, 5353})
ASKED = datagram(("10.0.0.1", 40000), ("10.0.0.53", 53), b"question")
ANSWERED = datagram(("2001:db8::53", 53), ("2001:db8::1", 40000), b"answer", BEGAN + 7)
OTHER = datagram(("10.0.0.1", 123), ("10.0.0.2", 123), b"time")


def test_datagrams_from_and_to_a_port_come_in_the_order_of_capture() -> None:
    columns = decoded([ASKED, OTHER, ANSWERED], PORTS | {123})
    asker, server = Endpoint("2001:db8::1", 40000), Endpoint("2001:db8::53", 53)
    assert list(datagrams(columns, PORTS)) == [
        Datagram(BEGAN, Endpoint("10.0.0.1", 40000), Endpoint("10.0.0.53", 53), b"question", True),
        Datagram(BEGAN + 7, server, asker, b"answer", True),
    ]


def test_dns_replies_are_told_from_questions_by_their_bit() -> None:
    said = [b"\0\1\1\0question", b"\0\1\x81\x80reply", b"\0\1", b"\0\2\x80\0"]
    packets = [datagram(("10.0.0.53", 53), ("10.0.0.1", 4000), payload) for payload in said]
    columns = decoded([*packets, datagram(("10.0.0.1", 99), ("10.0.0.2", 99), said[1])], PORTS | {99})
    assert list(dns_replies(columns, PORTS)) == [said[1], said[3]]


def test_no_port_no_datagram() -> None:
    assert list(datagrams(decoded([ASKED]), frozenset())) == []


def test_segments_are_no_datagrams() -> None:
    columns = decoded(Connection(server=("10.0.0.53", 53)).send(C, b"\0\x08question", ACK).packets)
    assert list(datagrams(columns, PORTS)) == []


def test_what_the_snap_length_cut_is_not_whole() -> None:
    (found,) = datagrams(decoded([ASKED.cut(3)]), PORTS)
    assert (found.payload, found.whole) == (b"quest", False)
