"""Fragments in any order become the datagram they were; what never becomes whole is counted."""

from __future__ import annotations

import itertools
import random
import struct

import numpy as np
import pytest

from scanner.wire.batch import Batch, Columns, LinkType
from scanner.wire.decode import Decoder
from scanner.wire.fragments import MOST_DATAGRAMS, MOST_PIECES, PATIENCE_NS

BODY = bytes(range(256)) * 2
SEGMENT = struct.pack(">HHIIBBHHH", 50000, 587, 7, 9, 0x50, 0x18, 0, 0, 0) + BODY


def piece4(first: int, last: int | None, number: int = 1, protocol: int = 6, data: bytes = SEGMENT) -> bytes:
    """One IPv4 fragment of ``data``; the last has no end."""
    part = data[first:last]
    bits = first // 8 | (0 if last is None else 0x2000)
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(part), number, bits, 64, protocol, 0)
    return head + b"\xc0\0\2\1" + b"\xc6\x33\x64\1" + part


def piece6(first: int, last: int | None, number: int = 1, data: bytes = SEGMENT) -> bytes:
    part = struct.pack(">BBHI", 6, 0, first | (last is not None), number) + data[first:last]
    return struct.pack(">IHBB", 0x60000000, len(part), 44, 64) + b"\x20\1\x0d\xb8" + bytes(28) + part


def batch(packets: list[bytes], at: list[int] | None = None, cut: int = 0) -> Batch:
    size = np.array([len(packet) for packet in packets])
    start = np.cumsum(size) - size
    buffer = np.frombuffer(b"".join(packets), np.uint8)
    times = np.arange(len(packets)) if at is None else np.array(at)
    return Batch(buffer, start, size - cut, size, times, LinkType.RAW, None)


def payloads(columns: list[Columns]) -> list[bytes]:
    return [
        rows.buffer[pos : pos + size].tobytes()
        for rows in columns
        for pos, size in zip(rows.payload.tolist(), rows.captured.tolist(), strict=True)
    ]


IPV4 = [piece4(0, 200), piece4(200, 400), piece4(400, None)]
IPV6 = [piece6(0, 200), piece6(200, 400), piece6(400, None)]


@pytest.mark.parametrize("pieces", [IPV4, IPV6], ids=["IPv4", "IPv6"])
@pytest.mark.parametrize("order", list(itertools.permutations(range(3))), ids=str)
def test_any_order_gives_the_datagram(pieces: list[bytes], order: tuple[int, ...]) -> None:
    decoder = Decoder()
    columns = decoder.decode(batch([pieces[at] for at in order]))
    assert payloads(columns) == [BODY]
    assert columns[0].at.tolist() == [2]
    assert (decoder.tally.fragments, decoder.tally.fragments_dropped, decoder.tally.segments) == (3, 0, 1)


def test_pieces_may_come_in_different_batches() -> None:
    decoder = Decoder()
    assert decoder.decode(batch(IPV4[:2])) == []
    assert decoder.tally.fragments_dropped == 2
    assert payloads(decoder.decode(batch(IPV4[2:]))) == [BODY]
    assert decoder.tally.fragments_dropped == 0


def test_whole_packets_around_keep_their_order() -> None:
    whole = piece4(0, None)
    columns = Decoder().decode(batch([whole, *IPV4, whole, *IPV6, whole]))
    assert columns[0].at.tolist() == [0, 3, 4, 7, 8]
    assert payloads(columns) == [BODY] * 5


def test_what_came_first_is_kept_where_pieces_overlap() -> None:
    other = bytes(len(SEGMENT))
    pieces = [piece4(0, 200), piece4(160, 400, data=other), piece4(0, 200, data=other), piece4(400, None)]
    (body,) = payloads(Decoder().decode(batch(pieces)))
    assert body == BODY[:180] + bytes(200) + BODY[380:]


def test_fragments_inside_fragments_are_joined_too() -> None:
    inner = [piece4(0, 400), piece4(400, None)]
    outer = [
        piece4(first, last, number, protocol=4, data=packet)
        for number, packet in enumerate(inner, 8)
        for first, last in ((0, 104), (104, None))
    ]
    decoder = Decoder()
    assert payloads(decoder.decode(batch(outer))) == [BODY]
    assert decoder.tally.fragments_dropped == 0


def test_a_datagram_of_another_protocol_is_not_kept() -> None:
    decoder = Decoder()
    assert decoder.decode(batch([piece4(0, 200, protocol=1), piece4(200, None, protocol=1)])) == []
    assert decoder.tally.not_ip == 1


DROPPED = {
    "a piece is missing": (batch([IPV4[0], IPV4[2]]), 2),
    "the end is missing": (batch(IPV4[:2]), 2),
    "the snap length cut": (batch(IPV4, cut=1), 3),
    "IPv6, the snap length cut": (batch(IPV6, cut=1), 3),
    "the last came too late": (batch(IPV4, at=[0, 1, PATIENCE_NS + 1]), 3),
    "a fragment reaches beyond IP": (batch([piece4(0, 200), piece4(65_520, None, data=bytes(65_600))]), 2),
    "an IPv6 fragment header is short": (batch([piece6(0, 200)[:46]]), 1),
    "too many pieces": (
        batch([piece4(8 * at, 8 * at + 8) for at in range(MOST_PIECES + 1)]), MOST_PIECES + 1,
    ),
}  # fmt: skip


@pytest.mark.parametrize("title", DROPPED)
def test_what_never_becomes_whole_is_counted(title: str) -> None:
    packets, count = DROPPED[title]
    decoder = Decoder()
    assert decoder.decode(packets) == []
    assert decoder.tally.fragments_dropped == count


def test_the_oldest_is_given_up_where_too_many_wait() -> None:
    decoder = Decoder()
    decoder.decode(batch([piece4(0, 8, number) for number in range(MOST_DATAGRAMS + 1)]))
    rest = [piece4(8, None, number) for number in (0, 1)]
    assert payloads(decoder.decode(batch(rest[1:]))) == [BODY]
    assert decoder.decode(batch(rest[:1])) == []


def test_the_smallest_pieces_give_the_datagram_from_behind() -> None:
    offsets = range(0, len(SEGMENT), 8)
    pieces = [piece4(at, at + 8 if at + 8 < len(SEGMENT) else None) for at in offsets]
    assert payloads(Decoder().decode(batch(pieces[::-1]))) == [BODY]


def test_random_cuts_give_the_datagram() -> None:
    chance = random.Random(1)
    for number in range(50):
        points = sorted(chance.sample(range(8, len(SEGMENT), 8), chance.randrange(1, 8)))
        ends: list[int | None] = [*points, None]
        pieces = [piece4(a, b, number) for a, b in zip([0, *points], ends, strict=True)]
        chance.shuffle(pieces)
        assert payloads(Decoder().decode(batch(pieces))) == [BODY]
