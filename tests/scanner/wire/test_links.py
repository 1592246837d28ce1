"""Every link layer leads to the same TCP segment behind it."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from scanner.wire.batch import Batch, Columns, LinkType
from scanner.wire.decode import Decoder

SEGMENT = struct.pack(">HHIIBBHHH", 50000, 587, 7, 9, 0x50, 0x18, 0, 0, 0) + b"EHLO"
IPV4 = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 44, 1, 0, 64, 6, 0, b"\xc0\0\2\1", b"\xc6\x33\x64\1") + SEGMENT
IPV6 = struct.pack(">IHBB", 0x60000000, 24, 6, 64) + b"\x20\1\x0d\xb8" + bytes(28) + SEGMENT
TO, FROM = b"\2\0\0\0\0\1", b"\2\0\0\0\0\2"
MACS = TO + FROM


def decode(packet: bytes, link: int = LinkType.ETHERNET) -> tuple[list[Columns], Decoder]:
    size = np.array([len(packet)])
    batch = Batch(np.frombuffer(packet, np.uint8), np.array([0]), size, size, np.array([5]), link, None)
    decoder = Decoder()
    return decoder.decode(batch), decoder


def labels(*values: int) -> bytes:
    bottom = len(values) - 1
    words = (value << 12 | (at == bottom) << 8 | 64 for at, value in enumerate(values))
    return b"".join(struct.pack(">I", word) for word in words)


CASES = {
    "Ethernet carries IPv4": (1, MACS + b"\x08\0" + IPV4),
    "Ethernet carries IPv6": (1, MACS + b"\x86\xdd" + IPV6),
    "Ethernet pads a short frame": (1, MACS + b"\x08\0" + IPV4 + bytes(6)),
    "a VLAN tag stands before": (1, MACS + b"\x81\0\0\x2a\x08\0" + IPV4),
    "two VLAN tags stand before": (1, MACS + b"\x88\xa8\0\7\x81\0\0\x2a\x86\xdd" + IPV6),
    "old QinQ stands before": (1, MACS + b"\x91\0\0\7\x81\0\0\x2a\x08\0" + IPV4),
    "Cisco's security tag stands before": (1, MACS + b"\x89\x09\1\1\0\1\0\2\x08\0" + IPV4),
    "a VLAN tag and Cisco's with two options": (
        1, MACS + b"\x81\0\0\x2a\x89\x09\1\2\0\1\0\2\0\1\0\3\x86\xdd" + IPV6,
    ),
    "a port's tag stands before": (1, MACS + b"\x89\x3f" + bytes(6) + b"\x08\0" + IPV4),
    "a port's tag stands before a VLAN's": (
        1, MACS + b"\x89\x3f" + bytes(6) + b"\x81\0\0\x2a\x86\xdd" + IPV6,
    ),
    "Cisco's HDLC": (104, b"\x0f\0\x08\0" + IPV4),
    "Cisco's HDLC to many, by the number of PPP's": (50, b"\x8f\0\x86\xdd" + IPV6),
    "LLC and SNAP stand before": (1, MACS + b"\0\x34\xaa\xaa\3\0\0\0\x08\0" + IPV4),
    "one MPLS label stands before": (1, MACS + b"\x88\x47" + labels(16) + IPV4),
    "three MPLS labels stand before IPv6": (1, MACS + b"\x88\x47" + labels(16, 17, 18) + IPV6),
    "MPLS carries Ethernet with a control word": (
        1, b"\3" * 12 + b"\x88\x47" + labels(16) + bytes(4) + MACS + b"\x08\0" + IPV4,
    ),
    "MPLS carries Ethernet without a control word": (
        1, b"\3" * 12 + b"\x88\x48" + labels(16) + b"\x22" + MACS[1:] + b"\x08\0" + IPV4,
    ),
    "PPPoE in a VLAN": (1, MACS + b"\x81\0\0\1\x88\x64" + b"\x11\0\0\1\0\x2e\0\x21" + IPV4),
    "PPPoE carries IPv6": (1, MACS + b"\x88\x64" + b"\x11\0\0\1\0\x42\0\x57" + IPV6),
    "cooked": (113, struct.pack(">HHH", 0, 1, 6) + FROM + b"\0\0\x08\0" + IPV4),
    "cooked with a VLAN tag": (113, struct.pack(">HHH", 0, 1, 6) + FROM + b"\0\0\x81\0\0\1\x86\xdd" + IPV6),
    "cooked, version 2": (276, b"\x08\0\0\0\0\0\0\1\0\1\0\6" + FROM + b"\0\0" + IPV4),
    "cooked without a hardware address": (113, struct.pack(">HHH", 0, 772, 6) + bytes(8) + b"\x08\0" + IPV4),
    "cooked, version 2, without one": (276, b"\x86\xdd\0\0\0\0\0\1\xff\xfe\0\0" + bytes(8) + IPV6),
    "raw IPv4": (101, IPV4),
    "raw IPv6": (101, IPV6),
    "raw by BSD's number": (12, IPV4),
    "raw by OpenBSD's number": (14, IPV6),
    "IPv4 by its own number": (228, IPV4),
    "IPv6 by its own number": (229, IPV6),
    "loopback of a little-endian machine": (0, b"\2\0\0\0" + IPV4),
    "loopback of a big-endian machine": (0, b"\0\0\0\2" + IPV4),
    "loopback of macOS, IPv6": (0, b"\x1e\0\0\0" + IPV6),
    "loopback of OpenBSD": (108, b"\0\0\0\x18" + IPV6),
    "PPP": (9, b"\0\x21" + IPV4),
    "PPP with a one-byte protocol": (9, b"\x21" + IPV4),
    "PPP with address and control": (50, b"\xff\3\0\x57" + IPV6),
    "PPPoE without Ethernet": (51, b"\x11\0\0\1\0\x2e\0\x21" + IPV4),
}  # fmt: skip


@pytest.mark.parametrize("title", CASES)
def test_link_leads_to_the_segment(title: str) -> None:
    link, packet = CASES[title]
    (rows,), decoder = decode(packet, link)
    assert (rows.source_port[0], rows.target_port[0], rows.sequence[0]) == (50000, 587, 7)
    assert (rows.acknowledged[0], rows.flags[0], rows.length[0]) == (9, 0x18, 4)
    payload = int(rows.payload[0])
    assert rows.buffer[payload : payload + int(rows.captured[0])].tobytes() == b"EHLO"
    assert decoder.tally.segments == decoder.tally.packets == 1
    assert decoder.tally.malformed == decoder.tally.not_ip == decoder.tally.truncated == 0


@pytest.mark.parametrize("title", CASES)
def test_the_senders_mac_is_shown_where_there_is_one(title: str) -> None:
    link, packet = CASES[title]
    (rows,), _ = decode(packet, link)
    source, target = int(rows.source_mac[0]), int(rows.target_mac[0])
    if link == LinkType.ETHERNET:
        assert packet[source : source + 6] == FROM
        assert packet[target : target + 6] == TO or "without a control word" in title
    elif link in (113, 276) and "without" not in title:
        assert (packet[source : source + 6], target) == (FROM, -1)
    else:
        assert (source, target) == (-1, -1)


NOT_IP = {
    "ARP": (1, MACS + b"\x08\6" + bytes(28)),
    "spanning tree": (1, MACS + b"\0\x26\x42\x42\3" + bytes(40)),
    "PPPoE discovery": (1, MACS + b"\x88\x64" + b"\x11\x09\0\0\0\0" + bytes(20)),
    "PPP link control": (9, b"\xc0\x21" + bytes(20)),
    "a strange loopback family": (0, b"\7\0\0\0" + bytes(20)),
    "raw of no version": (101, b"\x55" + bytes(30)),
}


@pytest.mark.parametrize("title", NOT_IP)
def test_what_is_not_ip_is_counted(title: str) -> None:
    link, packet = NOT_IP[title]
    columns, decoder = decode(packet, link)
    assert columns == []
    assert decoder.tally.not_ip == 1


@pytest.mark.parametrize("title", CASES)
def test_a_cut_anywhere_raises_nothing(title: str) -> None:
    link, packet = CASES[title]
    for size in range(len(packet) - 4):
        _, decoder = decode(packet[:size], link)
        assert decoder.tally.packets == 1


def test_an_unknown_link_type_is_counted() -> None:
    columns, decoder = decode(IPV4, 147)
    assert columns == []
    assert decoder.tally.unknown_link == 1
