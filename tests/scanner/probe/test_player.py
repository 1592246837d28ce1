"""What is said over a connection, when it ends, and that nothing a server says does more than end it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.conversation import CLIENT, Endpoint, Side, Transport
from scanner.events import Event, Label, TlsMode, Weird
from scanner.probe.layers import LayerFault
from scanner.probe.ledger import Ledger
from scanner.probe.player import EVENTS_KEPT, HEARD_LIMIT, ODD_LIMIT, Player, State
from scanner.protocols import dns, smtp
from scanner.services import Answered, Service
from scanner.session import Answer, Asker, Dialect, Script

GREETING, OFFER, BYE = b"220 mx.example.net ESMTP\r\n", b"250-mx\r\n250 AUTH LOGIN\r\n", b"221 bye\r\n"
TLS_OFFER, GO = b"250-mx\r\n250-AUTH PLAIN\r\n250 STARTTLS\r\n", b"220 go\r\n"
HELLO, WELCOME, ALERT = b"<hello>", b"<welcome>", b"<alert>"
ENDED, SILENT = "hangs up", "says nothing"


@dataclass
class Thin:
    """A layer that adds nothing: a hello, a welcome, and what is said as it is."""

    ready: bool = False
    over: bool = False
    ended: bool = False
    out: bytes = HELLO
    shaken: bytes = b""

    def receive(self, data: bytes) -> bytes:
        if self.ready:
            return data
        self.shaken += data
        if not self.shaken.startswith(WELCOME[: len(self.shaken)]):
            raise LayerFault("no welcome")
        self.ready = len(self.shaken) >= len(WELCOME)
        return self.shaken[len(WELCOME) :]

    def say(self, plain: bytes) -> None:
        self.out += plain

    def pending(self) -> bytes:
        out, self.out = self.out, b""
        return out


class Page:
    """A session of requests and answers, a line each; what is no line is an answer when it is cut off."""

    leftover = ()

    def __init__(self) -> None:
        self.answer, self.awaits, self._line = b"", False, b""

    def feed(self, side: Side, data: bytes, at: int) -> Iterable[Event]:
        if side is CLIENT:
            self.awaits, self._line = True, b""
            return []
        self._line += data
        self.awaits, self.answer = b"\n" not in self._line, self._line[:16]
        return [Label("page", self._line[:16].decode("latin-1"))]

    def gap(self, side: Side, missing: int, at: int) -> Iterable[Event]:
        return []

    def end(self) -> Iterable[Event]:
        return []


def two_pages(asker: Asker) -> Script:
    yield b"first\n"
    yield b"second\n"


PAGES = Dialect(
    "pages", Transport.TCP, frozenset(), lambda _: True, lambda head: not head.startswith(b"220"), False,
    Page, script=two_pages,
)  # fmt: skip


class Deaf:
    """Counts what it is told."""

    def __init__(self) -> None:
        self.steps: list[tuple[bytes, Answer, bool]] = []
        self.tls = 0

    def heard(self, said: bytes, answer: Answer, inside: bool) -> None:
        self.steps.append((said, answer, inside))

    def secured(self, layer: Any) -> None:
        self.tls += 1


def player(dialect: Dialect = smtp.DIALECT, witness: Any = None, secure: bool = False) -> Player:
    return Player(dialect, Asker(secure=secure), witness or Deaf(), Thin)


def met(played: Player, steps: Iterable[bytes | str]) -> list[bytes]:
    """What it says to what comes."""
    said = [played.begin()]
    for step in steps:
        if isinstance(step, bytes):
            said.append(played.hear(step))
        elif step == ENDED:
            played.hung_up(step)
        else:
            played.given_up(step)
    return said


EHLO, QUIT, STARTTLS = b"EHLO mailsunset\r\n", b"QUIT\r\n", b"STARTTLS\r\n"


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        pytest.param([GREETING, OFFER, BYE], [b"", EHLO, QUIT, b""], id="an offer, and leave"),
        pytest.param([GREETING, b"502 what?\r\n", OFFER, BYE], [b"", EHLO, b"HELO mailsunset\r\n", QUIT, b""],
                     id="a server of before 1995"),
        pytest.param([GREETING, TLS_OFFER, GO, WELCOME, OFFER, BYE],
                     [b"", EHLO, STARTTLS, HELLO, EHLO, QUIT, b""], id="an offer in clear, and inside TLS"),
        pytest.param([GREETING, TLS_OFFER, b"454 not now\r\n", BYE], [b"", EHLO, STARTTLS, QUIT, b""],
                     id="STARTTLS that is refused"),
        pytest.param([GREETING, OFFER, ENDED], [b"", EHLO, QUIT], id="it hangs up where it should say bye"),
        pytest.param([GREETING, OFFER, SILENT], [b"", EHLO, QUIT], id="it says no bye"),
    ],
)  # fmt: skip
def test_a_dialogue_is_held(steps: list[bytes | str], said: list[bytes]) -> None:
    played = player()
    assert met(played, steps) == said
    assert (played.state, played.outcome) == (State.DONE, Answered.ANSWERED)


def test_tls_comes_first_where_the_asker_says_so() -> None:
    played = player(secure=True)
    assert met(played, [WELCOME, GREETING, TLS_OFFER, BYE]) == [HELLO, b"", EHLO, QUIT, b""]
    assert (played.state, played.inside, played.opening) == (State.DONE, True, GREETING[:16])


@pytest.mark.parametrize(
    ("steps", "outcome"),
    [
        pytest.param([ENDED], Answered.CLOSED, id="it hangs up at once"),
        pytest.param([GREETING, ENDED], Answered.CLOSED, id="it hangs up when it is asked"),
        pytest.param([GREETING, OFFER[:9], ENDED], Answered.CLOSED, id="it hangs up in an answer"),
        pytest.param([GREETING, TLS_OFFER, ENDED], Answered.CLOSED, id="it hangs up at STARTTLS"),
        pytest.param([GREETING, TLS_OFFER, GO, ENDED], Answered.HANDSHAKE_ERROR, id="or in the handshake"),
        pytest.param([GREETING, TLS_OFFER, GO, WELCOME, ENDED], Answered.CLOSED, id="or inside TLS"),
        pytest.param([GREETING, TLS_OFFER, GO, ALERT], Answered.HANDSHAKE_ERROR, id="an alert"),
        pytest.param([GREETING, TLS_OFFER, GO + OFFER], Answered.HANDSHAKE_ERROR, id="it talks before TLS"),
        pytest.param([SILENT], Answered.TIMEOUT, id="it never speaks"),
        pytest.param([GREETING, SILENT], Answered.TIMEOUT, id="it does not answer"),
        pytest.param([GREETING, TLS_OFFER, GO, SILENT], Answered.TIMEOUT, id="the handshake stalls"),
        pytest.param([b"HTTP/1.1 400 Bad Request\r\n"], Answered.PROTOCOL_ERROR, id="it is a web server"),
        pytest.param([b"* OK IMAP4 ready\r\n"], Answered.PROTOCOL_ERROR, id="it is an IMAP server"),
        pytest.param([bytes(range(256))], Answered.PROTOCOL_ERROR, id="it is noise"),
    ],
)  # fmt: skip
def test_how_a_dialogue_fails(steps: list[bytes | str], outcome: Answered) -> None:
    played = player()
    met(played, steps)
    assert (played.state, played.outcome) == (State.FAILED, outcome)
    assert played.detail


def test_what_comes_after_the_end_changes_nothing() -> None:
    played = player()
    met(played, [GREETING, TLS_OFFER, GO, WELCOME, OFFER, BYE, ENDED, SILENT, ALERT, GREETING])
    assert (played.state, played.outcome) == (State.DONE, Answered.ANSWERED)


@pytest.mark.parametrize(
    ("first", "state", "heard"),
    [
        pytest.param([b"1\n", ENDED], State.AGAIN, [b"first\n"], id="between two requests"),
        pytest.param([b"page without an end", ENDED], State.AGAIN, [b"first\n"], id="where a page ends so"),
        pytest.param([b"1\n", b"2", ENDED], State.DONE, [b"first\n", b"second\n"], id="after the last page"),
        pytest.param([ENDED], State.FAILED, [], id="before any answer"),
    ],
)
def test_a_server_that_hangs_up_is_called_again(
    first: list[bytes | str], state: State, heard: list[bytes]
) -> None:
    witness = Deaf()
    played = player(PAGES, witness)
    met(played, first)
    assert played.state is state
    assert [said for said, _, _ in witness.steps] == heard
    if state is State.AGAIN:
        assert played.begin() == b"second\n"
        played.hear(b"2\n")
        assert played.state is State.DONE


@pytest.mark.parametrize(
    ("before", "endless", "outcome"),
    [
        pytest.param([], b"220-welcome\r\n", Answered.PROTOCOL_ERROR, id="a greeting"),
        pytest.param([GREETING], b"250-x\r\n", Answered.PROTOCOL_ERROR, id="a reply"),
        pytest.param([GREETING], b"x", Answered.PROTOCOL_ERROR, id="a line"),
        pytest.param([GREETING], b"\n", Answered.PROTOCOL_ERROR, id="empty lines"),
        pytest.param([GREETING, TLS_OFFER, GO, WELCOME], b"250-x\n", Answered.PROTOCOL_ERROR, id="in TLS"),
    ],
)
def test_what_never_ends_is_left(before: list[bytes], endless: bytes, outcome: Answered) -> None:
    played = player()
    met(played, before)
    heard = 0
    while played.state is State.PLAYING:
        assert heard <= HEARD_LIMIT + 65536
        heard += 65536
        played.hear(endless * (65536 // len(endless)))
    assert played.outcome is outcome


def test_of_a_page_that_never_ends_enough_is_known() -> None:
    played = player(PAGES, witness := Deaf())
    met(played, [b"<html>", bytes(HEARD_LIMIT)])
    assert played.state is State.AGAIN
    assert witness.steps[0][1].line == b"<html>"


def test_of_noise_little_is_kept() -> None:
    class Noisy(Page):
        def feed(self, side: Side, data: bytes, at: int) -> Iterable[Event]:
            super().feed(side, data, at)
            return [Label("page", "noise")] * len(data)

    played = player(replace(PAGES, session=Noisy), witness := Deaf())
    met(played, [b"x" * 4096, b"x" * 4096 + b"\n"])
    assert len(witness.steps[0][1].events) == EVENTS_KEPT


@pytest.mark.parametrize(("odd", "state"), [(ODD_LIMIT, State.DONE), (ODD_LIMIT + 1, State.FAILED)])
def test_who_says_much_that_makes_no_sense_is_left(odd: int, state: State) -> None:
    played = player(witness=(witness := Deaf()))
    met(played, [GREETING, b"what?\r\n" * odd, OFFER, BYE])
    assert played.state is state
    assert not any(isinstance(event, Weird) for _, answer, _ in witness.steps for event in answer.events)


def test_who_has_no_script_cannot_be_played() -> None:
    with pytest.raises(ValueError, match="no script"):
        player(dns.DIALECT)


TALK = (GREETING, TLS_OFFER, GO, WELCOME, OFFER, BYE)
"""What a server says by turns; a client has said something in between."""


def told(pieces: Iterable[bytes]) -> Service:
    ledger = Ledger(Endpoint("192.0.2.1", 587), "smtp", TlsMode.CLEAR)
    played = player(witness=ledger)
    met(played, pieces)
    assert played.state is State.DONE
    return ledger.service(0)


def pieces_of(cuts: list[int]) -> Iterator[bytes]:
    for turn in TALK:
        ends = sorted({0, len(turn), *(cut % len(turn) for cut in cuts)})
        yield from (turn[start:end] for start, end in pairwise(ends))


@given(st.lists(st.integers(0, 200), max_size=12))
@settings(deadline=None)
def test_any_chunking_tells_the_same(cuts: list[int]) -> None:
    assert told(pieces_of(cuts)) == told(TALK)


SAID = [*TALK, ALERT, ENDED, SILENT, b"1\n", b"\x15\x03\x01\0\x02\x02\x28"]
STEP = st.one_of(st.sampled_from(SAID), st.binary(max_size=80))


@given(st.lists(STEP, max_size=20), st.booleans(), st.sampled_from([smtp.DIALECT, PAGES]))
@settings(deadline=None)
def test_nothing_makes_it_raise(steps: list[bytes | str], secure: bool, dialect: Dialect) -> None:
    played = player(dialect, secure=secure)
    met(played, steps)
    assert (played.state is State.FAILED) == (played.outcome is not Answered.ANSWERED)
    assert (played.state is State.FAILED) == bool(played.detail)
