"""From batches of packets to observations: decode, pick, follow flows, listen.

It comes in two halves, so that they can run in processes of their own: ``Gatherer`` sees packets and gives
harvests; ``Bench`` follows their connections and listens to them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Generic, NamedTuple, Protocol, TypeVar

from scanner.account import Usernames
from scanner.announcements import Leases, Names, Told
from scanner.catalogue.exchange import Catalogue
from scanner.conversation import Conversation
from scanner.draft import Drafts
from scanner.gatherer import Gathered, Gatherer, Keep, Opener
from scanner.inside import KEPT_BYTES, Inside
from scanner.labels import FORWARDS
from scanner.listener import Listener, Overheard
from scanner.model import LEASE, Observation, Sighting
from scanner.recurrence import Lengths
from scanner.texts import Lessons, Servers
from scanner.totals import RunTotals
from scanner.wire.batch import Batch, Tally
from scanner.wire.flows import FlowTable
from scanner.wire.interest import Interest

Found = TypeVar("Found")
Given = TypeVar("Given", covariant=True)
Finish = Callable[[list[Observation], tuple[Sighting, ...]], Found]
"""Makes of what was seen and heard of what the reader of a capture wants of it: rows, lines, or itself."""


class Heard(NamedTuple):
    """What hearing a capture came to; counts."""

    conversations: int = 0
    observations: int = 0
    gaps: int = 0
    """Observations with bytes missing."""
    evicted: int = 0
    """Connections given up because the flow table was full."""
    cut: int = 0
    """Connections that were no more listened to once what matters had passed."""


class Hearing(Protocol[Given]):
    """Whoever hears one capture: a bench, or several in processes of their own."""

    @property
    def tally(self) -> Heard:
        """What was heard, after ``flush``."""
        ...

    def hear(self, gathered: Gathered) -> Iterator[Given]:
        """Take what was gathered; give what is ready."""
        ...

    def flush(self) -> Iterator[Given]:
        """Give the rest."""
        ...


class Known:
    """What was announced that bears on conversations: names of servers, and who has which address."""

    def __init__(self, leases: Iterable[Sighting] = ()) -> None:
        """Begin with what is known of DHCP."""
        self.names = Names()
        self.leases = Leases(leases)

    def learn(self, told: Told) -> None:
        """Take in what was announced."""
        for answer in told.answers:
            self.names.learn(answer)
        for sighting in told.sightings:
            if sighting.field == LEASE:
                self.leases.learn(sighting)


class Bench(Generic[Found]):
    """The second half: follow the connections of one capture, and listen to what they say."""

    def __init__(
        self,
        listener: Listener,
        table: FlowTable,
        known: Known,
        finish: Finish[Found],
        inside: Inside | None = None,
        lengths: Lengths | None = None,
        servers: Servers | None = None,
    ) -> None:
        """``known``: what was announced so far, ``lengths``: of logins, ``servers``: their answers; added to.

        ``finish`` makes what is given.
        """
        self._listener = listener
        self._table = table
        self._known = known
        self._finish = finish
        self._inside = inside or Inside()
        self._drafts = Drafts(listener.sensor, servers or Servers(), lengths or Lengths())
        self._sightings: dict[Sighting, None] = {}
        self._observations = self._gaps = 0

    @property
    def tally(self) -> Heard:
        """What was heard so far."""
        flows = self._table.tally
        return Heard(flows.conversations, self._observations, self._gaps, flows.evicted, flows.cut)

    @property
    def open(self) -> int:
        """Connections that are followed now."""
        return len(self._table)

    def hear(self, gathered: Gathered) -> Iterator[Found]:
        """Give what becomes of the conversations that ended in this, the earliest first."""
        yield from self.conclude(self.listen(gathered))

    def flush(self) -> Iterator[Found]:
        """Give what becomes of all conversations that are still open: the capture ended."""
        yield from self.conclude(self.listen(None))

    def reload(self, listener: Listener, interest: Interest) -> None:
        """Go on by another catalogue."""
        self._listener = listener
        self._table.reload(interest)

    def listen(self, gathered: Gathered | None) -> Lessons:
        """Listen to the conversations that ended in this; None: to all that are open.

        Gives what they teach of servers, which all benches are told before they conclude.
        """
        if gathered is None:
            self._listen(self._table.flush())
        else:
            self._known.learn(gathered.told)
            self._inside.add(gathered.inside)
            if not gathered.handed_on:
                self._sightings |= dict.fromkeys(gathered.told.sightings)
            if gathered.clock_set:
                self._table.shift(gathered.clock_set)
            self._listen(self._table.follow(gathered.harvest) if gathered.harvest else ())
            if gathered.until is not None:
                self._listen(self._table.advance(gathered.until))
        return self._drafts.lessons()

    def conclude(self, lessons: Lessons) -> Iterator[Found]:
        """Give what becomes of what was listened to, by what was learned from it."""
        found = self._drafts.conclude(lessons, self._mac_of)
        told, self._sightings = tuple(self._sightings), {}
        if found or told:
            self._observations += len(found)
            self._gaps += sum(seen.gaps > 0 for seen in found)
            yield self._finish(found, told)

    def _listen(self, conversations: Iterable[Conversation]) -> None:
        listen, name_of = self._listener.listen, self._known.names.get
        for one in conversations:
            found = listen(one, name_of(one.flow.server.ip), self._inside.take(one))
            if isinstance(found, Overheard):
                self._sightings |= dict.fromkeys(_sighted(found))
            elif found is not None:
                self._drafts.add(found)

    def _mac_of(self, heard: Conversation) -> str | None:
        """The card that had the client's address, else that of its packets; a router's is no device's."""
        client, seen = heard.flow.client.ip, heard.client_mac
        mac = self._known.leases.holder(client, heard.first_seen)
        if mac is None or mac == seen:
            return seen
        if seen:
            self._sightings[Sighting("", seen, FORWARDS, client, heard.first_seen, heard.last_seen)] = None
        return mac


def _sighted(heard: Overheard) -> Iterator[Sighting]:
    span = heard.first_seen, heard.last_seen
    for label in heard.of_client:
        yield Sighting(heard.client_ip, heard.client_mac or "", label.field, label.text, *span)
    for label in heard.of_server:
        yield Sighting(heard.server_ip, heard.server_mac or "", label.field, label.text, *span)


class Pipeline:
    """One run over any number of captures."""

    def __init__(
        self,
        catalogue: Catalogue,
        sensor: str,
        usernames: Usernames = Usernames.MASK,
        max_flows: int = 1_000_000,
        hold_ns: int | None = None,
        leases: Iterable[Sighting] = (),
        live: bool = False,
    ) -> None:
        """Listen as ``sensor``, with at most ``max_flows`` connections followed at a time.

        ``leases``: what is known of DHCP from earlier on; ``live``: what goes on is told of before it ends.
        """
        self.sensor = sensor
        self._listener = Listener(catalogue, sensor, usernames)
        self._interest = Interest(catalogue.mail_ports, catalogue.prefixes)
        self._max_flows = max_flows
        self._hold_ns = hold_ns
        self._live = live
        self._known = Known(leases)
        self._lengths = Lengths()
        self._servers = Servers()
        self._totals = RunTotals()

    def bench(self, capture: str, finish: Finish[Found], share: int = 1) -> Bench[Found]:
        """The second half, for one capture; or one of ``share`` that divide its connections up."""
        most = max(self._max_flows // share, 1)
        table = FlowTable(self._interest, capture, max_flows=most, live=self._live)
        inside = Inside(KEPT_BYTES // share)
        return Bench(self._listener, table, self._known, finish, inside, self._lengths, self._servers)

    def gatherer(self, opener: Opener | None = None, keep: Keep | None = None, lag_ns: int = 0) -> Gatherer:
        """The first half, for one capture or for interfaces."""
        return Gatherer(self._interest, self._hold_ns, opener, keep, lag_ns)

    def read(self, capture: Iterable[Batch], name: str) -> Iterator[list[Observation]]:
        """Yield what each harvest completed; when the capture fails, first what was heard, then its error."""
        yield from self.run(capture, self.bench(name, lambda found, _: found))

    def run(
        self, capture: Iterable[Batch], hearing: Hearing[Found], opener: Opener | None = None
    ) -> Iterator[Found]:
        """Gather a capture and have it heard; when it fails, first give what was heard, then its error."""
        gatherer = self.gatherer(opener)
        try:
            for batch in capture:
                for gathered in gatherer.gather(batch):
                    yield from hearing.hear(gathered)
        except Exception:
            yield from self._finish(gatherer, hearing)
            raise
        yield from self._finish(gatherer, hearing)

    def _finish(self, gatherer: Gatherer, hearing: Hearing[Found]) -> Iterator[Found]:
        yield from hearing.hear(gatherer.rest())
        yield from hearing.flush()
        self._totals = counted(self._totals, gatherer.tally, hearing.tally)

    def totals(self) -> RunTotals:
        """Say what was heard and lost, over all captures read to their end."""
        return self._totals

    def reload(self, catalogue: Catalogue) -> tuple[Listener, Interest]:
        """Go on by another catalogue; gives what a bench and a gatherer at work are to be told."""
        self._listener = replace(self._listener, catalogue=catalogue)
        self._interest = Interest(catalogue.mail_ports, catalogue.prefixes)
        return self._listener, self._interest


def counted(was: RunTotals, tally: Tally, heard: Heard) -> RunTotals:
    """Add what decoding one capture saw, and what hearing it came to."""
    firsts = [at for at in (was.first_at, tally.first_at) if at is not None]
    lasts = [at for at in (was.last_at, tally.last_at) if at is not None]
    return replace(
        was,
        packets=was.packets + tally.packets,
        bytes=was.bytes + tally.bytes,
        conversations=was.conversations + heard.conversations,
        observations=was.observations + heard.observations,
        gaps=was.gaps + heard.gaps,
        evicted=was.evicted + heard.evicted,
        fragments_dropped=was.fragments_dropped + tally.fragments_dropped,
        truncated=was.truncated + tally.truncated,
        malformed=was.malformed + tally.malformed,
        not_ip=was.not_ip + tally.not_ip,
        unknown_link=was.unknown_link + tally.unknown_link,
        first_at=min(firsts, default=None),
        last_at=max(lasts, default=None),
    )


__all__ = ["Bench", "Gathered", "Gatherer", "Heard", "Hearing", "Listener", "Pipeline", "Usernames"]
