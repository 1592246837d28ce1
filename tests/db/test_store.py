"""The inventory keeps what it was given, once, whole, and for its owner alone."""

import os
import pickle
import signal
import sqlite3
import stat
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, text

from db.connection import _make
from db.prepare import Preparer
from db.schema import metadata
from db.store import Inventory, InventoryError, UnavailableError
from scanner.conversation import Side
from scanner.events import Label, Outcome, Turn
from scanner.model import Attempt, AuthClass, Sighting
from scanner.totals import HOUR_NS, Hour, RunTotals
from tests.db.samples import FINE, SEEN, filled, other


def test_what_goes_in_comes_out(tmp_path: Path) -> None:
    whole = replace(
        SEEN,
        attempts=(Attempt("PLAIN", AuthClass.BASIC, Outcome.REFUSED, "bad-credentials"),),
        labels=(Label("eas.version", "14.1"),),
        offered=("LOGIN",),
        weird=("odd",),
    )
    with filled(tmp_path / "i.db", whole) as kept:
        assert list(kept.sessions()) == [whole]


def test_sizes_inside_tls_are_never_stored(tmp_path: Path) -> None:
    with filled(tmp_path / "i.db", replace(SEEN, turns=(Turn(Side.CLIENT, 77, 77, 1, 0),))) as kept:
        assert next(kept.sessions()).turns == ()


def test_reading_twice_adds_nothing(tmp_path: Path) -> None:
    with filled(tmp_path / "i.db", SEEN) as kept:
        assert (
            kept.record(kept.begin_run("here", ["b.pcap"], 5), [SEEN, replace(SEEN, capture="b.pcap")]) == 0
        )
        assert [use.sessions for host, _ in kept.hosts(FINE) for use in host.usage] == [1]


def test_usage_adds_up(tmp_path: Path) -> None:
    later = other(first_seen=5_000, last_seen=9_000, client_port=50001)
    with filled(tmp_path / "i.db", SEEN, later) as kept:
        ((host, _),) = kept.hosts(FINE)
        assert [(use.sessions, use.mails, use.first_seen, use.last_seen) for use in host.usage] == [
            (2, 4, 1000, 9000)
        ]
        assert (host.host, host.addresses) == ("00:26:73:00:00:01", ("10.0.0.1",))
        assert [(name.text, name.field) for name in host.names] == [("copier", "smtp.client_name")]


def test_runs_tell_what_was_lost_and_whether_they_ended(tmp_path: Path) -> None:
    with filled(tmp_path / "i.db") as kept:
        kept.begin_run("there", ["c.pcap"], 3)
        second, first = kept.runs()
        assert (first.ended, first.totals) == (2, RunTotals(packets=3, unreadable=("x",)))
        assert (second.ended, second.totals) == (None, None)


def test_a_run_that_goes_on_tells_what_it_has_by_now(tmp_path: Path) -> None:
    with Inventory.open(str(tmp_path / "i.db")) as kept:
        run = kept.begin_run("here", ["eth1"], 1)
        kept.update_run(run, RunTotals(packets=3, dropped=1), 60)
        kept.update_run(run, RunTotals(packets=7, dropped=1), 120)
        (going,) = kept.unfinished()
        assert (going.alive, going.ended, going.totals) == (120, None, RunTotals(packets=7, dropped=1))


def test_what_was_only_remembered_of_a_run_that_goes_on_outlives_it(tmp_path: Path) -> None:
    with Inventory.open(str(tmp_path / "i.db")) as kept:
        run = kept.begin_run("here", ["eth1"], 1)
        for last in (2_000, 9_000):
            kept.record(run, [], [Sighting("10.0.0.1", "", "dhcp.host_name", "pc", 1_000, last)])
        kept.update_run(run, RunTotals(), 60)
        with closing(sqlite3.connect(tmp_path / "i.db")) as look:
            assert look.execute("SELECT text, last_seen FROM labels").fetchall() == [("pc", 9_000)]


def test_hours_add_up_over_runs_and_stay_when_sessions_go(tmp_path: Path) -> None:
    with filled(tmp_path / "i.db", SEEN) as kept:
        run = kept.begin_run("here", ["eth1"], 1)
        kept.update_run(run, RunTotals(), 2, [Hour(0, packets=2**40, dropped=3), Hour(HOUR_NS, cut=1)])
        kept.update_run(run, RunTotals(), 3, [Hour(HOUR_NS, cut=2, down_ns=HOUR_NS)])
        kept.finish_run(run, RunTotals(), 4, [Hour(HOUR_NS, gaps=5)])
        second = kept.begin_run("there", ["eth1"], 4)
        kept.finish_run(second, RunTotals(), 5, [Hour(HOUR_NS, unwritten=1, cut=1)])
        assert kept.forget(9) == 1
        later = Hour(HOUR_NS, cut=4, gaps=5, unwritten=1, down_ns=HOUR_NS)
        assert kept.hours() == [Hour(0, packets=2**40, dropped=3), later]
        assert kept.hours(1) == [later]


def test_what_root_makes_in_somebodys_folder_is_his(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As under sudo: else he could not read what was found, nor go on with it."""
    given: list[tuple[str, int, int]] = []
    home = tmp_path / "home"
    home.mkdir()
    real = Path.stat
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr("os.chown", lambda path, uid, gid, **_: given.append((path.name, uid, gid)))
    monkeypatch.setattr("os.fchown", lambda number, uid, gid: given.append(("file", uid, gid)))

    def owned(path: Path, **how: bool) -> os.stat_result:
        told = real(path, **how)
        return os.stat_result((*told[:4], 1234, 56, *told[6:10])) if path == home else told

    monkeypatch.setattr(Path, "stat", owned)
    _make(home / "data" / "deep" / "i.db")
    assert given == [("deep", 1234, 56), ("data", 1234, 56), ("file", 1234, 56)]
    given.clear()
    _make(home / "data" / "deep" / "i.db")
    (home / "link.db").symlink_to(home / "target")
    _make(home / "link.db")
    assert given == []
    assert stat.S_IMODE((home / "target").stat().st_mode) == 0o600


def test_only_the_owner_can_read_it(tmp_path: Path) -> None:
    with filled(tmp_path / "deep" / "i.db", SEEN):
        modes = {stat.S_IMODE(file.stat().st_mode) for file in (tmp_path / "deep").iterdir()}
        assert modes == {0o600}


def test_migrations_make_what_the_schema_says(tmp_path: Path) -> None:
    filled(tmp_path / "i.db").close()
    engine = create_engine(f"sqlite:///{tmp_path / 'i.db'}")
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()


def test_a_newer_database_is_left_alone(tmp_path: Path) -> None:
    filled(tmp_path / "i.db").close()
    engine = create_engine(f"sqlite:///{tmp_path / 'i.db'}")
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(InventoryError, match="newer version"):
        Inventory.open(str(tmp_path / "i.db"))


@pytest.mark.parametrize(
    ("url", "why"),
    [
        pytest.param("mysql://x/y", "SQLite or PostgreSQL", id="another database"),
        pytest.param("nonsense://x", "nonsense", id="no database"),
        pytest.param("/proc/none/i.db", "No such file", id="a folder that cannot be"),
        pytest.param("/", "cannot be read", id="a folder"),
    ],
)
def test_what_cannot_be_opened_is_told_in_a_line(url: str, why: str) -> None:
    with pytest.raises(InventoryError, match=why) as told:
        Inventory.open(url)
    assert "\n" not in str(told.value)


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    (tmp_path / "i.db").write_text("not a database, but long enough to look at" * 100)
    with pytest.raises(InventoryError, match="not a database"):
        Inventory.open(str(tmp_path / "i.db"))


def test_there_is_nothing_to_list_before_something_was_read(tmp_path: Path) -> None:
    with pytest.raises(InventoryError, match="no inventory yet"):
        Inventory.open(str(tmp_path / "i.db"), create=False)


WRITER = """
import pickle, sys
from dataclasses import replace
from db.store import Inventory
kept = Inventory.open(sys.argv[1])
seen = pickle.loads(bytes.fromhex(sys.argv[2]))
run = kept.begin_run("here", [], 1)
for number in range(int(sys.argv[3]), int(sys.argv[4])):
    kept.record(run, [replace(seen, client_port=number)])
    print(number, flush=True)
"""


def writer(path: Path, first: int, last: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, str(path), pickle.dumps(SEEN).hex(), str(first), str(last)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_another_writer_is_waited_for_as_long_as_told(tmp_path: Path) -> None:
    with Inventory.open(str(tmp_path / "i.db"), busy_ms=100) as kept:
        with closing(sqlite3.connect(tmp_path / "i.db", isolation_level=None)) as writing:
            writing.execute("BEGIN IMMEDIATE")
            began = time.monotonic()
            with pytest.raises(UnavailableError, match="locked"):
                kept.begin_run("here", [], 1)
            assert 0.05 < time.monotonic() - began < 5
        assert kept.begin_run("here", [], 1) == 1


def test_a_fault_of_ours_is_none_that_passes(tmp_path: Path) -> None:
    with filled(tmp_path / "i.db") as kept:
        batch = Preparer().prepare([SEEN])
        (form, *place, own, again) = batch.sessions[0]
        odd = batch._replace(sessions=[(form, *place, (*own[:-1], {}), again)])
        with pytest.raises(InventoryError) as told:
            kept.write(1, odd)
        assert not isinstance(told.value, UnavailableError)


def test_a_file_that_is_gone_is_no_more_in_place(tmp_path: Path) -> None:
    with Inventory.open("sqlite://") as kept:
        assert kept.in_place
    with filled(tmp_path / "i.db") as kept:
        assert kept.in_place
        (tmp_path / "i.db").rename(tmp_path / "j.db")
        assert not kept.in_place


def test_who_only_reads_cannot_write(tmp_path: Path) -> None:
    filled(tmp_path / "i.db", SEEN).close()
    with Inventory.open(str(tmp_path / "i.db"), read_only=True) as kept:
        assert len(list(kept.sessions())) == 1
        with pytest.raises(InventoryError, match="readonly"):
            kept.begin_run("here", ["b.pcap"], 2)
        with pytest.raises(InventoryError, match="readonly"):
            kept.forget(10**18)
        assert len(kept.runs()) == 1


def test_a_mark_is_another_after_each_change_by_others_and_no_other_before(tmp_path: Path) -> None:
    filled(tmp_path / "i.db").close()
    with (
        Inventory.open(str(tmp_path / "i.db"), read_only=True) as kept,
        Inventory.open(str(tmp_path / "i.db")) as sensor,
        kept.marks() as mark,
    ):
        marks = [mark(), mark()]
        run = sensor.begin_run("here", ["eth0"], 2)
        marks += [mark(), mark()]
        sensor.record(run, [SEEN])
        marks += [mark()]
        assert list(sensor.sessions())
        marks += [mark()]
        assert [marks.index(one) for one in marks] == [0, 0, 2, 2, 4, 4]


def test_there_is_no_mark_of_a_file_that_is_gone(tmp_path: Path) -> None:
    with filled(tmp_path / "i.db") as kept, kept.marks() as mark:
        (tmp_path / "i.db").rename(tmp_path / "j.db")
        with pytest.raises(UnavailableError, match="gone, or another"):
            mark()


def test_two_processes_write_at_once(tmp_path: Path) -> None:
    filled(tmp_path / "i.db").close()
    both = [writer(tmp_path / "i.db", 1, 40), writer(tmp_path / "i.db", 20, 60)]
    assert [process.communicate(timeout=60) and process.returncode for process in both] == [0, 0]
    with Inventory.open(str(tmp_path / "i.db")) as kept:
        assert len(list(kept.sessions())) == 59
        assert kept.hosts(FINE)[0][0].usage[0].sessions == 59


def test_what_was_committed_outlives_a_kill(tmp_path: Path) -> None:
    process = writer(tmp_path / "i.db", 1, 100_000)
    assert process.stdout is not None
    told = [process.stdout.readline() for _ in range(5)]
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)
    with Inventory.open(str(tmp_path / "i.db")) as kept:
        assert {seen.client_port for seen in kept.sessions()} >= {int(number) for number in told}
        assert [run.ended for run in kept.runs()] == [None]


def test_a_full_disk_is_told_and_nothing_committed_is_lost(tmp_path: Path) -> None:
    with filled(tmp_path / "i.db", SEEN) as kept:
        with kept._engine.connect() as connection:
            connection.execute(text("PRAGMA max_page_count = 1"))
            pages = connection.execute(text("PRAGMA page_count")).scalar_one()
            connection.execute(text(f"PRAGMA max_page_count = {pages}"))
        many = [other(client_port=port, evidence="x" * 3000) for port in range(1, 400)]
        with pytest.raises(InventoryError, match="full"):
            kept.record(1, many)
        assert list(kept.sessions()) == [SEEN]
