"""What an examination of a mirror found: counts, before anybody says what they mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from scanner.capture.card import Card
from scanner.model import ServerKind
from scanner.wire.survey import Directions, Frames

NO_DIRECTIONS = Directions()


@dataclass(frozen=True, slots=True)
class WireEvidence:
    """One interface; counts of packets."""

    name: str
    up: bool
    """At the end."""
    frames: Frames
    """What was looked at."""
    news: tuple[str, ...] = ()
    """What became of it meanwhile, in words."""
    arrived: Card | None = None
    """What the system counted meanwhile, looked at or not; None: it does not tell."""
    segments: int = 0
    """TCP segments decoded."""
    tunnels: Mapping[str, int] = field(default_factory=dict)
    """What brings a mirror from afar: packets by the name of what they were wrapped in."""
    shims: Mapping[str, int] = field(default_factory=dict)
    """Likewise, of what networks wrap packets in for themselves."""
    inner_tags: int = 0
    """VLAN tags behind the outer one, or in tunnels."""
    headers_cut: int = 0
    """Packets cut so short that it cannot be told whether they carry something."""
    fragments_lost: int = 0
    """Fragments of packets that never became whole."""
    passed: int = 0
    """What came through the kernel's filter, since it was attached."""
    dropped: int = 0
    """What did, and had no room in the ring."""


class Server(NamedTuple):
    """Whom somebody has mail with."""

    name: str
    """Its name, else its address."""
    port: int
    protocol: str
    kind: ServerKind


@dataclass(frozen=True, slots=True)
class MailEvidence:
    """Connections that have to do with mail; counts of them."""

    servers: Mapping[Server, int] = field(default_factory=dict)
    """Connections with each."""
    clients: int = 0
    """Machines that opened them."""
    connections: int = 0
    begun: int = 0
    """Those whose beginning was seen."""
    directions: Directions = NO_DIRECTIONS


class Stated(NamedTuple):
    """By how much this machine's clock differs from what one server said."""

    ahead_ns: int
    """How far this machine's clock is ahead."""
    microsoft: bool
    """The server is Microsoft's, and keeps time."""


class Machine(NamedTuple):
    """What this machine allows; texts are parts of a sentence."""

    user: str
    """Whose rights the packets were looked at with."""
    extended: bool
    """The kernel cuts connections off."""
    filter_note: str | None
    """Why it does not."""
    inventory: str
    """Where the inventory is, or will be."""
    writer: str | None
    """Who would write it; None: nobody can."""
    free_bytes: int | None
    """On its disk; None: it is elsewhere."""
    tshark: str | None
    """Where tshark is."""
    tshark_note: str
    """Why it cannot be used, and what to do."""
    clock_held: bool
    """A time service keeps this machine's clock."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """All of it."""

    seconds: float
    """How long was listened."""
    wires: tuple[WireEvidence, ...]
    filtered: bool
    """In the end the kernel filtered, as it does for ``watch``: there was more than need be looked at."""
    mail: MailEvidence
    directions: Directions
    """Of all TCP connections, whatever they carry."""
    segments: int
    """TCP segments with payload."""
    copies: int
    """Those of them that came twice."""
    clocks: tuple[Stated, ...]
    """One a server."""
    machine: Machine
