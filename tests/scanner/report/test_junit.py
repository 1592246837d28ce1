"""The report as test results."""

from xml.etree import ElementTree

from scanner.model import Level
from scanner.report.junit import junit
from scanner.report.languages import Language
from tests.reports import host, judged, report


def test_broken_and_breaking_fail_and_what_nobody_can_tell_is_skipped() -> None:
    devices = [judged(host(number), level) for number, level in enumerate(Level)]
    suite = ElementTree.fromstring("".join(junit(report(devices), Language("de"))).encode()).find("testsuite")
    assert suite is not None
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("5", "2", "1")
    inside = {case.get("classname"): [one.tag for one in case] for case in suite}
    assert inside == {
        "broken": ["failure"], "breaks": ["failure"], "review": ["system-out"], "unknown": ["skipped"],
        "fine": [],
    }  # fmt: skip
    failure = suite.find("testcase[@classname='breaks']/failure")
    assert failure is not None
    assert failure.get("message") == "Fällt aus, 2026-12-31: SMTP mit LOGIN geht nur noch bis dahin"
