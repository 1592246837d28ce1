"""What a report counts."""

from dataclasses import replace
from datetime import date

from scanner.catalogue.retirement import load_retirement
from scanner.model import AuthClass, Device, Level, Verdict
from scanner.report import summary
from scanner.report.summary import BARS, OTHERS, Bar, Day, basis, days, due
from scanner.services import Scan, ScanPlan, ScanTotals
from scanner.totals import HOUR_NS, RunTotals
from tests.reports import AT, BREAKS, SMTP, USE, VERDICTS, host, judged, report

EWS = date(2027, 4, 1)


def test_devices_are_counted_by_verdict_and_by_the_day_they_break() -> None:
    later = Verdict(Level.BREAKS, EWS, ())
    undated = Verdict(Level.BREAKS, None, ())
    devices = [judged(host(number)) for number in range(3)]
    devices += [judged(host(9), verdict=verdict) for verdict in (undated, later, VERDICTS[Level.BROKEN])]
    found = report(devices)
    assert found.breaking == [(SMTP.date, 3), (EWS, 1), (None, 1)]
    assert found.levels == {"broken": 1, "breaks": 5, "review": 0, "unknown": 0, "fine": 0}


def test_a_date_concerns_devices_with_a_reason_that_stands_on_it() -> None:
    found = due(load_retirement().values(), [BREAKS, *VERDICTS.values()])
    counts = {one.row.id: one.devices for one in found}
    assert counts["smtp-auth"] == 2
    assert counts["smtp-auth-removed"] == 1, "a reason without a date stands on the row without one"
    assert counts["popimap-legacy-hosts-end"] == 0, "another row of the same day is another row"


def test_the_rarest_are_one_bar() -> None:
    devices = [
        judged(host(number, device=Device(vendor=f"maker {number % 12:02}"))) for number in range(24 + 9)
    ]
    bars = report(devices).bars(summary.makers)
    assert len(bars) == BARS + 1
    assert bars[-1].label == OTHERS
    assert sum(bar.devices for bar in bars) == 33


def test_a_device_counts_once_for_what_it_does_twice() -> None:
    use = replace(USE, mechanism=None, auth_class=AuthClass.NONE)
    found = report([judged(host(1, usage=(USE, USE, use)))])
    assert found.bars(summary.mechanisms) == [Bar("LOGIN", {Level.BREAKS: 1}), Bar("none", {Level.BREAKS: 1})]
    assert [bar.label for bar in found.bars(summary.protocols)] == ["SMTP"]


def test_days_have_passwords_tokens_and_others() -> None:
    counted = [(20_717, "basic", 5), (20_717, "ntlm", 1), (20_717, "oauth", 2), (20_719, "unknown", 3)]
    assert days(counted) == [Day(date(2026, 9, 21), 6, 2, 0), Day(date(2026, 9, 23), 0, 0, 3)]


def test_the_basis_is_the_sum_of_runs_and_the_last_scan() -> None:
    runs = [
        RunTotals(packets=5, observations=2, first_at=AT, last_at=AT + HOUR_NS, dropped=3, down_ns=HOUR_NS),
        RunTotals(packets=1, first_at=AT + 9 * HOUR_NS, last_at=AT + 11 * HOUR_NS, gaps=1),
        RunTotals(),
    ]
    scans = [Scan(number, "here", ScanPlan(()), AT, AT, None, 0, ScanTotals()) for number in (2, 1)]
    found = basis(runs, scans)
    assert (found.runs, found.hours, found.packets, found.sessions) == (3, 3.0, 6, 2)
    assert found.lost == {"dropped": 3, "gaps": 1}
    assert (found.first_at, found.last_at, found.down_hours) == (AT, AT + 11 * HOUR_NS, 1.0)
    assert (found.scans, found.scanned) == (2, scans[0])
