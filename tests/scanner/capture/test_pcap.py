"""Both byte orders, three kinds of pcap, and what is wrong with a file."""

from __future__ import annotations

import struct

import pytest

from scanner.capture.pcap import MAGICS, read_pcap
from scanner.capture.walk import LARGEST_PACKET
from scanner.capture.window import Corrupt, Window
from scanner.wire.batch import Batch

SECONDS = 1_700_000_000
KINDS = {
    "microseconds": (0xA1B2C3D4, 1000, b""),
    "nanoseconds": (0xA1B23C4D, 1, b""),
    "modified headers": (0xA1B2CD34, 1000, bytes(8)),
}


def window(data: bytes, piece: int) -> Window:
    """Give the data in pieces of a size."""
    left = bytearray(data)

    def fill(room: memoryview) -> int:
        part = bytes(left[:piece])
        del left[:piece]
        room[: len(part)] = part
        return len(part)

    return Window(fill, lambda: 0, lambda: None)


def header(order: str, magic: int, link: int = 1) -> bytes:
    return struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 65_535, link)


def record(order: str, body: bytes, more: bytes = b"", wire: int = 0, fraction: int = 9) -> bytes:
    return struct.pack(order + "IIII", SECONDS, fraction, len(body), wire) + more + body


def packets(batches: list[Batch]) -> list[tuple[bytes, int, int]]:
    return [
        (one.buffer[start : start + size].tobytes(), length, at)
        for one in batches
        for start, size, length, at in zip(
            one.start.tolist(), one.captured.tolist(), one.length.tolist(), one.at.tolist(), strict=True
        )
    ]


def read(data: bytes, piece: int = 1 << 20) -> tuple[list[tuple[bytes, int, int]], Corrupt | None]:
    """Read everything; each batch before the next, as its bytes do not last."""
    found: list[tuple[bytes, int, int]] = []
    try:
        for one in read_pcap(window(data, piece), "x"):
            found += packets([one])
    except Corrupt as fault:
        return found, fault
    return found, None


@pytest.mark.parametrize("piece", [1, 7, 1 << 20])
@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("kind", KINDS)
def test_packets_come_whole_with_times_and_lengths(kind: str, order: str, piece: int) -> None:
    magic, unit, more = KINDS[kind]
    data = header(order, magic) + record(order, b"abc", more, 90) + record(order, b"", more, 5, 10)
    at = SECONDS * 1_000_000_000
    assert read(data, piece) == ([(b"abc", 90, at + 9 * unit), (b"", 5, at + 10 * unit)], None)


def test_magics_are_six() -> None:
    assert len(MAGICS) == 6


def test_the_link_type_leaves_the_fcs_bits_out() -> None:
    data = header("<", 0xA1B2C3D4, 0x14000071) + record("<", b"abc")
    (batch,) = read_pcap(window(data, 99), "name")
    assert (batch.link, batch.capture) == (0x71, "name")


def test_a_packet_is_never_shorter_on_the_wire_than_captured() -> None:
    assert read(header("<", 0xA1B2C3D4) + record("<", b"abcdef", wire=2))[0][0][:2] == (b"abcdef", 6)


def test_what_is_read_before_a_fault_is_given() -> None:
    good = header("<", 0xA1B2C3D4) + record("<", b"abc")
    assert read(good[:10])[1] is not None
    assert read(good + record("<", b"abc")[:-1])[0] == read(good)[0]
    corrupt = struct.pack("<IIII", SECONDS, 0, LARGEST_PACKET + 1, 1)
    for tail, why in ((b"\0" * 5, "cut off"), (corrupt, "claims more")):
        found, fault = read(good + tail)
        assert found == read(good)[0]
        assert fault is not None
        assert fault.offset == len(good)
        assert why in fault.why


def test_a_file_without_packets_is_read() -> None:
    assert read(header(">", 0xA1B23C4D)) == ([], None)
