"""An inventory to serve that is none."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from db.store import InventoryError
from scanner.report.records import Record
from scanner.serve.source import Source

T = TypeVar("T")


@dataclass
class Imitation:
    """Says what it is told to say."""

    at: int = 0
    polls: int = 0
    counts: int = 0
    locked: bool = False

    def source(self) -> Source:
        """As the server wants it."""
        return Source(self._mark, self._news, self._page, self._document, self._host)

    def _or_locked(self, give: Callable[[], T]) -> T:
        if self.locked:
            raise InventoryError("inventory.db: database is \x1b[31mlocked")
        return give()

    def _mark(self) -> int:
        self.polls += 1
        return self._or_locked(lambda: self.at)

    def _news(self) -> str:
        self.counts += 1
        return self._or_locked(lambda: json.dumps({"hosts": self.at // 10}))

    def _page(self) -> bytes:
        return b"<!DOCTYPE html><p>page"

    def _document(self) -> bytes:
        return b'{"hosts": []}'

    def _host(self, name: str) -> Record | None:
        known = name in ("copier", "a/b", "00-26-73-00-00-01")
        return self._or_locked(lambda: {"host": "00:26:73:00:00:01"} if known else None)
