"""Link layers and what lies between them and IP: Ethernet, Linux cooked, PPP, BSD loopback, VLAN, MPLS.

Sources: IEEE 802.3 and 802.1Q; tcpdump.org/linktypes for the cooked and BSD headers; RFC 3032 (MPLS),
RFC 2516 (PPPoE), RFC 1661 and 1662 (PPP); Cisco TrustSec's metadata, as captures show it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from scanner.wire.batch import LinkType
from scanner.wire.layers import Block, Front, Kind, Next, Peel, split

LINKS: dict[int, Kind] = {
    LinkType.ETHERNET: Kind.ETHERNET,
    LinkType.NULL: Kind.NULL,
    LinkType.LOOP: Kind.NULL,
    LinkType.PPP: Kind.PPP,
    LinkType.PPP_HDLC: Kind.PPP,
    LinkType.PPP_ETHER: Kind.PPPOE,
    LinkType.CISCO_HDLC: Kind.CISCO_HDLC,
    LinkType.RAW: Kind.RAW,
    LinkType.RAW_OLD: Kind.RAW,
    LinkType.RAW_OPENBSD: Kind.RAW,
    LinkType.IPV4: Kind.RAW,
    LinkType.IPV6: Kind.RAW,
    LinkType.LINUX_SLL: Kind.SLL,
    LinkType.LINUX_SLL2: Kind.SLL2,
}
"""Where peeling begins, by a batch's link type."""

ETHER_TYPES = {
    0x0800: Kind.IPV4,
    0x86DD: Kind.IPV6,
    0x8100: Kind.VLAN,
    0x88A8: Kind.VLAN,
    0x9100: Kind.VLAN,
    0x9200: Kind.VLAN,
    0x8847: Kind.MPLS,
    0x8848: Kind.MPLS,
    0x8864: Kind.PPPOE,
    0x8909: Kind.METADATA,
    0x893F: Kind.PORT_TAG,
    0x880B: Kind.PPP,
    0x6558: Kind.ETHERNET,
    0x88CC: Kind.LLDP,
}
"""What an EtherType announces; the most frequent first."""

_PPP_TYPES = {0x0021: Kind.IPV4, 0x0057: Kind.IPV6, 0x0281: Kind.MPLS, 0x0283: Kind.MPLS}

_CDP = 0x2000
"""Number of Cisco's discovery protocol behind its SNAP code."""

_FAMILIES = {2: Kind.IPV4, 24: Kind.IPV6, 28: Kind.IPV6, 30: Kind.IPV6, 10: Kind.IPV6}
"""AF_INET, and AF_INET6 of NetBSD, FreeBSD, macOS and Linux."""

_ETHERNET = np.dtype([("addresses", "V12"), ("type", ">u2")])
_SNAP = np.dtype([("head", "V6"), ("type", ">u2")])
_LONGEST = 1500
"""An EtherType that is no more than this is a length (IEEE 802.3 3.2.6)."""
_VLAN = np.dtype([("tag", ">u2"), ("type", ">u2")])
_METADATA = np.dtype([("version", "u1"), ("options", "u1")])
_LABEL = np.dtype([("label", "V2"), ("bottom", "u1"), ("life", "u1")])
_PORT_TAG = np.dtype([("tag", "V6"), ("type", ">u2")])
_CISCO_HDLC = np.dtype([("head", "V2"), ("type", ">u2")])
_TYPE = np.dtype([("type", ">u2")])
_PPPOE = np.dtype([("version", "u1"), ("code", "u1"), ("session", ">u2"), ("length", ">u2")])
_SLL = np.dtype([("kind", ">u2"), ("hardware", ">u2"), ("size", ">u2"), ("address", "V8"), ("type", ">u2")])
_SLL2 = np.dtype(
    [("type", ">u2"), ("zero", "V2"), ("index", ">u4"), ("hardware", ">u2"), ("kind", "u1"), ("size", "u1"),
     ("address", "V8")]
)  # fmt: skip
_FAMILY = np.dtype([("little", "<u4")])
_PPP = np.dtype([("protocol", ">u2")])
_BYTE = np.dtype([("byte", "u1")])


def by_type(block: Block, front: Front, types: npt.NDArray[Any]) -> Next:
    """Go on by EtherType."""
    found, left = split(front, types, ETHER_TYPES)
    block.tally.not_ip += left
    return found


def _by_type_or_length(block: Block, front: Front, types: npt.NDArray[Any]) -> Next:
    """Go on by EtherType, or with LLC where a length stands in its place."""
    snap = types <= _LONGEST
    if not snap.any():
        return by_type(block, front, types)
    return [*by_type(block, front.where(~snap), types[~snap]), (Kind.SNAP, front.where(snap))]


def _ethernet(block: Block, front: Front) -> Next:
    front, header = block.read(front, _ETHERNET)
    macs = replace(front.past(14), source_mac=front.pos + 6, target_mac=front.pos)
    return _by_type_or_length(block, macs, header["type"])


def _snap(block: Block, front: Front) -> Next:
    """Pass LLC and SNAP behind an 802.3 length; other LLC is not IP (RFC 1042), but may be Cisco's CDP."""
    front, header = block.read(front, _SNAP)
    good = header["head"] == np.void(b"\xaa\xaa\x03\0\0\0")
    found = by_type(block, front.past(8).where(good), header["type"][good])
    if good.all():
        return found
    cdp = (header["head"] == np.void(b"\xaa\xaa\x03\0\0\x0c")) & (header["type"] == _CDP)
    block.tally.not_ip += int(np.count_nonzero(~good & ~cdp))
    return [*found, (Kind.CDP, front.past(8).where(cdp))]


def _vlan(block: Block, front: Front) -> Next:
    front, header = block.read(front, _VLAN)
    return _by_type_or_length(block, front.past(4), header["type"])


def _metadata(block: Block, front: Front) -> Next:
    """Pass Cisco's metadata: four bytes an option (the security group tag), then an EtherType."""
    front, header = block.read(front, _METADATA)
    front, behind = block.read(front.past(2 + 4 * header["options"].astype(np.int64)), _TYPE)
    return by_type(block, front.past(2), behind["type"])


def _port_tag(block: Block, front: Front) -> Next:
    front, header = block.read(front, _PORT_TAG)
    return by_type(block, front.past(8), header["type"])


def _cisco_hdlc(block: Block, front: Front) -> Next:
    front, header = block.read(front, _CISCO_HDLC)
    return by_type(block, front.past(4), header["type"])


def _mpls(block: Block, front: Front) -> Next:
    """Pass one label; below the last, an IP version nibble, or a pseudowire's Ethernet (RFC 4385, 4448)."""
    front, header = block.read(front, _LABEL)
    front, last = front.past(4), header["bottom"] & 1 == 1
    inside, first = block.read(front.where(last), _BYTE)
    nibble = first["byte"] >> 4
    word = inside.where(nibble == 0)
    bare = inside.where((nibble != 0) & (nibble != 4) & (nibble != 6))
    return [
        (Kind.MPLS, front.where(~last)),
        (Kind.IPV4, inside.where(nibble == 4)),
        (Kind.IPV6, inside.where(nibble == 6)),
        (Kind.ETHERNET, word.past(4)),
        (Kind.ETHERNET, bare),
    ]


def _pppoe(block: Block, front: Front) -> Next:
    front, header = block.read(front, _PPPOE)
    session = header["code"] == 0
    block.tally.not_ip += int(np.count_nonzero(~session))
    return [(Kind.PPP, front.past(6).where(session))]


def _ppp(block: Block, front: Front) -> Next:
    """Pass address and control if they stand there, and a protocol of one byte or two (RFC 1661 6.5, 6.6).

    An address of Cisco's says that this is its HDLC (RFC 1547 4.3.1).
    """
    front, header = block.read(front, _BYTE)
    cisco = (header["byte"] == 0x0F) | (header["byte"] == 0x8F)
    if cisco.any():
        rest = front.where(~cisco)
        return [(Kind.CISCO_HDLC, front.where(cisco)), *(_ppp(block, rest) if len(rest) else ())]
    front = front.past(2 * (header["byte"] == 0xFF).astype(np.int64))
    front, header = block.read(front, _PPP)
    two = header["protocol"].astype(np.int64)
    short = two & 0x0100 != 0
    found, left = split(front.past(2 - short.astype(np.int64)), np.where(short, two >> 8, two), _PPP_TYPES)
    block.tally.not_ip += left
    return found


def _null(block: Block, front: Front) -> Next:
    """Read the address family, in the byte order of the machine that captured: small in one of them."""
    front, header = block.read(front, _FAMILY)
    family = header["little"].astype(np.uint32)
    family = np.where(family > 0xFFFF, family.byteswap(), family)
    found, left = split(front.past(4), family, _FAMILIES)
    block.tally.not_ip += left
    return found


def _raw(block: Block, front: Front) -> Next:
    front, header = block.read(front, _BYTE)
    found, left = split(front, header["byte"] >> 4, {4: Kind.IPV4, 6: Kind.IPV6})
    block.tally.not_ip += left
    return found


def _sll(block: Block, front: Front) -> Next:
    front, header = block.read(front, _SLL)
    known = (header["size"] == 6) & (header["hardware"] == 1)
    behind = replace(front.past(16), source_mac=np.where(known, front.pos + 6, -1))
    return _by_type_or_length(block, behind, header["type"])


def _sll2(block: Block, front: Front) -> Next:
    front, header = block.read(front, _SLL2)
    known = (header["size"] == 6) & (header["hardware"] == 1)
    behind = replace(front.past(20), source_mac=np.where(known, front.pos + 12, -1))
    return _by_type_or_length(block, behind, header["type"])


PEELS: dict[Kind, Peel] = {
    Kind.ETHERNET: _ethernet,
    Kind.SNAP: _snap,
    Kind.VLAN: _vlan,
    Kind.METADATA: _metadata,
    Kind.PORT_TAG: _port_tag,
    Kind.CISCO_HDLC: _cisco_hdlc,
    Kind.MPLS: _mpls,
    Kind.PPPOE: _pppoe,
    Kind.PPP: _ppp,
    Kind.NULL: _null,
    Kind.RAW: _raw,
    Kind.SLL: _sll,
    Kind.SLL2: _sll2,
}
