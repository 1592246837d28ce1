"""With keys, what is inside TLS is read by way of tshark, as if it had crossed in clear."""

from __future__ import annotations

import json
import os
import shutil
import ssl
import subprocess
import sys
from collections.abc import Iterator
from operator import itemgetter
from pathlib import Path
from typing import Any

import pytest
import sealed
from packets import C, Connection, Packet, S, pcap
from sealed import Lines, Seal, pcapng, talk

MAILSUNSET = (sys.executable, "-c", "from scanner.cli import main; main()")
PASSWORD, TOKEN = b"Sw0rdfish-inside", b"ya29.token-inside-tls"
SEALED_PASSWORD = b"AGFubkBleGFtcGxlLmNvbQBTdzByZGZpc2gtaW5zaWRl"
"""PLAIN's form of it."""
SECRETS = (PASSWORD, TOKEN, SEALED_PASSWORD, b"U3cwcmRmaXNoLWluc2lkZQ")
SMTP: Lines = (
    (C, b"EHLO scanner\r\n"),
    (S, b"250-mail.example.com\r\n250 AUTH PLAIN LOGIN\r\n"),
    (C, b"AUTH PLAIN " + SEALED_PASSWORD + b"\r\n"),
    (S, b"235 2.7.0 Authentication successful\r\n"),
    (C, b"QUIT\r\n"),
    (S, b"221 2.0.0 bye\r\n"),
)
GREETING: Lines = ((S, b"220 mail.example.com ESMTP\r\n"),)
STARTTLS: Lines = (
    *GREETING, (C, b"EHLO scanner\r\n"), (S, b"250-mail.example.com\r\n250 STARTTLS\r\n"),
    (C, b"STARTTLS\r\n"), (S, b"220 2.0.0 ready\r\n"),
)  # fmt: skip
IMAP: Lines = (
    (S, b"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] ready\r\n"),
    (C, b'a LOGIN ann@example.com "' + PASSWORD + b'"\r\n'),
    (S, b"a NO [AUTHENTICATIONFAILED] LOGIN failed\r\n"),
    (C, b"b LOGOUT\r\n"),
    (S, b"* BYE\r\nb OK done\r\n"),
)
POP3: Lines = (
    (S, b"+OK ready\r\n"), (C, b"USER ann\r\n"), (S, b"+OK\r\n"), (C, b"PASS " + PASSWORD + b"\r\n"),
    (S, b"+OK logged on\r\n"), (C, b"QUIT\r\n"), (S, b"+OK\r\n"),
)  # fmt: skip
EWS: Lines = (
    (C, b"POST /EWS/Exchange.asmx HTTP/1.1\r\nHost: mail.example.com\r\nContent-Length: 3\r\n"
        b"Authorization: Bearer " + TOKEN + b"\r\n\r\nabc"),
    (S, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
)  # fmt: skip


def http2(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    """A frame (RFC 9113 4.1)."""
    return len(payload).to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big") + payload


def literal(name: bytes, value: bytes) -> bytes:
    """A header that is not indexed (RFC 7541 6.2.2)."""
    return b"\0" + bytes((len(name),)) + name + bytes((len(value),)) + value


POST = b"\x83\x87" + literal(b":path", b"/Microsoft-Server-ActiveSync?Cmd=Ping&DeviceId=AB12&DeviceType=Fon")
"""``:method: POST`` and ``:scheme: https`` are the third and seventh of the static table (RFC 7541 A)."""
HTTP2: Lines = (
    (C, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + http2(4, 0, 0, b"")),
    (S, http2(4, 0, 0, b"")),
    (C, http2(1, 5, 1, POST + literal(b"authorization", b"Basic YW5uOlN3MHJkZmlzaC1pbnNpZGU="))
        + http2(1, 5, 3, POST)),
    (S, http2(1, 5, 3, literal(b":status", b"401") + literal(b"www-authenticate", b"Basic realm=x"))),
    (S, http2(1, 5, 1, b"\x88")),
)  # fmt: skip
TLS12, TLS13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
CBC, GCM = "ECDHE-RSA-AES128-SHA:@SECLEVEL=0", "ECDHE-RSA-AES128-GCM-SHA256"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sealed.certificate(tmp_path_factory.mktemp("seal"))


@pytest.fixture
def seal(folder: Path) -> Iterator[Seal]:
    """TLS 1.3 with keys of its own."""
    one = Seal(folder)
    one.keylog.unlink(missing_ok=True)
    yield one


def at(port: int) -> Connection:
    return Connection(server=("192.0.2.1", port))


def read(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [*MAILSUNSET, "read", "--endpoint", "192.0.2.0/24", "--format", "ndjson", *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=False, env={**os.environ, **environment}
    )


def records(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    assert not [secret for secret in SECRETS if secret.decode() in done.stdout + done.stderr]
    return [json.loads(line) for line in done.stdout.splitlines()]


def login(record: dict[str, Any]) -> tuple[object, ...]:
    return tuple(record[name] for name in ("protocol", "mechanism", "outcome", "basis", "tls_mode"))


@pytest.mark.parametrize(
    ("newest", "ciphers", "port", "clear", "inside", "expected"),
    [
        pytest.param(TLS13, "DEFAULT", 587, STARTTLS, SMTP, ("smtp", "PLAIN", "accepted", "seen", "starttls"),
                     id="SMTP with STARTTLS, TLS 1.3"),
        pytest.param(TLS12, CBC, 587, STARTTLS, SMTP, ("smtp", "PLAIN", "accepted", "seen", "starttls"),
                     id="SMTP with STARTTLS, TLS 1.2 with CBC"),
        pytest.param(TLS12, GCM, 465, (), GREETING + SMTP, ("smtp", "PLAIN", "accepted", "seen", "implicit"),
                     id="SMTP, TLS 1.2"),
        pytest.param(TLS13, "DEFAULT", 993, (), IMAP, ("imap", "IMAP-LOGIN", "refused", "seen", "implicit"),
                     id="IMAP, TLS 1.3"),
        pytest.param(TLS12, CBC, 995, (), POP3, ("pop3", "USERPASS", "accepted", "seen", "implicit"),
                     id="POP3, TLS 1.2 with CBC"),
        pytest.param(TLS13, "DEFAULT", 443, (), EWS, ("http", "HTTP-Bearer", "accepted", "seen", "implicit"),
                     id="HTTP, TLS 1.3"),
    ],
)  # fmt: skip
def test_a_login_inside_tls_is_seen(
    seal: Seal, tmp_path: Path, newest: ssl.TLSVersion, ciphers: str, port: int, clear: Lines, inside: Lines,
    expected: tuple[str, ...],
) -> None:  # fmt: skip
    one = Seal(seal.folder, newest, ciphers)
    capture = tmp_path / "x.pcap"
    capture.write_bytes(pcap(talk(one, at(port), inside, clear).packets))
    (before,) = records(read("--no-db", capture))
    done = read("--no-db", "--keylog", one.keylog, capture)
    (record,) = records(done)
    assert login(record) == expected
    assert before["basis"] in ("endpoint", "inferred")
    same = ("tls_version", "tls_cipher", "ja3", "ja4", "server_name", "tls_mode", "first_seen", "last_seen")
    assert [record[name] for name in same] == [before[name] for name in same]
    assert "keys fit 1 of 1 TLS sessions" in done.stderr and done.returncode == 0


def test_http_2_is_read_request_by_request(seal: Seal, tmp_path: Path) -> None:
    one = Seal(seal.folder, alpn=("h2",))
    capture = tmp_path / "x.pcap"
    capture.write_bytes(pcap(talk(one, at(443), HTTP2).packets))
    (record,) = records(read("--no-db", "--usernames", "keep", "--keylog", one.keylog, capture))
    assert login(record) == ("http", "HTTP-Basic", "accepted", "seen", "implicit")
    assert (record["service"], record["username"]) == ("eas", "ann")


@pytest.mark.parametrize("first", [0, 3], ids=["at the beginning", "behind the first packets"])
def test_keys_that_a_capture_brings_are_used(seal: Seal, tmp_path: Path, first: int) -> None:
    packets = talk(seal, at(993), IMAP).packets
    capture = tmp_path / "x.pcapng"
    capture.write_bytes(pcapng(packets, seal.keylog.read_bytes(), first))
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    (record,) = records(read("--no-db", capture, TMPDIR=str(scratch)))
    assert login(record) == ("imap", "IMAP-LOGIN", "refused", "seen", "implicit")
    assert list(scratch.iterdir()) == []


def test_workers_hear_it_too(seal: Seal, tmp_path: Path) -> None:
    packets: list[Packet] = []
    for port in range(40000, 40020):
        packets += talk(seal, Connection(("10.0.0.1", port), ("192.0.2.1", 995)), POP3).packets
    capture = tmp_path / "x.pcap"
    capture.write_bytes(pcap(sorted(packets, key=lambda packet: packet.at)))
    found = [records(read("--no-db", "--workers", n, "--keylog", seal.keylog, capture)) for n in ("0", "2")]
    assert all(login(record)[1:4] == ("USERPASS", "accepted", "seen") for record in found[0] + found[1])
    assert [len(one) for one in found] == [20, 20]


def test_a_port_that_is_used_again_is_another_session(seal: Seal, tmp_path: Path) -> None:
    first = talk(seal, at(995), POP3)
    again = talk(seal, Connection(first.client, first.server, [70_000, 90_000], first.at), POP3[:3])
    capture = tmp_path / "x.pcap"
    capture.write_bytes(pcap(first.packets + again.packets))
    found = records(read("--no-db", "--keylog", seal.keylog, capture))
    assert [(one["mechanism"], one["basis"]) for one in found] == [("USERPASS", "seen"), (None, "seen")]


def test_nobody_is_said_not_to_have_logged_in_where_something_was_lost(seal: Seal, tmp_path: Path) -> None:
    packets = talk(seal, at(465), GREETING + SMTP).packets
    longest = max(range(len(packets) // 2, len(packets)), key=lambda number: len(packets[number].data))
    capture = tmp_path / "x.pcap"
    capture.write_bytes(pcap(packets[:longest] + packets[longest + 1 :]))
    (record,) = records(read("--no-db", "--keylog", seal.keylog, capture))
    assert record["auth_class"] != "none"


def test_keys_of_others_fit_nothing_and_are_told_so(seal: Seal, tmp_path: Path) -> None:
    capture, other = tmp_path / "x.pcap", tmp_path / "other.keys"
    capture.write_bytes(pcap(talk(seal, at(993), IMAP).packets))
    other.write_text(f"CLIENT_RANDOM {'ab' * 32} {'cd' * 48}\n")
    done = read("--no-db", "--keylog", other, capture)
    (record,) = records(done)
    assert record["basis"] != "seen"
    assert "keys fit 0 of 1 TLS sessions" in done.stderr and done.returncode == 0


def test_no_secret_is_kept(seal: Seal, tmp_path: Path) -> None:
    packets = talk(seal, at(993), IMAP).packets
    packets += talk(seal, Connection(("10.0.0.2", 50001), ("192.0.2.1", 443)), EWS).packets
    packets += talk(seal, Connection(("10.0.0.3", 50002), ("192.0.2.1", 587)), SMTP, STARTTLS).packets
    capture, db = tmp_path / "x.pcap", tmp_path / "x.db"
    capture.write_bytes(pcap(packets))
    found = []
    options = ["--endpoint", "192.0.2.0/24", "--usernames", "keep", "--keylog", seal.keylog, capture]
    for form in ("table", "json", "ndjson", "csv"):
        command = [*MAILSUNSET, "--db", db, "read", "--format", form, *options]
        done = subprocess.run(command, capture_output=True, timeout=60, check=True)
        found.append(done.stdout + done.stderr)
    found += [path.read_bytes() for path in tmp_path.glob("x.db*")]
    assert len(found) > 4 and b"IMAP-LOGIN" in found[-1] + found[-2]
    assert not [secret for secret in SECRETS for text in found if secret in text]


def test_where_tshark_is_missing_a_line_says_how_to_get_it(seal: Seal, tmp_path: Path) -> None:
    packets = talk(seal, at(993), IMAP).packets
    bare, bringing = tmp_path / "x.pcap", tmp_path / "x.pcapng"
    bare.write_bytes(pcap(packets))
    bringing.write_bytes(pcapng(packets, seal.keylog.read_bytes()))
    done = read("--no-db", "--keylog", seal.keylog, bare, PATH=str(tmp_path))
    assert done.returncode == 2 and "tshark is not installed" in done.stderr
    assert len(done.stderr.splitlines()) == 1 and not done.stdout
    done = read("--no-db", bringing, PATH=str(tmp_path))
    (record,) = records(done)
    assert done.returncode == 0 and record["basis"] != "seen"
    assert "its keys are not used: tshark is not installed" in done.stderr


def test_when_tshark_fails_midway_what_was_read_is_kept(seal: Seal, tmp_path: Path) -> None:
    packets = [
        packet
        for port in range(40000, 40004)
        for packet in talk(seal, Connection(("10.0.0.1", port), ("192.0.2.1", 995)), POP3).packets
    ]
    capture, program = tmp_path / "x.pcap", tmp_path / "bin" / "tshark"
    capture.write_bytes(pcap(packets))
    program.parent.mkdir()
    real = shutil.which("tshark")
    program.write_text(
        f'#!/bin/sh\n[ "$1" = --version ] && exec {real} --version\n'
        f'{real} "$@" | head -n 11\necho "tshark: out of memory" >&2\nexit 3\n'
    )
    program.chmod(0o755)
    path = f"{program.parent}:{os.environ['PATH']}"
    done = read("--no-db", "--keylog", seal.keylog, capture, PATH=path)
    found = sorted(records(done), key=itemgetter("client_port"))
    assert done.returncode == 1 and f"{capture}: tshark: out of memory" in done.stderr
    assert (found[0]["mechanism"], found[0]["outcome"]) == ("USERPASS", "accepted")
    assert "seen" not in [one["basis"] for one in found[2:]]
    assert "none" not in [one["auth_class"] for one in found]


@pytest.mark.parametrize(
    ("content", "why"),
    [(None, "No such file"), (b"not keys\n", "is not a TLS key log")],
    ids=["missing", "something else"],
)
def test_a_key_log_that_is_none_ends_it_with_a_line(tmp_path: Path, content: bytes | None, why: str) -> None:
    keylog, capture = tmp_path / "keys.log", tmp_path / "x.pcap"
    capture.write_bytes(pcap([]))
    if content is not None:
        keylog.write_bytes(content)
    done = read("--no-db", "--keylog", keylog, capture)
    assert (done.returncode, done.stdout) == (2, "")
    assert why in done.stderr and str(keylog) in done.stderr and len(done.stderr.splitlines()) == 1


def test_a_pipe_cannot_be_read_with_a_key_log(tmp_path: Path) -> None:
    keylog = tmp_path / "keys.log"
    keylog.write_text(f"CLIENT_RANDOM {'ab' * 32} {'cd' * 48}\n")
    done = read("--no-db", "--keylog", keylog, "-")
    assert done.returncode == 2 and "a pipe cannot be" in done.stderr
