"""What the commands that ask the inventory share: the views filled as far as asked for, and the answer."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import click

from scanner.cli import options
from scanner.cli.settings import InputError, Settings, dates, fail_on, inventory, lens
from scanner.model import Level
from scanner.report import tables
from scanner.report.escape import visible
from scanner.report.formats import Format, write
from scanner.report.questions import host, what
from scanner.report.views import View, rests_on

if TYPE_CHECKING:
    from db.asking import Sandbox
    from db.store import Inventory
    from scanner.report.columns import Row
    from scanner.report.questions import Saved
    from scanner.report.records import Record

_OF_HOSTS = frozenset({"v_devices", "v_usage", "v_services"})
Answer = tuple["Inventory", list[str], "Iterator[Record]"]
"""Of what was asked, the columns' names, and the records as they are found."""


def fill(box: Sandbox, kept: Inventory, settings: Settings, wanted: Iterable[str]) -> None:
    """Fill views, all but ``v_sessions``."""
    from db.filters import HostFilter

    looking, as_of = lens(settings), settings.as_of
    hosts = list(kept.hosts(looking, HostFilter(silent=True))) if _OF_HOSTS.intersection(wanted) else []
    rows: dict[str, Callable[[], Iterable[Row]]] = {
        "v_devices": lambda: tables.device_rows(hosts, as_of),
        "v_usage": lambda: tables.usage_rows(hosts, looking.judge),
        "v_services": lambda: tables.service_rows(hosts, as_of),
        "v_deadlines": lambda: tables.deadline_rows(dates(settings).values(), as_of),
        "v_runs": lambda: tables.run_rows(kept.runs()),
    }
    for name in wanted:
        if name in rows:
            box.fill(name, rows[name]())


def answer(settings: Settings, statement: str, form: str, limit: int | None) -> None:
    """Write the answer to a statement of the user's own, row by row."""
    with _asked(settings, statement, {}) as (_, names, found):
        most = options.rows_shown(form, limit)
        own = View(tuple(names), {name: itemgetter(name) for name in names})
        write(islice(found, most), Format(form), own, "Answer", sys.stdout)
        if most and next(found, None):
            options.say_more(most, "the rows")


def saved(
    settings: Settings,
    question: Saved,
    values: Mapping[str, Any],
    form: str,
    limit: int | None,
    threshold: str | None = None,
) -> None:
    """Write the answer to a saved question; the verdicts in it may end the program with 10."""
    with _asked(settings, question.statement, values) as (kept, names, found):
        records = list(found)
        most = options.rows_shown(form, limit)
        view = View(tuple(names), {"host": host, "what it is": what, **question.columns})
        title = f"{question.title}: {len(records):,}"
        write(records[:most], Format(form), view, title, sys.stdout)
        if most and most < len(records):
            options.say_more(most, f"{len(records)} devices")
        if form == Format.TABLE:
            heard = [run.totals for run in kept.runs() if run.totals]
            click.echo(rests_on(heard, kept.hours(), kept.scans()), err=True)
        if threshold:
            fail_on(Level(threshold), [Level(record["verdict"]) for record in records])


@contextmanager
def _asked(settings: Settings, statement: str, values: Mapping[str, Any]) -> Iterator[Answer]:
    """Ask; what is wrong with a statement ends the program with one line, 2."""
    from db.asking import SESSIONS, QuestionError, Sandbox

    with Sandbox({name: table.kinds for name, table in tables.TABLES.items()}) as box:
        try:
            question = box.tried(statement, values)
            with inventory(settings) as kept:
                fill(box, kept, settings, question.reads)
                if SESSIONS in question.reads:
                    kept.lend_sessions(box)
                heads, rows = box.ask(question)
                names = _unique(heads)
                yield kept, names, (dict(zip(names, map(_value, row), strict=True)) for row in rows)
        except QuestionError as fault:
            views = ", ".join(tables.TABLES)
            raise InputError(visible(f"{fault}; a query is one SELECT on {views}")) from fault


def _unique(names: Iterable[str]) -> list[str]:
    """Names of columns, none twice: ``host``, ``host_2``."""
    found: dict[str, None] = {}
    for name in names:
        number, own = 1, name
        while own in found:
            number += 1
            own = f"{name}_{number}"
        found[own] = None
    return list(found)


def _value(value: Any) -> Any:
    """What every format can write: neither bytes nor what is no number."""
    if isinstance(value, bytes):
        return value.hex()
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
