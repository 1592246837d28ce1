"""IPv4 options, IPv6 extension headers, and lengths that frame and header tell differently."""

from __future__ import annotations

import struct
from collections.abc import Sequence

import numpy as np
import pytest

from scanner.wire.batch import Batch, Columns, LinkType
from scanner.wire.decode import Decoder

SEGMENT = struct.pack(">HHIIBBHHH", 50000, 587, 7, 9, 0x50, 0x18, 0, 0, 0) + b"EHLO"


def ipv4(inner: bytes, protocol: int = 6, options: bytes = b"", total: int | None = None) -> bytes:
    words = 5 + len(options) // 4
    size = words * 4 + len(inner) if total is None else total
    head = struct.pack(">BBHHHBBH", 0x40 | words, 0, size, 1, 0, 64, protocol, 0)
    return head + b"\xc0\0\2\1" + b"\xc6\x33\x64\1" + options + inner


def ipv6(inner: bytes, following: int = 6, length: int | None = None) -> bytes:
    head = struct.pack(">IHBB", 0x60000000, len(inner) if length is None else length, following, 64)
    return head + b"\x20\1\x0d\xb8" + bytes(11) + b"\1" + b"\x20\1\x0d\xb8" + bytes(11) + b"\2" + inner


def decode(packet: bytes, wire: int | None = None) -> tuple[list[Columns], Decoder]:
    buffer, size = np.frombuffer(packet, np.uint8), np.array([len(packet)])
    length = size if wire is None else np.array([wire])
    decoder = Decoder()
    return decoder.decode(Batch(buffer, np.array([0]), size, length, size, LinkType.RAW, None)), decoder


def address(high: int, low: int) -> bytes:
    return struct.pack(">QQ", high, low)


WHOLE: dict[str, bytes] = {
    "no options": ipv4(SEGMENT),
    "options": ipv4(SEGMENT, options=b"\x94\4\0\0" + b"\1" * 36),
    "total length 0 of an offloaded packet": ipv4(SEGMENT, total=0),
    "padding behind": ipv4(SEGMENT) + bytes(10),
    "authentication header": ipv4(b"\6\4" + bytes(22) + SEGMENT, 51),
    "IPv6": ipv6(SEGMENT),
    "IPv6, length 0 of an offloaded packet": ipv6(SEGMENT, length=0),
    "IPv6, padding behind": ipv6(SEGMENT) + bytes(10),
    "hop-by-hop options": ipv6(b"\6\0" + bytes(6) + SEGMENT, 0),
    "three extension headers": ipv6(
        b"\x2b\0" + bytes(6) + b"\x3c\1" + bytes(14) + b"\6\0" + bytes(6) + SEGMENT, 0
    ),
    "IPv6 in IPv6": ipv6(ipv6(SEGMENT), 41),
    "IPv4 in IPv6": ipv6(ipv4(SEGMENT), 4),
}


@pytest.mark.parametrize("title", WHOLE)
def test_header_leads_to_the_segment(title: str) -> None:
    (rows,), decoder = decode(WHOLE[title])
    assert (rows.source_port[0], rows.length[0], rows.captured[0]) == (50000, 4, 4)
    assert decoder.tally.malformed == decoder.tally.not_ip == decoder.tally.truncated == 0


def test_addresses_are_128_bit_numbers() -> None:
    (four,), _ = decode(ipv4(SEGMENT))
    (six,), _ = decode(ipv6(SEGMENT))
    assert address(four.source_high[0], four.source_low[0]) == bytes(10) + b"\xff\xff\xc0\0\2\1"
    assert address(four.target_high[0], four.target_low[0]) == bytes(10) + b"\xff\xff\xc6\x33\x64\1"
    assert address(six.source_high[0], six.source_low[0]) == b"\x20\1\x0d\xb8" + bytes(11) + b"\1"
    assert address(six.target_high[0], six.target_low[0]) == b"\x20\1\x0d\xb8" + bytes(11) + b"\2"


BAD: Sequence[tuple[str, bytes, str]] = [
    ("a header of four words", b"\x44" + ipv4(SEGMENT)[1:], "malformed"),
    ("a total length within the header", ipv4(SEGMENT, total=19), "malformed"),
    ("version 4 announced, 6 found", ipv4(ipv6(SEGMENT), 4), "malformed"),
    ("version 6 announced, 4 found", ipv4(ipv4(SEGMENT, options=bytes(40)), 41), "malformed"),
    ("an extension header beyond the packet", ipv6(b"\6\xff" + bytes(6) + SEGMENT, 0), "malformed"),
    ("no more headers", ipv6(SEGMENT, 59), "not_ip"),
    ("ICMP", ipv4(SEGMENT, 1), "not_ip"),
]


@pytest.mark.parametrize(("packet", "counter"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_what_cannot_be_decoded_is_counted(packet: bytes, counter: str) -> None:
    columns, decoder = decode(packet)
    assert columns == []
    assert getattr(decoder.tally, counter) == 1


def test_the_length_is_what_ip_says_even_past_the_frame() -> None:
    (rows,), decoder = decode(ipv4(SEGMENT, total=140))
    assert (rows.length[0], rows.captured[0]) == (100, 4)
    assert decoder.tally.truncated == 1


def test_headers_cut_by_the_snap_length_are_truncated_not_malformed() -> None:
    columns, decoder = decode(ipv6(SEGMENT)[:30], wire=64)
    assert columns == []
    assert (decoder.tally.truncated, decoder.tally.malformed) == (1, 0)
