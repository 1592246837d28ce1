"""An interface that is listened to, whoever brings its packets: a ring (Linux) or scapy's sockets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from socket import socket
from typing import NamedTuple, Protocol

from scanner.wire.batch import Batch, LinkType

Filter = Callable[[socket, LinkType], None]
"""Attaches a filter to a socket for packets of a link type."""


class Counts(NamedTuple):
    """What came through a tap since it was opened; counts of packets."""

    delivered: int = 0
    """Those that the kernel's filter let pass and that found room."""
    dropped: int = 0
    """Those that it let pass and had no room for."""
    tagged: int = 0
    """Delivered ones whose VLAN tag the kernel had taken off."""
    cut: int = 0
    """Delivered ones that are shorter than they were on the wire."""


class TapError(Exception):
    """An interface cannot be listened to, or no more; the text says why in one line."""


class Tap(Protocol):
    """One reader of one interface."""

    @property
    def interface(self) -> str:
        """Its name, as it was when it was opened or last looked at."""
        ...

    @property
    def up(self) -> bool:
        """Whether the interface is there, on, and has a carrier, as far as was looked."""
        ...

    def look(self) -> list[str]:
        """See what became of the interface, and listen anew if it is back; tells what is new, in words."""
        ...

    def fileno(self) -> int:
        """What ``select`` waits on until there is something."""
        ...

    def batches(self) -> Iterator[Batch]:
        """Give what has come, without waiting; each is valid until the next is asked for. Raises TapError."""
        ...

    def refilter(self, attach: Filter) -> None:
        """Have the kernel filter by another program, where it filters at all."""
        ...

    def counts(self) -> Counts:
        """What came so far."""
        ...

    def close(self) -> None:
        """Leave the interface as it was found. Twice does no harm."""
        ...
