"""The first half of a run: decode batches, and gather what is of interest in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from scanner.announcements import Announcements, Told, ports
from scanner.conversation import Said
from scanner.model import LEASE
from scanner.wire.batch import Batch, Ints, Tally
from scanner.wire.decided import DecidedPart
from scanner.wire.decode import Decoder
from scanner.wire.harvest import Basket, Harvest, Selection
from scanner.wire.interest import Interest

Keep = Callable[[Batch, Ints], None]
"""Takes packets of a batch, by their numbers in it, sorted."""


class Opener(Protocol):
    """Whoever has keys, and can tell what was said inside TLS."""

    def until(self, packet: int | None) -> Sequence[Said]:
        """Tell what was said after what was told before, up to a packet of the capture; None: all."""
        ...


@dataclass(frozen=True, slots=True)
class Gathered:
    """What is heard in one go: segments, and what was announced meanwhile."""

    harvest: Harvest | None
    told: Told
    inside: Sequence[Said] = ()
    """What was said inside TLS, with keys, in these segments at least."""
    handed_on: bool = False
    """What was announced is handed on already."""
    until: int | None = None
    """Live: nothing from before this time (ns) is still to come."""
    clock_set: int = 0
    """Live: so far (ns) was the clock set forward before this."""

    def share(self, number: int, of: int) -> Gathered:
        """The part of one of several workers."""
        return replace(self, harvest=self.harvest.share(number, of) if self.harvest else None)

    def redated(self, by: int, now: int) -> Gathered:
        """With the times that a clock told before it was set forward by so much (ns) put right."""
        until = self.until
        if until is not None and abs(until - (now - by)) < abs(until - now):
            until += by
        return replace(self, harvest=self.harvest and self.harvest.redated(by, now), until=until)

    def without_labels(self) -> Gathered:
        """What bears on conversations, for somebody else handed on what was announced."""
        leases = tuple(one for one in self.told.sightings if one.field == LEASE)
        return replace(self, told=self.told._replace(sightings=leases), handed_on=True)


class Gatherer:
    """The first half: decode batches, and gather what is of interest in them."""

    def __init__(
        self,
        interest: Interest,
        hold_ns: int | None = None,
        opener: Opener | None = None,
        keep: Keep | None = None,
        lag_ns: int = 0,
    ) -> None:
        """``hold_ns``: hand over what is older than that, in capture time; None: only when it is enough.

        ``keep`` is given the packets that all is told from; ``lag_ns``: see ``Basket``.
        """
        self._decoder = Decoder(ports())
        self._selection = Selection(interest)
        self._basket = Basket(hold_ns, lag_ns)
        self._announcements = Announcements()
        self._opener = opener
        self._keep = keep
        self._decided = DecidedPart(ports())

    @property
    def tally(self) -> Tally:
        """What decoding saw."""
        return self._decoder.tally

    def gather(self, batch: Batch) -> Iterator[Gathered]:
        """Take a batch; yield what is enough to be heard."""
        decoded = self._decoder.decode(batch)
        self._announcements.hear_frames(self._decoder.frames)
        parts = [self._selection.pick(columns) for columns in decoded]
        if self._keep:
            for kept in self._decided.of(batch, decoded, parts, self._decoder.frames):
                self._keep(*kept)
        for columns, part in zip(decoded, parts, strict=True):
            self._announcements.hear(columns)
            if part and (harvest := self._basket.add(part)):
                yield self._hand_over(harvest, self.tally.packets)
            elif self._announcements.due:
                yield Gathered(None, self._announcements.take())

    def so_far(self, until: int) -> Gathered:
        """Give what there is by a time (ns)."""
        return replace(self._hand_over(self._basket.empty(until), self.tally.packets), until=until)

    def reload(self, interest: Interest) -> None:
        """Go on with other ports and prefixes."""
        self._selection.reload(interest)

    def rest(self) -> Gathered:
        """Give what is left: the capture ended."""
        return self._hand_over(self._basket.empty(), None)

    def _hand_over(self, harvest: Harvest | None, packet: int | None) -> Gathered:
        """``packet`` None: the capture ended."""
        inside = self._opener.until(packet) if self._opener else ()
        return Gathered(harvest, self._announcements.take(last=packet is None), inside)
