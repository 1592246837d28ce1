"""What was committed outlives a kill and a full disk; two readings at once, or of one file, add up to one."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from tests.scanner.cli.captures import HEADER, capture, dialogue

ROOT = Path(__file__).parents[3]
PROGRAM = [sys.executable, "-c", "from scanner.cli import main; main()"]
MANY = 20_000
"""Sessions of a capture that is read in several batches."""
SMALL = 2_500_000
"""Bytes of a disk that holds a thousand sessions, but not so many."""
WAIT_S = 120
SAVED = '"$@"; status=$?; cp i.db* "$OUT"; exit $status'
"""Run the program in a shell, and keep what it left in a folder that goes."""


def started(db: Path, *arguments: str, before: tuple[str, ...] = ()) -> subprocess.Popen[bytes]:
    """Start the program in a session of its own, so that it can be killed with all that it started."""
    return subprocess.Popen(
        [*before, *PROGRAM, "--db", str(db), *arguments],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT,
        start_new_session=True,
    )  # fmt: skip


def ended(process: subprocess.Popen[bytes]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=WAIT_S)
    return process.returncode, out.decode(), err.decode()


def mailsunset(db: Path, *arguments: str) -> tuple[int, str, str]:
    return ended(started(db, *arguments))


def told_of(out: str) -> set[tuple[str, str]]:
    """Sessions by time and ends; a last line that was cut short is left out."""
    found = set()
    for line in out.splitlines():
        with suppress(json.JSONDecodeError):
            record = json.loads(line)
            found.add((record["first_seen"], record["community_id"]))
    return found


def check(db: Path) -> int:
    """The file is sound and usages add up to the sessions; tells how many there are."""
    with closing(sqlite3.connect(db)) as kept:
        assert kept.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert kept.execute("PRAGMA foreign_key_check").fetchall() == []
        (stored,) = kept.execute("SELECT count(*) FROM sessions").fetchone()
        assert kept.execute("SELECT coalesce(sum(sessions), 0) FROM usages").fetchone() == (stored,)
        return int(stored)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("captures") / "large.pcap"
    path.write_bytes(capture(MANY))
    return path


def test_a_kill_in_mid_read_leaves_every_committed_batch(tmp_path: Path, large: Path) -> None:
    db = tmp_path / "i.db"
    process = started(db, "read", "--format", "ndjson", "-")
    assert process.stdin is not None and process.stdout is not None and process.stderr is not None
    pipe = process.stdin

    def feed() -> None:
        with suppress(BrokenPipeError):
            pipe.write(large.read_bytes())
            pipe.flush()

    feeding = threading.Thread(target=feed)
    feeding.start()
    shown = [process.stdout.readline() for _ in range(100)]
    os.killpg(process.pid, signal.SIGKILL)
    shown += process.stdout.readlines()
    assert process.wait(WAIT_S) == -signal.SIGKILL
    feeding.join(WAIT_S)
    with suppress(BrokenPipeError):
        pipe.close()
    process.stdout.close()
    process.stderr.close()
    printed = told_of(b"".join(shown).decode())
    assert len(printed) >= 100

    status, out, err = mailsunset(db, "sessions", "--format", "ndjson")
    assert status == 0
    assert told_of(out) >= printed
    assert check(db) == len(told_of(out))
    assert err.count("run 1 of ") == 1 and "is unfinished" in err
    for listing in (["hosts", "--limit", "3"], ["explain", "10.1.0.1"], ["export", "hosts"]):
        status, _, err = mailsunset(db, *listing)
        assert (status, err.count("is unfinished")) == (0, 1)

    assert mailsunset(db, "read", "--format", "ndjson", str(large))[0] == 0
    assert check(db) == MANY


@pytest.mark.parametrize(
    "before",
    [
        pytest.param(["prlimit", f"--fsize={SMALL}", "sh", "-c", SAVED], id="limit"),
        pytest.param(
            [
                "unshare",
                "-Urm",
                "sh",
                "-c",
                f'mount -t tmpfs -o size={SMALL} none "$DIR" && cd "$DIR" && {SAVED}',
            ],
            id="full disk",
        ),
    ],
)
def test_a_full_disk_in_mid_read_is_told_in_a_line(
    tmp_path: Path, large: Path, before: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "small").mkdir()
    (tmp_path / "saved").mkdir()
    monkeypatch.setenv("DIR", str(tmp_path / "small"))
    monkeypatch.setenv("OUT", str(tmp_path / "saved"))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    first = tmp_path / "first.pcap"
    first.write_bytes(capture(1_000, first=MANY))
    command = [*before, "sh", *PROGRAM, "--db", "i.db", "read", "--format", "ndjson", str(first), str(large)]
    done = subprocess.run(command, capture_output=True, cwd=tmp_path / "small", timeout=WAIT_S, check=False)
    assert done.returncode == 1, done.stderr
    (line,) = done.stderr.decode().splitlines()
    assert line.startswith("Error: ") and line.endswith("; what was recorded before is kept")
    db = tmp_path / "saved" / "i.db"
    printed = told_of(done.stdout.decode())
    assert len(printed) >= 1_000
    status, out, err = mailsunset(db, "sessions", "--format", "ndjson")
    assert (status, err.count("is unfinished")) == (0, 1)
    assert told_of(out) == printed
    assert check(db) == len(printed)


def races(tmp_path: Path, files: list[Path]) -> Path:
    """Read files at once, each by a process of its own, into a database that is not there yet."""
    db = tmp_path / "new" / "i.db"
    processes = [started(db, "read", "--format", "ndjson", str(file)) for file in files]
    for status, out, err in map(ended, processes):
        assert status == 0, err
        assert out
    return db


@pytest.mark.parametrize("attempt", range(3))
def test_two_readings_at_once_make_one_inventory(tmp_path: Path, attempt: int) -> None:
    files = [tmp_path / "a.pcap", tmp_path / "b.pcap"]
    files[0].write_bytes(capture(700))
    files[1].write_bytes(capture(600, first=400))
    db = races(tmp_path, files)
    assert check(db) == 1_000
    assert mailsunset(db, "hosts", "--limit", "1")[2].count("unfinished") == 0


def test_two_readings_of_one_file_at_once_add_up_to_one(tmp_path: Path) -> None:
    (tmp_path / "a.pcap").write_bytes(capture(700))
    db = races(tmp_path, [tmp_path / "a.pcap"] * 2)
    assert check(db) == 700


def test_reading_again_adds_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.pcap").write_bytes(capture(50))
    (tmp_path / "b.pcap").write_bytes(HEADER + b"".join(map(dialogue, range(49, -1, -1))))
    db = tmp_path / "i.db"
    listings = []
    for file in ("a.pcap", "a.pcap", "b.pcap"):
        assert mailsunset(db, "read", "--format", "ndjson", str(tmp_path / file))[0] == 0
        listings.append([mailsunset(db, what, "--format", "ndjson")[1] for what in ("hosts", "sessions")])
    assert check(db) == 50
    assert listings[0] == listings[1] == listings[2]


@pytest.fixture
def old(tmp_path: Path) -> Iterator[Path]:
    """An inventory whose only run began a hundred days ago."""
    (tmp_path / "a.pcap").write_bytes(capture(50))
    db = tmp_path / "i.db"
    assert mailsunset(db, "read", "--format", "ndjson", str(tmp_path / "a.pcap"))[0] == 0
    with closing(sqlite3.connect(db)) as kept, kept:
        kept.execute("UPDATE runs SET began = began - ?", (100 * 86_400 * 10**9,))
    yield db


@pytest.mark.parametrize(
    ("options", "config", "left"),
    [
        pytest.param([], "", 10, id="ninety days if nothing is said"),
        pytest.param(["--keep-sessions", "101d"], "", 60, id="longer"),
        pytest.param(["--keep-sessions", "99"], "", 10, id="shorter"),
        pytest.param(["--keep-sessions", "forever"], "", 60, id="for ever"),
        pytest.param([], 'keep_sessions = "forever"', 60, id="for ever by the user's file"),
        pytest.param([], "keep_sessions = 101", 60, id="longer by the user's file"),
        pytest.param(["--keep-sessions", "30d"], 'keep_sessions = "forever"', 10, id="the option goes first"),
    ],
)
def test_sessions_are_kept_for_a_time(
    tmp_path: Path, old: Path, options: list[str], config: str, left: int
) -> None:
    (tmp_path / "b.pcap").write_bytes(capture(10, first=500))
    (tmp_path / "config.toml").write_text(config)
    user = ("--config", str(tmp_path / "config.toml"))
    status, _, err = mailsunset(old, *user, "read", "--format", "ndjson", *options, str(tmp_path / "b.pcap"))
    assert status == 0
    assert ("50 sessions of runs more than" in err) == (left == 10)
    assert len(mailsunset(old, "sessions", "--format", "ndjson")[1].splitlines()) == left
    hosts = [json.loads(line) for line in mailsunset(old, "hosts", "--format", "ndjson")[1].splitlines()]
    assert sum(use["sessions"] for host in hosts for use in host["usage"]) == 60


@pytest.mark.parametrize("text", ["0", "-1d", "soon", "30 d", "99999999d", ""])
def test_a_time_to_keep_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.pcap").write_bytes(capture(1))
    status, _, err = mailsunset(tmp_path / "i.db", "read", "--keep-sessions", text, str(tmp_path / "a.pcap"))
    assert (status, "is not a time to keep" in err) == (2, True)
    assert not (tmp_path / "i.db").exists()
    (tmp_path / "config.toml").write_text(f'keep_sessions = "{text}"')
    status, _, err = mailsunset(tmp_path / "i.db", "--config", str(tmp_path / "config.toml"), "deadlines")
    assert (status, "is not a time to keep" in err) == (2, True)
