"""A login as long after a token's life as before is hardly a token; one that changes by the hour is."""

from dataclasses import fields

import pytest

from scanner import recurrence
from scanner.claims import Inferred, infer
from scanner.model import Observation
from scanner.recurrence import Lengths
from scanner.sizes import Known
from tests.scanner.test_claims import MAIL, turns

MINUTE = 60 * 10**9


@pytest.mark.parametrize(
    ("logins", "expected"),
    [
        pytest.param([(0, 8)], [None], id="the first says nothing"),
        pytest.param([(0, 8), (10, 8), (90, 8)], [None] * 3, id="a token would be as long within its life"),
        pytest.param([(0, 8), (91, 8), (2_000, 8)], [None, True, True], id="as long after a token's life"),
        pytest.param([(0, 8), (60, 9), (120, 8)], [None, False, False], id="another length each hour"),
        pytest.param(
            [(0, 8), (1, 9), (2, 8), (60, 9)], [None, None, None, False], id="changes within minutes"
        ),
        pytest.param([(0, 8), (80, 9), (100, 9)], [None, False, None], id="a new one has a life of its own"),
        pytest.param([(100, 8), (0, 9)], [None, None], id="heard in another order"),
    ],
)
def test_comparing(logins: list[tuple[int, int]], expected: list[bool | None]) -> None:
    lengths = Lengths()
    assert [lengths.again("a", length, at * MINUTE) for at, length in logins] == expected


def test_everybody_is_compared_with_himself() -> None:
    lengths = Lengths()
    assert [lengths.again(who, 8, at * MINUTE) for who, at in (("a", 0), ("b", 100), ("a", 101))] == [
        None, None, True,
    ]  # fmt: skip


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recurrence, "KEPT", 2)
    lengths = Lengths()
    for who in "abac":  # b is unused for longest
        lengths.again(who, 8, 0)
    assert [lengths.again(who, 8, 100 * MINUTE) for who in "acb"] == [True, True, None]


def login(*said: int) -> int | None:
    found = infer(
        "smtp", Known(0.9, client_name=7, reply=204), turns(*said), tls13=False, ended=True, lost=False
    )
    assert isinstance(found, Inferred)
    return found.login


def test_a_login_is_as_long_as_what_it_hides() -> None:
    """Not as the name before it, nor as the mail behind it, nor as the empty answer to a refused token."""
    assert login(14, 214, 12, 18, 30, 18, 18, 37, *MAIL) == 30 // 4
    assert login(14, 214, 1855, 37, *MAIL) == 1855 // 4
    assert login(14, 214, *MAIL) is None


def test_nothing_that_is_kept_can_hold_a_length() -> None:
    assert [field.type for field in fields(Observation) if "login" in field.name] == ["bool | None"]
