"""Which segments are worth following, decided for whole columns at once."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from scanner.net import Prefixes
from scanner.wire.batch import Columns

Mask = npt.NDArray[np.bool_]

_TUNNELLED = (25, 80, 110, 143, 443, 465, 587, 993, 995, 2525)
"""Ports that a request to a SOCKS 4 proxy names, and that make it of interest (IANA; 2525 by custom)."""
MARKS = (
    b"220 ", b"220-", b"554 ", b"* OK", b"* PR", b"+OK ", b"EHLO", b"HELO", b"ehlo", b"helo", b"LHLO",
    b"CAPA", b"GET ", b"POST", b"OPTI", b"CONN",
    b"\5\1\0\1", b"\5\1\0\3", b"\5\1\0\4", *(b"\4\1" + port.to_bytes(2, "big") for port in _TUNNELLED),
)  # fmt: skip
"""How mail, HTTP or a request to a SOCKS proxy begins on another port than its own."""
_KNOWN = frozenset(MARKS)
_MARKS = np.array([int.from_bytes(mark, "little") for mark in MARKS], np.uint32)
_FIRST_BYTES = np.zeros(256, np.bool_)
_FIRST_BYTES[[mark[0] for mark in MARKS]] = True
_OPENINGS = frozenset((b"220 ", b"220-", b"554 ", b"EHLO", b"HELO", b"ehlo", b"helo", b"LHLO"))
_HALF = 1 << 64


class Interest:
    """Mail's ports, Exchange Online's prefixes, and the marks of mail anywhere else."""

    def __init__(self, ports: frozenset[int], prefixes: Prefixes, marks: bool = True) -> None:
        """Take ports and prefixes; ``marks`` also looks at how payloads on other ports begin."""
        self.ports = ports
        self._wanted_port = np.zeros(1 << 16, np.bool_)
        self._wanted_port[list(ports)] = True
        self._marks = marks
        low = [(first, last) for first, last in prefixes.ranges if last < _HALF]
        high = [(first // _HALF, last // _HALF) for first, last in prefixes.ranges if last >= _HALF]
        self._low = _boundaries(low)
        self._high = _boundaries(high)
        self._near = np.zeros(1 << 16, np.bool_)
        for first, last in low:
            self._near[first >> 16 & 0xFFFF : (last >> 16 & 0xFFFF) + 1] = True

    def wanted(self, columns: Columns) -> Mask:
        """Tell which rows are TCP on a wanted port or to a wanted prefix; a prefix may take in neighbours."""
        wanted = self._wanted_port[columns.source_port] | self._wanted_port[columns.target_port]
        other = np.flatnonzero(~wanted)
        if len(other):
            wanted[other] = self._within(columns.source_high[other], columns.source_low[other])
            wanted[other] |= self._within(columns.target_high[other], columns.target_low[other])
        wanted &= columns.protocol == 6
        return wanted

    def marked(self, columns: Columns, among: Mask) -> npt.NDArray[np.intp]:
        """Give the rows among these whose payload begins like mail."""
        if not self._marks or len(columns.buffer) < 4:
            return np.empty(0, np.intp)
        rows = np.flatnonzero(among & (columns.captured >= 4))
        rows = rows[_FIRST_BYTES[columns.buffer[columns.payload[rows]]]]
        words = np.ndarray((len(columns.buffer) - 3,), "<u4", columns.buffer, strides=(1,))
        found = words[columns.payload[rows]]
        return rows[np.isin(found, _MARKS)]

    def _within(self, high: npt.NDArray[np.uint64], low: npt.NDArray[np.uint64]) -> Mask:
        """Look closely only at IPv4 addresses whose first two bytes some prefix has, and at IPv6."""
        old = high == 0
        inside = np.zeros(len(low), np.bool_)
        near = np.flatnonzero(old & self._near[(low >> np.uint64(16)).astype(np.uint16)])
        inside[near] = np.searchsorted(self._low, low[near], "right") % 2 == 1
        if len(self._high) and not old.all():
            new = np.flatnonzero(~old)
            inside[new] = np.searchsorted(self._high, high[new], "right") % 2 == 1
        return inside


def begins_like_mail(payload: bytes) -> bool:
    """Tell whether a payload bears a mark."""
    return payload[:4] in _KNOWN


def begins_talk(payload: bytes) -> bool:
    """Tell whether a payload can only be the beginning: POP3 and IMAP also answer later as they greet."""
    return payload[:4] in _OPENINGS


def begins_tls(payload: bytes) -> bool:
    """Tell whether a payload begins with a ClientHello: a record of RFC 8446 5.1, a message of 4.1.2."""
    return len(payload) >= 6 and payload[:2] == b"\x16\x03" and payload[5] == 1


def _boundaries(ranges: Iterable[tuple[int, int]]) -> npt.NDArray[np.uint64]:
    """Flatten to sorted starts and ends (past the last); inside, an odd number of them is not above."""
    merged: list[int] = []
    for first, last in sorted(ranges):
        if merged and first <= merged[-1]:
            merged[-1] = max(merged[-1], min(last + 1, _HALF - 1))
        else:
            merged += [first, min(last + 1, _HALF - 1)]
    return np.array(merged, np.uint64)
