"""The run over all addresses: who is there, and what they offer; many at a time, of each host a few ports."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass

from scanner.conversation import Endpoint
from scanner.events import Label
from scanner.probe.dial import NOBODY, TRIES
from scanner.probe.errand import Errand, Found
from scanner.services import Answered, Service

HOSTS_AT_ONCE = 200
"""Addresses looked at at a time: most of them are nobody's, and cost a wait."""
PORTS_AT_ONCE = 4
"""Ports of one host asked at a time: small devices take few connections."""
KNOCKS = (25, 443, 80, 587)
"""Ports by which an address is known to be somebody's: who answers at none of them, if only to refuse, is not
there, or behind a filter."""


@dataclass(frozen=True, slots=True)
class Visit:
    """What one address gave."""

    host: str
    services: tuple[Service, ...]
    """By port; empty: nobody answered."""
    labels: tuple[Label, ...] = ()


class Expedition:
    """Visits addresses."""

    def __init__(
        self,
        errand: Errand,
        ports: Sequence[int],
        *,
        there: Callable[[str], bool | None] = lambda _: None,
        asked: Callable[[str, int], bool] = lambda _, __: False,
        name_of: Callable[[str], str | None] = lambda _: None,
        what: Callable[[str], Awaitable[Iterable[Label]]] | None = None,
        knock: bool = True,
    ) -> None:
        """``there``: whether a host is (not) there, None: knock; ``asked``: whether a port was asked before.

        ``name_of``: the name by which the user named an address; ``what``: asks a machine what it is;
        ``knock``: leave who answers to no knock.
        """
        self._errand, self._ports = errand, ports
        self._there, self._asked, self._name_of, self._what = there, asked, name_of, what
        knocks = [port for port in KNOCKS if port in ports] or list(ports)[: len(KNOCKS)]
        self._knocks = knocks if knock else list(ports)
        self.done = 0
        """All addresses before this one are done, in the order in which they were given."""
        self._finished: set[int] = set()

    async def run(self, addresses: Iterable[str]) -> AsyncIterator[Visit]:
        """Visit all; yields what each gave, in the order in which they are done."""
        visits: asyncio.Queue[tuple[int, Visit] | None] = asyncio.Queue(HOSTS_AT_ONCE)
        waiting = enumerate(addresses, self.done)

        async def lane() -> None:
            for index, address in waiting:
                await visits.put((index, await self.visit(address)))

        async def lanes() -> None:
            try:
                async with asyncio.TaskGroup() as group:
                    for _ in range(HOSTS_AT_ONCE):
                        group.create_task(lane())
            except BaseException:  # nobody may be there to take what waits
                while not visits.empty():
                    visits.get_nowait()
                visits.put_nowait(None)
                raise
            await visits.put(None)

        running = asyncio.create_task(lanes())
        try:
            while (next_one := await visits.get()) is not None:
                index, visit = next_one
                yield visit
                self._note(index)
            await running
        finally:
            running.cancel()

    def _note(self, index: int) -> None:
        self._finished.add(index)
        while self.done in self._finished:
            self._finished.remove(self.done)
            self.done += 1

    async def visit(self, host: str) -> Visit:
        """Knock, then ask every port that was not asked before."""
        there, found = self._there(host), list[Found]()
        left = [port for port in self._ports if not self._asked(host, port)]
        if there is None and len(left) == len(self._ports):
            there = await self._answers(host, left, found)
        if there is False:
            return Visit(host, ())
        ports = iter(left)
        labels: dict[Label, None] = {}

        async def lane() -> None:
            for port in ports:
                found.append(await self._ask(host, port, TRIES))

        async def identity(what: Callable[[str], Awaitable[Iterable[Label]]]) -> None:
            labels.update(dict.fromkeys(await what(host)))

        lanes = [lane() for _ in range(min(PORTS_AT_ONCE, len(left)))]
        if self._what:
            lanes.append(identity(self._what))
        if len(lanes) > 1:
            await asyncio.gather(*lanes)
        elif lanes:
            await lanes[0]
        found.sort(key=lambda one: one.service.port)
        labels.update(dict.fromkeys(label for one in found for label in one.labels))
        return Visit(host, tuple(one.service for one in found), tuple(labels))

    async def _answers(self, host: str, left: list[int], found: list[Found]) -> bool:
        """Knock at one port after another, until one answers; takes it from those that are left."""
        for port in self._knocks:
            left.remove(port)
            one = await self._ask(host, port, 1)
            found.append(one)
            if one.service.outcome is not Answered.FILTERED:
                return True
            if one.service.detail == NOBODY:
                break
        return False

    async def _ask(self, host: str, port: int, tries: int) -> Found:
        return await self._errand.ask(Endpoint(host, port), tries, self._name_of(host))
