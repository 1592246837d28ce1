"""The walk in lanes finds what the plain walk finds, whatever the bytes."""

from __future__ import annotations

import random
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.capture import walk as walking
from scanner.capture.walk import LARGEST_PACKET, RecordForm, plain_walk, walk
from scanner.wire.batch import Bytes

FORMS = [RecordForm("<", 16), RecordForm(">", 16), RecordForm("<", 24), RecordForm(">", 24)]


def records(form: RecordForm, seed: int, total: int, sizes: list[int], step_s: int = 0) -> bytearray:
    """Packets of the sizes given, whose payload looks like record headers here and there."""
    chance = random.Random(seed)
    out = bytearray()
    at = 1_700_000_000
    while len(out) < total:
        size = chance.choice(sizes)
        at += step_s
        body = chance.randbytes(size)
        if chance.random() < 0.05:
            forged = struct.pack(form.order + "IIII", at, 1, 20, 60)
            body = (forged * (size // 16 + 1))[:size]
        out += struct.pack(form.order + "IIII", at, 5, size, size + 3) + bytes(form.header - 16) + body
    return out


def same(data: bytes | bytearray, form: RecordForm, begin: int = 0) -> int:
    buffer: Bytes = np.frombuffer(bytes(data), np.uint8)
    quick, plain = walk(buffer, begin, len(buffer), form), plain_walk(buffer, begin, len(buffer), form)
    assert quick.records.tolist() == plain.records.tolist()
    assert quick[1:] == plain[1:]
    return len(plain.records)


@pytest.mark.parametrize("form", FORMS, ids=str)
@pytest.mark.parametrize("sizes", [[60], [60, 576, 1514], [0, 1, 2, 3], [9000, 60], [65_000]], ids=str)
def test_lanes_find_what_the_plain_walk_finds(form: RecordForm, sizes: list[int]) -> None:
    data = records(form, 1, 400_000, sizes)
    assert same(data, form) > 5
    assert same(data + b"\1" * 7, form) > 5


def test_lanes_are_really_walked(monkeypatch: pytest.MonkeyPatch) -> None:
    form = FORMS[0]
    buffer: Bytes = np.frombuffer(bytes(records(form, 2, 2_000_000, [60, 1514])), np.uint8)
    counts: list[int] = []
    plain = plain_walk

    def counted(*given: object) -> walking.Walked:
        found = plain(*given)  # type: ignore[arg-type]
        counts.append(len(found.records))
        return found

    monkeypatch.setattr(walking, "plain_walk", counted)
    assert len(walk(buffer, 0, len(buffer), form).records) > 4 * sum(counts)


def test_seconds_that_run_on_cost_lanes_only() -> None:
    same(records(FORMS[0], 3, 400_000, [60, 300], step_s=40), FORMS[0])


def test_a_capture_without_times_is_walked() -> None:
    data = (struct.pack("<IIII", 0, 0, 60, 60) + bytes(60)) * 5000
    assert same(data, FORMS[0]) == 5000


@pytest.mark.parametrize("form", FORMS, ids=str)
@pytest.mark.parametrize("behind", [0, 1, 3, 40], ids="{} bytes behind".format)
def test_few_large_records_leave_nothing_for_lanes(form: RecordForm, behind: int) -> None:
    data = records(form, 5, 64 * 3000, [3000])
    assert 64 <= same(bytes(data[: 64 * (3000 + form.header)]) + bytes(behind), form) <= 67


def test_many_empty_records_are_walked_plainly() -> None:
    large = struct.pack("<IIII", 1_700_000_000, 0, 1500, 1500) + bytes(1500)
    empty = struct.pack("<IIII", 1_700_000_000, 0, 0, 0)
    same(large * 70 + empty * 20_000, FORMS[0])


@pytest.mark.parametrize("where", [70, 200, 1000], ids=str)
def test_a_record_too_large_is_corrupt(where: int) -> None:
    form = FORMS[0]
    data = records(form, 4, 400_000, [100])
    offset = where * 116
    data[offset + 8 : offset + 12] = struct.pack("<I", LARGEST_PACKET + 1)
    buffer: Bytes = np.frombuffer(bytes(data), np.uint8)
    found = walk(buffer, 0, len(buffer), form)
    assert (found.end, found.corrupt, len(found.records)) == (offset, True, where)


def test_blocks_of_no_size_end_the_walk() -> None:
    form = RecordForm("<", 0, size_at=4, smallest=12, mark=b"\6\0\0\0")
    block = struct.pack("<IIIIIII", 6, 128, 0, 0, 0, 96, 96) + bytes(96) + struct.pack("<I", 128)
    stuck = struct.pack("<II", 6, 0)
    assert same(block * 9000 + stuck * 20 + block * 9000, form) == 9000


def test_a_record_too_large_that_leads_to_a_lane_is_corrupt() -> None:
    jump = struct.pack("<IIII", 1_700_000_000, 0, LARGEST_PACKET + 84, LARGEST_PACKET + 84)
    small = struct.pack("<IIII", 1_700_000_000, 1, 100, 100) + b"\7" * 100
    data = small * 80 + jump + bytes(LARGEST_PACKET + 84) + small * 2000
    assert same(data, FORMS[0]) == 80


DAMAGE = st.lists(st.tuples(st.integers(0, 299_990), st.binary(min_size=1, max_size=9)))


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 1 << 30), DAMAGE)
def test_damage_anywhere_changes_nothing(seed: int, damage: list[tuple[int, bytes]]) -> None:
    form = FORMS[seed % 4]
    data = records(form, seed, 300_000, random.Random(seed).choice([[60], [60, 1514], [0, 40, 9000]]))
    for offset, junk in damage:
        data[offset : offset + len(junk)] = junk
    same(data, form)
