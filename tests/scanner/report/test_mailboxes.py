"""Whose mailbox it is, for programs and for people."""

import pytest

from scanner.account import Usernames
from scanner.report.escape import visible
from scanner.report.mailboxes import TIES, tie_lines, tie_record
from scanner.tenant import Coincidence, Tie

AT = 1_790_000_000_000_000_000
FIT = Coincidence(AT, "4f2a", 1_250_000_000, 3)
TIE = Tie("10.0.0.1", "scan@example.com", 0.97, "coincidence", (FIT,), 61)


def test_a_record_has_all_that_it_rests_on() -> None:
    assert tie_record(TIE, Usernames.KEEP) == {
        "host": "10.0.0.1",
        "names": [],
        "user": "scan@example.com",
        "score": 0.97,
        "basis": "coincidence",
        "count": 61,
        "coincidences": [
            {"session_at": "2026-09-21T14:13:20.000000Z", "sign_in": "4f2a", "apart_s": 1.2, "candidates": 3}
        ],
    }
    assert tuple(tie_record(TIE, Usernames.KEEP)) == TIES.fields


NAMES = [("keep", "scan@example.com"), ("mask", "s***@example.com"), ("drop", None)]


@pytest.mark.parametrize(("usernames", "shown"), NAMES)
def test_a_name_is_treated_as_asked(usernames: str, shown: str | None) -> None:
    treat = Usernames(usernames)
    assert tie_record(TIE, treat)["user"] == shown
    assert (shown or "somebody") in "\n".join(tie_lines([TIE], treat))
    assert usernames == "keep" or "scan@" not in "\n".join(tie_lines([TIE], treat))


LATE = {
    (1_250_000_000, 3): "1.2 s later than usual, fits 2 others, too",
    (-3_000_000_000, 2): "3.0 s earlier than usual, fits 1 other, too",
    (0, 1): "0.0 s later than usual, fits nobody else",
}


@pytest.mark.parametrize(("fit", "said"), LATE.items(), ids=LATE.values())
def test_a_coincidence_in_words(fit: tuple[int, int], said: str) -> None:
    tie = Tie("h", "u", 0.97, "coincidence", (Coincidence(AT, "4f2a", *fit),), 2)
    assert f"sign-in 4f2a, {said}" in "\n".join(tie_lines([tie], Usernames.MASK))


def test_a_row_of_the_table() -> None:
    record = tie_record(TIE, Usernames.MASK)
    row = {name: column(record) for name, column in TIES.columns.items()}
    assert (row["device"], row["mailbox"], row["score"], row["logins"]) == (
        ["10.0.0.1"], "s***@example.com", "0.97", "61"
    )  # fmt: skip
    assert row["evidence"][0] == "sign-ins follow its logins"


def test_of_a_host_without_mailboxes_nothing_is_said() -> None:
    assert list(tie_lines([], Usernames.MASK)) == []


def test_a_hostile_name_is_shown_as_text() -> None:
    tie = Tie("h", "\x1b[2J@example.com", 0.97, "seen", (), 1)
    assert "\x1b" not in visible("\n".join(tie_lines([tie], Usernames.KEEP)))
