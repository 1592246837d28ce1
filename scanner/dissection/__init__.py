"""A second opinion: what another program's dissectors read of a packet, made into our events.

Recognition, reassembly and dissection are the other program's; here its fields get the meaning that our
session records have. What it has no field for stays unsaid. Fields that hold secrets are cut on their way in
(``fields``); nothing that is kept holds any.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, Protocol

from scanner.conversation import Endpoint, Side
from scanner.events import Answer, Event


class Field(NamedTuple):
    """One dissected field."""

    name: str
    """As Wireshark's reference of display filters calls it."""
    text: str


class Layer(NamedTuple):
    """What one dissector said of one packet."""

    name: str
    fields: tuple[Field, ...]
    """In the order of their place in the packet."""

    def first(self, name: str) -> str | None:
        """Text of the first field of this name."""
        return next((field.text for field in self.fields if field.name == name), None)

    def all(self, name: str) -> list[str]:
        """Texts of all fields of this name."""
        return [field.text for field in self.fields if field.name == name]


class Dissected(NamedTuple):
    """One TCP segment and what the dissectors above TCP said of it."""

    stream: int
    """The connection's number; a reused pair of ports gets a new one."""
    at: int
    """ns"""
    source: Endpoint
    target: Endpoint
    source_mac: str | None
    target_mac: str | None
    flags: int
    """TCP's, the lowest eight."""
    sequence: int
    """Relative to the first of its side."""
    acknowledged: int
    """Relative likewise; 0 where nothing is acknowledged."""
    length: int
    """Bytes of payload."""
    layers: tuple[Layer, ...]


Told = Dissected | Answer
"""What a packet is to us: a part of a connection, or an address for a name."""


class Talk(Protocol):
    """One protocol of one connection, as dissected."""

    def hear(self, side: Side, layer: Layer, at: int) -> Iterable[Event]:
        """Hear what the dissector said of one side's packet at a time (ns)."""
        ...

    def end(self) -> Iterable[Event]:
        """Tell what is still open, and how far it got. Called once."""
        ...
