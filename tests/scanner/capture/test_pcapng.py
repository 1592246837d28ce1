"""Sections, interfaces, four kinds of packet and key logs; and blocks that cannot be right."""

from __future__ import annotations

import random
import struct

import numpy as np
import pytest

from scanner.capture.pcapng import MOST_INTERFACES, PcapngReader
from scanner.capture.window import Corrupt, Window

Packet = tuple[int, bytes, int, int]


def block(order: str, kind: int, body: bytes) -> bytes:
    body += bytes(-len(body) % 4)
    size = len(body) + 12
    return struct.pack(order + "II", kind, size) + body + struct.pack(order + "I", size)


def section(order: str) -> bytes:
    return block(order, 0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1))


def interface(order: str, link: int = 1, snap: int = 0, options: bytes = b"") -> bytes:
    return block(order, 1, struct.pack(order + "HHI", link, 0, snap) + options)


def option(order: str, code: int, value: bytes) -> bytes:
    return struct.pack(order + "HH", code, len(value)) + value + bytes(-len(value) % 4)


def enhanced(order: str, number: int, stamp: int, body: bytes, wire: int = 0) -> bytes:
    head = struct.pack(order + "IIIII", number, stamp >> 32, stamp & 0xFFFFFFFF, len(body), wire or len(body))
    return block(order, 6, head + body)


def read(data: bytes, piece: int = 1 << 20) -> tuple[list[Packet], list[bytes], Corrupt | None]:
    left = bytearray(data)

    def fill(room: memoryview) -> int:
        part = bytes(left[:piece])
        del left[:piece]
        room[: len(part)] = part
        return len(part)

    secrets: list[bytes] = []
    found: list[Packet] = []
    try:
        for one in PcapngReader(Window(fill, lambda: 0, lambda: None), None, secrets).batches():
            columns = (one.start.tolist(), one.captured.tolist(), one.length.tolist(), one.at.tolist())
            for start, size, length, at in zip(*columns, strict=True):
                found.append((one.link, one.buffer[start : start + size].tobytes(), length, at))
    except Corrupt as fault:
        return found, secrets, fault
    return found, secrets, None


@pytest.mark.parametrize("piece", [1, 13, 1 << 20])
@pytest.mark.parametrize("order", "<>")
def test_every_kind_of_packet_is_read(order: str, piece: int) -> None:
    data = (
        section(order)
        + interface(order, 1, 4)
        + interface(order, 113)
        + enhanced(order, 0, 5, b"abc", 9)
        + block(order, 3, struct.pack(order + "I", 6) + b"simple"[:4])
        + block(order, 2, struct.pack(order + "HHIIII", 1, 0, 0, 7, 3, 3) + b"old")
        + block(order, 5, b"statistics")
        + block(order, 10, struct.pack(order + "II", 0x544C534B, 5) + b"keys\n")
        + block(order, 10, struct.pack(order + "II", 0x57474B4C, 5) + b"other")
        + enhanced(order, 1, 8, b"")
    )
    found, secrets, fault = read(data, piece)
    assert found == [(1, b"abc", 9, 5000), (1, b"simp", 6, 0), (113, b"old", 3, 7000), (113, b"", 0, 8000)]
    assert (secrets, fault) == ([b"keys\n"], None)


TIMES = {
    "microseconds unless told": (b"", 1_500_000, 1_500_000_000),
    "nanoseconds": (option("<", 9, b"\x09"), 1_500_000_000, 1_500_000_000),
    "a power of two": (option("<", 9, b"\x81"), 3, 1_500_000_000),
    "an offset": (option("<", 14, struct.pack("<q", -1)), 2_500_000, 1_500_000_000),
    "other options before": (option("<", 2, b"eth0x") + option("<", 9, b"\x03"), 1500, 1_500_000_000),
    "options behind the end": (option("<", 0, b"") + option("<", 9, b"\x03"), 1_500_000, 1_500_000_000),
    "an option cut off": (b"\x09\0\x10\0" + b"\3\0\0\0", 1_500_000, 1_500_000_000),
    "an option of a strange size": (option("<", 9, b"33") + option("<", 14, b"1"), 1_500_000, 1_500_000_000),
    "a time that no clock shows": (b"", (1 << 64) - 1, 0),
}


@pytest.mark.parametrize("title", TIMES)
def test_time_stamps_are_ns(title: str) -> None:
    options, stamp, at = TIMES[title]
    found, _, fault = read(section("<") + interface("<", options=options) + enhanced("<", 0, stamp, b"x"))
    assert (found, fault) == ([(1, b"x", 1, at)], None)


def test_a_new_section_has_its_own_order_and_interfaces() -> None:
    first = section("<") + interface("<", 1) + enhanced("<", 0, 1, b"a")
    second = section(">") + interface(">", 101) + enhanced(">", 0, 2, b"b")
    assert read(first + second)[0] == [(1, b"a", 1, 1000), (101, b"b", 1, 2000)]


def test_a_section_that_looks_shorter_in_the_other_byte_order_is_waited_for() -> None:
    comment = option(">", 1, bytes(0x10000 - 32))
    long = block(">", 0x0A0D0D0A, struct.pack(">IHHq", 0x1A2B3C4D, 1, 0, -1) + comment)
    assert struct.unpack("<I", long[4:8]) == (0x100,)
    data = section("<") + interface("<") + long + interface(">") + enhanced(">", 0, 2, b"b")
    for piece in (999, 1 << 20):
        assert told(data, piece) == ([(1, b"b", 1, 2000)], None)


START = section("<") + interface("<") + enhanced("<", 0, 1, b"a")
FAULTS = {
    "a block is cut off": enhanced("<", 0, 1, b"b")[:-1],
    "a length that is no multiple of four": struct.pack("<II", 6, 33) + bytes(40),
    "a length too small": struct.pack("<II", 6, 8) + bytes(40),
    "a length too large": struct.pack("<II", 6, 1 << 30) + bytes(40),
    "two lengths that differ": struct.pack("<II", 6, 32) + bytes(20) + struct.pack("<I", 36),
    "an interface that was not told of": enhanced("<", 7, 1, b"b"),
    "a packet longer than its block": block("<", 6, struct.pack("<IIIII", 0, 0, 0, 99, 99)),
    "a packet block without a packet": block("<", 6, bytes(8)),
    "a section without byte order": block("<", 0x0A0D0D0A, bytes(16)),
    "a simple packet before any interface": section("<") + block("<", 3, struct.pack("<I", 1) + b"b"),
}


@pytest.mark.parametrize("title", FAULTS)
def test_what_is_read_before_a_fault_is_given(title: str) -> None:
    found, _, fault = read(START + FAULTS[title])
    assert found == [(1, b"a", 1, 1000)]
    assert fault is not None
    assert fault.offset == len(START) + (28 if "any interface" in title else 0)


def test_too_many_interfaces_are_corrupt() -> None:
    _, _, fault = read(section("<") + interface("<") * (MOST_INTERFACES + 1))
    assert fault is not None
    assert fault.why == "too many interfaces"


def test_a_key_log_longer_than_its_block_is_not_kept() -> None:
    assert read(section("<") + block("<", 10, struct.pack("<II", 0x544C534B, 99)))[1] == []


FIRST = 1_700_000_000_000_000


def began(order: str, *interfaces: tuple[int, bytes]) -> bytes:
    told = (interface(order, link, options=option(order, 9, unit)) for link, unit in interfaces)
    return section(order) + b"".join(told)


def many(order: str, count: int, interfaces: int = 1, seed: int = 1) -> bytes:
    chance = random.Random(seed)
    return b"".join(
        enhanced(order, at % interfaces, FIRST + at, chance.randbytes(chance.randrange(200)), at)
        for at in range(count)
    )


MICRO, NANO, BINARY, FEMTO = b"\6", b"\x09", b"\x94", b"\x0f"
STATISTICS = block("<", 5, b"123456789abc")
LATE = enhanced("<", 0, 1 << 63, b"late", 9)
CASES = {
    "one interface": began("<", (1, MICRO)) + many("<", 3000),
    "the other byte order": began(">", (1, NANO)) + many(">", 3000),
    "two interfaces of one link type": began("<", (1, MICRO), (1, NANO)) + many("<", 100, 2),
    "two link types": began("<", (1, MICRO), (113, MICRO)) + many("<", 100, 2),
    "a clock of powers of two": began("<", (1, BINARY)) + many("<", 100),
    "a clock finer than ns": began("<", (1, FEMTO)) + many("<", 100),
    "a time too late": began("<", (1, NANO)) + many("<", 40) + LATE + many("<", 40),
    "a time too late for its unit": began("<", (1, b"\0")) + many("<", 40),
    "statistics between": began("<", (1, MICRO)) + (many("<", 50) + STATISTICS) * 3 + many("<", 3),
    "two sections": began("<", (1, MICRO)) + many("<", 50) + began(">", (1, NANO)) + many(">", 50),
    "an interface that was not told of": began("<", (1, MICRO)) + many("<", 40) + many("<", 40, 2),
    "a packet longer than its block": (
        began("<", (1, MICRO)) + many("<", 40) + block("<", 6, struct.pack("<IIIII", 0, 0, 0, 9, 9))
    ),
    "the last block is cut off": (began("<", (1, MICRO)) + many("<", 90))[:-2],
    "no interface at all": began("<") + many("<", 40),
}


def told(data: bytes, piece: int = 1 << 20) -> tuple[list[Packet], object]:
    found, _, fault = read(data, piece)
    return found, fault and (fault.offset, fault.why)


@pytest.mark.parametrize("title", CASES)
def test_it_does_not_matter_how_much_is_read_at_once(title: str) -> None:
    assert told(CASES[title], 999) == told(CASES[title])


def test_damage_anywhere_is_met_alike_however_much_is_read_at_once() -> None:
    chance = random.Random(3)
    whole = began("<", (1, MICRO)) + many("<", 2000)
    for _ in range(25):
        data = bytearray(whole)
        data[chance.randrange(len(data))] = chance.randrange(256)
        assert told(bytes(data), 999) == told(bytes(data))


@pytest.mark.parametrize(
    ("unit", "ns"),
    [
        pytest.param(MICRO, 1_700_000_000_000_000_000, id="microseconds"),
        pytest.param(BINARY, FIRST * 10**9 >> 20, id="powers of two"),
        pytest.param(FEMTO, 1_700_000_000, id="finer than ns"),
    ],
)
@pytest.mark.parametrize("order", "<>")
def test_packets_of_many_interfaces_keep_their_order(order: str, unit: bytes, ns: int) -> None:
    data = began(order, (1, unit), (1, MICRO), (113, MICRO))
    data += b"".join(enhanced(order, at % 3, FIRST, b"%d" % at, 9) for at in range(99))
    found, _, fault = read(data)
    assert fault is None
    links, times = (1, 1, 113), (ns, FIRST * 1000, FIRST * 1000)
    assert found == [(links[at % 3], b"%d" % at, 9, times[at % 3]) for at in range(99)]


def test_a_file_of_one_link_type_comes_in_few_batches() -> None:
    data = began("<", (1, MICRO), (1, NANO)) + many("<", 3000, 2)
    window = Window(lambda room: 0, lambda: 0, lambda: None)
    window.buffer[: len(data)] = np.frombuffer(data, np.uint8)
    window.end = len(data)
    assert len(list(PcapngReader(window, None, []).batches())) == 1
