"""Findings are told once, as they come, and whoever is told slowly or not at all holds nobody up."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from db.filters import Lens
from db.prepare import Preparer
from db.store import Inventory
from scanner.model import Host, Level, Observation, Verdict
from scanner.totals import RunTotals
from scanner.watch import notifier
from scanner.watch.notice import Finding
from scanner.watch.notifier import Notice, Notifier
from scanner.watch.scribe import Ledger, Scribe
from tests.db.samples import filled, other
from tests.scanner.watch.test_notice import serving

WAIT_S = 30
COPIER, PHONE = other(), other(client_ip="10.0.0.2", client_mac="f0:18:98:00:00:02", mechanism="XOAUTH2")
BADLY = {"LOGIN": Level.BREAKS, "XOAUTH2": Level.FINE, "PLAIN": Level.BROKEN, "NTLM": Level.REVIEW}


def _judged(host: Host) -> Verdict:
    worst = max((BADLY[use.mechanism or ""] for use in host.usage), key=list(reversed(Level)).index)
    return Verdict(worst, None, ())


def _lens() -> Lens:
    return Lens(_judged)


def until(true: Callable[[], object]) -> None:
    end = time.monotonic() + WAIT_S
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


class Told:
    """A destination that keeps what it is told, or has a fault."""

    name = "somebody"

    def __init__(self) -> None:
        self.got: list[Finding] = []
        self.fault: Exception | None = None

    def tell(self, found: Finding) -> None:
        if self.fault:
            raise self.fault
        self.got.append(found)

    @property
    def heard(self) -> list[tuple[str, str]]:
        return [(one.record["addresses"][0], one.record["verdict"]) for one in self.got]


class Site:
    """An inventory, and a notifier that looks at it all the time."""

    def __init__(self, path: Path, monkeypatch: pytest.MonkeyPatch, *known: Observation) -> None:
        self.path, self.kept = path, filled(path, *known)
        self.to, self.said, self.writes = Told(), list[str](), 0
        monkeypatch.setattr(notifier, "destination", lambda _: self.to)
        monkeypatch.setattr(notifier, "LOOK_S", 0.01)
        monkeypatch.setattr(notifier, "FIRST_RETRY_S", 0.02)
        monkeypatch.setattr(notifier, "LAST_RETRY_S", 0.05)
        self.notifier = self.begin()

    def begin(self) -> Notifier:
        what = Notice("", _lens)
        return Notifier(str(self.path), "here", what, lambda: self.writes, self.said.append)

    def see(self, *seen: Observation) -> None:
        run = self.kept.begin_run("here", ["b.pcap"], 5)
        self.kept.record(run, seen)
        self.writes += 1


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    return Site(tmp_path / "i.db", monkeypatch, COPIER, PHONE)


def test_what_was_known_is_not_told_and_what_comes_is(site: Site) -> None:
    site.see(other(client_ip="10.0.0.3", client_mac=None, first_seen=5, client_port=5))
    until(lambda: site.to.got)
    site.notifier.close()
    assert site.to.heard == [("10.0.0.3", "breaks")]


def test_what_gets_worse_is_told_once_a_level(site: Site) -> None:
    site.see(replace(PHONE, mechanism="NTLM", client_port=6, first_seen=7))
    until(lambda: len(site.to.got) == 1)
    site.see(replace(PHONE, mechanism="PLAIN", client_port=7, first_seen=8))
    until(lambda: len(site.to.got) == 2)
    site.see(replace(PHONE, mechanism="LOGIN", client_port=8, first_seen=9))
    site.notifier.close()
    assert site.to.heard == [("10.0.0.2", "review"), ("10.0.0.2", "broken")]


def test_what_is_fine_is_not_told(site: Site) -> None:
    site.see(other(client_ip="10.0.0.4", client_mac=None, mechanism="XOAUTH2", client_port=9))
    site.notifier.close()
    assert not site.to.got


def test_a_host_that_gets_another_name_is_the_same(site: Site) -> None:
    site.see(other(client_ip="10.0.0.5", client_mac=None, client_port=5, first_seen=5))
    until(lambda: site.to.got)
    site.see(other(client_ip="10.0.0.5", client_port=6, first_seen=6))
    site.notifier.close()
    assert len({one.record["host"] for one in site.to.got}) == len(site.to.got) == 1


def test_a_fault_of_any_kind_does_not_end_it(site: Site) -> None:
    site.to.fault = UnicodeError("label too long")
    site.see(other(client_ip="10.0.1.1", client_mac=None, client_port=5))
    until(lambda: site.said)
    site.to.fault = None
    until(lambda: site.to.got)
    site.notifier.close()


def test_what_cannot_be_told_waits_and_is_told_later(site: Site) -> None:
    site.to.fault = OSError("it is dead")
    site.see(*(other(client_ip=f"10.0.1.{n}", client_mac=None, client_port=n) for n in (1, 2)))
    until(lambda: site.said)
    time.sleep(0.2)
    assert site.said == ["findings wait, as somebody cannot be told: it is dead"]
    site.to.fault = None
    until(lambda: len(site.to.got) == 2)
    site.notifier.close()
    assert site.said[1:] == ["somebody is told of findings again"]


def test_no_more_wait_than_there_is_room_for(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.notifier.close()
    monkeypatch.setattr(notifier, "WAITING", 2)
    site.to.fault = OSError("it is dead")
    again = site.begin()
    site.see(*(other(client_ip=f"10.0.1.{n}", client_mac=None, client_port=n) for n in range(5)))
    until(lambda: site.said)
    again.close()
    assert "3 findings are not told, as too many wait; they are in the inventory" in site.said
    assert site.said[-1] == "findings not told to somebody, but in the inventory: 2"


def test_an_inventory_that_cannot_be_read_is_read_later(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = Inventory.open
    faults = iter([ValueError("no such table \x1b[2J")])

    def open_badly(*args: Any, **more: Any) -> Inventory:
        for fault in faults:
            raise fault
        return opened(*args, **more)

    monkeypatch.setattr(notifier.Inventory, "open", open_badly)
    site.see(other(client_ip="10.0.0.3", client_mac=None, client_port=5))
    until(lambda: site.to.got)
    site.notifier.close()
    assert site.said == ["findings cannot be looked for: no such table \\x1b[2J"]


def scribe(path: Path, url: str, said: list[str]) -> Scribe:
    ledger = Ledger(str(path), "here", ("eth1",), 10, None, Notice(url, _lens))
    return Scribe(ledger, lambda: None, said.append)


@pytest.mark.parametrize("is_slow", [False, True], ids=["a webhook", "a webhook that does not answer"])
def test_a_sensor_writes_and_ends_whatever_becomes_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_slow: bool
) -> None:
    monkeypatch.setattr(notifier, "LOOK_S", 0.05)
    said: list[str] = []
    with serving(stall_s=60 if is_slow else 0) as hook:
        writer = scribe(tmp_path / "i.db", hook.url, said)
        batch = Preparer().prepare([COPIER])
        writer.put(batch)
        if not is_slow:
            until(lambda: hook.got)
        began = time.monotonic()
        assert writer.close((), RunTotals(), 20) == 0
        assert time.monotonic() - began < 20
        told = len(hook.got)
    assert told == (not is_slow)
    with Inventory.open(str(tmp_path / "i.db")) as kept:
        assert len(list(kept.sessions())) == 1
    lost = "findings not told to the webhook at 127.0.0.1, but in the inventory: 1"
    assert said == ([lost] if is_slow else [])


def test_what_a_run_told_the_next_does_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notifier, "LOOK_S", 0.05)
    with serving() as hook:
        for _ in range(2):
            writer = scribe(tmp_path / "i.db", hook.url, [])
            writer.put(Preparer().prepare([COPIER]))
            writer.close((), RunTotals(), 20)
    assert [body["verdict"] for _, _, body in hook.got] == ["breaks"]
