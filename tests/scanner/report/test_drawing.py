"""Where things stand in drawings."""

from dataclasses import replace
from datetime import date

from scanner.catalogue.retirement import load_retirement
from scanner.report.drawing import (
    CLIENTS,
    MARGIN,
    RELAYS,
    WIDTH,
    day_pieces,
    pieces,
    relays,
    timeline,
)
from scanner.report.summary import Day, Due
from tests.reports import AS_OF, SMTP, host, judged


def test_the_timeline_has_a_mark_a_day_in_order_within_its_width() -> None:
    rows = load_retirement().values()
    found = timeline([Due(row, 3 if row.id == "smtp-auth" else 0) for row in rows], AS_OF)
    assert found
    assert [mark.day for mark in found.marks] == sorted({mark.day for mark in found.marks})
    assert all(MARGIN <= mark.x <= WIDTH - MARGIN for mark in found.marks)
    assert {mark.day: mark.devices for mark in found.marks}[SMTP.date or AS_OF] == 3
    assert [mark.past for mark in found.marks] == [mark.day <= AS_OF for mark in found.marks]
    assert not any(one.lower and two.lower for one, two in zip(found.marks, found.marks[1:], strict=False))


def test_a_timeline_of_no_dates_is_none() -> None:
    rows = [replace(SMTP, date=day) for day in (date(2001, 1, 1), None)]
    assert timeline([Due(row, 1) for row in rows], AS_OF) is None


def test_a_bar_has_its_parts_one_behind_the_other() -> None:
    found = pieces({"broken": 1, "breaks": 0, "fine": 3}, 8, 200)
    assert [(part.kind, part.x, part.width) for part in found] == [("broken", 0, 25), ("fine", 25, 75)]


def test_days_without_sessions_leave_a_gap() -> None:
    first, second = day_pieces([Day(date(2026, 9, 1), 4), Day(date(2026, 9, 11), 0, 2)], 100)
    step = (WIDTH - 2 * MARGIN) / 11
    assert round(second[0] - first[0]) == round(10 * step)
    assert [(part.kind, part.width) for part in (*first[3], *second[3])] == [("password", 100), ("token", 50)]


def test_relays_stand_between_their_devices_and_the_way_out() -> None:
    names = {host(number).host: f"n{number}" for number in range(20)}
    some = list(names)
    far = judged(host(0, carries=tuple(some[2:12])))
    near = judged(host(1, carries=(some[0], some[12])))
    found = relays([far, near, *(judged(host(number)) for number in range(2, 13))], names)
    assert found
    places = {box.host: box.x for box in found.boxes if box.host}
    assert places[some[2]] < places[some[0]] < places[some[1]] < found.exit[0]
    assert [box.count for box in found.boxes if not box.name] == [10 - CLIENTS]
    assert found.left_out == 0


def test_relays_in_a_circle_are_drawn_all_the_same() -> None:
    one, two = (host(number).host for number in (0, 1))
    circle = [judged(host(0, carries=(two,))), judged(host(1, carries=(one,)))]
    found = relays(circle, {one: "one", two: "two"})
    assert found
    assert {box.name for box in found.boxes} == {"one", "two"}


def test_of_many_relays_the_busiest_are_drawn() -> None:
    every = {host(number).host: "" for number in range(400)}
    names = list(every)
    devices = [judged(host(number, carries=tuple(names[100 : 101 + number]))) for number in range(RELAYS + 5)]
    found = relays(devices, every)
    assert found
    assert found.left_out == 5
    assert relays([], {}) is None
