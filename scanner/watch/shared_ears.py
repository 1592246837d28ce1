"""Several processes that share an interface's packets and gather; what they gather is heard in one place.

The kernel gives all packets of a connection to one of them (PACKET_FANOUT by hash). Decoding is what a busy
mirror costs; hearing what is of interest in it is little, and done once it finds what one process finds.
"""

from __future__ import annotations

import select
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import fields, replace
from multiprocessing import get_context
from multiprocessing.connection import Connection
from time import monotonic, process_time
from typing import Any

from scanner.announcements import Told as Announced
from scanner.capture.live import Counts, TapError
from scanner.capture.passing import Passing
from scanner.gatherer import Gathered
from scanner.watch.ears import HOLD_S, Ears, OwnEars, Seen, Told
from scanner.watch.wishes import ignore
from scanner.wire.batch import Tally
from scanner.wire.interest import Interest

MOST_READERS = 16
"""More would wait for the one that hears."""
LATE_NS = 500_000_000
"""What a reader says it has read by now may lack what the kernel still holds back: a ring's block that is not
full waits for 200 ms."""
AHEAD_NS = 4_000_000_000
"""No reader is further ahead, unless another hangs; what is later was dated before the clock was set back."""
MOST_HELD = 16
"""Harvests that wait for a reader that is behind; each is some 2 MB."""
AT_ONCE = 8
"""Messages taken from a reader in one go: while they are heard it waits, and packets do so in its ring."""
_SUMS = tuple(one.name for one in fields(Tally) if not one.name.endswith("_at"))


class SharedEars:
    """Ears in processes of their own."""

    def __init__(self, listening: Sequence[Callable[[], OwnEars]], apart: Callable[[], None]) -> None:
        """Fork one for each of these, by which it opens its taps; ``apart`` closes what it must not hold.

        Raises TapError if one cannot.
        """
        context = get_context("fork")
        self._pipes: list[Connection] = []
        self._processes = []
        self._told: list[Told] = []
        self._news: list[str] = []
        self._untils = [0] * len(listening)
        self._held: list[Gathered] = []
        self._ended: set[int] = set()
        for listen in listening:
            mine, theirs = context.Pipe()
            reader = context.Process(
                target=_read, args=(theirs, [*self._pipes, mine], listen, apart), name="reader", daemon=True
            )
            reader.start()
            theirs.close()
            self._pipes.append(mine)
            self._processes.append(reader)
            # One after the other: the kernel numbers the sharers of each interface as they come, and both
            # directions of a connection must fall to the same, though each be an interface of its own.
            what, said = self._received(mine)
            if what == "fault":
                self.close()
                raise TapError(said)
            self._told.append(said)

    def filenos(self) -> list[int]:
        """The pipes from the readers that go on."""
        return [pipe.fileno() for number, pipe in enumerate(self._pipes) if number not in self._ended]

    def gathered(self) -> Iterator[Gathered]:
        """Give what was announced, and then what was heard while it was: nobody who is behind knows of more.

        What names a connection's ends, as a lease does, may come by another reader than the connection.
        """
        going = [number for number in range(len(self._pipes)) if number not in self._ended]
        found = [one for number in going for one in self._from(number)]
        yield from (Gathered(None, one.told) for one in found if one.told != Announced())
        until = min(self._untils) - LATE_NS
        held = sorted([*self._held, *(one for one in found if one.harvest)], key=_last)
        begun = all(self._untils)
        waits = [one for one in held if not begun or until <= _last(one) < until + AHEAD_NS]
        self._held = [] if self._all_ended else waits[-MOST_HELD:]
        for one in held:
            if not any(one is other for other in self._held):
                yield replace(one, told=Announced(), until=None)
        if found and until > 0:
            yield Gathered(None, Announced(), until=until)

    def told(self) -> Told:
        """Say how the taps are, all shares together."""
        seen = []
        for shares in zip(*(one.seen for one in self._told), strict=True):
            counts = Counts(*map(sum, zip(*(share.counts for share in shares), strict=True)))
            seen.append(Seen(shares[0].name, counts, all(share.up for share in shares)))
        took_s = sum(one.cpu_s for one in self._told)
        return Told(_together([one.tally for one in self._told]), tuple(seen), took_s)

    def news(self) -> list[str]:
        """Say what became of interfaces, as the first of the readers tells it."""
        news, self._news = self._news, []
        return news

    def reload(self, interest: Interest, passing: Passing | None) -> None:
        """Go on with other ports and prefixes."""
        for pipe in self._pipes:
            pipe.send(("reload", (interest, passing)))

    def rest(self) -> Iterator[Gathered]:
        """Give what is left."""
        for number, pipe in enumerate(self._pipes):
            try:
                pipe.send(("rest", None))
            except ConnectionError:
                self._ended.add(number)
        while not self._all_ended:
            select.select(self.filenos(), [], [], HOLD_S)
            yield from self.gathered()

    def close(self) -> None:
        """Let the readers go."""
        for pipe in self._pipes:
            pipe.close()
        for reader in self._processes:
            reader.join(1)
            if reader.is_alive():
                reader.kill()  # it ignores gentler words
                reader.join()

    @property
    def _all_ended(self) -> bool:
        return len(self._ended) == len(self._pipes)

    def _from(self, number: int) -> Iterable[Gathered]:
        pipe = self._pipes[number]
        found: list[Gathered] = []
        for _ in range(AT_ONCE):
            if not pipe.poll():
                break
            try:
                what, said = self._received(pipe)
            except TapError:
                self._ended.add(number)
                raise
            if what == "gathered":
                found += said
                for one in said:  # not the latest: the clock may have been set back
                    self._untils[number] = one.until or self._untils[number]
            elif what == "told":
                self._told[number], news = said
                self._news += news if number == 0 else ()
            else:
                self._ended.add(number)
                if what == "fault":
                    raise TapError(said)
                return found
        return found

    def _received(self, pipe: Connection) -> Any:
        try:
            return pipe.recv()
        except (EOFError, ConnectionError):
            raise TapError("a reading process is gone, perhaps for want of memory") from None


def _last(gathered: Gathered) -> int:
    """When the last packet of it came, ns."""
    return int(gathered.harvest.columns.at[-1]) if gathered.harvest else 0


def _together(tallies: list[Tally]) -> Tally:
    whole = Tally(**{name: sum(getattr(one, name) for one in tallies) for name in _SUMS})
    whole.first_at = min((one.first_at for one in tallies if one.first_at is not None), default=None)
    whole.last_at = max((one.last_at for one in tallies if one.last_at is not None), default=None)
    return whole


def _read(
    pipe: Connection, parents: list[Connection], listening: Callable[[], OwnEars], apart: Callable[[], None]
) -> None:
    """Gather until told to stop, or the parent is gone."""
    apart()
    for other in parents:
        other.close()
    ignore()  # the parent tells when to stop
    try:
        try:
            ears = listening()
            pipe.send(("told", ears.told()))
            _gather(pipe, ears)
            ears.close()
        except TapError as fault:
            pipe.send(("fault", str(fault)))
    except (EOFError, ConnectionError):
        return


def _told(ears: Ears) -> Told:
    return ears.told()._replace(cpu_s=process_time())


def _gather(pipe: Connection, ears: Ears) -> None:
    due = 0.0
    while True:
        select.select([*ears.filenos(), pipe.fileno()], [], [], HOLD_S / 2)
        if pipe.poll():
            what, said = pipe.recv()
            if what == "rest":
                for one in ears.rest():
                    pipe.send(("gathered", [one]))
                pipe.send(("told", (_told(ears), ears.news())))
                pipe.send(("end", None))
                return
            ears.reload(*said)
        for one in ears.gathered():
            pipe.send(("gathered", [one]))
        if (now := monotonic()) >= due:
            due = now + HOLD_S
            pipe.send(("told", (_told(ears), ears.news())))
