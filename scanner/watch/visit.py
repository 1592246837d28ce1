"""Listen for a while as ``watch`` would, without privileges and without keeping anything."""

from __future__ import annotations

import select
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from scanner.capture.card import Card, card, hardware_address
from scanner.capture.interface import look
from scanner.capture.live import Filter, Tap
from scanner.capture.passing import Passing
from scanner.capture.ring import Ring, Sockets
from scanner.catalogue.exchange import Catalogue
from scanner.watch.evidence import Evidence, WireEvidence
from scanner.watch.examination import SHIMS, TUNNELS, Examination, Wire
from scanner.watch.filtering import Filtering
from scanner.watch.filtering import Kind as Filters
from scanner.watch.preload import preload
from scanner.watch.privileges import drop, identity
from scanner.watch.surroundings import Inventory, inventory, machine
from scanner.watch.wishes import Wishes
from scanner.wire.layers import Kind

EVERYTHING_S, ENOUGH_PACKETS = 5.0, 100_000
"""The kernel filters as for ``watch`` once everything was looked at for so long, and that was so much: on
quiet mirrors never. The first holds some round trips and pauses, the second thousands of connections."""
ANY_MTU = 65_535
"""Where nobody tells it."""
DOWN_S = 3
"""Looks, one a second, after which interfaces that are all down are waited for no more."""
NEWS_KEPT = 20
"""Lines of what became of an interface."""
NOTHING_S = 0.05
"""A wait after being woken for nothing, as sockets of an interface that is down do without end."""
Tell = Callable[[int, Examination], None]
"""Is told once a second how many have passed, and what was heard."""


class Opened(NamedTuple):
    """What is listened with, when no privileges are left."""

    taps: Sequence[Tap]
    examination: Examination
    filtering: Filtering
    kept: Inventory


class Plan(NamedTuple):
    """What is to be listened to, and how."""

    interfaces: Sequence[str]
    db: str
    """URL of the inventory, which is not touched."""
    portable: bool
    """By way of scapy, as where there are no rings."""


def open_all(
    plan: Plan, catalogue: Catalogue, load: Callable[[], None], note: Callable[[str], None]
) -> Opened:
    """Open sockets, load the filter, become nobody special, and begin to listen to everything.

    ``load`` loads what will be needed of files. Raises TapError, FilterRefused, PrivilegesError.
    """
    whom = identity(None)
    found = [] if plan.portable else [look(name) for name in plan.interfaces]
    passing, kind = Passing.of(catalogue), Filters.CLASSIC if plan.portable else None
    filtering = Filtering(passing, {one.link for one in found}, kind)
    kept = inventory(plan.db, whom)
    mtus = [one.mtu for one in found] or [ANY_MTU] * len(plan.interfaces)
    wires = [Wire(hardware_address(name), mtu) for name, mtu in zip(plan.interfaces, mtus, strict=True)]
    examination = Examination(catalogue, wires)
    opening = _portable(plan, note) if plan.portable else _rings(plan, passing)
    preload()
    load()
    if said := drop(whom):
        note(said)
    return Opened(opening(), examination, filtering, kept)


def _rings(plan: Plan, passing: Passing) -> Callable[[], list[Tap]]:
    """Make sockets; gives what opens rings, for which nobody need be anybody."""
    sockets, everything = Sockets(len(plan.interfaces)), Filtering(passing, set(), Filters.NONE)
    return lambda: [Ring(name, sockets, everything.attach) for name in plan.interfaces]


def _portable(plan: Plan, note: Callable[[str], None]) -> Callable[[], list[Tap]]:
    """Open scapy's sockets, which only who is privileged can."""
    from scanner.capture.portable import PortableTap  # scapy costs 200 ms that rings need not pay

    taps: list[Tap] = [PortableTap(name, None, note) for name in plan.interfaces]
    return lambda: taps


class Visit:
    """Listens to taps for a while."""

    def __init__(self, taps: Sequence[Tap], examination: Examination, attach: Filter) -> None:
        """``attach``: the filter that ``watch`` would have."""
        self._taps, self._examination, self._attach = taps, examination, attach
        self._news: list[list[str]] = [[] for _ in taps]
        self._before = [card(tap.interface) for tap in taps]
        self._unfiltered = [(0, 0) for _ in taps]
        self._began = time.monotonic()
        self.seconds = 0.0
        """How long it lasted."""
        self.filtered = False
        """The filter was attached."""

    def run(self, seconds: float, wishes: Wishes, tell: Tell) -> None:
        """Listen for so long, or until a signal says to stop, or while all is down."""
        second, seconds_told, down = self._began + 1, 0, 0
        end = self._began + seconds
        while not wishes.stop and down < DOWN_S and (now := time.monotonic()) < end:
            waiting = [*(tap.fileno() for tap in self._taps), wishes.fileno()]
            ready, _, _ = select.select(waiting, [], [], max(min(second, end) - now, 0))
            if not self._hear() and ready:
                time.sleep(NOTHING_S)
            if time.monotonic() >= second:
                second = time.monotonic() + 1
                self._look()
                down = 0 if any(tap.up for tap in self._taps) else down + 1
                seconds_told += 1
                tell(seconds_told, self._examination)
        self._hear()
        self._look()
        self.seconds = time.monotonic() - self._began

    def wires(self) -> tuple[WireEvidence, ...]:
        """What each interface brought; then they are left as they were found."""
        found = tuple(map(self._wire, range(len(self._taps))))
        for tap in self._taps:
            tap.close()
        return found

    def _hear(self) -> bool:
        heard = False
        for number, tap in enumerate(self._taps):
            for batch in tap.batches():
                self._examination.hear(number, batch, everything=not self.filtered)
                heard = True
        return heard

    def _look(self) -> None:
        self._examination.advance(time.time_ns())
        for news, tap in zip(self._news, self._taps, strict=True):
            news.extend(tap.look()[: NEWS_KEPT - len(news)])
        long_enough = time.monotonic() - self._began >= EVERYTHING_S
        if not self.filtered and long_enough and self._examination.looked_at >= ENOUGH_PACKETS:
            self.filtered = True
            for number, tap in enumerate(self._taps):
                counts = tap.counts()
                self._unfiltered[number] = counts.delivered, counts.dropped
                tap.refilter(self._attach)

    def _wire(self, number: int) -> WireEvidence:
        tap, wire = self._taps[number], self._examination.wires[number]
        counts, now, before = tap.counts(), card(tap.interface), self._before[number]
        passed, dropped = self._unfiltered[number]
        decoder = wire.decoder
        return WireEvidence(
            name=tap.interface,
            up=tap.up,
            frames=wire.frames,
            news=tuple(self._news[number]),
            arrived=(now or Card()).since(before) if before else None,
            segments=decoder.tally.segments,
            tunnels=wire.met(TUNNELS),
            shims=wire.met(SHIMS),
            inner_tags=decoder.met[Kind.VLAN],
            headers_cut=decoder.tally.truncated - wire.frames.cut,
            fragments_lost=decoder.tally.fragments_dropped,
            passed=counts.delivered - passed,
            dropped=counts.dropped - dropped,
        )


def visit(opened: Opened, seconds: float, wishes: Wishes, tell: Tell) -> Evidence:
    """Listen for so long, and tell what was found."""
    examination = opened.examination
    listening = Visit(opened.taps, examination, opened.filtering.attach)
    listening.run(seconds, wishes, tell)
    mail, directions = examination.finish()
    return Evidence(
        listening.seconds, listening.wires(), listening.filtered, mail, directions,
        examination.copies.segments, examination.copies.copies, tuple(examination.clocks.values()),
        machine(opened.kept, opened.filtering),
    )  # fmt: skip
