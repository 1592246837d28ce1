"""``mailsunset explain``: one host's verdict, and all that it rests on."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping

import click

from scanner import remedies
from scanner.account import Usernames
from scanner.cli import options
from scanner.cli.settings import InputError, Settings, fail_on, inventory, lens
from scanner.identify import Vote, evidence
from scanner.labels import FORWARDS
from scanner.model import Host, Level, Observation, Reason, Verdict
from scanner.report.escape import visible
from scanner.report.formats import Format, write_lines
from scanner.report.mailboxes import explained, tie_lines
from scanner.report.pooled import usage_lines
from scanner.report.records import Record, host_record, option_records, session_record, timestamp
from scanner.report.services import offer_lines
from scanner.report.views import local_time, what

VOTES_SHOWN = 8
"""Fingerprints that matched, the weightiest first; more repeat them."""
HOSTS_SHOWN = 20
"""Hosts behind a relay; ``hosts --behind`` lists all."""
OPTIONS_SHOWN = 3
"""Ways out; ``remedy`` lists all."""
SESSIONS_SHOWN = 10
"""Sessions a host in the explanation; ``sessions --host`` lists all."""


@click.command("explain")
@click.argument("host")
@options.table
@options.usernames
@options.fail_on
@click.pass_obj
def command(settings: Settings, host: str, form: str, usernames: str, threshold: str | None) -> None:
    """Explain what becomes of HOST (a MAC, an address or a name), and what that rests on."""
    from db.filters import HostFilter  # 150 ms that --help need not pay
    from db.queries import SessionFilter

    with inventory(settings) as kept:
        pair = kept.host(host, lens(settings))
        if pair is None:
            raise InputError(f"{host}: no such host in the inventory")
        found, verdict = pair
        seen = list(kept.sessions(SessionFilter(host=found, limit=SESSIONS_SHOWN)))
        around = {*found.behind, *found.carries[:HOSTS_SHOWN]} if form == Format.TABLE else set()
        known = kept.hosts(lens(settings), HostFilter(silent=True)).named(around) if around else {}
        names, ties = Usernames(usernames), kept.ties()
        record = host_record(found, verdict, settings.as_of, kept.assets(), ties, names)
    record["options"] = option_records(remedies.options(found, verdict))
    record["mailboxes"] = [explained(tie, names) for tie in ties.get(found.host, ())]
    record["sessions"] = [session_record(one) for one in seen]
    match form:
        case Format.TABLE:
            mailboxes = tie_lines(ties.get(found.host, ()), names)
            click.echo("\n".join(_lines(found, verdict, record, seen, known, mailboxes)))
        case Format.JSON:
            click.echo(json.dumps(record, indent=2))
        case Format.NDJSON:
            write_lines([record], sys.stdout)
        case _:
            raise InputError("an explanation has no form as CSV; use json, or export sessions")
    fail_on(Level(threshold) if threshold else None, [verdict.level])


def _lines(
    host: Host,
    verdict: Verdict,
    record: Record,
    seen: list[Observation],
    around: Mapping[str, Host],
    mailboxes: Iterable[str],
) -> list[str]:
    kind = what(record) or "nothing known of its kind"
    lines = [
        visible(f"{host.host}  {', '.join(host.addresses)}  {kind}"),
        f"verdict: {verdict.level.value}" + (f", {verdict.deadline}" if verdict.deadline else ""),
    ]
    lines += _to_do(record)
    listed = [f"  {name}: {text}" for name, text in (record["asset"] or {}).items() if text]
    lines += ["", "the site's own list says:", *map(visible, listed)] if listed else []
    lines += map(visible, mailboxes)
    lines += [*_identity(host), *_relays(host, around)]
    because = [f"  {line}" for reason in verdict.reasons for line in _reason(reason)]
    lines += ["", "because:", *because] if because else []
    if host.usage:
        lines += ["", "all its sessions come to:"]
        lines += [visible(f"  {line}") for use in host.usage for line in usage_lines(use)]
    lines += offer_lines(record["offers"])
    lines += ["", f"seen (the last {len(seen)}):"] if seen else ["", "it was not heard mailing"]
    for one in seen:
        when, where = local_time(timestamp(one.first_seen)), one.server_name or one.server_ip
        lines.append(visible(f"  {when} to {where}:{one.server_port}"))
        lines.append(visible(f"      {_server(one)}"))
        lines += [visible(f"      {step}") for step in one.evidence.split("; ") if step]
    return lines


def _to_do(record: Record) -> list[str]:
    """The first ways in which its mail can go on; where there is none, what its verdict advises."""
    lines = [visible(f"what to do: {record['advice']}")] if record["advice"] and not record["options"] else []
    for number, option in enumerate(record["options"][:OPTIONS_SHOWN]):
        lines.append(visible(f"{'or' if number else 'what to do'}: {option['text']} ({option['effort']})"))
        lines.append(visible(f"    needs {option['needs']}"))
        if option["limits"]:
            lines.append(visible(f"    but: {option['limits']}"))
        lines.append(visible(f"    source: {option['source']}"))
    return lines


def _identity(host: Host) -> list[str]:
    """Names with where and when they were heard, and what tells the device."""
    lines = ["", "called:"] if host.names else ["", "no name heard"]
    for name in host.names:
        span = f"{local_time(timestamp(name.first_seen))} to {local_time(timestamp(name.last_seen))}"
        lines.append(visible(f"  {name.text}  ({name.field}, {span})"))
    if votes := evidence(host.labels, host.vendor)[:VOTES_SHOWN]:
        lines += [
            "",
            f"taken for {host.device.kind or 'what it is'} (confidence {host.device.confidence:.2f}):",
        ]
        lines += [visible(f"  {vote.field} {vote.text!r} says {_says(vote)}") for vote in votes]
    return lines


def _relays(host: Host, around: Mapping[str, Host]) -> list[str]:
    """Whose packets it was seen to forward, the relays that its mail passes, and whose mail it passes on."""
    lines = []
    if lent := [label.text for label in host.labels if label.field == FORWARDS]:
        lines += ["", visible(f"forwards what DHCP lent to other cards: {', '.join(lent)}")]
    if host.behind:
        chain = (host.host, *(_title(name, around) for name in host.behind))
        lines += ["", visible(f"its mail passes: {' -> '.join(chain)}")]
    if host.carries:
        more = f" and {len(host.carries) - HOSTS_SHOWN} more" if len(host.carries) > HOSTS_SHOWN else ""
        carried = (_title(name, around) for name in host.carries[:HOSTS_SHOWN])
        lines += ["", visible(f"relay for: {', '.join(carried)}{more}")]
    return lines


def _title(name: str, around: Mapping[str, Host]) -> str:
    names = [(one.last_seen, one.text) for one in around[name].names] if name in around else []
    return f"{max(names)[1]} ({name})" if names else name


def _says(vote: Vote) -> str:
    parts = (vote.vendor, vote.model, vote.kind, vote.software)
    return f"{', '.join(part for part in parts if part)} [{vote.entry}, {vote.weight:.2f}]"


def _server(seen: Observation) -> str:
    by = f" by {seen.server_matched}" if seen.server_matched else ""
    return f"{seen.server_kind.value}{by}; {seen.capture}"


def _reason(reason: Reason) -> list[str]:
    when = f", {reason.deadline}" if reason.deadline else ""
    lines = [
        visible(f"{reason.level.value}{when}: {reason.text} [{reason.rule}]"),
        f"    rests on: {reason.basis.value}, confidence {reason.confidence:.2f}",
    ]
    return [*lines, f"    source: {reason.source}"] if reason.source else lines
