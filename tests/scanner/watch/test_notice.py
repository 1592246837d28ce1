"""Findings as a webhook and a log get them: who is meant, what is said, and nothing hostile in it."""

from __future__ import annotations

import json
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.model import Basis, Device, Heard, Host, Level, Reason, Verdict
from scanner.watch import notice
from scanner.watch.notice import TEXT_BYTES, Finding, destination

NOW = 1_790_000_000_000_000_000
LINE = re.compile(rb"<(\d+)>1 (\S+) (\S+) mailsunset \d+ finding - ([^\x00-\x1f\x7f]*)")
"""RFC 5424 6, with a message of one line."""


def finding(name: str = "copier", level: Level = Level.BREAKS, text: str = "SMTP with LOGIN") -> Finding:
    label = Heard("smtp.client_name", name, 0, NOW)
    device = Device("Ricoh", "IM C3000", "printer", 0.9)
    host = Host("00:26:73:00:00:01", ("10.0.0.1",), None, None, (label,), False, 0, NOW, (), device=device)
    end = date(2026, 12, 31)
    reason = Reason("smtp-auth", level, text, "", Basis.SEEN, 0.9, end)
    return Finding(host, Verdict(level, end, (reason,)), "sensor", NOW)


class Hook(HTTPServer):
    """A webhook on loopback that answers as it is told to."""

    def __init__(self, status: int = 204, stall_s: float = 0.0) -> None:
        self.status, self.got = status, list[tuple[str, str | None, Any]]()
        self.stalled = threading.Event()
        self.stall_s = stall_s
        super().__init__(("127.0.0.1", 0), _Post)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook?key=secret"


class _Post(BaseHTTPRequestHandler):
    server: Hook

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.stalled.wait(self.server.stall_s)
        self.server.got.append((self.path, self.headers["Content-Type"], json.loads(body)))
        self.send_response(self.server.status)
        self.send_header("Location", "/elsewhere")
        self.end_headers()

    def do_GET(self) -> None:
        raise AssertionError("it was not to go elsewhere")

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving(**how: Any) -> Iterator[Hook]:
    hook = Hook(**how)
    thread = threading.Thread(target=hook.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield hook
    finally:
        hook.stalled.set()
        hook.shutdown()
        thread.join()
        hook.server_close()


@contextmanager
def log(family: int, place: Any) -> Iterator[socket.socket]:
    with socket.socket(family, socket.SOCK_DGRAM) as heard:
        heard.bind(place)
        heard.settimeout(10)
        yield heard


def test_a_webhook_gets_the_finding_as_json() -> None:
    with serving() as hook:
        destination(hook.url).tell(finding())
    ((path, form, body),) = hook.got
    assert (path, form) == ("/hook?key=secret", "application/json")
    assert body["event"] == "finding" and body["sensor"] == "sensor" and body["verdict"] == "breaks"
    assert body["addresses"] == ["10.0.0.1"] and body["deadline"] == "2026-12-31"
    assert body["text"] == (
        "breaks on 2026-12-31: 00:26:73:00:00:01, 10.0.0.1, copier, Ricoh IM C3000, printer: "
        "SMTP with LOGIN (smtp-auth)"
    )


@pytest.mark.parametrize("status", [302, 307, 400, 404, 429, 500])
def test_another_answer_is_a_fault_without_the_key_in_it(status: int) -> None:
    with serving(status=status) as hook, pytest.raises(OSError, match=f"answered {status}") as told:
        destination(hook.url).tell(finding())
    assert "secret" not in str(told.value) + destination(hook.url).name
    assert len(hook.got) == 1


def test_a_dead_or_slow_webhook_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        dead = destination(f"http://127.0.0.1:{taken.getsockname()[1]}/")
    with pytest.raises(OSError):
        dead.tell(finding())
    monkeypatch.setattr(notice, "TIMEOUT_S", 0.1)
    with serving(stall_s=30) as hook, pytest.raises(OSError, match="timed out"):
        destination(hook.url).tell(finding())


def test_what_speaks_no_http_is_a_fault() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:

        def answer() -> None:
            link, _ = other.accept()
            with link:
                link.recv(65536)
                link.sendall(b"220 mail.example.com ESMTP\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(OSError, match="does not speak HTTP"):
            destination(f"http://127.0.0.1:{other.getsockname()[1]}/").tell(finding())
        thread.join()


@pytest.mark.parametrize("level", [Level.BROKEN, Level.BREAKS, Level.REVIEW])
def test_a_log_gets_a_line_by_udp(level: Level) -> None:
    with log(socket.AF_INET, ("127.0.0.1", 0)) as heard:
        destination(f"syslog:127.0.0.1:{heard.getsockname()[1]}").tell(finding(level=level))
        got = LINE.fullmatch(heard.recv(65536))
    assert got and got[2] == b"2026-09-21T14:13:20.000000Z" and got[4].startswith(level.encode())
    assert int(got[1]) == {Level.BROKEN: 27, Level.BREAKS: 28, Level.REVIEW: 29}[level]


def test_a_log_gets_a_line_by_a_socket_here(tmp_path: Path) -> None:
    with log(socket.AF_UNIX, str(tmp_path / "log")) as heard:
        destination(f"syslog:{tmp_path}/log").tell(finding())
        assert LINE.fullmatch(heard.recv(65536))
    with pytest.raises(OSError):
        destination(f"syslog:{tmp_path}/none").tell(finding())


def test_this_machines_own_log_gets_a_line_as_programs_here_write_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notice, "LOCAL_LOG", str(tmp_path / "log"))
    with log(socket.AF_UNIX, str(tmp_path / "log")) as heard:
        destination("syslog").tell(finding())
        got = heard.recv(65536)
    assert re.fullmatch(rb"<28>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d mailsunset\[\d+\]: breaks on .*", got)


HOSTILE = [
    "x\n<9>1 - - su - - -", "\x1b[2J", "\u202e", "\0", "\ud800", "<!channel>", "@all", "[a](http://b)",
    "\u00fc" * 2000,
]  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_stay_in_their_line(name: str, tmp_path: Path) -> None:
    with log(socket.AF_UNIX, str(tmp_path / "log")) as heard, serving() as hook:
        destination(f"syslog:{tmp_path}/log").tell(finding(name, text=name))
        line = heard.recv(65536)
        destination(hook.url).tell(finding(name, text=name))
    assert LINE.fullmatch(line) and line.decode()
    ((_, _, body),) = hook.got
    assert body["names"][0]["name"] == name
    assert not re.search(r"[<>@\[\]`|*&\x00-\x1f\u202e]", body["text"])


@given(st.text(), st.text())
def test_any_text_makes_a_short_line(name: str, text: str) -> None:
    told = finding(name, text=text).text
    assert len(told.encode()) <= TEXT_BYTES and len(told.splitlines()) == 1
    json.dumps(finding(name, text=text).record).encode()


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("https://hooks.example.com/T0/secret", "the webhook at hooks.example.com"),
        ("http://[::1]:8080/", "the webhook at ::1"),
        ("syslog", "syslog at /dev/log"),
        ("syslog:", "syslog at /dev/log"),
        ("syslog:/run/log", "syslog at /run/log"),
        ("syslog:10.0.0.1", "syslog at 10.0.0.1"),
        ("syslog:log.example.com:1514", "syslog at log.example.com:1514"),
        ("syslog:::1", "syslog at ::1"),
        ("syslog:[::1]:514", "syslog at [::1]:514"),
    ],
)
def test_who_is_meant(text: str, name: str) -> None:
    assert destination(text).name == name


@pytest.mark.parametrize(
    "text",
    [
        "", "ftp://example.com", "https://", "https:///hook", "https://user:secret@example.com/", "syslogd",
        "https://example.com:99999/", "https://ex\u00e4mple.com/", "syslog:10.0.0.1:0", "syslog:10.0.0.1:x",
        "syslog::514", "syslog:10.0.0.1:70000", "file:///etc/passwd", "http://example.com/a b\r\nX: y",
    ],
)  # fmt: skip
def test_what_means_nobody_is_refused(text: str) -> None:
    with pytest.raises(ValueError) as told:
        destination(text)
    assert "secret" not in str(told.value)
