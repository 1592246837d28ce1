"""IPv4 and IPv6, their options and extension headers (RFC 791, 8200, 4302).

A packet's length is what IP says, not the frame: Ethernet pads. Where IP says 0 (segmentation was left to the
card, or a jumbogram) it is the frame's. Checksums are not looked at: mirrors carry offloaded ones.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from scanner.wire.layers import Block, Front, Header, Kind, Mask, Next, Peel, split

PROTOCOLS = {
    6: Kind.TCP,
    17: Kind.UDP,
    44: Kind.FRAGMENT6,
    0: Kind.OPTIONS,
    43: Kind.OPTIONS,
    60: Kind.OPTIONS,
    135: Kind.OPTIONS,
    139: Kind.OPTIONS,
    140: Kind.OPTIONS,
    51: Kind.AUTHENTICATION,
    47: Kind.GRE,
    4: Kind.IPV4,
    41: Kind.IPV6,
}
"""What an IP protocol number announces; the most frequent first."""

_IPV4 = np.dtype(
    [("version", "u1"), ("service", "u1"), ("length", ">u2"), ("id", ">u2"), ("fragment", ">u2"),
     ("life", "u1"), ("protocol", "u1"), ("checksum", ">u2"), ("addresses", "V8")]
)  # fmt: skip
_IPV6 = np.dtype(
    [("version", "u1"), ("flow", "V3"), ("length", ">u2"), ("next", "u1"), ("hops", "u1"),
     ("addresses", "V32")]
)  # fmt: skip
_EXTENSION = np.dtype([("next", "u1"), ("size", "u1")])


def by_protocol(block: Block, front: Front, protocols: npt.NDArray[Any]) -> Next:
    """Go on by IP protocol; what is carried there in a tunnel did not come from the MACs outside."""
    found, left = split(front, protocols, PROTOCOLS)
    block.tally.not_ip += left
    return [(kind, without_macs(inner) if kind in (Kind.IPV4, Kind.IPV6) else inner) for kind, inner in found]


def without_macs(front: Front) -> Front:
    """Forget the MACs."""
    none = np.full(len(front), -1, dtype=np.int64)
    return replace(front, source_mac=none, target_mac=none)


def _filtered(front: Front, header: Header, good: Mask) -> tuple[Front, Header]:
    return (front, header) if good.all() else (front.where(good), header[good])


def _ipv4(block: Block, front: Front) -> Next:
    front, header = block.read(front, _IPV4)
    size = (header["version"] & 15).astype(np.int64) * 4
    length = header["length"].astype(np.int64)
    length = np.where(length == 0, front.whole - front.pos, length)
    good = block.malformed(front, (header["version"] >> 4 == 4) & (size >= 20) & (length >= size))
    if not good.all():
        size, length = size[good], length[good]
        front, header = _filtered(front, header, good)
    whole = front.pos + length
    inside = replace(
        front, pos=front.pos + size, end=np.minimum(front.end, whole), whole=whole, net=front.pos
    )  # fmt: skip
    pieces = header["fragment"] & 0x3FFF != 0
    if not pieces.any():
        return by_protocol(block, inside, header["protocol"])
    return [
        (Kind.FRAGMENT4, inside.where(pieces)),
        *by_protocol(block, inside.where(~pieces), header["protocol"][~pieces]),
    ]


def _ipv6(block: Block, front: Front) -> Next:
    front, header = block.read(front, _IPV6)
    good = block.malformed(front, header["version"] >> 4 == 6)
    front, header = _filtered(front, header, good)
    length = header["length"].astype(np.int64)
    whole = np.where(length == 0, front.whole, front.pos + 40 + length)
    inside = replace(
        front, pos=front.pos + 40, end=np.minimum(front.end, whole), whole=whole, net=front.pos
    )  # fmt: skip
    return by_protocol(block, inside, header["next"])


def _options(block: Block, front: Front) -> Next:
    """Pass an extension header, counted in units of 8 bytes without the first (RFC 6564)."""
    front, header = block.read(front, _EXTENSION)
    return by_protocol(block, front.past((header["size"].astype(np.int64) + 1) * 8), header["next"])


def _authentication(block: Block, front: Front) -> Next:
    """Pass AH, counted in units of 4 bytes without the first two (RFC 4302 2.2)."""
    front, header = block.read(front, _EXTENSION)
    return by_protocol(block, front.past((header["size"].astype(np.int64) + 2) * 4), header["next"])


PEELS: dict[Kind, Peel] = {
    Kind.IPV4: _ipv4,
    Kind.IPV6: _ipv6,
    Kind.OPTIONS: _options,
    Kind.AUTHENTICATION: _authentication,
}
