"""Connections as they are heard: ends, sides, bytes in order, holes, and how it ended.

Times are integers, nanoseconds since 1970-01-01 UTC; addresses are text in canonical form (RFC 5952).
"""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import NamedTuple

from scanner.record import record


class Side(IntEnum):
    """Who speaks: the one who opened the conversation, or the one who answered."""

    CLIENT = 0
    SERVER = 1

    @property
    def other(self) -> Side:
        """The peer."""
        return Side.SERVER if self is Side.CLIENT else Side.CLIENT


CLIENT, SERVER = Side.CLIENT, Side.SERVER
"""Looked up once: an enum gives its member ten times as slowly as a module its name."""


class Transport(StrEnum):
    """What carries the conversation."""

    TCP = "tcp"
    UDP = "udp"
    FRAME = "frame"
    """A frame of its own, by EtherType or, behind Cisco's SNAP code, by protocol number."""


class Endpoint(NamedTuple):
    """One end of a flow."""

    ip: str
    """Address, canonical text."""
    port: int
    """0 to 65535."""


class Flow(NamedTuple):
    """Both ends of a conversation; ``client`` is the one who opened it."""

    client: Endpoint
    server: Endpoint
    transport: Transport = Transport.TCP


class Chunk(NamedTuple):
    """Bytes that one side sent, in order; or a hole where such bytes are missing."""

    side: Side
    at: int
    """When the (first) packet was seen, ns."""
    data: bytes
    """Empty for a hole."""
    missing: int = 0
    """Bytes known to be lost here; -1: lost, but nobody knows how many (the start was not seen)."""


class Said(NamedTuple):
    """Bytes that were said inside TLS, as they were before they were encrypted."""

    sender: Endpoint
    receiver: Endpoint
    at: int
    """When the packet was seen that ended their record, ns; the packets of its connection tell the same."""
    data: bytes
    """Empty where something could not be decrypted: nobody knows how many bytes."""
    request: int = 0
    """The stream of HTTP/2 that they belong to (RFC 9113 5.1.1); 0 where there are none."""


class Ending(StrEnum):
    """Why nothing more is heard of a conversation."""

    CLOSED = "closed"
    """FIN from both sides, or from one and the capture went quiet."""
    RESET = "reset"
    CUT = "cut"
    """The limit of bytes kept a direction was reached: the login is over by then."""
    IDLE = "idle"
    REUSED = "reused"
    """A new SYN took the same ports."""
    EVICTED = "evicted"
    """The flow table was full."""
    ENDED = "ended"
    """The capture ended first."""


@record
class Conversation:
    """What was heard of one TCP connection, both sides merged in the order of time."""

    flow: Flow
    chunks: tuple[Chunk, ...]
    first_seen: int
    """ns"""
    last_seen: int
    """ns"""
    ending: Ending
    client_started: bool
    """The client's SYN (or its first byte, known by the peer's SYN-ACK) was seen."""
    server_started: bool
    """The server's SYN-ACK was seen."""
    client_mac: str | None = None
    """The MAC that the client's packets carried, ``aa:bb:cc:dd:ee:ff``; it may be a router's."""
    server_mac: str | None = None
    duplicates: int = 0
    """Packets seen twice or retransmitted."""
    conflicts: int = 0
    """Bytes that a second copy gave differently; the first copy was kept."""
    truncated: bool = False
    """The capture's snap length cut payload off somewhere."""
    capture: str | None = None
    """Name of the file (or interface) it came from."""

    def without_bytes(self) -> Conversation:
        """The same without what was said."""
        return Conversation(  # by place: ``dataclasses.replace`` takes three times as long
            self.flow, (), self.first_seen, self.last_seen, self.ending,
            self.client_started, self.server_started, self.client_mac, self.server_mac,
            self.duplicates, self.conflicts, self.truncated, self.capture,
        )  # fmt: skip
