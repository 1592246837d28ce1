"""What is served: made of the inventory by who knows how, in threads, as it takes seconds at a big site."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from scanner.report.records import Record


@dataclass(frozen=True, slots=True)
class Source:
    """Ways to ask the inventory; each may raise ``InventoryError``, and may be called in any thread."""

    mark: Callable[[], object]
    """Something that is another whenever what is served may be; it costs next to nothing."""
    news: Callable[[], str]
    """What the page's script is told when it changes, as JSON in a line."""
    page: Callable[[], bytes]
    document: Callable[[], bytes]
    """All of the report as JSON."""
    host: Callable[[str], Record | None]
    """The record of the host of this MAC, address or name."""
