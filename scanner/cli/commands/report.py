"""``mailsunset report``: what breaks when, for those who decide, in files of several forms."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Iterable
from datetime import date
from typing import IO, TYPE_CHECKING, Any

import click

from scanner.account import Usernames
from scanner.cli import options
from scanner.cli.settings import InputError, Settings, as_date, fail_on, inventory
from scanner.model import Level
from scanner.report.languages import Language

if TYPE_CHECKING:
    from scanner.report.summary import Report

STDOUT = "-"
FORMS = ("html", "markdown", "csv", "xlsx", "json", "junit")
Form = Callable[["Report", Language, IO[bytes]], None]


def _file(name: str, what: str) -> Callable[[Any], Any]:
    return click.option(f"--{name}", metavar="FILE", help=f"Write {what} to FILE; - is stdout.")


@click.command("report")
@_file("html", "one page that needs no network")
@_file("markdown", "Markdown")
@_file("csv", "all host records as CSV")
@_file("xlsx", "a workbook")
@_file("json", "all of it as JSON")
@_file("junit", "test results, a case a device,")
@click.option("--format", "form", type=click.Choice(FORMS), help="Write this to stdout.")
@click.option("--since", metavar="DATE", callback=as_date, help="Also what changed since this day.")
@options.language
@options.usernames
@options.fail_on
@click.pass_obj
def command(
    settings: Settings,
    /,
    form: str | None,
    since: date | None,
    lang: str,
    usernames: str,
    threshold: str | None,
    **files: str | None,
) -> None:
    """Report which devices break when, what that rests on, and what to do; Markdown if nothing is asked."""
    from scanner.cli.reporting import gathered  # what it needs --help need not pay

    wanted = [(name, path) for name, path in files.items() if path] + ([(form, STDOUT)] if form else [])
    wanted = wanted or [("markdown", STDOUT)]
    if [path for _, path in wanted].count(STDOUT) > 1:
        raise InputError("only one form can go to stdout")
    language = Language(lang)
    with inventory(settings) as kept:
        page = any(name == "html" for name, _ in wanted)
        report = gathered(kept, settings, since, page, Usernames(usernames))
    for name, path in wanted:
        _written(_FORMS[name], report, language, path)
    fail_on(Level(threshold) if threshold else None, [one.verdict.level for one in report.devices])


def _written(form: Form, report: Report, language: Language, path: str) -> None:
    """Write a form to a file that only its owner can read: it names machines and who uses them."""
    if path == STDOUT:
        form(report, language, sys.stdout.buffer)
        sys.stdout.buffer.flush()
        return
    try:
        number = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
        with os.fdopen(number, "wb") as out:
            if os.path.isfile(path):
                os.fchmod(number, 0o600)
            form(report, language, out)
    except OSError as fault:
        raise click.ClickException(f"{path}: {fault.strerror}") from fault


def _text(pieces: Iterable[str], out: IO[bytes]) -> None:
    out.writelines(piece.encode("utf-8", "backslashreplace") for piece in pieces)


def _html(report: Report, language: Language, out: IO[bytes]) -> None:
    from scanner.report.page import html

    _text(html(report, language), out)


def _markdown(report: Report, language: Language, out: IO[bytes]) -> None:
    from scanner.report.markdown import markdown

    _text(markdown(report, language), out)


def _csv(report: Report, language: Language, out: IO[bytes]) -> None:
    from scanner.report.formats import Format, write
    from scanner.report.views import HOSTS

    text = io.StringIO()
    write((one.record for one in report.devices), Format.CSV, HOSTS, "", text)
    out.write(text.getvalue().encode())


def _xlsx(report: Report, language: Language, out: IO[bytes]) -> None:
    from scanner.report.spreadsheet import xlsx

    made = io.BytesIO()  # whoever stops reading half-way must not break it off in the middle of a workbook
    xlsx(report, language, made)
    out.write(made.getvalue())


def _json(report: Report, language: Language, out: IO[bytes]) -> None:
    from scanner.report.document import document

    _text(document(report, language), out)


def _junit(report: Report, language: Language, out: IO[bytes]) -> None:
    from scanner.report.junit import junit

    _text(junit(report, language), out)


_FORMS: dict[str, Form] = {
    "html": _html,
    "markdown": _markdown,
    "csv": _csv,
    "xlsx": _xlsx,
    "json": _json,
    "junit": _junit,
}
