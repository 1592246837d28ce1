"""Programs do on either machine what was written."""

from __future__ import annotations

import bisect
import random
from collections.abc import Callable, Sequence

import pytest
from bpf_machine import Machine
from filters import through

from scanner.capture.bpf import ADD, AND, LSH, MOST_CLASSIC, RSH, SUB, Label, Program
from scanner.capture.classic_filter import attach_classic

Write = Callable[[Program, Label, Label], None]


def verdicts(write: Write, packets: Sequence[bytes]) -> list[list[bool]]:
    """What a program says on the kernel's classic machine, and on the extended one."""
    classic = _written(write, lambda code, length: code.give(length)).classic()

    def end(code: Program, length: int) -> None:
        code.raw(0xB4, k=length)
        code.raw(0x95)

    extended = Program()
    extended.raw(0xBF, 6, 1)
    machine = Machine(_written(write, end, extended).extended(), {}, {})
    return [
        through(lambda sock: attach_classic(sock, classic), packets),
        [machine.run(packet) > 0 for packet in packets],
    ]


def _written(write: Write, end: Callable[[Program, int], None], code: Program | None = None) -> Program:
    code, yes, no = code or Program(), Label(), Label()
    write(code, yes, no)
    for label, length in ((no, 0), (yes, 1 << 18)):
        code.here(label)
        end(code, length)
    return code


def test_every_step_means_the_same_on_both_machines() -> None:
    def write(code: Program, yes: Label, no: Label) -> None:
        code.load(2, 0)  # 0102
        code.keep(3)
        code.index_number(1)
        code.load_behind(1, 1)  # 03
        code.reckon(ADD)  # 04
        code.to_index()
        code.recall(3)
        code.reckon(SUB)  # 00fe
        code.reckon(LSH, 8)
        code.reckon(RSH, 4)  # 0fe0
        code.reckon(AND, 0xFF)  # e0
        code.keep(15)
        code.from_index()
        code.if_equal(4, None, no)
        code.index_recalled(15)
        code.load_length()
        code.if_more(None, no)
        code.load_number(0xE0)
        code.if_least(None, None, no)
        code.if_any(0x21, None, no)
        code.if_any(0x1F, no)
        code.if_more(0xDF, None, no)
        code.if_more(0xE0, no, yes)

    for found in verdicts(write, [b"\1\2\3\4", b"\1\2\3", b"\1\2", b"\1\2\4\4"]):
        assert found == [True, True, False, False]


@pytest.mark.parametrize("count", [0, 1, 2, 7, 100, 700])
def test_a_range_is_found_by_halving(count: int) -> None:
    draw = random.Random(count)
    ends = sorted(draw.sample(range(1 << 32), 2 * count))
    ranges = [(first, last) for first, last in zip(ends[::2], ends[1::2], strict=True)]
    if count == 100:
        ranges = [(0, 0), *ranges[1:-1], ((1 << 32) - 2, (1 << 32) - 1)]
    asked = [0, 1, (1 << 31) - 1, 1 << 31, (1 << 32) - 1, *(draw.randrange(1 << 32) for _ in range(50))]
    asked += [at + by for at in ends[:60] for by in (-1, 0, 1)]

    def write(code: Program, yes: Label, no: Label) -> None:
        code.load(4, 0)
        code.within(ranges, yes, no)

    flat = [end for first, last in ranges for end in (first, last + 1)]
    wanted = [bisect.bisect_right(flat, number) % 2 == 1 for number in asked]
    for found in verdicts(write, [number.to_bytes(4, "big") for number in asked]):
        assert found == wanted


def test_a_range_of_64_bits_is_found_by_halving() -> None:
    draw = random.Random(64)
    ends = sorted({draw.choice((5, 6, 1 << 31)) << 32 | draw.choice((0, 1, 9, 1 << 31)) for _ in range(40)})
    ends = [*ends[: len(ends) // 2 * 2 - 2], (1 << 64) - 4, 1 << 64]
    ranges = [(first, last - 1) for first, last in zip(ends[::2], ends[1::2], strict=True)]
    asked = [0, (1 << 64) - 1, *(at + by for at in ends[:-1] for by in (-1, 0, 1))]

    def write(code: Program, yes: Label, no: Label) -> None:
        for at in (0, 4):
            code.load(4, at)
            code.keep(at // 4)
        code.within_64(ranges, 0, yes, no)

    wanted = [any(first <= number <= last for first, last in ranges) for number in asked]
    for found in verdicts(write, [number.to_bytes(8, "big") for number in asked]):
        assert found == wanted


def test_a_condition_reaches_beyond_what_eight_bits_count() -> None:
    def write(code: Program, yes: Label, no: Label) -> None:
        code.load(1, 0)
        for number in range(1000):
            code.if_equal(number, yes if number % 2 else no)
        code.go(no)

    for found in verdicts(write, [bytes([number]) for number in range(256)]):
        assert found == [False, True] * 128


def test_what_the_classic_machine_cannot_do_is_refused() -> None:
    raw, long = Program(), Program()
    raw.raw(0x95)
    for _ in range(MOST_CLASSIC + 1):
        long.load_length()
    for code in (raw, long):
        with pytest.raises(ValueError, match="classic"):
            code.classic()
    ending = Program()
    ending.give(0)
    with pytest.raises(ValueError, match="ends in its own way"):
        ending.extended()
