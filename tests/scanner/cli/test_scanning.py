"""A scan as its user runs it: what is refused, printed, kept, interrupted and gone on with."""

import json
import os
import resource
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from db.store import Inventory

ROOT = Path(__file__).parents[3]
PROGRAM = [sys.executable, "-W", "error", "-c", "from scanner.cli import main; main()"]
HOST = "127.0.0.1"
HINT = "the same command with --resume goes on"
GREETING, OFFER = b"220 mx.example.net ESMTP\r\n", b"250-mx\r\n250 AUTH LOGIN PLAIN\r\n"
LINES = ("--quick", "--format", "ndjson", "--ports")


def started(db: Path, *arguments: str, files: int | None = None) -> subprocess.Popen[str]:
    def fewer() -> None:
        if files:
            resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))

    environment = {key: value for key, value in os.environ.items() if not key.startswith("MAILSUNSET")}
    return subprocess.Popen(
        [*PROGRAM, "--db", str(db), "scan", *arguments], text=True, cwd=ROOT, env=environment,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=fewer,
    )  # fmt: skip


def scan(db: Path, *arguments: str, **how: Any) -> tuple[int, str, list[str]]:
    """The exit status, what is printed, and lines of talk."""
    process = started(db, *arguments, **how)
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err.splitlines()


def records(db: Path, *arguments: str, **how: Any) -> list[dict[str, Any]]:
    status, out, err = scan(db, *arguments, "--quick", "--format", "ndjson", **how)
    assert status == 0, err
    return [json.loads(line) for line in out.splitlines()]


@contextmanager
def serving(talkative: bool = True, host: str = "") -> Iterator[tuple[int, list[socket.socket]]]:
    """A mail server at all addresses, or one that says nothing; gives its port and who called."""
    calls: list[socket.socket] = []

    def serve() -> None:
        with suppress(OSError):
            while True:
                line = listener.accept()[0]
                calls.append(line)
                if talkative:
                    threading.Thread(target=talk, args=(line,), daemon=True).start()

    def talk(line: socket.socket) -> None:
        with suppress(OSError):
            line.sendall(GREETING)
            while said := line.recv(4096):
                line.sendall(OFFER if said.startswith(b"EHLO") else b"221 bye\r\n")

    with socket.create_server((host or "0.0.0.0", 0), backlog=512) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield int(listener.getsockname()[1]), calls
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()
            for line in calls:
                line.close()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "Missing argument"),
        (["8.8.8.8"], "that needs --allow-public"),
        (["10.0.0.0/8"], "need --yes"),
        (["nosuch.invalid"], "no address found"),
        (["127.0.0.1/33"], "not a prefix"),
        (["0.0.0.0"], "not the address of a machine"),
        (["@/nonexistent"], "No such file"),
        (["@/"], "Is a directory"),
        (["@/proc/self/exe"], "not text"),
        ([HOST, "--exclude", "127.0.0.0/8"], "no address is left"),
        ([HOST, "--ports", "0"], "'0' is not a port"),
        ([HOST, "--ports", "65536"], "'65536' is not a port"),
        ([HOST, "--ports", "25-"], "'25-' is not a port"),
        ([HOST, "--ports", "²"], "'²' is not a port"),
        ([HOST, "--ports", "25,,80"], "'' is not a port"),
        ([HOST, "--ports", "80-25"], "0 ports"),
        ([HOST, "--ports", "1-2000"], "2,000 ports"),
        ([HOST, "--ports", "9000-9200"], "9100: printers print"),
        ([HOST, "--rate", "-1"], "not in the range"),
        ([HOST, "--name", "a b"], "not a host name"),
        ([HOST, "--name", "x\r\nMAIL FROM:<a@b>"], "not a host name"),
        ([HOST, "--relay-test", "a@b>\r\nDATA"], "not a mail address"),
        ([HOST, "--resume"], "--resume: the last scan of these targets and ports was finished, or there was"),
        ([HOST, "--diff"], "--diff: no scan of these"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_arguments_touch_nothing(tmp_path: Path, arguments: list[str], said: str) -> None:
    status, out, err = scan(tmp_path / "i.db", *arguments)
    assert (status, out) == (2, "")
    assert err[-1].startswith("Error: ") and said in err[-1]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "asked: 1 address, 12 ports (25 80 110 143 443 465 587 993 995 2525 8080 8443)"),
        (["--ports", "587, 25,25,8000-8002"], "asked: 1 address, 5 ports (587 25 8000 8001 8002)"),
        (["--rate", "0"], "as fast as it goes"),
        (["--rate", "0", "--per-host", "1"], "at most 1 a host"),
        (["--exclude", "127.0.0.2", "127.0.0.2"], "excluded: 1 address"),
    ],
)
def test_a_dry_run_tells_what_it_would_do_and_touches_nothing(
    tmp_path: Path, arguments: list[str], said: str
) -> None:
    with serving() as (port, calls):
        status, out, err = scan(tmp_path / "i.db", HOST, *arguments, "--dry-run")
        assert (status, out, calls) == (0, "", []), port
    assert [line for line in err if line.startswith(said)]
    assert not list(tmp_path.iterdir())


def test_what_a_server_offers_is_printed_and_kept(tmp_path: Path) -> None:
    db = tmp_path / "i.db"
    with serving(host=HOST) as (port, _):
        (found,) = records(db, HOST, "--ports", str(port))
        assert (found["outcome"], found["protocol"]) == ("answered", "smtp")
        assert (found["offered"], found["server_name"]) == (["LOGIN", "PLAIN"], "mx.example.net")
        status, out, err = scan(db, HOST, "--ports", f"{port},1", "--quick")
    assert status == 0
    assert err[-3:] == [
        "1 address asked, 1 host answered; 2 ports: 1 refused, 1 answered",
        "taken for nothing known: 1",
        "hosts with lan-relay: 1, no-starttls: 1, password-in-clear: 1",
    ]
    assert str(port) in out and "refused" not in out
    with Inventory.open(str(db)) as kept:
        assert [one.port for one in kept.scan_services(2)] == [1, port]


def test_a_name_is_asked_by_its_name(tmp_path: Path) -> None:
    with serving() as (port, _):
        found = records(tmp_path / "i.db", "localhost", "--ports", str(port), "--name", "audit.example.com")
    assert HOST in {one["host"] for one in found if one["outcome"] == "answered"}


def test_few_files_are_enough(tmp_path: Path) -> None:
    with serving() as (port, _):
        found = records(tmp_path / "i.db", "127.0.0.0/25", "--ports", str(port), "--rate", "0", files=40)
    assert [one["outcome"] for one in found] == ["answered"] * 126


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_who_is_interrupted_keeps_what_was_found_and_goes_on(tmp_path: Path, number: int) -> None:
    db, words = tmp_path / "i.db", ("127.0.0.0/26", "--rate", "40", "--quick", "--format", "ndjson")
    with serving() as (port, calls):
        process = started(db, *words, "--ports", str(port))
        assert process.stdout
        first = process.stdout.readline()
        time.sleep(0.5)
        process.send_signal(number)
        out, err = process.communicate(timeout=20)
        assert process.returncode == 1, err
        assert HINT in err.splitlines()[-1]
        assert "Traceback" not in err
        before = [json.loads(line)["host"] for line in [first, *out.splitlines()]]
        assert 0 < len(before) < 62
        status, out, talk = scan(db, *words, "--ports", str(port), "--resume")
        after = [json.loads(line)["host"] for line in out.splitlines()]
    assert (status, not [line for line in talk if "goes on at address" in line]) == (0, False)
    assert sorted(before + after) == sorted(f"127.0.0.{number}" for number in range(1, 63))
    assert len(calls) < 62 + 10, "nobody is asked twice but who was being asked"


def test_an_interruption_waits_for_nobody(tmp_path: Path) -> None:
    with serving(talkative=False) as (port, calls):
        process = started(tmp_path / "i.db", "127.0.0.0/28", "--rate", "0", "--ports", str(port))
        while len(calls) < 14:
            time.sleep(0.01)
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20)
    assert (process.returncode, time.monotonic() - began < 3) == (1, True)
    assert HINT in err.splitlines()[-1]


def test_a_reader_that_goes_ends_it_in_silence(tmp_path: Path) -> None:
    with serving() as (port, _):
        process = started(tmp_path / "i.db", "127.0.0.0/26", "--rate", "50", *LINES, str(port))
        assert process.stdout and process.stderr
        process.stdout.readline()
        process.stdout.close()
        err = process.stderr.read()
        process.wait(20)
        process.stderr.close()
    assert "Traceback" not in err


FULL = """
mount -t tmpfs -o size=400k none "$1" && shift && "$@" || { status=$?; exit $status; }
"""


def test_a_full_disk_is_told_in_a_line_and_what_was_found_is_printed(tmp_path: Path) -> None:
    with serving() as (port, _):
        done = subprocess.run(
            ["unshare", "-Urm", "sh", "-c", FULL, "sh", str(tmp_path), *PROGRAM, "--db",
             str(tmp_path / "i.db"), "scan", "127.0.0.0/22", "--rate", "0", *LINES, str(port)],
            capture_output=True, text=True, cwd=ROOT, timeout=60, check=False,
        )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert "full" in done.stderr.splitlines()[-1]
    assert done.stdout


def test_records_come_while_it_goes_on(tmp_path: Path) -> None:
    with serving() as (port, _):
        process = started(tmp_path / "i.db", "127.0.0.0/27", "--rate", "5", *LINES, str(port))
        assert process.stdout
        assert select.select([process.stdout], [], [], 5)[0]
        assert process.poll() is None
        process.kill()
        process.communicate()
