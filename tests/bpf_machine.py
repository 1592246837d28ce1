"""The extended machine as far as our filter uses it: so that it is tested where nobody may load one."""

from __future__ import annotations

from collections.abc import Callable
from struct import iter_unpack

_STACK, _CONTEXT, _VALUES, _STEP = 1 << 32, 2 << 32, 3 << 32, 1 << 12
_STACK_BYTES = 512
_SIZES = {0x00: 4, 0x08: 2, 0x10: 1, 0x18: 8}
_OPERATIONS: dict[int, Callable[[int, int], int]] = {
    0x00: lambda a, b: a + b,
    0x10: lambda a, b: a - b,
    0x40: lambda a, b: a | b,
    0x50: lambda a, b: a & b,
    0x60: lambda a, b: a << b,
    0x70: lambda a, b: a >> b,
    0xB0: lambda _, b: b,
}
_TESTS: dict[int, Callable[[int, int], bool]] = {
    0x00: lambda _a, _b: True,
    0x10: lambda a, b: a == b,
    0x20: lambda a, b: a > b,
    0x30: lambda a, b: a >= b,
    0x40: lambda a, b: a & b != 0,
    0x50: lambda a, b: a != b,
    0xA0: lambda a, b: a < b,
    0xB0: lambda a, b: a <= b,
}
Map = dict[bytes, bytearray]


class TooShortError(Exception):
    """The packet ends before what is read: the kernel ends such a program with 0."""


class Machine:
    """Runs a program on packets, one after the other; the maps last."""

    def __init__(self, program: bytes, maps: dict[int, Map], sizes: dict[int, tuple[int, int]]) -> None:
        """``maps`` by descriptor, and the size of their keys and values."""
        self._code = list(iter_unpack("=BBhi", program))
        self._maps, self._sizes = maps, sizes
        self._values: list[bytearray] = []
        self.steps = 0

    def run(self, packet: bytes) -> int:
        """Give what the program returns."""
        self._packet, self._stack = packet, bytearray(_STACK_BYTES)
        self._registers = [0] * 11
        self._registers[1], self._registers[10] = _CONTEXT, _STACK + _STACK_BYTES
        self._values.clear()
        at = self.steps = 0
        try:
            while (code := self._code[at])[0] != 0x95:
                at = self._step(at, *code)
                self.steps += 1
        except TooShortError:
            return 0
        return self._registers[0] & 0xFFFFFFFF

    def _step(self, at: int, code: int, registers: int, offset: int, number: int) -> int:
        of = self._registers
        target, source = registers & 15, registers >> 4
        kind, operand = code & 7, of[source] if code & 8 else number
        if code == 0x18:
            of[target] = number
            return at + 2
        if code == 0x85:
            self._call(number)
        elif kind == 0:
            start = number + (of[source] if code & 0xE0 == 0x40 else 0)
            size = _SIZES[code & 0x18]
            if start + size > len(self._packet):
                raise TooShortError
            of[0] = int.from_bytes(self._packet[start : start + size], "big")
            of[1:6] = [1 << 63] * 5  # the kernel lets nobody read them afterwards
        elif kind == 1:
            memory, start = self._memory(of[source] + offset)
            of[target] = int.from_bytes(memory[start : start + _SIZES[code & 0x18]], "little")
        elif kind in (2, 3):
            value, size = of[source] if kind == 3 else number, _SIZES[code & 0x18]
            memory, start = self._memory(of[target] + offset)
            if code & 0xE0 == 0xC0:
                value += int.from_bytes(memory[start : start + size], "little")
            memory[start : start + size] = (value & (1 << 8 * size) - 1).to_bytes(size, "little")
        elif kind in (4, 7):
            mask = (1 << (64 if kind == 7 else 32)) - 1
            of[target] = _OPERATIONS[code & 0xF0](of[target] & mask, operand & mask) & mask
        else:
            mask = (1 << (64 if kind == 5 else 32)) - 1
            if _TESTS[code & 0xF0](of[target] & mask, operand & mask):
                return at + 1 + offset
        return at + 1

    def _call(self, number: int) -> None:
        of = self._registers
        if number == 8:
            of[0] = 67  # the processor: one that shares its counters
        else:
            entries, (key_size, value_size) = self._maps[of[1]], self._sizes[of[1]]
            key = self._bytes(of[2], key_size)
            if number == 2:
                entries[key] = bytearray(self._bytes(of[3], value_size))
                of[0] = 0
            elif (value := entries.get(key)) is not None:
                self._values.append(value)
                of[0] = _VALUES + _STEP * (len(self._values) - 1)
            else:
                of[0] = 0
        of[1:6] = [1 << 63] * 5

    def _bytes(self, address: int, size: int) -> bytes:
        memory, start = self._memory(address)
        return bytes(memory[start : start + size])

    def _memory(self, address: int) -> tuple[bytearray, int]:
        if address >> 32 == 1:
            return self._stack, address - _STACK
        if address >> 32 == 2:
            return bytearray(len(self._packet).to_bytes(4, "little")), address - _CONTEXT
        return self._values[(address - _VALUES) // _STEP], address % _STEP
