"""The command that serves: from a real inventory, to who may see it, until it is told to stop."""

import http.client
import json
import signal
import socket
import sqlite3
import stat
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import date
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from click.testing import CliRunner, Result

from db.store import Inventory
from scanner.cli import root
from scanner.cli.commands import serve
from scanner.cli.serving import news, source
from scanner.cli.settings import Settings
from scanner.model import Level, Verdict
from scanner.report.languages import Language
from tests.db.samples import filled, other
from tests.served import Served, add, served

DAY = date(2026, 11, 24)
TOKEN = "a token of sixteen or more"
ENGLISH = Language("en")
SECOND = other(client_ip="10.0.0.2", client_mac=None, client_name="nas", first_seen=9)


@pytest.fixture
def db(tmp_path: Path) -> Path:
    filled(tmp_path / "i.db", other()).close()
    return tmp_path / "i.db"


def run(db: Path, *arguments: str) -> Result:
    return CliRunner().invoke(root, ["--db", str(db), "serve", *arguments])


@contextmanager
def asked(
    to: Served, path: str = "/", method: str = "GET", **headers: str
) -> Iterator[http.client.HTTPResponse]:
    connection = http.client.HTTPConnection("127.0.0.1", urlsplit(to.link).port or 0, timeout=30)
    with closing(connection):
        connection.request(method, path, headers=headers)
        with connection.getresponse() as answer:
            yield answer


def status(to: Served, path: str = "/", method: str = "GET", **headers: str) -> int:
    with asked(to, path, method, **headers) as answer:
        return answer.status


def test_what_is_asked_for_is_made_of_the_inventory(db: Path) -> None:
    settings = Settings.of(str(db), DAY, {})
    with Inventory.open(str(db), read_only=True) as kept, kept.marks() as mark:
        made = source(kept, mark, settings, DAY, ENGLISH, None)
        assert json.loads(made.news())["headline"] == ["1 device breaks on 31 December 2026"]
        state = json.loads(made.news())["state"]
        assert f'data-state="{state}"' in made.page().decode()
        assert [host["host"] for host in json.loads(made.document())["hosts"]] == ["00:26:73:00:00:01"]
        for name in ("00-26-73-00-00-01", "10.0.0.1"):
            assert (made.host(name) or {})["verdict"] == "breaks"
        assert made.host("nobody") is None
        before = made.mark()
        assert made.mark() == before
        add(db, [SECOND])
        assert made.mark() != before
        assert json.loads(made.news())["hosts"] == 2


def test_without_a_day_of_the_users_own_it_is_judged_as_of_each_new_day(db: Path) -> None:
    settings = Settings.of(str(db), date(2020, 1, 1), {})
    with Inventory.open(str(db)) as kept, kept.marks() as mark:
        asked = source(kept, mark, settings, date(2020, 1, 1), ENGLISH, None)
        today = source(kept, mark, settings, None, ENGLISH, None)
        assert '"as_of": "2020-01-01"' in asked.document().decode()
        assert json.loads(today.document())["as_of"] >= "2026-11-24"
        assert asked.mark() != today.mark()


def test_the_same_counts_are_no_news() -> None:
    breaks, fine = Verdict(Level.BREAKS, DAY, ()), Verdict(Level.FINE, None, ())
    one = news([breaks, fine], DAY, ENGLISH)
    assert "\n" not in one
    assert news([fine, breaks], DAY, ENGLISH) == one
    states = {json.loads(news(some, DAY, ENGLISH))["state"] for some in ([], [fine], [fine, fine], [breaks])}
    assert len(states) == 4
    assert json.loads(news([fine] * 1234, DAY, ENGLISH))["levels"]["fine"] == "1,234"


def test_it_is_served_to_this_machine_without_a_token_and_under_its_names_only(db: Path) -> None:
    with served(db) as to:
        assert "token" not in to.link
        with asked(to) as answer:
            assert (answer.status, answer.headers["server"]) == (200, None)
            assert b"1 device breaks on 31 December 2026" in answer.read()
            assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
            assert "connect-src 'self'" in answer.headers["content-security-policy"]
        assert status(to, "/hosts/10.0.0.1") == 200
        assert status(to, Host="evil.example") == 421
        assert status(to, method="POST") == 405
        assert to.ended(signal.SIGTERM) == (0, "")


def test_the_network_needs_the_token_that_was_written_once(db: Path) -> None:
    with served(db, "--bind", "0.0.0.0:0") as to:
        (token,) = parse_qs(urlsplit(to.link).query)["token"]
        assert len(token) >= 32
        assert status(to) == 401
        with asked(to, f"/?token={token}") as answer:
            cookie = answer.headers["set-cookie"].partition(";")[0]
        assert status(to, Cookie=cookie) == 200
        assert status(to, "/hosts.json", Authorization=f"Bearer {token}") == 200
        assert to.ended(signal.SIGTERM) == (0, "")


def test_a_token_of_the_users_own_is_asked_for_everywhere_and_never_written(db: Path) -> None:
    with served(db, token=TOKEN) as to:
        assert TOKEN not in to.link
        assert status(to) == 401
        assert status(to, Authorization=f"Bearer {TOKEN}") == 200
        assert status(to, "/?token=a+token+of+sixteen+or+more") == 200
        assert to.ended(signal.SIGINT) == (0, "")


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_at_once_though_somebody_listens(db: Path, how: signal.Signals) -> None:
    with served(db) as to, asked(to, "/events") as answer:
        assert (answer.status, answer.readline()) == (200, b"retry: 5000\n")
        began = time.monotonic()
        assert to.ended(how) == (0, "")
        assert time.monotonic() - began < 10


def test_who_talks_no_http_is_not_worth_a_word(db: Path) -> None:
    with served(db) as to:
        for noise in (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc", b"EHLO x\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n"):
            with socket.create_connection(("127.0.0.1", urlsplit(to.link).port), timeout=30) as line:
                line.sendall(noise)
                line.shutdown(socket.SHUT_WR)
                assert b"400" in line.recv(4096) or noise[:1] == b"\x16"
        assert status(to) == 200
        assert to.ended(signal.SIGTERM) == (0, "")


def test_listeners_hear_what_another_process_writes(db: Path) -> None:
    heard: list[dict[str, object]] = []
    with served(db) as to:
        with asked(to, "/events") as answer:
            while len(heard) < 2:
                line = answer.readline()
                assert line
                if line.startswith(b"data: "):
                    heard.append(json.loads(line[6:]))
                    add(db, [SECOND])
        assert [one["hosts"] for one in heard] == [1, 2]
        with asked(to) as answer:
            assert b"2 devices break" in answer.read()


def test_nothing_that_is_asked_changes_the_inventory(db: Path) -> None:
    with closing(sqlite3.connect(db)) as before:
        whole = list(before.iterdump())
    with served(db) as to:
        for path in ("/", "/hosts.json", "/hosts/copier", "/device/copier"):
            assert status(to, path) in (200, 303)
        with closing(sqlite3.connect(db)) as after:
            assert list(after.iterdump()) == whole
    assert stat.S_IMODE(db.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("bind", "why"),
    [
        ("8080", "is not an address and a port like 127.0.0.1:8080"),
        (":8080", "is not an address and a port like 127.0.0.1:8080"),
        ("127.0.0.1:http", "is not an address and a port like 127.0.0.1:8080"),
        ("127.0.0.1:65536", "is not an address and a port like 127.0.0.1:8080"),
        ("127.0.0.1:-1", "is not an address and a port like 127.0.0.1:8080"),
        ("127.0.0.1:²", "is not an address and a port like 127.0.0.1:8080"),
        ("192.0.2.1:8080", "192.0.2.1, port 8080: "),
        ("nobody.invalid:8080", "nobody.invalid, port 8080: "),
        ("x" * 300 + ".example:1", "port 1: "),
        ("a..b:1", "port 1: "),
    ],
)
def test_a_place_where_it_cannot_listen_is_told_in_a_line(db: Path, bind: str, why: str) -> None:
    done = run(db, "--bind", bind)
    assert done.exit_code == 2
    assert done.stderr.count("\n") == 1
    assert why in done.stderr


def test_a_port_in_use_is_told_in_a_line(db: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other_server:
        port = other_server.getsockname()[1]
        done = run(db, "--bind", f"127.0.0.1:{port}")
    assert (done.exit_code, done.stderr) == (
        2, f"Error: --bind: 127.0.0.1, port {port}: Address already in use\n"
    )  # fmt: skip


def test_a_token_that_can_be_guessed_is_none(db: Path) -> None:
    done = run(db, "--token", "secret")
    assert (done.exit_code, done.stderr) == (2, "Error: --token: a token has 16 characters or more\n")


def test_there_is_nothing_to_serve_before_something_was_read(tmp_path: Path) -> None:
    done = run(tmp_path / "none.db")
    assert done.exit_code == 2
    assert "there is no inventory yet" in done.stderr
    assert not (tmp_path / "none.db").exists()


def test_a_locked_inventory_is_told_in_a_line(db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "BUSY_MS", 50)
    with closing(sqlite3.connect(db, isolation_level=None)) as lock:
        lock.execute("PRAGMA journal_mode = DELETE")
        lock.execute("BEGIN EXCLUSIVE")
        done = run(db)
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert "database is locked" in done.stderr
