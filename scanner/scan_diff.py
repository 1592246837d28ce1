"""What two scans of the same scope do not agree on: pure, over the services that each found."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from enum import StrEnum
from ipaddress import ip_address
from typing import Any

from scanner.services import Answered, Service

_IGNORED = frozenset({"host", "port", "at", "detail"})
"""Where it is, and what is another each time."""
_COMPARED = tuple(field.name for field in fields(Service) if field.name not in _IGNORED)
_PASSING = re.compile(
    r"\[[0-9A-F]{16}\]"  # Exchange: the connection's id
    r"|<[^<>@ ]{1,100}@[^<> ]{1,255}>"  # POP3: APOP's timestamp (RFC 1939 7)
    r"|(?:\w{3}, )?\d{1,2} \w{3} \d{4} \d\d:\d\d:\d\d(?: [+-]\d{4}| \(?\w{2,4}\)?)*"  # RFC 5322 3.3
    r"|\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d\S{0,10}"  # RFC 3339
)
"""What of a greeting is another each time."""
_NOBODY = (Answered.REFUSED, Answered.FILTERED)


class Kind(StrEnum):
    """What happened to a service."""

    APPEARED = "appeared"
    GONE = "gone"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class ServiceChange:
    """What of a port is not as it was."""

    kind: Kind
    before: Service | None
    """None: it was not found; likewise ``after``."""
    after: Service | None
    changed: tuple[str, ...] = ()
    """Names of the fields that differ, where it changed."""

    @property
    def place(self) -> tuple[str, int]:
        """Address and port."""
        one = self.after or self.before
        return (one.host, one.port) if one else ("", 0)


def changes(earlier: Iterable[Service], later: Iterable[Service]) -> Iterator[ServiceChange]:
    """Tell what appeared, went or changed between two scans, by address and port.

    A port where nobody listens is as one that was not found; so both scans should be of the same scope.
    """
    before, after = _by_place(earlier), _by_place(later)
    for place in sorted(before.keys() | after.keys(), key=_order):
        old, new = before.get(place), after.get(place)
        was, is_now = _listens(old), _listens(new)
        if was and is_now and old and new:
            if changed := tuple(name for name in _COMPARED if _steady(old, name) != _steady(new, name)):
                yield ServiceChange(Kind.CHANGED, old, new, changed)
        elif was or is_now:
            yield ServiceChange(Kind.GONE if was else Kind.APPEARED, old, new)


def _by_place(some: Iterable[Service]) -> dict[tuple[str, int], Service]:
    return {(one.host, one.port): one for one in some}


def _order(place: tuple[str, int]) -> tuple[int, int, int]:
    address = ip_address(place[0])
    return address.version, int(address), place[1]


def _listens(service: Service | None) -> bool:
    return service is not None and service.outcome not in _NOBODY


def _steady(service: Service, name: str) -> Any:
    value = getattr(service, name)
    return _PASSING.sub("", value) if name == "banner" and value else value
