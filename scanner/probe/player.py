"""Play a script over a connection: both halves go to one session, as if it were overheard.

Sans-I/O: bytes in, bytes out. TLS is begun where the script says so, or before it.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum, auto
from typing import Protocol, cast

from scanner.conversation import CLIENT, SERVER
from scanner.events import Event, Weird
from scanner.probe.layers import Layer, LayerFault, NewLayer
from scanner.services import Answered
from scanner.session import Answer, Asker, Dialect, Move, Spoken

HEARD_LIMIT = 256 * 1024
"""Bytes of one connection that are heard: a mail dialogue has four thousand, a device's front page some ten
thousand; who says more is left, and that is a protocol error, but of a page: of that enough is known."""
MARK_BYTES = 16
"""Bytes by which every protocol is known or is not."""
EVENTS_KEPT = 1024
"""Of one step: a page or a list of capabilities tells some dozen things."""
ODD_LIMIT = 256
"""Odd things of one connection, mostly lines that are none; who says more of them is not worth the time."""
_NOTHING = Answer((), b"")
_LEAVE = (b"QUIT\r\n", b" LOGOUT\r\n")
"""How what is said last ends."""


class Witness(Protocol):
    """Whoever keeps what a dialogue tells."""

    def heard(self, said: bytes, answer: Answer, inside: bool) -> None:
        """Learn what came of a step; ``inside``: it was said inside TLS."""
        ...

    def secured(self, layer: Layer) -> None:
        """Learn that TLS was begun."""
        ...


class State(Enum):
    """How far a player is."""

    PLAYING = auto()
    DONE = auto()
    """The script is over, or all that was wanted is known."""
    AGAIN = auto()
    """The server hung up between two requests: the script goes on over a new connection."""
    FAILED = auto()
    """``outcome`` says how."""


class Player:
    """One script that is played; over several connections where a server wants one for each request."""

    def __init__(self, dialect: Dialect, asker: Asker, witness: Witness, layer: NewLayer | None) -> None:
        """``layer`` makes what begins TLS: where the script does, or first if the asker says so.

        ValueError for a dialect without a script.
        """
        if dialect.script is None:
            raise ValueError(f"{dialect.name} has no script")
        self._dialect, self._witness, self._new_layer = dialect, witness, layer
        self._secure = asker.secure
        self._script = dialect.script(asker)
        self._session = self._new_session()
        self._events: list[Event] = []
        self._layer: Layer | None = None
        self._said: bytes | None = None
        self._count = self._since = self._odd = 0
        self._first = b""
        self.raw = b""
        """The first bytes that came over this connection."""
        self._answered = self._told = False
        self.state = State.PLAYING
        self.outcome = Answered.ANSWERED
        self.detail = ""

    def begin(self) -> bytes:
        """Learn that a connection is there; gives what to send."""
        self._count, self._odd, self._layer, self._answered = 0, 0, None, False
        self._first = self.raw = b""
        self.state, self._session = State.PLAYING, self._new_session()
        return self._start_tls() if self._secure else self._go_on()

    def hear(self, data: bytes) -> bytes:
        """Hear what the server sent; gives what to send."""
        if self.state is not State.PLAYING:
            return b""
        if not self._count:
            self.raw = data[:MARK_BYTES]
        self._count += len(data)
        layer = self._layer
        if self._count > HEARD_LIMIT:
            return self._too_much()
        if layer is None:
            return self._hear(data) if self._is_it(data) else b""
        return self._hear_inside(layer, data)

    def _hear_inside(self, layer: Layer, data: bytes) -> bytes:
        try:
            began, plain = not layer.ready, layer.receive(data)
            out = b""
            if layer.over:
                self.state = State.DONE
            elif began and layer.ready:
                self._witness.secured(layer)
                out = self._go_on()
            if plain and self._is_it(plain):
                out += self._hear(plain)
            if layer.ended:
                self.hung_up("it closed the connection")
            return layer.pending() + out
        except LayerFault as fault:
            return self._fail(Answered.HANDSHAKE_ERROR, str(fault))

    @property
    def opening(self) -> bytes:
        """What the server said first of the dialogue, inside TLS if that came before it."""
        return self._first

    @property
    def inside(self) -> bool:
        """Whether TLS is there."""
        return self._layer is not None and self._layer.ready

    @property
    def leaves(self) -> bool:
        """Whether it has said its last word."""
        return self._said is not None and self._said.endswith(_LEAVE)

    def hung_up(self, how: str) -> None:
        """Learn that the server closed the connection, or that it broke."""
        if self.state is not State.PLAYING:
            return
        if self._layer and not self._layer.ready:
            self._fail(Answered.HANDSHAKE_ERROR, how)
        elif self.leaves:
            self.state = State.DONE
        elif self._dialect.server_first or not (self._since or self._told):
            self._fail(Answered.CLOSED, how)
        elif not (self._since or self._answered):
            self.state = State.DONE  # a web server that answers some things, and hangs up at others
        else:
            if self._since:  # a page without a length ends so
                self._events += self._session.end()
                self._answer()
            if self.state is State.PLAYING:
                self.state = State.AGAIN

    def given_up(self, how: str) -> None:
        """Learn that no more is waited for, or called."""
        if self.state not in (State.PLAYING, State.AGAIN):
            return
        if self.leaves:
            self.state = State.DONE
        else:
            self._fail(Answered.TIMEOUT, how)

    def _new_session(self) -> Spoken:
        return cast(Spoken, self._dialect.session())  # a dialect with a script has one that can be spoken

    def _start_tls(self, early: bytes = b"") -> bytes:
        """Begin TLS; ``early``: what the server said though it was our turn is no TLS, and fails it."""
        if self._new_layer is None:
            return self._fail(Answered.HANDSHAKE_ERROR, "TLS is not begun here")
        try:
            self._layer = self._new_layer()
            out = self._layer.pending()
        except LayerFault as fault:
            return self._fail(Answered.HANDSHAKE_ERROR, str(fault))
        return out + (self._hear_inside(self._layer, early) if early else b"")

    def _go_on(self) -> bytes:
        """Begin the script; go on with it inside TLS, or over another connection."""
        if self._said is None:
            return self._do(next(self._script))
        if self._said:
            return self._say(self._said)
        self._session = self._new_session()
        return self._step(_NOTHING)

    def _step(self, answer: Answer) -> bytes:
        try:
            return self._do(self._script.send(answer))
        except StopIteration:
            self.state = State.DONE
            return b""

    def _do(self, move: bytes | Move) -> bytes:
        if isinstance(move, bytes):
            return self._say(move)
        self._said = b""
        return self._start_tls(b"".join(data for side, _, data in self._session.leftover if side is SERVER))

    def _say(self, said: bytes) -> bytes:
        self._said, self._events, self._since = said, [], 0
        if not said:
            return b""
        self._keep(self._session.feed(CLIENT, said, 0))
        if self._layer is None:
            return said
        try:
            self._layer.say(said)
        except LayerFault as fault:
            self._fail(Answered.HANDSHAKE_ERROR, str(fault))
        return b""

    def _is_it(self, data: bytes) -> bool:
        """Whether what the server says first is of this protocol; else give up."""
        if len(self._first) < MARK_BYTES:
            self._first += data[:MARK_BYTES]
            if self._dialect.server_mark(self._first) is False:
                self._fail(Answered.PROTOCOL_ERROR, f"what it says is no {self._dialect.name.upper()}")
        return self.state is State.PLAYING

    def _hear(self, data: bytes) -> bytes:
        self._since += len(data)
        self._keep(self._session.feed(SERVER, data, 0))
        if self._odd > ODD_LIMIT:
            return self._fail(Answered.PROTOCOL_ERROR, "much of what it says makes no sense")
        return b"" if self._session.awaits else self._answer()

    def _keep(self, events: Iterable[Event]) -> None:
        for event in events:
            if isinstance(event, Weird):
                self._odd += 1
            elif len(self._events) < EVENTS_KEPT:
                self._events.append(event)

    def _answer(self) -> bytes:
        answer = Answer(tuple(self._events), self._session.answer)
        self._events, self._since = [], 0
        self._answered = self._told = True
        self._witness.heard(self._said or b"", answer, self._layer is not None)
        return self._step(answer)

    def _too_much(self) -> bytes:
        if self._dialect.server_first or not self._session.answer:
            return self._fail(Answered.PROTOCOL_ERROR, f"it said more than {HEARD_LIMIT // 1024} KB")
        self._answer()
        if self.state is State.PLAYING:
            self.state = State.AGAIN
        return b""

    def _fail(self, outcome: Answered, detail: str) -> bytes:
        self.state, self.outcome, self.detail = State.FAILED, outcome, detail
        return b""
