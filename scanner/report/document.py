"""The report as one JSON object: what it says in sum, then every host's record."""

from __future__ import annotations

import json
from collections.abc import Iterator

from scanner.report.languages import Language
from scanner.report.page import headline, rests_on
from scanner.report.records import deadline_record
from scanner.report.summary import Report


def document(report: Report, language: Language) -> Iterator[str]:
    """Write it, a host a line; ASCII only."""
    basis, scanned = report.basis, report.basis.scanned
    head = {
        "as_of": report.as_of.isoformat(),
        "headline": ", ".join(headline(report, language)),
        "rests_on": rests_on(report, language),
        "runs": basis.runs,
        "hours": round(basis.hours, 3),
        "packets": basis.packets,
        "sessions": basis.sessions,
        "lost": dict(basis.lost),
        "scans": basis.scans,
        "scanned_addresses": scanned.totals.addresses if scanned else None,
        "verdicts": report.levels,
        "deadlines": [
            deadline_record(due.row, report.as_of) | {"devices": due.devices} for due in report.deadlines
        ],
        "days": [
            {"day": one.day.isoformat(), "password": one.password, "token": one.token, "other": one.other}
            for one in report.days
        ],
        "since": report.since.isoformat() if report.since else None,
        "changes": [
            {"host": one.host.host, "change": one.kind, "before": one.before, "after": one.after}
            for one in report.changes
        ],
    }
    yield json.dumps(head)[:-1] + ', "hosts": ['
    for at, one in enumerate(report.devices):
        yield ("," if at else "") + "\n" + json.dumps(one.record)
    yield "\n]}\n"
