"""One scan: asked, kept in the inventory, and given as records while it goes on."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import TYPE_CHECKING

from scanner.cli.progress import Tell
from scanner.cli.settings import now
from scanner.identify import identify
from scanner.model import Heard, Sighting
from scanner.net import vendor
from scanner.probe.dial import Counts, Dialler
from scanner.probe.errand import Errand
from scanner.probe.expedition import KNOCKS, Expedition, Visit
from scanner.probe.identity import Identity
from scanner.probe.neighbourhood import neighbours
from scanner.probe.pace import Pace
from scanner.probe.presence import Presence
from scanner.probe.scope import Scope, plan
from scanner.report.records import Record, service_record
from scanner.scan_diff import ServiceChange, changes
from scanner.services import Answered, Scan, ScanPlan, ScanTotals, Service
from scanner.session import Asker

if TYPE_CHECKING:
    from db.store import Inventory

WRITTEN_EVERY_S = 1.0
"""How often what was found is written, for each commit costs a wait; whoever is killed asks that again."""
SWEPT_AT_ONCE = 16_384
"""Addresses that are asked whether somebody is there before those who are get visited: half a minute's."""
SWEPT = 3
"""Raw packets that count as one connection: no answer, or one, is all that comes of each."""
IDENTITY = 8
"""Datagrams and connections, about, that ask a machine what it is."""
WRITTEN_AT = 400
"""Services that are written at once however little time passed."""


@dataclass(frozen=True, slots=True)
class Wish:
    """How to ask."""

    ports: tuple[int, ...]
    rate: int
    per_host: int
    name: str
    quick: bool = False
    every_port: bool = False
    communities: tuple[str, ...] = ()
    pjl: bool = False
    relay: str | None = None

    def asker(self) -> Asker:
        """Who asks."""
        return Asker(self.name, relay_from=self.relay, relay_to=self.relay)

    def plan(self, scope: Scope, targets: Sequence[str], excludes: Sequence[str], seed: int) -> ScanPlan:
        """What the inventory keeps of it."""
        said = {"quick": self.quick, "every-port": self.every_port, "relay-test": bool(self.relay)}
        options = tuple((name, "yes") for name, wanted in said.items() if wanted)
        return ScanPlan(tuple(targets), tuple(excludes), self.ports, len(scope), seed, options)

    def told(self, scope: Scope, presence: Presence | None) -> list[str]:
        """What will be asked, a line each; ``presence``: who tells who is there."""
        may_sweep = presence is None or not presence.lost
        knocks = len(self.ports) if self.every_port else min(len(KNOCKS), len(self.ports))
        asked = len(self.ports) * (1 if self.quick else 2) + (0 if self.quick else IDENTITY)
        return plan(scope, self.ports, self.rate, self.per_host, 1 if may_sweep else knocks, asked)


class Scanning:
    """A scan that goes on."""

    def __init__(
        self,
        scope: Scope,
        presence: Presence,
        wish: Wish,
        kept: Inventory,
        run: int,
        plan: ScanPlan,
        give_up: Callable[[], None],
        before: Scan | None = None,
    ) -> None:
        """Ask by a ``run`` of the inventory; ``before``: how far it came when it was interrupted.

        ``give_up``: called before anything is sent.
        """
        self.scope, self.run_id, self.finished = scope, run, False
        self._wish, self._kept, self._plan, self._give_up = wish, kept, plan, give_up
        self._start = self.done = before.done if before else 0
        self._pace = Pace(wish.rate, wish.per_host)
        self._outcomes = Counter[Answered](before.totals.outcomes if before else {})
        self._hosts = before.totals.hosts if before else 0
        self._known = set[str]()
        self._kinds, self._found = Counter[str](), Counter[str]()
        self._unwritten: list[tuple[Service, str | None]] = []
        self._sightings: list[Sighting] = []
        self._written_at = 0.0
        self._presence, self._told_all, self._counts = presence, False, Counts()

    def run(self, seen: Callable[[list[Record]], None], shown: Tell) -> None:
        """Ask until all is asked or somebody interrupts; tells of hosts as they are done."""
        self._give_up()
        gc.freeze()  # what is loaded by now stays: not to be looked through again and again
        with asyncio.Runner() as runner:
            runner.run(self._until_interrupted(seen, shown))
        self._write()
        if self.finished:
            self._kept.finish_scan(self.run_id, self._totals, now())

    def changes(self) -> Iterator[ServiceChange]:
        """What is not as the last finished scan of the same found it; there has to be one."""
        earlier = next(scan for scan in comparable(self._kept, self._plan) if scan.id != self.run_id)
        return changes(self._kept.scan_services(earlier.id), self._kept.scan_services(self.run_id))

    def told(self) -> list[str]:
        """What it came to, a line each."""
        counts = ", ".join(f"{count:,} {outcome}" for outcome, count in self._outcomes.most_common())
        lines = [
            f"{self.done:,} address{'es' * (self.done != 1)} asked, {self._hosts:,} host"
            f"{'s' * (self._hosts != 1)} answered; {self._outcomes.total():,} ports: {counts or 'none'}"
        ]
        for what, counted in (("taken for", self._kinds), ("hosts with", self._found)):
            ordered = sorted(counted.items(), key=lambda one: (-one[1], one[0]))
            said = ", ".join(f"{name}: {count:,}" for name, count in ordered)
            lines += [f"{what} {said}"] if said else []
        lines += [f"from here: {lost}" for lost in self._lost]
        if slowed := self._pace.slowed:
            lines.append(slowed)
        if strangers := self._presence.strangers:
            lines.append(f"{strangers:,} answers from outside the targets were dropped")
        if not self.finished:
            left = len(self.scope) - self.done
            lines.append(f"interrupted with {left:,} addresses left; the same command with --resume goes on")
        return lines

    async def _until_interrupted(self, seen: Callable[[list[Record]], None], shown: Tell) -> None:
        loop = asyncio.get_running_loop()
        asking = asyncio.create_task(self._ask(seen, shown))
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, asking.cancel)
        try:
            await asking
            self.finished = True
        except asyncio.CancelledError:
            self._presence.stop()

    async def _ask(self, seen: Callable[[list[Record]], None], shown: Tell) -> None:
        dialler, time = Dialler(self.scope, self._pace), asyncio.get_running_loop().time
        self._counts = dialler.counts
        errand = Errand(dialler, self._wish.asker(), now, self._wish.quick)
        noise = os.urandom
        identity = Identity(dialler, self._wish.asker(), noise, self._wish.communities, self._wish.pjl)
        asked = self._kept.services_asked(self.run_id)
        self._known = {host for host, _ in asked}
        trip = Expedition(
            errand,
            self._wish.ports,
            there=self._presence,
            asked=lambda host, port: (plain(host), port) in asked,
            name_of=self.scope.names.get,
            what=None if self._wish.quick else identity.ask,
            knock=not self._wish.every_port,
        )
        trip.done = self._start
        while (addresses := await self._next(trip.done, shown)) is not None:
            async for visit in trip.run(addresses):
                if visit.services:
                    seen(self._keep(visit, self._presence.mac(visit.host)))
                if len(self._unwritten) >= WRITTEN_AT or time() - self._written_at >= WRITTEN_EVERY_S:
                    self._written_at, self.done = time(), trip.done
                    self._write()
                    said = self._pace.slowed or f"{self._counts.connects:,} connections"
                    shown(trip.done, f"{self._hosts:,} hosts, {said}")
        self.done = len(self.scope)

    async def _next(self, begin: int, shown: Tell) -> Iterable[str] | None:
        """Find out who of the next so many is there; gives whom to visit, None: nobody is left."""
        if begin > len(self.scope) or self._told_all:
            return None
        shown(begin, "asking who is there")
        pace, seed = (SWEPT * self._wish.rate, self._wish.per_host), self._plan.seed
        known = [*self._kept.addresses(), *neighbours()] if begin == self._start else []
        await asyncio.to_thread(self._presence.sweep, pace, seed, (begin, SWEPT_AT_ONCE), known)
        self._told_all = begin + SWEPT_AT_ONCE >= len(self.scope)
        walked = islice(self.scope.addresses(seed, begin), SWEPT_AT_ONCE)
        return chain(walked, self._presence.beside()) if self._told_all else walked

    def _keep(self, visit: Visit, mac: str | None) -> list[Record]:
        """Note what a host gave until it is written; gives its records."""
        at, host = now(), plain(visit.host)
        services = [one if one.host == host else replace(one, host=host) for one in visit.services]
        self._hosts += host not in self._known
        self._outcomes.update(service.outcome for service in services)
        self._unwritten += [(service, mac) for service in services]
        told = [Heard(label.field, label.text, at, at) for label in visit.labels]
        self._sightings += [Sighting(host, mac or "", *one) for one in told]
        device = identify(told, vendor(mac) if mac else None)
        records = [service_record(service, device) for service in services]
        self._kinds[device.kind or "nothing known"] += 1
        self._found.update({found["rule"] for record in records for found in record["findings"]})
        return records

    def _write(self) -> None:
        if self._unwritten:
            self._presence.look()
            asked = [(one, mac or self._presence.mac(one.host)) for one, mac in self._unwritten]
            told = [one._replace(mac=one.mac or self._presence.mac(one.ip) or "") for one in self._sightings]
            self._kept.record_services(self.run_id, asked, told)
            self._unwritten, self._sightings = [], []
        self._kept.scan_progress(self.run_id, self.done, self._totals, now())

    @property
    def _lost(self) -> tuple[str, ...]:
        return (self._presence.lost,) if self._presence.lost else ()

    @property
    def _totals(self) -> ScanTotals:
        ports = self._outcomes.total()
        sent = self._counts
        return ScanTotals(
            self.done, self._hosts, ports, dict(self._outcomes), sent.retries, sent.vanished, self._lost
        )


def plain(ip: str) -> str:
    """An address without its zone, as the inventory has it."""
    return ip.partition("%")[0]


def comparable(kept: Inventory, plan: ScanPlan) -> Iterator[Scan]:
    """Finished scans of the same targets and ports, the newest first, of which nothing is forgotten."""
    same = (scan for scan in kept.scans() if scan.plan.scope == plan.scope)
    return (scan for scan in same if scan.ended and not scan.forgotten)
