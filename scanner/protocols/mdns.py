"""Multicast DNS and DNS-SD: what machines announce of themselves and their services (RFC 6762, RFC 6763).

Read are responses (to a group or to one asker, RFC 6762 6.7 too) and what a probe proposes in its authority
section (8.2); the known answers of a query (7.1) are somebody else's and are not. A goodbye (10.1) tells
nothing.

Whose it is: a reflector or a sleep proxy sends what belongs to others, so what a datagram says of a machine
is told of the addresses that it gives this machine (``addresses.reachable`` says which), and of its sender
only where it holds no address at all. A service is its SRV target's; without SRV record, of the one machine
whose addresses are told. Where addresses of several are told, or only those of others, it is nobody's. A
probe never is its sender's: avahi reflects them with their service and without an address. What is not held
back by this: a reflected response without any address; and that anybody may lie.

Ignored: domains other than ``local``, DNS-SD by unicast DNS, HINFO and NSEC records.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv6Address
from itertools import chain, islice

from scanner.conversation import SERVER, Transport
from scanner.events import Answer, Event, Label
from scanner.protocols.announcement import announcing, clean
from scanner.protocols.dns_names import (
    PTR,
    SRV,
    TXT,
    Name,
    Record,
    read_header,
    read_message,
    read_name,
    written_name,
)  # fmt: skip
from scanner.protocols.fields import reachable, values
from scanner.session import Example

RECORDS_READ = 256
"""Records of one datagram read; a print server's 40 queues take 200. What is behind them is not told."""
EVENTS_TOLD = 2048
"""Names and labels of one datagram; 40 queues at eight addresses give as many. The rest is not told."""

_SENDER: tuple[str | None, ...] = (None,)
_LOCAL = b"local"
_TRANSPORTS = (b"_tcp", b"_udp")
_ALL_SERVICES = (b"_services", b"_dns-sd", b"_udp", _LOCAL)

_SERVICES = ((b"_ipp",), (b"_printer", b"_pdl-datastream"), (b"_http", b"_device-info"))
"""Asked for together; those whose TXT records say what a machine is."""
_UNICAST = 0x8000
"""RFC 6762 5.4: answer me alone."""

_PRINTER = {
    b"ty": "mdns.ty", b"product": "mdns.product", b"note": "mdns.note", b"usb_mfg": "mdns.usb_mfg",
    b"usb_mdl": "mdns.usb_mdl", b"mfg": "mdns.usb_mfg", b"mdl": "mdns.usb_mdl",
}  # fmt: skip
_PRINTING = (
    b"_ipp", b"_ipps", b"_printer", b"_pdl-datastream", b"_fax-ipp", b"_ptp", b"_riousbprint",
    b"_scanner", b"_uscan", b"_uscans",
)  # fmt: skip
_KEYS = {
    b"_device-info": {b"model": "mdns.model"},
    b"_http": {b"model": "mdns.model", b"vendor": "mdns.vendor"},
    **dict.fromkeys(_PRINTING, _PRINTER),
}
"""What the TXT records of services say of the machine (Bonjour Printing 1.2.1; NAS in ``_http``)."""


def read(payload: bytes) -> tuple[Event, ...]:
    """Read one datagram; names with their addresses, then labels, each once."""
    records = tuple(_told(payload))
    if not records:
        return ()
    told = _Told(records, _SENDER if payload[2] & 0x80 else ())
    return tuple(dict.fromkeys(islice(chain(told.answers(), told.labels()), EVENTS_TOLD)))


def _told(payload: bytes) -> Iterator[Record]:
    """The records that the sender vouches for."""
    header = read_header(payload)
    response = bool(header.flags & 0x8000)
    if header.flags & 0x780F or not (response or header.authorities):
        return
    first, behind = 0 if response else header.answers, header.answers + header.authorities
    behind += header.additions if response else 0
    _, records = read_message(payload, header, min(behind, RECORDS_READ))
    for record in islice(records, first, None):
        if record.ttl:
            yield record


class _Told:
    """What the records of one datagram say, and of whom."""

    def __init__(self, records: Iterable[Record], sender: tuple[str | None, ...]) -> None:
        self._sender = sender
        self._services: dict[Name, None] = {}
        self._instances: dict[Name, Name] = {}
        self._hosts: dict[Name, Name] = {}
        self._addresses: dict[Name, list[IPv4Address | IPv6Address]] = {}
        self._targets: dict[Name, Name] = {}
        self._texts: dict[Name, bytes] = {}
        for record in records:
            self._sort(record)
        self._known = {host: reachable(addresses) for host, addresses in self._addresses.items()}

    def answers(self) -> Iterator[Answer]:
        """Every address with its name."""
        for host, addresses in self._addresses.items():
            for address in addresses:
                if name := _text(self._hosts[host]).lower():
                    yield Answer(name, str(address))

    def labels(self) -> Iterator[Label]:
        """What is said of machines."""
        for owners, field, text in self._said():
            if text:
                for ip in owners:
                    yield Label(field, text, ip)

    def _said(self) -> Iterator[tuple[tuple[str | None, ...], str, str]]:
        for host, name in self._hosts.items():
            yield self._known[host] or self._sender, "mdns.host", _text(name)
        for service in self._services:
            yield self._only(), "mdns.service", _text(service)
        for key, instance in self._instances.items():
            owners = self._owners(key)
            yield owners, "mdns.instance", clean(instance[0])
            yield owners, "mdns.service", _text(key[1:3])
            for field, text in _described(key[1], self._texts.get(key, b"")):
                yield owners, field, text

    def _sort(self, record: Record) -> None:
        owner = _key(record.owner)
        if owner[-1:] == (b"arpa",):
            self._reverse(record, owner)
        elif owner[-1:] != (_LOCAL,):
            return
        elif address := record.address:
            self._hosts.setdefault(owner, record.owner)
            self._addresses.setdefault(owner, []).append(address)
        elif record.kind == PTR:
            self._point(record, owner)
        elif record.kind in (SRV, TXT) and _is_instance(owner):
            self._instances.setdefault(owner, record.owner)
            if record.kind == TXT:
                self._texts.setdefault(owner, record.data)
            elif target := _linked(record, 6):
                self._targets.setdefault(owner, _key(target))

    def _point(self, record: Record, owner: Name) -> None:
        name = _linked(record, 0) or ()
        key = _key(name)
        if owner == _ALL_SERVICES:
            if len(key) == 3 and key[1] in _TRANSPORTS and key[0].startswith(b"_"):
                self._services[key[:2]] = None
        elif _is_instance(key):
            self._instances.setdefault(key, name)

    def _reverse(self, record: Record, owner: Name) -> None:
        """RFC 1035 3.5, RFC 3596 2.5: whoever has an address says its name."""
        name = _linked(record, 0) if record.kind == PTR else None
        address = _turned(owner)
        if name and address and name[-1].lower() == _LOCAL:
            self._hosts.setdefault(_key(name), name)
            self._addresses.setdefault(_key(name), []).append(address)

    def _owners(self, instance: Name) -> tuple[str | None, ...]:
        """The addresses of the machine that offers this; empty if it is unknown which."""
        target = self._targets.get(instance)
        if target is None or not self._addresses:
            return self._only()
        return self._known[target] or self._sender if target in self._known else ()

    def _only(self) -> tuple[str | None, ...]:
        """The addresses of the only machine that is told; the sender if there is none; empty for several."""
        if not self._known:
            return self._sender
        first, *others = dict.fromkeys(self._known.values())  # two names of one's addresses are one machine
        return () if others else first or self._sender


def questions(address: IPv4Address | IPv6Address, number: int) -> tuple[bytes, ...]:
    """Write what a machine is asked directly (RFC 6762 5.5, 6.7): its name, its services, what they say.

    It answers only who is on its link. Several messages, for an answer to each has to fit in 512 bytes.
    """
    reverse = tuple(label.encode() for label in address.reverse_pointer.split("."))
    asked = ((reverse, _ALL_SERVICES), *(tuple((one, b"_tcp", _LOCAL) for one in some) for some in _SERVICES))
    return tuple(_question(names, number) for names in asked)


def _question(names: tuple[Name, ...], number: int) -> bytes:
    head = struct.pack(">6H", number, 0, len(names), 0, 0, 0)
    return head + b"".join(written_name(name) + struct.pack(">HH", PTR, _UNICAST | 1) for name in names)


def _described(service: bytes, text: bytes) -> Iterator[tuple[str, str]]:
    """What the TXT record of a service says: keys in any case, the first of each counts (RFC 6763 6.4)."""
    fields = _KEYS.get(service, {})
    pairs: dict[bytes, bytes] = {}
    for _, pair in values(text, 1, lambda size: (0, size)) if fields else ():
        key, _, value = pair.partition(b"=")
        pairs.setdefault(key.lower(), value)
    for key, value in pairs.items():
        if key in fields:
            said = clean(value)
            if key == b"product" and said.startswith("(") and said.endswith(")"):
                said = said[1:-1].strip()
            yield fields[key], said


def _is_instance(key: Name) -> bool:
    """RFC 6763 4.1: <Instance>.<Service>.<Domain>."""
    return len(key) == 4 and bool(key[0]) and key[1][:1] == b"_" and key[2] in _TRANSPORTS


def _text(name: Name) -> str:
    return clean(b".".join(name))


def _key(name: Name) -> Name:
    """RFC 6762 16: only the letters of ASCII are the same in both cases."""
    return tuple(map(bytes.lower, name))


def _linked(record: Record, skipped: int) -> Name | None:
    """The name in a record's data; it may be compressed, so it is read where it stood."""
    return read_name(record.payload, record.at + skipped)[0] if len(record.data) > skipped else None


def _turned(owner: Name) -> IPv4Address | IPv6Address | None:
    labels = owner[-3::-1]
    try:
        if owner[-2:-1] == (b"in-addr",):
            return IPv4Address(b".".join(labels).decode("ascii"))
        if owner[-2:-1] == (b"ip6",) and len(labels) == len(b"".join(labels)) == 32:
            return IPv6Address(int(b"".join(labels), 16))
    except ValueError:
        return None
    return None


_PRINTER_SAYS = (
    b"\0\0\x84\0\0\0\0\x03\0\0\0\x01"
    b"\x04_ipp\x04_tcp\x05local\0\0\x0c\0\x01\0\0\x11\x94\0\x0e\x0bThird floor\xc0\x0c"
    b"\xc0\x27\0\x21\x80\x01\0\0\0\x78\0\x0d\0\0\0\0\x02\x77\x04copy\xc0\x16"
    b"\xc0\x27\0\x10\x80\x01\0\0\x11\x94\0\x27\x0cty=Copier 12\x13product=(Copier 12)\x05NOTE="
    b"\xc0\x47\0\x01\x80\x01\0\0\0\x78\0\x04\xc0\0\x02\x07"
)
_THIS = "192.0.2.7"
_ANNOUNCED = Example(
    "a printer announces itself",
    ((SERVER, _PRINTER_SAYS),),
    (
        Answer("copy.local", _THIS),
        Label("mdns.host", "copy.local", _THIS),
        Label("mdns.instance", "Third floor", _THIS),
        Label("mdns.service", "_ipp._tcp", _THIS),
        Label("mdns.ty", "Copier 12", _THIS),
        Label("mdns.product", "Copier 12", _THIS),
    ),
)
DIALECT = announcing("mdns", Transport.UDP, frozenset({5353}), read, (_ANNOUNCED,))
