"""UDP datagrams of the ports that somebody asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from scanner import net
from scanner.conversation import Endpoint
from scanner.wire.batch import Columns

_QR_AT, _QR = 2, 0x80


class Datagram(NamedTuple):
    """One datagram."""

    at: int
    """ns"""
    source: Endpoint
    target: Endpoint
    payload: bytes
    whole: bool
    """False where the capture cut it."""
    source_mac: str | None = None
    """The MAC that the frame came from; None where the link has none."""


def dns_replies(columns: Columns, ports: frozenset[int]) -> Iterator[bytes]:
    """Yield the payloads on these ports that answer something (RFC 1035 4.1.1: QR is set), in their order."""
    udp = np.flatnonzero((columns.protocol == 17) & (columns.captured > _QR_AT))
    if not len(udp):
        return
    wanted = np.isin(columns.source_port[udp], list(ports)) | np.isin(columns.target_port[udp], list(ports))
    rows = udp[wanted & (columns.buffer[columns.payload[udp] + _QR_AT] & _QR != 0)]
    start = columns.payload[rows]
    raw = memoryview(columns.buffer.data)
    for begin, behind in zip(start.tolist(), (start + columns.captured[rows]).tolist(), strict=True):
        yield bytes(raw[begin:behind])


def datagrams(columns: Columns, ports: frozenset[int]) -> Iterator[Datagram]:
    """Yield the datagrams from or to these ports, in the order of capture."""
    udp = np.flatnonzero(columns.protocol == 17)
    if not len(udp):
        return
    wanted = np.isin(columns.source_port[udp], list(ports)) | np.isin(columns.target_port[udp], list(ports))
    for row in udp[wanted].tolist():
        start, size = int(columns.payload[row]), int(columns.captured[row])
        yield Datagram(
            int(columns.at[row]),
            Endpoint(
                net.text(int(columns.source_high[row]), int(columns.source_low[row])),
                int(columns.source_port[row]),
            ),
            Endpoint(
                net.text(int(columns.target_high[row]), int(columns.target_low[row])),
                int(columns.target_port[row]),
            ),
            columns.buffer[start : start + size].tobytes(),
            size == int(columns.length[row]),
        )
