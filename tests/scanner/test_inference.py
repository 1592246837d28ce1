"""Walks through dialogues, and what turns are paired to."""

from dataclasses import replace

import pytest

from scanner import inference
from scanner.conversation import Side
from scanner.events import Outcome, Turn
from scanner.inference import Exchange, exchanges, weigh
from scanner.sizes import END, Dialogue, Script, at, span

C, S = Side.CLIENT, Side.SERVER


def small() -> Dialogue:
    """A login of one message, or mail without one."""
    script = Script()
    after: dict[str, float] = {"MAIL": 0.7, END: 0.3}
    login = script.login("PLAIN", "PLAIN", [], (span(20, 39), at(10), at(50)), (after, {END: 1.0}))
    script.move("MAIL", span(20, 59), span(8, 12), {END: 1.0})
    script.move("?", span(1, 999), span(1, 999), {END: 0.5, "?": 0.5})
    return Dialogue(script.moves, {**login, "MAIL": 1.0, "?": 0.01})


def said(*pairs: tuple[int, int | None]) -> list[Exchange]:
    return [Exchange(c, c, s, s, 1) for c, s in pairs]


@pytest.mark.parametrize(
    ("heard", "tried", "odd"),
    [
        pytest.param(said((30, 50)), (("PLAIN", Outcome.REFUSED),), False, id="an answer tells"),
        pytest.param(said((30, 10), (30, 10)), (("PLAIN", Outcome.ACCEPTED),), False, id="mail after it"),
        pytest.param(said((50, 10)), (), False, id="mail alone"),
        pytest.param(said((25, None)), (("PLAIN", None),), False, id="no answer: no outcome"),
        pytest.param(said((700, 700)), (), True, id="something else"),
        pytest.param(said((30, 10), (30, 10), (700, 700)), (("PLAIN", Outcome.ACCEPTED),), False,
                     id="what nothing explains comes too late to matter"),
    ],
)  # fmt: skip
def test_the_likeliest_explanation(
    heard: list[Exchange], tried: tuple[tuple[str, Outcome | None], ...], odd: bool
) -> None:
    found = weigh([(1.0, small())], heard, ended=True)
    assert (found[0].tried, found[0].odd) == (tried, odd)
    assert sum(one.share for one in found) == pytest.approx(1.0)


def test_nothing_that_fits_explains_nothing() -> None:
    found = weigh([(1.0, small())], said((5000, 5000)), ended=True)
    assert [one.tried for one in found] == [()]
    assert found[0].moves == ()


def test_of_several_dialogues_the_one_that_fits_explains() -> None:
    script = Script()
    script.move("HELLO", at(5), at(5), {END: 1.0})
    found = weigh([(0.5, small()), (0.5, Dialogue(script.moves, {"HELLO": 1.0}))], said((5, 5)), ended=True)
    assert [move.name for move in found[0].moves] == ["HELLO"]
    assert found[0].share > 0.9


def test_nobody_logs_in_twice() -> None:
    found = weigh([(1.0, small())], said((30, 10), (30, 10)), ended=True)
    assert all(len(one.tried) < 2 for one in found)


def test_only_so_many_walks_are_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inference, "WALKS_KEPT", 1)
    found = weigh([(1.0, small())], said((30, 10), (30, 10)), ended=True)
    assert [one.tried for one in found] == [(("PLAIN", Outcome.ACCEPTED),)] or len(found) == 1


def turn(side: Side, *records: int) -> Turn:
    return Turn(side, sum(records), sum(records), len(records), 0, records[:8])


@pytest.mark.parametrize(
    ("turns", "server_first", "paired"),
    [
        pytest.param([turn(S, 130), turn(C, 20), turn(S, 200)], True, [(20, 200)], id="a greeting"),
        pytest.param([turn(S, 249), turn(C, 20), turn(S, 200)], False, [(20, 200)],
                     id="who cannot speak first sent a ticket"),
        pytest.param([turn(S, 249, 249, 130), turn(C, 20), turn(S, 200)], True, [(20, 200)],
                     id="tickets before a greeting"),
        pytest.param([turn(C, 20), turn(S, 249, 216)], False, [(20, 216)], id="a ticket before a reply"),
        pytest.param([turn(S, 249), turn(C, 20), turn(S, 249, 216)], False, [(20, 216)],
                     id="one ticket on each side of the first command"),
        pytest.param([turn(C, 20), turn(S, 216), turn(C, 6), turn(S, 48), turn(C, 2), turn(S, 2)], False,
                     [(20, 216), (6, 48)], id="closing alerts are no turns"),
        pytest.param([turn(C, 6, 2), turn(S, 48)], False, [(6, 48)], id="nor behind a last command"),
        pytest.param([turn(C, 20), turn(S, 216), turn(C, 30)], False, [(20, 216), (30, None)],
                     id="a command without an answer"),
        pytest.param([turn(C, 20), turn(S, 200, 16)], False, [(20, 16)], id="rarely a reply"),
        pytest.param([turn(C, 12), turn(S, 249, 249), turn(C, 2), turn(S, 219, 72)], False, [(14, 291)],
                     id="tickets within a line, whose end is a record of its own"),
        pytest.param([turn(C, 12), turn(S, 249), turn(C, 2), turn(S, 249, 48)], False, [(14, 48)],
                     id="one within and one behind it"),
        pytest.param([turn(C, 20), turn(S, 249, 216), turn(C, 6), turn(S, 200, 48)], False,
                     [(20, 216), (6, 248)], id="tickets are as long as one another"),
    ],
)  # fmt: skip
def test_turns_are_paired(
    turns: list[Turn], server_first: bool, paired: list[tuple[int, int | None]]
) -> None:
    found = exchanges(turns, server_first, tls13=True)
    assert [(one.client_high, one.server_high) for one in found] == paired


def test_an_answer_that_came_late_was_held_back() -> None:
    at = [0, 700, 1000, 1700, 2000, 3000, 4000, 8900]
    turns = [replace(turn(side, 20), at=ms * 1_000_000) for side, ms in zip((C, S) * 4, at, strict=True)]
    assert [one.held_back for one in exchanges(turns, False, tls13=True)] == [0, 0, 1, 2]


def test_what_is_held_back_was_refused_rather_than_accepted() -> None:
    script = Script()
    login = script.login("PLAIN", "PLAIN", [], (at(30), at(10), at(10)), ({END: 1.0}, {END: 1.0}))
    dialogue = Dialogue(script.moves, login, exchange=True)
    outcomes = [
        weigh([(1.0, dialogue)], [Exchange(30, 30, 10, 10, 1, held)], ended=True)[0].tried[0][1]
        for held in (0, 1, 2)
    ]
    assert outcomes == [Outcome.ACCEPTED, Outcome.REFUSED, Outcome.REFUSED]


def test_below_tls_1_3_there_is_nothing_to_strip() -> None:
    turns = [turn(C, 20), turn(S, 249, 216), turn(C, 2), turn(S, 2)]
    assert len(exchanges(turns, server_first=False, tls13=False)) == 2
