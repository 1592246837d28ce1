"""Hear what machines announce of themselves: names, kinds, and which address DHCP gave to whom."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from ipaddress import ip_address
from typing import NamedTuple

from scanner.conversation import SERVER, Endpoint, Transport
from scanner.events import Answer, Event, Label, Leased
from scanner.model import LEASE, Sighting
from scanner.net import is_internal
from scanner.protocols import dialects
from scanner.protocols.announcement import Read
from scanner.session import Dialect
from scanner.wire.batch import Columns
from scanner.wire.datagrams import Datagram, datagrams, smb_setups
from scanner.wire.frames import Frame

DNS, SMB = 53, 445
NUMBERED = frozenset({53, 137, 5353, 5355})
"""Ports whose payloads begin with a number that tells nothing (RFC 1035 4.1.1)."""
NOWHERE = "0.0.0.0"
"""Stands for the address of what is said without one."""
READ_KEPT = 4096
"""Payloads whose meaning is at hand: machines repeat themselves; past it all are let go and read anew. None
of SMB: those hold the answers of logins."""
LEASES_KEPT = 8
"""Leases of one address that are remembered: it goes from hand to hand in days."""
ADDRESSES_KEPT = 100_000
"""Addresses whose leases are remembered; past it the oldest goes, and packets are their MAC's."""


class Told(NamedTuple):
    """What was announced."""

    answers: tuple[Answer, ...] = ()
    """Names that addresses were asked for."""
    sightings: tuple[Sighting, ...] = ()


class Announcements:
    """Reads what stands alone; keeps what it read until it is taken."""

    def __init__(self) -> None:
        """Begin with nothing heard."""
        self._read: dict[tuple[Transport, int, bytes], tuple[Event, ...]] = {}
        self._answers: list[Answer] = []
        self._leases: list[Sighting] = []
        self._sightings: dict[tuple[str, str, str, str], tuple[int, int]] = {}

    def hear(self, columns: Columns) -> None:
        """Hear the datagrams of a batch, and the segments that say all on their own."""
        for datagram in datagrams(columns, ports()):
            self._hear(Transport.UDP, _port(datagram), datagram)
        for segment in smb_setups(columns):
            self._tell(_readers()[Transport.TCP, SMB](segment.payload), SMB, segment)

    def hear_frames(self, frames: Iterable[Frame]) -> None:
        """Hear frames of their own."""
        for frame in frames:
            nowhere = Endpoint(NOWHERE, 0)
            heard = Datagram(frame.at, nowhere, nowhere, frame.payload, True, frame.source_mac)
            self._hear(Transport.FRAME, frame.kind, heard)

    def take(self) -> Told:
        """Give what was heard since the last time."""
        labels = (Sighting(*key, *span) for key, span in self._sightings.items())
        told = Told(tuple(self._answers), (*self._leases, *labels))
        self._answers.clear()
        self._leases.clear()
        self._sightings.clear()
        return told

    def _hear(self, transport: Transport, port: int, datagram: Datagram) -> None:
        payload = datagram.payload
        key = transport, port, payload[2:] if port in NUMBERED else payload
        events = self._read.get(key)
        if events is None:
            if len(self._read) >= READ_KEPT:
                self._read.clear()
            events = self._read[key] = tuple(_readers()[transport, port](payload))
        self._tell(events, port, datagram)

    def _tell(self, events: Iterable[Event], port: int, datagram: Datagram) -> None:
        for event in events:
            match event:
                case Answer():
                    self._answer(event, port)
                case Leased():
                    self._lease(event, datagram.at)
                case Label():
                    self._sight(event, datagram.source.ip, datagram.source_mac or "", datagram.at)

    def _lease(self, lease: Leased, at: int) -> None:
        lasts = lease.seconds * 1_000_000_000
        begin = at - lasts // 2 if lease.renewed else at
        self._leases.append(Sighting(lease.ip, lease.mac, LEASE, "", begin, at + lasts))

    def _answer(self, answer: Answer, port: int) -> None:
        """Anybody on the link may claim any name: outside it only a name server is believed."""
        if port == DNS or is_internal(answer.address):
            self._answers.append(answer)

    def _sight(self, label: Label, ip: str, mac: str, at: int) -> None:
        if label.mac is not None:
            ip, mac = label.ip or "", label.mac
        elif label.ip is not None and label.ip != ip:
            ip, mac = label.ip if is_internal(label.ip) else "", ""
        elif _is_no_name(ip):
            ip = ""
        if ip or mac:
            self._keep((ip, mac, label.field, label.text), at, at)

    def _keep(self, key: tuple[str, str, str, str], first: int, last: int) -> None:
        known = self._sightings.get(key, (first, last))
        self._sightings[key] = min(first, known[0]), max(last, known[1])


class Leases:
    """Whom DHCP gave which address, and when."""

    def __init__(self, known: Iterable[Sighting] = ()) -> None:
        """Take what is known from earlier on."""
        self._of: dict[str, list[Sighting]] = {}
        for lease in known:
            self.learn(lease)

    def learn(self, lease: Sighting) -> None:
        """Take a lease."""
        if lease.ip not in self._of and len(self._of) >= ADDRESSES_KEPT:
            del self._of[next(iter(self._of))]
        its = self._of.setdefault(lease.ip, [])
        if its and its[-1].mac == lease.mac and lease.first_seen <= its[-1].last_seen:
            last = its.pop()
            lease = lease._replace(first_seen=min(last.first_seen, lease.first_seen))
        its.append(lease)
        del its[:-LEASES_KEPT]

    def holder(self, ip: str, at: int) -> str | None:
        """The MAC that had an address at a time (ns), by the latest lease of then."""
        its = self._of.get(ip)
        if its:
            for lease in reversed(its):
                if lease.first_seen <= at < lease.last_seen:
                    return lease.mac
        return None


@cache
def _readers() -> dict[tuple[Transport, int], Read]:
    found = [one for one in dialects() if one.alone]
    return {(dialect.transport, port): _reader(dialect) for dialect in found for port in dialect.ports}


def _reader(dialect: Dialect) -> Read:
    feed = dialect.session().feed
    return lambda payload: feed(SERVER, payload, 0)


@cache
def ports() -> frozenset[int]:
    """The UDP ports on which something is announced."""
    return frozenset(port for transport, port in _readers() if transport is Transport.UDP)


def _port(datagram: Datagram) -> int:
    return datagram.target.port if datagram.target.port in ports() else datagram.source.port


@cache
def _is_no_name(ip: str) -> bool:
    """Addresses that name nobody: none yet, or of a link."""
    address = ip_address(ip)
    return address.is_unspecified or address.is_link_local
