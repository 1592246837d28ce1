"""No size of a record that holds a password, a token or a user name is told by any command or database."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner
from muffled import ODD, SEALS, SESSIONS
from packets import Connection, pcap

from scanner.cli import root

FORMS = ("table", "json", "ndjson", "csv")
CLIENT = "10.0.0.1"
LISTINGS = (
    *(("hosts", "--format", form) for form in FORMS),
    *(("sessions", "--format", form) for form in FORMS),
    *(("export", what, "--format", form) for what in ("hosts", "sessions") for form in FORMS),
    ("explain", CLIENT),
    ("explain", CLIENT, "--format", "json"),
)
NEIGHBOURS = 16
"""Bytes to either side that a range under CBC may name in place of the size itself."""


@pytest.fixture(scope="module")
def captures(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """A capture for each version of TLS, with all logins."""
    folder = tmp_path_factory.mktemp("captures")
    for seal in SEALS:
        packets = []
        for number, session in enumerate((*SESSIONS, ODD)):
            connection = Connection((CLIENT, 50_000 + number), ("52.96.0.1", session.port))
            packets += connection.open().say(*session.lines(seal)).close().packets
        (folder / f"{seal.name.replace(' ', '-')}.pcap").write_bytes(pcap(packets))
    return [str(path) for path in sorted(folder.iterdir())]


LONG = sorted({size for session in (*SESSIONS, ODD) for size in session.secret if size > 100})
"""Those that are no port, second or count by chance, as shorter ones are."""


def sizes(text: str) -> set[str]:
    """Numbers in a text that are the size of a secret: in words, as a value, or in a list."""
    near = {str(size + more) for size in LONG for more in range(-NEIGHBOURS, NEIGHBOURS + 1)}
    spoken = re.findall(r"\((\d+)(?: to (\d+))? bytes\)", text)  # a client's; answers give nothing away
    exact = re.findall(r"(?<![\w.:-])(\d+)(?![\w.:-])", text)
    return {number for pair in spoken for number in pair if number in near} | (
        {number for number in exact if int(number) in LONG}
    )


def test_the_search_sees_a_size() -> None:
    assert sizes("a token (2743 bytes), a name (165 to 180 bytes)") == {"2743", "165", "180"}
    assert sizes('{"size": 178, "sizes": [166, 45]}') == {"178", "166"}
    assert sizes("EHLO (13 bytes), answered by 94 bytes; 2026-11-24T10:00:00.178166") == set()


@pytest.mark.parametrize("usernames", ["keep", "mask", "drop"])
@pytest.mark.parametrize("form", FORMS)
def test_reading_tells_none(form: str, usernames: str, captures: list[str]) -> None:
    done = CliRunner().invoke(
        root,
        ["read", "--no-db", "--format", form, "--usernames", usernames, *captures],
        "",
        {"COLUMNS": "9999"},
    )
    assert done.exit_code == 0, done.output
    assert "52.96.0.1" in done.output or CLIENT in done.output
    assert sizes(done.output) == set()


@pytest.mark.parametrize("usernames", ["keep", "mask", "drop"])
def test_the_inventory_and_its_listings_tell_none(
    usernames: str, captures: list[str], tmp_path: Path
) -> None:
    database = tmp_path / "inventory.db"
    reading = ["--db", str(database), "read", "--usernames", usernames, *captures]
    assert CliRunner().invoke(root, reading).exit_code == 0
    for listing in LISTINGS:
        done = CliRunner().invoke(root, ["--db", str(database), *listing], "", {"COLUMNS": "9999"})
        assert done.exit_code == 0, (listing, done.output)
        assert CLIENT in done.output, listing
        assert sizes(done.output) == set(), listing
    rows = list(values(database))
    assert any("token-sized" in str(value) for value in rows)
    assert not [value for value in rows if value in LONG or sizes(str(value))]
    raw = database.read_bytes().decode("latin-1")
    assert not re.search(rf"\b({'|'.join(map(str, LONG))})( to \d+)? bytes", raw)


def values(database: Path) -> Iterator[object]:
    """Every value in every table."""
    with closing(sqlite3.connect(database)) as connection:
        names = [
            name for (name,) in connection.execute("select name from sqlite_master where type = 'table'")
        ]
        for name in names:
            for row in connection.execute(f'select * from "{name}"'):
                yield from row
