"""What the protocols have in common that say all in one datagram, frame or segment."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from scanner.conversation import Side, Transport
from scanner.events import Event, Gap
from scanner.session import Dialect, Example

Read = Callable[[bytes], Iterable[Event]]
"""Reads one payload; gives nothing for what it does not know, and never raises."""
TEXT_LENGTH = 255
"""Characters of a text kept: what names a machine is shorter (RFC 1035 2.3.4); the rest is cut off."""


class Announcement:
    """One datagram after the other, each read for itself."""

    def __init__(self, read: Read) -> None:
        """Read by ``read``."""
        self._read = read
        self.leftover: tuple[tuple[Side, int, bytes], ...] = ()

    def feed(self, side: Side, data: bytes, at: int) -> Iterable[Event]:
        """Hear one, whoever sent it."""
        return self._read(data)

    def gap(self, side: Side, missing: int, at: int) -> Iterable[Event]:
        """Learn that one was lost."""
        return (Gap(side, missing),)

    def end(self) -> Iterable[Event]:
        """Nothing is ever open."""
        return ()


def announcing(
    name: str, transport: Transport, ports: frozenset[int], read: Read, examples: tuple[Example, ...]
) -> Dialect:
    """Make the dialect of a protocol whose payloads stand alone."""

    def mark(head: bytes) -> bool | None:
        return bool(head)

    return Dialect(
        name=name,
        transport=transport,
        ports=ports,
        client_mark=mark,
        server_mark=mark,
        server_first=False,
        session=lambda: Announcement(read),
        examples=examples,
        alone=True,
    )


def clean(raw: bytes) -> str:
    """Text as a machine put it in a field: UTF-8 or Latin-1, without zeros and blanks around it."""
    raw = raw.partition(b"\0")[0]
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    return text.strip()[:TEXT_LENGTH]
