"""What a table and an explanation show of services, and of what two scans do not agree on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from scanner.model import Device
from scanner.report.escape import visible
from scanner.report.records import Record, service_record
from scanner.report.views import View, local_time
from scanner.scan_diff import ServiceChange

NOBODY = Device()
"""What is not looked up for a comparison."""
_FIELDS = {"tls": ("tls_oldest", "tls_newest", "tls_weak")}
"""Keys of a service's record that hold a field which is not called so."""


def place(record: Record) -> str:
    """Address and port as one writes them."""
    host = record["host"]
    return f"[{host}]:{record['port']}" if ":" in host else f"{host}:{record['port']}"


def speaks(record: Record) -> list[str]:
    """What is spoken there and inside which TLS; else how asking ended."""
    name = record["service"] or record["protocol"]
    ended = [] if record["outcome"] == "answered" else [record["outcome"]]
    return [*([f"{name}{spoken_tls(record)}"] if name else []), *ended] or ["nothing known"]


def spoken_tls(record: Record) -> str:
    """What of TLS is spoken, to be written behind the protocol."""
    oldest, newest = record["tls_oldest"], record["tls_newest"]
    if newest is None:
        return ", TLS" if record["tls_mode"] == "implicit" else ", STARTTLS" if record["starttls"] else ""
    return f", {newest}" if oldest in (None, newest) else f", {oldest} to {newest.removeprefix('TLS')}"


def offered(record: Record) -> list[str]:
    """Ways to log in, in clear and inside TLS."""
    ways = (("clear", record["offered"]), ("TLS", record["offered_tls"]))
    return [f"{where}: {' '.join(names)}" for where, names in ways if names]


def _findings(record: Record) -> list[str]:
    return [finding["text"] for finding in record["findings"]]


def offer_lines(offers: Sequence[Record]) -> list[str]:
    """What a host serves and what is found about it, for an explanation; nothing where nobody asked."""
    lines = ["", "what it offers:"] if offers else []
    for offer in offers:
        lines += [visible(f"  {line}") for line in _offer(offer)]
    return lines


def _offer(offer: Record) -> Iterator[str]:
    said = [", ".join(speaks(offer)), offer["detail"], *offered(offer)]
    yield f"{place(offer)}  {'; '.join(part for part in said if part)}  (asked {local_time(offer['at'])})"
    if offer["banner"]:
        yield f"    greets: {offer['banner']}"
    if shown := offer["certificate"]:
        until = f"until {shown['not_after'][:10]}"
        yield f"    certificate: {shown['subject']}, by {shown['issuer']}, {until}, {shown['key']}"
    for path in offer["paths"]:
        yield f"    {path['path']}: {path['status']}, {' '.join(path['offered']) or 'no login offered'}"
    for finding in offer["findings"]:
        yield f"    {finding['level']}: {finding['text']} [{finding['rule']}]"
        yield f"        {finding['why']}"


def change_record(change: ServiceChange) -> Record:
    """The record of what is not as it was; both services whole, and which of their keys differ."""
    host, port = change.place
    before, after = (service_record(one, NOBODY) if one else None for one in (change.before, change.after))
    keys = [key for name in change.changed for key in _FIELDS.get(name, (name,))]
    return {
        "host": host,
        "port": port,
        "change": change.kind,
        "changed": [key for key in keys if before and after and before[key] != after[key]],
        "before": before,
        "after": after,
    }


def _what(record: Record) -> list[str]:
    before, after = record["before"], record["after"]
    if record["change"] != "changed":
        there = after if record["change"] == "appeared" else before
        return [*speaks(there), *offered(there)]
    return [f"{key}: {_brief(before[key])} -> {_brief(after[key])}" for key in record["changed"]]


def _brief(value: Any) -> str:
    match value:
        case None | []:
            return "none"
        case {"subject": subject, "key": key, "not_after": until}:
            return f"{subject} {key} until {until[:10]}"
        case dict():
            return " ".join(str(one) for one in value.values())
        case list():
            return " ".join(one["path"] if isinstance(one, dict) else str(one) for one in value)
        case _:
            return str(value)


SERVICES = View(
    (
        "host", "port", "protocol", "service", "tls_mode", "outcome", "offered", "offered_tls", "starttls",
        "tls_oldest", "tls_newest", "certificate", "banner", "ntlm", "device", "at", "login_disabled",
        "tls_weak", "server_name", "public_ip", "paths", "relaying", "findings", "detail",
    ),
    {
        "address": place,
        "speaks": speaks,
        "offered": offered,
        "findings": _findings,
    },
)  # fmt: skip
CHANGES = View(
    ("host", "port", "change", "changed", "before", "after"),
    {
        "address": place,
        "change": lambda record: record["change"],
        "what": _what,
    },
    frozenset({"change"}),
)
