"""Capture never waits for the inventory: what cannot be written waits, is counted once, and lost aloud."""

import json
import os
import pickle
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from db.filters import HostFilter
from db.prepare import Prepared, Preparer
from db.store import Inventory, InventoryError
from scanner.model import Observation, Sighting
from scanner.totals import HOUR_NS, Hour, RunTotals
from scanner.watch import keeping, spool
from scanner.watch.spool import Spool
from tests.db.samples import FINE, SEEN, other

ROOT = Path(__file__).parents[3]
WAIT_S = 30


def batch(*seen: Observation, sighted: tuple[Sighting, ...] = ()) -> Prepared:
    return Preparer().prepare(seen, sighted)


def name(number: int) -> Sighting:
    return Sighting(f"10.0.1.{number}", "", "dhcp.host_name", f"pc{number}", 1, 2)


def until(true: Callable[[], object]) -> None:
    end = time.monotonic() + WAIT_S
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


class Running:
    """A spool, and what it says."""

    def __init__(self, path: Path | str, **options: Any) -> None:
        self.said: list[str] = []
        self.spool = Spool(str(path), "here", ["eth1"], 1, self.said.append, **options)

    def put(self, *ports: int) -> None:
        self.spool.put(batch(*(other(client_port=port) for port in ports)))

    def close(self, patience_s: float = spool.PATIENCE_S, **totals: int) -> int:
        return self.spool.close([], RunTotals(**totals), 9, patience_s)


@contextmanager
def locked(path: Path, how: str = "IMMEDIATE") -> Iterator[None]:
    """Hold the writers' lock."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other_writer:
        other_writer.execute(f"BEGIN {how}")
        yield


def kept(path: Path) -> tuple[int, int]:
    """Sessions as they are stored, and as they were counted."""
    with Inventory.open(str(path)) as found:
        usages = [use.sessions for host, _ in found.hosts(FINE) for use in host.usage]
        return len(list(found.sessions())), sum(usages)


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "BUSY_MS", 50)
    monkeypatch.setattr(spool, "RETRY_S", 0.05)


def test_what_is_put_is_there_at_once(tmp_path: Path) -> None:
    running = Running(tmp_path / "i.db")
    for port in range(1, 30):
        running.put(port)
    until(lambda: running.spool.state.waiting == 0)
    with closing(sqlite3.connect(tmp_path / "i.db")) as look:
        assert look.execute("SELECT count(*) FROM sessions").fetchone() == (29,)
    assert running.spool.state.written == 29
    assert running.close() == 0
    assert running.said == []


@pytest.mark.parametrize("how", ["IMMEDIATE", "EXCLUSIVE"])
def test_while_another_holds_the_inventory_all_waits_and_is_counted_once(tmp_path: Path, how: str) -> None:
    running = Running(tmp_path / "i.db")
    running.put(1)
    until(lambda: running.spool.state.written == 1)
    with locked(tmp_path / "i.db", how):
        for port in range(1, 60):
            running.put(port, port + 1)
        until(lambda: running.spool.state.fault)
        assert running.spool.state.waiting_sessions == 118
        time.sleep(0.3)
    until(lambda: running.spool.state.waiting == 0)
    assert running.close(packets=5) == 0
    assert kept(tmp_path / "i.db") == (60, 60)
    fault, back = running.said
    assert "cannot be written" in fault and "database is locked" in fault and "\n" not in fault
    assert back == "the inventory is written again: 118 sessions had waited, up to 0 s"
    with Inventory.open(str(tmp_path / "i.db")) as found:
        (run,) = found.runs()
        assert (run.ended, run.totals) == (9, RunTotals(packets=5))


def test_an_inventory_that_is_locked_at_the_beginning_is_waited_for(tmp_path: Path) -> None:
    Inventory.open(str(tmp_path / "i.db")).close()
    with locked(tmp_path / "i.db"):
        running = Running(tmp_path / "i.db")
        running.put(1)
        assert running.spool.state.fault
    until(lambda: running.spool.state.written)
    assert running.spool.state.fault is None
    running.close()


@pytest.mark.parametrize(
    ("path", "why"),
    [("/proc/none/i.db", "No such file"), ("/", "cannot be read"), ("mysql://x/y", "SQLite or PostgreSQL")],
)
def test_an_inventory_that_never_can_be_opened_is_told_at_the_beginning(path: str, why: str) -> None:
    with pytest.raises(InventoryError, match=why):
        Running(path)


def test_past_the_bound_the_newest_are_given_up_counted_and_told_once(tmp_path: Path) -> None:
    running = Running(tmp_path / "i.db", bound=20_000)
    late = 5 * HOUR_NS + 7
    with locked(tmp_path / "i.db"):
        running.put(1)
        until(lambda: running.spool.state.fault)
        port = 1
        while not running.spool.state.unwritten:
            port += 1
            running.put(port)
            assert running.spool.state.waiting_bytes <= 20_000
        waiting = running.spool.state.waiting_sessions
        running.spool.put(batch(other(client_port=50, last_seen=late), other(client_port=51, last_seen=late)))
        assert running.spool.state.unwritten == 3
        running.spool.count([Hour(0, packets=4), Hour(HOUR_NS, packets=2)], RunTotals(packets=6), 3)
        running.spool.count([Hour(0, packets=1)], RunTotals(packets=7), 4)
    until(lambda: running.spool.state.waiting == 0)
    running.close(packets=8)
    assert waiting == port - 1
    assert kept(tmp_path / "i.db") == (waiting, waiting)
    with Inventory.open(str(tmp_path / "i.db")) as found:
        assert found.runs()[0].totals == RunTotals(packets=8, unwritten=3)
        assert found.hours() == [
            Hour(0, packets=5, unwritten=1), Hour(HOUR_NS, packets=2), Hour(5 * HOUR_NS, unwritten=2)
        ]  # fmt: skip
    assert [line.partition(":")[0] for line in running.said] == [
        "the inventory cannot be written, what is seen waits in memory",
        f"{waiting} sessions wait for the inventory, and no more can",
        "the inventory is written again",
    ]
    assert running.said[-1].endswith(f"{waiting} sessions had waited, up to 0 s, 3 were given up")


def test_a_second_outage_is_told_again(tmp_path: Path) -> None:
    running = Running(tmp_path / "i.db")
    for port in (1, 2):
        with locked(tmp_path / "i.db"):
            running.put(port)
            until(lambda: running.spool.state.fault)
        until(lambda: running.spool.state.waiting == 0)
    running.close()
    assert [line.partition(":")[2].strip() for line in running.said[1::2]] == [
        "1 sessions had waited, up to 0 s"
    ] * 2


def test_closing_tries_no_longer_than_it_is_given_and_tells_what_is_lost(tmp_path: Path) -> None:
    running = Running(tmp_path / "i.db")
    with locked(tmp_path / "i.db"):
        running.put(1, 2)
        running.put(3)
        began = time.monotonic()
        assert running.close(patience_s=0.4) == 3
        assert 0.3 < time.monotonic() - began < 2
    assert running.said[-1].startswith("3 sessions are lost, as they could not be written: ")
    assert "locked" in running.said[-1]


def test_closing_waits_for_what_waits(tmp_path: Path) -> None:
    running = Running(tmp_path / "i.db")
    with locked(tmp_path / "i.db"):
        running.put(1)
        until(lambda: running.spool.state.fault)
        lost: list[int] = []
        leaving = threading.Thread(target=lambda: lost.append(running.close()))
        leaving.start()
        time.sleep(0.2)
    leaving.join(WAIT_S)
    assert lost == [0]
    assert kept(tmp_path / "i.db") == (1, 1)


def test_what_waits_is_written_though_nobody_ends_the_run(tmp_path: Path) -> None:
    running = Running(tmp_path / "i.db")
    with locked(tmp_path / "i.db"):
        running.put(1, 2)
        running.spool.count([], RunTotals(packets=3), 5)
        running.spool.put(batch(sighted=(name(1),)))
        until(lambda: running.spool.state.fault)
    assert running.spool.drain() == 0
    assert kept(tmp_path / "i.db") == (2, 2)
    with Inventory.open(str(tmp_path / "i.db")) as found:
        assert [(run.ended, run.totals) for run in found.runs()] == [(None, RunTotals(packets=3))]
        assert len(found.hosts(FINE, HostFilter(silent=True))) == 2


def test_names_alone_wait_for_a_session_but_not_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "GATHERED_S", 0.3)
    running = Running(tmp_path / "i.db")
    for number in (1, 2):
        running.spool.put(batch(sighted=(name(number),)))
    time.sleep(0.1)
    assert running.spool.state.waiting == 2
    running.spool.put(batch(SEEN, sighted=(name(3),)))
    until(lambda: running.spool.state.waiting == 0)
    began = time.monotonic()
    running.spool.put(batch(sighted=(name(4),)))
    until(lambda: running.spool.state.waiting == 0)
    assert time.monotonic() - began >= 0.3
    running.close()
    with Inventory.open(str(tmp_path / "i.db")) as found:
        hosts = found.hosts(FINE, HostFilter(silent=True))
        assert {label.text for host, _ in hosts for label in host.names} >= {"pc1", "pc2", "pc3", "pc4"}


def test_runs_are_ended_and_begun_in_order_however_much_waits(tmp_path: Path) -> None:
    running = Running(tmp_path / "i.db")
    with locked(tmp_path / "i.db"):
        running.put(1)
        running.spool.count([Hour(0, packets=1)], RunTotals(packets=1), 5)
        running.spool.rotate([Hour(0, packets=2)], RunTotals(packets=3), 100)
        running.put(2)
        running.spool.count([Hour(0, packets=4)], RunTotals(packets=4), 105)
        running.spool.rotate([], RunTotals(packets=5), 200)
        running.put(3)
    running.close(packets=6)
    with Inventory.open(str(tmp_path / "i.db")) as found:
        last, second, first = found.runs()
        assert [(run.began, run.ended, run.totals) for run in (first, second, last)] == [
            (1, 100, RunTotals(packets=3)),
            (100, 200, RunTotals(packets=5)),
            (200, 9, RunTotals(packets=6)),
        ]
        assert found.hours() == [Hour(0, packets=7)]
        assert found.forget(101) == 2
        assert [one.client_port for one in found.sessions()] == [3]


def test_a_run_that_goes_on_tells_what_it_rests_on(tmp_path: Path) -> None:
    running = Running(tmp_path / "i.db")
    running.spool.count([], RunTotals(packets=7, dropped=2), 5)
    until(lambda: running.spool.state.committed_at)
    with Inventory.open(str(tmp_path / "i.db")) as found:
        until(lambda: found.runs()[0].alive == 5)
        (run,) = found.unfinished()
        assert (run.alive, run.totals) == (5, RunTotals(packets=7, dropped=2))
    running.close()


def test_old_sessions_are_forgotten_between_what_comes(tmp_path: Path) -> None:
    running = Running(tmp_path / "i.db")
    running.put(*range(1, 50))
    running.spool.rotate([], RunTotals(), 100)
    running.put(51)
    running.spool.forget(100)
    until(lambda: running.said)
    running.close()
    assert kept(tmp_path / "i.db") == (1, 50)
    assert running.said == ["49 sessions of long ago are forgotten; what they add up to is kept"]


def test_what_nobody_foresaw_is_raised_by_the_next_call(tmp_path: Path) -> None:
    running = Running(tmp_path / "i.db")
    broken = batch(SEEN)
    (session,) = broken.sessions
    running.spool.put(broken._replace(sessions=[(7, *session[1:])]))
    until(lambda: not running.spool._thread.is_alive())
    for call in (lambda: running.put(1), lambda: running.spool.count([], RunTotals(), 1), running.close):
        with pytest.raises(IndexError):
            call()  # type: ignore[operator]


def test_what_cannot_be_said_is_raised_too(tmp_path: Path) -> None:
    def say(_: str) -> None:
        raise BrokenPipeError

    spooled = Spool(str(tmp_path / "i.db"), "here", [], 1, say)
    with locked(tmp_path / "i.db"):
        spooled.put(batch(SEEN))
        until(lambda: not spooled._thread.is_alive())
    with pytest.raises(BrokenPipeError):
        spooled.close([], RunTotals(), 2)


SPOOLING = """
import pickle, sys
from dataclasses import replace
from db.prepare import Preparer
from scanner.watch.spool import Spool
seen = pickle.loads(bytes.fromhex(sys.argv[2]))
spool = Spool(sys.argv[1], "here", ["eth1"], 1, lambda text: print(text, flush=True))
preparer = Preparer()
"""
KILLED = """
for port in range(1, 60_000):
    spool.put(preparer.prepare([replace(seen, client_port=port)]))
    print(spool.state.written, flush=True)
"""


def script(body: str, path: Path) -> list[str]:
    return [sys.executable, "-c", SPOOLING + body, str(path), pickle.dumps(SEEN).hex()]


def test_what_was_written_outlives_a_kill_and_is_not_counted_again(tmp_path: Path) -> None:
    process = subprocess.Popen(script(KILLED, tmp_path / "i.db"), stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdout is not None
    written = 0
    while written < 50:
        written = int(process.stdout.readline())
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=WAIT_S)
    stored, counted = kept(tmp_path / "i.db")
    assert stored == counted >= written
    running = Running(tmp_path / "i.db")
    running.put(*range(1, stored + 10))
    running.close()
    assert kept(tmp_path / "i.db") == (stored + 9, stored + 9)
    assert running.spool.state.written == 9


FULL = """
import json, os, time
def until(true):
    end = time.monotonic() + 30
    while not true():
        assert time.monotonic() < end, spool.state
        time.sleep(0.01)
def put(port):
    spool.put(preparer.prepare([replace(seen, client_port=port, evidence="x" * 2000)]))
port = 0
while not spool.state.fault:
    put(port := port + 1)
    until(lambda: spool.state.waiting == 0 or spool.state.fault)
fault = spool.state.fault
for _ in range(100):
    put(port := port + 1)
os.remove("ballast")
until(lambda: spool.state.waiting == 0)
from scanner.totals import RunTotals
assert spool.close([], RunTotals(), 2) == 0
from db.store import Inventory
with Inventory.open("i.db") as kept:
    stored = len(list(kept.sessions()))
import sqlite3
(counted,) = sqlite3.connect("i.db").execute("SELECT sum(sessions) FROM usages").fetchone()
print(json.dumps([port, stored, counted, fault]))
"""
ON_A_SMALL_DISK = (
    'mount -t tmpfs -o size=8m none . && cd "$PWD" && head -c 5000000 /dev/zero > ballast && exec "$@"'
)


def test_on_a_full_disk_all_waits_until_there_is_room(tmp_path: Path) -> None:
    command = ["unshare", "-Urm", "sh", "-c", ON_A_SMALL_DISK, "sh", *script(FULL, Path("i.db"))]
    inside = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, cwd=tmp_path, env=inside, timeout=60, check=False)
    assert done.returncode == 0, done.stderr.decode()
    *said, last = done.stdout.decode().splitlines()
    put, stored, counted, fault = json.loads(last)
    assert put == stored == counted > 100
    assert "full" in fault
    assert len(said) == 2 and said[1].startswith("the inventory is written again: 1")


BOUNDED = """
import sqlite3, json
other = sqlite3.connect(sys.argv[1], isolation_level=None)
other.execute("BEGIN IMMEDIATE")
def memory():
    return int(open("/proc/self/statm").read().split()[1]) * 4096
before = memory()
port = 0
while not spool.state.unwritten:
    port += 1
    spool.put(preparer.prepare([replace(seen, client_port=port % 60_000 + 1, first_seen=port)]))
print(json.dumps([memory() - before, spool.state.waiting_bytes]), flush=True)
import os
os._exit(0)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_what_waits_is_bounded_in_memory(tmp_path: Path) -> None:
    command = script(BOUNDED, tmp_path / "i.db")
    done = subprocess.run(command, capture_output=True, cwd=ROOT, timeout=120, check=False)
    grown, waiting = json.loads(done.stdout.decode().splitlines()[-1])
    assert 0.95 * spool.BOUND_BYTES < waiting <= spool.BOUND_BYTES
    assert grown < 1.4 * spool.BOUND_BYTES
