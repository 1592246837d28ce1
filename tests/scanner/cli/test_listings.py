"""What is listed: filters, formats, and nothing of the wire that acts on who reads it."""

import csv
import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from db.store import Inventory
from scanner.cli import root
from scanner.events import Outcome, TlsMode
from scanner.model import AuthClass
from scanner.report.views import DEADLINES, HOSTS, REMEDIES, SESSIONS
from scanner.services import ScanPlan, ScanTotals, TlsAccepted
from scanner.tenant import Mailbox, SmtpAuth, Tie
from scanner.totals import Hour, RunTotals
from tests.db.samples import SEEN, other
from tests.services import bare, whole

DAY = 86_400 * 10**9
JULY, AUGUST = 1_782_864_000 * 10**9, 1_785_542_400 * 10**9
"""The first of July and of August 2026."""
HOSTILE = "=cmd|' /C calc'!A0\x1b[2J\u202e\r\n\x00"
ROOT = Path(__file__).parents[3]

COPIER = other(first_seen=JULY, last_seen=JULY + 5)
PHONE = other(
    client_ip="10.0.0.2", client_mac="f0:18:98:00:00:02", client_name=None, protocol="http", service="eas",
    server_port=443, mechanism="HTTP-Bearer", auth_class=AuthClass.OAUTH, tls_mode=TlsMode.IMPLICIT,
    first_seen=AUGUST, last_seen=AUGUST + DAY,
)  # fmt: skip
ROBOT = other(
    client_ip="192.0.2.7", client_mac=None, client_name=HOSTILE, username=HOSTILE, protocol="imap",
    mechanism="IMAP-LOGIN", outcome=Outcome.REFUSED, evidence=HOSTILE, server_port=143, service=None,
    first_seen=AUGUST + DAY, last_seen=AUGUST + 2 * DAY,
)  # fmt: skip


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("db") / "i.db"
    with Inventory.open(str(path)) as kept:
        run = kept.begin_run("here", ["a.pcap"], 1)
        kept.record(run, [COPIER, PHONE, ROBOT])
        kept.finish_run(run, RunTotals(), 2)
        kept.keep_ties([Tie("00:26:73:00:00:01", "scan@example.com", 0.97, "coincidence", (), 12)])
        kept.add_mailboxes([Mailbox("scan@example.com", SmtpAuth.DISABLED, 3)])
    return path


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.delenv("MAILSUNSET_DB", raising=False)
    yield


def run(db: Path, *arguments: str) -> Result:
    return CliRunner().invoke(root, ["--db", str(db), "--as-of", "2026-11-24", *arguments])


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ([], "copier phone robot"),
        (["--verdict", "breaks"], "copier"),
        (["--verdict", "broken"], "robot"),
        (["--verdict", "fine"], "phone"),
        (["--verdict", "unknown"], ""),
        (["--protocol", "imap"], "robot"),
        (["--protocol", "pop3"], ""),
        (["--mechanism", "login"], "copier"),
        (["--mechanism", "HTTP-Bearer"], "phone"),
        (["--mechanism", "NO-SUCH"], ""),
        (["--protocol", "imap", "--mechanism", "LOGIN"], ""),
        (["--vendor", "ricoh"], "copier"),
        (["--vendor", "nobody"], ""),
        (["--since", "2026-07-01"], "copier phone robot"),
        (["--since", "2026-07-02"], "phone robot"),
        (["--since", "2026-08-03"], "robot"),
        (["--since", "2026-08-04"], ""),
        (["--where", "10.0.0.0/24"], "copier phone"),
        (["--where", "10.0.0.2"], "phone"),
        (["--where", "192.0.2.0/25"], "robot"),
        (["--where", "2001:db8::/32"], ""),
        (["--where", "COPIER"], "copier"),
        (["--where", "f0:18"], "phone"),
        (["--verdict", "breaks", "--where", "192.0.2.0/24"], ""),
        (["--limit", "1"], "robot"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_hosts_by_filter(db: Path, filters: list[str], found: str) -> None:
    done = run(db, "hosts", "--format", "ndjson", *filters)
    assert done.exit_code == 0, done.output
    names = {"10.0.0.1": "copier", "10.0.0.2": "phone", "192.0.2.7": "robot"}
    listed = [names[json.loads(line)["addresses"][0]] for line in done.stdout.splitlines()]
    assert sorted(listed) == found.split()


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ([], "robot phone copier"),
        (["--host", "10.0.0.1"], "copier"),
        (["--host", "F0-18-98-00-00-02"], "phone"),
        (["--host", "Copier"], "copier"),
        (["--protocol", "http"], "phone"),
        (["--mechanism", "imap-login"], "robot"),
        (["--since", "2026-08-01"], "robot phone"),
        (["--since", "2026-08-02"], "robot"),
        (["--limit", "2"], "robot phone"),
        (["--host", "10.0.0.1", "--protocol", "imap"], ""),
    ],
    ids=" ".join,
)
def test_sessions_by_filter(db: Path, filters: list[str], found: str) -> None:
    done = run(db, "sessions", "--format", "ndjson", *filters)
    assert done.exit_code == 0, done.output
    names = {"10.0.0.1": "copier", "10.0.0.2": "phone", "192.0.2.7": "robot"}
    assert [names[json.loads(line)["client_ip"]] for line in done.stdout.splitlines()] == found.split()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["hosts", "--verdict", "bad"], "is not one of"),
        (["hosts", "--protocol", "ftp"], "is not one of"),
        (["hosts", "--since", "yesterday"], "is not a day"),
        (["hosts", "--since", "2026-02-30"], "is not a day"),
        (["hosts", "--where", "10.0.0.0/99"], "is not a prefix"),
        (["hosts", "--where", "nonsense/8"], "is not a prefix"),
        (["hosts", "--limit", "0"], "is not in the range"),
        (["hosts", "--format", "xml"], "is not one of"),
        (["hosts", "--fail-on", "doom"], "is not one of"),
        (["sessions", "--protocol", "ftp"], "is not one of"),
        (["sessions", "--since", "1"], "is not a day"),
        (["sessions", "--limit", "many"], "is not a valid integer"),
        (["sessions", "--host", "10.9.9.9"], "no such host"),
        (["explain", "10.9.9.9"], "no such host"),
        (["explain", "10.0.0.1", "--format", "csv"], "no form as CSV"),
        (["export", "names"], "is not one of"),
        (["export", "hosts", "--format", "xls"], "is not one of"),
        (["deadlines", "--format", "x"], "is not one of"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_a_bad_value_is_told_and_ends_with_two(db: Path, arguments: list[str], said: str) -> None:
    done = run(db, *arguments)
    assert done.exit_code == 2
    assert said in done.stderr
    assert not done.stdout


FIELDS = {"hosts": HOSTS.fields, "sessions": SESSIONS.fields, "deadlines": DEADLINES.fields}


@pytest.mark.parametrize("form", ["table", "json", "ndjson", "csv"])
@pytest.mark.parametrize("what", FIELDS)
def test_an_export_has_all_fields_in_every_form(db: Path, tmp_path: Path, what: str, form: str) -> None:
    file = tmp_path / "out"
    assert run(db, "export", what, "--format", form, "-o", str(file)).exit_code == 0
    text = file.read_text("utf-8")
    assert run(db, "export", what, "--format", form).stdout == text
    assert "\x1b" not in text and "\u202e" not in text and "\0" not in text and "\r" not in text
    match form:
        case "json":
            found = json.loads(text)
            assert text == json.dumps(found, indent=2) + "\n"
        case "ndjson":
            found = [json.loads(line) for line in text.splitlines()]
        case "csv":
            found = list(csv.DictReader(io.StringIO(text)))
            assert not [
                cell for row in found for cell in row.values() if cell.startswith(("=", "+", "-", "@"))
            ]
        case _:
            assert "─" in text
            return
    assert found and all(tuple(row) == FIELDS[what] for row in found)


def test_what_is_to_be_done_comes_by_date_with_whose_mailbox_it_is(db: Path, tmp_path: Path) -> None:
    words = ("--usernames", "keep", "--powershell", str(tmp_path / "x.ps1"))
    done = run(db, "remedy", "--format", "json", *words)
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert [(one["verdict"], one["deadline"]) for one in told] == [
        ("broken", "2023-01-01"),
        ("breaks", "2026-12-31"),
    ]
    assert all(tuple(one) == REMEDIES.fields and one["options"] for one in told)
    (box,) = told[1]["mailboxes"]
    assert box["user"] == "scan@example.com"
    text = (tmp_path / "x.ps1").read_text("utf-8-sig")
    assert (tmp_path / "x.ps1").stat().st_mode & 0o777 == 0o600
    assert "Set-CASMailbox -Identity 'scan@example.com' -SmtpClientAuthenticationDisabled $false" in text
    assert "it was $true when the tenant was asked" in text


@pytest.mark.parametrize("form", ["table", "csv", "ndjson"])
def test_what_is_to_be_done_is_told_in_every_form(db: Path, form: str) -> None:
    done = run(db, "remedy", "--format", form, "--limit", "1")
    assert done.exit_code == 0 and "bridge" in done.stdout
    assert "scan@example.com" not in run(db, "remedy", "--format", form).stdout
    assert "\x1b" not in done.stdout and "\u202e" not in done.stdout
    assert "1 of 2 hosts are shown" in done.stderr


def test_a_script_that_cannot_be_written_ends_with_two(db: Path, tmp_path: Path) -> None:
    done = run(db, "remedy", "--powershell", str(tmp_path / "none" / "x.ps1"))
    assert done.exit_code == 2 and "No such file" in done.stderr


def test_an_explanation_shows_the_first_ways_out(db: Path) -> None:
    done = run(db, "explain", "10.0.0.1")
    assert "what to do: Ricoh:" in done.stdout and "\nor: " in done.stdout and "    needs " in done.stdout
    assert (
        json.loads(run(db, "explain", "10.0.0.1", "--format", "json").stdout)["options"][0]["way"] == "oauth"
    )


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        ("hosts --fail-on broken", 10),
        ("remedy --fail-on broken", 10),
        ("explain 10.0.0.1 --fail-on broken", 0),
        ("explain 10.0.0.1 --fail-on breaks", 10),
        ("explain 10.0.0.2 --fail-on unknown", 0),
    ],
)
def test_findings_end_with_ten_where_asked(db: Path, arguments: str, status: int) -> None:
    assert run(db, *arguments.split()).exit_code == status


def test_what_came_off_the_wire_is_whole_in_json_and_defused_in_csv(db: Path) -> None:
    (shown,) = [
        json.loads(line)
        for line in run(db, "export", "sessions").stdout.splitlines()
        if json.loads(line)["client_ip"] == "192.0.2.7"
    ]
    assert shown["evidence"] == HOSTILE.replace("\0", "\ufffd")
    rows = csv.DictReader(io.StringIO(run(db, "export", "sessions", "--format", "csv").stdout))
    (row,) = [row for row in rows if row["client_ip"] == "192.0.2.7"]
    assert row["evidence"].startswith("'=cmd|") and "\\x1b[2J\\u202e\\x0d\\x0a\ufffd" in row["evidence"]
    assert row["username"].startswith("'=cmd|")


@pytest.mark.parametrize("listing", [["hosts"], ["sessions"], ["explain", "192.0.2.7"]], ids=" ".join)
def test_no_control_reaches_a_terminal(db: Path, listing: list[str]) -> None:
    done = run(db, *listing)
    assert done.exit_code == 0
    assert not [c for c in done.output if (ord(c) < 32 and c != "\n") or 127 <= ord(c) < 160 or c == "\u202e"]


@pytest.mark.parametrize("what", ["hosts", "sessions"])
@pytest.mark.parametrize(("form", "empty"), [("json", "[]\n"), ("ndjson", ""), ("csv", None)])
def test_nothing_to_list_is_still_of_its_form(
    tmp_path: Path, what: str, form: str, empty: str | None
) -> None:
    Inventory.open(str(tmp_path / "i.db")).close()
    head = ",".join(FIELDS[what]) + "\n"
    assert run(tmp_path / "i.db", what, "--format", form).stdout == (head if empty is None else empty)


@pytest.mark.parametrize(
    ("ago_s", "said"),
    [
        pytest.param(None, "is unfinished: killed, or still going; what it had", id="a reading"),
        pytest.param(100, "is still going; what it has written by now", id="just told of itself"),
        pytest.param(-100, "is still going; what it has written by now", id="the clock went back"),
        pytest.param(400, "is unfinished: killed, or it cannot write; what it had written by", id="silent"),
    ],
)
def test_a_run_that_has_not_ended_is_told(tmp_path: Path, ago_s: int | None, said: str) -> None:
    now = time.time_ns()
    with Inventory.open(str(tmp_path / "i.db")) as kept:
        number = kept.begin_run("here", ["eth1"], 1)
        if ago_s is not None:
            lost = Hour(now, dropped=3)
            kept.update_run(number, RunTotals(packets=9, dropped=3), now - ago_s * 10**9, [lost])
    done = run(tmp_path / "i.db", "hosts")
    assert f"run 1 of 1970-01-01 00:00 UTC (eth1) {said}" in done.stderr
    assert ("rests on 1 run: 0.0 hours, 9 packets" in done.stderr) == (ago_s is not None)
    assert ("3 packets dropped by the kernel (20" in done.stderr) == (ago_s is not None)


def test_a_sensor_that_was_started_again_had_been_killed(tmp_path: Path) -> None:
    with Inventory.open(str(tmp_path / "i.db")) as kept:
        for _ in range(2):
            kept.update_run(kept.begin_run("here", ["eth1"], 1), RunTotals(), time.time_ns())
    told = run(tmp_path / "i.db", "hosts").stderr.splitlines()
    assert [line.partition("(eth1) ")[2].partition(";")[0] for line in told[:2]] == [
        "is still going", "was killed, or could not write"
    ]  # fmt: skip


@pytest.fixture(scope="module")
def scanned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A mail server that also mails, one that does not, and a printer's page."""
    path = tmp_path_factory.mktemp("scanned") / "i.db"
    with Inventory.open(str(path)) as kept:
        kept.record(kept.begin_run("here", ["a.pcap"], 1), [COPIER])
        run = kept.begin_scan("here", ScanPlan(("10.0.0.0/24",), addresses=254), 1_795_651_200 * 10**9)
        page = bare(host="10.0.0.8", port=80, protocol="http", tls=TlsAccepted("TLSv1", "TLSv1"))
        some = whole(), whole(host="10.0.0.7", banner=HOSTILE, detail=HOSTILE, server_name=HOSTILE), page
        kept.record_services(run, [(one, None) for one in some])
        kept.scan_progress(run, 128, ScanTotals(128, 3, 6), 1_795_651_200 * 10**9)
    return path


def test_a_listing_tells_of_scans(scanned: Path) -> None:
    done = run(scanned, "hosts")
    assert done.exit_code == 0
    assert "10.0.0.7" in done.stdout and "serves submission" in done.stdout and "10.0.0.8" not in done.stdout
    assert "10.0.0.8" in run(scanned, "hosts", "--all").stdout
    told = "scan 2 of 2026-11-26 00:00 UTC (10.0.0.0/24) is unfinished, and 'scan --resume' goes on"
    assert told in done.stderr
    assert "128 of 254 addresses asked" in done.stderr
    assert "1 scan, the last of 2026-11-26 asked 128 addresses, 3 hosts answered" in done.stderr


def test_a_host_has_what_it_offers_in_every_form(scanned: Path) -> None:
    record = json.loads(run(scanned, "hosts", "--where", "10.0.0.1", "--format", "ndjson").stdout)
    (offer,) = record["offers"]
    assert (offer["port"], offer["offered"], len(record["usage"])) == (587, ["LOGIN", "PLAIN"], 1)
    old = json.loads(run(scanned, "explain", "10.0.0.8", "--format", "ndjson").stdout)
    assert [one["rule"] for one in old["offers"][0]["findings"]] == ["ends-below-tls-1-2", "old-web-page"]
    rows = csv.DictReader(io.StringIO(run(scanned, "export", "hosts", "--format", "csv").stdout))
    assert all(json.loads(row["offers"]) for row in rows)


def test_an_explanation_shows_what_a_host_offers(scanned: Path) -> None:
    done = run(scanned, "explain", "10.0.0.7")
    assert "what it offers:\n  10.0.0.7:587  submission, TLSv1 to v1.3; " in done.stdout
    for part in (
        "clear: LOGIN PLAIN", "certificate: mail.example.com, by Example CA, until 2026-09-22, RSA 2048",
        "/Microsoft-Server-ActiveSync: 401, HTTP-Basic HTTP-Negotiate",
        "warn: takes passwords in clear: LOGIN, PLAIN [password-in-clear]", "RFC 8314 3", "greets: =cmd|",
    ):  # fmt: skip
        assert part in done.stdout
    assert not [c for c in done.output if (ord(c) < 32 and c != "\n") or c == "\u202e"]


def test_a_table_is_cut_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scanner.cli.options.TABLE_ROWS", 5)
    with Inventory.open(str(tmp_path / "i.db")) as kept:
        many = [other(client_ip=f"10.0.1.{number}", client_mac=None) for number in range(9)]
        kept.record(kept.begin_run("here", [], 1), many)
    for what, said in (("hosts", "5 of 9 hosts"), ("sessions", "5 of the sessions")):
        done = run(tmp_path / "i.db", what)
        assert (done.stdout.count("10.0.1."), said in done.stderr) == (5, True)
        assert "are shown" not in run(tmp_path / "i.db", what, "--limit", "9").stderr
        assert len(run(tmp_path / "i.db", what, "--format", "ndjson").stdout.splitlines()) == 9


def test_one_explanation_in_json_has_the_host_and_its_sessions(db: Path) -> None:
    record = json.loads(run(db, "explain", "10.0.0.1", "--format", "json").stdout)
    assert tuple(record) == (*HOSTS.fields, "options", "sessions")
    assert [tuple(one) for one in record["sessions"]] == [SESSIONS.fields]


def test_usage_in_a_host_record(db: Path) -> None:
    (record,) = [json.loads(run(db, "hosts", "--where", "10.0.0.1", "--format", "ndjson").stdout)]
    assert list(record["usage"][0]) == [
        "server_name", "server_kind", "server_port", "protocol", "service", "tls_mode", "tls_version",
        "mechanism", "auth_class", "outcome", "basis", "confidence", "first_seen", "last_seen", "sessions",
    ]  # fmt: skip
    assert list(record["reasons"][0]) == ["rule", "text", "source", "basis", "confidence"]
    assert list(record["device"]) == ["vendor", "model", "kind", "confidence", "software", "place"]
    (name,) = record["names"]
    assert (name["name"], name["source"]) == (SEEN.client_name, "smtp.client_name")
    assert list(name) == ["name", "source", "first_seen", "last_seen"]


@pytest.mark.parametrize("sessions", [1, 60], ids=["little", "more than is written at once"])
@pytest.mark.parametrize(
    "arguments", [["hosts"], ["hosts", "--format", "csv"], ["export", "sessions"]], ids=" ".join
)
def test_output_that_goes_nowhere_is_told_in_a_line(
    tmp_path: Path, arguments: list[str], sessions: int
) -> None:
    db = tmp_path / "i.db"
    with Inventory.open(str(db)) as kept:
        number = kept.begin_run("here", ["a.pcap"], 1)
        kept.record(number, [other(client_ip=f"10.0.1.{at}") for at in range(sessions)])
        kept.finish_run(number, RunTotals(), 2)
    command = [sys.executable, "-c", "from scanner.cli import main; main()", "--db", str(db), *arguments]
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            command, stdout=full, stderr=subprocess.PIPE, cwd=ROOT, env=buffered, check=False
        )
    assert done.returncode == 1
    assert len(done.stderr.decode().splitlines()) == 1
    assert "No space left" in done.stderr.decode()
