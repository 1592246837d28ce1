"""Packets read in columns are those that are read block by block."""

from __future__ import annotations

import random
import struct

import numpy as np
import pytest

from scanner.capture import pcapng
from scanner.capture.enhanced import Interface, read_run, survey
from scanner.capture.pcapng import RUN, PcapngReader
from scanner.capture.window import Corrupt, Window

FIRST = 1_700_000_000_000_000

Packet = tuple[int, bytes, int, int]


def block(order: str, kind: int, body: bytes) -> bytes:
    body += bytes(-len(body) % 4)
    size = len(body) + 12
    return struct.pack(order + "II", kind, size) + body + struct.pack(order + "I", size)


def start(order: str, *interfaces: tuple[int, bytes]) -> bytes:
    out = block(order, 0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1))
    for link, resolution in interfaces:
        option = struct.pack(order + "HH", 9, 1) + resolution + bytes(3)
        out += block(order, 1, struct.pack(order + "HHI", link, 0, 0) + option)
    return out


def enhanced(order: str, number: int, stamp: int, body: bytes, wire: int) -> bytes:
    head = struct.pack(order + "IIIII", number, stamp >> 32, stamp & 0xFFFFFFFF, len(body), wire)
    return block(order, 6, head + body)


def many(order: str, count: int, interfaces: int = 1, seed: int = 1) -> bytes:
    chance = random.Random(seed)
    return b"".join(
        enhanced(order, at % interfaces, FIRST + at, chance.randbytes(chance.randrange(200)), at)
        for at in range(count)
    )


def read(data: bytes, piece: int = 1 << 20) -> tuple[list[Packet], int | None]:
    left = bytearray(data)

    def fill(room: memoryview) -> int:
        part = bytes(left[:piece])
        del left[:piece]
        room[: len(part)] = part
        return len(part)

    found: list[Packet] = []
    try:
        for one in PcapngReader(Window(fill, lambda: 0, lambda: None), None, []).batches():
            columns = (one.start.tolist(), one.captured.tolist(), one.length.tolist(), one.at.tolist())
            for offset, size, length, at in zip(*columns, strict=True):
                found.append((one.link, one.buffer[offset : offset + size].tobytes(), length, at))
    except Corrupt as fault:
        return found, fault.offset
    return found, None


MICRO, NANO, BINARY, FEMTO = b"\6", b"\x09", b"\x94", b"\x0f"
STATISTICS = block("<", 5, b"123456789abc")
LATE = enhanced("<", 0, 1 << 63, b"late", 9)
CASES = {
    "one interface": start("<", (1, MICRO)) + many("<", 3000),
    "the other byte order": start(">", (1, NANO)) + many(">", 3000),
    "two interfaces of one link type": start("<", (1, MICRO), (1, NANO)) + many("<", 100, 2),
    "two link types": start("<", (1, MICRO), (113, MICRO)) + many("<", 100, 2),
    "a clock of powers of two": start("<", (1, BINARY)) + many("<", 100),
    "a clock finer than ns": start("<", (1, FEMTO)) + many("<", 100),
    "a time too late": start("<", (1, NANO)) + many("<", 40) + LATE + many("<", 40),
    "a time too late for its unit": start("<", (1, b"\0")) + many("<", 40),
    "statistics between": start("<", (1, MICRO)) + (many("<", 50) + STATISTICS) * 3 + many("<", 3),
    "two sections": start("<", (1, MICRO)) + many("<", 50) + start(">", (1, NANO)) + many(">", 50),
    "an interface that was not told of": start("<", (1, MICRO)) + many("<", 40) + many("<", 40, 2),
    "a packet longer than its block": (
        start("<", (1, MICRO)) + many("<", 40) + block("<", 6, struct.pack("<IIIII", 0, 0, 0, 9, 9))
    ),
    "the last block is cut off": (start("<", (1, MICRO)) + many("<", 90))[:-2],
    "no interface at all": start("<") + many("<", 40),
}


@pytest.mark.parametrize("title", CASES)
@pytest.mark.parametrize("piece", [999, 1 << 20])
def test_columns_equal_single_blocks(title: str, piece: int, monkeypatch: pytest.MonkeyPatch) -> None:
    in_columns = read(CASES[title], piece)
    monkeypatch.setattr(pcapng, "RUN", 1 << 30)
    assert in_columns == read(CASES[title], piece)


def test_damage_anywhere_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(3)
    whole = start("<", (1, MICRO)) + many("<", 2000)
    damaged = []
    for _ in range(25):
        data = bytearray(whole)
        data[chance.randrange(len(data))] = chance.randrange(256)
        damaged.append(bytes(data))
    in_columns = [read(data) for data in damaged]
    monkeypatch.setattr(pcapng, "RUN", 1 << 30)
    assert in_columns == [read(data) for data in damaged]


def test_runs_are_really_read_in_columns() -> None:
    data = many("<", RUN)
    buffer = np.frombuffer(data, np.uint8)
    found = survey(buffer, 0, len(buffer), "<")
    assert (found.end, found.odd.tolist()) == (len(data), [RUN])
    run = read_run(buffer, found.blocks, "<", [Interface(1, 0)])
    assert run is not None
    assert (run[0], run[1].shape) == (1, (4, RUN))
