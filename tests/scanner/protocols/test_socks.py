"""A SOCKS proxy is asked for a target, and what comes behind its answer is left over."""

from collections.abc import Sequence

import pytest

from scanner.conversation import Side
from scanner.events import Event, Gap, Label, Phase, Reached, Weird
from scanner.protocols.socks import BYTES_READ, DIALECT, SocksSession

C, S = Side.CLIENT, Side.SERVER
Said = tuple[Side, bytes]
OPENED, ANSWERED = Reached(Phase.OPENED), Reached(Phase.ANSWERED)
HELLO: list[Said] = [(C, b"\5\1\0"), (S, b"\5\0")]
DONE = b"\5\0\0\1\0\0\0\0\0\0"


def heard(said: Sequence[Said]) -> tuple[list[Event], SocksSession]:
    session = SocksSession()
    events = [event for side, data in said for event in session.feed(side, data, 3)]
    return [*events, *session.end()], session


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        pytest.param(
            [*HELLO, (C, b"\5\1\0\1\xc0\0\2\7\0\x19"), (S, DONE)],
            [Label("socks.connect", "192.0.2.7:25"), ANSWERED],
            id="to an address",
        ),
        pytest.param(
            [*HELLO, (C, b"\5\1\0\4\x20\1\x0d\xb8" + bytes(11) + b"\1\3\xe1"), (S, DONE)],
            [Label("socks.connect", "[2001:db8::1]:993"), ANSWERED],
            id="to an IPv6 address",
        ),
        pytest.param(
            [(C, b"\5\1\0\3\x04mail\0\x8f"), (S, DONE)],
            [Label("socks.connect", "mail:143"), ANSWERED],
            id="joined at the request",
        ),
        pytest.param(
            [(C, b"\4\1\0\x6e\xc0\0\2\7\0"), (S, b"\0\x5a" + bytes(6))],
            [Label("socks.connect", "192.0.2.7:110"), ANSWERED],
            id="version 4",
        ),
        pytest.param([(C, b"\4\1\0\x6e\xc0\0\2\7\0"), (S, b"\0\x5b" + bytes(6))], [ANSWERED], id="4 refuses"),
        pytest.param(
            [*HELLO, (C, b"\5\1\0\1\xc0\0\2\7\0\x19"), (S, b"\5\5" + DONE[2:])], [ANSWERED], id="5 too"
        ),
        pytest.param(
            [*HELLO, (C, b"\5\1\0\3\0\0\x19AUTH PLAIN AGEAYg=="), (S, DONE)],
            [Label("socks.connect", ":25"), ANSWERED],
            id="a name of no length has none of what follows",
        ),
        pytest.param(
            [(C, b"\5\1\2"), (S, b"\5\2"), (C, b"\1\0\0\5\1\0\3\4mail\0\x19"), (S, b"\1\0" + DONE)],
            [Label("socks.connect", "mail:25"), ANSWERED],
            id="a login of no length",
        ),
        pytest.param([(C, b"\5\1\2"), (S, b"\5\xff")], [ANSWERED], id="no way in"),
        pytest.param(
            [(C, b"\5\1\2"), (S, b"\5\2"), (C, b"\1\1a\1b"), (S, b"\1\1")], [ANSWERED], id="no login"
        ),
        pytest.param([(C, b"\5\1\2"), (S, b"\5\2"), (C, b"\1\1a")], [ANSWERED], id="cut within the login"),
        pytest.param([*HELLO, (C, b"\5\3\0\1\0\0\0\0\0\0"), (S, DONE)], [ANSWERED], id="another command"),
        pytest.param([*HELLO, (C, b"\5\1\0\7")], [ANSWERED], id="an address of no kind"),
        pytest.param([(C, b"\6\1\0")], [OPENED], id="another version"),
        pytest.param(
            [(C, b"\4\1\0\x6e\xc0\0\2\7" + b"a" * BYTES_READ)], [Weird("socks_long"), OPENED], id="no end"
        ),
        pytest.param([], [], id="nothing"),
    ],
)
def test_a_target_is_told_once_the_tunnel_is_open(said: Sequence[Said], expected: Sequence[Event]) -> None:
    assert heard(said)[0] == expected


def test_what_comes_with_the_answer_is_left_over() -> None:
    _, session = heard([*HELLO, (C, b"\5\1\0\3\x04mail\0\x19EHLO"), (S, DONE + b"220 x\r\n"), (C, b"more")])
    assert session.leftover == ((C, 3, b"EHLO"), (S, 3, b"220 x\r\n"))


def test_a_hole_ends_it() -> None:
    session = SocksSession()
    events = [*session.gap(S, 2, 0), *session.feed(C, b"\5\1\0", 0), *session.end()]
    assert events == [Gap(S, 2)]


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        pytest.param(b"\5\1\0", True, id="5"),
        pytest.param(b"\5\2\0\2\5\1\0\3", True, id="5 with a request behind"),
        pytest.param(b"\5\1\0\3\4mail", True, id="a request"),
        pytest.param(b"\4\1\0\x19\0\0\0\1ann\0", True, id="4"),
        pytest.param(b"\4\2\0\x19\0\0\0\1ann\0", False, id="4 that waits for a call"),
        pytest.param(b"\5\2\x20\x30", False, id="no methods"),
        pytest.param(b"\5", None, id="too little"),
        pytest.param(b"EHLO", False, id="another protocol"),
    ],
)
def test_the_mark_of_a_client(head: bytes, expected: bool | None) -> None:
    assert DIALECT.client_mark(head) is expected


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        pytest.param(b"\5\0", True, id="5"),
        pytest.param(b"\0\x5a", True, id="4"),
        pytest.param(b"\5", None, id="too little"),
        pytest.param(b"220 ", False, id="another protocol"),
    ],
)
def test_the_mark_of_a_server(head: bytes, expected: bool | None) -> None:
    assert DIALECT.server_mark(head) is expected
