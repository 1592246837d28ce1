"""Taps and what is gathered from them: in this process, or in several that share the packets."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple, Protocol

from scanner.capture.live import Counts, Tap
from scanner.capture.passing import Passing
from scanner.capture.pcapng_writer import PcapngWriter
from scanner.gatherer import Gathered, Gatherer
from scanner.watch.filtering import attach_plain
from scanner.wire.batch import Tally
from scanner.wire.interest import Interest

HOLD_S = 1.0
"""How long what is of interest may wait to be heard together with more: hearing much at once costs less."""


class Seen(NamedTuple):
    """What one interface, or one share of it, came to."""

    name: str
    """As it is called now: for a moment two may be called alike, or one by two readers otherwise."""
    counts: Counts
    up: bool


class Told(NamedTuple):
    """How the taps are, since they were opened."""

    tally: Tally
    seen: tuple[Seen, ...]
    """The interfaces, in one order always."""
    cpu_s: float = 0.0
    """What other processes took for reading."""


class Ears(Protocol):
    """Whoever gathers from taps."""

    def filenos(self) -> list[int]:
        """What becomes readable when there is something."""
        ...

    def gathered(self) -> Iterator[Gathered]:
        """Give what has come, without waiting."""
        ...

    def told(self) -> Told:
        """Say how the taps are."""
        ...

    def news(self) -> list[str]:
        """Say what became of interfaces since this was asked last, a line each."""
        ...

    def reload(self, interest: Interest, passing: Passing | None) -> None:
        """Go on with other ports and prefixes; ``passing``: what the kernel lets pass, None: as before."""
        ...

    def rest(self) -> Iterator[Gathered]:
        """Give all that is left: nothing more is wanted."""
        ...

    def close(self) -> None:
        """Let go of the taps."""
        ...


class OwnEars:
    """Reads the taps in this process."""

    def __init__(
        self, taps: Sequence[Tap], gatherer: Gatherer, writer: PcapngWriter | None, said: list[str]
    ) -> None:
        """Listen to taps that are open; ``writer`` keeps packets, and adds to what is ``said``."""
        self._taps = taps
        self._writer, self._said = writer, said
        self._gatherer = gatherer
        self._due = time.monotonic() + HOLD_S

    def filenos(self) -> list[int]:
        """What becomes readable when there is something."""
        return [tap.fileno() for tap in self._taps]

    def gathered(self) -> Iterator[Gathered]:
        """Give what is enough, and once a second what there is."""
        until = time.time_ns()  # before looking: what comes while this process waits for its turn is later
        for tap in self._taps:
            for batch in tap.batches():
                yield from self._gatherer.gather(batch)
        if time.monotonic() >= self._due:
            self._due = time.monotonic() + HOLD_S
            yield self._gatherer.so_far(until)

    def told(self) -> Told:
        """Say how the taps are."""
        seen = tuple(Seen(tap.interface, tap.counts(), tap.up) for tap in self._taps)
        return Told(replace(self._gatherer.tally), seen)

    def news(self) -> list[str]:
        """Say what became of interfaces, and of what is kept."""
        said = self._said.copy()
        self._said.clear()
        return [*said, *(line for tap in self._taps for line in tap.look())]

    def reload(self, interest: Interest, passing: Passing | None) -> None:
        """Go on with other ports and prefixes."""
        self._gatherer.reload(interest)
        if passing is not None:
            for tap in self._taps:
                tap.refilter(partial(attach_plain, passing))

    def rest(self) -> Iterator[Gathered]:
        """Give what is left."""
        yield from self.gathered()
        yield self._gatherer.rest()

    def close(self) -> None:
        """Let go of the taps."""
        for tap in self._taps:
            tap.close()
        if self._writer:
            self._writer.close()
