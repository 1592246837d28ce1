"""Questions that are asked again and again, as statements on the views of ``scanner.report.tables``.

Days are text such as ``2026-12-31``, which begin at midnight UTC.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from scanner.report.records import Record
from scanner.report.views import local_time

_WHO = "d.host, d.name, d.address, d.vendor, d.model, d.kind, d.place"
_HEARD_LAST = """(SELECT max(at) FROM (
      SELECT max(last_packet) AS at FROM v_runs UNION ALL SELECT max(last_seen) FROM v_usage))"""
"""When listening ended: a run that was killed early does not tell, but what it heard does."""
_SILENT = f"""host, last_seen, julianday({_HEARD_LAST}) - julianday(last_seen) AS quiet_days,
    CASE WHEN sessions > 1 THEN (julianday(last_seen) - julianday(first_seen)) / (sessions - 1) END AS mean"""
_USUAL = """usual AS (
  SELECT host, max(quiet_days) AS quiet_days, coalesce(max(gap), max(mean)) AS gap FROM (
    SELECT host, quiet_days, mean, NULL AS gap FROM silent
    UNION ALL SELECT host, NULL, NULL, julianday(first_seen)
      - julianday(lag(last_seen) OVER (PARTITION BY host ORDER BY first_seen))
    FROM v_sessions WHERE host IN (SELECT host FROM silent))
  GROUP BY host)"""
"""The longest silence between two sessions of a host that are kept; without two the mean of all, if any."""


@dataclass(frozen=True, slots=True)
class Saved:
    """A saved question."""

    title: str
    counts: str
    """What exactly counts."""
    statement: str
    columns: Mapping[str, Callable[[Record], Any]]
    """What of the answer a table shows, beside who it is."""


def host(record: Record) -> list[str]:
    """Its address, and its name in the inventory."""
    return [part for part in dict.fromkeys((record["address"], record["host"])) if part]


def what(record: Record) -> list[str]:
    """Its name, and what it is."""
    make = " ".join(part for part in (record["vendor"], record["model"]) if part)
    is_what = ", ".join(part for part in (make, record["kind"], record["place"]) if part)
    return [part for part in (record["name"], is_what) if part]


def _verdict(record: Record) -> list[str]:
    return [part for part in (record["verdict"], record["deadline"]) if part]


def _at(column: str) -> Callable[[Record], str]:
    return lambda record: local_time(record[column])


def _days(column: str) -> Callable[[Record], str | None]:
    return lambda record: None if record[column] is None else f"{record[column]:g} days"


BREAKS = Saved(
    "Devices that break before a day",
    "Hosts that are broken, and those whose verdict is breaks with a deadline before the day.",
    f"""SELECT {_WHO}, d.verdict, d.deadline, d.days, d.reason, d.advice, d.sessions, d.last_seen
FROM v_devices AS d
WHERE d.verdict = 'broken' OR (d.verdict = 'breaks' AND d.deadline < :before)
ORDER BY d.verdict = 'breaks', d.deadline, d.host""",
    {"verdict": _verdict, "why": lambda record: record["reason"]},
)
QUIET = Saved(
    "Devices that mailed once and fell silent",
    "Hosts that were heard mailing, and not for so many days up to the last packet heard of anybody. "
    "listened_days is how much of this silence was listened to; usual_gap_days is the longest silence "
    "between two of its sessions that are kept, and where there are no two, the mean of all ever heard. "
    "silence is usual up to twice that, and unknown of what was heard once.",
    f"""WITH silent AS (
  SELECT {_SILENT} FROM v_devices WHERE sessions > 0 AND quiet_days >= CAST(:days AS REAL)),
{_USUAL},
listened AS (
  SELECT silent.host,
    sum(max(0, julianday(last_packet) - julianday(max(first_packet, silent.last_seen)))) AS days
  FROM silent, v_runs GROUP BY silent.host)
SELECT {_WHO}, d.verdict, d.deadline, d.last_seen, round(usual.quiet_days, 1) AS silent_days,
  round(min(listened.days, usual.quiet_days), 1) AS listened_days, round(usual.gap, 1) AS usual_gap_days,
  CASE WHEN usual.gap IS NULL THEN 'unknown' WHEN usual.quiet_days <= 2 * usual.gap THEN 'usual'
    ELSE 'unusual' END AS silence, d.sessions
FROM v_devices AS d JOIN usual USING (host)
  LEFT JOIN listened USING (host)
ORDER BY silence = 'usual', usual.quiet_days DESC, d.host""",
    {
        "verdict": _verdict,
        "last seen": _at("last_seen"),
        "silent": _days("silent_days"),
        "listened": _days("listened_days"),
        "usual gap": _days("usual_gap_days"),
        "silence": lambda record: record["silence"],
    },
)
NEW = Saved(
    "Devices that are new since a day",
    "Hosts that were first heard mailing on the day or later; all hosts, where nobody listened before.",
    f"""SELECT {_WHO}, d.mac_randomised, d.verdict, d.deadline, d.reason, d.first_seen, d.last_seen,
  d.sessions
FROM v_devices AS d
WHERE d.sessions > 0 AND d.first_seen >= :since
ORDER BY d.first_seen, d.host""",
    {"verdict": _verdict, "first seen": _at("first_seen"), "why": lambda record: record["reason"]},
)
FIXED = Saved(
    "Devices that are fixed since a day",
    "Hosts that used a service in a way that is broken or breaks, only before the day, and since then only "
    "in ways that go on working (verdict fine), and by no relay that is not fine; or were not heard since, "
    "and for longer than they were ever silent between two sessions before (usual_gap_days, as of quiet).",
    f"""WITH bad AS (
  SELECT host, max(last_seen) AS until, reason FROM v_usage
  WHERE verdict IN ('broken', 'breaks') GROUP BY host HAVING until < :since),
after AS (
  SELECT host, max(verdict <> 'fine') AS doubtful,
    group_concat(DISTINCT upper(coalesce(service, protocol, 'mail')) || ' with '
      || coalesce(mechanism, auth_class)) AS does
  FROM v_usage WHERE last_seen >= :since GROUP BY host),
silent AS (
  SELECT {_SILENT} FROM v_devices
  WHERE host IN (SELECT host FROM bad) AND host NOT IN (SELECT host FROM after)),
{_USUAL}
SELECT {_WHO}, bad.reason AS was, bad.until AS until, coalesce(after.does, 'silent') AS since_then,
  d.last_seen, round(usual.gap, 1) AS usual_gap_days
FROM v_devices AS d JOIN bad USING (host) LEFT JOIN after USING (host) LEFT JOIN usual USING (host)
WHERE CASE WHEN after.host IS NULL THEN usual.quiet_days > usual.gap AND {_HEARD_LAST} >= :since
  ELSE NOT after.doubtful AND NOT EXISTS (
    SELECT 1 FROM json_each(d.behind) AS relay LEFT JOIN v_devices AS r ON r.host = relay.value
    WHERE r.verdict IS NULL OR r.verdict <> 'fine') END
ORDER BY bad.until DESC, d.host""",
    {
        "was": lambda record: record["was"],
        "until": _at("until"),
        "since then": lambda record: record["since_then"],
    },
)
SAVED = {"breaks": BREAKS, "quiet": QUIET, "new": NEW, "fixed": FIXED}
