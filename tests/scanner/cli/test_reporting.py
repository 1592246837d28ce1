"""The command that reports: what it reads of an inventory, and where it writes."""

import json
import stat
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result
from openpyxl import load_workbook

from db.store import Inventory
from scanner.cli import root
from scanner.model import AuthClass
from scanner.tenant import Tie
from scanner.totals import RunTotals
from tests.db.samples import other

DAY = 86_400 * 10**9
SEPTEMBER = 1_788_220_800 * 10**9
"""The first of September 2026."""
COPIER = other(first_seen=SEPTEMBER, last_seen=SEPTEMBER + 5, evidence="greeting; EHLO copier")
MENDED = other(
    client_ip="10.0.0.2", client_mac=None, client_name="nas", first_seen=SEPTEMBER, last_seen=SEPTEMBER
)
SINCE = other(
    client_ip="10.0.0.2", client_mac=None, client_name="nas", mechanism="XOAUTH2", auth_class=AuthClass.OAUTH,
    first_seen=SEPTEMBER + 40 * DAY, last_seen=SEPTEMBER + 40 * DAY,
)  # fmt: skip
FORMS = ("html", "markdown", "csv", "xlsx", "json", "junit")


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("db") / "i.db"
    with Inventory.open(str(path)) as kept:
        run = kept.begin_run("here", ["a.pcap"], 1)
        kept.record(run, [COPIER, MENDED, SINCE])
        kept.keep_ties([Tie("10.0.0.2", "scans@example.com", 0.97, "coincidence", (), 12)])
        kept.finish_run(run, RunTotals(packets=77, first_at=SEPTEMBER, last_at=SEPTEMBER + DAY), 2)
    return path


def run(db: Path, *arguments: str) -> Result:
    return CliRunner().invoke(root, ["--db", str(db), "--as-of", "2026-11-24", "report", *arguments])


def test_all_forms_are_written_at_once_for_their_owner_alone(db: Path, tmp_path: Path) -> None:
    files = {form: tmp_path / f"report.{form}" for form in FORMS}
    done = run(db, *(part for form, file in files.items() for part in (f"--{form}", str(file))))
    assert (done.exit_code, done.stdout) == (0, "")
    assert {stat.S_IMODE(file.stat().st_mode) for file in files.values()} == {0o600}
    assert "2 devices break on 31 December 2026" in files["html"].read_text("utf-8")
    assert "EHLO copier" in files["html"].read_text("utf-8")
    assert files["markdown"].read_text("utf-8").startswith("# 2 devices break on 31 December 2026\n")
    assert files["csv"].read_text("utf-8").count("\n") == 3
    assert load_workbook(files["xlsx"]).active.max_row == 3
    assert [day["password"] for day in json.loads(files["json"].read_text())["days"]] == [2, 0]
    assert len(ElementTree.parse(files["junit"]).findall(".//failure")) == 2


def test_a_form_goes_to_stdout_and_no_other_beside_it(db: Path) -> None:
    done = run(db, "--format", "junit")
    assert len(ElementTree.fromstring(done.stdout).findall(".//testcase")) == 2
    refused = run(db, "--format", "junit", "--json", "-")
    assert (refused.exit_code, refused.stdout) == (2, "")


def test_whose_mailbox_a_device_uses_is_masked_unless_asked_for(db: Path) -> None:
    assert "s&#42;&#42;&#42;&#64;example.com (0.97)" in run(db).stdout
    assert "scans&#64;example.com (0.97)" in run(db, "--usernames", "keep").stdout
    assert "example.com (0.97)" not in run(db, "--usernames", "drop").stdout


def test_markdown_is_written_where_nothing_is_asked_for(db: Path) -> None:
    assert run(db).stdout.startswith("# 2 devices break on 31 December 2026\n")
    assert run(db, "--lang", "de").stdout.startswith("# 2 Geräte fallen am 31. Dezember 2026 aus\n")


def test_one_form_goes_to_stdout(db: Path) -> None:
    assert json.loads(run(db, "--json", "-").stdout)["packets"] == 77
    assert run(db, "--xlsx", "-").stdout_bytes.startswith(b"PK")
    both = run(db, "--json", "-", "--csv", "-")
    assert (both.exit_code, both.stdout) == (2, "")


def test_what_changed_since_a_day(db: Path) -> None:
    told = json.loads(run(db, "--json", "-", "--since", "2026-09-20").stdout)
    assert [(one["host"], one["change"], one["after"]) for one in told["changes"]] == [
        ("00:26:73:00:00:01", "silent", None), ("10.0.0.2", "fixed", "fine"),
    ]  # fmt: skip


@pytest.mark.parametrize(("level", "status"), [("broken", 0), ("breaks", 10), ("unknown", 10)])
def test_findings_end_with_10(db: Path, tmp_path: Path, level: str, status: int) -> None:
    file = tmp_path / "report.md"
    assert run(db, "--markdown", str(file), "--fail-on", level).exit_code == status
    assert file.exists()


def test_a_file_that_cannot_be_written_is_a_line(db: Path, tmp_path: Path) -> None:
    done = run(db, "--html", str(tmp_path / "none" / "report.html"))
    assert done.exit_code == 1
    assert done.stderr.count("\n") == 1
