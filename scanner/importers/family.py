"""What forms and families of files have in common."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, tzinfo
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from scanner.model import Sighting
from scanner.tenant import Asset, Mailbox, Sender, SignIn

Cells = Mapping[str, str]
"""What stands in a row, by loose name; a column that is not there has no key."""
Fact = SignIn | Mailbox | Sender | Asset | Sighting
TEXT_KEPT = 2000
"""Characters of a cell, more than the inventory takes, and of a row that could not be read."""


class Kind(StrEnum):
    """What a file tells."""

    SIGN_INS = "sign-ins"
    MAILBOXES = "mailboxes"
    SENDERS = "senders"
    LEASES = "leases"
    ASSETS = "assets"


class UnreadableFileError(Exception):
    """A file cannot be imported; the text says why in one line."""


class UnreadableRowError(Exception):
    """A row cannot be read; the text says why in a few words."""


class Row(NamedTuple):
    """A row of a file."""

    line: int
    """Where it begins, from 1."""
    cells: Cells
    text: str
    """As it stands there."""


class Rejected(NamedTuple):
    """A row that cannot be read."""

    line: int
    why: str
    text: str


@dataclass(frozen=True, slots=True)
class Terms:
    """How to read what a file leaves open."""

    at: int
    """When the file was written, ns."""
    zone: tzinfo = UTC
    """Of times without one."""
    day_first: bool | None = None
    """Of dates like 1/2/2026; None: not known."""


@dataclass(frozen=True, slots=True)
class Family:
    """Rows of one meaning."""

    kind: Kind
    what: str
    """Where such files come from, in a few words."""
    needs: tuple[frozenset[str], ...]
    """Of each one column must be there."""
    knows: frozenset[str]
    """All columns that are understood, or known to be of no use."""
    read: Callable[[Cells, Terms], Iterable[Fact]]
    """What a row tells, perhaps nothing; raises ``UnreadableRowError``."""
    times: tuple[str, ...] = ()
    """Columns with times, the first that is filled counts."""
    utc: tuple[str, ...] = ()
    """Those of them whose times are in UTC."""

    def fits(self, names: Iterable[str]) -> bool:
        """Whether rows with these columns are such."""
        return not self.lacking(names)

    def lacking(self, names: Iterable[str]) -> list[str]:
        """The columns of which one is needed, for each that is not there."""
        there = frozenset(names)
        return [" or ".join(sorted(some)) for some in self.needs if not some & there]


_NOISE = re.compile(r"[\W_]+")


@lru_cache(4096)
def loose(name: str) -> str:
    """A column's name without case, spaces and signs; letters of all languages stay as they are."""
    return _NOISE.sub("", name).lower()


def words(text: str) -> tuple[str, ...]:
    """Columns by their loose names."""
    return tuple(text.split())


def first(cells: Cells, names: Iterable[str]) -> str:
    """What stands in the first of these columns that is filled, no more than is of use of it."""
    for name in names:
        if text := cells.get(name):
            return text[:TEXT_KEPT]
    return ""


def mac_of(text: str) -> str | None:
    """A card's address in any spelling, or as a DHCP client id (RFC 2132 9.14); None if it is none."""
    digits = re.sub(r"[-:. ]", "", text).lower()
    if len(digits) == 14 and digits.startswith("01"):
        digits = digits[2:]
    if not re.fullmatch(r"[0-9a-f]{12}", digits) or int(digits[:2], 16) & 1 or not int(digits, 16):
        return None
    return ":".join(digits[at : at + 2] for at in range(0, 12, 2))
