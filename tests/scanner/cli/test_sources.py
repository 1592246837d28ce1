"""tshark as the engine of ``read``, and both engines side by side in ``compare``."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from packets import Packet, pcap

from scanner.cli import root
from scanner.report.views import DIFFERENCES

from .captures import capture

ROOT = Path(__file__).parents[3]
OFFICE = str(ROOT / "captures" / "office.pcapng")
TOLD_BY_OURS_ONLY = ("last_seen", "confidence", "evidence", "ja4")
CLAIMED = ("mechanism", "auth_class", "outcome", "attempts", "basis")
"""What only we tell of the inside of TLS."""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    monkeypatch.delenv("MAILSUNSET_DB", raising=False)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(root, arguments)


def odd(folder: Path) -> str:
    """A capture of a session that tshark does not know: its port is nobody's."""
    path = folder / "odd.pcap"
    path.write_bytes(capture(1).replace((587).to_bytes(2, "big"), (2526).to_bytes(2, "big")))
    return str(path)


def test_both_engines_give_the_same_records_of_the_sample() -> None:
    read = ("read", "--no-db", "--format", "ndjson", "--sensor", "here")
    ours, tshark = run(*read, OFFICE), run(*read, "--engine", "tshark", OFFICE)
    assert tshark.exit_code == ours.exit_code == 0
    assert "8 connections, 8 sessions" in tshark.stderr
    records = [[json.loads(line) for line in one.stdout.splitlines()] for one in (ours, tshark)]
    for one in (*records[0], *records[1]):
        for name in (*TOLD_BY_OURS_ONLY, *(CLAIMED if one["tls_mode"] != "clear" else ())):
            del one[name]
    key = "community_id"
    assert sorted(records[0], key=lambda one: str(one[key])) == sorted(
        records[1], key=lambda one: str(one[key])
    )


def test_what_tshark_read_goes_to_the_inventory(tmp_path: Path) -> None:
    db = ("--db", str(tmp_path / "i.db"))
    assert run(*db, "read", "--engine", "tshark", OFFICE).exit_code == 0
    listed = run(*db, "sessions", "--format", "ndjson")
    assert len(listed.stdout.splitlines()) == 8


def test_where_nothing_differs_nothing_is_listed() -> None:
    done = run("compare", "--fail-on-difference", "--format", "ndjson", OFFICE)
    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr == "8 sessions compared: 8 equal, 0 differing; 0 only ours, 0 only tshark's\n"


@pytest.mark.parametrize("form", ["table", "json", "ndjson", "csv"])
def test_a_difference_is_listed(tmp_path: Path, form: str) -> None:
    path = odd(tmp_path)
    done = run("compare", "--format", form, path)
    assert done.exit_code == 0
    assert "1 only ours, 0 only tshark's" in done.stderr
    match form:
        case "table":
            assert "10.1.0.1:40000" in done.stdout
            assert "session" in done.stdout
            return
        case "json":
            (record,) = json.loads(done.stdout)
        case "ndjson":
            record = json.loads(done.stdout)
        case _:
            (record,) = csv.DictReader(io.StringIO(done.stdout))
    assert tuple(record) == DIFFERENCES.fields
    assert (record["capture"], record["field"], record["ours"]) == (path, "session", "seen")


def test_a_difference_fails_if_asked(tmp_path: Path) -> None:
    assert run("compare", "--fail-on-difference", odd(tmp_path)).exit_code == 10


@pytest.mark.parametrize("command", [("compare",), ("read", "--no-db", "--engine", "tshark")], ids=" ".join)
@pytest.mark.parametrize(
    ("capture", "why"),
    [("missing.pcap", "missing.pcap: no such file"), ("-", "-: tshark reads files only, no pipes")],
)
def test_what_cannot_be_read_is_said_in_a_line(command: tuple[str, ...], capture: str, why: str) -> None:
    done = run(*command, capture)
    assert (done.exit_code, done.stderr) == (2, f"Error: {why}\n")


@pytest.mark.parametrize("command", [("compare",), ("read", "--no-db", "--engine", "tshark")], ids=" ".join)
def test_that_tshark_is_missing_is_said_in_a_line(
    command: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    done = run(*command, OFFICE)
    assert done.exit_code == 2
    assert done.stderr.startswith("Error: tshark is not installed: ")
    assert done.stderr.count("\n") == 1


def test_a_capture_that_is_cut_is_compared_as_far_as_it_goes(tmp_path: Path) -> None:
    path = tmp_path / "cut.pcap"
    path.write_bytes(capture(2)[:-10])
    done = run("compare", str(path))
    assert done.exit_code == 1
    assert done.stderr.count(str(path)) == 2, "each engine says so"
    assert "2 sessions compared: 2 equal" in done.stderr


def test_an_empty_capture_has_no_sessions(tmp_path: Path) -> None:
    path = tmp_path / "empty.pcap"
    path.write_bytes(pcap(list[Packet]()))
    done = run("compare", str(path))
    assert done.exit_code == 0
    assert done.stderr.startswith("0 sessions compared")


def test_pyshark_is_imported_by_those_only_who_need_it() -> None:
    code = (
        "import sys\nfrom scanner.cli import main\n"
        "sys.argv[1:] = ['read', '--no-db', '--format', 'csv', sys.argv[1]]\n"
        "try:\n    main()\nfinally:\n    print('pyshark' in sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, OFFICE], capture_output=True, text=True, env=dict(os.environ), check=True
    )
    assert done.stderr.splitlines()[-1] == "False"


def test_keys_are_for_our_engine(tmp_path: Path) -> None:
    done = run("read", "--no-db", "--engine", "tshark", "--keylog", str(tmp_path / "keys"), OFFICE)
    assert (done.exit_code, done.stderr) == (2, "Error: --keylog is for our own engine: leave out --engine\n")
