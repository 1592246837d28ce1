"""One hostile set of names goes through every output: shown as text, and obeyed nowhere."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from openpyxl import load_workbook

from db.store import Inventory
from scanner.cli import root
from scanner.model import Sighting
from scanner.services import ScanPlan, ScanTotals
from scanner.tenant import Asset, Tie
from scanner.totals import RunTotals
from tests.db.samples import other
from tests.reports import AT, DAY_NS, HOSTILE, MARK
from tests.services import whole

NAMES = tuple(name.encode("utf-8", "replace").decode() for name in HOSTILE)
"""As they come off the wire: bytes that are no text are replaced there."""
OBEYED = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufffe\uffff]")
"""What a terminal, a log or a reader obeys instead of showing it; ends of lines are the output's own."""
LISTINGS = (
    ("hosts", "--all"), ("sessions",), ("breaks", "--before", "2027-06-01"),
    ("new", "--since", "2026-01-01"), ("quiet", "--for", "30d"), ("remedy", "--usernames", "keep"),
    ("query", "SELECT * FROM v_devices"), ("query", "SELECT * FROM v_services"),
    ("query", "SELECT * FROM v_sessions"), ("export", "hosts"), ("export", "sessions"),
)  # fmt: skip


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("db") / "i.db"
    with Inventory.open(str(path)) as kept:
        run = kept.begin_run(NAMES[0], [NAMES[9]], AT)
        places = [(f"10.0.0.{number}", name) for number, name in enumerate(NAMES, 1)]
        seen = [
            other(
                client_ip=ip, client_mac=None, client_name=name, server_name=name, username=name,
                evidence=f"greeting of {name}; EHLO {name}", first_seen=AT, last_seen=AT + 5,
            )
            for ip, name in places
        ]  # fmt: skip
        told = [Sighting(ip, "", field, name[:512], AT, AT) for ip, name in places
                for field in ("dhcp.host_name", "mdns.note", "http.title", "smtp.banner")]  # fmt: skip
        kept.record(run, seen, told)
        kept.finish_run(run, RunTotals(packets=1, first_at=AT, last_at=AT + 90 * DAY_NS), AT)
        scan = kept.begin_scan(NAMES[0], ScanPlan((NAMES[2],)), AT)
        kept.record_services(
            scan, [(replace(whole(), host=ip, banner=name, server_name=name), None) for ip, name in places]
        )
        kept.finish_scan(scan, ScanTotals(), AT)
        kept.add_assets([Asset(ip, name, name, name) for ip, name in places])
        kept.keep_ties([Tie(ip, name, 0.99, "seen", (), 3) for ip, name in places])
    return path


def run(db: Path, *words: str) -> str:
    done = CliRunner().invoke(root, ["--db", str(db), "--as-of", "2026-11-24", *words])
    assert done.exit_code == 0, (words, done.output, done.exception)
    return done.stdout


def cells(text: str) -> Iterator[str]:
    for row in csv.reader(io.StringIO(text)):
        yield from row


@pytest.mark.parametrize("words", LISTINGS, ids=" ".join)
def test_a_listing_shows_names_as_text_in_every_form(db: Path, words: tuple[str, ...]) -> None:
    known = run(db, *words, "--format", "ndjson")
    assert MARK in known
    assert known.isascii()
    assert all(json.loads(line) for line in known.splitlines())
    assert json.loads(run(db, *words, "--format", "json"))
    for form in ("csv", "table"):
        if words[0] != "export" or form == "csv":
            text = run(db, *words, "--format", form)
            assert MARK in text
            assert not OBEYED.search(text)
    spread = list(cells(run(db, *words, "--format", "csv")))
    assert [one for one in spread if one.startswith(("=", "+", "-", "@"))] == []


@pytest.mark.parametrize("number", range(1, len(NAMES) + 1))
def test_an_explanation_shows_names_as_text(db: Path, number: int) -> None:
    text = run(db, "explain", f"10.0.0.{number}", "--usernames", "keep")
    assert MARK in text
    assert not OBEYED.search(text)


def test_a_report_and_a_script_show_names_as_text(db: Path, tmp_path: Path) -> None:
    forms = ("html", "markdown", "csv", "json", "junit", "xlsx")
    files = {form: tmp_path / f"report.{form}" for form in forms}
    written = (part for form in forms for part in (f"--{form}", str(files[form])))
    run(db, "report", "--usernames", "keep", *written)
    script = tmp_path / "script.ps1"
    run(db, "remedy", "--powershell", str(script))
    for path in (*(files[form] for form in forms[:-1]), script):
        text = path.read_text("utf-8-sig")
        assert MARK in text
        assert not OBEYED.search(text)
    page = files["html"].read_text("utf-8")
    assert "<script>document" not in page and "<img" not in page
    sheet = load_workbook(files["xlsx"]).active
    assert {cell.data_type for row in sheet.iter_rows() for cell in row} <= {"s", "n", "d"}
