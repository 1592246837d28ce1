"""What several announcing protocols write or tell alike: cards, addresses, DNS names, lists."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Literal
from urllib.parse import urlsplit

from scanner.protocols.announcement import clean
from scanner.protocols.dns_names import read_name

VALUES_READ = 128
"""Values of one message read (machines send some fifteen); what stands behind is left."""
ADDRESSES_TOLD = 8
"""Addresses of one machine that its names are told of; those behind are not told."""


def card(raw: bytes) -> str | None:
    """Write a MAC of one machine as ``aa:bb:cc:dd:ee:ff``; None for zeros, a group's, or another length."""
    return raw.hex(":") if len(raw) == 6 and any(raw) and not raw[0] & 1 else None


def address(raw: bytes) -> str | None:
    """Write an address of one machine; None for none, a group's, all ones, or another length."""
    if len(raw) == 4 and 0 < raw[0] < 224:
        return str(IPv4Address(raw))
    if len(raw) == 16 and raw[0] != 0xFF and any(raw):
        return str(_plain(IPv6Address(raw)))
    return None


def domain_name(raw: bytes) -> str:
    """Read a DNS name as options hold it; empty for what is none.

    Without the last, empty label it is a part of a name, which is good as well (RFC 4702 2.3.1).
    """
    return clean(b".".join(read_name(raw + b"\0", 0)[0] or ()))


def values(
    raw: bytes, width: int, parted: Callable[[int], tuple[int, int]], order: Literal["big", "little"] = "big"
) -> Iterator[tuple[int, bytes]]:
    """Read code and value, one after the other, up to the first that is cut.

    Each has a head of ``width`` bytes, which ``parted`` makes the code and the length of the value of.
    """
    behind = 0
    for _ in range(VALUES_READ):
        begin = behind + width
        code, size = parted(int.from_bytes(raw[behind:begin], order))
        behind = begin + size
        if size < 0 or behind > len(raw):
            return
        yield code, raw[begin:behind]


def reachable(addresses: Iterable[IPv4Address | IPv6Address]) -> tuple[str, ...]:
    """Choose the addresses to know one machine by, in their order; empty where none is good for that.

    The inventory joins the addresses of a machine by its MAC, but a mirror port sees most machines through
    IPv4 only. So: all of its IPv4 addresses; only where there is none, those of IPv6; link-local ones
    (RFC 3927, RFC 4291 2.5.6) only where there is nothing else. Loopback, multicast, and no address at all
    (RFC 1122 3.2.1.3) are what a badly configured machine says: they are passed over.
    """
    ranked: dict[tuple[bool, int], list[str]] = {}
    for one in dict.fromkeys(map(_plain, addresses)):
        if not (one.is_loopback or one.is_multicast or one.is_unspecified or _limited(one)):
            ranked.setdefault((one.is_link_local, one.version), []).append(str(one))
    return tuple(ranked[min(ranked)][:ADDRESSES_TOLD]) if ranked else ()


def hosts_of(urls: Iterable[str]) -> tuple[str, ...]:
    """Choose the addresses to know a machine by that gives these URLs; a host that is a name tells none."""
    found = []
    for url in urls:
        try:
            found.append(ip_address(urlsplit(url.strip()).hostname or ""))
        except ValueError:
            continue
    return reachable(found)


def _plain(one: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """Without a zone, and not in the dress of IPv6."""
    return one if isinstance(one, IPv4Address) else one.ipv4_mapped or IPv6Address(int(one))


def _limited(one: IPv4Address | IPv6Address) -> bool:
    """Is it 0.x.x.x or 255.255.255.255?"""
    return one.version == 4 and (int(one) >> 24 == 0 or int(one) == 0xFFFFFFFF)
