"""The inventory as its one writer has it: what is asked of it, and opened again where its file is gone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from db.prepare import Prepared
from db.store import Inventory, InventoryError, UnavailableError
from scanner.totals import Hour, RunTotals

BUSY_MS = 1_000
"""How long one try waits for another writer, whose transactions are well under a second."""
Say = Callable[[str], None]
"""Told a line for people."""


@dataclass(slots=True)
class Tally:
    """What is to be noted of a run."""

    hours: dict[int, Hour]
    """By their beginning; added to what was noted before."""
    totals: RunTotals
    at: int
    """When that was, ns."""


class Keeper:
    """Writes one run after the other. All raise ``UnavailableError``, and may be called again after that."""

    def __init__(self, url: str, sensor: str, sources: Sequence[str], began: int, say: Say) -> None:
        """Open nothing yet; the first run began then (ns)."""
        self._url, self._sensor, self._sources, self._began = url, sensor, sources, began
        self._say = say
        self._inventory: Inventory | None = None
        self._was_tried = False
        self._run = 0
        self._forget_before: int | None = None
        self._forgetting: Iterator[int] | None = None
        self._forgotten = 0

    def ready(self) -> tuple[Inventory, int]:
        """The inventory, and the run that goes on; the first call raises ``InventoryError`` too."""
        if self._inventory and not self._inventory.in_place:
            self.close()
            self._say("the inventory is gone or another took its place: what comes goes to the one there now")
        inventory = self._inventory = self._inventory or self._open()
        if not self._run:
            self._run = inventory.begin_run(self._sensor, self._sources, self._began)
            inventory.update_run(self._run, RunTotals(), self._began)  # by that it is known for a sensor's
        return inventory, self._run

    def write(self, batch: Prepared) -> int:
        """Write a batch; tells how many sessions were new."""
        inventory, run = self.ready()
        return inventory.write(run, batch)

    def note(self, tally: Tally) -> None:
        """Note what came and was missed by now."""
        inventory, run = self.ready()
        inventory.update_run(run, tally.totals, tally.at, tally.hours.values())

    def end(self, tally: Tally) -> None:
        """End the run; what is asked next begins another, which began then."""
        inventory, run = self.ready()
        inventory.finish_run(run, tally.totals, tally.at, tally.hours.values())
        self._run, self._began = 0, tally.at

    def forget(self, before: int) -> None:
        """Have runs that began before a time (ns) forgotten, by so many calls of ``forget_some``."""
        self._forget_before, self._forgetting, self._forgotten = before, None, 0

    @property
    def forgets(self) -> bool:
        """Whether there is something to forget."""
        return self._forget_before is not None

    def forget_some(self) -> None:
        """Forget what one transaction takes."""
        inventory, _ = self.ready()
        if self._forget_before is None:
            return
        steps = self._forgetting = self._forgetting or inventory.forgetting(self._forget_before)
        self._forgetting = None  # a fault ends it: then it begins anew, and goes on where it was
        for dropped in steps:
            self._forgotten += dropped
            self._forgetting = steps
            return
        self._forget_before = None
        if self._forgotten:
            self._say(f"{self._forgotten:,} sessions of long ago are forgotten; what they add up to is kept")

    def close(self) -> None:
        """Let go of the database."""
        inventory, self._inventory, self._run, self._forgetting = self._inventory, None, 0, None
        if inventory:
            with suppress(InventoryError):
                inventory.close()

    def _open(self) -> Inventory:
        is_first, self._was_tried = not self._was_tried, True
        try:
            return Inventory.open(self._url, busy_ms=BUSY_MS)
        except InventoryError as fault:
            if is_first:
                raise
            raise UnavailableError(str(fault)) from fault
