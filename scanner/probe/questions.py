"""What a machine is asked in one datagram each, and what reads its answer: pure, nothing is sent here.

All go to the address itself, never to a group. The answers are read as those overheard are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from uuid import UUID

from scanner.events import Event
from scanner.probe import snmp
from scanner.protocols import mdns, nbns, ssdp, wsd

NOISE = 16
"""Random bytes that questions are told apart by."""
_NBNS, _SNMP, _SSDP, _WSD, _MDNS = 137, 161, 1900, 3702, 5353


@dataclass(frozen=True, slots=True)
class Question:
    """One datagram to send, from any port."""

    port: int
    payload: bytes = field(repr=False)
    """May hold a community: not to be shown."""
    read: Callable[[bytes], Sequence[Event]] = field(repr=False)
    """Reads what came back from there; never raises. A label without an address is about whom was asked."""
    otherwise: tuple[Question, ...] = ()
    """To be asked where nothing came back."""


def questions(
    address: str, noise: bytes, name: str = "mailsunset", communities: Sequence[str] = ()
) -> tuple[Question, ...]:
    """Write what a machine is asked, with ``NOISE`` random bytes; by SNMP once for each community."""
    plain = address.partition("%")[0]
    number = int.from_bytes(noise[:2], "big")
    return (
        *(Question(_MDNS, one, _all(mdns.read)) for one in mdns.questions(ip_address(plain), number)),
        Question(_WSD, wsd.question(UUID(bytes=noise, version=4)), wsd.read),
        Question(_NBNS, nbns.question(number), _all(nbns.read)),
        Question(_SSDP, ssdp.question(plain, name), ssdp.read),
        *(_by_snmp(community, int.from_bytes(noise[:4], "big") >> 1) for community in communities),
    )


def told(asked: Iterable[Question], heard: Iterable[tuple[int, bytes]]) -> tuple[Event, ...]:
    """Read what came back, by the ports that it came from; many devices answer a search from another one."""
    readers: dict[int, list[Callable[[bytes], Sequence[Event]]]] = {}
    for one in asked:
        readers.setdefault(one.port, []).append(one.read)
    found: dict[Event, None] = {}
    for port, payload in heard:
        for read in readers.get(port, (ssdp.read, wsd.read)):
            found |= dict.fromkeys(read(payload))
    return tuple(found)


def _all(read: Callable[[bytes], Iterable[Event]]) -> Callable[[bytes], Sequence[Event]]:
    return lambda payload: tuple(read(payload))


def _by_snmp(community: str, number: int) -> Question:
    """All at once in v2c; where nobody knows that, in v1, which refuses all for one (RFC 1157 4.1.2)."""

    def asked(version: int, wanted: Sequence[str]) -> Question:
        payload = snmp.question(version, community, number, wanted)
        return Question(_SNMP, payload, snmp.reader(community, number))

    description, sysname, *others = snmp.FIELDS
    apart = ((description, sysname), *((one,) for one in others))
    return replace(asked(2, tuple(snmp.FIELDS)), otherwise=tuple(asked(1, some) for some in apart))
