"""Records and table of a check of the way out: endpoints that were asked, and what a tenant publishes."""

from __future__ import annotations

from collections.abc import Callable, Collection

from scanner.exposure import Finding
from scanner.report.records import Record, service_record
from scanner.report.services import NOBODY, offered, place, spoken_tls
from scanner.report.views import View
from scanner.way_out import Endpoint, Published, findings, of_tenant

_SERVICE = (
    "host", "protocol", "service", "tls_mode", "offered", "offered_tls", "starttls", "login_disabled",
    "tls_oldest", "tls_newest", "certificate", "banner", "server_name", "public_ip", "paths", "at",
)  # fmt: skip
"""Keys of a service's record that an endpoint's has, too."""


def endpoint_record(asked: Endpoint) -> Record:
    """The record of an endpoint that was asked."""
    served = service_record(asked.service, NOBODY) if asked.service else {}
    ahead = asked.ahead_ns
    return _record(asked.name, asked.port, None, asked.outcome, findings(asked)) | {
        "role": asked.role,
        "addresses": [{"address": one.ip, "prefix": one.prefix} for one in asked.addresses],
        "intercepted": asked.intercepted,
        "issuer_expected": asked.issuer_expected,
        "names_fit": asked.names_fit,
        "trusted": asked.trusted,
        "passwords": list(asked.passwords),
        "clock_ahead_s": None if ahead is None else round(ahead / 1e9),
        **{key: served.get(key) for key in _SERVICE},
        "detail": asked.fault or (asked.service.detail if asked.service else "") or asked.distrust,
    }  # fmt: skip


def published_record(
    published: Published, role: Callable[[str], str | None], seen_as: Collection[str]
) -> Record:
    """The record of what a domain publishes; as ``of_tenant``."""
    found = of_tenant(published, role, seen_as)
    record = _record(published.name, None, published.kind, published.outcome, found)
    return record | {"records": list(published.records), "detail": published.fault}


def _record(
    name: str, port: int | None, kind: str | None, outcome: str, found: Collection[Finding]
) -> Record:
    """All keys, in their order, those of endpoints empty."""
    said = [{"rule": one.rule, "level": one.level, "text": one.text, "why": one.why} for one in found]
    known = {"endpoint": name, "port": port, "record": kind, "outcome": outcome, "findings": said}
    return dict.fromkeys(WAY_OUT.fields) | known


def _asked(record: Record) -> str:
    if record["port"] is None:
        return f"{record['endpoint']} {record['record']}"
    return place({"host": record["endpoint"], "port": record["port"]})


def _outcome(record: Record) -> list[str]:
    answered = record["outcome"] == "answered"
    return [record["outcome"], *([record["detail"]] if record["detail"] and not answered else [])]


def _leads(record: Record) -> list[str]:
    """The address that was asked first, and how many there are."""
    if record["port"] is None:
        return list(record["records"])
    known = [one["address"] for one in record["addresses"]]
    first = record["host"] or (known[0] if known else None)
    others = len(known) - 1
    return [first, *([f"and {others} more"] if others > 0 else [])] if first else []


def _offers(record: Record) -> list[str]:
    if record["protocol"] is None:
        return []
    said = [f"{record['protocol']}{spoken_tls(record)}"]
    if not record["paths"]:
        return said + offered(record)
    return said + [
        f"{path['service']}: {' '.join(path['offered']) or path['status']}" for path in record["paths"]
    ]


WAY_OUT = View(
    (
        "endpoint", "port", "record", "outcome", "role", "addresses", "records", "intercepted",
        "issuer_expected", "names_fit", "trusted", "passwords", "clock_ahead_s", *_SERVICE,
        "findings", "detail",
    ),
    {
        "endpoint": _asked,
        "outcome": _outcome,
        "leads to": _leads,
        "offers": _offers,
        "findings": lambda record: [one["text"] for one in record["findings"]],
    },
)  # fmt: skip
