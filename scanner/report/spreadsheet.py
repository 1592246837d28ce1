"""The report as a workbook: sheets of devices, how they mail, dates, and what it rests on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from typing import IO, Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from scanner.report.escape import cell
from scanner.report.languages import Language
from scanner.report.markdown import known_to_the_site
from scanner.report.packing import advised
from scanner.report.page import headline, name_of, rests_on
from scanner.report.summary import Due, Judged, Report, protocol_of
from scanner.report.views import called, what

CELL_LENGTH = 32_767
"""Characters that a cell takes (ECMA-376 18.3.1.96; Excel's limits)."""
MOST_ROWS = 1_048_576
"""Rows that a sheet takes."""
_DEVICE = (
    "verdict", "until", "device", "address", "kind", "why", "advice", "last_heard", "owner", "mailboxes",
)  # fmt: skip
_USAGE = ("device", "address", "protocol", "login", "server", "last_heard")
_DATE = ("date", "what_ends", "affected", "source")
WIDTH = 22
"""Of a column, in characters."""


def xlsx(report: Report, language: Language, out: IO[bytes]) -> None:
    """Write it; every text is a text cell, so that none is calculated."""
    book, say = Workbook(write_only=True), language.say
    _sheet(book, say("devices"), map(say, _DEVICE), (_device(one, language) for one in report.devices))
    _sheet(book, say("login"), map(say, _USAGE), _usages(report.devices))
    _sheet(book, say("timeline"), map(say, _DATE), (_due(one, language) for one in report.deadlines))
    facts = [", ".join(headline(report, language)), *rests_on(report, language)]
    _sheet(book, say("basis"), [say("subtitle", day=report.as_of)], ([fact] for fact in facts))
    book.save(out)


def _device(one: Judged, language: Language) -> list[Any]:
    why = dict.fromkeys(language.said(reason.text) for reason in one.verdict.reasons)
    names = ", ".join(called(one.record)) or one.host.host
    return [
        language.say(f"level_{one.verdict.level}"), one.verdict.deadline, names,
        ", ".join(one.host.addresses), what(one.record, language.said), "; ".join(why),
        " ".join(advised(one, language)), _when(one.host.last_seen), *known_to_the_site(one.record),
    ]  # fmt: skip


def _due(one: Due, language: Language) -> list[Any]:
    return [one.row.date, language.said(one.row.what), one.devices, one.row.source]


def _usages(devices: Iterable[Judged]) -> Iterator[list[Any]]:
    for one in devices:
        name, first = name_of(one.record), (one.host.addresses or (one.host.host,))[0]
        for use in one.host.usage:
            where = f"{use.server_name or '?'}:{use.server_port}"
            login = use.mechanism or use.auth_class.value
            yield [name, first, protocol_of(use), login, where, _when(use.last_seen)]


def _sheet(book: Workbook, title: str, heads: Iterable[str], rows: Iterable[Sequence[Any]]) -> None:
    sheet = book.create_sheet(title[:31])
    sheet.freeze_panes = "A2"
    heads = list(heads)
    for number in range(1, len(heads) + 1):
        sheet.column_dimensions[get_column_letter(number)].width = WIDTH
    bold = []
    for head in heads:
        bold.append(WriteOnlyCell(sheet, head))
        bold[-1].font = Font(bold=True)
    sheet.append(bold)
    for row, _ in zip(rows, range(MOST_ROWS - 1), strict=False):
        sheet.append([_cell(sheet, value) for value in row])


def _cell(sheet: Any, value: Any) -> Any:
    """A cell; text that would be taken for something else is told to be text, whatever it begins with."""
    if not isinstance(value, str):
        return value
    text = cell(value[:CELL_LENGTH])[:CELL_LENGTH]
    if not text.startswith(("=", "#")):
        return text
    made = WriteOnlyCell(sheet, text)
    made.data_type = "s"
    return made


def _when(at: int) -> datetime | date:
    """A time in UTC, which spreadsheets know no zone of."""
    return datetime.fromtimestamp(at // 1_000_000_000, UTC).replace(tzinfo=None)
