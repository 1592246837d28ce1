"""What tunnels carry is decoded like what comes plainly."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from scanner.wire.batch import Batch, Columns
from scanner.wire.decode import Decoder
from scanner.wire.layers import Kind
from scanner.wire.tunnels import MOST_TAGS


def ipv4(protocol: int, inner: bytes) -> bytes:
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(inner), 1, 0, 64, protocol, 0)
    return head + b"\xc0\0\2\1" + b"\xc6\x33\x64\1" + inner


def udp(port: int, inner: bytes, source: int = 40000) -> bytes:
    return ipv4(17, struct.pack(">HHHH", source, port, 8 + len(inner), 0) + inner)


def framed(inner: bytes, ether_type: int = 0x0800, mac: bytes = b"\2\0\0\0\0\1") -> bytes:
    return bytes(6) + mac + struct.pack(">H", ether_type) + inner


SEGMENT = struct.pack(">HHIIBBHHH", 50000, 587, 7, 9, 0x50, 0x18, 0, 0, 0) + b"EHLO"
INNER = ipv4(6, SEGMENT)
INNER6 = struct.pack(">IHBB", 0x60000000, 24, 6, 64) + b"\x20\1\x0d\xb8" + bytes(28) + SEGMENT
MAC = b"\2\0\0\0\0\7"
FRAME = framed(INNER, mac=MAC)
ERSPAN3 = bytes(10)

WITH_MAC = {
    "GRE carries Ethernet": ipv4(47, b"\0\0\x65\x58" + FRAME),
    "NVGRE": ipv4(47, b"\x20\0\x65\x58\0\0\1\0" + FRAME),
    "ERSPAN I": ipv4(47, b"\0\0\x88\xbe" + FRAME),
    "ERSPAN II": ipv4(47, b"\x10\0\x88\xbe\0\0\0\1" + bytes(8) + FRAME),
    "ERSPAN III": ipv4(47, b"\x10\0\x22\xeb\0\0\0\1" + ERSPAN3 + b"\0\0" + FRAME),
    "ERSPAN III with a subheader": ipv4(47, b"\x10\0\x22\xeb\0\0\0\1" + ERSPAN3 + b"\0\1" + bytes(8) + FRAME),
    "VXLAN": udp(4789, b"\x08" + bytes(7) + FRAME),
    "VXLAN on Linux's port": udp(8472, b"\x08" + bytes(7) + FRAME),
    "Geneve": udp(6081, b"\0\0\x65\x58" + bytes(4) + FRAME),
    "Geneve with options": udp(6081, b"\2\0\x65\x58" + bytes(12) + FRAME),
    "TZSP": udp(37008, b"\1\0\0\1\1" + FRAME),
    "TZSP with tags": udp(37008, b"\1\0\0\1\0\x0a\1\x7f\0\x0d\2\0\0\1" + FRAME),
    "VXLAN in VXLAN": udp(4789, b"\x08" + bytes(7) + framed(udp(4789, b"\x08" + bytes(7) + FRAME))),
}
WITHOUT_MAC = {
    "GRE carries IPv4": ipv4(47, b"\0\0\x08\0" + INNER),
    "GRE carries IPv6": ipv4(47, b"\0\0\x86\xdd" + INNER6),
    "GRE with checksum, key and sequence": ipv4(47, b"\xb0\0\x08\0" + bytes(12) + INNER),
    "GRE carries PPP": ipv4(47, b"\0\0\x88\x0b\xff\3\0\x21" + INNER),
    "ERSPAN III carries IP": ipv4(47, b"\x10\0\x22\xeb\0\0\0\1" + ERSPAN3 + b"\x08\0" + INNER),
    "Geneve carries IPv4": udp(6081, b"\0\0\x08\0" + bytes(4) + INNER),
    "IP in IP": ipv4(4, INNER),
    "IPv6 in IPv4": ipv4(41, INNER6),
}


def decode(*packets: bytes) -> tuple[list[Columns], Decoder]:
    size = np.array([len(packet) for packet in packets])
    start = np.cumsum(size) - size
    buffer = np.frombuffer(b"".join(packets), np.uint8)
    decoder = Decoder()
    return decoder.decode(Batch(buffer, start, size, size, start, 1, None)), decoder


@pytest.mark.parametrize("title", WITH_MAC | WITHOUT_MAC)
def test_tunnel_leads_to_the_segment(title: str) -> None:
    packet = framed((WITH_MAC | WITHOUT_MAC)[title])
    (rows,), decoder = decode(packet)
    assert (rows.source_port[0], rows.target_port[0], rows.length[0]) == (50000, 587, 4)
    payload = int(rows.payload[0])
    assert packet[payload : payload + 4] == b"EHLO"
    assert decoder.tally.not_ip == decoder.tally.malformed == 0
    mac = int(rows.source_mac[0])
    assert (mac == -1) if title in WITHOUT_MAC else (packet[mac : mac + 6] == MAC)


def test_rows_of_many_tunnels_come_in_the_order_of_capture() -> None:
    packets = [framed(packet) for packet in (WITH_MAC | WITHOUT_MAC).values()]
    (rows,), _ = decode(*packets, FRAME, *packets)
    assert len(rows) == 2 * len(packets) + 1
    assert (np.diff(rows.at) > 0).all()


NOTHING_INSIDE = {
    "GRE of another version": (ipv4(47, b"\0\1\x08\0" + INNER), "malformed"),
    "GRE with a source route": (ipv4(47, b"\x40\0\x08\0" + INNER), "malformed"),
    "GRE carries something else": (ipv4(47, b"\0\0\x08\6" + INNER), "not_ip"),
    "ERSPAN III carries something else": (ipv4(47, b"\x10\0\x22\xeb" + bytes(14) + b"\x0c\0"), "not_ip"),
    "VXLAN without a network": (udp(4789, bytes(8) + FRAME), "not_ip"),
    "Geneve of another version": (udp(6081, b"\x40\0\x65\x58" + bytes(4) + FRAME), "not_ip"),
    "Geneve carries something else": (udp(6081, b"\0\0\x08\6" + bytes(4) + FRAME), "not_ip"),
    "TZSP keepalive": (udp(37008, b"\1\4\0\1\1" + FRAME), "not_ip"),
    "TZSP carries 802.11": (udp(37008, b"\1\0\0\x12\1" + FRAME), "not_ip"),
    "TZSP with tags without end": (udp(37008, b"\1\0\0\1" + b"\x0a\0" * (MOST_TAGS + 1)), "malformed"),
    "TZSP cut within a tag": (udp(37008, b"\1\0\0\1\x0a"), "malformed"),
    "TZSP cut behind a tag": (udp(37008, b"\1\0\0\1\x0a\0"), "malformed"),
}


@pytest.mark.parametrize("title", NOTHING_INSIDE)
def test_what_is_no_tunnel_is_counted(title: str) -> None:
    packet, counter = NOTHING_INSIDE[title]
    columns, decoder = decode(framed(packet))
    assert columns == []
    assert getattr(decoder.tally, counter) == 1


def test_an_answer_from_a_wanted_port_is_no_tunnel() -> None:
    (rows,), _ = decode(framed(udp(37008, b"\1\0\0\1\1" + FRAME, source=53)))
    assert rows.protocol.tolist() == [17]


def test_what_was_passed_on_the_way_is_counted() -> None:
    packets = [framed(packet) for packet in (WITH_MAC | WITHOUT_MAC).values()]
    _, decoder = decode(*packets)
    kinds = (Kind.GRE, Kind.ERSPAN2, Kind.ERSPAN3, Kind.VXLAN, Kind.GENEVE, Kind.TZSP)
    assert all(decoder.met[kind] for kind in kinds)
    assert decoder.met[Kind.TCP] == len(packets)
