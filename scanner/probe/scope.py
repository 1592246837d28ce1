"""What may be touched: the addresses that the user named less those he excluded, and nothing else.

Pure: names are resolved by a function that is passed in. Numbers are those of ``scanner.net``. A link-local
address means something only together with its link (RFC 4007 6): the bits above the 128 count zones.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate
from math import ceil, gcd
from random import Random
from typing import NamedTuple

from scanner.net import INTERNAL, LINK_LOCAL, Prefixes, canonical, number, text
from scanner.probe.targets import (
    ScopeError,
    Span,
    Written,
    is_name,
    literal,
    merged,
    size_of,
    without,
)
from scanner.report.escape import visible

MOST_WITHOUT_YES = 1 << 16
"""Addresses, a /16: beyond it somebody has mistyped a prefix, or is to say that he means it."""
MOST_WALKED = 1 << 16
"""Addresses of an IPv6 prefix or range that are asked one by one: a /64 would take 3 billion years."""
MOST_PLANNED = 20
"""Targets with a line of their own in the plan, which is to be read before it is too late."""
_GOLDEN = (5**0.5 - 1) / 2
_NOBODY = Prefixes(["0.0.0.0/32", "255.255.255.255/32", "224.0.0.0/4", "::/128", "ff00::/8"])
"""Unspecified, broadcast, multicast (RFC 6890, RFC 5771, RFC 4291 2.7): none of them is a machine."""
_RESERVED = Prefixes(["0.0.0.0/8", "127.0.0.0/8", "240.0.0.0/4", "::/8", "::ffff:0:0/96", "fe80::/10"])
"""Nobody means these by a prefix that merely spans them (RFC 6890); what lies within one was meant."""
Resolve = Callable[[str], Iterable[str]]
"""All addresses of a name, link-local ones with their zone; raises OSError."""


class Target(NamedTuple):
    """What became of a target."""

    text: str
    spans: tuple[Span, ...]
    """Disjoint; without what is excluded, reserved or nobody's."""
    large: bool
    """IPv6 that cannot be walked: found by multicast, and by what is known already."""

    @property
    def size(self) -> int:
        """Addresses."""
        return size_of(self.spans)


class Scope:
    """Addresses that may be touched, as few spans however many they are."""

    def __init__(
        self,
        targets: Iterable[Written],
        excludes: Iterable[Written] = (),
        *,
        resolve: Resolve,
        allow_public: bool = False,
        yes: bool = False,
    ) -> None:
        """Read targets and excludes, which win. ScopeError for what is no target, nothing, or too much."""
        self.names: dict[str, str] = {}
        """Of addresses that were named: the first name that each was found by."""
        self._zones = [""]
        self._resolve = resolve
        self._resolved: dict[str, list[str]] = {}
        named = [(target, self._spans(target, whole=False)) for target in targets]
        cuts = self._everywhere([span for target in excludes for span in self._spans(target, whole=True)])
        self.targets = tuple(_target(target, spans, cuts) for target, spans in named)
        """In the order they were given."""
        self._walked = merged(span for one in self.targets if not one.large for span in one.spans)
        self._held = merged(span for one in self.targets for span in one.spans)
        self._ends = list(accumulate(last - first + 1 for first, last in self._walked))
        asked = merged(span for _, spans in named for span in spans if not _is_large(span))
        self.excluded = size_of(asked) - size_of(without(asked, cuts))
        """Addresses that were named and excluded, but for those too many to count."""
        if not allow_public:
            self._refuse_public(named)
        if not self._held:
            raise ScopeError("no address is left to ask")
        if len(self) > MOST_WITHOUT_YES and not yes:
            raise ScopeError(f"{len(self):,} addresses: more than {MOST_WITHOUT_YES:,} need --yes")

    def __len__(self) -> int:
        """Addresses that are asked one by one."""
        return self._ends[-1] if self._ends else 0

    def __contains__(self, ip: object) -> bool:
        """Tell whether an address may be touched; link-local ones only with their zone's name. ValueError."""
        value = self._value(str(ip))
        at = bisect_right(self._held, value, key=lambda span: span[0])
        return at > 0 and value <= self._held[at - 1][1]

    def walks(self, ip: str) -> bool:
        """Tell whether an address is among those that are asked one by one. ValueError."""
        value = self._value(ip)
        at = bisect_right(self._walked, value, key=lambda span: span[0])
        return at > 0 and value <= self._walked[at - 1][1]

    def wants_all(self, ip: str, length: int) -> bool:
        """Tell whether all on the link where we have this address may be asked at once. ValueError.

        They may where the address's own prefix there, of this length, shares something with a large one.
        """
        apart = (1 << 128 - length) - 1
        value = self._value(ip)
        spans = (span for target in self.targets if target.large for span in target.spans)
        return any(first <= value | apart and value & ~apart <= last for first, last in spans)

    def addresses(self, seed: int = 0, start: int = 0) -> Iterator[str]:
        """Give all that are asked one by one, from the so-manyth on, in an order that a seed decides.

        Steps of the golden ratio, so that neighbours, which hang on one switch, are never asked in a row.
        """
        count = len(self)
        step = _coprime(count)
        begin = Random(seed).randrange(count) if count else 0
        for turn in range(start, count):
            yield self._address((begin + turn * step) % count)

    def _value(self, ip: str) -> int:
        """The number of an address, with its zone's if it matters; -1: a zone that nobody named."""
        value, zone = number(ip), ip.partition("%")[2]
        if not LINK_LOCAL.find(value):
            return value
        return value | self._zones.index(zone) << 128 if zone in self._zones else -1

    def _address(self, index: int) -> str:
        at = bisect_right(self._ends, index)
        return self._text(self._walked[at][1] + 1 - (self._ends[at] - index))

    def _text(self, value: int) -> str:
        zone = self._zones[value >> 128]
        plain = text.__wrapped__((value >> 64) & (1 << 64) - 1, value & (1 << 64) - 1)  # needed but once
        return f"{plain}%{zone}" if zone else plain

    def _spans(self, target: Written, whole: bool) -> list[Span]:
        """Understand a target; ``whole``: with network and broadcast address, and link-local on any link."""
        try:
            span = self._literal(target.text, whole)
        except ValueError as fault:
            raise target.wrong(str(fault)) from None
        if span:
            return [span]
        if not is_name(target.text):
            raise target.wrong("not an address, prefix, range or name")
        return [(value, value) for value in self._found(target)]

    def _found(self, target: Written) -> list[int]:
        """Resolve a name, once; a link-local address without its link leads nowhere."""
        name = target.text.casefold()
        if name not in self._resolved:
            try:
                self._resolved[name] = list(self._resolve(target.text))
            except OSError as fault:
                raise target.wrong(f"no address found: {fault.strerror or fault}") from None
        values = []
        for ip in self._resolved[name]:
            try:
                if span := self._literal(ip, whole=False):
                    values.append(span[0])
                    self.names.setdefault(ip if "%" in ip else canonical(ip), target.text)
            except ValueError:
                continue
        if not values:
            raise target.wrong("no address found")
        return values

    def _literal(self, target: str, whole: bool) -> Span | None:
        """Understand what is no name, and count its zone."""
        found = literal(target, whole)
        if found is None:
            return None
        (first, last), zone = found
        if zone not in self._zones:
            self._zones.append(zone)
        plane = self._zones.index(zone) << 128
        return plane | first, plane | last

    def _everywhere(self, spans: Sequence[Span]) -> list[Span]:
        """Excludes without a zone hold in all of them."""
        planes = [plane << 128 for plane in range(len(self._zones))]
        plain = [span for span in spans if span[1] >> 128 == 0]
        zoned = [span for span in spans if span[1] >> 128]
        return merged([*zoned, *((plane | first, plane | last) for first, last in plain for plane in planes)])

    def _refuse_public(self, named: Sequence[tuple[Written, list[Span]]]) -> None:
        for (target, _), left in zip(named, self.targets, strict=True):
            plain = [span for span in left.spans if span[1] >> 128 == 0]
            for first, _ in without(plain, _INTERNAL):
                raise target.wrong(f"{self._text(first)} is a public address: that needs --allow-public")


def plan(
    scope: Scope, ports: Sequence[int], rate: int, per_host: int, nobody: int, somebody: int
) -> list[str]:
    """Say what will be asked, a line each; rates are probes a second, 0: no limit.

    ``nobody``: probes that an address gets though nobody is there; ``somebody``: further ones if somebody is.
    """
    lines = []
    for target in scope.targets[:MOST_PLANNED]:
        what = "by multicast, and what is known" if target.large else _counted(target.size)
        lines.append(f"{visible(target.text)}: {what if target.spans else 'all excluded'}")
    if (more := len(scope.targets) - MOST_PLANNED) > 0:
        lines.append(f"and {more:,} more targets")
    if scope.excluded:
        lines.append(f"excluded: {_counted(scope.excluded)}")
    count = len(scope)
    lines.append(f"asked: {_counted(count)}, {len(ports)} ports ({' '.join(map(str, ports))})")
    limits = [f"{rate:,} probes a second" if rate else "", f"{per_host:,} a host" if per_host else ""]
    limit = ", ".join(filter(None, limits))
    if not limit:
        return [*lines, "as fast as it goes"]
    least = _seconds(count, nobody, rate, per_host)
    most = least + _seconds(count, somebody, rate, per_host)
    return [*lines, f"at most {limit}: {_time(least)} if nobody is there, {_time(most)} if everybody is"]


def _seconds(hosts: int, each: int, rate: int, per_host: int) -> float:
    """How long probes take at least."""
    return max(hosts * each / rate if rate else 0.0, each / per_host if per_host and hosts else 0.0)


def _counted(count: int) -> str:
    return f"{count:,} address{'' if count == 1 else 'es'}"


def _time(seconds: float) -> str:
    """Write a time in the unit that it is thought of in."""
    for unit, size in (("h", 3600), ("min", 60)):
        if seconds >= 3 * size:
            return f"{ceil(seconds / size):,} {unit}"
    return f"{ceil(seconds)} s"


def _target(target: Written, spans: list[Span], cuts: list[Span]) -> Target:
    """Take away what nobody has, what is reserved and was not meant, and what is excluded. ScopeError."""
    meant: list[Span] = []
    for first, last in spans:
        spared = [one for one in _RESERVED.ranges if not one[0] <= first <= last <= one[1]]
        meant += without([(first, last)], merged([*spared, *_NOBODY.ranges]))
    if not meant:
        raise target.wrong("not the address of a machine")
    return Target(target.text, tuple(without(merged(meant), cuts)), any(map(_is_large, spans)))


def _is_large(span: Span) -> bool:
    return span[0] >> 32 != 0xFFFF and span[1] - span[0] >= MOST_WALKED


_INTERNAL = merged(INTERNAL.ranges)


def _coprime(count: int) -> int:
    """A step near the golden section of a circle that visits all of it."""
    step = max(int(count * _GOLDEN), 1)
    while gcd(step, count) > 1:
        step += 1
    return step
