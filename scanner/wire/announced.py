"""Which datagrams may tell what a machine is: most of what the protocols of names send are questions."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from scanner.wire.batch import Bytes, Columns, Ints

_HEADER = 12
"""Bytes of the header that DNS, mDNS, LLMNR and the NetBIOS name service share (RFC 1035 4.1.1)."""
_FLAGS_AT, _AUTHORITY_AT = 2, 8
_RESPONSE = 0x80
_OPERATION = 0x78
_CLAIMS = (5, 8, 9, 15)
"""RFC 1002 4.2.1.1: registration and refresh, which some send as 9; 15 is a multi-homed registration."""
_ANSWERED, _PROPOSED, _CLAIMED, _ANY = 1, 2, 4, 8
_TELLING = {53: _ANSWERED, 5355: _ANSWERED, 5353: _ANSWERED | _PROPOSED, 137: _ANSWERED | _CLAIMED}
"""What tells on a port: answers; probes, which propose records (RFC 6762 8.1); claims to a name."""
_BY_FLAGS = np.array(
    [
        _ANSWERED * (flags & _RESPONSE != 0) | _CLAIMED * ((flags & _OPERATION) >> 3 in _CLAIMS)
        for flags in range(256)
    ],
    np.uint8,
)
"""What the first byte of flags says."""


def announced(columns: Columns, ports: frozenset[int]) -> Ints:
    """Find the rows of UDP datagrams from or to these ports that are worth reading, in the order of capture.

    On the ports of DNS, mDNS, LLMNR and NetBIOS names that is what answers or announces; on others all.
    """
    telling = np.zeros(1 << 16, np.uint8)
    for port in ports:
        telling[port] = _TELLING.get(port, _ANY)
    rows = np.flatnonzero(columns.protocol == 17)
    wanted = telling[columns.source_port[rows]] | telling[columns.target_port[rows]]
    rows, wanted = rows[wanted != 0], wanted[wanted != 0]
    worth = wanted & _ANY != 0
    headed = np.flatnonzero(~worth & (columns.captured[rows] >= _HEADER))
    worth[headed] = wanted[headed] & _told(columns.buffer, columns.payload[rows[headed]]) != 0
    found: Ints = rows[worth].astype(np.int64, copy=False)
    return found


def _told(buffer: Bytes, start: Ints) -> npt.NDArray[np.uint8]:
    """What each header does, in bits."""
    told: npt.NDArray[np.uint8] = _BY_FLAGS[buffer[start + _FLAGS_AT]]
    told[buffer[start + _AUTHORITY_AT] | buffer[start + _AUTHORITY_AT + 1] != 0] |= _PROPOSED
    return told
