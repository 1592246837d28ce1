"""What became of devices since a day: new ones, and those that are fixed, worse, or silent."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from scanner.model import SEVERITY, Host, Level, Usage, Verdict

Judge = Callable[[Host], Verdict]
_BAD = (Level.BROKEN, Level.BREAKS)


class Kind(StrEnum):
    """What changed."""

    WORSE = "worse"
    NEW = "new"
    """First heard mailing since."""
    FIXED = "fixed"
    """It was broken or would break, and what it does since then goes on."""
    SILENT = "silent"
    """It was broken or would break, and was not heard since: mended, off, or it mails seldom."""


@dataclass(frozen=True, slots=True)
class Change:
    """What changed of a device."""

    host: Host
    kind: Kind
    before: Level | None
    after: Level | None


def changes(
    hosts: Iterable[Host], since: int, before: Judge, after: Judge, fine: Container[str]
) -> Iterator[Change]:
    """Compare what devices did before a time (ns), as judged then, with what they do since.

    Each by its own doing: what a relay brings upon the devices behind it is told of the relay; but none is
    fixed behind one that is not among those that are ``fine``, by name.
    """
    for host in hosts:
        found = _change(host, since, before, after)
        if found and (found.kind is not Kind.FIXED or all(relay in fine for relay in host.behind)):
            yield found


def _change(host: Host, since: int, before: Judge, after: Judge) -> Change | None:
    old = tuple(use for use in host.usage if use.first_seen < since)
    new = tuple(use for use in host.usage if use.last_seen >= since)
    if not host.usage:
        return None
    if not old:
        return Change(host, Kind.NEW, None, _level(host, new, after))
    was = _level(host, old, before)
    if not new:
        return Change(host, Kind.SILENT, was, None) if was in _BAD else None
    now = _level(host, new, after)
    if SEVERITY[now] > SEVERITY[was]:
        return Change(host, Kind.WORSE, was, now)
    mended = was in _BAD and now is Level.FINE
    return Change(host, Kind.FIXED, was, now) if mended else None


def _level(host: Host, usage: tuple[Usage, ...], judge: Judge) -> Level:
    return judge(replace(host, usage=usage)).level
