"""What a sensor says while it runs: a line a minute, and at once what somebody should know."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Protocol

from scanner.report.escape import visible
from scanner.watch.status import Status, as_json, as_text, stamp

Write = Callable[[str], None]
"""Writes a line."""


class Talk(Protocol):
    """Whoever says how the sensor does."""

    def note(self, text: str) -> None:
        """Say something now."""
        ...

    def second(self, status: Status) -> None:
        """Show how it does; called once a second."""
        ...

    def tell(self, event: str, status: Status) -> None:
        """Say how it does: ``minute``, ``asked``, ``end``."""
        ...


class TextTalk:
    """Lines for people and for the journal."""

    def __init__(self, write: Write) -> None:
        """Write there."""
        self._write = write

    def note(self, text: str) -> None:
        """Say something now."""
        self._write(f"mailsunset: {visible(text)}")

    def second(self, status: Status) -> None:
        """Nothing: a line a minute is enough."""

    def tell(self, event: str, status: Status) -> None:
        """Say how it does."""
        self._write(visible(f"{stamp(status.at)} {as_text(status)}"))


class JsonTalk:
    """One JSON object a line."""

    def __init__(self, write: Write) -> None:
        """Write there."""
        self._write = write

    def note(self, text: str) -> None:
        """Say something now."""
        self._write(json.dumps({"at": stamp(time.time_ns()), "event": "note", "text": text}))

    def second(self, status: Status) -> None:
        """Nothing."""

    def tell(self, event: str, status: Status) -> None:
        """Say how it does."""
        self._write(as_json(event, status))
