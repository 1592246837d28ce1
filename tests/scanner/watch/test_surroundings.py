"""What a machine allows beside listening."""

from __future__ import annotations

import ctypes
import os
import pwd
from pathlib import Path
from types import SimpleNamespace

import pytest

from scanner.capture.passing import Passing
from scanner.net import Prefixes
from scanner.watch import surroundings
from scanner.watch.filtering import Filtering, Kind
from scanner.watch.surroundings import Inventory, inventory, machine

PLAIN = Filtering(Passing(frozenset({25}), frozenset({53}), Prefixes()), set(), Kind.CLASSIC)
ME = pwd.getpwuid(os.geteuid()).pw_name


def test_an_inventory_that_is_still_to_be_made_goes_where_there_is_room(tmp_path: Path) -> None:
    found = inventory(str(tmp_path / "a" / "b" / "i.db"), None)
    assert found == Inventory(str(tmp_path / "a" / "b" / "i.db"), ME, found.free_bytes)
    assert found.free_bytes and found.free_bytes > 0


def test_an_url_of_sqlite_is_its_file(tmp_path: Path) -> None:
    assert inventory(f"sqlite:///{tmp_path}/i.db", None).place == f"{tmp_path}/i.db"


def test_of_a_server_nothing_is_told_that_its_url_holds() -> None:
    assert "secret" not in repr(inventory("postgresql://a:secret@db/x", None))


@pytest.mark.parametrize("denied", ["i.db", "."])
def test_what_cannot_be_written_has_no_writer(
    tmp_path: Path, denied: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "i.db").touch()
    refused = tmp_path / denied
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != refused)
    assert inventory(str(tmp_path / "i.db"), None).writer is None


def test_what_is_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/none")
    found = machine(Inventory("/i.db", "ann", 7), PLAIN)
    assert (found.user, found.extended, found.tshark) == (ME, False, None)
    assert "not installed" in found.tshark_note
    assert (found.inventory, found.writer, found.free_bytes) == ("/i.db", "ann", 7)


@pytest.mark.parametrize(("answer", "held"), [(0, True), (1, True), (5, False), (-1, False), (None, False)])
def test_the_kernel_tells_whether_a_time_service_keeps_the_clock(
    answer: int | None, held: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    libc = SimpleNamespace() if answer is None else SimpleNamespace(adjtimex=lambda _: answer)
    monkeypatch.setattr(ctypes, "CDLL", lambda _: libc)
    assert surroundings._clock_held() is held


def test_whoever_has_no_name_has_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 54_321)
    assert surroundings._user() == "user 54321"
