"""Constants and claims counted on a folder of labelled captures that is made here."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from muffled import AEAD_13, CBC_12, SESSIONS
from packets import Connection, pcap

from benchmarks.labelled import Labelled, read

ROOT = Path(__file__).parents[2]
ATTEMPTS = {
    "SMTP LOGIN": [("LOGIN", False, "accepted")],
    "SMTP LOGIN, refused": [("LOGIN", False, "refused")],
    "SMTP token": [("XOAUTH2", True, "accepted")],
    "SMTP mail without a login": [],
    "IMAP LOGIN": [("IMAP-LOGIN", None, "accepted")],
    "POP3 USER and PASS": [("USERPASS", None, "accepted")],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("lab") / "made"
    made.mkdir()
    labels, packets = [], []
    told = [session for session in SESSIONS if session.title in ATTEMPTS]
    for number, (session, seal) in enumerate((one, seal) for one in told for seal in (AEAD_13, CBC_12)):
        connection = Connection(("10.0.0.1", 50_000 + number), ("203.0.113.1", session.port))
        packets += connection.open().say(*session.lines(seal)).close().packets
        attempts = [
            {"mechanism": name, "sasl_ir": at_once, "outcome": outcome}
            for name, at_once, outcome in ATTEMPTS[session.title]
        ]
        protocol = session.title.split()[0].lower()
        labels.append({
            "capture": "made.pcap", "client_ip": "10.0.0.1", "client_port": 50_000 + number,
            "server_ip": "203.0.113.1", "server_port": session.port, "protocol": protocol,
            "auth_class": session.auth_class, "attempts": attempts, "server": "exo",
            "tls_cipher": "TLS_AES_256_GCM_SHA384" if seal is AEAD_13 else "ECDHE-RSA-AES256-SHA",
        })  # fmt: skip
    (made / "made.pcap").write_bytes(pcap(packets))
    (made / "labels.json").write_text(json.dumps(labels))
    (made / "read.args").write_text("--endpoint 203.0.113.0/24\n")
    return made


@pytest.fixture(scope="module")
def sessions(folder: Path) -> list[Labelled]:
    return list(read(folder))


def test_every_label_finds_its_session(sessions: list[Labelled]) -> None:
    assert len(sessions) == 2 * len(ATTEMPTS)
    assert all(one.seen.auth_class.value == one.label["auth_class"] for one in sessions)
    assert {one.family for one in sessions} == {"AEAD", "CBC"}


def test_turns_get_their_names_from_the_label(sessions: list[Labelled]) -> None:
    login = next(one for one in sessions if one.attempts and one.attempts[0]["mechanism"] == "LOGIN")
    said = ["EHLO, offered LOGIN XOAUTH2", "AUTH LOGIN", "user name", "password"]
    assert [move.name for move in login.moves[:4]] == said
    assert not login.bare


def test_what_is_told(folder: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.calibrate", str(folder.parent)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    lines = [line.split() for line in done.stdout.splitlines()]
    assert ["LOGIN", "0.667", "6"] in [line[:3] for line in lines]
    assert ["smtp", "AEAD", "Exchange", "4", "4", "0", "0"] in lines
    assert any(line[:2] == ["ACCEPTED,", "by"] for line in lines)


def test_a_folder_without_labels_is_told(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.calibrate", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (1, f"no labels.json in {tmp_path}\n")


def test_the_program_without_inference_infers_nothing(folder: Path) -> None:
    reading = ["read", "--no-db", "--format", "ndjson", str(folder / "made.pcap")]
    bases = []
    for program in (["-c", "from scanner.cli import main; main()"], ["-m", "benchmarks.inferred"]):
        done = subprocess.run([sys.executable, *program, *reading], cwd=ROOT, capture_output=True, check=True)
        bases.append({json.loads(line)["basis"] for line in done.stdout.splitlines()})
    assert bases == [{"inferred"}, {"endpoint"}]
