"""The views that ``query`` reads: what their columns mean, and their rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields
from datetime import date
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from scanner.model import Host, Reason, Usage, Verdict
from scanner.net import is_randomised
from scanner.report.columns import INTEGER, REAL, TEXT, Column, Row, Table, day, flat, listed, time
from scanner.report.records import SESSION, Record, advice, deadline_record, service_record

if TYPE_CHECKING:
    from db.queries import Run
    from scanner.catalogue.retirement import Deadline

_COUNTS = (
    "first_seen", "last_seen", "sessions", "mails", "logins_same", "logins_changed", "odd", "untold",
)  # fmt: skip
_way = attrgetter(*(field.name for field in fields(Usage) if field.name not in _COUNTS))
"""What of a usage a verdict goes by."""


class _Device(NamedTuple):
    """What a row of ``v_devices`` is made of."""

    host: Host
    verdict: Verdict
    worst: Reason | None
    as_of: date


class _Use(NamedTuple):
    """What a row of ``v_usage`` is made of."""

    host: str
    use: Usage
    verdict: Verdict


def device_rows(hosts: Iterable[tuple[Host, Verdict]], as_of: date) -> Iterator[Row]:
    """Rows of ``v_devices``; days are counted from a day."""
    for host, verdict in hosts:
        yield DEVICES.row(_Device(host, verdict, verdict.reasons[0] if verdict.reasons else None, as_of))


def usage_rows(hosts: Iterable[tuple[Host, Verdict]], judge: Callable[[Host], Verdict]) -> Iterator[Row]:
    """Rows of ``v_usage``, each judged as if its host did nothing else."""
    known: dict[Any, Verdict] = {}
    for host, _ in hosts:
        for use in host.usage:
            way = _way(use)
            if way not in known:
                known[way] = judge(Host("", (), None, None, (), False, 0, 0, (use,)))
            yield USAGE.row(_Use(host.host, use, known[way]))


def service_rows(hosts: Iterable[tuple[Host, Verdict]], as_of: date) -> Iterator[Row]:
    """Rows of ``v_services``, with what is found on a day."""
    for host, _ in hosts:
        for offer in host.offers:
            yield SERVICES.row(service_record(offer, host.device, as_of) | {"of": host.host})


def deadline_rows(found: Iterable[Deadline], as_of: date) -> Iterator[Row]:
    """Rows of ``v_deadlines``; days are counted from a day."""
    return (DEADLINES.row(deadline_record(row, as_of)) for row in found)


def run_rows(found: Iterable[Run]) -> Iterator[Row]:
    """Rows of ``v_runs``."""
    return map(RUNS.row, found)


def _names(host: Host) -> list[str]:
    """Each name once, the latest heard first."""
    heard = sorted(host.names, key=lambda name: name.last_seen, reverse=True)
    return list(dict.fromkeys(name.text for name in heard))


def _days(one: _Device) -> int | None:
    deadline = one.verdict.deadline
    return (deadline - one.as_of).days if deadline else None


def _worst(field: str) -> Callable[[_Device], Any]:
    return lambda one: getattr(one.worst, field) if one.worst else None


DEVICES = Table(
    "v_devices",
    "a host of the inventory, also one that was never heard mailing",
    (
        Column("host", TEXT, "Its name in the inventory: MAC or address", lambda one: one.host.host),
        Column("name", TEXT, "What it was called last", lambda one: next(iter(_names(one.host)), None)),
        Column("address", TEXT, "One of its addresses", lambda one: next(iter(one.host.addresses), None)),
        Column("mac", TEXT, "Its MAC, where it is its own", lambda one: one.host.mac),
        Column("mac_randomised", INTEGER, "Whether the MAC was made up",
               lambda one: int(bool(one.host.mac and is_randomised(one.host.mac)))),
        Column("addresses", TEXT, "All its addresses, a list", lambda one: listed(one.host.addresses)),
        Column("names", TEXT, "All its names, a list, the latest heard first",
               lambda one: listed(_names(one.host))),
        Column("vendor", TEXT, "Maker of the device, else of its network card",
               lambda one: one.host.device.vendor or one.host.vendor),
        Column("model", TEXT, "Its model", lambda one: one.host.device.model),
        Column("kind", TEXT, "What it is: printer, NAS, ...", lambda one: one.host.device.kind),
        Column("software", TEXT, "The program that speaks", lambda one: one.host.device.software),
        Column("place", TEXT, "Where it stands, in its owner's words", lambda one: one.host.device.place),
        Column("router", INTEGER, "Whether it is a router", lambda one: int(one.host.router)),
        Column("verdict", TEXT, "broken, breaks, review, unknown or fine",
               lambda one: one.verdict.level.value),
        Column("deadline", TEXT, "When it breaks or broke, a day", lambda one: day(one.verdict.deadline)),
        Column("days", INTEGER, "From the day judged by to the deadline", _days, "days"),
        Column("rule", TEXT, "The rule of the worst reason", _worst("rule")),
        Column("reason", TEXT, "The worst reason", _worst("text")),
        Column("reasons", TEXT, "All reasons, a list, the worst first",
               lambda one: listed(dict.fromkeys(reason.text for reason in one.verdict.reasons))),
        Column("basis", TEXT, "What the worst reason rests on: seen, inferred, offered or endpoint",
               _worst("basis")),
        Column("confidence", REAL, "Of claims at 0.9, nine in ten are right", _worst("confidence")),
        Column("source", TEXT, "Where the deadline is announced", _worst("source")),
        Column("advice", TEXT, "What to do", lambda one: advice(one.host, one.verdict)),
        Column("behind", TEXT, "Hosts that relay its mail, a list, the nearest first",
               lambda one: listed(one.host.behind)),
        Column("carries", TEXT, "Hosts whose mail it relays, a list", lambda one: listed(one.host.carries)),
        Column("offers", INTEGER, "Ports where it listens, of those a scan asked",
               lambda one: len(one.host.offers)),
        Column("sessions", INTEGER, "Mail sessions ever heard; 0: never heard mailing",
               lambda one: sum(use.sessions for use in one.host.usage)),
        Column("mails", INTEGER, "Envelopes accepted in them",
               lambda one: sum(use.mails for use in one.host.usage)),
        Column("first_seen", TEXT, "When it was first heard mailing, else heard of",
               lambda one: time(one.host.first_seen)),
        Column("last_seen", TEXT, "When it was last heard mailing, else heard of",
               lambda one: time(one.host.last_seen)),
    ),
    ("host", "verdict", "deadline", "vendor", "last_seen"),
)  # fmt: skip


_MEANS: dict[str, tuple[str, str]] = {
    "server_name": (TEXT, "What the server is called"),
    "server_kind": (TEXT, "exchange-online, sign-in, internal or other"),
    "server_ip": (TEXT, "The server's address"),
    "server_port": (INTEGER, "The server's port"),
    "protocol": (TEXT, "smtp, imap, pop3 or http"),
    "service": (TEXT, "submission, mx; eas, ews, autodiscover, mapi, ..."),
    "tls_mode": (TEXT, "clear, starttls or implicit"),
    "tls_version": (TEXT, "SSLv3 to TLSv1.3"),
    "tls_cipher": (TEXT, "The cipher, by IANA's name"),
    "ja3": (TEXT, "Fingerprint of the client's TLS"),
    "ja4": (TEXT, "Another, newer"),
    "mechanism": (TEXT, "The login: LOGIN, XOAUTH2, HTTP-Basic, ..."),
    "auth_class": (TEXT, "basic, oauth, ntlm, kerberos, digest, certificate, cookie, none, ..."),
    "outcome": (TEXT, "accepted or refused"),
    "cause": (TEXT, "Why it was refused"),
    "attempts": (TEXT, "All logins that were tried, where they are several, a list of objects"),
    "basis": (TEXT, "What that rests on: seen, inferred, offered or endpoint"),
    "confidence": (REAL, "Of claims at 0.9, nine in ten are right"),
    "client_version": (TEXT, "The version that an ActiveSync client gave"),
    "capture": (TEXT, "The file or interface it was heard in"),
    "sensor": (TEXT, "Where that was"),
    "client_ip": (TEXT, "The client's address"),
    "client_port": (INTEGER, "The client's port"),
    "client_mac": (TEXT, "The client's MAC; it may be a router's"),
    "client_name": (TEXT, "What the client called itself (EHLO)"),
    "username": (TEXT, "As --usernames had it kept"),
    "sessions": (INTEGER, "How many sessions"),
    "mails": (INTEGER, "Envelopes accepted"),
    "gaps": (INTEGER, "Bytes missing"),
    "evidence": (TEXT, "What the claim rests on"),
    "first_seen": (TEXT, "When it began"),
    "last_seen": (TEXT, "When it ended"),
}
"""Columns of usages and sessions."""
_TIMES = ("first_seen", "last_seen")
_USED = (
    "server_name", "server_kind", "server_port", "protocol", "service", "tls_mode", "tls_version",
    "mechanism", "auth_class", "outcome", "cause", "basis", "confidence", "client_version", "sessions",
    "mails", *_TIMES,
)  # fmt: skip


def _used(name: str) -> Column:
    if name in _TIMES:
        return Column(name, *_MEANS[name], lambda one: time(getattr(one.use, name)))
    return Column(name, *_MEANS[name], lambda one: getattr(one.use, name))


def _judged(field: str) -> Callable[[_Use], Any]:
    return lambda one: getattr(one.verdict.reasons[0], field) if one.verdict.reasons else None


USAGE = Table(
    "v_usage",
    "one way in which a host uses one service, over all its sessions",
    (
        Column("host", TEXT, "As in v_devices", lambda one: one.host),
        *map(_used, _USED),
        Column("verdict", TEXT, "What becomes of this way by itself", lambda one: one.verdict.level.value),
        Column("deadline", TEXT, "When it breaks or broke, a day", lambda one: day(one.verdict.deadline)),
        Column("rule", TEXT, "The rule that says so", _judged("rule")),
        Column("reason", TEXT, "Why", _judged("text")),
    ),
    ("host", "verdict", "auth_class", "last_seen"),
)
SESSIONS = Table(
    "v_sessions",
    "a conversation, as long as it is kept (--keep-sessions)",
    (
        Column("host", TEXT, "The client, as in v_devices"),
        *(Column(name, *_MEANS[name]) for name in SESSION if name != "community_id"),
    ),
    ("host", "first_seen", "auth_class"),
)


def _told(name: str, means: str, kind: str = TEXT) -> Column:
    """A column that is so called in a record."""
    return Column(name, kind, means, lambda record: flat(record[name]))


def _part(whole: str, name: str, means: str) -> Column:
    """A column of what a part of a record has."""
    return Column(f"{whole}_{name}", TEXT, means, lambda record: flat((record[whole] or {}).get(name)))


def _findings(record: Record) -> str:
    return listed(finding["text"] for finding in record["findings"])


SERVICES = Table(
    "v_services",
    "a port where a host listened when a scan last asked it",
    (
        Column("host", TEXT, "As in v_devices", lambda record: record["of"]),
        Column("address", TEXT, "The address that was asked", lambda record: record["host"]),
        _told("port", "The port", INTEGER),
        _told("protocol", "smtp, imap, pop3 or http"),
        _told("service", "submission, mx; eas, ews, ..."),
        _told("outcome", "answered, timeout, closed, handshake-error or protocol-error"),
        _told("tls_mode", "clear, starttls or implicit"),
        _told("offered", "Ways to log in offered in clear, a list"),
        _told("offered_tls", "Ways to log in offered inside TLS, a list"),
        _told("starttls", "Whether STARTTLS is offered", INTEGER),
        _told("login_disabled", "IMAP: whether it said LOGINDISABLED", INTEGER),
        _told("tls_oldest", "The oldest TLS it takes"),
        _told("tls_newest", "The newest TLS it takes"),
        _told("tls_weak", "Weak ciphers it takes, a list"),
        _part("certificate", "subject", "Whom its certificate names"),
        _part("certificate", "issuer", "Who signed that"),
        _part("certificate", "not_after", "When that runs out"),
        _part("certificate", "key", "Its key: RSA 2048, ..."),
        _told("banner", "How it greets"),
        _told("server_name", "What it calls itself in that"),
        _part("ntlm", "host", "What it calls itself in NTLM"),
        _part("ntlm", "domain", "Its domain in NTLM"),
        _told("paths", "Exchange's paths that it serves, a list of objects"),
        _told("relaying", "Whether it relays for anybody, where that was tried: takes or refuses"),
        Column("findings", TEXT, "What is found wrong with it, a list", _findings),
        _told("detail", "Why there was no answer"),
        _told("at", "When it was asked"),
    ),
    ("host", "port", "protocol"),
)
DEADLINES = Table(
    "v_deadlines",
    "a date that Microsoft announced",
    (
        _told("id", "Its name here"),
        _told("date", "The day; null: announced without one"),
        Column("days", INTEGER, "From the day judged by until then", lambda record: record["days"], "days"),
        _told("what", "What ends"),
        _told("applies", "What it touches"),
        _told("source", "Where it is announced"),
        _told("checked", "The day somebody looked there"),
        _told("confidence", "published by Microsoft, or reported by others"),
    ),
    ("date",),
)


def _total(name: str, means: str) -> Column:
    return Column(name, INTEGER, means, lambda run: getattr(run.totals, name, None))


RUNS = Table(
    "v_runs",
    "a time of listening, and what of it was lost",
    (
        Column("sensor", TEXT, "Where that was", lambda run: run.sensor),
        Column("sources", TEXT, "Files or interfaces, a list", lambda run: listed(run.sources)),
        Column("began", TEXT, "When the program began", lambda run: time(run.began)),
        Column("ended", TEXT, "When it ended; null: killed, or it goes on", lambda run: time(run.ended)),
        Column("first_packet", TEXT, "When the first packet was sent",
               lambda run: time(getattr(run.totals, "first_at", None))),
        Column("last_packet", TEXT, "When the last packet was sent",
               lambda run: time(getattr(run.totals, "last_at", None))),
        _total("packets", "How many packets"),
        _total("observations", "How many sessions were heard"),
        _total("gaps", "Sessions with bytes missing"),
        _total("dropped", "Packets that the kernel had no room for"),
        _total("unwritten", "Sessions that could not be written"),
    ),
    ("began",),
)  # fmt: skip
TABLES = {table.name: table for table in (DEVICES, USAGE, SESSIONS, SERVICES, DEADLINES, RUNS)}
