"""Open what needs privileges, give them up, and listen."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from typing import NamedTuple

from scanner.capture.interface import look
from scanner.capture.live import Tap, TapError
from scanner.capture.passing import Passing
from scanner.capture.pcapng_writer import PcapngWriter
from scanner.capture.ring import Ring, Sockets
from scanner.catalogue.exchange import Catalogue
from scanner.model import Sighting
from scanner.pipeline import Pipeline
from scanner.totals import RunTotals
from scanner.watch.ears import Ears, OwnEars
from scanner.watch.filtering import Filtering, Kind
from scanner.watch.preload import preload
from scanner.watch.privileges import Identity, drop, identity, keeper
from scanner.watch.scribe import Ledger, Scribe, ScribeError
from scanner.watch.shared_ears import SharedEars
from scanner.watch.talk import Talk

SPARE_SOCKETS = 16
"""Of each reader and interface: so often may one vanish and come back where several readers share it."""
LAG_NS = 500_000_000
"""By so much what one interface brings may be behind another: blocks are handed over after 200 ms at most."""
Make = Callable[[Iterable[Sighting]], Pipeline]
"""Makes a pipeline that knows who has which address."""
Taps = Callable[[], list[Tap]]
"""Opens the taps of one reader."""


class Plan(NamedTuple):
    """What is to be watched, and how."""

    interfaces: tuple[str, ...]
    readers: int
    """Processes that share the packets; 1: this one reads."""
    ring_mb: int
    """Of each ring."""
    filtering: Kind | None
    """None: the best that is allowed."""
    user: str | None
    """Whom to become; None: whoever is usual."""
    keep: str | None
    """Where to keep packets of mail; None: nowhere."""
    portable: bool
    """By way of scapy, as where there are no rings."""


class Opened(NamedTuple):
    """What a sensor is made of, when no privileges are left."""

    ears: Ears
    scribe: Scribe
    pipeline: Pipeline
    passing: Passing
    filtering: Kind
    """What the kernel sorts out now."""


class _Captured(NamedTuple):
    """What was opened with privileges."""

    opening: list[Taps]
    """Of each reader."""
    close: Callable[[], None]
    """For a process that has no business with packets."""
    kind: Kind


def _apart(close: Callable[[], None], whom: Identity | None) -> str | None:
    """Let go of what captures, and become somebody; tells what could not be done."""
    close()
    return drop(whom)


def open_all(plan: Plan, catalogue: Catalogue, ledger: Ledger, make: Make, talk: Talk) -> Opened:
    """Open sockets, filter and inventory, become nobody special, and begin to listen.

    Raises TapError, FilterRefused, PrivilegesError, ScribeError.
    """
    whom = identity(plan.user)
    passing = Passing.of(catalogue)
    captured = _portable(plan, passing, talk) if plan.portable else _rings(plan, passing, talk)
    preload()
    become = partial(_apart, captured.close, keeper(_place(ledger.url), whom))
    scribe = Scribe(ledger, become, talk.note)
    try:
        if said := drop(whom):
            talk.note(said)
        pipeline = make(scribe.leases)
        listening = [
            partial(_listen, plan, taps, number, pipeline) for number, taps in enumerate(captured.opening)
        ]
        ears = SharedEars(listening, scribe.leave) if plan.readers > 1 else listening[0]()
    except BaseException:
        with suppress(ScribeError):  # a run that heard nothing was not killed
            scribe.close((), RunTotals(), ledger.at)
        scribe.abandon()
        raise
    return Opened(ears, scribe, pipeline, passing, captured.kind)


def _rings(plan: Plan, passing: Passing, talk: Talk) -> _Captured:
    """Make sockets and load filters; gives what opens each reader's rings, for which nobody is needed."""
    links = {look(name).link for name in plan.interfaces}
    spare = SPARE_SOCKETS if plan.readers > 1 else 1
    sockets = [Sockets(spare * len(plan.interfaces)) for _ in range(plan.readers)]
    filtering = Filtering(passing, links, plan.filtering)
    if filtering.note:
        talk.note(filtering.note)
    group = os.getpid() if plan.readers > 1 else None

    def opened(own: Sockets) -> list[Tap]:
        return [Ring(name, own, filtering.attach, plan.ring_mb, group) for name in plan.interfaces]

    def closed() -> None:
        for own in sockets:
            own.close()

    return _Captured([partial(opened, own) for own in sockets], closed, filtering.kind)


def _portable(plan: Plan, passing: Passing, talk: Talk) -> _Captured:
    """Open scapy's sockets, which only who is privileged can."""
    from scanner.capture.portable import PortableTap, text_filter

    if plan.readers > 1:
        raise TapError("several workers need Linux and its rings")
    kind = Kind.NONE if plan.filtering is Kind.NONE else Kind.CLASSIC
    text = text_filter(passing) if kind is Kind.CLASSIC else None
    taps: list[Tap] = [PortableTap(name, text, talk.note) for name in plan.interfaces]

    def closed() -> None:
        for tap in taps:
            os.close(tap.fileno())  # to close the tap would end promiscuous mode for all who share it

    return _Captured([lambda: taps], closed, kind)


def _listen(plan: Plan, taps: Taps, number: int, pipeline: Pipeline) -> OwnEars:
    """Open what one reader listens with."""
    said: list[str] = []
    writer = None
    if plan.keep:
        place = os.path.splitext(plan.keep)
        path = "-".join((place[0], str(number))) + place[1] if number else plan.keep
        try:
            writer = PcapngWriter(path, said.append)
        except OSError as fault:
            raise TapError(f"{path}: packets cannot be kept there: {fault.strerror}") from None
    lag_ns = LAG_NS if len(plan.interfaces) > 1 else 0
    gatherer = pipeline.gatherer(keep=writer.write if writer else None, lag_ns=lag_ns)
    return OwnEars(taps(), gatherer, writer, said)


def _place(url: str) -> str:
    """Where the inventory's file is, or what stands for one."""
    path = url.removeprefix("sqlite:///")
    return os.getcwd() if "://" in path else path
