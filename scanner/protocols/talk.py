"""What SMTP, IMAP and POP3 have in common: lines that both sides say, and TLS that may begin among them."""

from __future__ import annotations

from abc import ABC, abstractmethod

from scanner.conversation import CLIENT, SERVER, Side
from scanner.events import Event, Phase, Reached, TlsMode, TlsStarted, Weird
from scanner.wire.lines import Lines
from scanner.wire.tls import begins_hello

_TLS_RECORD = b"\x16\x03"


class Talk(ABC):
    """A conversation in lines; who extends it says what the lines mean."""

    name: str
    """Of the protocol: its oddities are called by it."""

    def __init__(self) -> None:
        """Begin before the greeting."""
        self.leftover: tuple[tuple[Side, int, bytes], ...] = ()
        self._lines = (Lines(), Lines())
        self._literal: int | None = None
        """Bytes that the client says next, and that are no line (IMAP's literals, SMTP's BDAT)."""
        self._holding = False
        """The client asked for TLS and was not answered yet."""
        self._over = self._greeted = self._served = self._lossy = False
        self.answer = b""
        """The last line of the server's last answer."""
        self._spoke = [False, False]

    def feed(self, side: Side, data: bytes, at: int) -> list[Event]:
        """Hear bytes of one side."""
        heard: list[Event] = []
        if self._over:
            return heard
        lines = self._lines[side]
        alone = None if self._lossy else lines.alone(data)
        if alone is not None and (side is SERVER or not (self._holding or self._literal is not None)):
            self._spoke[side] = True
            (self._answered if side is SERVER else self._asked)(alone, at, heard)
            return heard
        lines.push(data)
        if data:
            self._spoke[side] = True
        if self._lossy and begins_hello(data):  # STARTTLS, or what answered it, is among what was lost
            self._start_tls(at, heard)
        elif side is SERVER:
            self._heard_server(lines, at, heard)
        else:
            self._heard_client(at, heard)
        if lines.overflowed:
            lines.overflowed = False
            heard.append(Weird(f"{self.name}_long_line"))
        return heard

    @property
    @abstractmethod
    def awaits(self) -> bool:
        """Whether the client is to wait for the greeting or an answer."""

    @abstractmethod
    def _asked(self, line: bytes, at: int, heard: list[Event]) -> None:
        """Hear a line of the client."""

    @abstractmethod
    def _answered(self, line: bytes, at: int, heard: list[Event]) -> None:
        """Hear a line of the server."""

    def _heard_server(self, lines: Lines, at: int, heard: list[Event]) -> None:
        while not self._over and (line := lines.pop()) is not None:
            self._answered(line, at, heard)

    def _heard_client(self, at: int, heard: list[Event]) -> None:
        while not self._over:
            if self._holding:
                self._held(at, heard)
                return
            line = self._next_line(self._lines[CLIENT])
            if line is None:
                return
            self._asked(line, at, heard)

    def _next_line(self, lines: Lines) -> bytes | None:
        """Take the client's next line; None if it is not whole yet."""
        return lines.pop()

    def _held(self, at: int, heard: list[Event]) -> None:
        """The client speaks before its wish for TLS was answered: TLS, if the answer was not heard."""
        held = self._lines[CLIENT].rest()
        self._lines[CLIENT].push(held)
        if held.startswith(_TLS_RECORD):
            self._start_tls(at, heard)

    def _tls_answered(self, good: bool, at: int, heard: list[Event]) -> None:
        """The server answered the wish for TLS; if it refused, what the client said since is heard now."""
        self._holding = False
        if good:
            self._start_tls(at, heard)
        else:
            self._heard_client(at, heard)

    def _start_tls(self, at: int, heard: list[Event]) -> None:
        self._over = True
        rests = ((side, at, self._lines[side].rest()) for side in (CLIENT, SERVER))
        self.leftover = tuple(rest for rest in rests if rest[2])
        heard.append(TlsStarted(TlsMode.STARTTLS))

    def _reached(self) -> list[Event]:
        """How far it got, if anybody spoke."""
        if not any(self._spoke):
            return []
        both = Phase.SERVED if self._served else Phase.ANSWERED
        return [Reached(both if all(self._spoke) else Phase.OPENED)]
