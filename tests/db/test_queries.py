"""Sessions and runs as they are read back."""

from pathlib import Path

import pytest

from db.queries import SessionFilter
from db.store import Inventory
from scanner.totals import RunTotals
from tests.db.samples import FINE, SEEN, filled, other


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (SessionFilter(protocol="smtp", mechanism="LOGIN", since=1_000, limit=5), 1),
        (SessionFilter(protocol="imap"), 0),
        (SessionFilter(mechanism="login"), 1),
        (SessionFilter(mechanism="PLAIN"), 0),
        (SessionFilter(since=1_001), 0),
    ],
)
def test_session_filters(tmp_path: Path, wanted: SessionFilter, found: int) -> None:
    with filled(tmp_path / "i.db", SEEN) as kept:
        assert len(list(kept.sessions(wanted))) == found


def test_sessions_come_the_newest_first(tmp_path: Path) -> None:
    seen = [other(client_port=port, first_seen=port, last_seen=port) for port in (5, 9, 1, 7)]
    with filled(tmp_path / "i.db", *seen) as kept:
        found = kept.host("10.0.0.1", FINE)
        assert found is not None
        host = found[0]
        for asked in (SessionFilter(), SessionFilter(host=host)):
            assert [one.first_seen for one in kept.sessions(asked)] == [9, 7, 5, 1]
        assert [one.first_seen for one in kept.sessions(SessionFilter(limit=2))] == [9, 7]


@pytest.mark.parametrize(
    ("runs", "left"),
    [
        pytest.param([("a", True)], [], id="one that ended"),
        pytest.param([("a", False)], [1], id="one that did not"),
        pytest.param([("a", False), ("a", True)], [], id="read to the end later"),
        pytest.param([("a", True), ("a", False)], [2], id="read to the end before"),
        pytest.param([("ab", False), ("a", True)], [1], id="only a part read later"),
        pytest.param([("ab", False), ("a", True), ("b", True)], [], id="all parts read later"),
        pytest.param([("", False), ("a", True)], [1], id="no source is known"),
    ],
)
def test_runs_that_are_unfinished(tmp_path: Path, runs: list[tuple[str, bool]], left: list[int]) -> None:
    with Inventory.open(str(tmp_path / "i.db")) as kept:
        for sources, ended in runs:
            run = kept.begin_run("here", list(sources), 1)
            if ended:
                kept.finish_run(run, RunTotals(), 2)
        assert [run.id for run in kept.unfinished()] == left


def test_nobody_reads_what_a_sensor_missed(tmp_path: Path) -> None:
    with Inventory.open(str(tmp_path / "i.db")) as kept:
        kept.update_run(kept.begin_run("here", ["eth1"], 1), RunTotals(), 2)
        kept.finish_run(kept.begin_run("here", ["eth1"], 3), RunTotals(), 4)
        assert [run.id for run in kept.unfinished()] == [1]
