"""What reports say in each language: one table of texts a language, ``texts/CODE.toml``.

Plain tables, read by the standard library, because a catalogue of gettext would have to be compiled when the
package is built, and because sentences of ``scanner.rules`` are translated by their English pattern.
A text is a string, or two (``one``, ``other``) where it counts something; ``{name}`` stands for a value.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from datetime import date
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

LANGUAGES = ("en", "de", "fr", "es")
TEXTS_REMEMBERED = 10_000
"""Sentences whose translation is at hand; relays' names make more than there are patterns."""
SINGULAR_FROM_ZERO = frozenset({"fr"})
"""Languages that count nothing as one (CLDR plural rules)."""
_FIELD = re.compile(r"\{(\w+)\}")
_WAY = r"\S+ with \S+"
"""As ``scanner.rules`` says how one logs in."""
Text = str | Mapping[str, str]


class Language:
    """Texts of a language."""

    def __init__(self, code: str) -> None:
        """Read its table: one of ``LANGUAGES``."""
        table = _table(code)
        self.code = code
        self.page: Mapping[str, Text] = table["page"]
        """Texts for the script of the page."""
        self.form: Mapping[str, str] = table["form"]
        self._text: Mapping[str, Text] = table["text"]
        self._months: list[str] = table["months"]
        self._said: Mapping[str, str] = table["said"]
        self.said = lru_cache(TEXTS_REMEMBERED)(self._translated)
        """A sentence of the rules or of the table of dates in this language; as it is if it is not known."""

    def say(self, key: str, **fields: object) -> str:
        """A text with its values; ``n`` is counted, and decides between one and other."""
        text = self._text[key]
        if not isinstance(text, str):
            text = text["one" if self._is_one(fields["n"]) else "other"]
        return _FIELD.sub(lambda found: self._shown(fields[found[1]]), text)

    def day(self, day: date) -> str:
        """Write a day in full."""
        month = self._months[day.month - 1]
        return _filled(self.form["day"], {"day": str(day.day), "month": month, "year": str(day.year)})

    def number(self, number: float, places: int = 0) -> str:
        """Write a number with its thousands apart."""
        apart, point = self.form["thousands"], self.form["decimal"]
        return f"{number:,.{places}f}".translate({ord(","): apart, ord("."): point})

    def _shown(self, value: object) -> str:
        if isinstance(value, date):
            return self.day(value)
        return self.number(value) if isinstance(value, int) else str(value)

    def _is_one(self, number: object) -> bool:
        return number == 1 or (number == 0 and self.code in SINGULAR_FROM_ZERO)

    def _translated(self, sentence: str) -> str:
        for key, pattern in _patterns():
            if found := pattern.fullmatch(sentence):
                fields = found.groupdict()
                if "said" in fields:
                    fields["said"] = self.said(fields["said"])
                if "way" in fields:
                    protocol, _, mechanism = fields["way"].partition(" with ")
                    fields["way"] = self.say("way", protocol=protocol, mechanism=mechanism)
                return _filled(self._said[key], fields)
        return sentence


def fields_of(text: str) -> set[str]:
    """Which values a text asks for."""
    return set(_FIELD.findall(text))


def _filled(text: str, fields: Mapping[str, str]) -> str:
    return _FIELD.sub(lambda found: fields[found[1]], text)


@cache
def _table(code: str) -> dict[str, Any]:
    return tomllib.loads(files(__package__).joinpath(f"texts/{code}.toml").read_text("utf-8"))


@cache
def _patterns() -> list[tuple[str, re.Pattern[str]]]:
    """The sentences of the rules in English, each with its key."""
    return [(key, _pattern(text)) for key, text in _table("en")["said"].items()]


def _pattern(text: str) -> re.Pattern[str]:
    parts = enumerate(_FIELD.split(text))
    wanted = (_wanted(part) if at % 2 else re.escape(part) for at, part in parts)
    return re.compile("".join(wanted), re.DOTALL)


def _wanted(field: str) -> str:
    return f"(?P<{field}>{_WAY if field == 'way' else '.+?'})"
