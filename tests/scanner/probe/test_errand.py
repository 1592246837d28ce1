"""Which ways a port is tried, and what is asked of TLS there."""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest

from scanner.conversation import Endpoint
from scanner.probe.dial import Dialler, Unreachable
from scanner.probe.errand import WAYS_TRIED, Errand, Found, Way, next_way, way_of
from scanner.probe.player import Player, State
from scanner.protocols import http, imap, pop3, smtp
from scanner.services import Answered
from scanner.session import Asker

SMTP, IMAP, POP3, HTTP = (dialect.DIALECT for dialect in (smtp, imap, pop3, http))
TLS_ALERT = b"\x15\x03\x01\x00\x02\x02\x46"
SILENCE = b""


def played(
    outcome: Answered, heard: bytes = b"", *, raw: bytes | None = None, inside: bool = False
) -> Player:
    """What ``next_way`` looks at of a player."""
    state = State.DONE if outcome is Answered.ANSWERED else State.FAILED
    seen = SimpleNamespace(
        state=state, outcome=outcome, opening=heard, raw=heard if raw is None else raw, inside=inside
    )
    return cast(Player, seen)


ODD, QUIET, SHUT, BROKEN = (
    Answered.PROTOCOL_ERROR, Answered.TIMEOUT, Answered.CLOSED, Answered.HANDSHAKE_ERROR,
)  # fmt: skip


@pytest.mark.parametrize(
    ("way", "player", "usual", "other"),
    [
        pytest.param(Way(SMTP), played(Answered.ANSWERED, b"220 mx"), True, None, id="it answered"),
        pytest.param(Way(SMTP), played(Answered.REFUSED), True, None, id="nobody listens"),
        pytest.param(Way(SMTP), played(Answered.FILTERED), True, None, id="a filter"),
        pytest.param(Way(SMTP), played(ODD, b"* OK IMAP4 ready"), True, Way(IMAP), id="IMAP at SMTP's port"),
        pytest.param(Way(IMAP), played(ODD, b"220 mx ESMTP"), True, Way(SMTP), id="SMTP at IMAP's port"),
        pytest.param(Way(SMTP), played(ODD, b"+OK ready"), False, Way(POP3), id="POP3 somewhere"),
        pytest.param(Way(SMTP), played(ODD, b"HTTP/1.1 400 Bad"), False, Way(HTTP), id="the web somewhere"),
        pytest.param(Way(SMTP), played(ODD, TLS_ALERT), True, Way(SMTP, True), id="TLS answers in clear"),
        pytest.param(Way(HTTP), played(ODD, TLS_ALERT), True, Way(HTTP, True), id="and so does the web's"),
        pytest.param(Way(SMTP), played(QUIET), True, Way(SMTP, True), id="mail's port that waits for TLS"),
        pytest.param(Way(SMTP), played(SHUT), True, Way(SMTP, True), id="or hangs up for want of it"),
        pytest.param(Way(SMTP), played(QUIET), False, Way(HTTP), id="some port that waits"),
        pytest.param(Way(HTTP), played(QUIET), False, Way(HTTP, True), id="and does not for a request"),
        pytest.param(Way(HTTP, True), played(BROKEN, raw=SILENCE), False, None, id="nor for TLS"),
        pytest.param(Way(SMTP), played(QUIET, b"220 mx ESMTP"), True, None, id="it greets and falls silent"),
        pytest.param(Way(SMTP), played(ODD, b"SSH-2.0-dropbear"), True, None, id="what nobody knows"),
        pytest.param(Way(SMTP), played(QUIET, b"220 mx", inside=True), True, None, id="silence in STARTTLS"),
        pytest.param(Way(SMTP, True), played(BROKEN, raw=b"220 mx ESMTP"), True, Way(SMTP),
                     id="clear where TLS is usual"),
        pytest.param(Way(IMAP, True), played(BROKEN, raw=b"* OK ready"), True, Way(IMAP), id="IMAP, too"),
        pytest.param(Way(SMTP, True), played(BROKEN, raw=b"HTTP/1.0 400"), True, Way(HTTP), id="a website"),
        pytest.param(Way(SMTP, True), played(BROKEN, raw=TLS_ALERT), True, None, id="TLS that is newer"),
        pytest.param(Way(SMTP, True), played(QUIET, raw=b"\x16\x03\x03", inside=True), True,
                     Way(HTTP, True), id="silence inside TLS: who waits is a web server"),
        pytest.param(Way(HTTP, True), played(QUIET, raw=b"\x16\x03\x03", inside=True), True, None,
                     id="silence of one"),
        pytest.param(Way(SMTP, True), played(ODD, b"* OK ready", raw=b"\x16\x03\x03", inside=True), True,
                     Way(IMAP, True), id="IMAP inside TLS"),
        pytest.param(Way(SMTP, True), played(QUIET, b"220 mx ESMTP", raw=b"\x16\x03\x03", inside=True), True,
                     None, id="it greets inside TLS and falls silent"),
    ],
)  # fmt: skip
def test_how_else_a_port_is_tried(way: Way, player: Player, usual: bool, other: Way | None) -> None:
    assert next_way(way, player, usual) == other


@pytest.mark.parametrize(
    ("port", "way"), [(587, Way(SMTP)), (993, Way(IMAP, True)), (8443, Way(HTTP, True)), (31337, Way(SMTP))]
)
def test_how_a_port_usually_speaks(port: int, way: Way) -> None:
    assert way_of(port) == way


class Line:
    """A dialler whose servers are functions of a player and the number of the connection."""

    def __init__(self, *servers: Callable[[Player], None]) -> None:
        self.servers, self.calls = iter(servers), 0

    async def play(self, end: Endpoint, player: Player, tries: int = 1) -> None:
        self.calls += 1
        server = next(self.servers, None)
        if server is None:
            raise Unreachable(Answered.FILTERED, "no answer")
        player.begin()
        server(player)


def says(*said: bytes) -> Callable[[Player], None]:
    def server(player: Player) -> None:
        for piece in said:
            player.hear(piece)
        player.hung_up("it closed the connection")

    return server


def silent(player: Player) -> None:
    player.given_up("nothing said")


def asked(line: Any, port: int = 25, quick: bool = False) -> Found:
    errand = Errand(cast(Dialler, line), Asker(), lambda: 5, quick)
    return asyncio.run(errand.ask(Endpoint("192.0.2.1", port)))


def test_what_a_port_gives_is_a_record_and_labels() -> None:
    found = asked(line := Line(says(b"220 mx Postfix\r\n", b"250-mx\r\n250 AUTH LOGIN\r\n", b"221 bye\r\n")))
    assert (found.service.outcome, found.service.offered, found.service.at) == ("answered", ("LOGIN",), 5)
    assert found.labels and line.calls == 1


def test_nobody_there_is_asked_in_no_other_way() -> None:
    found = asked(line := Line())
    assert (found.service.outcome, found.service.detail, line.calls) == ("filtered", "no answer", 1)


def test_no_way_is_tried_twice() -> None:
    found = asked(line := Line(*[silent] * 20), port=31337)
    assert (found.service.outcome, line.calls) == ("timeout", 3)
    assert line.calls <= WAYS_TRIED


@pytest.mark.parametrize(("quick", "calls"), [(True, 1), (False, 2)])
def test_versions_are_looked_for_behind_a_handshake_that_failed(quick: bool, calls: int) -> None:
    found = asked(line := Line(says(TLS_ALERT), silent), port=465, quick=quick)
    assert (found.service.outcome, line.calls) == ("handshake-error", calls)
    assert found.service.tls.newest is None


def test_a_server_that_vanishes_during_the_search_keeps_its_outcome() -> None:
    found = asked(Line(says(TLS_ALERT)), port=465)
    assert (found.service.outcome, found.service.tls.newest) == ("handshake-error", None)
