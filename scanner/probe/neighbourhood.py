"""What Linux knows of the network around: ways to addresses, its neighbours, addresses of its own.

Source: rtnetlink(7), include/uapi/linux/rtnetlink.h and neighbour.h. Anybody may ask; nothing is sent.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from scanner.capture.card import attributes
from scanner.net import LINK_LOCAL, number, text

WITHOUT_RIGHTS = (
    "without root: no ARP and no ICMP, so that only TCP connections tell who is there,"
    " and MACs are those that the kernel happens to know"
)
ELSEWHERE = "on this system no ARP and no ICMP: only TCP connections tell who is there, and MACs stay unknown"
_HEADER = struct.Struct("=IHHII")
_ROUTE = struct.Struct("=8BI")
_NEIGHBOUR = struct.Struct("=B3xiHBB")
_GET_ROUTE, _GET_NEIGHBOURS, _DONE = 26, 30, 3
_REQUEST, _DUMP = 0x1, 0x300
_DESTINATION, _INTERFACE, _GATEWAY, _SOURCE, _VIA = 1, 4, 5, 7, 18
_UNICAST, _LOCAL = 1, 2
_KNOWN = 0x02 | 0x04 | 0x08 | 0x10 | 0x80
"""REACHABLE, STALE, DELAY, PROBE and PERMANENT: a neighbour that answered once."""
_UNUSABLE = 0x08 | 0x40
"""DADFAILED and TENTATIVE (RFC 4862 5.4): an address that may be another's."""
_ADDRESSES = Path("/proc/net/if_inet6")
_ANSWER_BYTES = 1 << 16
_PATIENCE_S = 2.0
"""The kernel answers at once, or never."""


class Way(NamedTuple):
    """How packets get to an address."""

    interface: str
    source: str | None
    """Our address on it."""
    direct: bool
    """No router is between."""
    own: bool
    """It is an address of ours."""


class Own(NamedTuple):
    """An IPv6 address of ours."""

    interface: str
    ip: str
    """A link-local one with its zone."""
    length: int
    """Of its prefix on that link."""


def may_sweep() -> str | None:
    """Tell why nobody can be asked by raw packets, and what is lost by that; None: we may."""
    try:
        socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0).close()
    except PermissionError:
        return WITHOUT_RIGHTS
    except (OSError, AttributeError):
        return ELSEWHERE
    return None


def way(ip: str) -> Way | None:
    """Ask how packets would get to a machine; None: they would not. ValueError if it is no address."""
    value, zone = number(ip), ip.partition("%")[2]
    four = value >> 32 == 0xFFFF
    packed = (value & 0xFFFFFFFF).to_bytes(4, "big") if four else value.to_bytes(16, "big")
    family = socket.AF_INET if four else socket.AF_INET6
    body = _ROUTE.pack(family, 8 * len(packed), 0, 0, 0, 0, 0, 0, 0) + _attribute(_DESTINATION, packed)
    try:
        body += _attribute(_INTERFACE, struct.pack("=i", socket.if_nametoindex(zone))) if zone else b""
        told = next(_answers(_GET_ROUTE, _REQUEST, body), b"")
        found = dict(attributes(told, _ROUTE.size))
        interface = socket.if_indextoname(*struct.unpack("=i", found[_INTERFACE]))
    except (OSError, AttributeError, KeyError, struct.error):
        return None
    if (kind := told[7]) not in (_UNICAST, _LOCAL):
        return None
    source = socket.inet_ntop(family, found[_SOURCE]) if _SOURCE in found else None
    return Way(interface, source, not {_GATEWAY, _VIA} & found.keys(), kind == _LOCAL)


def neighbours() -> dict[str, str]:
    """Read the MACs of machines that the kernel knows on its links; link-local addresses have their zone."""
    found: dict[str, str] = {}
    with suppress(OSError, AttributeError):
        for told in _answers(_GET_NEIGHBOURS, _REQUEST | _DUMP, bytes(_NEIGHBOUR.size)):
            family, index, state, *_ = _NEIGHBOUR.unpack_from(told)
            its = dict(attributes(told, _NEIGHBOUR.size))
            ip, mac = its.get(1, b""), its.get(2, b"")
            if state & _KNOWN and family in (socket.AF_INET, socket.AF_INET6) and len(mac) == 6 and any(mac):
                found.setdefault(written(ip, socket.if_indextoname(index)), mac.hex(":"))
    return found


def written(packed: bytes, interface: str) -> str:
    """Write an address of 4 or 16 bytes that was met on an interface: a link-local one with its zone."""
    value = int.from_bytes(packed, "big") | (0xFFFF << 32 if len(packed) == 4 else 0)
    plain = text(value >> 64, value & (1 << 64) - 1)
    return f"{plain}%{interface}" if LINK_LOCAL.find(value) else plain


def own_addresses() -> list[Own]:
    """Read our IPv6 addresses that can be spoken from."""
    try:
        lines = _ADDRESSES.read_text("ascii").splitlines()
    except OSError:
        return []
    rows = (line.split() for line in lines)
    return [
        Own(name, written(bytes.fromhex(ip), name), int(length, 16))
        for ip, _, length, _, flags, name in rows
        if not int(flags, 16) & _UNUSABLE
    ]


def _attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(value), kind) + value


def _answers(kind: int, flags: int, body: bytes) -> Iterator[bytes]:
    """Ask the kernel; gives what each of its messages holds, none if it refuses. Raises OSError."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as asked:
        asked.settimeout(_PATIENCE_S)
        asked.bind((0, 0))
        asked.send(_HEADER.pack(_HEADER.size + len(body), kind, flags, 1, 0) + body)
        while True:
            block, at = asked.recv(_ANSWER_BYTES), 0
            while at + _HEADER.size <= len(block):
                length, told, *_ = _HEADER.unpack_from(block, at)
                if told <= _DONE or length < _HEADER.size:  # an error, or the end
                    return
                yield block[at + _HEADER.size : at + length]
                at += (length + 3) & ~3
            if not flags & _DUMP:
                return
