"""Tables for people: they fit a terminal of 80 columns, and nothing of a record's keys is lost elsewhere."""

import io
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from scanner.model import Level
from scanner.report import formats
from scanner.report.formats import Format, write
from scanner.report.views import (
    DEADLINES,
    HOSTS,
    SESSIONS,
    View,
    local_time,
    rests_on,
    short_source,
    summed_up,
)
from scanner.services import Scan, ScanPlan, ScanTotals
from scanner.totals import HOUR_NS, Hour, RunTotals

GOLDEN = Path(__file__).parents[2] / "golden"


def golden(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (GOLDEN / name).read_text().splitlines()]


SEEN = {"hosts": (HOSTS, golden("office.hosts.ndjson")), "sessions": (SESSIONS, golden("office.ndjson"))}


@pytest.fixture
def new_york(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "America/New_York")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.parametrize("kind", SEEN)
def test_a_csv_without_records_has_the_head_of_one_with_records(kind: str) -> None:
    view, records = SEEN[kind]
    assert all(tuple(record) == view.fields for record in records)


@pytest.mark.parametrize("width", [80, 160])
@pytest.mark.parametrize("kind", SEEN)
def test_a_table_fits(kind: str, width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    view, records = SEEN[kind]
    monkeypatch.setattr(formats, "PLAIN_WIDTH", width)
    out = io.StringIO()
    write(records, Format.TABLE, view, "Title", out)
    lines = out.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    assert len(lines) <= len(records) * (6 if width == 80 else 3) + 6
    assert "…" not in out.getvalue()


def column(view: View, name: str, record: dict[str, Any]) -> Any:
    return view.columns[name](record)


def test_a_host_in_a_table_says_its_worst_reason_and_that_there_are_more() -> None:
    phone = next(record for record in golden("office.hosts.ndjson") if "10.20.0.33" in record["addresses"])
    assert column(HOSTS, "host", phone) == ["10.20.0.33", "00:17:f2:0a:0b:0c"]
    assert column(HOSTS, "verdict", phone) == ["broken", "2023-01-01"]
    assert column(HOSTS, "why", phone) == "EAS with HTTP-Basic is refused (and 2 more)"


@pytest.mark.parametrize(
    ("days", "shown"),
    [
        pytest.param(-1, "past", id="a date that is over"),
        pytest.param(0, "0", id="today"),
        pytest.param(36, "36", id="a date to come"),
        pytest.param(None, None, id="no date yet"),
    ],
)
def test_days_that_are_left(days: int | None, shown: str | None) -> None:
    assert column(DEADLINES, "days left", {"days": days}) == shown


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        pytest.param("https://learn.microsoft.com/a/b", "Microsoft Learn", id="a site that has a name"),
        pytest.param("https://www.example.com/a", "example.com", id="any other site"),
        pytest.param("Microsoft, a title, 2026", "Microsoft", id="a title"),
        pytest.param("our own notes", "our own notes", id="a few words"),
        pytest.param("https://", "https://", id="an address without a site"),
    ],
)
def test_a_source_in_few_words(source: str, shown: str) -> None:
    assert short_source(source) == shown


def test_times_are_those_of_the_reader(new_york: None) -> None:
    assert local_time("2026-11-24T13:37:46.308480Z") == "2026-11-24 08:37:46"


@pytest.mark.parametrize(
    ("levels", "said"),
    [
        ([], "none"),
        ([Level.FINE, Level.BROKEN, Level.FINE], "1 broken, 2 fine"),
    ],
)
def test_hosts_are_summed_up(levels: list[Level], said: str) -> None:
    assert summed_up(levels) == said


def test_a_listing_says_what_it_rests_on() -> None:
    hour = 3_600_000_000_000
    whole = RunTotals(packets=1000, observations=7, first_at=hour, last_at=3 * hour)
    assert rests_on([whole]) == "rests on 1 run: 2.0 hours, 1,000 packets, 7 sessions; nothing lost"
    lossy = RunTotals(packets=5, observations=2, gaps=1, truncated=3)
    told = (
        "rests on 2 runs: 2.0 hours, 1,005 packets, 9 sessions; 1 sessions with bytes missing, 3 packets cut"
    )
    assert rests_on([whole, lossy]) == told


@pytest.mark.parametrize(
    ("runs", "scans", "told"),
    [
        pytest.param(0, 0, "rests on 0 runs: 0.0 hours, 0 packets, 0 sessions; nothing lost", id="nothing"),
        pytest.param(0, 1, "rests on 1 scan, the last of 2026-11-26 asked 1,024 addresses, 30 hosts answered",
                     id="a scan"),
        pytest.param(1, 2, "rests on 1 run: 0.0 hours, 0 packets, 0 sessions; nothing lost; 2 scans, the last"
                     " of 2026-11-26 asked 1,024 addresses, 30 hosts answered", id="both"),
    ],
)  # fmt: skip
def test_a_listing_counts_scans_apart(runs: int, scans: int, told: str) -> None:
    at = 1_795_651_200 * 10**9
    newest = Scan(2, "here", ScanPlan(("10.0.0.0/22",)), at, at, None, 1024, ScanTotals(1024, 30))
    oldest = replace(newest, id=1, began=0, totals=ScanTotals())
    assert rests_on([RunTotals()] * runs, (), [newest, oldest][:scans]) == told


@pytest.mark.parametrize(
    ("lost", "told"),
    [
        pytest.param(
            {"dropped": 4210}, "4,210 packets dropped by the kernel (in 2 hours, worst 2026-11-25 14:00 UTC)",
            id="in hours",
        ),
        pytest.param({"unwritten": 7}, "7 sessions not written (2026-11-25 15:00 UTC)", id="in one hour"),
        pytest.param({"down_ns": 119 * 10**9}, "interfaces away for 119 s", id="a moment"),
        pytest.param({"down_ns": 720 * 10**9}, "interfaces away for 12 min", id="minutes"),
        pytest.param({"down_ns": 5 * HOUR_NS // 2}, "interfaces away for 2.5 hours", id="hours"),
        pytest.param({"gaps": 3}, "3 sessions with bytes missing", id="what files lack too"),
        pytest.param(
            {"dropped": 1, "truncated": 2},
            "1 packets dropped by the kernel (in 2 hours, worst 2026-11-25 14:00 UTC), 2 packets cut",
            id="two things",
        ),
    ],
)  # fmt: skip
def test_a_listing_says_what_a_sensor_missed_and_when(lost: dict[str, int], told: str) -> None:
    two = 1_795_615_200 * 10**9
    hours = [Hour(two, dropped=4000, gaps=3), Hour(two + HOUR_NS, dropped=210, unwritten=7)]
    assert rests_on([RunTotals(**lost)], hours).partition("; ")[2] == told
