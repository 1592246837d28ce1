"""Is this server Exchange Online? By name, by ``--endpoint``, by prefix; and the record says by which."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from ipaddress import ip_address
from pathlib import Path
from typing import Any, NamedTuple

from scanner import net
from scanner.model import ServerKind

CLASSIFIED_KEPT = 65_536
"""Answers remembered: a site talks to a few thousand servers."""


class BadCatalogueError(ValueError):
    """The user's catalogue or endpoint cannot be used; the text says why in one line."""


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
    kind: ServerKind
    role: str | None
    cloud: str | None
    label: str = ""
    """Stands before what matched; ``--endpoint`` for the user's own."""


class Catalogue:
    """All endpoints, ready to be asked."""

    def __init__(self, endpoints: Iterable[Endpoint], mail_ports: Iterable[int]) -> None:
        """Take rows; of two rows with the same name or prefix the first counts."""
        self.mail_ports = frozenset(mail_ports)
        """Where following begins whoever the server is: mail's ports and those of HTTP in clear."""
        self._exact: dict[str, Endpoint] = {}
        self._suffixes: dict[str, Endpoint] = {}
        """What follows the first star and dot."""
        self._patterns: dict[str, Endpoint] = {}
        """With a star inside."""
        self._owners: dict[str, Endpoint] = {}
        for endpoint in endpoints:
            for name in endpoint.names:
                self._add(name.lower(), endpoint)
            for prefix in endpoint.prefixes:
                self._owners.setdefault(net.prefix(prefix), endpoint)
        self.prefixes = net.Prefixes(self._owners)
        """Every prefix of every row: their servers are followed on any port."""
        self._mine = net.Prefixes(prefix for prefix, owner in self._owners.items() if owner.label)
        self.classify = lru_cache(CLASSIFIED_KEPT)(self._classify)
        """``classify(ip, name)``: what a server is; its name says more than its address."""

    def _add(self, name: str, endpoint: Endpoint) -> None:
        star, _, suffix = name.partition(".")
        if "*" not in name:
            self._exact.setdefault(name, endpoint)
        elif star == "*" and "*" not in suffix:
            self._suffixes.setdefault(suffix, endpoint)
        else:
            self._patterns.setdefault(name, endpoint)

    def _classify(self, ip: str, name: str | None) -> Match:
        if name and (found := self._by_name(name.lower().rstrip("."))):
            return found
        value = net.number(ip)
        prefix = self._mine.find(value) or self.prefixes.find(value)
        if prefix is not None:
            owner = self._owners[prefix]
            return Match(owner.kind, f"{owner.label or 'prefix'} {prefix}", owner.role, owner.cloud)
        return Match(ServerKind.INTERNAL if net.is_internal(ip) else ServerKind.OTHER)

    def role(self, name: str | None) -> str | None:
        """What a server of this name is for; None for one that the catalogue does not name."""
        found = self._by_name(name.lower().rstrip(".")) if name else None
        return found.role if found else None

    def family(self, name: str) -> str | None:
        """The pattern, as ``*.outlook.office365.com``, that alone makes a name known; None if none does."""
        lowered = name.lower().rstrip(".")
        if lowered in self._exact:
            return None
        _, _, suffix = lowered.partition(".")
        while suffix:
            if suffix in self._suffixes:
                return f"*.{suffix}"
            _, _, suffix = suffix.partition(".")
        return None

    def _by_name(self, name: str) -> Match | None:
        if endpoint := self._exact.get(name):
            return _match(endpoint, name)
        for pattern, endpoint in self._patterns.items():
            if _fits(name, pattern):
                return _match(endpoint, name)
        _, _, suffix = name.partition(".")
        while suffix:
            if endpoint := self._suffixes.get(suffix):
                return _match(endpoint, name)
            _, _, suffix = suffix.partition(".")
        return None


def load_catalogue(path: str | None = None, extra: Sequence[str] = ()) -> Catalogue:
    """Read a catalogue: ours, a user's TOML, or Microsoft's endpoints JSON; ``extra`` are ``--endpoint``s.

    Raises ``BadCatalogueError``. The JSON is that of the "Office 365 IP Address and URL web service".
    """
    try:
        text = Path(path).read_text("utf-8") if path else _own()
        rows, ports = _json_rows(text) if text.lstrip().startswith("[{") else _toml_rows(text)
        return Catalogue([*map(_extra, extra), *rows], ports)
    except BadCatalogueError:
        raise
    except OSError as fault:
        raise BadCatalogueError(f"{path}: {fault.strerror or fault}") from fault
    except (ValueError, KeyError, TypeError, AttributeError) as fault:
        raise BadCatalogueError(f"{path or 'catalogue'}: not a catalogue: {fault}") from fault


def _own() -> str:
    return files("scanner.catalogue").joinpath("exchange.toml").read_text("utf-8")


def _toml_rows(text: str) -> tuple[list[Endpoint], frozenset[int]]:
    table = tomllib.loads(text)
    rows = [_row(row) for row in table["endpoint"]]
    return rows, frozenset(table.get("mail_ports", ())) | frozenset(table.get("web_ports", ()))


def _row(row: Mapping[str, Any]) -> Endpoint:
    return Endpoint(
        names=tuple(row.get("names", ())),
        prefixes=tuple(row.get("prefixes", ())),
        kind=ServerKind(row["kind"]),
        role=row.get("role"),
        cloud=row.get("cloud"),
    )


def _json_rows(text: str) -> tuple[list[Endpoint], frozenset[int]]:
    """Microsoft's rows tell names and prefixes only; roles, sign-in hosts and ports stay ours."""
    own, ports = _toml_rows(_own())
    theirs = [
        Endpoint(
            tuple(row.get("urls", ())), tuple(row.get("ips", ())), ServerKind.EXCHANGE_ONLINE, None, None
        )
        for row in json.loads(text)
        if row.get("serviceArea") == "Exchange"
    ]
    if not theirs:
        raise BadCatalogueError("not a catalogue: no row of the service area Exchange")
    named = [Endpoint(row.names, (), row.kind, row.role, row.cloud) for row in own]
    sign_in = [row for row in own if row.kind is ServerKind.SIGN_IN]
    return [*named, *theirs, *sign_in], ports


def _extra(endpoint: str) -> Endpoint:
    names, prefixes = (endpoint,), (endpoint,)
    try:
        if "/" in endpoint:
            net.prefix(endpoint)
        else:
            ip_address(endpoint)
            prefixes = (f"{endpoint}/{32 if '.' in endpoint else 128}",)
    except ValueError:
        if "/" in endpoint or not _is_name(endpoint):
            raise BadCatalogueError(f"{endpoint!r} is neither a name, an address nor a prefix") from None
        return Endpoint(names, (), ServerKind.EXCHANGE_ONLINE, None, None, "--endpoint")
    return Endpoint((), prefixes, ServerKind.EXCHANGE_ONLINE, None, None, "--endpoint")


def _is_name(text: str) -> bool:
    labels = text.rstrip(".").split(".")
    return all(label == "*" or label.replace("-", "").replace("_", "").isalnum() for label in labels)


def _fits(name: str, pattern: str) -> bool:
    """A leading ``*`` stands for one label or more, an inner one for exactly one."""
    wanted, given = pattern.split("."), name.split(".")
    if wanted[0] == "*":
        wanted = wanted[1:]
        if len(given) <= len(wanted):
            return False
        given = given[-len(wanted) :]
    return len(wanted) == len(given) and all(w in ("*", g) for w, g in zip(wanted, given, strict=True))


def _match(endpoint: Endpoint, name: str) -> Match:
    return Match(endpoint.kind, f"{endpoint.label or 'name'} {name}", endpoint.role, endpoint.cloud)
