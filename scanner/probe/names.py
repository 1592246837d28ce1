"""Ask the resolver for addresses and other records of names; no question takes longer than it is given."""

from __future__ import annotations

import asyncio
from ipaddress import ip_address

import dns.asyncresolver
import dns.exception
import dns.name
import dns.rdata
import dns.resolver
from dns.rdtypes.ANY.TXT import TXT

from scanner.conversation import Endpoint
from scanner.net import canonical

TRY_S = 2.0
"""How long one server is waited for before the question goes out again."""
LONGEST_S = 6.0
"""How long a question may take: three tries, as the resolvers of systems make."""
RECORDS_KEPT = 16
"""Records of one answer: a name has a few addresses, a domain a few mail exchangers."""
TEXT_LENGTH = 512
"""Characters kept of one record."""


class NameFault(Exception):
    """A question had no answer; says why."""


class NoSuchNameError(NameFault):
    """The domain's servers say that there is no such name (RFC 8020)."""


class Names:
    """A resolver: the system's, or one that the user names."""

    def __init__(self, server: Endpoint | None = None) -> None:
        """Ask ``server``, else those of the system. Raises ``NameFault`` where it names none."""
        try:
            self._resolver = dns.asyncresolver.Resolver(configure=server is None)
        except dns.exception.DNSException:
            raise NameFault("this system names no resolver") from None
        if server is not None:
            self._resolver.nameservers, self._resolver.port = [server.ip], server.port
        self._resolver.timeout, self._resolver.lifetime = TRY_S, LONGEST_S

    async def addresses(self, name: str) -> tuple[str, ...]:
        """Give a name's addresses, IPv4 first. Raises ``NameFault``."""
        both = await asyncio.gather(self._asked(name, "A"), self._asked(name, "AAAA"))
        found = [record for one in both if isinstance(one, tuple) for record in one]
        if not found:
            raise next((one for one in both if isinstance(one, NameFault)), NameFault("it has no address"))
        return tuple(dict.fromkeys(map(canonical, found)))

    async def _asked(self, name: str, kind: str) -> tuple[str, ...] | NameFault:
        try:
            return await self.records(name, kind)
        except NameFault as fault:
            return fault

    async def records(self, name: str, kind: str) -> tuple[str, ...]:
        """Give records of a kind as text, in their order, targets without the dot at their end.

        Raises ``NameFault``; a name without such a record is none.
        """
        try:
            asked = dns.name.from_text(name)
            answer = await self._resolver.resolve(asked, kind, raise_on_no_answer=False, search=False)
        except dns.resolver.NXDOMAIN:
            raise NoSuchNameError("there is no such name") from None
        except dns.exception.Timeout:
            raise NameFault("the resolver did not answer in time") from None
        except dns.resolver.NoNameservers:
            raise NameFault("the resolver failed, or refused to answer") from None
        except (dns.exception.DNSException, OSError, ValueError):
            raise NameFault("the resolver's answer makes no sense, or this is no name") from None
        records = list(answer.rrset or ())
        if kind == "MX":
            records.sort(key=lambda record: int(record.preference))
        return tuple(_text(record) for record in records[:RECORDS_KEPT])


def _text(record: dns.rdata.Rdata) -> str:
    if isinstance(record, TXT):
        joined = b"".join(record.strings)
        return joined.decode("utf-8", "replace")[:TEXT_LENGTH]
    text = str(record.to_text())[:TEXT_LENGTH]
    return text if text.endswith(" .") else text.removesuffix(".")  # a null MX (RFC 7505 3) stays one


def as_server(text: str) -> Endpoint:
    """Read ``192.0.2.1``, ``192.0.2.1:5353``, ``2001:db8::1`` or ``[2001:db8::1]:53``. ValueError if none."""
    host, port = split_port(text)
    return Endpoint(str(ip_address(host)), port or 53)


def split_port(text: str) -> tuple[str, int | None]:
    """Split a name or an address from the port behind it, if there is one. ValueError for a wrong port."""
    host, colon, port = text.rpartition(":")
    if text.startswith("["):
        if text.endswith("]"):
            return text[1:-1], None
        host = host.removeprefix("[").removesuffix("]")
    elif not colon or ":" in host:
        return text, None
    if not (port.isascii() and port.isdecimal() and 1 <= int(port) <= 65535):
        raise ValueError("that is no port")
    return host, int(port)
