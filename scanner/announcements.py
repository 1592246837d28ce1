"""Hear what machines announce of themselves: names, kinds, and which address DHCP gave to whom."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache, partial
from typing import NamedTuple

from scanner.conversation import SERVER, Transport
from scanner.events import Answer, Event, Label, Leased
from scanner.model import LEASE, Sighting
from scanner.net import Prefixes, is_internal, text
from scanner.protocols import dialects
from scanner.protocols.announcement import Read
from scanner.wire.batch import Columns
from scanner.wire.datagrams import Datagram, datagrams, smb_setups
from scanner.wire.frames import Frame
from scanner.wire.sheet import mac_text

DNS, SMB = 53, 445
NUMBERED = frozenset({53, 137, 5353, 5355})
"""Ports whose payloads begin with a number that tells nothing (RFC 1035 4.1.1)."""
NOWHERE = "0.0.0.0"
"""Stands for the address of what is said without one."""
NOBODY = Prefixes(("0.0.0.0/32", "::/128", "169.254.0.0/16", "fe80::/10"))
"""Addresses that name nobody: none yet (RFC 1122 3.2.1.3, RFC 4291 2.5.2), or of a link (RFC 3927)."""
HEARD_KEPT = 8192
"""Payloads with who sent them whose meaning is at hand, mostly 5 MB: machines repeat themselves; past it all
are let go and read anew. None of SMB: those hold the answers of logins."""
SIGHTINGS_KEPT = 50_000
"""Things heard that are known again, some 25 MB; past it all are handed over, let go and learned anew."""
STRETCHED_NS = 600 * 1_000_000_000
"""Of capture time: so often is handed over that things known were heard again, and what is new at the least.
Whoever listens for weeks loses no more than that when it is killed."""
LEASES_KEPT = 8
"""Leases of one address that are remembered: it goes from hand to hand in days."""
ADDRESSES_KEPT = 100_000
"""Addresses whose leases are remembered; past it the oldest goes, and packets are their MAC's."""
NAMES_KEPT = 100_000
"""Addresses whose asked-for name is remembered; past it the oldest goes and its server shows no name."""

_Key = tuple[str, str, str, str]
"""Address and MAC, field and text."""
_Span = list[int]
"""From when to when something was heard, then what of that was handed over; a list, for there are many."""


class Told(NamedTuple):
    """What was announced."""

    answers: tuple[Answer, ...] = ()
    """Names that addresses were asked for."""
    sightings: tuple[Sighting, ...] = ()


class _Heard(NamedTuple):
    """What an announcement of one sender comes to: said again it only stretches spans."""

    spans: tuple[_Span, ...]
    answers: tuple[Answer, ...]
    leases: tuple[Leased, ...]


class Announcements:
    """Reads what stands alone; keeps what it read until it is taken."""

    def __init__(self) -> None:
        """Begin with nothing heard."""
        self._heard: dict[tuple[int, bytes, int, int, bytes], _Heard] = {}
        self._spans: dict[_Key, _Span] = {}
        self._new: dict[_Key, _Span] = {}
        self._names = Names()
        self._answers: list[Answer] = []
        self._leases: list[Sighting] = []
        self._now = self._stretched = 0

    def hear(self, columns: Columns) -> None:
        """Hear the datagrams of a batch, and the segments that say all on their own."""
        for datagram in datagrams(columns, ports()):
            self._hear(datagram)
        for segment in smb_setups(columns):
            events = _readers()[Transport.TCP, SMB](segment.payload)
            ip, mac = text(segment.high, segment.low), mac_text(segment.mac)
            self._again(self._meant(events, SMB, ip, mac, segment.at), segment.at)
        if len(columns):
            self._now = int(columns.at[-1])
            self._stretched = self._stretched or self._now

    def hear_frames(self, frames: Iterable[Frame]) -> None:
        """Hear frames of their own."""
        for frame in frames:
            events = _readers()[Transport.FRAME, frame.kind](frame.payload)
            self._again(self._meant(events, frame.kind, NOWHERE, frame.source_mac, frame.at), frame.at)

    @property
    def due(self) -> bool:
        """Whether it is time to take, though nothing else is to be handed over."""
        waiting = max(len(self._spans), len(self._answers), len(self._leases))
        return waiting > SIGHTINGS_KEPT or abs(self._now - self._stretched) >= STRETCHED_NS

    def take(self, last: bool = False) -> Told:
        """Give what is new since the last time; when it is due, and at last, what was heard again too."""
        told = self._new
        if last or self.due:
            told = {key: span for key, span in self._spans.items() if key in self._new or _grew(span)}
            self._stretched = self._now
        labels = [Sighting(*key, span[0], span[1]) for key, span in told.items()]
        for span in told.values():
            span[2:] = span[:2]
        if len(self._spans) > SIGHTINGS_KEPT:
            self._spans.clear()
            self._heard.clear()
        found = Told(tuple(self._answers), (*self._leases, *labels))
        self._new = {}
        self._answers.clear()
        self._leases.clear()
        return found

    def _hear(self, datagram: Datagram) -> None:
        at, high, low, source, port, payload, mac = datagram
        if port not in ports():
            port = source
        said = payload[2:] if port in NUMBERED else payload
        key = port, said, high, low, mac
        heard = self._heard.get(key)
        if heard is None:
            if len(self._heard) >= HEARD_KEPT:
                self._heard.clear()
            events = _readers()[Transport.UDP, port](payload)
            heard = self._heard[key] = self._meant(events, port, text(high, low), mac_text(mac), at)
        self._again(heard, at)

    def _meant(self, events: Iterable[Event], port: int, ip: str, mac: str | None, at: int) -> _Heard:
        """Tell whom events are about that somebody told of at a time."""
        spans: list[_Span] = []
        answers: list[Answer] = []
        leases: list[Leased] = []
        teller = "" if ip in NOBODY else ip, mac or ""
        for event in events:
            match event:
                case Label():
                    whose = teller if event.ip is event.mac is None else _whose(event, ip, teller)
                    if whose != ("", ""):
                        spans.append(self._span((*whose, event.field, event.text), at))
                # Anybody on the link may claim any name: outside it only a name server is believed.
                case Answer() if port == DNS or is_internal(event.address):
                    answers.append(event)
                case Leased():
                    leases.append(event)
        return _Heard(tuple(spans), tuple(answers), tuple(leases))

    def _span(self, key: _Key, at: int) -> _Span:
        span = self._spans.get(key)
        if span is None:
            span = self._spans[key] = self._new[key] = [at, at, at, at]
        return span

    def _again(self, heard: _Heard, at: int) -> None:
        for span in heard.spans:
            if at > span[1]:
                span[1] = at
            elif at < span[0]:
                span[0] = at
        for answer in heard.answers:
            if self._names.learn(answer):
                self._answers.append(answer)
        for lease in heard.leases:
            self._leases.append(_lent(lease, at))


class Names:
    """What each address was last asked for as."""

    def __init__(self) -> None:
        """Begin with none."""
        self._of: dict[str, str] = {}
        self.get = self._of.get
        """The name of an address, or None."""

    def learn(self, answer: Answer) -> bool:
        """Take a name; tells whether that is news."""
        names = self._of
        if names.get(answer.address) == answer.name:
            return False
        names.pop(answer.address, None)
        names[answer.address] = answer.name
        if len(names) > NAMES_KEPT:
            del names[next(iter(names))]
        return True


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
    found = [(one, partial(one.session().feed, SERVER, at=0)) for one in dialects() if one.alone]
    return {(dialect.transport, port): read for dialect, read in found for port in dialect.ports}


@cache
def ports() -> frozenset[int]:
    """The UDP ports on which something is announced."""
    return frozenset(port for transport, port in _readers() if transport is Transport.UDP)


def _whose(label: Label, ip: str, teller: tuple[str, str]) -> tuple[str, str]:
    """Address and MAC of the one whom a label is about, told from an address by this one; empty: nobody."""
    if label.mac is not None:
        return label.ip or "", label.mac
    if label.ip is not None and label.ip != ip:
        return label.ip if is_internal(label.ip) else "", ""
    return teller


def _lent(lease: Leased, at: int) -> Sighting:
    lasts = lease.seconds * 1_000_000_000
    begin = at - lasts // 2 if lease.renewed else at
    return Sighting(lease.ip, lease.mac, LEASE, "", begin, at + lasts)


def _grew(span: _Span) -> bool:
    return span[:2] != span[2:]
