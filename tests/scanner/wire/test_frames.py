"""LLDP and CDP come out of a batch whatever lies before them, and nothing else does."""

from __future__ import annotations

import struct

import pytest
from packets import BEGAN, Packet, batch, datagram

from scanner.wire.batch import LinkType
from scanner.wire.decode import Decoder
from scanner.wire.frames import Frame

TO, FROM = b"\x01\x80\xc2\0\0\x0e", b"\x02\0\0\0\0\x07"
CARD = FROM.hex(":")
MACS = TO + FROM
TOLD = b"\x02\x07\x04\x02\0\0\0\0\x07\0\0"
LLDP = b"\x88\xcc" + TOLD
CDP = struct.pack(">H", 8 + len(TOLD)) + b"\xaa\xaa\3\0\0\x0c\x20\0" + TOLD
COOKED = b"\0\1\0\1\0\6" + FROM + b"\0\0"
COOKED2 = b"\0\0\0\0\0\3\0\1\1\6" + FROM + b"\0\0"

CASES = {
    "LLDP": (LinkType.ETHERNET, MACS + LLDP, 0x88CC, CARD),
    "LLDP behind a VLAN tag": (LinkType.ETHERNET, MACS + b"\x81\0\0\1" + LLDP, 0x88CC, CARD),
    "LLDP in a cooked capture": (LinkType.LINUX_SLL, COOKED + LLDP, 0x88CC, CARD),
    "LLDP in the newer cooked form": (LinkType.LINUX_SLL2, b"\x88\xcc" + COOKED2 + TOLD, 0x88CC, CARD),
    "LLDP that a mirror wrapped in GRE": (
        LinkType.RAW,
        struct.pack(">BBHHHBBH", 0x45, 0, 24 + len(MACS + LLDP), 1, 0, 64, 47, 0)
        + b"\xc0\0\2\1\xc0\0\2\2\0\0\x65\x58"
        + MACS
        + LLDP,
        0x88CC,
        CARD,
    ),
    "CDP": (LinkType.ETHERNET, MACS + CDP, 0x2000, CARD),
    "CDP behind a VLAN tag": (LinkType.ETHERNET, MACS + b"\x81\0\0\1" + CDP, 0x2000, CARD),
    "CDP in a cooked capture": (LinkType.LINUX_SLL, COOKED + b"\0\4" + CDP[2:], 0x2000, CARD),
}


@pytest.mark.parametrize("title", CASES)
def test_a_frame_is_taken(title: str) -> None:
    link, packet, kind, mac = CASES[title]
    decoder = Decoder()
    assert decoder.decode(batch([Packet(BEGAN, packet)], link)) == []
    assert decoder.frames == [Frame(BEGAN, mac, kind, TOLD, 0)]
    tally = decoder.tally
    assert (tally.not_ip, tally.malformed, tally.truncated) == (0, 0, 0)


OTHERS = {
    "spanning tree": b"\0\x26\x42\x42\3" + bytes(40),
    "Cisco's trunk protocol": struct.pack(">H", 20) + b"\xaa\xaa\3\0\0\x0c\x20\4" + bytes(12),
    "the number of CDP behind another's code": struct.pack(">H", 20)
    + b"\xaa\xaa\3\0\0\x0d\x20\0"
    + bytes(12),
    "ARP": b"\x08\6" + bytes(28),
}


@pytest.mark.parametrize("title", OTHERS)
def test_what_is_not_asked_for_is_counted_as_before(title: str) -> None:
    decoder = Decoder()
    assert decoder.decode(batch([Packet(BEGAN, MACS + OTHERS[title])])) == []
    assert (decoder.frames, decoder.tally.not_ip) == ([], 1)


def test_frames_come_in_the_order_of_capture_and_for_one_batch_only() -> None:
    asked = datagram(("10.0.0.1", 40000), ("10.0.0.53", 53), b"question")
    packets = [Packet(1, MACS + CDP), asked, Packet(3, MACS + LLDP), Packet(4, MACS + CDP).cut(4)]
    decoder = Decoder()
    (columns,) = decoder.decode(batch(packets))
    assert len(columns) == 1
    assert [(one.at, one.kind) for one in decoder.frames] == [(1, 0x2000), (3, 0x88CC), (4, 0x2000)]
    assert decoder.frames[-1].payload == TOLD[:-4]
    decoder.decode(batch([asked]))
    assert decoder.frames == []


@pytest.mark.parametrize("title", CASES)
def test_a_cut_anywhere_raises_nothing(title: str) -> None:
    link, packet, _, _ = CASES[title]
    for size in range(len(packet)):
        decoder = Decoder()
        assert decoder.decode(batch([Packet(BEGAN, packet).cut(len(packet) - size)], link)) == []
        assert all(TOLD.startswith(one.payload) for one in decoder.frames)
