"""Tunnels that mirrors and networks wrap packets in.

GRE (RFC 2784, 2890; NVGRE, RFC 7637; ERSPAN I to III, draft-foschiano-erspan), VXLAN (RFC 7348), Geneve
(RFC 8926), TZSP (as Wireshark's dissector documents it). IP in IP is IP's own affair.
"""

from __future__ import annotations

import numpy as np

from scanner.wire.internet import without_macs
from scanner.wire.layers import Block, Front, Kind, Next, Peel, split
from scanner.wire.links import ETHER_TYPES

TUNNEL_PORTS = {4789: Kind.VXLAN, 8472: Kind.VXLAN, 6081: Kind.GENEVE, 37008: Kind.TZSP}
"""UDP ports that tunnels are sent to (8472: Linux's own for VXLAN)."""

_GRE_TYPES = {**ETHER_TYPES, 0x88BE: Kind.ERSPAN2, 0x22EB: Kind.ERSPAN3}
_GRE_CHECKSUM, _GRE_ROUTING, _GRE_KEY, _GRE_SEQUENCE, _GRE_VERSION = 0x8000, 0x4000, 0x2000, 0x1000, 7

_GRE = np.dtype([("flags", ">u2"), ("type", ">u2")])
_VXLAN = np.dtype([("flags", "u1"), ("rest", "V7")])
_GENEVE = np.dtype([("options", "u1"), ("flags", "u1"), ("type", ">u2"), ("network", "V4")])
_ERSPAN3 = np.dtype([("head", "V10"), ("flags", ">u2")])
_TZSP = np.dtype([("version", "u1"), ("kind", "u1"), ("carried", ">u2")])
_TZSP_TYPES = {1: Kind.ETHERNET}
_TZSP_PADDING, _TZSP_END = 0, 1

MOST_TAGS = 32
"""Tags passed in one TZSP header (senders write a handful); a row with more is counted as malformed."""


def _gre(block: Block, front: Front) -> Next:
    """Pass the header and optional words; a sequence number tells ERSPAN II from I, which has no header."""
    front, header = block.read(front, _GRE)
    flags = header["flags"].astype(np.int64)
    good = block.malformed(front, flags & (_GRE_ROUTING | _GRE_VERSION) == 0)
    front, flags, types = front.where(good), flags[good], header["type"][good].astype(np.int64)
    optional = flags & _GRE_CHECKSUM, flags & _GRE_KEY, flags & _GRE_SEQUENCE
    words = sum(((bit != 0).astype(np.int64) for bit in optional), np.zeros(len(front), dtype=np.int64))
    types = np.where((types == 0x88BE) & (flags & _GRE_SEQUENCE == 0), 0x6558, types)
    found, left = split(without_macs(front.past(4 + 4 * words)), types, _GRE_TYPES)
    block.tally.not_ip += left
    return found


def _erspan2(block: Block, front: Front) -> Next:
    return [(Kind.ETHERNET, front.past(8))]


def _erspan3(block: Block, front: Front) -> Next:
    """Pass 12 bytes, and 8 more where the last bit says so; frame type 0 is Ethernet, 2 is IP."""
    front, header = block.read(front, _ERSPAN3)
    flags = header["flags"].astype(np.int64)
    front = front.past(12 + 8 * (flags & 1))
    found, left = split(front, flags >> 10 & 31, {0: Kind.ETHERNET, 2: Kind.RAW})
    block.tally.not_ip += left
    return found


def _vxlan(block: Block, front: Front) -> Next:
    front, header = block.read(front, _VXLAN)
    good = header["flags"] & 8 != 0
    block.tally.not_ip += int(np.count_nonzero(~good))
    return [(Kind.ETHERNET, front.past(8).where(good))]


def _geneve(block: Block, front: Front) -> Next:
    front, header = block.read(front, _GENEVE)
    good = header["options"] >> 6 == 0
    options = (header["options"] & 63).astype(np.int64) * 4
    inside = without_macs(front.past(8 + options)).where(good)
    found, left = split(inside, header["type"][good], ETHER_TYPES)
    block.tally.not_ip += left + int(np.count_nonzero(~good))
    return found


def _tzsp(block: Block, front: Front) -> Next:
    front, header = block.read(front, _TZSP)
    good = (header["version"] == 1) & (header["kind"] <= 1)
    block.tally.not_ip += int(np.count_nonzero(~good))
    front, carried = front.where(good), header["carried"][good]
    spans = zip((front.pos + 4).tolist(), front.end.tolist(), strict=True)
    behind = np.array([_behind_tags(block, pos, end) for pos, end in spans], dtype=np.int64)
    whole = block.malformed(front, behind >= 0)
    found, left = split(front.past(behind - front.pos).where(whole), carried[whole], _TZSP_TYPES)
    block.tally.not_ip += left
    return found


def _behind_tags(block: Block, pos: int, end: int) -> int:
    """Find the first byte behind a header's tags; -1 where they do not end."""
    for _ in range(MOST_TAGS):
        if pos + 1 > end or ((tag := int(block.buffer[pos])) > _TZSP_END and pos + 2 > end):
            break
        if tag == _TZSP_END:
            return pos + 1
        pos += 1 if tag == _TZSP_PADDING else 2 + int(block.buffer[pos + 1])
    return -1


PEELS: dict[Kind, Peel] = {
    Kind.GRE: _gre,
    Kind.ERSPAN2: _erspan2,
    Kind.ERSPAN3: _erspan3,
    Kind.VXLAN: _vxlan,
    Kind.GENEVE: _geneve,
    Kind.TZSP: _tzsp,
}
