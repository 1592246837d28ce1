"""Times as exports write them: ISO 8601, Unix seconds, or as people on a desk write dates."""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone, tzinfo

from scanner.importers.family import UnreadableRowError

SECOND = 1_000_000_000
FIRST_YEAR, LAST_YEAR = 1990, 2200
"""Outside of these a date is a fault, and nanoseconds in 63 bits end in 2262."""
UNDECIDED = 1000
"""Rows without a single date like 1/2/2026 after which no more are looked at for the order of its parts."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ISO = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]|$)")
_LOCAL = re.compile(
    r"(\d{1,4})([./-])(\d{1,2})\2(\d{1,4})"
    r"(?:,?\s+(\d{1,2}):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?\s*(?:([AaPp])\.?\s?[Mm]\.?)?)?"
    r"\s*(Z|UTC|GMT|[+-]\d\d:?\d\d)?"
)
"""``11/25/2026, 3:04:05.123 PM`` (the last space may be U+202F: CLDR) or ``25.11.2026 15:04``."""


def nanoseconds(text: str, zone: tzinfo, day_first: bool | None) -> int:
    """A time, ns; ``zone`` where it tells none. Raises ``UnreadableRowError``."""
    text = text.strip()
    try:
        at = _parsed(text, day_first)
        at = at if at.tzinfo else at.replace(tzinfo=zone)
        if FIRST_YEAR <= at.year <= LAST_YEAR:
            since = at - _EPOCH
            return (since.days * 86_400 + since.seconds) * SECOND + since.microseconds * 1000
    except (ValueError, OverflowError):
        pass
    raise UnreadableRowError(f"no time: {text[:40]!r}")


def day_first(texts: Iterable[str]) -> tuple[bool | None, bool]:
    """Whether the day stands before the month, by the first date that tells; and whether any left it open."""
    asked = False
    for number, text in enumerate(texts):
        found = _LOCAL.fullmatch(text.strip())
        if found and _open(found):
            one, two = int(found[1]), int(found[3])
            if one > 12 or two > 12:
                return one > 12, asked
            asked = asked or one != two
        if number >= UNDECIDED and not asked:
            break
    return None, asked


def lacks_zone(text: str) -> bool:
    """Whether a time does not say its zone."""
    with suppress(ValueError, UnreadableRowError):
        return _parsed(text.strip(), False).tzinfo is None
    return False


def zone_of(text: str) -> tzinfo | None:
    """A zone by its offset, such as ``+01:00``; None if it is none."""
    found = re.fullmatch(r"([+-])(\d\d):?(\d\d)", text)
    if not found or int(found[2]) > 23 or int(found[3]) > 59:
        return None
    offset = timedelta(hours=int(found[2]), minutes=int(found[3]))
    return timezone(-offset if found[1] == "-" else offset)


def _parsed(text: str, first: bool | None) -> datetime:
    return datetime.fromisoformat(text) if _ISO.match(text) else _local(text, first)


def _open(found: re.Match[str]) -> bool:
    """Whether the order of day and month is not told by how it is written: with dots the day stands first."""
    return found[2] != "." and len(found[1]) <= 2


def _local(text: str, first: bool | None) -> datetime:
    found = _LOCAL.fullmatch(text)
    if not found:
        raise ValueError(text)
    one, two, three = int(found[1]), int(found[3]), int(found[4])
    if len(found[1]) == 4:
        year, month, day = one, two, three
    else:
        year = three if len(found[4]) == 4 else 2000 + three
        if found[2] == ".":
            first = True
        if first is None and one != two:
            first = one > 12
            if one <= 12 and two <= 12:
                raise UnreadableRowError(f"day or month first? {text[:40]!r}; --dates tells")
        day, month = (one, two) if first else (two, one)
    hour, minute, second = (int(found[at] or 0) for at in (5, 6, 7))
    if half := found[9]:
        if not 1 <= hour <= 12:
            raise ValueError(text)
        hour = hour % 12 + 12 * (half in "Pp")
    micro = int((found[8] or "0")[:6].ljust(6, "0"))
    zone = UTC if (found[10] or "").isalpha() else zone_of(found[10] or "")
    if found[10] and zone is None:
        raise ValueError(text)
    return datetime(year, month, day, hour, minute, second, micro, zone)
