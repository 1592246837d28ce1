"""The walk along a pcap's records: where each packet lies. Record headers chain, so this is sequential."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from scanner.wire.batch import Bytes, Ints

LARGEST_PACKET = 262_144
"""Bytes captured of one packet: libpcap's own limit for nearly all links; more is a corrupt record."""


@dataclass(frozen=True, slots=True)
class RecordForm:
    """How a pcap file's record headers look."""

    order: str
    """``<`` or ``>``."""
    header: int
    """Bytes of a record header: 16, or 24 in the modified format."""


class Walked(NamedTuple):
    """What a walk found."""

    records: Ints
    """Offset of each whole record's header."""
    end: int
    """Offset behind the last of them."""
    corrupt: bool
    """The header at ``end`` cannot be one; otherwise the walk just came to the last whole record."""


def walk(buffer: Bytes, begin: int, end: int, form: RecordForm) -> Walked:
    """Find the whole records between two offsets, the first of which is a record's header."""
    return plain_walk(buffer, begin, end, form)


def plain_walk(buffer: Bytes, begin: int, end: int, form: RecordForm) -> Walked:
    """Go from record to record."""
    captured = struct.Struct(form.order + "8xI").unpack_from
    view = memoryview(buffer.data)
    header = form.header
    records: list[int] = []
    last = end - header
    while begin <= last:
        (size,) = captured(view, begin)
        if size > LARGEST_PACKET:
            return Walked(np.array(records, dtype=np.int64), begin, True)
        following = begin + header + size
        if following > end:
            break
        records.append(begin)
        begin = following
    return Walked(np.array(records, dtype=np.int64), begin, False)
