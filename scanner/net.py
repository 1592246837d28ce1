"""Addresses as numbers and back, sets of prefixes, makers of network cards, community ids.

Addresses are 128-bit numbers wherever they are compared; IPv4 is ``::ffff:a.b.c.d`` (RFC 4291 2.5.5.2). Bad
addresses raise ValueError: what comes off the wire is a number already and cannot be bad.
"""

from __future__ import annotations

import warnings
from base64 import b64encode
from collections.abc import Iterable
from functools import lru_cache
from hashlib import sha1
from ipaddress import ip_network
from socket import AF_INET, AF_INET6, inet_ntop, inet_pton
from struct import pack

from scanner.conversation import Flow, Transport

_MAPPED = 0xFFFF << 32
_HALF = (1 << 64) - 1

_TEXTS_KEPT = 1 << 17
"""65,000 machines and as many servers stay in; beyond it a text is made anew, nothing is lost."""

_VENDORS_KEPT = 1 << 14
"""More makers than any site has; beyond it the registry is read again."""
_SHARED_OUIS = (0x0050C2, 0x40D855)
"""OUIs that IEEE divided into individual address blocks of twelve bits, each of another maker."""


def number(ip: str) -> int:
    """Turn an address into a 128-bit number; a zone (``%eth0``) is dropped. ValueError if it is none."""
    try:
        if ":" in ip:
            return int.from_bytes(inet_pton(AF_INET6, ip.partition("%")[0]), "big")
        return _MAPPED | int.from_bytes(inet_pton(AF_INET, ip), "big")
    except (OSError, UnicodeError, ValueError) as reason:
        raise ValueError(f"not an address: {ip!r}") from reason


@lru_cache(maxsize=_TEXTS_KEPT)
def text(high: int, low: int) -> str:
    """Write an address given as two 64-bit halves in canonical form (RFC 5952; IPv4-mapped as plain IPv4)."""
    if high == 0 and low >> 32 == 0xFFFF:
        return inet_ntop(AF_INET, (low & 0xFFFFFFFF).to_bytes(4, "big"))
    if high == 0 and 0x10000 <= low < 1 << 32:  # C libraries write these with dots, as if they were IPv4
        return f"::{low >> 16:x}:{low & 0xFFFF:x}"
    return inet_ntop(AF_INET6, pack(">QQ", high, low))


def canonical(ip: str) -> str:
    """Write an address as everything here writes it (RFC 5952). ValueError if it is none."""
    value = number(ip)
    return text(value >> 64, value & _HALF)


def prefix(cidr: str) -> str:
    """Write a prefix, or an address as one, in canonical form without host bits. ValueError if none."""
    return str(ip_network(cidr, strict=False))


def _block(cidr: str) -> tuple[int, int]:
    """The first number of a prefix, and its length of 128."""
    network = ip_network(cidr, strict=False)
    first, length = int(network.network_address), network.prefixlen
    return (first, length) if network.version == 6 else (_MAPPED | first, 96 + length)


class Prefixes:
    """An immutable set of prefixes that finds the longest one that holds an address."""

    __slots__ = ("_lengths", "_owners", "ranges")

    ranges: tuple[tuple[int, int], ...]
    """First and last number of each: for comparing whole columns at once."""

    def __init__(self, cidrs: Iterable[str] = ()) -> None:
        """Take prefixes as text; ValueError names the first that is none."""
        blocks = {_block(cidr): prefix(cidr) for cidr in cidrs}
        self.ranges = tuple((first, first + (1 << 128 - length) - 1) for first, length in blocks)
        self._owners = {(length, first >> 128 - length): cidr for (first, length), cidr in blocks.items()}
        self._lengths = sorted({length for _, length in blocks}, reverse=True)

    def find(self, value: int) -> str | None:
        """Name the longest prefix that holds a 128-bit number."""
        for length in self._lengths:
            if owner := self._owners.get((length, value >> 128 - length)):
                return owner
        return None

    def __contains__(self, ip: str) -> bool:
        """Tell whether any prefix holds an address. ValueError if it is none."""
        return self.find(number(ip)) is not None


INTERNAL = Prefixes(
    (
        "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16",  # RFC 1918
        "fc00::/7",  # RFC 4193
        "169.254.0.0/16", "fe80::/10",  # link-local: RFC 3927, RFC 4291 2.5.6
        "127.0.0.0/8", "::1/128",  # loopback: RFC 1122 3.2.1.3, RFC 4291 2.5.3
        "100.64.0.0/10",  # behind a carrier's NAT: RFC 6598
    )
)  # fmt: skip
"""Addresses that belong to the site; documentation prefixes (RFC 5737, 3849) do not."""
LINK_LOCAL = Prefixes(["fe80::/10"])
"""Addresses that mean something only together with a link (RFC 4291 2.5.6)."""


def is_internal(ip: str) -> bool:
    """Tell whether an address belongs to the site rather than to the Internet. ValueError if it is none."""
    return INTERNAL.find(number(ip)) is not None


def _mac_number(mac: str) -> int | None:
    digits = mac.replace(":", "").replace("-", "").replace(".", "")
    try:
        return int.from_bytes(bytes.fromhex(digits), "big") if len(digits) == 12 else None
    except ValueError:
        return None


def is_randomised(mac: str) -> bool:
    """Tell whether a MAC was made up by its owner: the locally administered bit (IEEE 802c 8.4) is set."""
    value = _mac_number(mac)
    return value is not None and bool(value >> 40 & 2)


def vendor(mac: str) -> str | None:
    """Name the maker of a network card by IEEE's registry; None if made up, a group's, or unregistered."""
    value = _mac_number(mac)
    if value is None or value >> 40 & 3:
        return None
    return _registered(value >> 12 << 12 if value >> 24 in _SHARED_OUIS else value >> 24 << 24)


@lru_cache(maxsize=_VENDORS_KEPT)
def _registered(block: int) -> str | None:
    """Look up the holder of a block of addresses, which is one for all cards in it."""
    with warnings.catch_warnings():  # netaddr leaves its index files for the garbage collector to close
        warnings.simplefilter("ignore", ResourceWarning)
        from netaddr import EUI, NotRegisteredError  # type: ignore[import-untyped]  # late: costs 75 ms and more

        try:
            eui = EUI(block, version=48)
            name = str(eui.iab.registration().org if eui.is_iab() else eui.oui.registration().org)
        except NotRegisteredError:
            return None
    # Blocks smaller than an OUI are registered elsewhere: there the OUI names the registry, not the maker.
    return None if name.casefold() in ("ieee registration authority", "private") else name


def community_id(flow: Flow, seed: int = 0) -> str:
    """Name a flow as other tools do: Community ID version 1 (github.com/corelight/community-id-spec)."""
    ends = []
    for ip, port in (flow.client, flow.server):
        packed = inet_pton(AF_INET6, ip) if ":" in ip else inet_pton(AF_INET, ip)
        ends.append((packed, port))
    (low, low_port), (high, high_port) = sorted(ends)
    protocol = 6 if flow.transport is Transport.TCP else 17
    told = pack(">H", seed) + low + high + pack(">BBHH", protocol, 0, low_port, high_port)
    return "1:" + b64encode(sha1(told, usedforsecurity=False).digest()).decode("ascii")
