"""The report as one page: it needs no network, runs no script but its own, and prints."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from functools import cache
from math import ceil
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from scanner.model import Level
from scanner.report import drawing, summary
from scanner.report.changes import Kind
from scanner.report.escape import visible
from scanner.report.languages import Language
from scanner.report.packing import Packer, advised, as_script
from scanner.report.records import Record
from scanner.report.summary import Bar, Due, Judged, Report
from scanner.report.views import called, short_source, what
from scanner.version import __version__

WITHOUT_SCRIPT = 500
"""Devices in the list that stands there for those without JavaScript: more would double the page."""
CHANGES_SHOWN = 200
"""Devices of each kind of change; who has more compares spreadsheets."""
BAR_WIDTH, DAYS_HEIGHT = 200, 120
RELAYS_LISTED = 50
LIVE = "connect-src 'self'; "


def html(report: Report, language: Language, live: str | None = None) -> Iterator[str]:
    """Write the page, piece by piece; ``live``: as it is served, where this tells one state from another."""
    template = environment().get_template("report.html.j2")
    return template.generate(**context(report, language, live))


@cache
def environment() -> Environment:
    """Templates: everything is escaped, and what came off the wire is made visible first."""
    found = Environment(
        loader=PackageLoader("scanner.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: visible(value) if type(value) is str else value,
    )
    found.globals |= {"bar_pieces": drawing.bar_pieces, "Level": Level, "OTHERS": summary.OTHERS}
    found.filters |= {"site": short_source, "web": is_web_address}
    return found


def context(report: Report, language: Language, live: str | None = None) -> dict[str, Any]:
    """What the template asks for."""
    style, script = (_asset(name) for name in ("report.css", "report.js"))
    names = {one.host.host: name_of(one.record) for one in report.devices}
    return {
        "report": report,
        "language": language,
        "say": language.say,
        "version": __version__,
        "style": style,
        "script": script,
        "live": live,
        "live_script": _asset("live.js"),
        "policy": policy(live is not None),
        "headline": headline(report, language),
        "basis": rests_on(report, language),
        "data": as_script(Packer(language).packed(report)),
        "rows": [due for due in report.deadlines if _is_shown(due, report.as_of)],
        "past_rows": [due for due in report.deadlines if not _is_shown(due, report.as_of)],
        "timeline": drawing.timeline(report.deadlines, report.as_of),
        "charts": _charts(report, language),
        "bar_width": BAR_WIDTH,
        "days": drawing.day_pieces(report.days, DAYS_HEIGHT),
        "busiest": max(report.days, key=lambda day: day.password + day.token + day.other, default=None),
        "relays": drawing.relays(report.devices, names),
        "relay_list": [one for one in report.devices if one.host.carries][:RELAYS_LISTED],
        "names": names,
        "changes": [(kind, _changed(report, kind)) for kind in Kind],
        "changes_shown": CHANGES_SHOWN,
        "worst": [_row(one, language) for one in report.devices[:WITHOUT_SCRIPT]],
        "protocols": sorted({one for each in report.devices for one in summary.protocols(each.host) if one}),
        "drawn": drawing,
    }  # fmt: skip


def policy(live: bool = False) -> str:
    """What the page may do (CSP 3): run its scripts, use its style, if ``live`` hear of changes; no more."""
    scripts = ("report.js", "live.js") if live else ("report.js",)
    return (
        f"default-src 'none'; script-src {' '.join(_hash(_asset(name)) for name in scripts)}; "
        f"style-src {_hash(_asset('report.css'))}; {LIVE if live else ''}"
        "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    )


def headline(report: Report, language: Language) -> list[str]:
    """How many break when, how many are broken, how many nobody can tell of: the parts of a sentence."""
    if not report.devices:
        return [language.say("nothing")]
    said: list[str] = []
    for day, count in report.breaking:
        key = "breaks_undated" if day is None else "breaks_more" if said else "breaks_first"
        said.append(language.say(key, n=count, day=day))
    said = said or [language.say("breaks_none")]
    for level in (Level.BROKEN, Level.UNKNOWN):
        if count := report.levels[level]:
            said.append(language.say(f"{level}_more", n=count))
    return said


def rests_on(report: Report, language: Language) -> list[str]:
    """What the figures rest on, in sentences."""
    basis, say = report.basis, language.say
    if not basis.runs:
        said = [say("not_listened")]
    else:
        span = _span(basis.hours, language)
        heard = say("listened", n=basis.runs, span=span, packets=basis.packets, sessions=basis.sessions)
        said = [heard]
        if basis.first_at is not None and basis.last_at is not None:
            said.append(say("from_to", first=_day(basis.first_at), last=_day(basis.last_at)))
        lost = [say(f"lost_{name}", n=count) for name, count in basis.lost.items()]
        if basis.down_hours:
            lost.append(say("lost_down", span=_span(basis.down_hours, language)))
        said.append(say("lost", what=", ".join(lost)) if lost else say("lost_nothing"))
    if basis.scanned:
        totals, day = basis.scanned.totals, _day(basis.scanned.began)
        said.append(say("scanned", n=basis.scans, addresses=totals.addresses, hosts=totals.hosts, day=day))
    else:
        said.append(say("not_scanned"))
    return [*said, say("honest")]


def name_of(record: Record) -> str:
    """What a device is called: the name heard last, else an address."""
    names = called(record)
    return visible(names[0] if names else (record["addresses"] or [record["host"]])[0])


def is_web_address(text: str) -> bool:
    """Whether it can be followed: a table of dates may be a user's own."""
    return urlsplit(text).scheme in ("https", "http")


def _charts(report: Report, language: Language) -> list[tuple[str, str, Sequence[Bar]]]:
    """Titles, keys and bars."""
    verdicts = [Bar(language.say(f"level_{level}"), {level: n}) for level, n in report.levels.items() if n]
    return [
        (language.say("by_verdict"), "verdict", verdicts),
        (language.say("by_protocol"), "protocol", report.bars(summary.protocols)),
        (language.say("by_mechanism"), "mechanism", report.bars(summary.mechanisms)),
        (language.say("by_vendor"), "vendor", report.bars(summary.makers)),
    ]


def _is_shown(due: Due, as_of: date) -> bool:
    return due.devices > 0 or due.row.date is None or due.row.date >= as_of


def _changed(report: Report, kind: Kind) -> list[Any]:
    return [change for change in report.changes if change.kind is kind]


def _row(one: Judged, language: Language) -> dict[str, Any]:
    """A device for those without JavaScript."""
    why = list(dict.fromkeys(language.said(reason.text) for reason in one.verdict.reasons))
    return {
        "level": one.verdict.level,
        "deadline": one.verdict.deadline,
        "name": name_of(one.record),
        "addresses": one.host.addresses,
        "what": what(one.record, language.said) or "",
        "why": why[:2],
        "advice": " ".join(advised(one, language)),
    }


def _span(hours: float, language: Language) -> str:
    if hours < 2:
        return language.say("minutes", n=ceil(hours * 60))
    return language.say("hours", hours=language.number(hours, 1 if hours < 100 else 0))


def _day(at: int) -> date:
    return datetime.fromtimestamp(at // 1_000_000_000, UTC).date()


@cache
def _asset(name: str) -> Markup:
    """A file of ours beside the templates, as it is."""
    loader = environment().loader
    assert loader is not None
    return Markup(loader.get_source(environment(), name)[0])


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
