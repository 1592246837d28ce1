"""tshark is run where there are keys, no further than needed, and what goes wrong with it is told."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from scanner.capture import plaintext
from scanner.capture.decrypted import FIELDS
from scanner.capture.plaintext import AHEAD, Plaintext, UnusableKeysError, check_keylog
from scanner.capture.wireshark import TsharkUnusableError
from scanner.conversation import Said

KEY = f"CLIENT_RANDOM {'ab' * 32} {'cd' * 48}\n"
BEFORE_CUT = 33
"""Lines of 500 bytes until nothing more is heard of a connection."""
Fake = Callable[..., Plaintext]


def line(packet: int, text: str) -> str:
    values = {
        "frame.number": str(packet), "frame.time_epoch": "1.5", "frame.protocols": "eth:ip:tcp:tls",
        "tcp.stream": "0", "ip.src": "10.0.0.1", "ip.dst": "192.0.2.1", "tcp.srcport": "40000",
        "tcp.dstport": "993", "tls.record.content_type": "23", "data.data": text.encode().hex(),
    }  # fmt: skip
    return "\x1e".join(values.get(name, "") for name in FIELDS) + "\n"


@pytest.fixture
def fake(tmp_path: Path) -> Fake:
    """A tshark that says what is told, and ends as is told."""

    def make(*lines: str, status: int = 0, complaint: str = "", keys: bool = True) -> Plaintext:
        (tmp_path / "said").write_text("".join(lines))
        program = tmp_path / "tshark"
        program.write_text(
            f"#!/bin/sh\necho begun >{tmp_path}/begun\necho \"$@\" >{tmp_path}/asked\n"
            f"cat {tmp_path}/said\n{complaint and f'echo {complaint} >&2'}\nexit {status}\n"
        )  # fmt: skip
        program.chmod(0o755)
        capture = tmp_path / "x.pcap"
        capture.touch()
        return Plaintext(str(capture), "keys.log" if keys else None, [], lambda: str(program))

    return make


def texts(told: object) -> list[bytes]:
    assert isinstance(told, list) and all(isinstance(said, Said) for said in told)
    return [said.data for said in told]


def test_without_keys_nothing_is_run(fake: Fake, tmp_path: Path) -> None:
    with fake(line(1, "a"), keys=False) as inside:
        assert inside.until(5) == () and inside.until(None) == ()
    assert not (tmp_path / "begun").exists() and not inside.tried


def test_no_more_is_told_than_was_read(fake: Fake) -> None:
    with fake(line(1, "a"), line(AHEAD + 9, "b"), "odd\n", line(AHEAD + 10, "c"), line(3000, "d")) as inside:
        assert texts(inside.until(8)) == [b"a"]
        assert texts(inside.until(8)) == []
        assert texts(inside.until(9)) == [b"b"]
        assert texts(inside.until(None)) == [b"c", b"d"]
        assert texts(inside.until(None)) == []
    assert (inside.opened, inside.sessions, inside.fault) == (1, 1, None)


def test_keys_that_come_late_are_used_from_then_on(tmp_path: Path, fake: Fake) -> None:
    secrets: list[bytes] = []
    fake(line(1, "a"))
    with Plaintext(str(tmp_path / "x.pcap"), None, secrets, lambda: str(tmp_path / "tshark")) as inside:
        assert inside.until(1) == ()
        secrets.append(KEY.encode())
        assert texts(inside.until(2)) == [b"a"]
    assert "keylog_file" not in (tmp_path / "asked").read_text()


def test_tshark_is_given_the_key_log_by_its_name(fake: Fake, tmp_path: Path) -> None:
    with fake() as inside:
        inside.until(None)
    asked = (tmp_path / "asked").read_text()
    assert f"-o tls.keylog_file:{os.getcwd()}/keys.log" in asked and f"-r {tmp_path}/x.pcap" in asked


@pytest.mark.parametrize(
    ("complaint", "why"),
    [
        ("tshark: The file is cut short.", "tshark: The file is cut short."),
        ("Running as user root and group root.", "tshark: ended with status 2"),
    ],
    ids=["it says why", "it says nothing of use"],
)
def test_when_tshark_fails_what_it_said_is_kept_and_the_rest_is_a_hole(
    fake: Fake, tmp_path: Path, complaint: str, why: str
) -> None:
    with fake(line(1, "a"), status=2, complaint=complaint) as inside:
        assert texts(inside.until(None)) == [b"a", b"", b""]
    assert inside.fault == f"{tmp_path}/x.pcap: {why}"


def test_a_line_without_end_is_passed_over(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plaintext, "LONGEST_LINE", 300)
    forged = line(1, "forged")
    long = "x" * 300 + forged
    with fake(line(1, "a"), long, line(2, "b")) as inside:
        assert texts(inside.until(None)) == [b"a", b"b"]


def test_tshark_is_let_go_though_it_has_more_to_say(fake: Fake) -> None:
    with fake(*(line(number, "a" * 500) for number in range(1, 5000))) as inside:
        assert len(inside.until(1)) == BEFORE_CUT
        process = inside._process
    assert process is not None and process.poll() is not None


def test_what_keeps_keys_from_use_is_remarked(tmp_path: Path) -> None:
    def missing() -> str:
        raise TsharkUnusableError("tshark is not installed")

    capture = tmp_path / "x.pcapng"
    with Plaintext(str(capture), None, [b"key"], missing) as inside:
        assert not inside.until(1)
    assert (
        inside.remark == f"{capture}: its keys are not used: a pipe cannot be read twice: save it to a file"
    )
    capture.touch()
    with Plaintext(str(capture), None, [b"key"], missing) as inside:
        assert not inside.until(1) and not inside.until(None)
    assert inside.remark == f"{capture}: its keys are not used: tshark is not installed"
    assert inside.fault is None


@pytest.mark.parametrize(
    "text",
    [
        KEY,
        f"# made by a browser\n\n{KEY}",
        KEY.replace("\n", "\r\n"),
        f"SERVER_TRAFFIC_SECRET_0 {'AB' * 32} {'0f' * 32}\n",
        "RSA Session-ID:ab Master-Key:cd\n",
    ],
    ids=["NSS's form", "behind a comment", "with CRLF", "TLS 1.3", "OpenSSL's form"],
)
def test_key_logs_are_known(tmp_path: Path, text: str) -> None:
    path = tmp_path / "keys.log"
    path.write_text(text, newline="")
    check_keylog(str(path))


@pytest.mark.parametrize(
    ("make", "why"),
    [
        pytest.param(lambda path: None, "No such file", id="missing"),
        pytest.param(lambda path: path.mkdir(), "is not a file", id="a folder"),
        pytest.param(lambda path: os.mkfifo(path), "is not a file", id="a pipe"),
        pytest.param(lambda path: path.touch(), "is not a TLS key log", id="empty"),
        pytest.param(
            lambda path: path.write_bytes(bytes(range(256)) * 9), "is not a TLS key log", id="binary"
        ),
        pytest.param(
            lambda path: path.write_text("CLIENT_RANDOM ab cd\n"), "is not a TLS key log", id="short"
        ),
    ],
)
def test_what_is_no_key_log_is_refused(tmp_path: Path, make: Callable[[Path], object], why: str) -> None:
    path = tmp_path / "keys.log"
    make(path)
    with pytest.raises(UnusableKeysError, match=why) as told:
        check_keylog(str(path))
    assert str(told.value).startswith(str(path)) and "\n" not in str(told.value)
