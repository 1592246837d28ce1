"""Which time it is by what a server says: a greeting's date in SMTP, a response's Date in HTTP."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

WITHIN = 4096
"""Bytes that are looked at: a greeting, or a response's head."""
_SECOND = 1_000_000_000
_MONTHS = b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
_NUMBERS = {name: number for number, name in enumerate(_MONTHS, 1)}
TIMES_KEPT = 1024
"""Dates remembered: all that is said in one second has the same."""
_DATE = (
    rb"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), *(\d{1,2}) (" + b"|".join(_MONTHS) + rb") (\d{4})"
    rb" (\d\d):(\d\d):(\d\d) (?:GMT|UTC?|([+-])(\d\d)(\d\d))"
)
"""RFC 5322 3.3 with the zone that it demands, RFC 9110 5.6.7."""
_GREETING = re.compile(rb"220[ -][^\r\n]*?" + _DATE)
_RESPONSE = re.compile(rb"HTTP/1\.[01] (?:[^\r\n]*\r\n)*?Date: *" + _DATE, re.IGNORECASE)
_CACHED = re.compile(rb"\r\n(?:Age|X-Cache):", re.IGNORECASE)
"""Then the date may be that of another answer (RFC 9111 5.1)."""

AGREES_S = 2
"""Clocks that are not further apart agree: a greeting tells whole seconds, and comes some time after a
connection began."""
NO_CLOCK_S = 86_400
"""One that is further off is none: the capture was made up, or its clock was never set."""


def clock_ahead(greeting: str, at: int) -> int:
    """By how many seconds an SMTP server's clock was ahead of ours as it greeted so; ours said ``at`` (ns).

    0: they agree, or nothing is told.
    """
    stated = stated_time(b"220 " + greeting.encode("utf-8", "replace"))
    ahead = 0 if stated is None else round((stated - at) / _SECOND + 0.5)
    return ahead if AGREES_S < abs(ahead) < NO_CLOCK_S else 0


def stated_time(said: bytes) -> int | None:
    """Give the second (ns since 1970) that a server's first words were said in, by its own clock."""
    head = said[:WITHIN].partition(b"\r\n\r\n")[0]
    found = _GREETING.match(head) or (None if _CACHED.search(head) else _RESPONSE.match(head))
    return _read(*found.groups()) if found else None


@lru_cache(TIMES_KEPT)
def _read(
    day: bytes, month: bytes, year: bytes, hour: bytes, minute: bytes, second: bytes,
    sign: bytes | None, hours: bytes | None, minutes: bytes | None,
) -> int | None:  # fmt: skip
    try:
        at = datetime(int(year), _NUMBERS[month.title()], int(day), int(hour), int(minute), tzinfo=UTC)
        at += timedelta(seconds=int(second))
        if sign and hours and minutes:
            ahead = timedelta(hours=int(hours), minutes=int(minutes))
            at += -ahead if sign == b"+" else ahead
    except (ValueError, OverflowError):
        return None
    return int((at - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()) * _SECOND
