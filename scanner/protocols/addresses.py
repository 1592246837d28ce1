"""Which of the addresses that a machine tells it is known by: what mDNS, SSDP and others share."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import urlsplit

ADDRESSES_TOLD = 8
"""Addresses of one machine that its names are told of; those behind are not told."""


def reachable(addresses: Iterable[IPv4Address | IPv6Address]) -> tuple[str, ...]:
    """Choose the addresses to know one machine by, in their order; empty where none is good for that.

    The inventory joins the addresses of a machine by its MAC, but a mirror port sees most machines through
    IPv4 only. So: all of its IPv4 addresses; only where there is none, those of IPv6; link-local ones
    (RFC 3927, RFC 4291 2.5.6) only where there is nothing else. Loopback, multicast, and no address at all
    (RFC 1122 3.2.1.3) are what a badly configured machine says: they are passed over.
    """
    ranked: dict[tuple[bool, int], list[str]] = {}
    for address in dict.fromkeys(map(_plain, addresses)):
        if not (address.is_loopback or address.is_multicast or address.is_unspecified or _limited(address)):
            ranked.setdefault((address.is_link_local, address.version), []).append(str(address))
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


def _plain(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """Without a zone, and not in the dress of IPv6."""
    return address if isinstance(address, IPv4Address) else address.ipv4_mapped or IPv6Address(int(address))


def _limited(address: IPv4Address | IPv6Address) -> bool:
    """Is it 0.x.x.x or 255.255.255.255?"""
    return address.version == 4 and (int(address) >> 24 == 0 or int(address) == 0xFFFFFFFF)
