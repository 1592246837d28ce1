"""bpf(2) through the C library: maps are made and extended programs loaded, or it is said why not."""

from __future__ import annotations

import ctypes
import os
import platform
from struct import pack

ARRAY, LRU_HASH = 2, 9
"""Map types. A full LRU hash lets the entry go that was not asked for longest, and takes the new one."""
MAPPABLE = 1 << 10
"""Of an array (Linux 5.5): its memory can be mapped, and then read whatever privileges are left."""
_MAP_CREATE, _PROG_LOAD = 0, 5
_SOCKET_FILTER = 1
_NUMBERS = {
    "x86_64": 321, "amd64": 321, "i386": 357, "i686": 357, "aarch64": 280, "riscv64": 280, "loongarch64": 280,
    "armv6l": 386, "armv7l": 386, "ppc64le": 361,
}  # fmt: skip
"""Of the system call (``asm/unistd.h``), by what ``uname -m`` says; only machines that have the least
significant byte first, for the others encode instructions otherwise."""
_LICENSE, _NAME = b"GPL", b"mailsunset"
_LOG_BYTES = 1 << 20
"""Room for what the verifier has to say; it says little unless it refuses."""


class FilterRefused(OSError):
    """The kernel will not have a filter; the text says why in one line."""


def made_map(kind: int, key: int, value: int, entries: int, flags: int = 0) -> int:
    """Make a map of keys and values of so many bytes; gives its descriptor. Raises ``FilterRefused``."""
    return _called(_MAP_CREATE, pack("=5I8x16s", kind, key, value, entries, flags, _NAME), "no map")


def loaded(program: bytes) -> int:
    """Load a socket's filter; gives its descriptor. ``FilterRefused`` tells the verifier's last word."""
    held, gpl, log = (ctypes.create_string_buffer(text) for text in (program, _LICENSE, bytes(_LOG_BYTES)))
    head = pack("=2I2Q", _SOCKET_FILTER, len(program) // 8, ctypes.addressof(held), ctypes.addressof(gpl))
    tail = pack("=2I16s", 0, 0, _NAME)
    try:
        return _called(_PROG_LOAD, head + pack("=2IQ", 0, 0, 0) + tail, "no program")
    except FilterRefused:
        pass  # asked again with a log: of a program that is taken, it would say more than there is room for
    try:
        return _called(
            _PROG_LOAD, head + pack("=2IQ", 1, _LOG_BYTES, ctypes.addressof(log)) + tail, "no program"
        )
    except FilterRefused as refusal:
        said = [line.strip() for line in log.value.decode("ascii", "replace").splitlines()]
        last = [line for line in said if line and not line.startswith("processed ")][-1:]
        raise FilterRefused(": ".join([str(refusal), *last])) from None


def _called(command: int, attributes: bytes, what: str) -> int:
    number = _NUMBERS.get(platform.machine().lower())
    if number is None:
        raise FilterRefused(f"{what}: bpf(2) has no known number on {platform.machine()}")
    try:
        call = ctypes.CDLL(None, use_errno=True).syscall
    except (OSError, AttributeError, TypeError):
        raise FilterRefused(f"{what}: this system has no bpf(2)") from None
    call.restype, long = ctypes.c_long, ctypes.c_long
    call.argtypes = [long, long, ctypes.c_char_p, long]
    descriptor: int = call(number, command, attributes, len(attributes))
    if descriptor < 0:
        code = ctypes.get_errno()
        raise FilterRefused(f"{what}: {os.strerror(code)}")
    return descriptor
