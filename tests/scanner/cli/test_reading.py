"""A run over captures: what is wanted of observations is made once, here or by workers."""

from contextlib import ExitStack
from multiprocessing import parent_process
from pathlib import Path

import pytest
from click import ClickException

from db.store import Inventory
from scanner.account import Usernames
from scanner.catalogue.exchange import load_catalogue
from scanner.cli import reading as reading_module
from scanner.cli.reading import Finished, Reading, Wants, finisher
from scanner.model import Observation, Sighting
from scanner.pipeline import Pipeline

OFFICE = str(Path(__file__).parents[3] / "captures" / "office.pcapng")
CATALOGUE = load_catalogue()
KEEP, LINES, RECORDS = Wants(True, False, False), Wants(False, True, False), Wants(False, False, True)


def reading(wants: Wants, workers: int | None, stack: ExitStack, *paths: str) -> Reading:
    return Reading(Pipeline(CATALOGUE, "here", Usernames.KEEP), list(paths), wants, workers, stack)


@pytest.mark.parametrize("workers", [0, 1, 2, None])
def test_workers_make_no_difference_to_what_is_kept(workers: int | None, tmp_path: Path) -> None:
    opened: list[Inventory] = []

    def kept() -> Inventory:
        opened.append(stack.enter_context(Inventory.open(str(tmp_path / "x.db"))))
        return opened[0]

    with ExitStack() as stack:
        list(reading(KEEP, workers, stack, OFFICE, OFFICE).finished(kept))
        assert len(opened) == 1
        (run,) = opened[0].runs()
        assert run.ended is not None and run.totals is not None
        assert (run.totals.packets, run.totals.observations) == (452, 16)
        assert len(list(opened[0].sessions())) == 8


@pytest.mark.parametrize(
    ("wants", "counts"),
    [
        pytest.param(LINES, (None, 8, 0), id="lines as they come"),
        pytest.param(RECORDS, (None, 0, 8), id="records for the end"),
    ],
)
def test_nothing_is_made_that_nobody_wants(wants: Wants, counts: tuple[None, int, int]) -> None:
    with ExitStack() as stack:
        (found,) = reading(wants, 0, stack, OFFICE).finished(None)
    assert (found.rows, len(found.lines), len(found.records)) == counts


def test_what_cannot_be_read_is_told_and_the_rest_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "broken.pcap"
    broken.write_bytes(b"no capture")
    with ExitStack() as stack:
        run = reading(LINES, 0, stack, str(broken), OFFICE)
        assert sum(len(found.lines) for found in run.finished(None)) == 8
        run.say()
    assert len(run.unreadable) == len(run.totals.unreadable) == 1
    told = capsys.readouterr().err.splitlines()
    assert "offset 0" in told[0] and told[-1].startswith("226 packets")


def test_finishing_nothing_gives_nothing() -> None:
    found = finisher(Wants(True, True, True))([], ())
    assert found.rows is not None
    assert (found.rows.sessions, found.lines, found.records) == ([], [], [])


def test_a_worker_that_is_gone_ends_the_run_with_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def dying(seen: list[Observation], sighted: tuple[Sighting, ...]) -> Finished:
        if parent_process() is None:
            return Finished(None, [], [])
        raise SystemExit(0)

    monkeypatch.setattr(reading_module, "finisher", lambda wants: dying)
    with pytest.raises(ClickException, match="a listening process is gone"), ExitStack() as stack:
        list(reading(LINES, 1, stack, OFFICE).finished(None))
