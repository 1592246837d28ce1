"""Ask the endpoints of Exchange Online from here, and a tenant's records; nothing but what these lead to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from ipaddress import ip_address
from typing import NamedTuple

from scanner.catalogue.exchange import Catalogue
from scanner.conversation import Endpoint as Place
from scanner.net import canonical, number
from scanner.probe.dial import Dialler, Unreachable
from scanner.probe.errand import Errand, Found
from scanner.probe.layers import Layer, TrustLayer
from scanner.probe.names import NameFault, Names, NoSuchNameError
from scanner.probe.pace import Pace
from scanner.protocols.stated_time import stated_time
from scanner.services import Answered
from scanner.session import Answer, Asker
from scanner.way_out import Address, Endpoint, Published, is_address
from scanner.wire.client_hello import indicated

RATE, PER_HOST = 50, 10
"""Connections a second, in all and to one address: a check makes some five for each of a dozen ports."""
ADDRESSES_TRIED = 3
"""Of one name, until one lets itself be connected to: programs that send mail mostly try two or three."""
EXCHANGERS_ASKED = 4
"""Of a tenant's; Exchange Online has one, gateways have two."""
POLICY = "v=spf1"
_ELSEWHERE = (Answered.FILTERED, Answered.REFUSED)
_PORTS = (587, 25, 993, 995, 443)
"""Asked of a server whose ports nobody knows."""


class Wanted(NamedTuple):
    """What is to be asked."""

    name: str
    """Or address."""
    port: int


def wanted(catalogue: Catalogue, named: Iterable[tuple[str, int | None]]) -> tuple[Wanted, ...]:
    """What to ask for these names (or addresses) and ports; for none what the catalogue has asked."""
    found = [
        Wanted(name, one)
        for name, port in named
        for one in ((port,) if port else catalogue.ports(name) or _PORTS)
    ]
    return tuple(dict.fromkeys(found or [Wanted(*place) for place in catalogue.asked]))


class Outbound:
    """Asks; made in a running loop."""

    def __init__(self, catalogue: Catalogue, names: Names, asker: Asker, clock: Callable[[], int]) -> None:
        """``clock``: the time, ns."""
        self._catalogue, self._names, self._clock = catalogue, names, clock
        self._allowed: set[str] = set()
        """What may be touched: addresses that the user gave, or to which the asked names lead."""
        self._errand = Errand(Dialler(self._allowed, Pace(RATE, PER_HOST)), asker, clock)

    async def check(
        self, all_wanted: Iterable[Wanted], tenant: str | None, done: Callable[[], None]
    ) -> list[Endpoint | Published]:
        """Ask all, then what a tenant's domain says and where its mail goes; tells of each that is done."""

        async def told(one: Wanted) -> Endpoint:
            found = await self.ask(one)
            done()
            return found

        found: list[Endpoint | Published] = [*await asyncio.gather(*map(told, all_wanted))]
        if tenant is not None:
            mail, *others = await asyncio.gather(
                self._published(tenant, "MX"),
                self._autodiscover(f"autodiscover.{tenant}"),
                self._published(f"_autodiscover._tcp.{tenant}", "SRV"),
                self._published(tenant, "TXT"),
            )
            hosts = dict.fromkeys(mail.targets[:EXCHANGERS_ASKED])
            found += [mail, *await asyncio.gather(*(told(Wanted(host, 25)) for host in hosts)), *others]
        return found

    async def ask(self, one: Wanted) -> Endpoint:
        """Ask one endpoint, at the first of its addresses that can be connected to."""
        if is_address(one.name):
            return await self._ask(one, (canonical(one.name),), None)
        try:
            addresses = await self._names.addresses(one.name)
        except NameFault as fault:
            return Endpoint(one.name, one.port, self._catalogue.role(one.name), fault=str(fault))
        return await self._ask(one, addresses, one.name)

    async def _ask(self, one: Wanted, addresses: tuple[str, ...], name: str | None) -> Endpoint:
        role = self._catalogue.classify(addresses[0], name).role
        led = tuple(Address(ip, self._catalogue.prefixes.find(number(ip))) for ip in addresses)
        usable = [ip for ip in addresses if _is_somebody(ip)][:ADDRESSES_TRIED]
        if not usable:
            fault = f"the resolver leads to {addresses[0]}, which is nobody: a filter's answer"
            return Endpoint(one.name, one.port, role, led, fault)
        self._allowed.update(usable)
        for ip in usable:
            found = await self._errand.ask(Place(ip, one.port), name=name)
            if found.service.outcome not in _ELSEWHERE:
                break
        layer, greeted = TrustLayer(indicated(name)), _Greeted(self._clock)
        distrust = await self._distrust(found, name, layer, greeted)
        greets = found.service.server_name if found.service.protocol == "smtp" else None
        return Endpoint(
            one.name, one.port, role, led,
            service=found.service,
            issuers=self._catalogue.issuers if role else (),
            trusted=layer.trusted,
            distrust=distrust,
            greeting_known=self._catalogue.role(greets) is not None if greets else None,
            ahead_ns=greeted.ahead_ns,
        )  # fmt: skip

    async def _distrust(self, found: Found, name: str | None, layer: TrustLayer, greeted: _Greeted) -> str:
        """Why this machine does not trust the certificate; empty where it does, or nobody knows."""
        service = found.service
        if service.tls.newest is None and service.banner is None:
            return ""
        end = Place(service.host, service.port)
        try:
            player = await self._errand.shake(end, found.way, name, layer, greeted)
        except Unreachable:
            return ""
        return player.detail if layer.trusted is False else ""

    async def _autodiscover(self, name: str) -> Published:
        """What it is another name for; else its addresses."""
        alias = await self._published(name, "CNAME")
        if alias.records or alias.fault:
            return alias
        try:
            return Published(name, "A", await self._names.addresses(name))
        except NameFault:
            return alias

    async def _published(self, name: str, kind: str) -> Published:
        try:
            records = await self._names.records(name, kind)
        except NameFault as fault:
            missing = isinstance(fault, NoSuchNameError) and kind != "MX"
            return Published(name, kind, fault="" if missing else str(fault))
        if kind == "TXT":
            records = tuple(one for one in records if one.lower().split(" ", 1)[0] == POLICY)
        return Published(name, kind, records)


class _Greeted:
    """Hears which time it is by a greeting, and keeps nothing else."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self.ahead_ns: int | None = None

    def heard(self, said: bytes, answer: Answer, inside: bool) -> None:
        if not said and (stated := stated_time(answer.line)) is not None:
            self.ahead_ns = stated + 500_000_000 - self._clock()  # told to the second: half of one, mostly

    def secured(self, layer: Layer) -> None:
        """Who issued the certificate is known by then."""


def _is_somebody(ip: str) -> bool:
    """Tell whether a machine can have an address; resolvers that filter answer with those of nobody."""
    address = ip_address(ip)
    return not (address.is_unspecified or address.is_multicast or ip == "255.255.255.255")
