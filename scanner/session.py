"""What a protocol is: a session that hears both sides, and a dialect that says how to recognise it.

A session has no clock, no socket and no memory of other conversations, and never raises on what it hears.
The same session serves a capture and a live mirror; the client opened, the server answered.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from scanner.conversation import Side, Transport
from scanner.events import Event


class Session(Protocol):
    """One conversation, heard from both sides."""

    leftover: tuple[tuple[Side, int, bytes], ...]
    """After ``TlsStarted`` (or a proxy's tunnel opened): bytes not read, in order, as (side, at, data)."""

    def feed(self, side: Side, data: bytes, at: int) -> Iterable[Event]:
        """Hear bytes that one side sent at a time (ns); any chunking gives the same events."""
        ...

    def gap(self, side: Side, missing: int, at: int) -> Iterable[Event]:
        """Learn that bytes of one side were lost; -1: nobody knows how many."""
        ...

    def end(self) -> Iterable[Event]:
        """Tell what is still open: attempts without an answer, how far it got. Called once."""
        ...


class Spoken(Session, Protocol):
    """A session that one can take part in: it knows when it is the client's turn."""

    @property
    def awaits(self) -> bool:
        """Whether the client is to wait: for the greeting, or for (the rest of) an answer."""
        ...

    @property
    def answer(self) -> bytes:
        """The last line of the last answer that was whole: ``250 OK``, ``HTTP/1.1 401 Unauthorized`` …

        IMAP's comes without its tag. What a script needs beside it stands in a line below (IMAP's list of
        capabilities, HTTP's Location). Empty: nothing was answered yet, or to HTTP's last request.
        """
        ...


class Move(Enum):
    """What a script does beside speaking."""

    START_TLS = "start-tls"
    """Begin TLS now; the script goes on inside."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of what a script said or did."""

    events: tuple[Event, ...]
    """All that the session told meanwhile, of both sides."""
    line: bytes
    """``Spoken.answer``; empty after a move."""


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, and what may be tried."""

    name: str = "mailsunset"
    """What we call ourselves: in EHLO, ID and User-Agent."""
    host: str = ""
    """Name, else address, of the server: for HTTP's Host line."""
    relay_from: str | None = None
    """With ``relay_to``: try whether mail from and to these addresses would be taken; none is sent."""
    relay_to: str | None = None
    secure: bool = False
    """TLS was begun before the dialogue."""


Script = Generator[bytes | Move, Answer, None]
"""The client's half of a polite dialogue: yields what to say (empty: only listen), is sent what came of it.

It never logs in and never sends mail; it ends when it has nothing more to say. Whoever plays it feeds both
halves to one session, and stops wherever the server does.
"""


class Match(Protocol):
    """Does the beginning of what one side said look like this protocol?"""

    def __call__(self, head: bytes) -> bool | None:
        """True: yes; False: no; None: too little to tell."""
        ...


@dataclass(frozen=True, slots=True)
class Example:
    """A transcript that proves a dialect: who said what, and the events that must come of it."""

    title: str
    lines: tuple[tuple[Side, bytes], ...]
    events: tuple[Event, ...]
    """All events but ``Reached`` with their times set to 0."""
    secrets: tuple[bytes, ...] = ()
    """What must not show up in any event's text."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """One protocol: the file ``protocols/NAME.py`` holds one as ``DIALECT``; there is no registry."""

    name: str
    """As in the session record: ``smtp``, ``imap``, ``pop3``, ``http``, ``tls``, ``dns`` …"""
    transport: Transport
    ports: frozenset[int]
    """Where it usually lives: a hint, never a proof. Of frames: their EtherTypes."""
    client_mark: Match
    server_mark: Match
    server_first: bool
    """The server speaks first (mail) or the client does (HTTP, TLS)."""
    session: Callable[[], Session]
    examples: tuple[Example, ...] = ()
    script: Callable[[Asker], Script] | None = None
    """What a polite prober says; its ``session`` is ``Spoken`` then."""
    overheard: bool = True
    """False: it is only ever asked, and what is overheard is never taken for it."""
    alone: bool = False
    """Each datagram, frame or segment stands for itself: who is what is announced, not talked about."""
