"""What a kernel filter must let pass, so that user space misses nothing of what it follows or reads."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from scanner import announcements
from scanner.catalogue.exchange import Catalogue
from scanner.net import Prefixes
from scanner.wire.interest import MARKS
from scanner.wire.tunnels import TUNNEL_PORTS

Ranges = tuple[tuple[int, int], ...]
"""First and last number of each, sorted, apart from one another."""

MOST_RANGES_4, MOST_RANGES_6 = 80, 32
"""Ranges of addresses that a filter tells apart (our catalogue has 34 and 28); past it those nearest to one
another are taken together with what lies between, so that more passes, never less. A socket's filter may
weigh 20 KiB (``net.core.optmem_max``; six times that since Linux 6.9): with more it would not fit."""
_MAPPED, _OLD, _HALF = 0xFFFF << 32, 0xFFFFFFFF, 1 << 64


@dataclass(frozen=True, slots=True)
class Passing:
    """What is wanted, as numbers that a filter compares with."""

    tcp_ports: frozenset[int]
    """Followed from or to whomever."""
    udp_ports: frozenset[int]
    """Of announcements and of tunnels, from or to."""
    prefixes: Prefixes
    """Followed on any port."""
    marks: tuple[bytes, ...] = MARKS
    """Four bytes each; connections on other ports of which a segment begins so are followed from there."""

    @staticmethod
    def of(catalogue: Catalogue) -> Passing:
        """What a catalogue wants followed, and whatever is announced or may carry a mirror."""
        udp = announcements.ports() | TUNNEL_PORTS.keys()
        return Passing(catalogue.mail_ports, frozenset(udp), catalogue.prefixes)

    def like(self, other: Passing) -> bool:
        """Whether the same would pass."""
        mine, its = (
            (one.tcp_ports, one.udp_ports, sorted(one.prefixes.ranges), one.marks) for one in (self, other)
        )
        return mine == its

    @property
    def ranges_4(self) -> Ranges:
        """The prefixes of IPv4, as 32-bit numbers."""
        inside = [
            (first & _OLD, last & _OLD)
            for first, last in self.prefixes.ranges
            if first >= _MAPPED and last <= _MAPPED | _OLD
        ]
        return coarsened(inside, MOST_RANGES_4)

    @property
    def ranges_6(self) -> Ranges:
        """The others, by the upper 64 bits: a longer prefix takes in its neighbours, as in ``Interest``."""
        inside = [
            (first // _HALF, last // _HALF)
            for first, last in self.prefixes.ranges
            if not (first >= _MAPPED and last <= _MAPPED | _OLD)
        ]
        return coarsened(inside, MOST_RANGES_6)


def coarsened(ranges: Iterable[tuple[int, int]], most: int) -> Ranges:
    """Sort and join ranges that touch; where more than ``most`` are left, close the smallest gaps."""
    joined: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if joined and first <= joined[-1][1] + 1:
            joined[-1] = joined[-1][0], max(joined[-1][1], last)
        else:
            joined.append((first, last))
    gaps = sorted(range(1, len(joined)), key=lambda at: joined[at][0] - joined[at - 1][1], reverse=True)
    cuts = [0, *sorted(gaps[: most - 1]), len(joined)] if joined else [0]
    return tuple((joined[a][0], joined[b - 1][1]) for a, b in pairwise(cuts))
