"""What exactly counts in a saved question, told by what machines did from day to day of November 2026."""

from dataclasses import dataclass
from typing import Any

import pytest

from db.asking import Sandbox
from scanner.report.questions import SAVED
from scanner.report.tables import TABLES

VIEWS = {name: table.kinds for name, table in TABLES.items()}
Way = tuple[str, str, int, int]
"""Verdict, class of the login, and the days of the first and the last session."""


@dataclass(frozen=True)
class Machine:
    """What is known of a machine."""

    verdict: str = "fine"
    deadline: str | None = None
    ways: tuple[Way, ...] = ()
    mailed: tuple[int, ...] = ()
    """Days of the sessions that are kept."""
    behind: str = "[]"


def at(day: int | None) -> str | None:
    return None if day is None else f"2026-11-{day:02}T12:00:00.000000Z"


def rows(view: str, *records: dict[str, Any]) -> list[list[Any]]:
    assert all(record.keys() <= VIEWS[view].keys() for record in records)
    return [[record.get(name) for name in VIEWS[view]] for record in records]


def asked(
    name: str, machines: dict[str, Machine], listened: tuple[int, int] | None = (1, 30), **values: object
) -> list[dict[str, Any]]:
    """The answer to a saved question."""
    with Sandbox(VIEWS) as box:
        for host, one in machines.items():
            days = [day for _, _, *span in one.ways for day in span] or list(one.mailed)
            seen = {"first_seen": at(min(days, default=None)), "last_seen": at(max(days, default=None))}
            known = {"host": host, "verdict": one.verdict, "deadline": one.deadline, "behind": one.behind}
            box.fill("v_devices", rows("v_devices", {**known, **seen, "sessions": 9 if days else 0}))
            for verdict, login, first, last in one.ways:
                use = {"host": host, "verdict": verdict, "auth_class": login, "reason": f"{login} {verdict}"}
                use |= {"first_seen": at(first), "last_seen": at(last), "service": "submission"}
                box.fill("v_usage", rows("v_usage", use))
            kept = ({"host": host, "first_seen": at(day), "last_seen": at(day)} for day in one.mailed)
            box.fill("v_sessions", rows("v_sessions", *kept))
        if listened:
            run = {"first_packet": at(listened[0]), "last_packet": at(listened[1])}
            box.fill("v_runs", rows("v_runs", run))
        heads, found = box.ask(box.tried(SAVED[name].statement, values))
        return [dict(zip(heads, row, strict=True)) for row in found]


@pytest.mark.parametrize(
    ("machine", "listed"),
    [
        pytest.param(Machine("breaks", "2026-12-31"), True, id="breaks before"),
        pytest.param(Machine("breaks", "2027-01-01"), False, id="breaks on the day"),
        pytest.param(Machine("breaks", "2027-04-01"), False, id="breaks later"),
        pytest.param(Machine("broken", "2023-01-01"), True, id="is broken"),
        pytest.param(Machine("broken", None), True, id="is broken since a day that nobody named"),
        pytest.param(Machine("review", "2026-12-31"), False, id="is to be looked at"),
        pytest.param(Machine("unknown"), False, id="nobody can tell"),
        pytest.param(Machine("fine"), False, id="is fine"),
    ],
)
def test_what_breaks(machine: Machine, listed: bool) -> None:
    assert bool(asked("breaks", {"it": machine}, before="2027-01-01")) == listed


def test_what_is_broken_stands_before_what_breaks_and_that_by_its_day() -> None:
    machines = {
        "late": Machine("breaks", "2026-12-31"), "soon": Machine("breaks", "2026-12-01"),
        "now": Machine("broken", "2026-12-31"),
    }  # fmt: skip
    assert [one["host"] for one in asked("breaks", machines, before="2027-01-01")] == ["now", "soon", "late"]


@pytest.mark.parametrize(
    ("machine", "silence"),
    [
        pytest.param(Machine(mailed=(2, 3, 5)), "unusual", id="daily, and gone"),
        pytest.param(Machine(mailed=(1, 10, 19)), "usual", id="silent as long before"),
        pytest.param(Machine(mailed=(1, 13, 20)), None, id="not so long ago"),
        pytest.param(Machine(mailed=(10,), ways=(("fine", "oauth", 10, 10),)), "unusual",
                     id="one session is kept"),
        pytest.param(Machine(), None, id="never heard mailing"),
    ],
)  # fmt: skip
def test_what_fell_silent(machine: Machine, silence: str | None) -> None:
    found = asked("quiet", {"it": machine}, days=11)
    assert [one["silence"] for one in found] == ([silence] if silence else [])


def test_of_a_silence_is_told_how_much_was_listened_to_and_what_is_usual() -> None:
    machines = {"rare": Machine(mailed=(1, 8)), "daily": Machine(mailed=(3, 4, 6))}
    found = asked("quiet", machines, (10, 28), days="11")
    told = [(one["host"], one["silent_days"], one["listened_days"], one["usual_gap_days"]) for one in found]
    assert told == [("daily", 22, 18, 2), ("rare", 20, 18, 7)]


def test_what_is_usual_stands_last() -> None:
    machines = {"monthly": Machine(mailed=(1, 14)), "daily": Machine(mailed=(17, 18))}
    found = [(one["host"], one["silence"]) for one in asked("quiet", machines, days=11)]
    assert found == [("daily", "unusual"), ("monthly", "usual")]


def test_where_runs_do_not_tell_the_last_session_of_anybody_ends_a_silence() -> None:
    machines = {
        "it": Machine(ways=(("fine", "oauth", 2, 4),)), "other": Machine(ways=(("fine", "oauth", 2, 29),))
    }  # fmt: skip
    (found,) = asked("quiet", machines, None, days=20)
    assert (found["host"], found["silent_days"], found["listened_days"]) == ("it", 25, None)


@pytest.mark.parametrize(
    ("machine", "listed"),
    [
        pytest.param(Machine(mailed=(10, 12)), True, id="began on the day"),
        pytest.param(Machine(mailed=(9, 12)), False, id="mailed before"),
        pytest.param(Machine(), False, id="never heard mailing"),
    ],
)
def test_what_is_new(machine: Machine, listed: bool) -> None:
    assert bool(asked("new", {"it": machine}, since="2026-11-10")) == listed


BAD, WAS_BROKEN = ("breaks", "basic", 1, 8), ("broken", "basic", 1, 8)
OAUTH, DIRECT, UNTOLD = ("fine", "oauth", 9, 29), ("review", "none", 9, 29), ("unknown", "unknown", 9, 29)


@pytest.mark.parametrize(
    ("machine", "since_then"),
    [
        pytest.param(Machine(ways=(BAD, OAUTH)), "SUBMISSION with oauth", id="took to OAuth"),
        pytest.param(Machine(ways=(WAS_BROKEN, OAUTH)), "SUBMISSION with oauth", id="was broken"),
        pytest.param(Machine(ways=(OAUTH,)), None, id="was always fine"),
        pytest.param(Machine(ways=(("breaks", "basic", 1, 11), OAUTH)), None, id="still uses a password"),
        pytest.param(Machine(ways=(BAD, OAUTH, DIRECT)), None, id="also sends without a login"),
        pytest.param(Machine(ways=(BAD, UNTOLD)), None, id="logs in now in a way that was not told"),
        pytest.param(Machine(ways=(BAD, OAUTH), behind='["good"]'), "SUBMISSION with oauth",
                     id="by a sound relay"),
        pytest.param(Machine(ways=(BAD, OAUTH), behind='["bad"]'), None, id="by a relay that breaks"),
        pytest.param(Machine(ways=(BAD, OAUTH), behind='["good","gone"]'), None, id="by an unknown relay"),
        pytest.param(Machine(ways=(BAD,), mailed=(1, 3, 8)), "silent", id="mailed each week, and is gone"),
        pytest.param(Machine(ways=(BAD,), mailed=(1,)), "silent", id="its sessions are forgotten"),
        pytest.param(Machine(ways=(("breaks", "basic", 1, 9),), mailed=(1, 2)), "silent", id="just before"),
        pytest.param(Machine(), None, id="never heard mailing"),
    ],
)  # fmt: skip
def test_what_is_fixed(machine: Machine, since_then: str | None) -> None:
    relays = {"good": Machine("fine"), "bad": Machine("breaks", "2026-12-31")}
    found = asked("fixed", {"it": machine, **relays}, since="2026-11-10")
    assert [one["since_then"] for one in found] == ([since_then] if since_then else [])


@pytest.mark.parametrize(
    ("listened", "listed"),
    [
        pytest.param((1, 30), True, id="silent for longer than ever"),
        pytest.param((1, 14), False, id="silent before for as long"),
        pytest.param((1, 9), False, id="nobody listened since"),
    ],
)
def test_who_is_not_heard_is_not_fixed_too_soon(listened: tuple[int, int], listed: bool) -> None:
    machine = Machine(ways=(BAD,), mailed=(1, 8))
    assert bool(asked("fixed", {"it": machine}, listened, since="2026-11-10")) == listed


@pytest.mark.parametrize("name", SAVED)
def test_a_table_of_it_shows_what_the_answer_has(name: str) -> None:
    machines = {
        "breaks": Machine("breaks", "2026-12-31"), "quiet": Machine(mailed=(1, 2)),
        "new": Machine(mailed=(12, 13)), "fixed": Machine(ways=(BAD, OAUTH)),
    }  # fmt: skip
    values = {"before": "2027-01-01", "since": "2026-11-10", "days": 11}
    (record,) = asked(name, {"it": machines[name]}, **values)
    assert [column(record) for column in SAVED[name].columns.values()]
