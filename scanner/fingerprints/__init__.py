"""What machines and programs are known by: the TOML files beside this, read once, compiled when needed.

An entry says in which field a text stands (``matches``: a field of ``scanner.labels``, ``oui``, or a set of
fields that words.toml names), how it looks (``pattern``), what follows (``device``), where that was seen
(``source``) and ``examples``, which are its tests. Patterns ignore case, begin with ``^`` and may capture
``vendor``, ``model`` and ``version``. An entry's ``weight`` is how often it is right where it matches. A
source that only names a maker's manuals or products has not been confirmed on a trace.
"""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

OUI = "oui"
"""Name of a pseudo-field: the maker of the network card, as IEEE registers it."""

WORDS = "words.toml"
OAUTH = "oauth.toml"


@dataclass(frozen=True, slots=True)
class Words:
    """The closed vocabulary."""

    kinds: tuple[str, ...]
    """The more telling first."""
    tier: Mapping[str, str]
    """Of a kind: appliance, role, general or program."""
    vendors: frozenset[str]
    spellings: Mapping[str, str]
    """In lower case, to the vendor."""
    fields: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, eq=False)
class Fingerprint:
    """One entry of one file."""

    file: str
    number: int
    """In its file, from 1."""
    fields: tuple[str, ...]
    pattern: str
    source: str
    examples: tuple[Mapping[str, str], ...]
    weight: float
    """0 to 1."""
    vendor: str | None = None
    model: str | None = None
    kind: str | None = None
    software: str | None = None

    @property
    def name(self) -> str:
        """Where it stands: ``ricoh.toml 3``."""
        return f"{self.file} {self.number}"


@dataclass(frozen=True, slots=True)
class Advice:
    """What is known of OAuth for Exchange Online in one vendor's devices, or in one program."""

    oauth: str
    """``yes``, ``some``, ``no`` or ``unknown``."""
    advice: str
    source: str
    checked: date
    vendor: str | None = None
    software: str | None = None
    kinds: Sequence[str] = ()
    """Empty: all."""
    model: str | None = None
    """A pattern."""


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((files(__name__) / name).read_text("utf-8"))


@cache
def words() -> Words:
    """Read the vocabulary."""
    table = _read(WORDS)
    return Words(
        tuple(kind for kinds in table["kinds"].values() for kind in kinds),
        {kind: tier for tier, kinds in table["kinds"].items() for kind in kinds},
        frozenset(table["vendors"]),
        {spelling: vendor for vendor, spellings in table["vendors"].items() for spelling in spellings},
        {name: tuple(fields) for name, fields in table["fields"].items()},
    )


def _fields(matches: str | list[str]) -> tuple[str, ...]:
    names = [matches] if isinstance(matches, str) else matches
    return tuple(field for name in names for field in words().fields.get(name, (name,)))


@cache
def fingerprints() -> tuple[Fingerprint, ...]:
    """Read every entry of every file, in the order of the files' names."""
    names = sorted(item.name for item in files(__name__).iterdir() if item.name.endswith(".toml"))
    return tuple(
        Fingerprint(
            name,
            number,
            _fields(row["matches"]),
            row["pattern"],
            row["source"],
            tuple(row["examples"]),
            **row["device"],
        )
        for name in names
        if name not in (WORDS, OAUTH)
        for number, row in enumerate(_read(name)["fingerprint"], start=1)
    )


@cache
def by_field() -> Mapping[str, tuple[Fingerprint, ...]]:
    """Entries by the field that they look at."""
    index: defaultdict[str, list[Fingerprint]] = defaultdict(list)
    for entry in fingerprints():
        for field in entry.fields:
            index[field].append(entry)
    return {field: tuple(entries) for field, entries in index.items()}


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    """Compile a pattern when it is first needed; files share few, so they are kept by their text."""
    return re.compile(pattern, re.IGNORECASE)


@cache
def advices() -> tuple[Advice, ...]:
    """Read what is known of OAuth; rows with a model stand before those without."""
    return tuple(sorted((Advice(**row) for row in _read(OAUTH)["advice"]), key=lambda row: row.model is None))
