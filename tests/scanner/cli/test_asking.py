"""``query`` and the saved questions as their user asks them."""

import csv
import io
import json
import os
import signal
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from db.store import Inventory
from scanner.cli import root
from scanner.model import AuthClass
from scanner.report.tables import TABLES
from scanner.services import ScanPlan, ScanTotals
from scanner.totals import RunTotals
from tests.db.samples import other
from tests.services import whole

DAY = 86_400 * 10**9
JULY = 1_782_864_000 * 10**9
"""The first of July 2026."""
HOSTILE = "=cmd|' /C calc'!A0\x1b[2J\u202e\r\n"
ENDLESS = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT "


def day(number: int) -> int:
    """A time on a day of July."""
    return JULY + (number - 1) * DAY


def sessions(*days: int, **changes: object) -> list[object]:
    return [other(first_seen=day(one), last_seen=day(one) + 5, **changes) for one in days]


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copier that took to OAuth, one that did not, one that fell silent, a new one; a scanned server."""
    path = tmp_path_factory.mktemp("asked") / "i.db"
    one, two, three, four = (
        {"client_mac": f"00:26:73:00:00:0{n}", "client_ip": f"10.0.0.{n}"} for n in range(1, 5)
    )
    modern = {"auth_class": AuthClass.OAUTH, "mechanism": "XOAUTH2"}
    seen = [
        *sessions(1, 2, 3, **one),
        *sessions(20, 30, **one, **modern),
        *sessions(1, 10, 20, 31, **two, client_name=HOSTILE, evidence=HOSTILE),
        *sessions(1, 2, 4, **three),
        *sessions(25, **four, **modern),
    ]  # fmt: skip
    with Inventory.open(str(path)) as kept:
        run = kept.begin_run("here", ["eth1"], day(1))
        kept.record(run, seen)  # type: ignore[arg-type]
        kept.finish_run(run, RunTotals(packets=9, first_at=day(1), last_at=day(32)), day(32))
        scan = kept.begin_scan("here", ScanPlan(("10.0.0.0/24",)), day(9))
        kept.record_services(scan, [(whole(host="10.0.0.9", banner=HOSTILE), None)])
        kept.finish_scan(scan, ScanTotals(), day(9))
    return path


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.delenv("MAILSUNSET_DB", raising=False)
    yield


def run(db: Path, *arguments: str) -> Result:
    return CliRunner().invoke(root, ["--db", str(db), "--as-of", "2026-11-24", *arguments])


def records(done: Result) -> list[dict[str, object]]:
    assert done.exit_code == 0, done.output
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("view", TABLES)
def test_every_view_has_rows_and_its_columns(db: Path, view: str) -> None:
    found = records(run(db, "query", f"SELECT * FROM {view}", "--format", "ndjson"))
    assert found and all(list(row) == list(TABLES[view].kinds) for row in found)


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("SELECT verdict AS v FROM v_devices WHERE sessions = 0", [{"v": "unknown"}]),
        ("SELECT count(*) AS n FROM v_sessions s JOIN v_devices d USING (host) WHERE d.verdict = 'breaks'",
         [{"n": 12}]),
        ("SELECT port, banner FROM v_services", [{"port": 587, "banner": HOSTILE}]),
        ("SELECT 1 AS a, 2 AS a, 3 AS a", [{"a": 1, "a_2": 2, "a_3": 3}]),
        ("SELECT x'00ff' AS b, 9e999 AS i, NULL AS n", [{"b": "00ff", "i": "inf", "n": None}]),
        ("SELECT id FROM v_deadlines WHERE days < -3000", [{"id": "outlook-anywhere"}]),
        ("SELECT count(*) AS n FROM v_usage WHERE auth_class = 'oauth' AND verdict = 'fine'", [{"n": 2}]),
        ("SELECT host FROM v_devices WHERE 0", []),
    ],
)  # fmt: skip
def test_a_question_is_answered(db: Path, statement: str, found: list[dict[str, object]]) -> None:
    assert records(run(db, "query", statement, "--format", "ndjson")) == found


@pytest.mark.parametrize("form", ["table", "json", "ndjson", "csv"])
def test_an_answer_has_its_own_columns_in_every_form(db: Path, form: str) -> None:
    statement = (
        'SELECT evidence, names AS "=[/b]\x1b[2J", -1 FROM v_sessions JOIN v_devices USING (host) ORDER BY 1'
    )
    done = run(db, "query", statement, "--format", form)
    assert done.exit_code == 0, done.output
    assert not [c for c in done.output if (ord(c) < 32 and c != "\n") or c == "\u202e"]
    if form == "csv":
        head, first, *_ = csv.reader(io.StringIO(done.stdout))
        assert head == ["evidence", "'=[/b]\\x1b[2J", "'-1"] and first[0].startswith("'=cmd|")
    elif form == "table":
        assert "=[/b]\\x1b[2J" in done.stdout
    else:
        found = json.loads(done.stdout) if form == "json" else records(done)
        assert found[0]["evidence"] == HOSTILE and list(found[0])[2] == "-1"


@pytest.mark.parametrize(("form", "empty"), [("csv", "host,a\n"), ("json", "[]\n"), ("ndjson", "")])
def test_an_empty_answer_is_of_its_form(db: Path, form: str, empty: str) -> None:
    assert (
        run(db, "query", "SELECT host, 1 AS a FROM v_runs, v_devices WHERE 0", "--format", form).stdout
        == empty
    )


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("DROP TABLE v_devices", "it does more than read"),
        ("ATTACH 'x' AS y", "it does more than read"),
        ("PRAGMA user_version", "it does more than read"),
        ("SELECT load_extension('x')", "load_extension is not to be used"),
        ("SELECT writefile('x', 'y')", "no such function: writefile"),
        ("SELECT * FROM sqlite_master", "sqlite_master is not to be used"),
        ("SELECT nowhere FROM v_devices", "no such column: nowhere"),
        ("SELECT \x1b[2J", "unrecognized token"),
        ("", "incomplete input"),
    ],
)
def test_what_is_no_question_is_told_in_a_line(db: Path, statement: str, said: str) -> None:
    before = db.read_bytes()
    done = run(db, "query", statement)
    assert (done.exit_code, done.stdout) == (2, "")
    assert said in done.stderr and done.stderr.count("\n") == 1 and "\x1b" not in done.stderr
    assert f"one SELECT on {', '.join(TABLES)}" in done.stderr
    assert db.read_bytes() == before


def test_a_fault_on_the_way_is_told_too(db: Path) -> None:
    statement = "SELECT abs(-9223372036854775807 - (host > '10.0.0.5')) FROM v_devices ORDER BY rowid"
    done = run(db, "query", statement, "--format", "ndjson")
    assert done.exit_code == 2 and "integer overflow; a query" in done.stderr


def test_without_a_question_the_columns_are_told(db: Path) -> None:
    found = records(run(db / "missing", "query", "--format", "ndjson"))
    told = [(row["view"], row["column"]) for row in found]
    assert told == [(name, column) for name, table in TABLES.items() for column in table.kinds]


def test_a_wrong_question_needs_no_inventory_and_a_right_one_does(tmp_path: Path) -> None:
    assert "syntax error" in run(tmp_path / "none.db", "query", "SELEC 1").stderr
    done = run(tmp_path / "none.db", "query", "SELECT 1")
    assert done.exit_code == 2 and "there is no inventory yet" in done.stderr
    assert not list(tmp_path.glob("*.db"))


def test_of_an_endless_answer_a_table_shows_its_limit(db: Path) -> None:
    done = run(db, "query", f"{ENDLESS} n FROM c", "--limit", "3")
    assert done.exit_code == 0
    assert done.stdout.split()[-3:] == ["1", "2", "3"] and "3 of the rows are shown" in done.stderr
    assert "are shown" not in run(db, "query", "SELECT 1 UNION SELECT 2", "--limit", "2").stderr


@pytest.mark.parametrize("what", ["count(*) FROM c", "n FROM c"], ids=["one row", "many rows"])
def test_ctrl_c_ends_an_endless_question(db: Path, tmp_path: Path, what: str) -> None:
    arguments = ["--db", str(db), "query", "--format", "ndjson", ENDLESS + what]
    command = [sys.executable, "-c", "print(1, flush=True); from scanner.cli import main; main()", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as going:
        assert going.stdout and going.stderr
        going.stdout.readline()
        time.sleep(1.5)
        os.set_blocking(going.stdout.fileno(), False)
        going.send_signal(signal.SIGINT)
        until = time.monotonic() + 30
        while going.poll() is None and time.monotonic() < until:
            going.stdout.read()
            time.sleep(0.02)
        assert (going.returncode, going.stderr.read()) == (130, b"\nstopped\n")


@pytest.mark.parametrize(
    ("words", "hosts"),
    [
        (["breaks", "--before", "2027-01-01"], "1 2 3"),
        (["breaks", "--before", "2026-12-31"], ""),
        (["quiet"], ""),
        (["quiet", "--for", "20d"], "3"),
        (["quiet", "--for", "6"], "3 4"),
        (["new", "--since", "2026-07-20"], "4"),
        (["new", "--since", "2026-07-26"], ""),
        (["fixed", "--since", "2026-07-10"], "3 1"),
        (["fixed", "--since", "2026-07-02"], ""),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_saved_questions(db: Path, words: list[str], hosts: str) -> None:
    found = records(run(db, *words, "--format", "ndjson"))
    assert [str(row["address"])[-1] for row in found] == hosts.split()
    assert f": {len(found)}" in run(db, *words).stdout


def test_a_saved_question_in_a_table_fits_and_says_what_it_rests_on(db: Path) -> None:
    done = run(db, "fixed", "--since", "2026-07-10")
    assert "rests on 1 run" in done.stderr and "SUBMISSION with XOAUTH2" in done.stdout
    assert "SMTP with LOGIN works until then" in done.stdout
    quiet = run(db, "quiet", "--for", "20", "--limit", "1")
    assert "28 days" in quiet.stdout and "2 days" in quiet.stdout and "unusual" in quiet.stdout


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (["breaks", "--before", "2027-01-01", "--fail-on", "breaks"], 10),
        (["breaks", "--before", "2027-01-01", "--fail-on", "broken"], 0),
        (["breaks", "--before", "2026-12-01", "--fail-on", "fine"], 0),
        (["new", "--since", "2026-07-20", "--fail-on", "fine"], 10),
        (["new", "--since", "2026-07-20", "--fail-on", "breaks"], 0),
        (["quiet", "--for", "20d", "--limit", "1", "--fail-on", "breaks"], 10),
        (["breaks"], 2),
        (["breaks", "--before", "soon"], 2),
        (["quiet", "--for", "forever"], 2),
        (["quiet", "--for", "0d"], 2),
        (["new", "--since", "2026-13-01"], 2),
        (["fixed"], 2),
        (["export", "datasette"], 2),
        (["export", "hosts", "folder"], 2),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_exit_statuses(db: Path, words: list[str], status: int) -> None:
    assert run(db, *words).exit_code == status


def test_a_folder_for_datasette_holds_the_views(db: Path, tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "a b"
    for _ in range(2):  # the second time it is replaced
        done = run(db, "export", "datasette", str(folder))
        assert done.exit_code == 0, done.output
    assert sorted(file.name for file in folder.iterdir()) == [
        "mailsunset.db",
        "metadata.json",
        "settings.json",
    ]
    assert stat.S_IMODE((folder / "mailsunset.db").stat().st_mode) == 0o600
    kept = sqlite3.connect(folder / "mailsunset.db")
    made = dict(kept.execute("SELECT name, type FROM sqlite_master WHERE type <> 'index'"))
    assert made == dict.fromkeys(TABLES, "table")
    for view in TABLES:
        asked = [
            list(row.values())
            for row in records(run(db, "query", f"SELECT * FROM {view}", "--format", "ndjson"))
        ]
        assert sorted(map(repr, asked)) == sorted(
            repr(list(row)) for row in kept.execute(f"SELECT * FROM {view}")
        )
    indexed = kept.execute("SELECT count(*) FROM sqlite_master WHERE type = 'index'").fetchone()
    assert indexed == (sum(len(table.indexed) for table in TABLES.values()),)
    kept.close()


def _as_file(folder: Path) -> None:
    folder.write_text("x")


def _with_folder_in_place(folder: Path) -> None:
    (folder / "mailsunset.db" / "x").mkdir(parents=True)


@pytest.mark.parametrize("spoilt", [_as_file, _with_folder_in_place])
def test_a_folder_that_cannot_be_written_is_told(
    db: Path, tmp_path: Path, spoilt: Callable[[Path], None]
) -> None:
    spoilt(tmp_path / "out")
    done = run(db, "export", "datasette", str(tmp_path / "out"))
    assert done.exit_code == 1 and str(tmp_path / "out") in done.stderr and done.stderr.count("\n") == 1
    assert not list(tmp_path.rglob("*.part"))
