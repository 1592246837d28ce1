"""Make rows of observations, without a database: in whatever process they were made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from db import rows
from scanner.model import Observation

REMEMBERED = 10_000
"""Forms at hand, some 10 MB; past it all are let go and made anew: servers that greet by ever new names."""


class Prepared(NamedTuple):
    """Sessions ready to be written: plain numbers and text, cheap to hand from process to process."""

    forms: list[rows.Form]
    """What they have alike, each once."""
    sessions: list[tuple[int, str, str, tuple[Any, ...]]]
    """Place in ``forms``, address and MAC of the client, and what ``rows.own`` gives of it."""


class Preparer:
    """Makes rows of observations, without a database; remembers the forms that come again and again."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._forms: dict[tuple[Any, ...], rows.Form] = {}

    def prepare(self, seen: Sequence[Observation]) -> Prepared:
        """Make the rows of a batch."""
        if len(self._forms) > REMEMBERED:
            self._forms.clear()
        known, places = self._forms, dict[int, int]()
        forms: list[rows.Form] = []
        found = []
        for one, values in zip(seen, map(rows.shared, seen), strict=True):
            form = known.get(values)
            if form is None:
                form = known[values] = rows.form(values)
            place = places.setdefault(form.key, len(forms))
            if place == len(forms):
                forms.append(form)
            found.append((place, one.client_ip, one.client_mac or "", rows.own(one)))
        return Prepared(forms, found)
