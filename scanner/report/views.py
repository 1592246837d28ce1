"""What of a record a table shows: few columns that fit 80 characters; other forms hold everything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import attrgetter, itemgetter
from typing import Any
from urllib.parse import urlsplit

from scanner.model import Level
from scanner.report.records import SESSION, Record
from scanner.services import Scan
from scanner.totals import HOUR_NS, Hour, RunTotals

NAMES_SHOWN = 2
"""Names in a table; other forms have all."""
SITES = {"learn.microsoft.com": "Microsoft Learn", "techcommunity.microsoft.com": "Exchange Team Blog"}
"""What people call the sites that most dates come from."""


@dataclass(frozen=True, slots=True)
class View:
    """How records of one kind look in a table."""

    fields: tuple[str, ...]
    """All keys of a record, for the head of a CSV file without records."""
    columns: Mapping[str, Callable[[Record], Any]]
    """Heads of the table's columns, and what of a record stands there."""
    rigid: frozenset[str] = frozenset()
    """Columns that are short and not broken into lines."""


def local_time(stamp: str) -> str:
    """RFC 3339 as a person at this machine reads it: its own zone, to the second."""
    return datetime.fromisoformat(stamp).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def short_source(source: str) -> str:
    """Name a source in a few words: the site of an address, else what stands before the first comma."""
    site = urlsplit(source).hostname if "://" in source else None
    return SITES.get(site, site.removeprefix("www.")) if site else source.partition(",")[0]


def summed_up(levels: Iterable[Level]) -> str:
    """Say how many hosts there are of each verdict, the worst first."""
    counts = Counter(levels)
    return ", ".join(f"{counts[level]} {level.value}" for level in Level if counts[level]) or "none"


def _host(record: Record) -> list[str]:
    return [*record["addresses"], *([record["mac"]] if record["mac"] else [])] or [record["host"]]


def called(record: Record) -> list[str]:
    """What a host is called, each name once, the latest heard first."""
    names = sorted(record["names"], key=lambda name: name["last_seen"], reverse=True)
    return list(dict.fromkeys(name["name"] for name in names))


def what(record: Record, said: Callable[[str], str] = str) -> str | None:
    """What a host is, in a line: its make, else its card's; its kind, and where it stands.

    ``said`` translates what are words of ours.
    """
    device = record["device"]
    make = " ".join(part for part in (device["vendor"], device["model"]) if part)
    if not make:
        make = said("randomised MAC") if record["mac_randomised"] else record["vendor"] or device["software"]
    kind = "router" if record["router"] else device["kind"]
    return ", ".join(part for part in (make, kind and said(kind), device["place"]) if part) or None


def _who(record: Record) -> list[str]:
    carries = len(record["carries"])
    is_what = [what(record), f"relay for {carries}" if carries else None]
    return [
        *called(record)[:NAMES_SHOWN],
        *(part for part in (*is_what, _asset(record), _mailboxes(record), _offers(record)) if part),
    ]


def _asset(record: Record) -> str | None:
    """Whose it is, and where it stands, by the site's own list."""
    asset = record["asset"] or {}
    return ", ".join(part for part in (asset.get("owner"), asset.get("place")) if part) or None


def _mailboxes(record: Record) -> str | None:
    """Whose mailboxes it uses; names may be dropped."""
    users = list(dict.fromkeys(one["user"] for one in record["mailboxes"] if one["user"]))
    more = f" and {len(users) - NAMES_SHOWN} more" if len(users) > NAMES_SHOWN else ""
    return f"uses {', '.join(users[:NAMES_SHOWN])}{more}" if users else None


def _whose(record: Record) -> list[str]:
    """A host, what it is called and is, and whose mailboxes it uses."""
    is_what = (part for part in (what(record), _asset(record), _mailboxes(record)) if part)
    return [*_host(record), *called(record)[:NAMES_SHOWN], *is_what]


def _offers(record: Record) -> str | None:
    """What mail it serves, as far as it was asked."""
    mail = [one["service"] or one["protocol"] for one in record["offers"] if _is_mail(one)]
    return f"serves {', '.join(dict.fromkeys(mail))}" if mail else None


def _is_mail(offer: Record) -> bool:
    serves = offer["protocol"] in ("smtp", "imap", "pop3") or offer["service"] is not None
    return serves and offer["outcome"] == "answered"


def _verdict(record: Record) -> list[str]:
    return [record["verdict"], *([record["deadline"]] if record["deadline"] else [])]


def _why(record: Record) -> str | None:
    reasons = list(dict.fromkeys(reason["text"] for reason in record["reasons"]))
    more = f" (and {len(reasons) - 1} more)" if len(reasons) > 1 else ""
    return f"{reasons[0]}{more}" if reasons else None


def _server(record: Record) -> str:
    return f"{record['server_name'] or record['server_ip']}:{record['server_port']}"


def _protocol(record: Record) -> str:
    inside = "" if record["tls_mode"] == "clear" else f" {record['tls_version'] or 'TLS'}"
    return f"{record['service'] or record['protocol'] or record['tls_mode']}{inside}"


def _login(record: Record) -> list[str]:
    way = record["mechanism"] or record["auth_class"]
    login = f"{way} {record['outcome']}" if record["outcome"] else str(way)
    return [login, record["username"]] if record["username"] else [login]


def _left(record: Record) -> str | None:
    days = record["days"]
    return None if days is None else "past" if days < 0 else str(days)


def rests_on(runs: Sequence[RunTotals], hours: Sequence[Hour] = (), scans: Sequence[Scan] = ()) -> str:
    """What was listened to and what of it was lost, in a line, and what was scanned.

    ``hours`` tell when it was lost; of ``scans`` the newest stands first.
    """
    parts = [_listened(runs, hours)] if runs or not scans else []
    if scans:
        last = scans[0].totals
        when = datetime.fromtimestamp(scans[0].began // 1_000_000_000, UTC)
        parts.append(
            f"{len(scans)} scan{'s' * (len(scans) != 1)}, the last of {when:%Y-%m-%d} asked "
            f"{last.addresses:,} addresses, {last.hosts:,} hosts answered"
        )
    return f"rests on {'; '.join(parts)}"


def _listened(runs: Sequence[RunTotals], hours: Sequence[Hour]) -> str:
    spans = [(one.last_at or 0) - one.first_at for one in runs if one.first_at is not None]
    sums = {name: sum(getattr(one, name) for one in runs) for name in ("packets", "observations", *_LOST)}
    missed = [f"{sums[name]:,} {what}{_when(hours, name)}" for name, what in _LOST.items() if sums[name]]
    if down := sum(one.down_ns for one in runs):
        missed.append(f"interfaces away for {_lasting(down)}{_when(hours, 'down_ns')}")
    heard = (
        f"{sum(spans) / HOUR_NS:.1f} hours, {sums['packets']:,} packets, {sums['observations']:,} sessions"
    )
    return f"{len(runs)} run{'s' * (len(runs) != 1)}: {heard}; {', '.join(missed) or 'nothing lost'}"


def _when(hours: Sequence[Hour], name: str) -> str:
    """In which hours what a sensor alone can lose was lost; the worst is named."""
    bad = [hour for hour in hours if name in _BY_HOUR and getattr(hour, name)]
    if not bad:
        return ""
    worst = datetime.fromtimestamp(max(bad, key=attrgetter(name)).at // 1_000_000_000, UTC)
    often = "" if len(bad) == 1 else f"in {len(bad):,} hours, worst "
    return f" ({often}{worst:%Y-%m-%d %H:%M} UTC)"


def _lasting(length: int) -> str:
    seconds = length // 1_000_000_000
    if seconds < 120:
        return f"{seconds} s"
    return f"{seconds // 60} min" if seconds < 7200 else f"{seconds / 3600:.1f} hours"


def _said(value: Any) -> str:
    return "-" if value is None else str(value)


_LOST = {
    "dropped": "packets dropped by the kernel",
    "unwritten": "sessions not written",
    "gaps": "sessions with bytes missing",
    "evicted": "connections given up",
    "truncated": "packets cut",
    "fragments_dropped": "fragments dropped",
}
_BY_HOUR = ("dropped", "unwritten", "down_ns")
HOSTS = View(
    (
        "host", "addresses", "mac", "vendor", "names", "device", "asset", "mailboxes", "router",
        "mac_randomised", "verdict", "deadline", "reasons", "behind", "carries", "advice", "first_seen",
        "last_seen", "usage", "offers",
    ),
    {
        "host": _host,
        "what it is": _who,
        "verdict": _verdict,
        "why": _why,
    },
    frozenset({"verdict"}),
)  # fmt: skip
REMEDIES = View(
    (
        "host", "addresses", "mac", "vendor", "names", "device", "asset", "mailboxes", "router",
        "mac_randomised", "verdict", "deadline", "behind", "effort", "options",
    ),
    {
        "by": lambda record: "now" if record["verdict"] == Level.BROKEN else record["deadline"],
        "effort": lambda record: record["effort"],
        "host": _whose,
        "what to do": lambda record: record["options"][0]["text"],
        "or": lambda record: [option["way"] for option in record["options"][1:]],
    },
    frozenset({"by", "effort"}),
)  # fmt: skip
SESSIONS = View(
    SESSION,
    {
        "when": lambda record: local_time(record["first_seen"]),
        "client": lambda record: record["client_ip"],
        "server": _server,
        "protocol": _protocol,
        "login": _login,
    },
    frozenset({"when"}),
)
DEADLINES = View(
    ("id", "date", "days", "what", "applies", "source", "checked", "confidence"),
    {
        "date": lambda record: record["date"],
        "days left": _left,
        "what": lambda record: record["what"],
        "source": lambda record: short_source(record["source"]),
    },
    frozenset({"date", "days left"}),
)
DIFFERENCES = View(
    (
        "capture", "first_seen", "client_ip", "client_port", "server_ip", "server_port", "field", "ours",
        "tshark",
    ),
    {
        "capture": lambda record: record["capture"],
        "client": lambda record: f"{record['client_ip']}:{record['client_port']}",
        "server": lambda record: f"{record['server_ip']}:{record['server_port']}",
        "field": lambda record: record["field"],
        "ours": lambda record: _said(record["ours"]),
        "tshark's": lambda record: _said(record["tshark"]),
    },
    frozenset({"field"}),
)  # fmt: skip
IMPORTS = View(
    ("file", "kind", "what", "rows", "new", "known", "useless", "rejected", "unknown_columns"),
    {
        "file": lambda record: record["file"],
        "what": lambda record: record["what"],
        "rows": lambda record: str(record["rows"]),
        "new": lambda record: str(record["new"]),
        "known before": lambda record: str(record["known"]),
        "of no use": lambda record: str(record["useless"]),
        "rejected": lambda record: str(record["rejected"]),
        "unknown columns": lambda record: ", ".join(record["unknown_columns"]),
    },
)
COLUMNS = View(
    ("view", "column", "type", "means"),
    {name: itemgetter(name) for name in ("view", "column", "type", "means")},
    frozenset({"view", "column", "type"}),
)
