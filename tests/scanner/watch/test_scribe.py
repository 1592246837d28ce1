"""The inventory is kept by a process of its own, which takes rows as JSON and nothing else."""

from __future__ import annotations

import json
import os
import pickle
import select
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from db.prepare import Prepared, Preparer
from db.store import Inventory
from scanner.events import Label
from scanner.model import LEASE, Observation, Sighting
from scanner.totals import HOUR_NS, Hour, RunTotals
from scanner.watch.scribe import Ledger, Scribe, ScribeError, pack, unpack
from tests.db.samples import filled, other

WAIT_S = 30
TEXT = st.text(st.characters(), max_size=12)
"""With zeros, surrogates, and what terminals obey."""
NUMBER = st.one_of(st.integers(), st.booleans(), st.none(), TEXT)
ROWS = st.builds(
    Prepared,
    st.just([]),
    st.lists(
        st.tuples(st.integers(0, 9), TEXT, TEXT, st.lists(NUMBER).map(tuple), st.none() | st.booleans())
    ),
    st.lists(st.tuples(TEXT, TEXT, TEXT, TEXT, st.integers(), st.integers())),
    st.lists(st.tuples(TEXT, TEXT, TEXT, TEXT, TEXT, st.integers(), st.integers())),
)


def across(batch: Prepared) -> Prepared:
    return unpack(json.loads(json.dumps(pack(batch)).encode()))


@settings(deadline=None, max_examples=100)
@given(ROWS)
def test_rows_come_across_as_they_are(batch: Prepared) -> None:
    assert repr(across(batch)) == repr(batch)


@settings(deadline=None, max_examples=50)
@given(TEXT, TEXT, TEXT, st.none() | st.booleans())
def test_sessions_come_across_as_they_are(name: str, user: str, label: str, again: bool | None) -> None:
    seen = other(
        client_name=name, username=user, evidence=label, server_name=name or None, mechanism=None,
        labels=(Label("http.agent", label), Label("smb.os", user)), login_again=again, client_mac=None,
    )  # fmt: skip
    batch = Preparer().prepare([seen, seen, other()], [Sighting("", "", "mdns.host", label, 1, 2)])
    assert repr(across(batch)) == repr(batch)


class Writing:
    """A scribe at work on an inventory, and what it says."""

    def __init__(self, path: Path | str, become: Callable[[], str | None] = lambda: None, **of: Any) -> None:
        self.said: list[str] = []
        ledger = Ledger(str(path), "here", ("eth1",), of.get("at", 10), of.get("forget_ns"))
        self.scribe = Scribe(ledger, become, self.said.append)

    def put(self, *seen: Observation) -> None:
        self.scribe.put(Preparer().prepare(seen))

    def until(self, true: Callable[[], object]) -> None:
        end = time.monotonic() + WAIT_S
        while not true():
            assert time.monotonic() < end
            select.select([self.scribe], [], [], 0.1)
            self.scribe.listen()

    @property
    def process(self) -> Any:
        return self.scribe._process


def ports(path: Path) -> list[int]:
    with Inventory.open(str(path)) as kept:
        return sorted(one.client_port for one in kept.sessions())


def test_what_is_put_is_written_counted_and_told(tmp_path: Path) -> None:
    writing = Writing(tmp_path / "i.db")
    assert (writing.scribe.leases, writing.said) == ([], [])
    writing.put(other(client_port=1), other(client_port=2, client_name="\0\x1b\u202e"))
    writing.until(lambda: writing.scribe.written == 2)
    assert (writing.scribe.waiting, writing.scribe.unwritten, writing.scribe.fault) == (0, 0, None)
    assert ports(tmp_path / "i.db") == [1, 2]
    hour = Hour(3 * HOUR_NS, packets=5, sessions=2)
    writing.scribe.count([hour], RunTotals(packets=5), 20)
    writing.put(other(client_port=3))
    writing.scribe.rotate([Hour(3 * HOUR_NS, packets=2)], RunTotals(packets=7, unreadable=("x",)), 30)
    writing.put(other(client_port=4))
    assert writing.scribe.close([Hour(4 * HOUR_NS, down_ns=9)], RunTotals(packets=1, down_ns=9), 40) == 0
    assert not writing.process.is_alive()
    assert writing.scribe.abandon() is None
    with Inventory.open(str(tmp_path / "i.db")) as kept:
        last, first = kept.runs()
        assert ports(tmp_path / "i.db") == [1, 2, 3, 4]
        assert (first.sensor, first.began, first.ended, first.totals.packets) == ("here", 10, 30, 7)
        assert (last.began, last.ended, last.totals.down_ns) == (30, 40, 9)
        assert [(one.at, one.packets, one.down_ns) for one in kept.hours()] == [
            (3 * HOUR_NS, 7, 0), (4 * HOUR_NS, 0, 9),
        ]  # fmt: skip


def test_it_knows_leases_and_forgets_what_is_old(tmp_path: Path) -> None:
    lease = Sighting("10.0.0.7", "02:00:00:00:00:07", LEASE, "", 5, 99)
    kept = filled(tmp_path / "i.db", other(client_port=1), began=10)
    kept.record(kept.begin_run("here", ["x"], 500), [other(client_port=2)], [lease])
    kept.close()
    writing = Writing(tmp_path / "i.db", at=1000, forget_ns=600)
    assert writing.scribe.leases == [lease]
    writing.until(lambda: writing.said)
    assert writing.said == ["1 sessions of long ago are forgotten; what they add up to is kept"]
    assert ports(tmp_path / "i.db") == [2]
    writing.scribe.rotate([], RunTotals(), 1200)
    writing.until(lambda: len(writing.said) == 2)
    assert ports(tmp_path / "i.db") == []
    assert writing.scribe.close([], RunTotals(), 1300) == 0


def test_whom_it_becomes_is_told(tmp_path: Path) -> None:
    writing = Writing(tmp_path / "i.db", lambda: f"not {os.getpid()}")
    assert writing.said == [f"not {writing.process.pid}"]
    assert writing.scribe.close([], RunTotals(), 20) == 0


@pytest.mark.parametrize(
    "url", ["nothing://there", "postgresql://127.0.0.1:1/x", "/dev/null/i.db", "/proc/i.db"]
)
def test_an_inventory_that_cannot_be_is_told_in_a_line(url: str) -> None:
    with pytest.raises(ScribeError) as told:
        Writing(url)
    assert str(told.value)
    assert "\n" not in str(told.value)


def test_a_writer_that_was_killed_is_told_in_a_line(tmp_path: Path) -> None:
    for ask in ("listen", "put", "close"):
        writing = Writing(tmp_path / f"{ask}.db")
        os.kill(writing.process.pid, signal.SIGKILL)
        writing.process.join()
        with pytest.raises(ScribeError, match=r"^the process that keeps the inventory is gone; .*kept$"):
            match ask:
                case "listen":
                    writing.scribe.listen()
                case "put":
                    writing.put(other())
                case _:
                    writing.scribe.close([], RunTotals(), 20)
        writing.scribe.abandon()


def test_when_the_parser_is_gone_what_it_said_is_written(tmp_path: Path) -> None:
    writing = Writing(tmp_path / "i.db")
    writing.put(*(other(client_port=port) for port in range(50)))
    writing.scribe.abandon()
    assert (writing.process.exitcode, ports(tmp_path / "i.db")) == (0, list(range(50)))
    with Inventory.open(str(tmp_path / "i.db")) as kept:
        assert len(kept.unfinished()) == 1


class Touch:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (self.path,)


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(None, id="something pickled"),
        pytest.param(b"\xff\xfe[", id="no text"),
        pytest.param(b'{"put": 1}', id="another object"),
        pytest.param(b'["put"]', id="too little"),
    ],
)
def test_what_is_no_json_is_not_loaded_and_ends_it(tmp_path: Path, said: bytes | None) -> None:
    writing = Writing(tmp_path / "i.db")
    writing.put(other(client_port=1))
    pipe = writing.scribe._pipe
    pipe.send_bytes(pickle.dumps(["put", Touch(tmp_path / "made")]) if said is None else said)
    with pytest.raises(ScribeError, match="is gone"):
        writing.until(lambda: False)
    writing.scribe.abandon()
    assert not (tmp_path / "made").exists()
    assert ports(tmp_path / "i.db") == [1]
