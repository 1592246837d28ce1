"""POP3 as clients speak it that wait for nothing."""

from collections.abc import Sequence

import pytest

from scanner.conversation import Side
from scanner.events import Login, Outcome
from scanner.protocols.pop3 import Pop3Session

C, S = Side.CLIENT, Side.SERVER
PLAIN = b"AGFubgBzZWNyZXQtMQ=="
ANN = Login("PLAIN", Outcome.ACCEPTED, "ann")


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        pytest.param(
            [(C, b"AUTH PLAIN " + PLAIN + b"\r\nSTAT\r\n"), (S, b"+OK in\r\n+OK 0 0\r\n")],
            [ANN],
            id="a command behind AUTH in one packet",
        ),
        pytest.param(
            [(C, b"NOOP\r\nAUTH PLAIN " + PLAIN + b"\r\nSTAT\r\n"), (S, b"-ERR\r\n+OK in\r\n+OK 0 0\r\n")],
            [ANN],
            id="and one before it that is refused",
        ),
        pytest.param(
            [(C, b"AUTH PLAIN " + PLAIN + b"\r\n" + b"AUTH PLAIN " + PLAIN + b"\r\n")],
            [Login("PLAIN", None, "ann"), Login("PLAIN", None, "ann")],
            id="AUTH behind AUTH",
        ),
        pytest.param(
            [(C, b"USER\tann\r\nPASS\tsecret-1\r\n"), (S, b"+OK\r\n+OK\r\n")],
            [Login("USERPASS", Outcome.ACCEPTED, "ann")],
            id="tabs for blanks",
        ),
    ],
)
def test_each_answer_is_for_its_own_command(
    said: Sequence[tuple[Side, bytes]], expected: Sequence[Login]
) -> None:
    session = Pop3Session()
    events = [event for side, data in [(S, b"+OK ready\r\n"), *said] for event in session.feed(side, data, 0)]
    events += session.end()
    assert [event for event in events if isinstance(event, Login)] == list(expected)
