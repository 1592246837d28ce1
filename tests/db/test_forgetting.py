"""Sessions go, what they add up to stays, and reading them again adds nothing."""

from pathlib import Path

import pytest
from sqlalchemy import text

from db import forgetting
from db.store import Inventory
from scanner.totals import RunTotals
from tests.db.samples import FINE, SEEN, filled, other


def counts(kept: Inventory) -> list[tuple[int, int]]:
    return sorted((use.sessions, use.mails) for host, _ in kept.hosts(FINE) for use in host.usage)


def test_old_sessions_are_forgotten_and_what_they_add_up_to_stays(tmp_path: Path) -> None:
    with filled(tmp_path / "i.db", SEEN) as kept:
        assert kept.forget(2) == 1
        assert not list(kept.sessions())
        assert kept.hosts(FINE)[0][0].usage[0].sessions == 1


def test_only_runs_of_long_ago_are_forgotten(tmp_path: Path) -> None:
    with filled(tmp_path / "i.db", SEEN, began=100) as kept:
        second = kept.begin_run("here", ["b.pcap"], 200)
        kept.record(second, [other(client_port=2)])
        assert kept.forget(100) == 0
        assert kept.forget(101) == 1
        assert [one.client_port for one in kept.sessions()] == [2]
        assert kept.forget(101) == 0


def test_a_file_read_again_after_it_was_forgotten_is_not_counted_again(tmp_path: Path) -> None:
    file = [other(client_port=port, first_seen=1_000 + port, last_seen=9_000) for port in range(1, 50)]
    with filled(tmp_path / "i.db", *file) as kept:
        before = counts(kept)
        for _ in range(3):
            assert kept.forget(2) in (49, 0)
            run = kept.begin_run("elsewhere", ["copy.pcap"], 50)
            for at in range(0, 49, 7):
                kept.record(run, file[at : at + 7])
            assert counts(kept) == before
            assert len(list(kept.sessions())) == 49
            kept.forget(51)


def test_what_comes_after_is_counted_as_ever(tmp_path: Path) -> None:
    with filled(tmp_path / "i.db", SEEN) as kept:
        kept.forget(2)
        run = kept.begin_run("here", ["b.pcap"], 50)
        kept.record(run, [other(client_port=7, first_seen=5_000, last_seen=5_001)])
        assert counts(kept) == [(2, 4)]


def test_a_use_that_was_not_known_is_counted_even_in_a_time_that_was_forgotten(tmp_path: Path) -> None:
    with filled(tmp_path / "i.db", SEEN) as kept:
        kept.forget(2)
        run = kept.begin_run("here", ["b.pcap"], 50)
        kept.record(run, [other(client_port=7, mechanism="PLAIN"), other(client_ip="10.0.0.9")])
        assert counts(kept) == [(1, 2), (1, 2), (1, 2)]


def test_details_go_with_their_last_session(tmp_path: Path) -> None:
    with filled(tmp_path / "i.db", SEEN, other(client_port=3, ja4="of the first only"), began=1) as kept:
        run = kept.begin_run("here", ["b.pcap"], 50)
        kept.record(run, [other(client_port=2)])
        kept.forget(2)
        with kept._reads() as connection:
            kinds = connection.execute(text("SELECT record FROM details")).scalars().all()
        assert len(kinds) == 1 and "of the first only" not in kinds[0]


def test_it_goes_on_where_it_was_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forgetting, "ROWS_DROPPED", 10)
    file = [other(client_port=port, first_seen=1_000 + port, last_seen=9_000) for port in range(1, 50)]
    with filled(tmp_path / "i.db", *file) as kept:
        before = counts(kept)
        drop = forgetting._drop

        def killed(*arguments: object) -> object:
            yield next(iter(drop(*arguments)))  # type: ignore[arg-type]
            raise KeyboardInterrupt

        monkeypatch.setattr(forgetting, "_drop", killed)
        with pytest.raises(KeyboardInterrupt):
            kept.forget(2)
        assert len(list(kept.sessions())) == 39
        monkeypatch.setattr(forgetting, "_drop", drop)
        kept.record(kept.begin_run("here", [], 60), file[:5])
        assert kept.forget(2) == 39
        kept.record(kept.begin_run("here", [], 60), file)
        assert counts(kept) == before


def test_a_run_that_never_ended_is_forgotten_too(tmp_path: Path) -> None:
    with filled(tmp_path / "i.db", SEEN) as kept:
        run = kept.begin_run("here", [], 1)
        kept.record(run, [other(client_port=1)])
        assert kept.forget(2) == 2
        kept.record(run, [other(client_port=2)])
        assert kept.forget(2) == 1
        kept.finish_run(run, RunTotals(), 3)
        assert kept.forget(2) == 0
