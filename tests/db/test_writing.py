"""A session counts once, however it is cut into batches, whatever comes first, and whoever else writes."""

import random
from collections.abc import Sequence
from dataclasses import fields, replace
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from db import rows, writing
from db.store import Inventory
from scanner.events import Label, Outcome
from scanner.model import AuthClass, Observation
from tests.db.samples import FINE, SEEN, other

FILE = [
    replace(
        other(
            client_ip=f"10.0.0.{number % 7}",
            client_port=number,
            client_mac=None if number % 3 else f"00:26:73:00:00:{number % 2:02x}",
            mechanism=("LOGIN", "PLAIN", None)[number % 3],
            auth_class=(AuthClass.BASIC, AuthClass.BASIC, AuthClass.NONE)[number % 3],
            outcome=(Outcome.ACCEPTED, None)[number % 2],
            first_seen=1_000 + number // 2,
            last_seen=2_000 + number * 7 % 11,
            client_name=f"name {number % 5}" if number % 4 else None,
            mails=number % 3,
        ),
        labels=(Label("eas.version", "14.1"),) if number % 5 == 0 else (),
    )
    for number in range(60)
]


def told(kept: Inventory) -> tuple[object, ...]:
    """All that the inventory says."""
    runs = sum(run.ended is None for run in kept.runs())
    return list(kept.hosts(FINE)), list(kept.sessions()), runs


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> tuple[object, ...]:
    with Inventory.open(str(tmp_path_factory.mktemp("db") / "i.db")) as kept:
        assert kept.record(kept.begin_run("here", [], 1), FILE) == len(FILE)
        return told(kept)


@settings(deadline=None, max_examples=25)
@given(
    order=st.permutations(FILE),
    again=st.lists(st.sampled_from(FILE), max_size=20),
    cuts=st.lists(st.integers(0, 80), max_size=10),
)
def test_any_order_any_batches_any_repetition_give_the_same(
    expected: tuple[object, ...],
    order: Sequence[Observation],
    again: Sequence[Observation],
    cuts: Sequence[int],
) -> None:
    seen = [*again, *order]
    edges = [0, *sorted(cuts), len(seen)]
    with TemporaryDirectory() as folder, Inventory.open(f"{folder}/i.db") as kept:
        run = kept.begin_run("here", [], 1)
        added = [kept.record(run, seen[first:last]) for first, last in pairwise(edges)]
        assert sum(added) == len(FILE)
        assert told(kept) == expected


def test_two_writers_that_take_turns_give_the_same(tmp_path: Path, expected: tuple[object, ...]) -> None:
    draw = random.Random(7)
    with Inventory.open(str(tmp_path / "i.db")) as one, Inventory.open(str(tmp_path / "i.db")) as two:
        writers = [(kept, kept.begin_run("here", [], 1)) for kept in (one, two)]
        for at in range(0, len(FILE), 5):
            kept, run = draw.choice(writers)
            kept.record(run, FILE[max(at - 3, 0) : at + 5])
        one.runs()  # who reads first writes what it only remembered
        assert told(two)[:2] == expected[:2]


def test_what_a_writer_remembers_may_be_let_go(
    tmp_path: Path, expected: tuple[object, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "REMEMBERED", 3)
    monkeypatch.setattr(writing, "KEYS_ASKED", 2)
    with Inventory.open(str(tmp_path / "i.db")) as kept:
        run = kept.begin_run("here", [], 1)
        for at in range(0, len(FILE), 8):
            kept.record(run, FILE[at : at + 8])
        assert told(kept) == expected


def test_a_batch_that_fails_leaves_nothing_behind(tmp_path: Path, expected: tuple[object, ...]) -> None:
    with Inventory.open(str(tmp_path / "i.db")) as kept:
        run = kept.begin_run("here", [], 1)
        with pytest.raises(TypeError):
            kept.record(run, [*FILE, replace(SEEN, first_seen="no number")])  # type: ignore[arg-type]
        assert told(kept)[:2] == ([], [])
        kept.record(run, FILE)
        assert told(kept) == expected


def test_every_field_of_an_observation_has_its_place() -> None:
    places = (*rows.SHAPE_FIELDS, *rows.DETAIL_FIELDS, *rows.SESSION_FIELDS, *rows.ENDPOINT_FIELDS)
    names = [field.name for field in fields(Observation)]
    assert sorted({*places, "server_family", *rows.DROPPED_FIELDS}) == sorted(names)


def test_a_front_end_is_named_by_its_session_and_its_family_by_the_usage(tmp_path: Path) -> None:
    front_ends = [
        replace(SEEN, first_seen=at, server_name=f"FE{at}.example.com", server_family="*.example.com")
        for at in (1, 2)
    ]
    with Inventory.open(str(tmp_path / "i.db")) as kept:
        kept.record(kept.begin_run("here", [], 1), front_ends)
        assert {seen.server_name for seen in kept.sessions()} == {"FE1.example.com", "FE2.example.com"}
        assert {seen.server_family for seen in kept.sessions()} == {"*.example.com"}
        found = kept.host(SEEN.client_ip, FINE)
        assert found is not None
        assert [(use.server_name, use.sessions) for use in found[0].usage] == [("*.example.com", 2)]


def test_details_of_another_version_still_load() -> None:
    record = rows.load('{"capture":"a.pcap","of a later version":1}')
    assert set(record) == set(rows.DETAIL_FIELDS)
    assert record["capture"] == "a.pcap"


def test_a_zero_in_a_text_does_no_harm(tmp_path: Path) -> None:
    odd = replace(SEEN, client_name="a\0b", username="c\0d", server_name="e\0f")
    with Inventory.open(str(tmp_path / "i.db")) as kept:
        kept.record(kept.begin_run("he\0re", [], 1), [odd])
        (back,) = kept.sessions()
        assert (back.client_name, back.username, back.server_name) == ("a\ufffdb", "c\ufffdd", "e\ufffdf")


def test_no_endpoint_is_known_by_sessions_that_were_there_already(tmp_path: Path) -> None:
    with Inventory.open(str(tmp_path / "i.db")) as kept:
        run = kept.begin_run("here", [], 1)
        assert kept.record(run, [SEEN]) == 1
        assert kept.record(run, [replace(SEEN, client_mac="00:26:73:00:00:02")]) == 0
        assert [host.host for host, _ in kept.hosts(FINE)] == ["00:26:73:00:00:01"]
        with kept._reads() as connection:
            assert connection.execute(text("SELECT count(*) FROM usages")).scalar() == 1
