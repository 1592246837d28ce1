"""Gather from the inventory all that a report tells."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from scanner.account import Usernames
from scanner.cli.settings import Settings, dates, judge, lens
from scanner.model import Level
from scanner.report.changes import Change, changes
from scanner.report.records import host_record
from scanner.report.summary import Judged, Report, basis, days, due

if TYPE_CHECKING:
    from db.store import Inventory
    from scanner.model import Observation

SESSIONS_SHOWN = 3
"""Sessions a device on its page, each of another way; ``sessions --host`` lists all."""


def gathered(
    kept: Inventory,
    settings: Settings,
    since: date | None,
    evidence: bool,
    usernames: Usernames = Usernames.MASK,
) -> Report:
    """Read all that is reported; ``evidence``: sessions, too."""
    day, assets, ties = settings.as_of, kept.assets(), kept.ties()
    devices = [
        Judged(*pair, host_record(*pair, day, assets, ties, usernames)) for pair in kept.hosts(lens(settings))
    ]
    changed: list[Change] = []
    if since:
        begins = int(datetime(since.year, since.month, since.day, tzinfo=UTC).timestamp()) * 1_000_000_000
        then = judge(replace(settings, as_of=since))
        fine = {one.host.host for one in devices if one.verdict.level is Level.FINE}
        hosts = (one.host for one in devices)
        changed = list(changes(hosts, begins, then, judge(settings), fine))
    return Report(
        as_of=settings.as_of,
        devices=devices,
        basis=basis([run.totals for run in kept.runs() if run.totals], kept.scans()),
        deadlines=due(dates(settings).values(), (one.verdict for one in devices)),
        days=days(kept.days()),
        latest=_latest(kept, devices) if evidence else {},
        since=since,
        changes=changed,
    )


def _latest(kept: Inventory, devices: Iterable[Judged]) -> dict[str, list[Observation]]:
    """Sessions of each host, the newest first."""
    hosts = {key: one.host.host for one in devices for key in one.host.endpoints}
    found: dict[str, list[Observation]] = defaultdict(list)
    for endpoint, seen in kept.latest_sessions(SESSIONS_SHOWN):
        if (host := hosts.get(endpoint)) and len(found[host]) < SESSIONS_SHOWN:
            found[host].append(seen)
    return found
