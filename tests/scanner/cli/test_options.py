"""Options that several commands share mean the same everywhere."""

from __future__ import annotations

from typing import Any

import click
import pytest
from click.testing import CliRunner

from scanner.cli import options
from scanner.model import Level
from scanner.report.formats import Format


@click.command()
@options.table
@options.fail_on
@options.protocol
@options.mechanism
@options.since
def listing(**given: Any) -> None:
    click.echo(repr(given))


@click.command()
@options.lines
def exporting(form: str) -> None:
    click.echo(form)


def given(*arguments: str) -> dict[str, Any]:
    done = CliRunner().invoke(listing, arguments)
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = eval(done.output)
    return found


def test_nothing_is_asked_unless_it_is() -> None:
    assert given() == {
        "form": "table", "threshold": None, "protocol": None, "mechanism": None, "since": None,
    }  # fmt: skip
    assert CliRunner().invoke(exporting).output == "ndjson\n"


@pytest.mark.parametrize("form", list(Format))
def test_every_form_may_be_asked_for(form: Format) -> None:
    assert given("--format", form.value)["form"] == form.value


@pytest.mark.parametrize("level", list(Level))
def test_every_level_is_a_threshold(level: Level) -> None:
    assert given("--fail-on", level.value)["threshold"] == level.value


def test_a_day_becomes_a_time() -> None:
    assert given("--since", "1970-01-02")["since"] == 86_400 * 10**9


@pytest.mark.parametrize(
    "arguments",
    [["--format", "xml"], ["--fail-on", "awful"], ["--protocol", "gopher"], ["--since", "yesterday"]],
    ids=" ".join,
)
def test_what_is_not_known_is_wrong_usage(arguments: list[str]) -> None:
    done = CliRunner().invoke(listing, arguments)
    assert done.exit_code == 2
    assert "Error" in done.output


@pytest.mark.parametrize("command", [listing, exporting])
def test_every_option_has_a_help_text(command: click.Command) -> None:
    for parameter in command.params:
        assert isinstance(parameter, click.Option)
        assert parameter.help, parameter.name
