"""What a usage rests on, in words."""

from dataclasses import replace
from typing import Any

import pytest

from scanner.events import Outcome, TlsMode
from scanner.model import AuthClass, Basis, ServerKind, Usage
from scanner.report.pooled import usage_lines

DAY = 86_400 * 10**9
USE = Usage(
    "smtp.office365.com", ServerKind.EXCHANGE_ONLINE, 587, "smtp", "submission", TlsMode.STARTTLS, "TLSv1.2",
    "LOGIN", AuthClass.BASIC, Outcome.ACCEPTED, Basis.INFERRED, 0.99, 0, 12 * DAY, 201,
)  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param(
            {"odd": 1, "logins_same": 190},
            [
                "rests on: inferred, confidence 0.99; 200 sessions agree, 1 does not",
                "login sizes never changed over 12 days, in 190 comparisons past an hour: "
                "a password is as constant",
            ],
            id="logins that never changed",
        ),
        pytest.param(
            {"odd": 2, "untold": 3, "logins_same": 1, "logins_changed": 5, "last_seen": DAY},
            [
                "rests on: inferred, confidence 0.99; 196 sessions agree, 2 do not, 3 cannot be told",
                "login sizes changed in 5 of 6 comparisons past an hour, over 24 hours: tokens change so",
            ],
            id="logins that change",
        ),
        pytest.param(
            {"sessions": 1, "logins_same": 1},
            [
                "rests on: inferred, confidence 0.99; 1 session agrees",
                "login sizes never changed over 12 days, in 1 comparison past an hour",
            ],
            id="too little to say",
        ),
        pytest.param(
            {"basis": Basis.SEEN},
            ["rests on: seen, confidence 0.99; 201 sessions agree"],
            id="what was heard needs no lengths",
        ),
    ],
)
def test_what_it_rests_on(changes: dict[str, Any], expected: list[str]) -> None:
    lines = usage_lines(replace(USE, **changes))
    assert lines[0].startswith("SUBMISSION to smtp.office365.com:587 inside TLSv1.2: LOGIN accepted, 19")
    assert [line.strip() for line in lines[1:]] == expected


def test_what_is_no_login_is_said_in_words() -> None:
    use = replace(USE, mechanism=None, auth_class=AuthClass.NONE, outcome=None, tls_version=None)
    assert usage_lines(use)[0].startswith("SUBMISSION to smtp.office365.com:587: no login, ")
