"""The report as one JSON object."""

import json
from datetime import date

from scanner.model import Level
from scanner.report.changes import Change, Kind
from scanner.report.document import document
from scanner.report.languages import Language
from scanner.report.summary import Day
from tests.reports import host, judged, report


def test_it_has_the_sum_and_every_host() -> None:
    one = judged(host(1))
    found = report(
        [one, judged(host(2), Level.FINE)],
        since=date(2026, 9, 1),
        changes=[Change(one.host, Kind.NEW, None, Level.BREAKS)],
        days=[Day(date(2026, 9, 1), 4)],
    )
    told = json.loads("".join(document(found, Language("en"))))
    assert told["headline"] == "1 device breaks on 31 December 2026"
    assert told["verdicts"] == {"broken": 0, "breaks": 1, "review": 0, "unknown": 0, "fine": 1}
    assert [host["verdict"] for host in told["hosts"]] == ["breaks", "fine"]
    assert {row["id"]: row["devices"] for row in told["deadlines"]}["smtp-auth"] == 1
    assert told["changes"] == [{"host": "10.0.0.2", "change": "new", "before": None, "after": "breaks"}]
    assert told["days"] == [{"day": "2026-09-01", "password": 4, "token": 0, "other": 0}]
