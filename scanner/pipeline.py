"""From batches of packets to observations: decode, pick, follow flows, listen.

It comes in two halves, so that they can run in processes of their own: ``Gatherer`` sees packets and gives
harvests; ``Bench`` follows their connections and listens to them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Generic, NamedTuple, Protocol, TypeVar

from scanner.account import Usernames
from scanner.announcements import Announcements, Leases, Names, Told, ports
from scanner.catalogue.exchange import Catalogue
from scanner.conversation import Conversation, Said
from scanner.draft import Drafts
from scanner.inside import KEPT_BYTES, Inside
from scanner.labels import FORWARDS
from scanner.listener import Listener, Overheard
from scanner.model import LEASE, Observation, RunTotals, Sighting
from scanner.recurrence import Lengths
from scanner.texts import Lessons, Servers
from scanner.wire.batch import Batch, Tally
from scanner.wire.decode import Decoder
from scanner.wire.flows import FlowTable
from scanner.wire.harvest import Basket, Harvest, Selection
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

    def share(self, number: int, of: int) -> Gathered:
        """The part of one of several workers."""
        return replace(self, harvest=self.harvest.share(number, of) if self.harvest else None)

    def without_labels(self) -> Gathered:
        """What bears on conversations, for somebody else handed on what was announced."""
        leases = tuple(one for one in self.told.sightings if one.field == LEASE)
        return replace(self, told=self.told._replace(sightings=leases), handed_on=True)


class Gatherer:
    """The first half: decode batches, and gather what is of interest in them."""

    def __init__(self, interest: Interest, hold_ns: int | None = None, opener: Opener | None = None) -> None:
        """``hold_ns``: hand over what is older than that, in capture time; None: only when it is enough."""
        self._decoder = Decoder(ports())
        self._selection = Selection(interest)
        self._basket = Basket(hold_ns)
        self._announcements = Announcements()
        self._opener = opener

    @property
    def tally(self) -> Tally:
        """What decoding saw."""
        return self._decoder.tally

    def gather(self, batch: Batch) -> Iterator[Gathered]:
        """Take a batch; yield what is enough to be heard."""
        decoded = self._decoder.decode(batch)
        self._announcements.hear_frames(self._decoder.frames)
        for columns in decoded:
            self._announcements.hear(columns)
            part = self._selection.pick(columns)
            if part and (harvest := self._basket.add(part)):
                yield self._hand_over(harvest, self.tally.packets)
            elif self._announcements.due:
                yield Gathered(None, self._announcements.take())

    def rest(self) -> Gathered:
        """Give what is left: the capture ended."""
        return self._hand_over(self._basket.empty(), None)

    def _hand_over(self, harvest: Harvest | None, packet: int | None) -> Gathered:
        """``packet`` None: the capture ended."""
        inside = self._opener.until(packet) if self._opener else ()
        return Gathered(harvest, self._announcements.take(last=packet is None), inside)


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
        return Heard(flows.conversations, self._observations, self._gaps, flows.evicted)

    def hear(self, gathered: Gathered) -> Iterator[Found]:
        """Give what becomes of the conversations that ended in this, the earliest first."""
        yield from self.conclude(self.listen(gathered))

    def flush(self) -> Iterator[Found]:
        """Give what becomes of all conversations that are still open: the capture ended."""
        yield from self.conclude(self.listen(None))

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
            self._listen(self._table.follow(gathered.harvest) if gathered.harvest else ())
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
    ) -> None:
        """Listen as ``sensor``, with at most ``max_flows`` connections followed at a time.

        ``leases``: what is known of DHCP from earlier on.
        """
        self.sensor = sensor
        self._listener = Listener(catalogue, sensor, usernames)
        self._interest = Interest(catalogue.mail_ports, catalogue.prefixes)
        self._max_flows = max_flows
        self._hold_ns = hold_ns
        self._known = Known(leases)
        self._lengths = Lengths()
        self._servers = Servers()
        self._totals = RunTotals()

    def bench(self, capture: str, finish: Finish[Found], share: int = 1) -> Bench[Found]:
        """The second half, for one capture; or one of ``share`` that divide its connections up."""
        table = FlowTable(self._interest, capture, max_flows=max(self._max_flows // share, 1))
        inside = Inside(KEPT_BYTES // share)
        return Bench(self._listener, table, self._known, finish, inside, self._lengths, self._servers)

    def read(self, capture: Iterable[Batch], name: str) -> Iterator[list[Observation]]:
        """Yield what each harvest completed; when the capture fails, first what was heard, then its error."""
        yield from self.run(capture, self.bench(name, lambda found, _: found))

    def run(
        self, capture: Iterable[Batch], hearing: Hearing[Found], opener: Opener | None = None
    ) -> Iterator[Found]:
        """Gather a capture and have it heard; when it fails, first give what was heard, then its error."""
        gatherer = Gatherer(self._interest, self._hold_ns, opener)
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
        self._count(gatherer.tally, hearing.tally)

    def totals(self) -> RunTotals:
        """Say what was heard and lost, over all captures read to their end."""
        return self._totals

    def _count(self, tally: Tally, heard: Heard) -> None:
        was = self._totals
        firsts = [at for at in (was.first_at, tally.first_at) if at is not None]
        lasts = [at for at in (was.last_at, tally.last_at) if at is not None]
        self._totals = replace(
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
