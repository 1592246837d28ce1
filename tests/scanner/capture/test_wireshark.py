"""Where tshark is, and what is said where it cannot be used."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from scanner.capture import wireshark
from scanner.capture.wireshark import OLDEST, TsharkUnusableError, advice, tshark_path, tshark_version


def fake(folder: Path, script: str) -> str:
    """Put a program of that name into a folder."""
    program = folder / "tshark"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return str(program)


def alone(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Let programs be found in this folder only."""
    monkeypatch.setenv("PATH", str(folder))


def test_the_installed_one_is_found_and_says_its_version() -> None:
    path = tshark_path()
    assert path == shutil.which("tshark")
    assert tshark_version(path) >= OLDEST


@pytest.mark.parametrize(
    ("said", "version"),
    [
        ("TShark (Wireshark) 4.0.17 (Git v4.0.17 packaged as 4.0.17-0+deb12u3).", (4, 0, 17)),
        ("TShark (Wireshark) 4.4.0.", (4, 4, 0)),
        ("Running as user root.\nTShark 10.2", (10, 2)),
    ],
    ids=["Debian's", "the authors' own", "a warning stands first, and there are two parts"],
)
def test_versions_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, version: object
) -> None:
    path = fake(tmp_path, f"echo '{said}'")
    alone(monkeypatch, tmp_path)
    assert tshark_path() == path
    assert tshark_version(path) == version


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("echo 'TShark (Wireshark) 3.6.2 (Git v3.6.2)'", "is version 3.6.2, 4.0 or newer is needed"),
        ("echo hello", "tells no version"),
        ("exit 1", "tells no version"),
    ],
    ids=["too old", "another program of that name", "fails"],
)
def test_what_cannot_be_used_is_said_in_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, why: str
) -> None:
    path = fake(tmp_path, script)
    alone(monkeypatch, tmp_path)
    with pytest.raises(TsharkUnusableError) as caught:
        tshark_path()
    assert str(caught.value).startswith(f"{path} ")
    assert why in str(caught.value)
    assert "\n" not in str(caught.value)


def test_that_it_is_missing_is_said_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    alone(monkeypatch, tmp_path)
    monkeypatch.setattr(wireshark.sys, "platform", "linux")  # type: ignore[attr-defined]
    with pytest.raises(TsharkUnusableError, match="tshark is not installed: apt install tshark"):
        tshark_path()


def test_one_that_is_not_to_be_run_is_told(tmp_path: Path) -> None:
    program = tmp_path / "tshark"
    program.write_text("")
    with pytest.raises(TsharkUnusableError, match="cannot be run: Permission denied"):
        tshark_version(str(program))


def test_one_that_hangs_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def hang(command: list[str], *, timeout: float, **_: object) -> None:
        raise subprocess.TimeoutExpired(command, timeout)

    monkeypatch.setattr(subprocess, "run", hang)
    with pytest.raises(TsharkUnusableError, match="did not end within 30 seconds"):
        tshark_version("tshark")


@pytest.mark.parametrize(
    ("platform", "word"), [("linux", "apt install"), ("darwin", "brew install"), ("win32", "wireshark.org")]
)
def test_advice_fits_the_platform(platform: str, word: str) -> None:
    assert word in advice(platform)
