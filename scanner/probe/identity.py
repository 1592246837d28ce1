"""Ask a machine what it is, in ways that mail does not need; all of it unicast, and to that machine alone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from scanner.conversation import Endpoint
from scanner.events import Answer as Named
from scanner.events import Event, Label
from scanner.labels import FIELDS
from scanner.probe.dial import Dialler, Unreachable
from scanner.probe.layers import Layer
from scanner.probe.player import Player
from scanner.probe.questions import NOISE, Question, questions, told
from scanner.protocols import ipp, pjl, ssdp, upnp
from scanner.session import Answer, Asker, Dialect

LABELS_KEPT = 64
"""Facts of one machine; more would be a flood."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Asks machines what they are."""

    dialler: Dialler
    asker: Asker
    noise: Callable[[int], bytes]
    """Gives so many random bytes: by them answers belong to questions."""
    communities: Sequence[str] = ()
    """Of SNMP; none: it is not spoken."""
    pjl: bool = False
    """Whether port 9100 may be asked, where some printers print the question."""

    async def ask(self, host: str) -> tuple[Label, ...]:
        """Gives what a machine says of itself, as a sniffer would have heard it."""
        told = [self._by_datagrams(host), self._play(host, ipp.PORT, ipp.DIALECT)]
        if self.pjl:
            told.append(self._play(host, pjl.PORT, pjl.DIALECT))
        found = dict.fromkeys(label for labels in await asyncio.gather(*told) for label in labels)
        return tuple(found)[:LABELS_KEPT]

    async def _by_datagrams(self, host: str) -> list[Label]:
        asked = questions(host, self.noise(NOISE), self.asker.name, self.communities)
        heard, labels = await self._inquire(host, asked)
        answered = {port for port, _ in heard}
        again = [more for one in asked if one.port not in answered for more in one.otherwise]
        if again:
            labels += (await self._inquire(host, again))[1]
        places = (ssdp.described_by(data, host) for _, data in heard)
        if place := next(filter(None, places), None):
            labels += await self._play(host, place[0], upnp.described_at(*place))
        return labels

    async def _inquire(
        self, host: str, asked: Sequence[Question]
    ) -> tuple[list[tuple[int, bytes]], list[Label]]:
        heard = await self.dialler.inquire(host, [(one.port, one.payload) for one in asked])
        return heard, _own(told(asked, heard), host)

    async def _play(self, host: str, port: int, dialect: Dialect) -> list[Label]:
        witness = _Hearer(host)
        player = Player(dialect, replace(self.asker, host=host, secure=False), witness, None)
        with suppress(Unreachable):
            await self.dialler.play(Endpoint(host, port), player, tries=1)
        return witness.labels


class _Hearer:
    """Keeps labels."""

    def __init__(self, host: str) -> None:
        self._host = host
        self.labels: list[Label] = []

    def heard(self, said: bytes, answer: Answer, inside: bool) -> None:
        self.labels += _own(answer.events, self._host)

    def secured(self, layer: Layer) -> None:
        """Never: all this is in clear."""


def _own(events: Iterable[Event], host: str) -> list[Label]:
    """Labels about the machine that was asked; what it says of others is not taken from it.

    Asked by one of its addresses it may tell of itself by another: those that it gives the same name are its.
    """
    events, plain = tuple(events), host.partition("%")[0]
    named = [event for event in events if isinstance(event, Named)]
    names = {one.name for one in named if one.address == plain}
    own = {None, plain, *(one.address for one in named if one.name in names)}
    labels = (event for event in events if isinstance(event, Label) and event.field in FIELDS)
    return [replace(one, ip=None) for one in labels if one.ip in own]
