"""The report as test results, for what reads those: one test case a device.

Broken and breaking devices are failures; one that nobody can tell of is skipped.
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.sax.saxutils import escape, quoteattr

from scanner.model import Level
from scanner.report.escape import visible
from scanner.report.languages import Language
from scanner.report.packing import TEXT_LENGTH, advised
from scanner.report.page import name_of
from scanner.report.summary import Judged, Report


def junit(report: Report, language: Language) -> Iterator[str]:
    """Write XML (1.0), device by device, as JUnit's schema has it."""
    levels = report.levels
    failures = levels[Level.BROKEN] + levels[Level.BREAKS]
    skipped = levels[Level.UNKNOWN]
    counts = f'tests="{len(report.devices)}" failures="{failures}" skipped="{skipped}" errors="0"'
    yield '<?xml version="1.0" encoding="UTF-8"?>\n'
    yield f'<testsuites {counts}>\n<testsuite name="mailsunset {report.as_of}" {counts}>\n'
    for one in report.devices:
        yield _case(one, language)
    yield "</testsuite>\n</testsuites>\n"


def _case(one: Judged, language: Language) -> str:
    level = one.verdict.level
    head = f"<testcase classname={_quoted(level)} name={_quoted(f'{name_of(one.record)} ({one.host.host})')}"
    reasons = dict.fromkeys(language.said(reason.text) for reason in one.verdict.reasons)
    why = "; ".join(reasons) or str(language.page["unheard"])
    if level in (Level.BROKEN, Level.BREAKS):
        until = f", {one.verdict.deadline}" if one.verdict.deadline else ""
        said = language.say("failure", level=f"{language.say(f'level_{level}')}{until}", why=why)
        advice = _text(" ".join(advised(one, language)))
        inside = f"<failure type={_quoted(level)} message={_quoted(said)}>{advice}</failure>"
    elif level is Level.UNKNOWN:
        inside = f"<skipped message={_quoted(why)}/>"
    elif level is Level.REVIEW:
        inside = f"<system-out>{_text(why)}</system-out>"
    else:
        return f"{head}/>\n"
    return f"{head}>{inside}</testcase>\n"


def _quoted(text: str) -> str:
    return quoteattr(visible(text[:TEXT_LENGTH]))


def _text(text: str) -> str:
    return escape(visible(text[:TEXT_LENGTH]))
