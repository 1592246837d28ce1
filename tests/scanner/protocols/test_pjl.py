"""The one question that is asked by PJL, and its answer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.conversation import CLIENT, SERVER
from scanner.events import Event, Gap, Label, Phase, Reached, Weird
from scanner.protocols.pjl import ANSWER_READ, PjlSession, script
from scanner.session import Asker

QUESTION = b"\x1b%-12345X@PJL INFO ID\r\n\x1b%-12345X"


def heard(*said: bytes) -> list[Event]:
    one = PjlSession()
    one.feed(CLIENT, QUESTION, 0)
    events = [event for data in said for event in one.feed(SERVER, data, 0)]
    return [*events, *one.end()]


def test_nothing_is_sent_but_one_question() -> None:
    assert list(script(Asker())) == [QUESTION]


@pytest.mark.parametrize(
    ("said", "told"),
    [
        pytest.param(
            b'@PJL INFO ID\r\n"HP LaserJet 4100 Series"\r\n\f', ["HP LaserJet 4100 Series"], id="quoted"
        ),
        pytest.param(b"@PJL INFO ID\r\nFS-1030D\r\n\f", ["FS-1030D"], id="bare"),
        pytest.param(b'@PJL INFO ID \n"X 1"\n\f', ["X 1"], id="with bare LF"),
        pytest.param(b'@PJL INFO ID\r\n"X 1"\r\n', ["X 1"], id="without the form feed"),
        pytest.param(b'@PJL INFO ID\r\n" "\r\n\f', [], id="an empty one"),
        pytest.param(b"@PJL INFO STATUS\r\nCODE=10001\r\n\f", [], id="another answer"),
        pytest.param(b"HTTP/1.1 400 Bad Request\r\n\r\n", [], id="another protocol"),
    ],
)
def test_what_an_answer_tells(said: bytes, told: list[str]) -> None:
    for parts in ([said], [said[at : at + 1] for at in range(len(said))]):
        assert [event.text for event in heard(*parts) if isinstance(event, Label)] == told


def test_whose_turn_it_is() -> None:
    one = PjlSession()
    one.feed(CLIENT, QUESTION[:12], 0)
    assert not one.awaits
    one.feed(CLIENT, QUESTION[12:], 0)
    assert one.awaits
    one.feed(SERVER, b'@PJL INFO ID\r\n"X"\r\n\f', 0)
    assert (one.awaits, one.answer) == (False, b"X")


def test_an_endless_answer_is_left() -> None:
    events = heard(*[b"x" * 1000] * (ANSWER_READ // 1000 + 2))
    assert events == [Weird("pjl_long_answer"), Reached(Phase.ANSWERED)]


def test_what_is_lost_ends_it() -> None:
    one = PjlSession()
    one.feed(CLIENT, QUESTION, 0)
    assert one.gap(SERVER, 3, 0) == (Gap(SERVER, 3),)
    assert not one.awaits


def test_nobody_answered() -> None:
    assert heard() == [Reached(Phase.OPENED)]
    assert list(PjlSession().end()) == []


@given(st.lists(st.binary(max_size=60)))
def test_bytes_of_any_kind_never_raise(said: list[bytes]) -> None:
    heard(*said)
