"""The program as its user runs it: commands, exit statuses, goldens, and nothing secret anywhere."""

import csv
import io
import json
import os
import select
import stat
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage

import pytest
from packets import C, Connection, S, pcap

ROOT = Path(__file__).parents[3]
OFFICE = ROOT / "captures" / "office.pcapng"
GOLDEN = ROOT / "tests" / "golden"
SECRET = b"sample-secret"


def mailsunset(
    *arguments: str, home: Path, data: bytes = b"", cwd: Path | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run the program with a home of its own."""
    environment = {
        key: value for key, value in os.environ.items() if not key.startswith(("XDG", "MAILSUNSET"))
    }
    environment |= {"HOME": str(home), "TZ": "America/New_York"}
    command = [sys.executable, "-c", "from scanner.cli import main; main()", *arguments]
    return subprocess.run(
        command, capture_output=True, env=environment, input=data, timeout=120, check=False, cwd=cwd or ROOT
    )


def records(done: subprocess.CompletedProcess[bytes]) -> list[dict[str, object]]:
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose inventory holds the sample."""
    home = tmp_path_factory.mktemp("home")
    done = mailsunset("read", "--sensor", "mirror", "captures/office.pcapng", home=home)
    assert done.returncode == 0, done.stderr
    return home


def test_the_sample_gives_its_golden_records(tmp_path: Path) -> None:
    done = mailsunset(
        "read", "--no-db", "--sensor", "mirror", "--format", "ndjson", "captures/office.pcapng", home=tmp_path
    )
    assert done.stdout.decode() == (GOLDEN / "office.ndjson").read_text()
    assert not list(tmp_path.rglob("*.db"))


def test_the_sample_gives_its_golden_hosts(office: Path) -> None:
    done = mailsunset("--as-of", "2026-11-24", "hosts", "--format", "ndjson", home=office)
    assert done.stdout.decode() == (GOLDEN / "office.hosts.ndjson").read_text()


def test_the_lan_gives_its_golden_hosts(tmp_path: Path) -> None:
    """Names, devices, a router, and who hides behind which relay."""
    assert mailsunset("read", "--sensor", "mirror", "captures/lan.pcapng", home=tmp_path).returncode == 0
    done = mailsunset("--as-of", "2026-11-25", "hosts", "--all", "--format", "ndjson", home=tmp_path)
    assert done.stdout.decode() == (GOLDEN / "lan.hosts.ndjson").read_text()


def test_what_was_read_is_what_is_listed(office: Path) -> None:
    listed = records(mailsunset("sessions", "--format", "ndjson", home=office))
    golden = [json.loads(line) for line in (GOLDEN / "office.ndjson").read_text().splitlines()]
    assert sorted(listed, key=str) == sorted(golden, key=str)


def test_the_inventory_is_private(office: Path) -> None:
    (kept,) = office.rglob("*.db")
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_a_second_reading_adds_nothing(office: Path) -> None:
    before = mailsunset("hosts", "--format", "ndjson", home=office).stdout
    mailsunset("read", "captures/office.pcapng", home=office)
    assert mailsunset("hosts", "--format", "ndjson", home=office).stdout == before


@pytest.mark.parametrize(
    "arguments",
    [
        ["read", "--usernames", "keep", "--format", "ndjson", "captures/office.pcapng"],
        ["read", "--usernames", "keep", "--format", "csv", "captures/office.pcapng"],
        ["hosts"],
        ["sessions"],
        ["explain", "10.20.0.34"],
        ["explain", "backup01", "--format", "json"],
        ["export", "sessions"],
        ["export", "hosts", "--format", "csv"],
    ],
    ids=" ".join,
)
def test_no_output_holds_a_secret(office: Path, arguments: Sequence[str]) -> None:
    done = mailsunset(*arguments, home=office)
    assert done.returncode == 0
    for shown in (done.stdout, done.stderr):
        assert SECRET not in shown
        assert b"c2FtcGxlLXNlY3JldC" not in shown


def test_no_file_of_the_inventory_holds_a_secret(office: Path) -> None:
    mailsunset("read", "--usernames", "keep", "captures/office.pcapng", home=office)
    kept = [file for file in office.rglob("*") if file.is_file()]
    assert kept
    assert not [file for file in kept if SECRET in file.read_bytes()]


def test_user_names_are_masked_unless_asked(tmp_path: Path) -> None:
    names = {
        choice: {
            str(record["username"])
            for record in records(
                mailsunset(
                    "read", "--no-db", "--format", "ndjson", "--usernames", choice, str(OFFICE), home=tmp_path
                )
            )
        }
        for choice in ("keep", "mask", "drop")
    }
    assert names["keep"] == {"None", "backup", "ann@example.com", "bob@example.com"}
    assert names["mask"] == {"None", "b***", "a***@example.com", "b***@example.com"}
    assert names["drop"] == {"None"}


@pytest.mark.parametrize("form", ["table", "json", "ndjson", "csv"])
@pytest.mark.parametrize("listing", [["hosts"], ["sessions"], ["deadlines"], ["read", str(OFFICE)]], ids=str)
def test_every_listing_has_every_form(office: Path, listing: list[str], form: str) -> None:
    shown = mailsunset(*listing, "--format", form, home=office).stdout.decode()
    match form:
        case "json":
            assert isinstance(json.loads(shown), list)
        case "ndjson":
            assert all(json.loads(line) for line in shown.splitlines())
        case "csv":
            assert len(list(csv.reader(io.StringIO(shown)))) > 1
        case _:
            assert "───" in shown


@pytest.mark.parametrize(
    ("filters", "hosts"),
    [
        (["--verdict", "broken"], {"10.20.0.33", "10.20.0.34"}),
        (["--protocol", "pop3"], {"10.20.0.34"}),
        (["--mechanism", "PLAIN"], {"10.20.0.32"}),
        (["--vendor", "ricoh"], {"10.20.0.31", "10.20.0.110"}),
        (["--where", "backup"], {"10.20.0.32"}),
        (["--where", "192.0.2.0/24"], set()),
        (["--since", "2100-01-01"], set()),
    ],
    ids=str,
)
def test_hosts_are_filtered(office: Path, filters: list[str], hosts: set[str]) -> None:
    found = records(mailsunset("hosts", "--format", "ndjson", *filters, home=office))
    addresses = [record["addresses"] for record in found]
    assert {address for group in addresses if isinstance(group, list) for address in group} == hosts


def test_another_day_gives_another_verdict(office: Path, tmp_path: Path) -> None:
    done = mailsunset(
        "--as-of", "2022-06-01", "hosts", "--where", "10.20.0.34", "--format", "ndjson", home=office
    )
    assert records(done)[0]["verdict"] == "breaks"


def test_an_explanation_names_what_it_rests_on(office: Path) -> None:
    shown = mailsunset("explain", "10.20.0.34", home=office).stdout.decode()
    for part in (
        "broken, 2023-01-01",
        "rests on: seen",
        "source: https://",
        "USERPASS refused (basic-disabled)",
    ):
        assert part in shown


def test_an_export_goes_to_a_private_file(office: Path, tmp_path: Path) -> None:
    file = tmp_path / "hosts.csv"
    assert mailsunset("export", "hosts", "--format", "csv", "-o", str(file), home=office).returncode == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.read_text().startswith("host,")


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["read", "none.pcap"], 2, "none.pcap: no such file"),
        (["read"], 2, "Missing argument"),
        (["read", "--endpoint", "a b", "captures/office.pcapng"], 2, "neither a name"),
        (["read", "--catalogue", "none.toml", "captures/office.pcapng"], 2, "none.toml"),
        (["read", "--retirement", "README.md", "captures/office.pcapng"], 2, "not a table of dates"),
        (["--as-of", "tomorrow", "deadlines"], 2, "is not a day"),
        (["--config", "none.toml", "deadlines"], 2, "no such file"),
        (["--db", "/", "hosts"], 2, "cannot be read"),
        (["--db", "none.db", "hosts"], 2, "no inventory yet"),
        (["explain", "nobody"], 2, "no such host"),
        (["sessions", "--host", "nobody"], 2, "no such host"),
        (["explain", "10.20.0.34", "--format", "csv"], 2, "no form as CSV"),
        (["export", "hosts", "-o", "/none/x"], 2, "No such file"),
        (["nonsense"], 2, "No such command"),
        (["hosts", "--fail-on", "broken"], 10, ""),
        (["hosts", "--verdict", "fine", "--fail-on", "broken"], 0, ""),
        (["read", "captures/office.pcapng", "--fail-on", "review"], 10, "226 packets"),
        (["read", "README.md", "captures/office.pcapng"], 1, "README.md"),
        (["--version"], 0, ""),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_exit_statuses(office: Path, arguments: list[str], status: int, said: str) -> None:
    done = mailsunset(*arguments, home=office)
    assert done.returncode == status, done.stderr
    assert said in done.stderr.decode()
    assert "Traceback" not in done.stderr.decode()


def test_a_file_cut_short_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    (tmp_path / "cut.pcapng").write_bytes(OFFICE.read_bytes()[:20_000])
    done = mailsunset(
        "read", "--no-db", "--format", "ndjson", str(tmp_path / "cut.pcapng"), str(OFFICE), home=tmp_path
    )
    assert done.returncode == 1
    assert done.stderr.decode().count("cut.pcapng") == 1
    captures = [json.loads(line)["capture"] for line in done.stdout.splitlines()]
    assert captures.count(str(OFFICE)) == 8
    assert 0 < captures.count(str(tmp_path / "cut.pcapng")) < 8


def test_what_comes_through_a_pipe_is_told_as_it_comes(tmp_path: Path) -> None:
    talk = Connection(server=("192.0.2.1", 110)).open()
    talk.say(
        (S, b"+OK ready\r\n"), (C, b"USER ann\r\n"), (S, b"+OK\r\n"), (C, b"PASS x\r\n"), (S, b"+OK\r\n")
    )
    command = [sys.executable, "-c", "from scanner.cli import main; main()", "read", "--no-db"]
    with subprocess.Popen(
        [*command, "--format", "ndjson", "-"],
        cwd=ROOT, env=os.environ | {"HOME": str(tmp_path)},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(pcap(talk.close().packets))
        process.stdin.flush()
        told, _, _ = select.select([process.stdout], [], [], 60)
        assert told, "nothing was told while the pipe was open"
        assert json.loads(process.stdout.readline())["mechanism"] == "USERPASS"
        process.stdin.close()
        assert process.wait(60) == 0


def test_a_pipe_is_a_capture(tmp_path: Path) -> None:
    done = mailsunset("read", "--no-db", "--format", "ndjson", "-", home=tmp_path, data=OFFICE.read_bytes())
    assert len(records(done)) == 8


def test_a_directory_is_its_captures(tmp_path: Path) -> None:
    (tmp_path / "week" / "monday").mkdir(parents=True)
    (tmp_path / "week" / "monday" / "a.pcapng").write_bytes(OFFICE.read_bytes())
    (tmp_path / "week" / "notes.txt").write_text("no capture")
    assert (
        len(
            records(
                mailsunset("read", "--no-db", "--format", "ndjson", str(tmp_path / "week"), home=tmp_path)
            )
        )
        == 8
    )


def test_an_endpoint_of_the_user_is_exchange_online(tmp_path: Path) -> None:
    done = mailsunset(
        "read", "--no-db", "--format", "ndjson", "--endpoint", "10.20.0.25", str(OFFICE), home=tmp_path
    )
    kinds = {record["server_kind"] for record in records(done) if record["server_ip"] == "10.20.0.25"}
    assert kinds == {"exchange-online"}


def test_the_users_file_is_heard(tmp_path: Path) -> None:
    config = tmp_path / ".config" / "mailsunset" / "config.toml"
    config.parent.mkdir(parents=True)
    config.write_text(f'sensor = "roof"\nendpoint = ["10.20.0.25"]\ndb = "{tmp_path}/kept.db"\n')
    assert mailsunset("read", str(OFFICE), home=tmp_path).returncode == 0
    found = records(mailsunset("sessions", "--format", "ndjson", home=tmp_path))
    assert {record["sensor"] for record in found} == {"roof"}
    assert (tmp_path / "kept.db").exists()
    config.write_text("= broken")
    assert mailsunset("deadlines", home=tmp_path).returncode == 2


@pytest.mark.parametrize("arguments", [["--help"], ["hosts"], ["deadlines"], ["--version"]], ids=" ".join)
def test_commands_that_read_no_capture_start_fast(office: Path, arguments: list[str]) -> None:
    """In CPU time, as a ratio to the interpreter's own start, for machines differ and are busy."""

    def spent(*command: str) -> float:
        began = getrusage(RUSAGE_CHILDREN)  # os.times() counts in hundredths of a second
        subprocess.run(
            command, capture_output=True, check=True, env={**os.environ, "HOME": str(office)}, cwd=ROOT
        )
        ended = getrusage(RUSAGE_CHILDREN)
        return ended.ru_utime + ended.ru_stime - began.ru_utime - began.ru_stime

    bare = min(spent(sys.executable, "-c", "import sqlite3, json, dataclasses") for _ in range(3))
    ours = min(
        spent(sys.executable, "-c", "from scanner.cli import main; main()", *arguments) for _ in range(3)
    )
    assert ours < bare * 20
