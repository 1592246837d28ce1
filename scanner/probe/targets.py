"""Targets as people write them: addresses, prefixes, ranges and names, a file of them; and sets of spans.

Pure. Numbers are those of ``scanner.net``; a span is the first and the last of them.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from ipaddress import ip_network
from typing import NamedTuple

from scanner.net import LINK_LOCAL, number
from scanner.report.escape import visible

_SHOWN = 80
"""Characters of a target in an error: a file may hold anything."""
_LABEL = re.compile(r"\w(?:[\w-]{0,61}\w)?")
_NUMERIC = re.compile(r"\d+|0x[\da-f]*", re.IGNORECASE)
"""A last label like this is no name's: the resolver would take ``0x7f000001`` for an address."""
_ZONE = re.compile(r"[^\s%:/-][^\s%:/]{0,14}")
"""An interface's name (IFNAMSIZ)."""

Span = tuple[int, int]
"""First and last number."""


class ScopeError(ValueError):
    """What was asked for is not, or may not be, scanned; the text says why in one line."""


class Written(NamedTuple):
    """A target as the user wrote it."""

    text: str
    where: str = ""
    """``hosts.txt, line 3``; empty on the command line."""

    def wrong(self, why: str) -> ScopeError:
        """An error that names it, and where it is."""
        shown = visible(self.text if len(self.text) <= _SHOWN else f"{self.text[:_SHOWN]}…")
        return ScopeError(f"{visible(self.where)}{': ' if self.where else ''}{shown}: {why}")


def written(words: Iterable[str], lines: Callable[[str], Iterable[str]]) -> list[Written]:
    """Read targets of the command line; for ``@FILE`` and ``-`` (which is stdin) those of its lines.

    A line holds one target; ``#`` begins a comment. ScopeError where ``lines`` raises OSError, or no text.
    """
    found: list[Written] = []
    for word in words:
        if word != "-" and not word.startswith("@"):
            found.append(Written(word.strip()))
            continue
        file = word.removeprefix("@")
        name = "stdin" if file == "-" else file
        try:
            for count, line in enumerate(lines(file), 1):
                if target := line.partition("#")[0].strip():
                    found.append(Written(target, f"{name}, line {count}"))
        except (OSError, UnicodeError) as fault:
            why = fault.strerror if isinstance(fault, OSError) else None
            raise Written(name).wrong(why or "is not text") from None
    return found


def literal(target: str, whole: bool) -> tuple[Span, str] | None:
    """Understand an address, prefix or range, and its zone; None: it may be a name. ValueError says why.

    ``whole``: network and broadcast address of an IPv4 prefix belong to it, and link-local needs no zone.
    """
    body, percent, zone = target.partition("%")
    zone, slash, length = zone.partition("/")  # fe80::%eth0/64 (RFC 4007 11.7), and fe80::/64%eth0
    body += slash + length
    span = _plain(body, whole)
    if span is None:
        return None
    local = all(LINK_LOCAL.find(end) for end in span)
    if percent and (not local or not _ZONE.fullmatch(zone)):
        raise ValueError("an interface (%eth0) belongs to link-local IPv6 addresses, at the end")
    if local and not percent and not whole:
        raise ValueError("link-local: say on which interface, as in fe80::1%eth0")
    return span, zone


def _plain(body: str, whole: bool) -> Span | None:
    """Understand an address, prefix or range without a zone."""
    if "/" in body:
        try:
            network = ip_network(body, strict=False)
        except ValueError:
            raise ValueError("not a prefix") from None
        first, last = number(str(network[0])), number(str(network[-1]))
        if first >> 32 == 0xFFFF and last - first > 1 and not whole:  # a /31 has neither (RFC 3021)
            return first + 1, last - 1
        return first, last
    begin, dash, end = (part.strip() for part in body.partition("-"))
    try:
        first = number(begin)
    except ValueError:
        return None
    if not dash:
        return first, first
    if end.isascii() and end.isdigit() and "." in begin:
        end = f"{begin.rpartition('.')[0]}.{end}"
    try:
        last = number(end)
    except ValueError:
        raise ValueError("not a range") from None
    if last < first or (first >> 32 == 0xFFFF) != (last >> 32 == 0xFFFF):
        raise ValueError("a range that ends before it begins")
    return first, last


def is_name(name: str) -> bool:
    """Tell whether somebody can be called so (RFC 1123 2.1, and the underscores and letters of today)."""
    labels = name.removesuffix(".").split(".")
    legal = len(name) <= 253 and all(_LABEL.fullmatch(label) for label in labels)
    return legal and not _NUMERIC.fullmatch(labels[-1])


def size_of(spans: Iterable[Span]) -> int:
    """Count the numbers in disjoint spans."""
    return sum(last - first + 1 for first, last in spans)


def merged(spans: Iterable[Span]) -> list[Span]:
    """Sort spans, and join those that overlap or touch."""
    found: list[Span] = []
    for first, last in sorted(spans):
        if found and first <= found[-1][1] + 1:
            found[-1] = found[-1][0], max(last, found[-1][1])
        else:
            found.append((first, last))
    return found


def without(spans: Iterable[Span], cuts: Sequence[Span]) -> list[Span]:
    """Take ``cuts``, which are merged, out of spans."""
    found: list[Span] = []
    for first, last in spans:
        at = max(bisect_right(cuts, first, key=lambda cut: cut[0]) - 1, 0)
        while at < len(cuts) and cuts[at][0] <= last:
            if first < cuts[at][0]:
                found.append((first, cuts[at][0] - 1))
            first = max(first, cuts[at][1] + 1)
            at += 1
        if first <= last:
            found.append((first, last))
    return found
