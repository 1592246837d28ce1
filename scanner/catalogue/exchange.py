"""Is this server Exchange Online? By name, by ``--endpoint``, by prefix; and the record says by which."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple

from scanner import net
from scanner.catalogue import BadTableError, own, table
from scanner.model import ServerKind

CLASSIFIED_KEPT = 65_536
"""Answers remembered: a site talks to a few thousand servers."""


class Match(NamedTuple):
    """What a server is, and by what."""

    kind: ServerKind
    matched: str | None = None
    """``name smtp.office365.com``, ``prefix 52.96.0.0/14``, ``--endpoint 203.0.113.0/24``."""
    role: str | None = None
    cloud: str | None = None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A row of the catalogue."""

    names: tuple[str, ...]
    prefixes: tuple[str, ...]
    kind: ServerKind = ServerKind.EXCHANGE_ONLINE
    role: str | None = None
    cloud: str | None = None
    label: str = ""
    """Stands before what matched; ``--endpoint`` for the user's own."""
    ports: tuple[int, ...] = ()
    asked: tuple[tuple[str, int], ...] = ()
    """Names and ports that stand for the row when the way to it is checked."""


class Catalogue:
    """All endpoints, ready to be asked."""

    def __init__(
        self, endpoints: Sequence[Endpoint], mail_ports: Iterable[int], issuers: Iterable[str] = ()
    ) -> None:
        """Take rows; of two rows with the same name or prefix the first counts."""
        self.mail_ports = frozenset(mail_ports)
        """Where following begins whoever the server is: mail's ports and those of HTTP in clear."""
        self.issuers = tuple(issuers)
        """Whose certificates Microsoft's servers show: common names, a trailing ``*`` for any ending."""
        self.asked = tuple(place for endpoint in endpoints for place in endpoint.asked)
        """What stands for Exchange Online when the way to it is checked: names and ports."""
        self._names: dict[str, Endpoint] = {}
        self._owners: dict[str, Endpoint] = {}
        for endpoint in endpoints:
            for name in endpoint.names:
                self._names.setdefault(name.lower(), endpoint)
            for prefix in endpoint.prefixes:
                self._owners.setdefault(net.prefix(prefix), endpoint)
        stars = sorted((name for name in self._names if "*" in name), key=_generality)
        self._stars = {name: _expression(name) for name in stars}
        self.prefixes = net.Prefixes(self._owners)
        """Every prefix of every row: their servers are followed on any port."""
        self._mine = net.Prefixes(prefix for prefix, owner in self._owners.items() if owner.label)
        self.classify = lru_cache(CLASSIFIED_KEPT)(self._classify)
        """``classify(ip, name)``: what a server is; its name says more than its address."""
        self._fitting = lru_cache(CLASSIFIED_KEPT)(self._fits)

    def _classify(self, ip: str, name: str | None) -> Match:
        if pattern := self._fitting(name):
            owner = self._names[pattern]
            return Match(owner.kind, f"{owner.label or 'name'} {_plain(name)}", owner.role, owner.cloud)
        value = net.number(ip)
        prefix = self._mine.find(value) or self.prefixes.find(value)
        if prefix is not None:
            owner = self._owners[prefix]
            return Match(owner.kind, f"{owner.label or 'prefix'} {prefix}", owner.role, owner.cloud)
        return Match(ServerKind.INTERNAL if net.is_internal(ip) else ServerKind.OTHER)

    def role(self, name: str | None) -> str | None:
        """What a server of this name is for; None for one that the catalogue does not name."""
        pattern = self._fitting(name)
        return self._names[pattern].role if pattern else None

    def ports(self, name: str) -> tuple[int, ...]:
        """Where a server of this name is asked when the way to it is checked; else all ports of its row."""
        asked = tuple(port for known, port in self.asked if known == _plain(name))
        pattern = self._fitting(name)
        return asked or (self._names[pattern].ports if pattern else ())

    def family(self, name: str) -> str | None:
        """The pattern, as ``*.outlook.office365.com``, that alone makes a name known; None if none does."""
        pattern = self._fitting(name)
        return pattern if pattern in self._stars and pattern.startswith("*") else None

    def _fits(self, name: str | None) -> str | None:
        """The name or the pattern of the catalogue that a name fits."""
        plain = _plain(name)
        if plain in self._names:
            return plain
        return next((star for star, fits in self._stars.items() if fits.fullmatch(plain)), None)


def _plain(name: str | None) -> str:
    return (name or "").lower().rstrip(".")


def _generality(pattern: str) -> tuple[bool, int]:
    """Patterns with a star inside go first, then the longest."""
    return pattern.startswith("*"), -len(pattern)


def _expression(pattern: str) -> re.Pattern[str]:
    """A leading ``*`` stands for one label or more, an inner one for exactly one."""
    first, *others = pattern.split(".")
    labels = [r".+" if first == "*" else re.escape(first)]
    labels += [r"[^.]+" if label == "*" else re.escape(label) for label in others]
    return re.compile(r"\.".join(labels), re.DOTALL)


def load_catalogue(path: str | None = None, extra: Sequence[str] = ()) -> Catalogue:
    """Read a catalogue: ours, a user's TOML, or Microsoft's endpoints JSON; ``extra`` are ``--endpoint``s.

    Raises ``BadTableError``. The JSON is that of the "Office 365 IP Address and URL web service".
    """
    with table(path, "exchange.toml", "catalogue") as text:
        rows, ports, issuers = _json_rows(text) if text.lstrip().startswith("[{") else _toml_rows(text)
        return Catalogue([*map(_extra, extra), *rows], ports, issuers)


class _Rows(NamedTuple):
    endpoints: list[Endpoint]
    ports: frozenset[int]
    issuers: tuple[str, ...]


def _toml_rows(text: str) -> _Rows:
    found = tomllib.loads(text)
    rows = [
        Endpoint(
            tuple(row.get("names", ())),
            tuple(row.get("prefixes", ())),
            ServerKind(row["kind"]),
            row.get("role"),
            row.get("cloud"),
            ports=tuple(row.get("ports", ())),
            asked=tuple(map(_place, row.get("asked", ()))),
        )
        for row in found["endpoint"]
    ]
    issuers = tuple(name for row in found.get("issuer", ()) for name in row["names"])
    ports = frozenset(found.get("mail_ports", ())) | frozenset(found.get("web_ports", ()))
    return _Rows(rows, ports, issuers)


def _place(text: str) -> tuple[str, int]:
    name, _, port = text.rpartition(":")
    return name, int(port)


def _json_rows(text: str) -> _Rows:
    """Microsoft's rows tell names and prefixes only; roles, sign-in hosts, ports and issuers stay ours."""
    ours, ports, issuers = _toml_rows(own("exchange.toml"))
    theirs = [
        Endpoint(tuple(row.get("urls", ())), tuple(row.get("ips", ())))
        for row in json.loads(text)
        if row.get("serviceArea") == "Exchange"
    ]
    if not theirs:
        raise BadTableError("not a catalogue: no row of the service area Exchange")
    named = [replace(row, prefixes=()) for row in ours]
    sign_in = [row for row in ours if row.kind is ServerKind.SIGN_IN]
    return _Rows([*named, *theirs, *sign_in], ports, issuers)


def _extra(endpoint: str) -> Endpoint:
    try:
        return Endpoint((), (net.prefix(endpoint),), label="--endpoint")
    except ValueError:
        if "/" in endpoint or not _is_name(endpoint):
            raise BadTableError(f"{endpoint!r} is neither a name, an address nor a prefix") from None
    return Endpoint((endpoint,), (), label="--endpoint")


def _is_name(text: str) -> bool:
    labels = text.rstrip(".").split(".")
    return all(label == "*" or label.replace("-", "").replace("_", "").isalnum() for label in labels)
