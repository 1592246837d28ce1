"""The report as Markdown."""

from datetime import date

from scanner.model import Level
from scanner.report.changes import Change, Kind
from scanner.report.languages import Language
from scanner.report.markdown import SHOWN, markdown, plain
from tests.reports import host, judged, report

ENGLISH = Language("en")


def test_it_has_the_headline_the_dates_and_a_table_a_verdict() -> None:
    devices = [judged(host(number), level) for number, level in enumerate(Level)]
    text = "".join(markdown(report(devices), ENGLISH))
    assert text.startswith("# 1 device breaks on 31 December 2026, 1 is broken already, 1 unknown\n")
    assert "## Breaks: 1 device" in text
    assert "| device1 | 10.0.0.2 |  | 31 December 2026 | SMTP with LOGIN works until then | Move it" in text
    assert "device4" not in text, "what is fine is only counted"


def test_a_long_list_is_cut_and_says_so() -> None:
    text = "".join(markdown(report([judged(host(number)) for number in range(SHOWN + 7)]), ENGLISH))
    assert "and 7 more" in text


def test_changes_are_listed_by_kind() -> None:
    one = judged(host(1))
    change = Change(one.host, Kind.FIXED, Level.BREAKS, Level.FINE)
    text = "".join(markdown(report([one], since=date(2026, 9, 1), changes=[change]), Language("de")))
    assert "## Änderungen seit 1. September 2026\n\n- Behoben: device1\n" in text


def test_text_acts_on_nothing() -> None:
    assert plain("a|b <i> www.example.com") == "a&#124;b &#60;i&#62; www&#46;example.com"
