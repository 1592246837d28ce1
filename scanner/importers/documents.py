"""Rows of JSON: an array, one in a page (``{"value": […]}``), or a document a line; read piece by piece."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from scanner.importers.family import TEXT_KEPT, Cells, Rejected, Row, loose
from scanner.importers.source import Source

LONGEST = 1_000_000
"""Characters of a document: sign-ins with all their policies have some 50,000."""
AHEAD = 16_384
"""Characters in which the head of a page ends."""
_PAGE = re.compile(
    r'\{(?:\s*"[^"]{0,200}"\s*:\s*(?:"[^"]{0,4000}"|[\w.+-]+)\s*,)*\s*"(?:value|records)"\s*:\s*\['
)
"""What stands before the array of a page: links, counts (OData JSON 4.01, 4.5)."""
_BETWEEN = re.compile(r"[\s,\[\]\x1e]*")
_NEXT = re.compile(r"\n\s*\{")
_CUT = 16
"""Characters before the end within which a fault may come of the end alone: a name or a number cut in two."""
_INSIDE = "properties"
"""Where logs that Azure writes to storage have the document itself."""
_decode = json.JSONDecoder(strict=False).raw_decode


def is_documents(head: str) -> bool:
    """Whether a file that begins so is JSON."""
    return head.lstrip("\ufeff \t\r\n\x1e").startswith(("{", "["))


def rows(source: Source) -> Iterator[Row | Rejected]:
    """Each document as a row."""
    yield from _Documents(source).rows()


class _Documents:
    def __init__(self, source: Source) -> None:
        self._chunks = source.chunks()
        self._text, self._at, self._line = "", 0, 1
        """What is at hand, how far it is read, and which line that is."""

    def rows(self) -> Iterator[Row | Rejected]:
        self._more()
        while self._skip():
            if page := _PAGE.match(self._text, self._at):
                self._go(page.end())
                continue
            yield from self._document()

    def _document(self) -> Iterator[Row | Rejected]:
        while True:
            text, at = self._text, self._at
            try:
                found, end = _decode(text, at)
            except (ValueError, RecursionError) as fault:
                if _is_cut(fault, len(text)) and len(text) - at < LONGEST and self._more():
                    continue
                yield Rejected(self._line, "no JSON, cut off, or too long", text[at : at + TEXT_KEPT])
                self._go_on()
                return
            line = self._line
            self._go(end)
            shown = text[at : min(end, at + TEXT_KEPT)]
            if isinstance(found, dict):
                yield Row(line, cells(found), shown)
            else:
                yield Rejected(line, "no document", shown)
            return

    def _skip(self) -> bool:
        """Go to the next document; tells whether there is one."""
        while True:
            self._go(_BETWEEN.match(self._text, self._at).end())  # type: ignore[union-attr]  # it matches nothing, too
            if self._text[self._at : self._at + 1] == "{":
                while len(self._text) - self._at < AHEAD and self._more():
                    pass
                return True
            if self._at < len(self._text):  # the end of a page, or what is no document
                found = self._text.find("{", self._at)
                self._go(found if found >= 0 else len(self._text))
            elif not self._more():
                return False

    def _go_on(self) -> None:
        """Behind a document that cannot be read, go to where a line begins with one."""
        while not (found := _NEXT.search(self._text, self._at + 1)):
            self._go(max(len(self._text) - _CUT, self._at))
            if not self._more():
                self._go(len(self._text))
                return
        self._go(found.end() - 1)

    def _go(self, at: int) -> None:
        self._line += self._text.count("\n", self._at, at)
        self._at = at

    def _more(self) -> bool:
        chunk = next(self._chunks, "")
        if chunk:
            self._text, self._at = self._text[self._at :] + chunk, 0
        return bool(chunk)


def cells(document: dict[str, Any]) -> Cells:
    """A document as a row; what is inside another has both names."""
    if isinstance(inside := document.get(_INSIDE), dict):
        document = {**document, _INSIDE: None, **inside}
    found: dict[str, str] = {}
    for name, value in document.items():
        if isinstance(value, dict):
            for inner, text in value.items():
                found.setdefault(loose(name + inner), _text(text))
        else:
            found[loose(name)] = _text(value)
    return found


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None or isinstance(value, dict | list) else str(value)


def _is_cut(fault: Exception, length: int) -> bool:
    """Whether a document may be but cut off."""
    if not isinstance(fault, json.JSONDecodeError):
        return False
    return fault.msg.startswith("Unterminated string") or fault.pos >= length - _CUT
