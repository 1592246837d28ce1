"""Where the lines, bars and names of the report's drawings stand; the template draws them. Units: pixels."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from scanner.model import Level
from scanner.report.summary import Bar, Day, Due, Judged

WIDTH = 960
"""Of a drawing; the page scales it."""
MARGIN = 40
PAST_DAYS = 365
"""Dates of the last year are drawn with those to come; older ones stand in the table."""
CLOSE = 104
"""Dates nearer than this to the one before are written a line lower."""
RELAYS = 12
"""Relays in the drawing; the list below it has more."""
CLIENTS = 5
"""Devices that are named beside each relay; the others are a number."""
ROW = 24
GAP = 18
LABEL = 22
"""Characters of a name in a drawing."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A date on the line of time."""

    x: float
    day: date
    lower: bool
    """Written a line lower."""
    devices: int
    """The most that one of its rows concerns."""
    past: bool


@dataclass(frozen=True, slots=True)
class Timeline:
    """The line of time."""

    marks: Sequence[Mark]
    today: float
    years: Sequence[tuple[float, int]]
    """Where years begin."""


def timeline(deadlines: Sequence[Due], as_of: date) -> Timeline | None:
    """The dates from a year ago on; None if there are none."""
    devices: dict[date, int] = defaultdict(int)
    for due in deadlines:
        if due.row.date and due.row.date >= as_of - timedelta(PAST_DAYS):
            devices[due.row.date] = max(devices[due.row.date], due.devices)
    if not devices:
        return None
    first, last = min(*devices, as_of), max(*devices, as_of)
    span = max((last - first).days, 1)

    def x(day: date) -> float:
        return round(MARGIN + (WIDTH - 3 * MARGIN) * (day - first).days / span, 1)

    marks: list[Mark] = []
    for day in sorted(devices):
        lower = bool(marks) and x(day) - marks[-1].x < CLOSE and not marks[-1].lower
        marks.append(Mark(x(day), day, lower, devices[day], day <= as_of))
    years = [(x(date(year, 1, 1)), year) for year in range(first.year + 1, last.year + 1)]
    return Timeline(marks, x(as_of), years)


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a bar."""

    x: float
    width: float
    kind: str
    count: int


def pieces(counts: Mapping[str, int], most: int, width: float) -> list[Piece]:
    """A bar of parts, as long as it is of the longest."""
    found, x = [], 0.0
    for kind, count in counts.items():
        if count:
            wide = width * count / most
            found.append(Piece(round(x, 1), round(max(wide, 1.5), 1), kind, count))
            x += wide
    return found


def bar_pieces(bars: Sequence[Bar], width: float) -> list[tuple[Bar, list[Piece]]]:
    """Bars with their parts, the worst verdict first."""
    most = max((bar.devices for bar in bars), default=1)
    return [
        (bar, pieces({level.value: bar.levels.get(level, 0) for level in Level}, most, width)) for bar in bars
    ]


def day_pieces(days: Sequence[Day], height: float) -> list[tuple[float, float, Day, list[Piece]]]:
    """Bars of days from the first to the last, each with its left edge, width and parts from the bottom."""
    if not days:
        return []
    first, last = days[0].day, days[-1].day
    step = (WIDTH - 2 * MARGIN) / ((last - first).days + 1)
    most = max(day.password + day.token + day.other for day in days)
    wide = round(min(max(step * 0.8, 0.5), 60), 2)
    return [
        (
            round(MARGIN + step * (day.day - first).days, 1),
            wide,
            day,
            pieces({"password": day.password, "token": day.token, "other": day.other}, most, height),
        )
        for day in days
    ]


@dataclass(frozen=True, slots=True)
class Box:
    """A device in the drawing of relays."""

    x: float
    y: float
    name: str
    """Empty: what is counted."""
    host: str
    level: str
    count: int = 0
    """How many devices it stands for where it has no name."""


@dataclass(frozen=True, slots=True)
class Relays:
    """The drawing of relays."""

    boxes: Sequence[Box]
    edges: Sequence[tuple[float, float, float, float]]
    height: float
    exit: tuple[float, float]
    """Where Exchange Online stands."""
    left_out: int
    """Relays that are not drawn."""


def relays(devices: Sequence[Judged], names: Mapping[str, str]) -> Relays | None:
    """Devices at the left, relays between, the way out at the right; None without relays."""
    known = {one.host.host: one for one in devices}
    every = sorted((one for one in devices if one.host.carries), key=lambda one: -len(one.host.carries))
    drawn = {one.host.host: one for one in every[:RELAYS]}
    if not drawn:
        return None
    hops = {name: [other for other in drawn if name in drawn[other].host.carries] for name in drawn}
    depths = _depths(hops)
    column = (WIDTH - 3 * 190) / max(max(depths.values()), 1)
    boxes: list[Box] = []
    edges: list[tuple[float, float, float, float]] = []
    places: dict[str, tuple[float, float]] = {}
    y = GAP
    for name in sorted(drawn, key=lambda name: (-depths[name], name)):
        clients = [one for one in drawn[name].host.carries if one not in drawn]
        named, rest = clients[:CLIENTS], len(clients) - CLIENTS
        rows = max(len(named) + (rest > 0), 1)
        middle = y + rows * ROW / 2 - ROW / 2
        places[name] = (WIDTH - 190 - 190 - column * (depths[name] - 1), middle)
        own = [
            Box(0, y + at * ROW, _short(names.get(one, one)), one, _level(known, one))
            for at, one in enumerate(named)
        ]
        if rest > 0:
            own.append(Box(0, y + len(named) * ROW, "", "", "", rest))
        edges += [(170, box.y, places[name][0], middle) for box in own]
        boxes += [*own, Box(*places[name], _short(names[name]), name, _level(known, name))]
        y += rows * ROW + GAP
    out = (WIDTH - 150, (y - ROW) / 2)
    for name, (x, at) in places.items():
        ends = [places[hop] for hop in hops[name]] or [out]
        edges += [(x + 170, at, *end) for end in ends]
    return Relays(boxes, edges, y, out, len(every) - len(drawn))


def _depths(hops: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """How many relays there are to the way out by the shortest way, each itself among them."""
    depths = {name: 1 for name, further in hops.items() if not further} or dict.fromkeys(hops, 1)
    while new := {
        name: 1 + min(depths[hop] for hop in further if hop in depths)
        for name, further in hops.items()
        if name not in depths and any(hop in depths for hop in further)
    }:
        depths |= new
    return dict.fromkeys(hops, 1) | depths


def _short(name: str) -> str:
    return name if len(name) <= LABEL else f"{name[: LABEL - 1]}…"


def _level(known: Mapping[str, Judged], name: str) -> str:
    return known[name].verdict.level.value if name in known else "unknown"
