"""Programs for the kernel's packet filters, with labels: the classic machine's, and the extended one's.

The classic machine (Linux ``networking/filter``) has an accumulator A, an index X, 16 words of memory M, and
jumps only forward. Its instructions are also those of the extended machine (RFC 9669) when A is r0, X is r7
and M lies on the stack, which is how the kernel runs them itself; so what both filters do is written once.
The extended one adds what the classic lacks, here as ``raw`` instructions: registers, calls, maps.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from itertools import islice, takewhile
from struct import pack
from typing import NamedTuple

MOST_CLASSIC = 4096
"""Instructions that the kernel takes (BPF_MAXINSNS)."""
_FAR = 255
"""A classic conditional jump passes at most so many instructions (8 bits)."""

_LD, _LDX, _ST, _STX, _ALU, _JMP, _RET, _MISC = range(8)
_IMM, _ABS, _IND, _MEM, _LEN = 0x00, 0x20, 0x40, 0x60, 0x80
_X = 0x08
_SIZES = {4: 0x00, 2: 0x08, 1: 0x10}
ADD, SUB, AND, LSH, RSH = 0x00, 0x10, 0x50, 0x60, 0x70
_JA, _JEQ, _JGT, _JGE, _JSET = 0x00, 0x10, 0x20, 0x30, 0x40
_NOT = {_JEQ: 0x50, _JGT: 0xB0, _JGE: 0xA0}
"""JNE, JLE and JLT, which only the extended machine has."""
_TAX, _TXA = 0x00, 0x80

R0, R1, R2, R3, R4, R6, X_REGISTER, R8, R9, STACK = 0, 1, 2, 3, 4, 6, 7, 8, 9, 10
_MOV32, _MOV32_X, _JMP32, _LDX_W, _STX_W = 0xB4, 0xBC, 0x06, 0x61, 0x63
_SLOTS_AT = -64
"""Where M lies on the extended machine's stack: 16 words up to its end."""


class Label:
    """A place that is jumped to."""


class _Step(NamedTuple):
    """An instruction of both machines; a conditional jump has two ways."""

    code: int
    k: int = 0
    yes: Label | None = None
    no: Label | None = None


class _Raw(NamedTuple):
    """An instruction of the extended machine alone."""

    code: int
    target: int
    source: int
    offset: int
    k: int
    to: Label | None


def slot_at(slot: int) -> int:
    """Where a word of M lies, from the extended machine's frame pointer."""
    return _SLOTS_AT + 4 * slot


class Program:
    """Instructions in order; methods add one each, and ``classic`` or ``extended`` encodes all."""

    def __init__(self) -> None:
        """Begin with none."""
        self._items: list[_Step | _Raw | Label] = []

    def here(self, label: Label) -> None:
        """Put a label before what comes next."""
        self._items.append(label)

    def load(self, size: int, at: int) -> None:
        """A = so many bytes of the packet, most significant first; one that is too short ends dropped."""
        self._items.append(_Step(_LD | _ABS | _SIZES[size], at))

    def load_behind(self, size: int, at: int) -> None:
        """A = so many bytes of the packet at X and so many more; likewise."""
        self._items.append(_Step(_LD | _IND | _SIZES[size], at))

    def load_length(self) -> None:
        """A = the packet's length."""
        self._items.append(_Step(_LD | _LEN))

    def load_number(self, number: int) -> None:
        """A = a number."""
        self._items.append(_Step(_LD | _IMM, number))

    def index_number(self, number: int) -> None:
        """X = a number."""
        self._items.append(_Step(_LDX | _IMM, number))

    def recall(self, slot: int) -> None:
        """A = M[slot]."""
        self._items.append(_Step(_LD | _MEM, slot))

    def index_recalled(self, slot: int) -> None:
        """X = M[slot]."""
        self._items.append(_Step(_LDX | _MEM, slot))

    def keep(self, slot: int) -> None:
        """M[slot] = A."""
        self._items.append(_Step(_ST, slot))

    def to_index(self) -> None:
        """X = A."""
        self._items.append(_Step(_MISC | _TAX))

    def from_index(self) -> None:
        """A = X."""
        self._items.append(_Step(_MISC | _TXA))

    def reckon(self, operation: int, number: int | None = None) -> None:
        """A = A, operation, a number; or X where none is given."""
        self._items.append(_Step(_ALU | operation | (_X if number is None else 0), number or 0))

    def give(self, length: int) -> None:
        """End: so many bytes of the packet pass; classic only."""
        self._items.append(_Step(_RET, length))

    def go(self, to: Label) -> None:
        """Jump."""
        self._items.append(_Step(_JMP | _JA, 0, to))

    def if_equal(self, number: int, yes: Label | None = None, no: Label | None = None) -> None:
        """A == number; a way that is None goes on with what comes next."""
        self._branch(_JEQ, number, yes, no)

    def if_least(self, number: int | None, yes: Label | None = None, no: Label | None = None) -> None:
        """A >= number, or X where none is given, unsigned."""
        self._branch(_JGE, number, yes, no)

    def if_more(self, number: int | None, yes: Label | None = None, no: Label | None = None) -> None:
        """A > number, or X where none is given, unsigned."""
        self._branch(_JGT, number, yes, no)

    def if_any(self, bits: int, yes: Label | None = None, no: Label | None = None) -> None:
        """A & bits."""
        self._branch(_JSET, bits, yes, no)

    def _branch(self, test: int, number: int | None, yes: Label | None, no: Label | None) -> None:
        following = Label()
        code = _JMP | test | (_X if number is None else 0)
        self._items += [_Step(code, number or 0, yes or following, no or following), following]

    def raw(
        self, code: int, target: int = 0, source: int = 0, offset: int = 0, k: int = 0,
        to: Label | None = None,
    ) -> None:  # fmt: skip
        """An instruction of the extended machine as it is; ``to``: where it jumps, in place of the offset."""
        self._items.append(_Raw(code, target, source, offset, k, to))

    def within(self, ranges: Sequence[tuple[int, int]], yes: Label, no: Label) -> None:
        """Tell whether A lies in one of these ranges, sorted and apart, by halving."""
        ends = [end for first, last in ranges for end in (first, last + 1) if end >> 32 == 0]
        self._halve(ends, 0, yes, no, lambda end, up, down: self.if_least(end, up, down))

    def within_64(self, ranges: Sequence[tuple[int, int]], slot: int, yes: Label, no: Label) -> None:
        """Likewise for a number of 64 bits that M has in two words, the upper first."""
        ends = [end for first, last in ranges for end in (first, last + 1) if end >> 64 == 0]

        def compare(end: int, up: Label, down: Label) -> None:
            self.recall(slot)
            if not end & 0xFFFFFFFF:
                self.if_least(end >> 32, up, down)
                return
            self.if_more(end >> 32, up)
            self.if_equal(end >> 32, None, down)
            self.recall(slot + 1)
            self.if_least(end & 0xFFFFFFFF, up, down)

        self._halve(ends, 0, yes, no, compare)

    def _halve(
        self, ends: Sequence[int], below: int, yes: Label, no: Label,
        compare: Callable[[int, Label, Label], None],
    ) -> None:  # fmt: skip
        """Inside, an odd number of all ends is not above; ``below``: those left out that are not."""
        if not ends:
            self.go(yes if below % 2 else no)
            return
        middle = len(ends) // 2
        sides = (ends[:middle], below), (ends[middle + 1 :], below + middle + 1)
        ways = [Label() if part else (yes if before % 2 else no) for part, before in sides]
        compare(ends[middle], ways[1], ways[0])
        for (part, before), way in zip(sides, ways, strict=True):
            if part:
                self.here(way)
                self._halve(part, before, yes, no, compare)

    def classic(self) -> bytes:
        """Encode as an array of ``struct sock_filter``; ValueError past ``MOST_CLASSIC``.

        From the end to the beginning, for all jumps go forward. Where a target is too far for a condition,
        an unconditional jump stands right behind it, and serves others that come near.
        """
        done: list[bytes] = []
        places: dict[Label, int] = {}
        posts: dict[Label, int] = {}
        for item in reversed(self._items):
            if isinstance(item, Label):
                places[item] = len(done)
                continue
            if isinstance(item, _Raw):
                raise ValueError("the classic machine has no such instruction")
            ways = [way for way in (item.yes, item.no) if way]
            if len(ways) < 2:
                k = len(done) - places[ways[0]] if ways else item.k
                done.append(pack("=HBBI", item.code, 0, 0, k))
                continue
            for way in dict.fromkeys(ways):
                # The other way's post may come in between.
                if len(done) + 1 - max(places[way], posts.get(way, 0)) > _FAR:
                    done.append(pack("=HBBI", _JMP | _JA, 0, 0, len(done) - places[way]))
                    posts[way] = len(done)
            near = [_nearest(len(done), places[way], posts.get(way)) for way in ways]
            done.append(pack("=HBBI", item.code, near[0], near[1], item.k))
        if len(done) > MOST_CLASSIC:
            raise ValueError(f"a classic filter of {len(done)} instructions")
        return b"".join(reversed(done))

    def extended(self) -> bytes:
        """Encode as an array of ``struct bpf_insn``."""
        done: list[_Raw] = []
        places: dict[Label, int] = {}
        for number, item in enumerate(self._items):
            if isinstance(item, Label):
                places[item] = len(done)
            elif isinstance(item, _Raw):
                done.append(item)
            else:
                behind = takewhile(lambda one: isinstance(one, Label), islice(self._items, number + 1, None))
                done += _lowered(item, set(behind))
        return b"".join(
            pack(
                "=BBhi",
                one.code,
                one.target | one.source << 4,
                places[one.to] - at - 1 if one.to else one.offset,
                one.k - (1 << 32) if one.k >> 31 == 1 else one.k,
            )
            for at, one in enumerate(done)
        )


def _nearest(at: int, place: int, post: int | None) -> int:
    """How many instructions lie between, counted from the end; the target itself where it is near."""
    return at - place if post is None or at - place <= _FAR else at - post


def _lowered(step: _Step, following: Set[object]) -> list[_Raw]:
    """Write a step of the classic machine in instructions of the extended one; labels that follow it."""
    code, k = step.code, step.k
    kind, mode = code & 7, code & 0xE0
    by_x = X_REGISTER if code & _X else 0
    if kind == _LD and mode in (_ABS, _IND):
        return [_Raw(code, 0, X_REGISTER if mode == _IND else 0, 0, k, None)]
    if kind == _LD and mode == _LEN:
        return [_Raw(_LDX_W, R0, R6, 0, 0, None)]
    if kind in (_LD, _LDX):
        into = X_REGISTER if kind == _LDX else R0
        if mode == _MEM:
            return [_Raw(_LDX_W, into, STACK, slot_at(k), 0, None)]
        return [_Raw(_MOV32, into, 0, 0, k, None)]
    if kind == _ST:
        return [_Raw(_STX_W, STACK, R0, slot_at(k), 0, None)]
    if kind == _ALU:
        return [_Raw(code, R0, by_x, 0, k, None)]
    if kind == _MISC:
        target, source = (R0, X_REGISTER) if code & _TXA else (X_REGISTER, R0)
        return [_Raw(_MOV32_X, target, source, 0, 0, None)]
    if kind != _JMP:
        raise ValueError("an extended filter ends in its own way")
    if step.no is None:
        return [] if step.yes in following else [_Raw(_JMP, 0, 0, 0, 0, step.yes)]
    test = code & 0xF0
    if step.yes in following and test in _NOT:
        return [_Raw(_JMP32 | _NOT[test] | code & _X, R0, by_x, 0, k, step.no)]
    taken = _Raw(_JMP32 | test | code & _X, R0, by_x, 0, k, step.yes)
    return [taken] if step.no in following else [taken, _Raw(_JMP, 0, 0, 0, 0, step.no)]
