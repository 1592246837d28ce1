"""The page says what the figures say, and may do nothing but that."""

import base64
import hashlib
import re
from datetime import date
from typing import Any

import pytest

from scanner.model import Level, Verdict
from scanner.report.changes import Change, Kind
from scanner.report.languages import LANGUAGES, Language
from scanner.report.page import WITHOUT_SCRIPT, headline, html, is_web_address, rests_on
from scanner.report.summary import Day, Judged, basis
from scanner.services import Scan, ScanPlan, ScanTotals
from scanner.totals import HOUR_NS, RunTotals
from tests.reports import AT, host, judged, report

ENGLISH = Language("en")
EVERY = [judged(host(number), level) for number, level in enumerate(Level)]


def page(*devices: Judged, language: str = "en", **changes: Any) -> str:
    return "".join(html(report(devices, **changes), Language(language)))


@pytest.mark.parametrize(
    ("levels", "said"),
    [
        ("breaks " * 14 + "broken " * 3 + "unknown " * 2,
         "14 devices break on 31 December 2026, 3 are broken already, 2 unknown"),
        ("breaks", "1 device breaks on 31 December 2026"),
        ("fine review", "No device breaks on a coming date"),
        ("broken", "No device breaks on a coming date, 1 is broken already"),
        ("", "No device was heard mailing yet"),
    ],
)  # fmt: skip
def test_the_headline_counts(levels: str, said: str) -> None:
    devices = [judged(host(number), Level(level)) for number, level in enumerate(levels.split())]
    assert ", ".join(headline(report(devices), ENGLISH)) == said


def test_the_headline_names_every_day() -> None:
    others = [Verdict(Level.BREAKS, day, ()) for day in (date(2027, 4, 1), None)]
    devices = [judged(host(1)), *(judged(host(2), verdict=verdict) for verdict in others)]
    assert headline(report(devices), ENGLISH) == [
        "1 device breaks on 31 December 2026",
        "1 breaks on 1 April 2027",
        "1 device breaks on a day not announced yet",
    ]


def test_what_the_figures_rest_on_is_said() -> None:
    run = RunTotals(
        packets=1_000_000, observations=2, first_at=AT, last_at=AT + 30 * HOUR_NS, dropped=1, down_ns=HOUR_NS
    )
    totals = ScanTotals(addresses=254, hosts=12)
    scan = Scan(1, "here", ScanPlan(("10.0.0.0/24",)), AT, AT, None, 0, totals)
    assert rests_on(report([], basis=basis([run], [scan])), ENGLISH) == [
        "Listened for 30.0 hours in 1 run: 1,000,000 packets, 2 mail sessions.",
        "From 21 September 2026 to 22 September 2026.",
        "Not seen: 1 packet dropped by the kernel, interfaces away for 60 minutes.",
        "1 scan; it asked 254 addresses on 21 September 2026, and 12 answered.",
        "A device that sent no mail while somebody listened is not in these figures.",
    ]
    assert rests_on(report([], basis=basis([], [])), ENGLISH)[:2] == [
        "Nobody listened: what devices do was not heard, only what they offer.",
        "No subnet was scanned.",
    ]


def test_the_policy_names_the_one_script_and_the_one_style() -> None:
    text = page(*EVERY)
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', text)
    policy = policy.replace("&#39;", "'")
    for tag in ("script", "style"):
        (inside,) = re.findall(f"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}';" in policy
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_part_is_there_in_every_language(language: str) -> None:
    gone = Change(EVERY[1].host, Kind.SILENT, Level.BREAKS, None)
    new = Change(EVERY[2].host, Kind.NEW, None, Level.REVIEW)
    worse = Change(EVERY[0].host, Kind.WORSE, Level.FINE, Level.BROKEN)
    relay = judged(host(9, carries=(EVERY[0].host.host, EVERY[1].host.host)))
    days = [Day(date(2026, 9, 1), 4), Day(date(2026, 9, 2), 0, 2)]
    changes = {"since": date(2026, 9, 1), "changes": [gone, new, worse], "days": days}
    text = page(*EVERY, relay, language=language, **changes)
    assert f'<html lang="{language}">' in text
    for part in ("basis", "changes", "timeline", "charts", "relays", "devices"):
        assert f'<h2 id="{part}"' in text, part
    said = Language(language).say
    for key in ("change_silent", "change_new", "change_worse", "per_day", "by_vendor", "search", "no_script"):
        assert said(key, n=6, all=6) in text, key


def test_without_a_script_the_worst_stand_there() -> None:
    text = page(*(judged(host(number)) for number in range(WITHOUT_SCRIPT + 50)))
    inside = text.partition("<noscript>")[2].partition("</noscript>")[0]
    assert inside.count("<tr>") == WITHOUT_SCRIPT + 1
    assert f"the worst {WITHOUT_SCRIPT} devices of {WITHOUT_SCRIPT + 50}" in inside


def test_a_source_is_followed_only_on_the_web() -> None:
    assert is_web_address("https://learn.microsoft.com/x")
    assert not any(map(is_web_address, ("javascript:alert(1)", "Microsoft, 2026", "data:text/html,x", "//x")))


def test_nothing_is_said_of_changes_unless_asked() -> None:
    assert '<h2 id="changes"' not in page(*EVERY)
    assert "Nothing changed." in page(*EVERY, since=date(2026, 9, 1))


def test_a_report_of_nothing_is_a_page() -> None:
    assert "No device was heard mailing yet" in page()
