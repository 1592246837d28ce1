"""``mailsunset import`` as its user runs it: what is told of each file, and what of it shows elsewhere."""

import csv
import json
import os
import stat
from pathlib import Path

import pytest

from db.store import Inventory
from scanner.model import LEASE
from scanner.tenant import SmtpAuth
from tests.scanner.cli.test_commands import mailsunset, records
from tests.scanner.importers.test_lease_files import DNSMASQ
from tests.scanner.importers.test_reading import GRAPH, PORTAL_ROW, table
from tests.scanner.importers.test_sign_ins import PORTAL

MAC = "00:26:73:00:00:01"
DEVICE = "10.20.30.41"
EVIL = "\x1b[31m=1+1\u202e<script>"


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A file of each kind."""
    folder = tmp_path / "files"
    folder.mkdir()
    rows = [{**PORTAL_ROW, "Request ID": str(number)} for number in range(3)]
    (folder / "InteractiveSignIns.csv").write_bytes(table(PORTAL, *rows, between=";").encode("utf-16"))
    (folder / "graph.json").write_text(json.dumps({"value": [GRAPH, {**GRAPH, "userPrincipalName": None}]}))
    (folder / "ApplicationSignIns.csv").write_text(
        "Date (UTC),Request ID,Service principal ID\n2025-12-04T08:19:41Z,1,2\n"
    )
    (folder / "cas.csv").write_text(
        '"PrimarySmtpAddress","SmtpClientAuthenticationDisabled","Mood"\n"a@b","","good"\n"c@d","True",""\n'
    )
    (folder / "clients.csv").write_text("Sender address,Messages sent\na@b,many\na@b,7\n")
    (folder / "dnsmasq.leases").write_text(DNSMASQ)
    return folder


def inventory(home: Path) -> Inventory:
    (kept,) = home.rglob("inventory.db")
    return Inventory.open(str(kept))


def test_files_of_each_kind_are_taken_in_and_twice_is_once(files: Path, tmp_path: Path) -> None:
    paths = sorted(map(str, files.iterdir()))
    keys = ("kind", "rows", "new", "known", "useless", "rejected", "unknown_columns")
    told = records(mailsunset("import", "--format", "ndjson", *paths, home=tmp_path))
    assert [tuple(one[key] for key in keys) for one in told] == [
        ("sign-ins", 1, 0, 0, 1, 0, []),
        ("sign-ins", 3, 3, 0, 0, 0, []),
        ("mailboxes", 2, 2, 0, 0, 0, ["Mood"]),
        ("senders", 2, 1, 0, 0, 1, []),
        ("leases", 4, 2, 0, 1, 1, []),
        ("sign-ins", 2, 1, 0, 0, 1, []),
    ]
    with inventory(tmp_path) as kept:
        first = (list(kept.sign_ins()), kept.mailboxes(), kept.senders(), kept.leases())
        assert [len(part) for part in first] == [4, 2, 1, 2]
        assert kept.mailboxes()["a@b"].smtp_auth is SmtpAuth.INHERITED
        assert {one.field for one in kept.leases()} == {LEASE}
    again = records(mailsunset("import", "--format", "ndjson", *paths, home=tmp_path))
    assert [(one["new"], one["known"]) for one in again] == [
        (0, (one["new"] or 0)) for one in told  # type: ignore[misc]
    ]  # fmt: skip
    with inventory(tmp_path) as kept:
        assert (list(kept.sign_ins()), kept.mailboxes(), kept.senders(), kept.leases()) == first


def test_rows_that_cannot_be_read_are_told_or_written(files: Path, tmp_path: Path) -> None:
    path, rejects = str(files / "clients.csv"), tmp_path / "rejects.csv"
    done = mailsunset("import", path, home=tmp_path)
    assert done.returncode == 0 and f"{path}, line 2: no count: 'many'" in done.stderr.decode()
    (files / "clients.csv").write_text("Sender address,Messages sent\n=cmd,1\n")
    done = mailsunset("import", path, "--rejects", str(rejects), home=tmp_path)
    assert done.returncode == 0 and b"line 2" not in done.stderr
    assert list(csv.reader(rejects.read_text().splitlines())) == [
        ["file", "line", "why", "row"],
        [path, "2", "no mailbox address: '=cmd'", "'=cmd,1\\x0a"],
    ]
    assert stat.S_IMODE(rejects.stat().st_mode) == 0o600


def test_many_such_rows_are_told_in_a_few_lines(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("MAC,Owner\n" + "-,Ann\n" * 5000)
    done = mailsunset("import", str(tmp_path / "a.csv"), home=tmp_path)
    assert len(done.stderr.splitlines()) == 6


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("absent.csv",), 2, "No such file"),
        (("odd.txt",), 2, "not recognised"),
        (("odd.txt", "good.csv"), 1, "not recognised"),
        (("good.csv", "--kind", "senders"), 2, "for senders it lacks a column senderaddress"),
        (("good.csv", "--zone", "Mars/North"), 2, "is not a zone"),
        (("good.csv", "--rejects", "good.csv"), 2, "written over"),
        (("good.csv", "--rejects", "absent/x"), 2, "No such file"),
        (("dates.csv",), 2, "--dates dmy or --dates mdy"),
        (("dates.csv", "--dates", "dmy"), 0, "its times tell no zone, and are taken as UTC"),
    ],
)
def test_what_cannot_be_done_is_told_in_a_line(
    arguments: tuple[str, ...], status: int, said: str, tmp_path: Path
) -> None:
    (tmp_path / "odd.txt").write_text("Dear Sir,\n")
    (tmp_path / "good.csv").write_text("Name,Room\nx,1\n")
    (tmp_path / "dates.csv").write_text("Username,Client app,Date\na@b,SMTP,1/2/2026 08:00\n")
    done = mailsunset("import", *arguments, home=tmp_path, cwd=tmp_path)
    assert (done.returncode, said in done.stderr.decode()) == (status, True), done.stderr
    assert b"Traceback" not in done.stderr
    assert (tmp_path / "good.csv").read_text() == "Name,Room\nx,1\n"


def test_a_zone_moves_times_without_one_even_if_they_were_imported_before(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("Request ID,Username,Client app,Date\n1,a@b,SMTP,25.11.2026 08:00\n")
    times = []
    for arguments in ((), ("--zone", "Europe/Berlin"), ("--zone", "+02:00")):
        done = mailsunset("import", "a.csv", *arguments, home=tmp_path, cwd=tmp_path)
        assert done.returncode == 0 and bool(done.stderr) is not bool(arguments)
        with inventory(tmp_path) as kept:
            times.append([one.at // 3_600_000_000_000 for one in kept.sign_ins()])
    assert [times[0][0] - time for (time,) in times] == [0, 1, 2]


def test_whose_a_host_is_shows_where_it_is_listed_and_as_text(tmp_path: Path) -> None:
    mailsunset("read", "captures/office.pcapng", home=tmp_path)
    host = records(mailsunset("hosts", "--format", "ndjson", home=tmp_path))[0]
    assert host["asset"] is None
    address = host["addresses"][0]  # type: ignore[index]
    with (tmp_path / "list.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("IP", "Owner", "Room", "Note"), (address, EVIL, "cellar", "=1")])
    assert mailsunset("import", str(tmp_path / "list.csv"), home=tmp_path).returncode == 0
    asset = records(mailsunset("hosts", "--format", "ndjson", home=tmp_path))[0]["asset"]
    assert asset == {"owner": EVIL, "place": "cellar", "note": "=1"}
    for arguments in (("hosts",), ("explain", address), ("export", "hosts", "--format", "csv")):
        shown = mailsunset(*arguments, home=tmp_path).stdout.decode()
        assert "cellar" in shown and "\x1b" not in shown and "\u202e" not in shown


def test_a_pipe_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    done = mailsunset("import", str(tmp_path / "pipe"), home=tmp_path)
    assert done.returncode == 2 and b"not a file" in done.stderr
