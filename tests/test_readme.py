"""What the README shows of the command line is what the program has, and the other way round."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from scanner.cli import root
from scanner.report.tables import TABLES

README = (Path(__file__).parent.parent / "README.md").read_text("utf-8")
CONTEXT = click.Context(root)
COMMANDS = root.list_commands(CONTEXT)
QUERIES = README.partition("\n## Queries\n")[2].partition("\n## ")[0]


def command(name: str) -> click.Command:
    found = root.get_command(CONTEXT, name)
    assert found is not None, name
    return found


def options(of: click.Command) -> set[str]:
    return {word for parameter in of.params for word in (*parameter.opts, *parameter.secondary_opts)} | {
        "--help",
        "-h",
    }


def called() -> Iterator[list[str]]:
    """The words behind each ``mailsunset`` that begins a line of a code block or follows a ``|`` or ``$``."""
    for block in re.findall(r"```\n(.*?)```", README, re.DOTALL):
        for line in block.splitlines():
            shown = re.search(r"(?:^|sudo |[|$] +)mailsunset (.*)", line.partition(" #")[0])
            if shown:
                yield shlex.split(shown[1])


CALLS = list(called())


def test_the_readme_shows_calls() -> None:
    assert len(CALLS) > 5


@pytest.mark.parametrize("words", CALLS, ids=" ".join)
def test_a_call_in_the_readme_would_be_understood(words: list[str]) -> None:
    names = [word for word in words if word in COMMANDS]
    assert names, f"no command in {words}"
    place = words.index(names[0])
    for known, part in ((options(root), words[:place]), (options(command(names[0])), words[place + 1 :])):
        asked = {word.partition("=")[0] for word in part if word.startswith("-") and word != "-"}
        assert asked <= known


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_in_the_readme(name: str) -> None:
    assert name in {word for words in CALLS for word in words}


def test_every_option_that_the_readme_names_exists() -> None:
    known = options(root).union(*(options(command(name)) for name in COMMANDS))
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", README))
    assert named
    assert named <= known


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_has_a_help_text(name: str) -> None:
    found = command(name)
    assert found.help
    for parameter in (*found.params, *root.params):
        assert not isinstance(parameter, click.Option) or parameter.help, parameter.name


@pytest.mark.parametrize("status", [0, 1, 2, 10])
def test_the_exit_statuses_of_the_help_are_the_readmes(status: int) -> None:
    assert re.search(rf"^\| {status} \|", README, re.MULTILINE)
    assert re.search(rf"\b{status} ", root.help or "")


def test_the_readme_has_every_column_of_every_view() -> None:
    rows = re.findall(r"^\| `(v_\w+)` \|[^|]*\|(.*)\|$", QUERIES, re.MULTILINE)
    assert {view: re.findall(r"`(\w+)`", columns) for view, columns in rows} == {
        name: list(table.kinds) for name, table in TABLES.items()
    }
