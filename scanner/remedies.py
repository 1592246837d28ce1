"""What to do about a host: the ways in which its mail can go on, the most apt first. Pure.

To whom a device mails is said inside TLS and not known, so what a way does not solve stands with each.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from functools import cache
from importlib.resources import files

from scanner.identify import oauth_row
from scanner.model import Device, Host, Level, ServerKind, Usage, Verdict
from scanner.rules import PASSWORDS

RELAYS_NAMED = 3
"""Relays that a text names; a site seldom has more."""


class Effort(StrEnum):
    """What a way costs."""

    SMALL = "small"
    """A setting."""
    MEDIUM = "medium"
    """An update, or something that is set up once."""
    LARGE = "large"
    """Something that is bought or written."""


@dataclass(frozen=True, slots=True)
class Option:
    """One way in which a host's mail can go on."""

    way: str
    """Its name, kebab-case."""
    text: str
    effort: Effort
    needs: str
    """What must be there for it."""
    limits: str
    """What it does not solve; empty: nothing is known."""
    source: str
    checked: date
    """When the facts were gone through."""


@dataclass(frozen=True, slots=True)
class Remedy:
    """What to do about a host."""

    host: Host
    verdict: Verdict
    options: tuple[Option, ...]
    """In the order in which to think of them; at least one."""

    @property
    def effort(self) -> Effort:
        """Of the first."""
        return self.options[0].effort


_SUBMISSION = frozenset({"smtp-auth", "smtp-auth-refused"})
_BAD = frozenset({Level.BROKEN, Level.BREAKS, Level.REVIEW})
_ALERTING = frozenset(
    {"management controller", "ups", "camera", "nas", "recorder", "network device", "backup software"}
)
"""Kinds that mail alerts, mostly to the site's own people."""
_PROGRAMS = frozenset({"mail library", "mail program", "computer", "server", "backup software"})
"""Kinds whose programs somebody here can change."""
_RELAYS = frozenset({"mail server", "mail gateway", "oauth bridge"})
_BY_RULE: Mapping[str, tuple[str, ...]] = {
    "old-tls": ("update", "relay", "replace"),
    "legacy-tls": ("update", "relay", "replace"),
    "legacy-host": ("normal-host",),
    "old-activesync": ("update-client",),
    "ews": ("graph", "allow-application"),
    "outlook-anywhere": ("update-client",),
    "remote-powershell": ("update-client",),
    "direct-send": ("check-connectors",),
    "high-volume-email": ("hve-oauth",),
}
"""Ways out of what a rule finds; those that depend on more are in ``_ways``."""


@cache
def known() -> Mapping[str, Option]:
    """Read all ways, by name."""
    text = (files("scanner.catalogue") / "ways.toml").read_text("utf-8")
    rows = (Option(**{**row, "effort": Effort(row["effort"])}) for row in tomllib.loads(text)["way"])
    return {row.way: row for row in rows}


def remedies(found: Iterable[tuple[Host, Verdict]]) -> list[Remedy]:
    """Say what to do about each host that breaks or is to be looked at: by date, then effort."""
    pairs = list(found)
    relays = [host.host for host, verdict in pairs if verdict.level is Level.FINE and _is_relay(host)]
    said = [Remedy(host, verdict, options(host, verdict, relays)) for host, verdict in pairs]
    return sorted((one for one in said if one.options), key=_urgency)


def _is_relay(host: Host) -> bool:
    """Whether it passes on what others send, by itself."""
    return bool(host.carries) and not host.behind and any(use.protocol == "smtp" for use in host.usage)


def _urgency(one: Remedy) -> tuple[bool, date, int, str]:
    """What is refused already comes before any date."""
    late = one.verdict.level is not Level.BROKEN
    when = (one.verdict.deadline or date.max) if late else date.min
    return late, when, list(Effort).index(one.effort), one.host.host


def options(host: Host, verdict: Verdict, relays: Sequence[str] = ()) -> tuple[Option, ...]:
    """List the ways in which a host's mail can go on; none where nothing is to be done, or known.

    ``relays``: those of the site that go on working.
    """
    found: dict[str, Option] = {}
    for reason in verdict.reasons:
        if reason.level in _BAD:
            for option in _ways(reason.rule, host, relays):
                found.setdefault(option.way, option)  # the first is the most apt
    return tuple(found.values())


def _ways(rule: str, host: Host, relays: Sequence[str]) -> Iterator[Option]:
    if rule == "behind-relay":
        yield _mended(host)
    elif rule in _SUBMISSION:
        yield from _sending(host, [name for name in relays if name != host.host])
    elif rule == "basic-auth":
        yield from _fetching(host)
    else:
        yield from (known()[way] for way in _BY_RULE.get(rule, ()))


def _mended(host: Host) -> Option:
    relay = next(iter(host.behind), None)
    way = known()["mend-relay"]
    return replace(way, text=f"Mend the relay {relay}; the device itself stays as it is.") if relay else way


def _sending(host: Host, relays: Sequence[str]) -> Iterator[Option]:
    """Ways out for what sends with a password; what only wins time comes last."""
    ways, device, (sure, unsure) = known(), host.device, _modern(host.device)
    if host.carries or device.kind in _RELAYS:
        yield from (*sure, ways["connector"], *unsure, ways["azure-communication-services"])
    else:
        inside = ways["high-volume-email"], ways["direct-send"]
        yield from (*sure, *_through(relays))
        if device.kind in _ALERTING:
            yield from inside
        yield from (*unsure, ways["relay"], ways["connector"], *inside, ways["azure-communication-services"])
        yield ways["graph" if device.kind in _PROGRAMS else "replace"]
    yield ways["keep-password"]


def _fetching(host: Host) -> Iterator[Option]:
    """Ways out for what fetches mail, or uses a web service, with a password that is refused."""
    used = {use.service or use.protocol for use in host.usage if _is_refused(use)}
    ways, (sure, unsure) = known(), _modern(host.device)
    if used & {"pop3", "imap"}:
        yield from (*sure, *unsure, ways["bridge"])
        yield ways["graph" if host.device.kind in _PROGRAMS else "replace"]
    if "ews" in used:
        yield ways["graph"]
    if used - {"pop3", "imap", "ews"}:
        yield ways["update-client"]


def _is_refused(use: Usage) -> bool:
    outside = use.server_kind is ServerKind.EXCHANGE_ONLINE
    return outside and use.protocol != "smtp" and use.auth_class in PASSWORDS


def _modern(device: Device) -> tuple[list[Option], list[Option]]:
    """By what is known of its make or its program: what surely works, and what is to be looked at."""
    row, ways = oauth_row(device), known()
    if row is None:
        return [], [ways["oauth"]]
    way = ways["graph" if row.oauth == "no" else "oauth"]
    effort = Effort.SMALL if row.oauth == "yes" else Effort.MEDIUM
    told = replace(way, text=row.advice, effort=effort, source=row.source, checked=row.checked)
    if row.oauth == "no" and row.software is None:
        return [], []
    return ([], [told]) if row.oauth == "unknown" else ([told], [])


def _through(relays: Sequence[str]) -> Iterator[Option]:
    """By way of a relay that is there already, and goes on working."""
    if relays:
        names = " or ".join(relays[:RELAYS_NAMED])
        text = f"Send through {names}, which goes on working and passes on the mail of others already."
        yield replace(known()["relay"], text=text, effort=Effort.SMALL, needs="its leave to pass mail on")
