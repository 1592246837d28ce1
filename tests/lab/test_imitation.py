"""Programs log in at an imitation of Exchange Online, inside TLS: what sizes tell is what it knows."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from imitation import foreign, live, parts, sides
from imitation.cast import draw_sessions

from .conftest import mailsunset, play

PROGRAMS = [
    "unshare",
    "nsenter",
    "ip",
    "mount",
    "newuidmap",
    "openssl",
    "tcpdump",
    "tshark",
    "curl",
    "msmtp",
    "swaks",
    "gsasl",
]
PLAYED_S = 20
"""Longest that playing may last; 4 s on two cores."""
Row = dict[str, Any]
EVERY = pytest.mark.parametrize(
    "number", range(len(live.ROWS)), ids=[" ".join(map(str, row)) for row in live.ROWS]
)


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return play("imitation", PROGRAMS, PLAYED_S, tmp_path_factory)


@pytest.fixture(scope="module")
def labels(played: Path) -> dict[int, Row]:
    """What the server knows, by the number of the row."""
    rows = json.loads((played / "labels.json").read_text())
    return {int(re.match(r"session (\d+)", row["note"])[1]): row for row in rows}  # type: ignore[index]


def read(home: Path, played: Path, *more: str | Path) -> dict[tuple[str, int], Row]:
    """Read the captures; give records by client."""
    captures = sorted(played.glob("*.pcapng"))
    options = (played / "read.args").read_text().split()
    done = mailsunset(home, "read", "--no-db", "--format", "ndjson", *captures, *options, *more)
    assert done.returncode == 0, done.stderr
    records = [json.loads(line) for line in done.stdout.splitlines()]
    return {(record["client_ip"], record["client_port"]): record for record in records}


@pytest.fixture(scope="module")
def inferred(played: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, int], Row]:
    return read(tmp_path_factory.mktemp("home"), played)


@pytest.fixture(scope="module")
def decrypted(played: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, int], Row]:
    home = tmp_path_factory.mktemp("home")
    keys = home / "all.keys"
    keys.write_text("".join(log.read_text() for log in sorted(played.glob("*.keys"))))
    return read(home, played, "--keylog", keys)


def told(record: Row) -> Row:
    return {key: record[key] for key in ("mechanism", "auth_class", "outcome", "tls_mode", "tls_version")}


def attempts(record: Row) -> list[tuple[str, str | None]]:
    """Give all attempts in order; where there was but one, a record need not list it."""
    listed = [(one["mechanism"], one["outcome"]) for one in record["attempts"]]
    single = [(record["mechanism"], record["outcome"])] if record["mechanism"] else []
    return listed or single


def test_nothing_was_lost_on_the_way(played: Path) -> None:
    assert "0 packets dropped by kernel" in (played / "tcpdump.log").read_text()


@EVERY
def test_the_program_did_what_the_row_says(number: int, labels: dict[int, Row]) -> None:
    """Without this all could leave without a login, and the records be right about it."""
    _, _, port, mechanism, mode, _, refusal = live.ROWS[number]
    label = labels[number]
    assert (label["server_port"], label["tls_mode"]) == (port, mode)
    assert bool(label["attempts"]) == (mechanism is not None)
    if mechanism not in (None, "auto"):
        assert label["mechanism"] == str(mechanism).removesuffix("-IR")
        assert label["outcome"] == ("refused" if refusal else "accepted")


@EVERY
def test_what_sizes_tell_is_what_the_server_knows(
    number: int, labels: dict[int, Row], inferred: dict[tuple[str, int], Row]
) -> None:
    label = labels[number]
    record = inferred[label["client_ip"], label["client_port"]]
    assert told(record) == told(label), record["evidence"]
    assert attempts(record) == attempts(label), record["evidence"]
    assert record["basis"] == "inferred"


@EVERY
def test_what_keys_open_is_what_the_server_knows(
    number: int, labels: dict[int, Row], decrypted: dict[tuple[str, int], Row]
) -> None:
    """So labels don't rest on our servers' word alone."""
    label = labels[number]
    record = decrypted[label["client_ip"], label["client_port"]]
    assert told(record) == told(label)
    assert attempts(record) == attempts(label)
    assert record["basis"] == "seen"


def test_every_program_is_on_one_side() -> None:
    names = [program.name for program in parts.PROGRAMS]
    assert len(set(names)) == len(names)
    assert not sides.CALIBRATION & sides.JUDGES
    assert set(names) == sides.CALIBRATION | sides.JUDGES


def test_the_same_seed_gives_the_same_lab() -> None:
    servers = [foreign.persona(number, 7, f"203.0.113.{number}") for number in range(40)]
    assert servers == [foreign.persona(number, 7, f"203.0.113.{number}") for number in range(40)]
    assert servers[0] != foreign.persona(0, 8, "203.0.113.0")
    first, again = (draw_sessions(servers, parts.PROGRAMS, 300, 7, 1.0) for _ in range(2))
    assert first == again


def test_replies_of_drawn_servers_end_where_they_should() -> None:
    """A reply whose last line announces another one makes a client wait for ever."""
    for number in range(300):
        persona = foreign.persona(number, 7, "203.0.113.1")
        assert persona.smtp
        for text in (*persona.smtp.refusals[0][1:], persona.smtp.needs_login):
            *before, last = text.split("\r\n")
            assert all(line[3] == "-" for line in before)
            assert last[3] == " "
        assert all("\r" not in line for line in (persona.smtp.auth_form, *persona.smtp.features))


def test_a_server_of_ours_says_only_lines() -> None:
    """A sentence with a stray brace or newline would make a dialogue that no server has."""
    for number in range(300):
        persona = foreign.persona(number, 7, "203.0.113.1")
        assert persona.smtp
        assert persona.imap
        assert persona.pop3
        for text in (
            persona.smtp.accepted,
            persona.imap.greeting,
            persona.imap.login_ok,
            persona.pop3.greeting,
        ):
            assert not re.search(r"[\n]|\{(?!user|count|size)", text), text
