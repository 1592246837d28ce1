"""What becomes of TCP and UDP in a batch, and of any bytes at all."""

from __future__ import annotations

import struct

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.wire.batch import Batch, Columns, LinkType
from scanner.wire.decode import MOST_HEADERS, Decoder


def ipv4(inner: bytes, protocol: int) -> bytes:
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(inner), 1, 0, 64, protocol, 0)
    return head + b"\xc0\0\2\1" + b"\xc6\x33\x64\1" + inner


def ipv6(inner: bytes, protocol: int) -> bytes:
    head = struct.pack(">IHBB", 0x60000000, len(inner), protocol, 64)
    return head + b"\x20\1\x0d\xb8" + bytes(27) + b"\1" + inner


def tcp(body: bytes = b"", options: bytes = b"", words: int | None = None) -> bytes:
    size = 5 + len(options) // 4 if words is None else words
    return struct.pack(">HHIIBBHHH", 50000, 25, 2**32 - 1, 2**31, size << 4, 2, 0, 0, 0) + options + body


def udp(body: bytes, source: int = 40000, target: int = 53, size: int | None = None) -> bytes:
    return struct.pack(">HHHH", source, target, 8 + len(body) if size is None else size, 0) + body


def batch(packets: list[bytes], link: int = LinkType.RAW, snap: int = 1 << 18) -> Batch:
    length = np.array([len(packet) for packet in packets], dtype=np.int64)
    captured = np.minimum(length, snap)
    buffer = np.frombuffer(b"".join(packet[:snap] for packet in packets), np.uint8)
    start = np.cumsum(captured) - captured
    return Batch(buffer, start, captured, length, np.arange(len(packets)) + 9, link, None)


def bodies(rows: Columns) -> list[bytes]:
    spans = zip(rows.payload.tolist(), rows.captured.tolist(), strict=True)
    return [rows.buffer[pos : pos + size].tobytes() for pos, size in spans]


def test_segments_and_datagrams_come_apart_each_in_order() -> None:
    packets = [ipv4(udp(b"q"), 17), ipv6(tcp(b"a"), 6), ipv4(tcp(b"b"), 6), ipv6(udp(b"r"), 17)]
    decoder = Decoder()
    datagrams, segments = sorted(decoder.decode(batch(packets)), key=lambda rows: -int(rows.protocol[0]))
    assert (bodies(segments), bodies(datagrams)) == ([b"a", b"b"], [b"q", b"r"])
    assert (segments.at.tolist(), datagrams.at.tolist()) == ([10, 11], [9, 12])
    assert (segments.sequence.tolist(), segments.acknowledged.tolist()) == ([2**32 - 1] * 2, [2**31] * 2)
    assert (segments.flags.tolist(), datagrams.flags.tolist()) == ([2, 2], [0, 0])
    assert segments.source_high.tolist() == [0x20010DB8 << 32, 0]
    tally = decoder.tally
    assert (tally.packets, tally.segments, tally.datagrams) == (4, 2, 2)
    assert (tally.first_at, tally.last_at, tally.bytes) == (9, 12, sum(map(len, packets)))
    decoder.decode(batch(packets[:1]))
    assert (tally.first_at, tally.last_at) == (9, 12)


def test_only_datagrams_of_wanted_ports_are_kept() -> None:
    packets = [ipv4(udp(b"a", 5353, 5353), 17), ipv4(udp(b"b", 67, 1), 17), ipv4(udp(b"c"), 17)]
    (rows,) = Decoder(frozenset({5353, 67})).decode(batch(packets))
    assert bodies(rows) == [b"a", b"b"]


def test_a_datagrams_length_is_the_smaller_of_its_own_and_ips() -> None:
    packets = [ipv4(udp(b"abcd", size=size), 17) for size in (10, 0, 500)]
    (rows,) = Decoder().decode(batch(packets))
    assert bodies(rows) == [b"ab", b"abcd", b"abcd"]


def test_the_snap_length_cuts_payload_or_options_but_not_the_row() -> None:
    packets = [ipv4(tcp(b"abcdef"), 6), ipv4(tcp(b"abcd", bytes(8)), 6)]
    decoder = Decoder()
    (rows,) = decoder.decode(batch(packets, snap=42))
    assert bodies(rows) == [b"ab", b""]
    assert rows.length.tolist() == [6, 4]
    assert decoder.tally.truncated == 2


def test_impossible_tcp_headers_are_malformed() -> None:
    decoder = Decoder()
    assert decoder.decode(batch([ipv4(tcp(words=4), 6), ipv4(tcp(words=6), 6), ipv4(b"\0" * 8, 6)])) == []
    assert decoder.tally.malformed == 3


def test_an_empty_batch_gives_nothing() -> None:
    decoder = Decoder()
    assert decoder.decode(batch([])) == []
    assert decoder.tally.first_at is None


def test_endless_headers_are_given_up_without_harm_to_others() -> None:
    ethernet = bytes(12) + b"\x81\0"
    endless = ethernet + b"\0\1\x81\0" * MOST_HEADERS
    plain = bytes(12) + b"\x08\0" + ipv4(tcp(b"x"), 6)
    deep = ethernet + b"\0\1\x81\0" * 40 + b"\0\1\x08\0" + ipv4(tcp(b"y"), 6)
    decoder = Decoder()
    (rows,) = decoder.decode(batch([endless, plain, deep], LinkType.ETHERNET))
    assert bodies(rows) == [b"x", b"y"]
    assert decoder.tally.malformed == 1


PIECES = st.sampled_from(
    [b"\x08\0", b"\x86\xdd", b"\x81\0\0\1", b"\x88\x47", b"\x88\x64", b"\0\0\x65\x58", ipv4(b"", 47),
     ipv4(b"", 17), ipv6(b"", 44),
     ipv6(b"", 0), ipv4(tcp(), 6), udp(b"", 1, 37008), udp(b"", 1, 4789), bytes(12)]
)  # fmt: skip
PACKETS = st.lists(st.lists(PIECES | st.binary(max_size=40), max_size=9).map(b"".join), max_size=6)


@settings(deadline=None, max_examples=300)
@given(PACKETS, st.sampled_from([*LinkType, 147]), st.integers(1, 200))
def test_any_bytes_stay_within_the_buffer(packets: list[bytes], link: int, snap: int) -> None:
    for rows in Decoder().decode(batch(packets, link, snap)):
        assert (rows.payload >= 0).all()
        assert (rows.captured >= 0).all()
        assert (rows.captured <= rows.length).all()
        assert (rows.payload + rows.captured <= len(rows.buffer)).all()
        assert (rows.source_mac + 6 <= len(rows.buffer)).all()
        assert (np.diff(rows.at) >= 0).all()


@settings(deadline=None, max_examples=100)
@given(PACKETS)
def test_a_packet_is_decoded_as_if_it_were_alone(packets: list[bytes]) -> None:
    packets = [ipv4(tcp(b"z"), 6), *packets]
    whole, single = Decoder(), Decoder()
    together = [body for rows in whole.decode(batch(packets)) for body in bodies(rows)]
    alone = [body for one in packets for rows in single.decode(batch([one])) for body in bodies(rows)]
    assert sorted(together) == sorted(alone)
