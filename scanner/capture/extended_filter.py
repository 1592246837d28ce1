"""The kernel filter with a memory (Linux 5.5, root or CAP_BPF): what it passes is what user space would pick.

A connection on an odd port is followed from its first mark on, and of each direction only the first
``BYTES_KEPT`` bytes reach user space. Full maps let the longest silent go: of what was followed for its port
another ``BYTES_KEPT`` pass then, of what was followed for a mark the rest is lost.
"""

from __future__ import annotations

import mmap
import os
from contextlib import ExitStack
from socket import SOL_SOCKET, socket
from struct import iter_unpack
from typing import NamedTuple

from scanner.capture import kernel_bpf
from scanner.capture.bpf import R0, R1, R2, R3, R4, R6, R8, R9, STACK, Label, Program, slot_at
from scanner.capture.headers_filter import (
    FIN_SYN_RST,
    FLAGS,
    KEY,
    PORTS,
    SEQUENCE,
    SYN,
    WHOLE,
    Ways,
    marked,
    smb_setup,
    walk,
)
from scanner.capture.kernel_bpf import FilterRefused
from scanner.capture.passing import Passing
from scanner.wire.harvest import BYTES_KEPT

HEADS_KEPT = 1 << 18
"""Directions of connections whose first sequence number is remembered: 131,072 that talk at a time. Only
payload makes an entry, so no flood of openings drives others out."""
MARKED_KEPT = 1 << 16
"""Likewise, of connections followed for a mark; apart, so that mail's ports do not drive them out. Both maps
take 36 MB of kernel memory, from the beginning, whatever comes."""
OVERTAKEN = 1 << 20
"""Bytes before the first that was heard that pass, too, for packets overtake one another: a common window."""
_SLOTS, _SLOT = 64, 64
"""Processors have counters of their own, on a cache line of their own; past so many some share."""
_KEY_SIZE, _VALUE_SIZE = 36, 8
_REVERSED, _VALUE, _NUMBER = -104, -112, -120
"""On the stack: the other direction's key, a map's new value, and the number of the processor."""
_BEGUN = 32
"""A value is a first sequence number, and this bit once one is known."""
_PASSED, _CUT, _DROPPED = 0, 8, 16
_SO_ATTACH_BPF = 50
_LOOKUP, _UPDATE, _PROCESSOR = 1, 2, 8
_MOV, _MOV_X, _MOV32, _ADD, _OR_X, _LSH, _AND32 = 0xB7, 0xBF, 0xB4, 0x07, 0x4F, 0x67, 0x54
_SUB32_X, _ADD32, _LSH32, _RSH32, _OR32_X = 0x1C, 0x04, 0x64, 0x74, 0x4C
_LDX_W, _LDX, _STX_W, _STX, _ST, _ATOMIC_ADD = 0x61, 0x79, 0x63, 0x7B, 0x7A, 0xDB
_JEQ, _CALL, _EXIT, _LD_MAP = 0x15, 0x85, 0x95, 0x18


class Maps(NamedTuple):
    """Descriptors of what a program remembers with."""

    heads: int
    marked: int
    counts: int


class FilterCounts(NamedTuple):
    """What a filter did, on all sockets together; counts of packets."""

    passed: int = 0
    cut: int = 0
    """Beyond the first bytes of a direction that is followed."""
    dropped: int = 0
    """Of no interest; those too short to be told are not counted."""


class ExtendedFilter:
    """A program in the kernel; sockets that it is attached to share what it remembers."""

    def __init__(self, program: int, maps: Maps) -> None:
        """Own descriptors."""
        self._open = [program, *maps]
        self._program = program
        self._counts = mmap.mmap(maps.counts, _SLOTS * _SLOT, mmap.MAP_SHARED, mmap.PROT_READ)

    @classmethod
    def load(cls, passing: Passing, link: int) -> ExtendedFilter:
        """Load it; ``link`` as for ``walk``. Raises ``FilterRefused``."""
        with ExitStack() as undo:

            def kept(descriptor: int) -> int:
                undo.callback(os.close, descriptor)
                return descriptor

            lru, array = kernel_bpf.LRU_HASH, kernel_bpf.ARRAY
            maps = Maps(
                kept(kernel_bpf.made_map(lru, _KEY_SIZE, _VALUE_SIZE, HEADS_KEPT)),
                kept(kernel_bpf.made_map(lru, _KEY_SIZE, _VALUE_SIZE, MARKED_KEPT)),
                kept(kernel_bpf.made_map(array, 4, _SLOT, _SLOTS, kernel_bpf.MAPPABLE)),
            )
            program = kept(kernel_bpf.loaded(extended(passing, link, maps)))
            try:
                made = cls(program, maps)
            except OSError as fault:
                raise FilterRefused(f"no counters: {fault.strerror}") from fault
            undo.pop_all()
            return made

    def attach(self, sock: socket) -> None:
        """Put it on a socket, in place of one that is there. Raises ``FilterRefused``."""
        try:
            sock.setsockopt(SOL_SOCKET, _SO_ATTACH_BPF, self._program)
        except OSError as fault:
            raise FilterRefused(f"not attached: {fault.strerror}") from fault

    def counts(self) -> FilterCounts:
        """Read what it did so far; needs no privileges."""
        rows = list(iter_unpack(f"=3Q{_SLOT - 24}x", self._counts[:]))
        return FilterCounts(*(sum(column) for column in zip(*rows, strict=True)))

    def close(self) -> None:
        """Let go; sockets that have it keep it. Twice does no harm."""
        while self._open:
            os.close(self._open.pop())


def extended(passing: Passing, link: int, maps: Maps) -> bytes:
    """Give the program as an array of ``struct bpf_insn``."""
    code, ways, cut, uncounted = Program(), Ways(), Label(), Label()
    code.raw(_MOV_X, R6, R1)
    code.raw(_CALL, k=_PROCESSOR)
    code.raw(_AND32, R0, k=_SLOTS - 1)
    code.raw(_STX_W, STACK, R0, _NUMBER)
    _look_up(code, maps.counts, _NUMBER, uncounted)
    code.raw(_MOV_X, R8, R0)
    walk(code, passing, link, ways, openings_pass=False)
    code.here(ways.wanted)
    _wanted(code, maps.heads, ways, cut)
    code.here(ways.other)
    _other(code, maps.marked, passing.marks, ways, cut)
    for label, counter, length in (
        (ways.passed, _PASSED, WHOLE),
        (cut, _CUT, 0),
        (ways.dropped, _DROPPED, 0),
    ):
        code.here(label)
        code.raw(_MOV, R1, k=1)
        code.raw(_ATOMIC_ADD, R8, R1, counter)
        code.raw(_MOV32, R0, k=length)
        code.raw(_EXIT)
    code.here(uncounted)
    code.raw(_MOV32, R0, k=WHOLE)
    code.raw(_EXIT)
    return code.extended()


def _wanted(code: Program, heads: int, ways: Ways, cut: Label) -> None:
    """Where a connection opens or ends, both its directions begin anew."""
    turning, fresh, other = Label(), Label(), Label()
    code.recall(FLAGS)
    code.if_any(FIN_SYN_RST, turning)
    _look_up(code, heads, slot_at(KEY), fresh)
    _cut_off(code, ways, cut)
    code.here(turning)
    _look_up(code, heads, slot_at(KEY), other)
    code.raw(_ST, R0)
    code.here(other)
    _reverse(code)
    _look_up(code, heads, _REVERSED, ways.passed)
    code.raw(_ST, R0)
    code.go(ways.passed)
    code.here(fresh)
    _number(code)
    code.raw(_STX, STACK, R1, _VALUE)
    _update(code, heads, slot_at(KEY))
    code.go(ways.passed)


def _other(code: Program, followed: int, marks: tuple[bytes, ...], ways: Ways, cut: Label) -> None:
    """A mark makes both directions followed, and they stay so: a duplicate of the SYN may come late."""
    plain, turning, fresh, begun, unmarked = Label(), Label(), Label(), Label(), Label()
    smb_setup(code, ways.passed, plain)
    code.here(plain)
    _look_up(code, followed, slot_at(KEY), fresh)
    code.raw(_MOV_X, R9, R0)
    code.recall(FLAGS)
    code.if_any(FIN_SYN_RST, turning)
    code.raw(_MOV_X, R0, R9)
    _cut_off(code, ways, cut)
    code.here(turning)
    code.raw(_ST, R9)
    _reverse(code)
    _look_up(code, followed, _REVERSED, ways.passed)
    code.raw(_ST, R0)
    code.go(ways.passed)
    code.here(fresh)
    marked(code, marks, begun, unmarked)
    code.here(begun)
    _number(code)
    code.raw(_STX, STACK, R1, _VALUE)
    _update(code, followed, slot_at(KEY))
    code.raw(_ST, STACK, 0, _VALUE)
    _reverse(code)
    _update(code, followed, _REVERSED)
    code.go(ways.passed)
    code.here(unmarked)
    code.recall(FLAGS)
    code.if_any(SYN, ways.passed, ways.dropped)


def _cut_off(code: Program, ways: Ways, cut: Label) -> None:
    """Cut what lies behind the first bytes; what the first segment heard had overtaken passes."""
    begun, first = Label(), Label()
    code.raw(_MOV_X, R9, R0)
    code.raw(_LDX, R2, R9)
    code.raw(_JEQ, R2, to=first)
    code.go(begun)
    code.here(first)
    _number(code)
    code.raw(_STX, R9, R1)
    code.go(ways.passed)
    code.here(begun)
    code.recall(SEQUENCE)
    code.raw(_SUB32_X, R0, R2)
    code.raw(_ADD32, R0, k=OVERTAKEN)
    code.if_least(OVERTAKEN + BYTES_KEPT, cut, ways.passed)


def _number(code: Program) -> None:
    """R1 = this segment's sequence number, as a map's value."""
    code.raw(_MOV, R1, k=1)
    code.raw(_LSH, R1, k=_BEGUN)
    code.raw(_LDX_W, R2, STACK, slot_at(SEQUENCE))
    code.raw(_OR_X, R1, R2)


def _reverse(code: Program) -> None:
    """Write the key of the other direction."""
    for word in range(8):
        code.raw(_LDX_W, R1, STACK, slot_at(KEY + (word + 4) % 8))
        code.raw(_STX_W, STACK, R1, _REVERSED + 4 * word)
    code.raw(_LDX_W, R1, STACK, slot_at(PORTS))
    code.raw(_MOV_X, R2, R1)
    code.raw(_RSH32, R1, k=16)
    code.raw(_LSH32, R2, k=16)
    code.raw(_OR32_X, R1, R2)
    code.raw(_STX_W, STACK, R1, _REVERSED + 32)


def _look_up(code: Program, descriptor: int, key_at: int, missing: Label) -> None:
    """R0 = where the value of a key on the stack lies."""
    _name(code, descriptor, key_at)
    code.raw(_CALL, k=_LOOKUP)
    code.raw(_JEQ, R0, to=missing)


def _update(code: Program, descriptor: int, key_at: int) -> None:
    """Remember the value on the stack; where that fails the packet passes all the same."""
    _name(code, descriptor, key_at)
    code.raw(_MOV_X, R3, STACK)
    code.raw(_ADD, R3, k=_VALUE)
    code.raw(_MOV, R4)
    code.raw(_CALL, k=_UPDATE)


def _name(code: Program, descriptor: int, key_at: int) -> None:
    code.raw(_LD_MAP, R1, 1, k=descriptor)
    code.raw(0)
    code.raw(_MOV_X, R2, STACK)
    code.raw(_ADD, R2, k=key_at)
