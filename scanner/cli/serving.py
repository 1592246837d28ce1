"""What ``serve`` shows, made of the inventory as it is asked for."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from threading import Lock
from typing import TYPE_CHECKING

from scanner.cli.reporting import gathered
from scanner.cli.settings import Settings, lens
from scanner.model import Host, Verdict
from scanner.report.document import document
from scanner.report.languages import Language
from scanner.report.page import headline, html
from scanner.report.records import Record, host_record
from scanner.report.summary import Judged, Report, basis
from scanner.serve.source import Source

if TYPE_CHECKING:
    from db.store import Inventory

_NOBODY = Host("", (), None, None, (), False, 0, 0, ())


def source(
    kept: Inventory,
    mark: Callable[[], object],
    settings: Settings,
    day: date | None,
    language: Language,
    since: date | None,
) -> Source:
    """Ways to ask an open inventory, as of ``day``; None: of each new day."""
    one_at_a_time = Lock()

    def today() -> Settings:
        return replace(settings, as_of=day or datetime.now(UTC).date())

    def marked() -> object:
        with one_at_a_time:
            return mark(), today().as_of

    def told() -> str:
        now = today()
        return news(kept.hosts(lens(now)).verdicts, now.as_of, language)

    def page() -> bytes:
        state = json.loads(told())["state"]  # first: a page newer than it says is no harm
        report = gathered(kept, today(), since, evidence=True)
        return "".join(html(report, language, state)).encode("utf-8", "backslashreplace")

    def everything() -> bytes:
        return "".join(document(gathered(kept, today(), since, evidence=False), language)).encode()

    def host(name: str) -> Record | None:
        now = today()
        found = kept.host(name, lens(now))
        return host_record(*found, now.as_of) if found else None

    return Source(marked, told, page, everything, host)


def news(verdicts: Sequence[Verdict], as_of: date, language: Language) -> str:
    """The headline and the counts, and what tells them from others, as JSON in a line."""
    report = Report(as_of, [Judged(_NOBODY, verdict, {}) for verdict in verdicts], basis([], []), ())
    said = {
        "headline": headline(report, language),
        "levels": {level: language.number(count) for level, count in report.levels.items()},
        "hosts": len(verdicts),
    }
    state = hashlib.sha256(json.dumps(said).encode()).hexdigest()[:16]
    return json.dumps(said | {"state": state})
