"""What was heard of machines is kept once, with from when to when, and never without end."""

from pathlib import Path

import pytest

from db import telling
from db.filters import HostFilter, Lens
from db.store import Inventory
from scanner.model import LEASE, Heard, Sighting
from scanner.totals import RunTotals
from tests.db.samples import FINE, SEEN, other

MAC = "00:26:73:00:00:01"


def sighting(text: str = "ricoh", at: int = 5, field: str = "mdns.host", ip: str = "10.0.0.1") -> Sighting:
    return Sighting(ip, MAC, field, text, at, at)


def labels(path: Path) -> list[Heard]:
    with Inventory.open(str(path)) as kept:
        return [label for host, _ in kept.hosts(FINE, HostFilter(silent=True)) for label in host.labels]


def test_a_label_stretches_over_all_that_was_heard(tmp_path: Path) -> None:
    with Inventory.open(str(tmp_path / "i.db")) as kept:
        run = kept.begin_run("here", [], 1)
        for at in (5, 9, 3, 7):
            kept.record(run, [], [sighting(at=at)])
        kept.finish_run(run, RunTotals(), 2)
    assert labels(tmp_path / "i.db") == [Heard("mdns.host", "ricoh", 3, 9)]


def test_two_runs_tell_of_one_label(tmp_path: Path) -> None:
    for at in (5, 9, 3):
        with Inventory.open(str(tmp_path / "i.db")) as kept:
            kept.record(kept.begin_run("here", [], 1), [], [sighting(at=at)])
    assert labels(tmp_path / "i.db") == [Heard("mdns.host", "ricoh", 3, 9)]


def test_what_a_failed_batch_leaves_is_still_written(tmp_path: Path) -> None:
    with Inventory.open(str(tmp_path / "i.db")) as kept:
        run = kept.begin_run("here", [], 1)
        kept.record(run, [], [sighting(at=5)])
        kept.record(run, [], [sighting(at=9)])
        with pytest.raises(TypeError):
            kept.record(run, [SEEN, other(first_seen="no number")])
    assert labels(tmp_path / "i.db") == [Heard("mdns.host", "ricoh", 5, 9)]


def test_what_is_new_is_written_with_its_batch_or_a_second_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter((0.0, 0.1, 0.2, 1.5, 1.6))
    monkeypatch.setattr(telling, "monotonic", lambda: next(clock))
    found = []
    with Inventory.open(str(tmp_path / "i.db")) as kept:
        run = kept.begin_run("here", [], 1)
        for text in ("a", "b", "c", "d", "e"):
            kept.record(run, [], [sighting(text)])
            found.append("".join(label.text for label in labels(tmp_path / "i.db")))
    assert found == ["a", "a", "a", "abcd", "abcd"]
    assert "".join(label.text for label in labels(tmp_path / "i.db")) == "abcde"


@pytest.mark.parametrize("at", [0.5, 2.0])
def test_what_waits_outlives_a_batch_that_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: float
) -> None:
    clock = iter((0.0, 0.1, at, 3.5))
    monkeypatch.setattr(telling, "monotonic", lambda: next(clock))
    with Inventory.open(str(tmp_path / "i.db")) as kept:
        run = kept.begin_run("here", [], 1)
        kept.record(run, [], [sighting("a", 5)])
        kept.record(run, [], [sighting("b", 5), sighting("a", 9)])
        with pytest.raises(TypeError):
            kept.record(run, [SEEN, other(first_seen="no number")], [sighting("c", ip="10.0.0.99")])
        kept.record(run, [], [sighting("d", 7)])
    assert labels(tmp_path / "i.db") == [
        Heard("mdns.host", "a", 5, 9), Heard("mdns.host", "b", 5, 5), Heard("mdns.host", "d", 7, 7)
    ]  # fmt: skip


def test_names_that_differ_are_all_kept(tmp_path: Path) -> None:
    with Inventory.open(str(tmp_path / "i.db")) as kept:
        said = [sighting("one"), sighting("two"), sighting("one", field="dhcp.host_name")]
        kept.record(kept.begin_run("here", [], 1), [SEEN], said)
        ((host, _),) = kept.hosts(FINE)
        assert [(name.field, name.text) for name in host.names] == [
            ("dhcp.host_name", "one"), ("mdns.host", "one"), ("mdns.host", "two"),
            ("smtp.client_name", "copier"),
        ]  # fmt: skip


def test_a_flood_of_names_has_an_end_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telling, "TEXTS_KEPT", 3)
    with Inventory.open(str(tmp_path / "i.db")) as kept:
        run = kept.begin_run("here", [], 1)
        for at in range(20):
            kept.record(run, [], [sighting(f"name{at}", at)])
    assert [label.text for label in labels(tmp_path / "i.db")] == [telling.MORE, "name0", "name1", "name2"]


def test_what_a_writer_remembers_may_be_let_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telling, "REMEMBERED", 2)
    with Inventory.open(str(tmp_path / "i.db")) as kept:
        run = kept.begin_run("here", [], 1)
        for at in range(8):
            kept.record(run, [], [sighting(f"name{at % 4}", at)])
    assert labels(tmp_path / "i.db") == [
        Heard("mdns.host", f"name{number}", number, number + 4) for number in range(4)
    ]


def test_leases_are_kept_and_given_to_the_next_run(tmp_path: Path) -> None:
    with Inventory.open(str(tmp_path / "i.db")) as kept:
        run = kept.begin_run("here", [], 1)
        for first, last in ((100, 200), (150, 250)):
            kept.record(run, [], [Sighting("10.0.0.7", MAC, LEASE, "", first, last)])
    with Inventory.open(str(tmp_path / "i.db")) as kept:
        assert kept.leases() == [Sighting("10.0.0.7", MAC, LEASE, "", 100, 250)]
        assert [host.host for host, _ in kept.hosts(Lens(), HostFilter(silent=True))] == [MAC]
        assert list(kept.hosts(FINE)) == []
