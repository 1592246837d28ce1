"""Which hosts to list, and how to look at them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Any

from sqlalchemy import Connection, select

from db import bulk
from db.grouping import EndpointRow, Group
from db.schema import labels, services, usages
from scanner.labels import NAMES
from scanner.model import Chain, Device, Heard, Host, Level, Passage, Usage, Verdict

KEYS_ASKED = 500
"""Ids in one query: SQLite before 3.32 takes 999 parameters."""
Own = Callable[[int, str | None], Verdict]


def _unjudged(_: Host) -> Verdict:
    return Verdict(Level.UNKNOWN, None, ())


def _unchained(_: Iterable[Passage], __: Own, ___: Callable[[int], str]) -> Mapping[int, Chain]:
    return {}


@dataclass(frozen=True, slots=True)
class Lens:
    """How to look at hosts; what is not given is not told."""

    judge: Callable[[Host], Verdict] = _unjudged
    """Asked once for all hosts that use the same services in the same ways: it may go by the ways alone."""
    vendor: Callable[[str], str | None] = lambda _: None
    """The maker of a MAC."""
    identify: Callable[[Sequence[Heard], str | None], Device] = lambda _, __: Device()
    """What a host is, by its labels and its MAC's maker."""
    chains: Callable[[Iterable[Passage], Own, Callable[[int], str]], Mapping[int, Chain]] = _unchained
    """Where hosts stand among relays, and what becomes of them there: ``scanner.relays.chains``."""
    pool: Callable[[Sequence[Usage], Device | None], tuple[Usage, ...]] = lambda usages, _: tuple(usages)
    """What the usages of a host come to, whatever it is (None) or as the device that it is:
    ``scanner.pooling.pool``. What it is may change how sure a usage is, and nothing else."""


@dataclass(frozen=True, slots=True)
class HostFilter:
    """Which hosts to list; None: any."""

    verdict: Level | None = None
    protocol: str | None = None
    mechanism: str | None = None
    """In any spelling; with ``protocol`` too, one usage must have both."""
    vendor: str | None = None
    """Part of the name of the device's maker or of the MAC's."""
    since: int | None = None
    """Seen at or after, ns."""
    where: str | None = None
    """An address prefix, or part of an address, MAC or name."""
    behind: str | None = None
    """The MAC, an address or a name of a relay that its mail passes."""
    silent: bool = False
    """Also hosts that were heard of and never mailed."""


class Named:
    """Whether a host goes by a MAC in any spelling, an address, or a name."""

    def __init__(self, connection: Connection, name: str) -> None:
        """Look the name up."""
        asked = name.lower()
        self._mac = asked.replace("-", ":").replace(".", ":")
        with suppress(ValueError):
            asked = str(ip_address(asked))
        self._asked = asked
        query = select(labels.c.endpoint, labels.c.text).where(labels.c.field.in_(sorted(NAMES)))
        self._called = {key for key, text in bulk.read(connection, query) if text.lower() == asked}

    def __call__(self, host: Group) -> bool:
        """Tell."""
        if self._asked == host.name or self._mac in (host.mac, host.name):
            return True
        return any(one.ip == self._asked or one.id in self._called for one in host.own)


class Passes:
    """Whether a host passes the filters that go by more than its ways."""

    def __init__(self, connection: Connection, filters: HostFilter, lens: Lens) -> None:
        """Read what the filters need."""
        self._filters, self._lens = filters, lens
        asks_labels = filters.where or filters.vendor
        self._labels = labels_of(connection, None) if asks_labels else {}
        self._recent: set[int] | None = None
        if filters.since is not None:
            recent = select(usages.c.endpoint).where(usages.c.last_seen >= filters.since)
            asked = select(services.c.endpoint).where(services.c.at >= filters.since)
            self._recent = set(connection.execute(recent.union(asked)).scalars())
        self._where = filters.where.lower() if filters.where else ""
        self._network: Any = None
        if "/" in self._where:
            with suppress(ValueError):
                self._network = ip_network(self._where, strict=False)

    def __call__(self, host: Group) -> bool:
        """Tell."""
        recent = self._recent
        if recent is not None and not any(member.id in recent for member in host.members):
            return False
        if self._filters.vendor is not None and not self._is_made_by(host, self._filters.vendor.lower()):
            return False
        return not self._where or self._is_where(host)

    def _is_made_by(self, host: Group, maker: str) -> bool:
        vendor = self._lens.vendor(host.mac) if host.mac else None
        if maker in (vendor or "").lower():
            return True
        device = self._lens.identify(gathered(host.own, self._labels), vendor)
        return maker in (device.vendor or "").lower()

    def _is_where(self, host: Group) -> bool:
        if "/" in self._where:
            network = self._network
            return network is not None and any(ip_address(one.ip) in network for one in host.own if one.ip)
        called = (label.text for label in gathered(host.own, self._labels) if label.field in NAMES)
        texts = (host.name, host.mac or "", *(member.ip for member in host.own), *called)
        return any(self._where in text.lower() for text in texts)


def gathered(members: Iterable[EndpointRow], told: dict[int, list[Heard]]) -> list[Heard]:
    """The labels of a host, each once, by field and text."""
    found: dict[tuple[str, str], Heard] = {}
    for member in members:
        for one in told.get(member.id, ()):
            known = found.get(one[:2], one)
            first, last = min(one.first_seen, known.first_seen), max(one.last_seen, known.last_seen)
            found[one[:2]] = Heard(one.field, one.text, first, last)
    return [found[key] for key in sorted(found)]


def labels_of(connection: Connection, ids: list[int] | None) -> dict[int, list[Heard]]:
    """All labels of endpoints (None: of all), by endpoint."""
    found: dict[int, list[Heard]] = defaultdict(list)
    columns = labels.c.field, labels.c.text, labels.c.first_seen, labels.c.last_seen
    query = select(labels.c.endpoint, *columns)
    steps = [query] if ids is None else [
        query.where(labels.c.endpoint.in_(ids[at : at + KEYS_ASKED]))
        for at in range(0, len(ids), KEYS_ASKED)
    ]  # fmt: skip
    for step in steps:
        for endpoint, *told in bulk.read(connection, step):
            found[endpoint].append(Heard(*told))
    return found
