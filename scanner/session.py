"""What a protocol is: a session that hears both sides, and a dialect that says how to recognise it.

A session has no clock, no socket and no memory of other conversations, and never raises on what it hears.
The same session serves a capture and a live mirror; the client opened, the server answered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
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
    alone: bool = False
    """Each datagram, frame or segment stands for itself: who is what is announced, not talked about."""
