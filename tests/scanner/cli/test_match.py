"""``match`` from an inventory to what ``hosts`` and ``explain`` tell."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from db.store import Inventory
from scanner.cli import root
from scanner.events import Label, Outcome
from scanner.tenant import SignIn
from scanner.totals import RunTotals
from tests.db.samples import other

SECOND, HOUR = 10**9, 3600 * 10**9
BEGAN = 1_790_000_000 * SECOND
ADDRESS = "203.0.113.7"
TIMES = [BEGAN + hour * HOUR + hour * hour % 3001 * SECOND for hour in range(12)]


@pytest.fixture
def db(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    path = tmp_path / "i.db"
    label = (Label("smtp.public_ip", ADDRESS),)
    with Inventory.open(str(path)) as kept:
        run = kept.begin_run("here", ["a.pcap"], 1)
        kept.record(run, [other(first_seen=at, last_seen=at, username=None, labels=label) for at in TIMES])
        kept.finish_run(run, RunTotals(), 2)
    return path


def imported(db: Path) -> None:
    user = "scan@example.com"
    with Inventory.open(str(db)) as kept:
        kept.add_sign_ins(
            SignIn(str(at), at + 2 * SECOND, user, ADDRESS, "smtp", None, Outcome.ACCEPTED, True)
            for at in TIMES
        )


def run(db: Path, *arguments: str) -> Result:
    result = CliRunner().invoke(root, ["--db", str(db), *arguments])
    assert result.exit_code == 0, result.output
    return result


def test_a_device_is_tied_to_its_mailbox(db: Path) -> None:
    imported(db)
    result = run(db, "match", "--format", "ndjson", "--usernames", "keep")
    tie = json.loads(result.stdout)
    assert (tie["host"], tie["names"], tie["user"]) == ("00:26:73:00:00:01", ["copier"], "scan@example.com")
    assert (tie["basis"], tie["count"], len(tie["coincidences"])) == ("coincidence", 12, 5)
    assert "12 sign-ins of 1 users, 12 logins of 1 devices: 1 devices tied to 1" in result.stderr
    (kept,) = json.loads(run(db, "hosts", "--format", "json", "--usernames", "keep").stdout)
    assert kept["mailboxes"] == [{key: tie[key] for key in ("user", "score", "basis", "count")}]
    told = json.loads(run(db, "explain", "10.0.0.1", "--format", "json", "--usernames", "keep").stdout)
    assert told["mailboxes"] == [{key: tie[key] for key in (*kept["mailboxes"][0], "coincidences")}]


def test_listings_mask_its_name(db: Path) -> None:
    imported(db)
    shown = [
        run(db, "match").stdout,
        run(db, "hosts").stdout,
        run(db, "explain", "10.0.0.1").stdout,
        run(db, "export", "hosts").stdout,
    ]
    for one in shown:
        assert "s***@example.com" in one
        assert "scan@example.com" not in one
    assert "fits nobody else" in shown[2]
    assert "s***@example.com" not in run(db, "hosts", "--usernames", "drop").stdout


def test_a_later_match_takes_back_what_no_longer_follows(db: Path) -> None:
    imported(db)
    run(db, "match")
    assert json.loads(run(db, "match", "--since", "2030-01-01", "--format", "json").stdout) == []
    assert json.loads(run(db, "hosts", "--format", "json").stdout)[0]["mailboxes"] == []


def test_without_sign_ins_it_says_what_is_missing(db: Path) -> None:
    assert "'import' takes them in" in run(db, "match").stderr
