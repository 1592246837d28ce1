"""The report as Markdown, for a ticket or a wiki."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from scanner.model import Level
from scanner.report.changes import Kind
from scanner.report.escape import visible
from scanner.report.languages import Language
from scanner.report.packing import TEXT_LENGTH, advised, mailboxes
from scanner.report.page import headline, name_of, rests_on
from scanner.report.records import Record
from scanner.report.summary import Judged, Report
from scanner.report.views import what

SHOWN = 500
"""Devices of each verdict; nobody reads more in Markdown, and spreadsheets have all."""
_HEADS = ("device", "address", "kind", "until", "why", "advice", "owner", "mailboxes")
_ACTIVE = re.compile(r"[\\`*_{}\[\]<>#|~&$@:]|(?<=www)\.", re.IGNORECASE)
"""What Markdown, its tables, HTML within it, or a wiki's own links and mentions act on."""


def markdown(report: Report, language: Language) -> Iterator[str]:
    """Write lines, each with its end."""
    yield from (f"{line}\n" for line in _lines(report, language))


def plain(text: str) -> str:
    """Text off the network as Markdown shows it and acts on nothing in it (CommonMark 0.31 2.4 and 2.5)."""
    return _ACTIVE.sub(lambda found: f"&#{ord(found[0])};", visible(text[:TEXT_LENGTH]))


def _lines(report: Report, language: Language) -> Iterator[str]:
    say = language.say
    yield f"# {', '.join(headline(report, language))}"
    yield from ("", say("subtitle", day=report.as_of), "", f"## {say('basis')}", "")
    yield " ".join(rests_on(report, language))
    if report.since:
        yield from _changes(report, language)
    yield from ("", f"## {say('timeline')}", "")
    heads = [say("date"), say("what_ends"), say("affected"), say("source")]
    yield from _table(heads, (
        [language.day(due.row.date) if due.row.date else say("undated"), language.said(due.row.what),
         language.number(due.devices), due.row.source]
        for due in report.deadlines
    ))  # fmt: skip
    for level, some in groupby(report.devices, lambda one: one.verdict.level):
        yield from _devices(level, list(some), language)


def _devices(level: Level, some: Sequence[Judged], language: Language) -> Iterator[str]:
    say = language.say
    yield from ("", f"## {say(f'level_{level}')}: {say('devices_n', n=len(some))}", "")
    if level is Level.FINE:
        return
    yield from _table([say(key) for key in _HEADS], (_row(one, language) for one in some[:SHOWN]))
    if len(some) > SHOWN:
        yield from ("", say("more_n", n=len(some) - SHOWN))


def _row(one: Judged, language: Language) -> list[str]:
    record: Record = one.record
    why = dict.fromkeys(language.said(reason.text) for reason in one.verdict.reasons)
    deadline = language.day(one.verdict.deadline) if one.verdict.deadline else ""
    advice = " ".join(advised(one, language))
    return [
        name_of(record), ", ".join(one.host.addresses), what(record, language.said) or "", deadline,
        "; ".join(why), advice, *known_to_the_site(record),
    ]  # fmt: skip


def known_to_the_site(record: Record) -> list[str]:
    """Who owns a device, and whose mailboxes it uses, where that was imported."""
    owner = (record.get("asset") or {}).get("owner")
    return [str(owner or ""), ", ".join(mailboxes(record))]


def _changes(report: Report, language: Language) -> Iterator[str]:
    say = language.say
    yield from ("", f"## {say('changes', day=report.since)}", "")
    if not report.changes:
        yield say("changes_none")
    names = {one.host.host: name_of(one.record) for one in report.devices}
    for kind in Kind:
        hosts = [plain(names[one.host.host]) for one in report.changes if one.kind is kind]
        if hosts:
            more = f" {say('more_n', n=len(hosts) - SHOWN)}" if len(hosts) > SHOWN else ""
            yield f"- {say(f'change_{kind}')}: {', '.join(hosts[:SHOWN])}{more}"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(heads)} |"
    yield f"|{'---|' * len(heads)}"
    for row in rows:
        yield f"| {' | '.join(map(plain, row))} |"
