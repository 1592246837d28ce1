"""Distributions over sizes, and the moves that a login is made of."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner import sizes
from scanner.events import Outcome
from scanner.sizes import END, Dialogue, Known, Script, Sizes, at, either, mix, scaled, span, steps


@pytest.mark.parametrize(
    ("distribution", "low", "high", "likelihood"),
    [
        pytest.param(at(12), 12, 12, 1.0, id="exactly"),
        pytest.param(at(12), 13, 13, 0.0, id="exactly something else"),
        pytest.param(at(12, 14), 12, 12, 0.5, id="one of two"),
        pytest.param(span(1, 10), 3, 3, 0.1, id="one of ten"),
        pytest.param(span(1, 10), 3, 7, 0.5, id="five of ten"),
        pytest.param(span(1, 10), 8, 99, 0.3, id="what lies beyond counts for nothing"),
        pytest.param(steps(10, 22), 14, 14, 0.25, id="base64 comes in fours"),
        pytest.param(steps(10, 22), 15, 15, 0.0, id="and not in between"),
        pytest.param(steps(10, 22), 11, 18, 0.5, id="a range under CBC holds two of four"),
        pytest.param(mix((3, at(5)), (1, span(1, 10))), 5, 5, 0.775, id="both may say the same"),
        pytest.param(at(5).plus(7), 12, 12, 1.0, id="a verb goes before"),
    ],
)
def test_likelihoods(distribution: Sizes, low: int, high: int, likelihood: float) -> None:
    for _ in range(2):
        assert distribution.likelihood(low, high) == pytest.approx(likelihood)


@given(
    st.lists(
        st.tuples(st.floats(0.1, 9), st.integers(1, 50), st.integers(0, 50), st.integers(1, 5)),
        min_size=1,
        max_size=4,
    )
)
def test_all_sizes_together_are_certain(bands: list[tuple[float, int, int, int]]) -> None:
    found = mix(*((weight, steps(low, low + more, step)) for weight, low, more, step in bands))
    assert found.likelihood(0, 200) == pytest.approx(1.0)
    assert sum(found.likelihood(size, size) for size in range(200)) == pytest.approx(1.0)


def test_only_so_many_likelihoods_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sizes, "REMEMBERED", 4)
    found = span(1, 100)
    assert all(found.likelihood(size, size) == pytest.approx(0.01) for size in range(1, 50))
    assert len(found._known) <= 4


def test_a_login_of_three_messages_is_three_moves_that_end_in_two_ways() -> None:
    script = Script()
    begins = script.login(
        "LOGIN", "LOGIN", [(at(12), at(18)), (at(22), at(18))], (at(14), at(37), at(100)),
        ({END: 1.0}, {END: 1.0}), bare=True,
    )  # fmt: skip
    assert begins == {"LOGIN 0": 1.0}
    moves = script.moves
    assert {name: move.mechanism for name, move in moves.items() if move.mechanism} == {"LOGIN 0": "LOGIN"}
    assert {name: move.outcome for name, move in moves.items() if move.outcome} == {
        "LOGIN, accepted": Outcome.ACCEPTED, "LOGIN, refused": Outcome.REFUSED,
        "LOGIN 1, refused": Outcome.REFUSED,
    }  # fmt: skip
    assert set(moves["LOGIN 0"].follows) == {"LOGIN 1", "LOGIN 1, refused", END}
    assert set(moves["LOGIN 1"].follows) == {"LOGIN, accepted", "LOGIN, refused", END}


def test_a_login_that_brings_its_first_message_may_be_refused_by_it() -> None:
    script = Script()
    after: tuple[dict[str, float], dict[str, float]] = {END: 1.0}, {END: 1.0}
    begins = script.login("LOGIN", "LOGIN", [(at(33), at(18))], (at(14), at(37), at(100)), after, unheard=0.1)
    assert set(begins) == {"LOGIN 0", "LOGIN 0, refused"}
    assert sum(begins.values()) == pytest.approx(1.0)
    assert script.moves["LOGIN 0, refused"].mechanism == "LOGIN"


def test_a_login_may_be_taken_back_but_by_no_first_message() -> None:
    script = Script()
    legs = [(at(33), at(18)), (at(22), at(18))]
    script.login("LOGIN", "LOGIN", legs, (at(14), at(37), at(100)), ({END: 1.0}, {END: 1.0}))
    cancelled = {name for name, move in script.moves.items() if move.client.likelihood(3, 3)}
    assert cancelled == {"LOGIN 1, refused", "LOGIN, refused"}


def test_a_login_of_one_message_begins_where_it_ends() -> None:
    script = Script()
    begins = script.login("PLAIN", "PLAIN", [], (at(40), at(37), at(100)), ({END: 1.0}, {END: 1.0}), 0.6)
    assert begins == {"PLAIN, accepted": 0.6, "PLAIN, refused": 0.4}
    assert {move.mechanism for move in script.moves.values()} == {"PLAIN"}
    assert scaled(begins, 0.5) == {"PLAIN, accepted": 0.3, "PLAIN, refused": 0.2}


def test_a_dialogue_shares_what_follows() -> None:
    script = Script()
    script.move("QUIT", at(6), at(48), {END: 3.0, "QUIT": 1.0})
    dialogue = Dialogue(script.moves, {"QUIT": 0.5, END: 0.5})
    assert dialogue.begins == ((0, 0.5),)
    assert dialogue.follows == (((0, 0.25),),)
    assert dialogue.ends[0] == pytest.approx(0.75 + sizes.NEVER)


def test_a_server_is_taken_for_either_kind() -> None:
    (own, mine), (other, theirs) = either(Known(exchange=0.7, reply=9))
    assert (own, other) == (0.7, pytest.approx(0.3))
    assert (mine.exchange, theirs.exchange, mine.reply) == (1.0, 0.0, 9)


def test_a_dialogue_is_resized_and_the_first_stays_as_it_was() -> None:
    script = Script()
    script.move("HELLO", at(5), at(7), {"HELLO": 0.5, "BYE": 0.5})
    script.move("BYE", at(6), at(8), {END: 1.0})
    first = Dialogue(script.moves, {"HELLO": 1.0})
    other = first.resized({"HELLO": (span(9, 12), None), "BYE": (at(3), at(4))})
    assert first.reach == ((5, 5, 7, 7), (6, 6, 8, 8))
    assert other.reach == ((9, 12, 7, 7), (3, 3, 4, 4))
    assert (other.begins, other.follows, other.ends) == (first.begins, first.follows, first.ends)
    assert other.moves[0].client.likelihood(10, 10) == 0.25


def test_nothing_lies_outside_of_its_reach() -> None:
    sizes = mix((0.5, span(20, 30)), (0.5, at(7)), (0, at(90)))
    assert (sizes.least, sizes.most) == (7, 30)
    assert sizes.likelihood(6, 6) == sizes.likelihood(31, 90) == 0
