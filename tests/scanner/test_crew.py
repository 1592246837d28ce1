"""Several processes hear what one would hear, in an order that is the same each time."""

from pathlib import Path

import pytest
from muffled import AEAD_13, SESSIONS
from packets import BEGAN, Connection, pcap

from scanner.account import Usernames
from scanner.capture.file import CaptureFile
from scanner.catalogue.exchange import load_catalogue
from scanner.claims import AS_OTHERS
from scanner.crew import SMALLEST_FOR_WORKERS, Crew, CrewError, workers_worth
from scanner.model import Observation, Sighting
from scanner.pipeline import Pipeline
from scanner.totals import RunTotals

OFFICE = str(Path(__file__).parents[2] / "captures" / "office.pcapng")
CATALOGUE = load_catalogue()


def same(found: list[Observation], _: tuple[Sighting, ...]) -> list[Observation]:
    return found


def pipeline() -> Pipeline:
    return Pipeline(CATALOGUE, sensor="here", usernames=Usernames.KEEP)


def alone(names: list[str]) -> tuple[list[Observation], RunTotals]:
    one = pipeline()
    seen = []
    for name in names:
        with CaptureFile(OFFICE) as capture:
            seen += [found for batch in one.read(capture, name) for found in batch]
    return seen, one.totals()


def together(names: list[str], workers: int) -> tuple[list[Observation], RunTotals]:
    one = pipeline()
    seen = []
    with Crew(one, same, workers) as crew:
        for name in names:
            with CaptureFile(OFFICE) as capture:
                seen += [found for batch in one.run(capture, crew.hearing(name)) for found in batch]
    return seen, one.totals()


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_a_crew_hears_what_one_process_hears(workers: int) -> None:
    seen, totals = together(["first", "second"], workers)
    expected, told = alone(["first", "second"])
    assert sorted(seen, key=repr) == sorted(expected, key=repr)
    assert totals == told
    assert seen == together(["first", "second"], workers)[0]


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_what_one_session_tells_of_another_is_found_by_any_number(workers: int, tmp_path: Path) -> None:
    """How long logins are over days, and what a server's answers weigh."""
    packets = []
    login = next(session for session in SESSIONS if session.title == "SMTP PLAIN elsewhere")
    for number in range(24):
        client, server = (f"10.0.0.{number % 8}", 50_000 + number), ("192.0.2.1", 587)
        connection = Connection(client, server, at=BEGAN + number * 1800 * 1_000_000_000)
        packets += connection.open().say(*login.lines(AEAD_13)).close().packets
    path = tmp_path / "days.pcap"
    path.write_bytes(pcap(packets))
    one, several = pipeline(), pipeline()
    with CaptureFile(str(path)) as capture:
        expected = [seen for batch in one.read(capture, "days") for seen in batch]
    with Crew(several, same, workers) as crew, CaptureFile(str(path)) as capture:
        found = [seen for batch in several.run(capture, crew.hearing("days")) for seen in batch]
    assert sorted(found, key=repr) == sorted(expected, key=repr)
    assert [seen.login_again for seen in expected].count(True) == 16
    assert all(AS_OTHERS in seen.evidence for seen in expected)


def test_a_worker_that_dies_is_no_end_of_file() -> None:
    def dying(found: list[Observation], _: tuple[Sighting, ...]) -> list[Observation]:
        if found:
            raise SystemExit(0)
        return found

    one = pipeline()
    with pytest.raises(CrewError), Crew(one, dying, 1) as crew, CaptureFile(OFFICE) as capture:
        list(one.run(capture, crew.hearing("x")))


@pytest.mark.parametrize(
    ("size", "cores", "expected"),
    [
        pytest.param(SMALLEST_FOR_WORKERS - 1, 8, 0, id="a small capture needs none"),
        pytest.param(SMALLEST_FOR_WORKERS, 2, 2, id="a large one has as many as there are cores"),
        pytest.param(None, 4, 0, id="a pipe is told as it comes"),
        pytest.param(1 << 40, 64, 8, id="the parent could not feed more"),
        pytest.param(1 << 40, 1, 0, id="one core has nobody to share with"),
    ],
)
def test_workers_are_worth_their_start(
    monkeypatch: pytest.MonkeyPatch, size: int | None, cores: int, expected: int
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: cores)
    assert workers_worth(size) == expected
