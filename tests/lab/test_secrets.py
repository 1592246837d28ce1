"""No password, token or challenge answer that crossed the wire is anywhere afterwards."""

from __future__ import annotations

import gzip
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from stage.needles import SHORTEST, Search, answers
from stage.recall import CANARY

from .conftest import ENDPOINTS, HERE, ROOT, Lab, mailsunset, mailsunset_each, python

CUTS = (0.3, 0.5, 0.7, 0.9)
"""Where else the capture breaks off: logins are in the middle of it everywhere."""
HEADER = 24
"""Bytes before a pcap's first packet."""
ENOUGH = 16
"""Times the capture comes, so that some of it is handed on, followed and kept."""
START_S = 20
"""Longest that the program may take until its inventory is there."""
FORMS = ("table", "json", "ndjson", "csv")
LISTINGS = (
    ("hosts",),
    ("sessions",),
    ("explain", "02:00:00:00:00:02"),
    ("export", "hosts"),
    ("export", "sessions"),
)


@pytest.fixture(scope="module")
def secrets(lab: Lab, said: dict[str, bytes]) -> set[bytes]:
    """All that nobody may ever tell."""
    known = {secret.encode() for played in lab.played.values() for secret in played.secrets}
    for played in lab.played.values():
        known |= answers(said[played.address], played.user.encode())
    return known


@pytest.fixture(scope="module")
def search(secrets: set[bytes]) -> Search:
    return Search(secrets)


@pytest.fixture(scope="module")
def broken(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The capture, cut at several places."""
    raw = lab.capture.read_bytes()
    folder = tmp_path_factory.mktemp("broken")
    for cut in CUTS:
        (folder / f"cut{cut}.pcap").write_bytes(raw[: int(len(raw) * cut)])
    return sorted(folder.iterdir())


@contextmanager
def somebody_reading(database: Path) -> Iterator[None]:
    """Hold a transaction open, so that SQLite must leave its write-ahead log where it is."""
    with closing(sqlite3.connect(database)) as reader:
        reader.execute("begin")
        reader.execute("select count(*) from sqlite_master").fetchall()
        yield
        reader.rollback()


def test_the_search_finds_what_crossed_in_clear(lab: Lab, search: Search, secrets: set[bytes]) -> None:
    """In the capture itself every login of a clear dialogue is found, raw or in base64."""
    found = search.found(lab.capture.read_bytes())
    clear = {
        title: {secret.encode() for secret in played.secrets} & found
        for title, played in lab.played.items()
        if any(name in title for name in (" PLAIN ", " LOGIN ", "USERPASS", "OAUTH")) and "TLS" not in title
    }
    assert clear
    assert [title for title, seen in clear.items() if not seen] == []
    assert len(secrets) > 2 * len(lab.played)


@pytest.mark.parametrize(
    "leak",
    [
        pytest.param(lambda secret: secret.decode(), id="as it is"),
        pytest.param(lambda secret: secret.hex(), id="hexadecimal"),
        pytest.param(lambda secret: secret[3 : 3 + 2 * SHORTEST].decode(), id="its middle"),
        pytest.param(lambda secret: f"{secret[-SHORTEST:]!r}", id="its end"),
    ],
)
def test_the_search_finds_a_leak(leak: object, search: Search, secrets: set[bytes]) -> None:
    assert callable(leak)
    for secret in secrets:
        if len(secret) < 3 * SHORTEST and secret.isalnum():
            assert search.found(f"told: {leak(secret)}.".encode())


@pytest.mark.parametrize("usernames", ["keep", "mask", "drop"])
def test_reading_tells_none(
    usernames: str, lab: Lab, broken: list[Path], search: Search, tmp_path: Path
) -> None:
    options = ("--no-db", "--usernames", usernames, *ENDPOINTS, lab.capture, *broken)
    told, statuses = mailsunset_each(tmp_path, *(("read", "--format", form, *options) for form in FORMS))
    assert statuses == ["1"] * len(FORMS)
    assert b"cut0.5" in told
    assert search.found(told) == set()


def test_the_inventory_and_its_listings_tell_none(
    lab: Lab, broken: list[Path], search: Search, tmp_path: Path
) -> None:
    keeping = ("read", "--usernames", "keep", *ENDPOINTS)
    database = tmp_path / "kept.db"
    at = ("--db", str(database))
    assert mailsunset(tmp_path, *at, *keeping, broken[0]).returncode == 1
    with somebody_reading(database):
        done = mailsunset(tmp_path, *at, *keeping, lab.capture)
        assert done.returncode == 0, done.stderr
        files = sorted(database.parent.glob("kept.db*"))
        assert [file.suffix for file in files] == [".db", ".db-shm", ".db-wal"]
        assert files[2].stat().st_size
        for file in files:
            raw = file.read_bytes()
            assert search.found(raw) == set(), file
    commands = [
        (*at, *listing, "--format", form)
        for listing in LISTINGS
        for form in (FORMS[:2] if listing[0] == "explain" else FORMS)
    ]
    told, statuses = mailsunset_each(tmp_path, *commands)
    assert set(statuses) <= {"0", "None"}, told
    assert b"user1@example.com" in told
    assert search.found(told) == set()


def test_a_killed_reading_leaves_none(lab: Lab, search: Search, tmp_path: Path) -> None:
    """It is killed while it waits for the rest of a pipe, with logins half heard and others kept."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    database = tmp_path / "kept.db"
    raw = lab.capture.read_bytes()
    code = "from scanner.cli import main; main()"
    command = [sys.executable, "-c", code, "--db", str(database), "read", *ENDPOINTS, str(fifo)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        with fifo.open("wb") as pipe:
            pipe.write(raw[:HEADER] + raw[HEADER:] * ENOUGH + raw[HEADER : len(raw) // 2])
            pipe.flush()
            end = time.monotonic() + START_S
            while not database.exists() and time.monotonic() < end:
                time.sleep(0.05)
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(1)
            process.kill()
        out, err = process.communicate(timeout=10)
    left = b"".join(file.read_bytes() for file in sorted(database.parent.glob("kept.db*")))
    assert left
    assert search.found(out + err + left) == set()


@pytest.mark.parametrize("form", ["plain", "compressed", "piped"])
@pytest.mark.parametrize("way", ["command", "objects", "workers"])
def test_no_object_of_the_process_holds_one_after_the_reading(
    way: str, form: str, lab: Lab, broken: list[Path], secrets: set[bytes], tmp_path: Path
) -> None:
    captures, feeding = [lab.capture, *broken], ["true"]
    match form:
        case "compressed":
            captures = [tmp_path / "lab.pcap.gz"]
            captures[0].write_bytes(gzip.compress(lab.capture.read_bytes(), 1))
        case "piped":
            captures = [tmp_path / "fifo"]
            os.mkfifo(captures[0])
            feeding = ["dd", "status=none", f"if={lab.capture}", f"of={captures[0]}"]
    lines = "".join(f"{secret.hex()}\n" for secret in (*secrets, CANARY.encode()))
    with subprocess.Popen(feeding) as feeder:
        done = python(
            tmp_path, "-m", "stage.recall", way, *captures, data=lines.encode(), path=f"{HERE}:{ROOT}"
        )
        assert done.returncode == 0, done.stderr
    assert feeder.returncode == 0
    told = done.stdout.decode().splitlines()
    assert any(line.startswith(CANARY.encode().hex()) for line in told), "the search itself is blind"
    assert [line for line in told if not line.startswith(CANARY.encode().hex())] == []
