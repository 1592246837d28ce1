"""Small captures of each kind hold what they claim to hold, and a second opinion finds nothing wrong."""

import base64
import itertools
import json
import struct
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.dialogues import MAIL, WEIGHTS
from benchmarks.make import BEGAN, HEADER, flood, halfopen, mailstorm, office, written
from benchmarks.parts import encoded

ROUNDS = 5
SESSIONS = sum(WEIGHTS.values()) * ROUNDS
OFFICE_PACKETS = 60_000
CONNECTIONS = 3_000

Way = tuple[str, int, str, str | None, str | None, str, str | None]
WAYS: dict[str, Way] = {
    "smtp tls 1.2": ("smtp", 587, "starttls", "TLSv1.2", None, "unknown", None),
    "smtp tls 1.3": ("smtp", 587, "starttls", "TLSv1.3", None, "unknown", None),
    "smtp login": ("smtp", 587, "clear", None, "LOGIN", "basic", "accepted"),
    "smtp plain refused": ("smtp", 587, "clear", None, "PLAIN", "basic", "refused"),
    "smtp to the mx": ("smtp", 25, "clear", None, None, "none", None),
    "imap tls": ("imap", 993, "implicit", "TLSv1.3", None, "unknown", None),
    "imap login": ("imap", 143, "clear", None, "IMAP-LOGIN", "basic", "accepted"),
    "imap login refused": ("imap", 143, "clear", None, "IMAP-LOGIN", "basic", "refused"),
    "imap token": ("imap", 143, "clear", None, "XOAUTH2", "oauth", "accepted"),
    "pop refused": ("pop3", 110, "clear", None, "USERPASS", "basic", "refused"),
    "pop tls": ("pop3", 995, "implicit", "TLSv1.2", None, "unknown", None),
    "eas": ("http", 80, "clear", None, "HTTP-Basic", "basic", "refused"),
    "https": ("http", 443, "implicit", "TLSv1.3", None, "unknown", None),
}
"""What a session record says of each kind; what is inside TLS is looked at apart (``way``)."""


@pytest.fixture(scope="module")
def storm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("storm") / "storm.pcap", mailstorm(SESSIONS))


@pytest.fixture(scope="module")
def small_office(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("office") / "office.pcap", office(OFFICE_PACKETS))


def heard(capture: Path, home: Path) -> tuple[list[dict[str, Any]], str]:
    """Read as a user would; the records, and what was said about losses."""
    program = [sys.executable, "-c", "from scanner.cli import main; main()"]
    done = subprocess.run(
        [*program, "read", "--no-db", "--format", "ndjson", str(capture)],
        capture_output=True,
        check=True,
        timeout=120,
        env={"HOME": str(home)},
    )
    return [json.loads(line) for line in done.stdout.splitlines()], done.stderr.decode().strip()


def way(record: dict[str, Any]) -> Way:
    """How a session logged in; a login inside TLS is as good as unknown here, whatever was inferred of it."""
    inside = record["tls_version"] is not None
    login = (
        (None, "unknown", None) if inside else (record["mechanism"], record["auth_class"], record["outcome"])
    )
    return (record["protocol"], record["server_port"], record["tls_mode"], record["tls_version"], *login)


def packets(capture: Path) -> Iterator[tuple[int, bytes]]:
    """Time in microseconds and bytes of each packet."""
    data = capture.read_bytes()
    at = len(HEADER)
    while at < len(data):
        second, micro, kept, size = struct.unpack_from("<IIII", data, at)
        assert kept == size
        yield second * 1_000_000 + micro, data[at + 16 : at + 16 + kept]
        at += 16 + kept
    assert at == len(data)


def test_a_storm_is_read_session_by_session(storm: Path, tmp_path: Path) -> None:
    records, said = heard(storm, tmp_path)
    found = Counter(way(record) for record in records)
    assert found == Counter({WAYS[name]: weight * ROUNDS for name, weight in WEIGHTS.items()})
    assert said.endswith(f"{SESSIONS} connections, {SESSIONS} sessions")
    assert {record["server_kind"] for record in records} == {"exchange-online"}
    assert not any(record["gaps"] for record in records)


def test_no_two_sessions_of_a_storm_are_alike(storm: Path, tmp_path: Path) -> None:
    records, _ = heard(storm, tmp_path)
    assert (
        len({(record["client_ip"], record["client_port"], record["server_ip"]) for record in records})
        == SESSIONS
    )
    names = [record["client_name"] for record in records if record["client_name"]]
    assert len(set(names)) == len(names) > SESSIONS / 3


def test_sessions_of_a_storm_overlap(storm: Path, tmp_path: Path) -> None:
    records, _ = heard(storm, tmp_path)
    starts = sorted(record["first_seen"] for record in records)
    ends = sorted(record["last_seen"] for record in records)
    open_at_once = [sum(start <= at for start in starts) - sum(end < at for end in ends) for at in starts]
    assert 12 < max(open_at_once) < 100


def test_an_office_is_mostly_bulk(small_office: Path, tmp_path: Path) -> None:
    sizes = [len(data) for _, data in packets(small_office)]
    assert abs(len(sizes) / OFFICE_PACKETS - 1) < 0.25
    assert 800 < sum(sizes) / len(sizes) < 1050
    records, said = heard(small_office, tmp_path)
    assert {way(record) for record in records} == set(WAYS.values())
    assert said.endswith(f"{len(records)} sessions")


def test_an_office_has_tags_and_ipv6(small_office: Path) -> None:
    frames = [data for _, data in packets(small_office)]
    tagged = sum(data[12:14] == b"\x81\x00" for data in frames) / len(frames)
    sixth = sum(
        (data[16:18] if data[12:14] == b"\x81\x00" else data[12:14]) == b"\x86\xdd" for data in frames
    )
    assert 0.1 < tagged < 0.3
    assert 0.08 < sixth / len(frames) < 0.25


def test_conversations_of_an_office_are_mixed(small_office: Path) -> None:
    """Of two packets in a row, hardly ever are both of one conversation."""
    ends = [frozenset((data[0:6], data[6:12])) for _, data in packets(small_office)]
    same = sum(one == next_one for one, next_one in itertools.pairwise(ends))
    assert same / len(ends) < 0.2


@pytest.mark.parametrize("kind", ["storm", "small_office"])
def test_time_goes_on(kind: str, request: pytest.FixtureRequest) -> None:
    times = [at for at, _ in packets(request.getfixturevalue(kind))]
    assert times == sorted(times)
    assert times[0] >= BEGAN


def test_half_open_connections_say_nothing(tmp_path: Path) -> None:
    capture = written(tmp_path / "halfopen.pcap", halfopen(CONNECTIONS))
    assert len(list(packets(capture))) == 3 * CONNECTIONS
    records, said = heard(capture, tmp_path)
    assert said.startswith(f"{3 * CONNECTIONS} packets")
    assert not records


def test_a_flood_hides_mail(tmp_path: Path) -> None:
    capture = written(tmp_path / "flood.pcap", flood(4 * CONNECTIONS, SESSIONS))
    assert len([data for _, data in packets(capture) if data[47] == 2]) == 4 * CONNECTIONS + SESSIONS
    assert len({data[26:36] for _, data in packets(capture) if data[47] == 2}) == 4 * CONNECTIONS + SESSIONS
    records, _ = heard(capture, tmp_path)
    assert len(records) == SESSIONS


def test_the_same_seed_makes_the_same_capture() -> None:
    assert b"".join(mailstorm(48)) == b"".join(mailstorm(48))


def test_the_kinds_are_those_that_are_expected() -> None:
    assert set(MAIL) == set(WAYS) == set(WEIGHTS)


@pytest.mark.parametrize("width", range(1, 8))
def test_base64_is_the_standard_librarys(width: int) -> None:
    rows = np.random.default_rng(width).integers(0, 256, (20, width)).astype(np.uint8)
    assert [bytes(row) for row in encoded(rows)] == [base64.b64encode(bytes(row)) for row in rows]


@pytest.mark.parametrize("kind", ["storm", "small_office"])
def test_tshark_finds_nothing_malformed(kind: str, request: pytest.FixtureRequest) -> None:
    capture = request.getfixturevalue(kind)
    wrong = "_ws.malformed || _ws.expert.severity == error || tcp.analysis.flags"
    shown = subprocess.run(
        ["tshark", "-r", str(capture), "-Y", wrong], capture_output=True, text=True, check=True, timeout=120
    )
    assert shown.stdout == ""
