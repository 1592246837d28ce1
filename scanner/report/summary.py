"""What a report says in sum: how many devices break when, what that rests on, by what one may sort them.

All of it is counted from hosts and their verdicts; nothing here knows a language.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from scanner.catalogue.retirement import Deadline
from scanner.model import AuthClass, Host, Level, Observation, Reason, Usage, Verdict
from scanner.report.changes import Change
from scanner.report.records import Record
from scanner.services import Scan
from scanner.totals import HOUR_NS, RunTotals

BARS = 8
"""Bars of a chart; what is rarer is one bar more."""
LOST = ("dropped", "unwritten", "gaps", "evicted", "truncated", "fragments_dropped")
"""What of ``RunTotals`` a reader should know of."""
OTHERS = "others"
Levels = Mapping[Level, int]


@dataclass(frozen=True, slots=True)
class Judged:
    """A host, what becomes of it, and its record."""

    host: Host
    verdict: Verdict
    record: Record


@dataclass(frozen=True, slots=True)
class Basis:
    """What the figures rest on."""

    runs: int
    hours: float
    packets: int
    sessions: int
    lost: Mapping[str, int]
    """By name of ``LOST``; what is none is left out."""
    down_hours: float
    """How long interfaces were away."""
    first_at: int | None
    """ns"""
    last_at: int | None
    """ns"""
    scans: int
    scanned: Scan | None
    """The last."""


@dataclass(frozen=True, slots=True)
class Due:
    """A date of the table, and how many devices it concerns."""

    row: Deadline
    devices: int


@dataclass(frozen=True, slots=True)
class Bar:
    """Devices that have something in common."""

    label: str | None
    """None: it is not known; ``OTHERS``: what is rarer."""
    levels: Levels

    @property
    def devices(self) -> int:
        """All of them."""
        return sum(self.levels.values())


@dataclass(frozen=True, slots=True)
class Day:
    """Sessions of a day, by what their logins rest on."""

    day: date
    password: int = 0
    token: int = 0
    other: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """All that is reported, the worst devices first."""

    as_of: date
    devices: Sequence[Judged]
    basis: Basis
    deadlines: Sequence[Due]
    days: Sequence[Day] = ()
    latest: Mapping[str, Sequence[Observation]] = field(default_factory=dict)
    """Sessions by name of host, the newest first."""
    since: date | None = None
    changes: Sequence[Change] = ()

    @property
    def levels(self) -> Levels:
        """How many devices there are of each verdict, the worst first."""
        counts = Counter(one.verdict.level for one in self.devices)
        return {level: counts[level] for level in Level}

    @property
    def breaking(self) -> list[tuple[date | None, int]]:
        """How many devices break on which day, the next first; None: no day was announced."""
        days = Counter(one.verdict.deadline for one in self.devices if one.verdict.level is Level.BREAKS)
        return sorted(days.items(), key=lambda pair: pair[0] or date.max)

    def bars(self, labels: Callable[[Host], Iterable[str | None]]) -> list[Bar]:
        """Count devices by what they have; a device may have several."""
        counts: dict[str | None, Counter[Level]] = defaultdict(Counter)
        for one in self.devices:
            for label in set(labels(one.host)):
                counts[label][one.verdict.level] += 1
        ranked = sorted(counts.items(), key=lambda pair: (-pair[1].total(), pair[0] or ""))
        bars = [Bar(label, levels) for label, levels in ranked[:BARS]]
        rest = sum((levels for _, levels in ranked[BARS:]), Counter[Level]())
        return [*bars, Bar(OTHERS, rest)] if rest else bars


def basis(runs: Sequence[RunTotals], scans: Sequence[Scan]) -> Basis:
    """Sum up what was listened to and scanned; of ``scans`` the newest stands first."""
    spans = [(one.first_at, one.last_at or one.first_at) for one in runs if one.first_at is not None]
    lost = {name: sum(getattr(one, name) for one in runs) for name in LOST}
    return Basis(
        runs=len(runs),
        hours=sum(last - first for first, last in spans) / HOUR_NS,
        packets=sum(one.packets for one in runs),
        sessions=sum(one.observations for one in runs),
        lost={name: count for name, count in lost.items() if count},
        down_hours=sum(one.down_ns for one in runs) / HOUR_NS,
        first_at=min((first for first, _ in spans), default=None),
        last_at=max((last for _, last in spans), default=None),
        scans=len(scans),
        scanned=scans[0] if scans else None,
    )


def due(rows: Iterable[Deadline], verdicts: Iterable[Verdict]) -> list[Due]:
    """Count for each date the devices that it concerns: one of their reasons stands on it."""
    counts: Counter[tuple[date | None, str]] = Counter()
    for verdict in verdicts:
        counts.update({(one.deadline, one.source) for one in verdict.reasons if _matters(one)})
    return [Due(row, counts[row.date, row.source]) for row in rows]


def _matters(reason: Reason) -> bool:
    return reason.level in (Level.BROKEN, Level.BREAKS, Level.REVIEW)


_TOKENS = (AuthClass.OAUTH, AuthClass.CERTIFICATE, AuthClass.COOKIE, AuthClass.KERBEROS)
_KINDS = {
    AuthClass.BASIC: "password",
    AuthClass.DIGEST: "password",
    AuthClass.NTLM: "password",
    **dict.fromkeys(_TOKENS, "token"),
}
_EPOCH = date(1970, 1, 1).toordinal()


def days(counted: Iterable[tuple[int, str, int]]) -> list[Day]:
    """Sessions a day from counts by day (of 1970 on) and class of login."""
    sums: dict[int, Counter[str]] = defaultdict(Counter)
    for day, kind, sessions in counted:
        sums[day][_KINDS.get(AuthClass(kind), "other")] += sessions
    return [Day(date.fromordinal(_EPOCH + day), **kinds) for day, kinds in sorted(sums.items())]


def protocols(host: Host) -> list[str | None]:
    """What a host speaks, as people call it."""
    return [protocol_of(use) for use in host.usage]


def protocol_of(use: Usage) -> str | None:
    """A usage's protocol, or Exchange's service on the web."""
    name = use.protocol if use.protocol == "smtp" else use.service or use.protocol
    return name.upper() if name else None


def mechanisms(host: Host) -> list[str | None]:
    """How a host logs in; ``NONE``: not at all."""
    return [use.mechanism or (_NO_LOGIN if use.auth_class is AuthClass.NONE else None) for use in host.usage]


_NO_LOGIN = AuthClass.NONE.value


def makers(host: Host) -> list[str | None]:
    """Who made a host, else its network card."""
    return [host.device.vendor or host.vendor]
