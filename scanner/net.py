"""Addresses as numbers and back, sets of prefixes, makers of network cards, community ids.

Addresses are 128-bit numbers wherever they are compared; IPv4 is ``::ffff:a.b.c.d`` (RFC 4291 2.5.5.2). Bad
addresses raise ValueError: what comes off the wire is a number already and cannot be bad.
"""

from __future__ import annotations

import warnings
from base64 import b64encode
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from functools import lru_cache
from hashlib import sha1
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


def _parse_prefix(cidr: str) -> tuple[int, int]:
    """Read ``address/length`` or an address: first number, length of 128. ValueError if it is none."""
    address, slash, bits = cidr.partition("/")
    width = 128 if ":" in address else 32
    length = width
    if slash:
        if not (bits.isascii() and bits.isdigit()) or int(bits) > width:
            raise ValueError(f"not a prefix: {cidr!r}")
        length = int(bits)
    length += 128 - width
    host_bits = 128 - length
    return number(address) >> host_bits << host_bits, length


def prefix(cidr: str) -> str:
    """Write a prefix, or an address as one, in canonical form without host bits. ValueError if none."""
    first, length = _parse_prefix(cidr)
    is_ipv4 = length >= 96 and first >> 32 == 0xFFFF
    return f"{text(first >> 64, first & _HALF)}/{length - 96 if is_ipv4 else length}"


class Prefixes:
    """An immutable set of prefixes that finds the longest one that holds an address."""

    __slots__ = ("_owners", "_starts", "members", "ranges")

    members: tuple[str, ...]
    """The prefixes, canonical, as they were given."""
    ranges: tuple[tuple[int, int], ...]
    """First and last number of each block, merged and sorted: for comparing whole columns at once."""

    def __init__(self, cidrs: Iterable[str] = ()) -> None:
        """Take prefixes as text; ValueError names the first that is none."""
        self.members = tuple(dict.fromkeys(prefix(cidr) for cidr in cidrs))
        blocks = sorted((*_parse_prefix(member), member) for member in self.members)
        self._starts: list[int] = []
        self._owners: list[str | None] = []
        self._cut(blocks)
        self.ranges = tuple(self._merge())

    def _cut(self, blocks: list[tuple[int, int, str]]) -> None:
        """Cut all numbers into pieces owned by the longest prefix over them; prefixes nest or are apart."""
        open_blocks: list[tuple[int, str]] = []
        for first, length, member in blocks:
            self._close(open_blocks, first)
            self._mark(first, member)
            open_blocks.append((first + (1 << (128 - length)), member))
        self._close(open_blocks, 1 << 128)

    def _close(self, open_blocks: list[tuple[int, str]], until: int) -> None:
        while open_blocks and open_blocks[-1][0] <= until:
            end, _ = open_blocks.pop()
            self._mark(end, open_blocks[-1][1] if open_blocks else None)

    def _mark(self, start: int, owner: str | None) -> None:
        if self._starts and self._starts[-1] == start:
            self._owners[-1] = owner
        else:
            self._starts.append(start)
            self._owners.append(owner)

    def _merge(self) -> Iterator[tuple[int, int]]:
        first: int | None = None
        for start, owner in zip(self._starts, self._owners, strict=True):
            if first is None:
                first = start
            if owner is None:
                yield first, start - 1
                first = None

    def find(self, value: int) -> str | None:
        """Name the longest prefix that holds a 128-bit number."""
        place = bisect_right(self._starts, value) - 1
        return self._owners[place] if place >= 0 else None

    def __contains__(self, ip: str) -> bool:
        """Tell whether any prefix holds an address. ValueError if it is none."""
        return self.find(number(ip)) is not None

    def __len__(self) -> int:
        """Count the prefixes."""
        return len(self.members)


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
