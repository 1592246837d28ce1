"""An inventory whose file goes while a sensor runs is begun anew, by the run that goes on."""

from collections.abc import Callable
from pathlib import Path

import pytest

from db import forgetting
from db.prepare import Preparer
from db.store import Inventory, UnavailableError
from scanner.totals import RunTotals
from scanner.watch.keeping import Keeper, Tally
from tests.db.samples import SEEN, filled, other


def removed(path: Path) -> None:
    for file in path.parent.glob("i.db*"):
        file.unlink()


def moved(path: Path) -> None:
    path.rename(path.with_name("old.db"))


def replaced(path: Path) -> None:
    filled(path.with_name("new.db"), other(client_port=7)).close()
    removed(path)
    path.with_name("new.db").rename(path)


@pytest.mark.parametrize(
    ("happens", "ports", "runs"),
    [
        pytest.param(removed, [2], [1], id="removed"),
        pytest.param(moved, [2], [1], id="moved away"),
        pytest.param(replaced, [2, 7], [2, 1], id="replaced by another"),
    ],
)
def test_a_file_that_is_gone_is_begun_anew(
    tmp_path: Path, happens: Callable[[Path], None], ports: list[int], runs: list[int]
) -> None:
    path, said = tmp_path / "i.db", list[str]()
    keeper = Keeper(str(path), "there", ["eth1"], 5, said.append)
    assert keeper.write(Preparer().prepare([other(client_port=1)])) == 1
    happens(path)
    assert keeper.write(Preparer().prepare([other(client_port=2)])) == 1
    keeper.end(Tally({}, RunTotals(packets=3), 9))
    keeper.close()
    assert said == ["the inventory is gone or another took its place: what comes goes to the one there now"]
    with Inventory.open(str(path)) as kept:
        assert sorted(one.client_port for one in kept.sessions()) == ports
        newest, *_ = kept.runs()
        assert [run.id for run in kept.runs()] == runs
        assert (newest.sensor, newest.began, newest.ended) == ("there", 5, 9)


def test_a_file_that_was_spoilt_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "i.db"
    keeper = Keeper(str(path), "there", [], 5, lambda _: None)
    keeper.ready()
    removed(path)
    path.write_bytes(b"not a database, but long enough to look at" * 100)
    for _ in range(2):
        with pytest.raises(UnavailableError, match="not a database"):
            keeper.write(Preparer().prepare([SEEN]))
    removed(path)
    path.parent.rmdir()
    assert keeper.write(Preparer().prepare([SEEN])) == 1
    keeper.close()


def test_what_is_to_be_forgotten_may_change_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forgetting, "ROWS_DROPPED", 1)
    said: list[str] = []
    keeper = Keeper(str(tmp_path / "i.db"), "there", [], 5, said.append)
    for began in (10, 20, 30):
        keeper.write(Preparer().prepare([other(client_port=began), other(client_port=began + 1)]))
        keeper.end(Tally({}, RunTotals(), began))
    keeper.forget(10)
    keeper.forget_some()
    keeper.forget(20)
    while keeper.forgets:
        keeper.forget_some()
    keeper.close()
    assert said == ["3 sessions of long ago are forgotten; what they add up to is kept"]
    with Inventory.open(str(tmp_path / "i.db")) as kept:
        assert sorted(one.client_port for one in kept.sessions()) == [30, 31]
