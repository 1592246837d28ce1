"""What came off the wire is hostile: make it visible before a terminal or a spreadsheet acts on it."""

from __future__ import annotations

import re

_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff\ufffe\uffff]"
)
"""Controls (ECMA-48, C0 and C1), what turns the direction of text or hides in it (UAX 9), surrogates, and
what is no character of XML (XML 1.0 2.2)."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A cell that begins so is calculated (OWASP, CSV injection)."""


def visible(text: str) -> str:
    """Write what a terminal would obey as ``\\x1b`` or ``\\u202e``; all else stays."""
    return _UNSAFE.sub(_code, text)


def cell(text: str) -> str:
    """Make text safe for a spreadsheet."""
    shown = visible(text)
    return f"'{shown}" if shown.startswith(_FORMULA) or text.startswith(_FORMULA) else shown


def _code(found: re.Match[str]) -> str:
    number = ord(found[0])
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}"
