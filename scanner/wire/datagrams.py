"""UDP datagrams of the ports that somebody asked for, and TCP segments that say all on their own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from scanner.wire.announced import announced
from scanner.wire.batch import Columns
from scanner.wire.sheet import Index

SMB_PORTS = frozenset({139, 445})
"""NetBIOS session service (RFC 1002 4.3) and SMB on its own; both put four bytes before each message."""
_SMB_HEAD = np.dtype(
    [("framing", "V4"), ("magic", ">u4"), ("command1", "u1"), ("rest", "V7"), ("command2", "<u2")]
)
_SMB1, _SMB2 = 0xFF534D42, 0xFE534D42
_SETUP1, _SETUP2 = 0x73, 1
"""[MS-CIFS] 2.2.4.53, [MS-SMB2] 2.2.1: SESSION_SETUP."""


class Datagram(NamedTuple):
    """One datagram, or one segment; its sender is told as it stands there, for most were heard before."""

    at: int
    """ns"""
    high: int
    """The upper half of the sender's address."""
    low: int
    """Its lower half."""
    source_port: int
    target_port: int
    payload: bytes
    """What was captured of it."""
    mac: bytes
    """The six bytes that the frame came from; none where the link has none."""


def datagrams(columns: Columns, ports: frozenset[int]) -> Iterator[Datagram]:
    """Yield the datagrams from or to these ports that tell something, in the order of capture."""
    return _datagrams(columns, announced(columns, ports))


def smb_setups(columns: Columns) -> Iterator[Datagram]:
    """Yield the TCP segments that begin with an SMB session setup, in the order of capture."""
    return _datagrams(columns, smb_rows(columns))


def smb_rows(columns: Columns) -> Index:
    """Find the rows of those segments."""
    size = _SMB_HEAD.itemsize
    source, target = columns.source_port, columns.target_port
    wanted = np.zeros(len(columns), np.bool_)
    for port in SMB_PORTS:  # every segment passes here: comparing is ten times as fast as np.isin
        wanted |= (source == port) | (target == port)
    rows: Index = np.flatnonzero(wanted)
    rows = rows[(columns.protocol[rows] == 6) & (columns.captured[rows] >= size)]
    if not len(rows):
        return rows
    shape = (len(columns.buffer) - size + 1,)
    every = np.ndarray(shape, dtype=f"V{size}", buffer=columns.buffer, strides=(1,))
    head = every[columns.payload[rows]].view(_SMB_HEAD)
    old = (head["magic"] == _SMB1) & (head["command1"] == _SETUP1)
    new = (head["magic"] == _SMB2) & (head["command2"] == _SETUP2)
    found: Index = rows[old | new]
    return found


def _datagrams(columns: Columns, rows: Index) -> Iterator[Datagram]:
    """Yield what stands in rows; columns are turned to Python's numbers whole, cell by cell is slow."""
    raw = memoryview(columns.buffer.data)
    cells = (
        columns.at, columns.source_high, columns.source_low, columns.source_port, columns.target_port,
        columns.payload, columns.captured, columns.source_mac,
    )  # fmt: skip
    for at, high, low, source, target, start, size, mac in zip(
        *(column[rows].tolist() for column in cells), strict=True
    ):
        payload, sender = bytes(raw[start : start + size]), b"" if mac < 0 else bytes(raw[mac : mac + 6])
        yield Datagram(at, high, low, source, target, payload, sender)
