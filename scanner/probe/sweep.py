"""Find who is there: ARP and neighbour solicitation on our links, echo requests beyond them.

Sources: RFC 826, RFC 4861 4.3 and 7.2, RFC 792, RFC 4443 4.1. Only on Linux, and only for whoever may use raw
sockets (``neighbourhood.may_sweep``). What is heard counts only as an answer to what was asked: from an
address that waits for one, or to our echo request to all nodes of a link, and then only from within the
scope. It takes 250 ms to import, for scapy's layers.
"""

from __future__ import annotations

import asyncio
import errno
import socket
import struct
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import suppress
from random import sample
from typing import Any, NamedTuple

from scapy.layers.inet import ICMP
from scapy.layers.inet6 import (
    ICMPv6EchoReply,
    ICMPv6EchoRequest,
    ICMPv6ND_NA,
    ICMPv6ND_NS,
    ICMPv6NDOptSrcLLAddr,
    IPv6,
)
from scapy.layers.l2 import ARP, Ether

from scanner.capture.bpf import Label, Program
from scanner.capture.card import hardware_address
from scanner.capture.classic_filter import attach_classic
from scanner.probe.neighbourhood import Own, Way, own_addresses, way, written
from scanner.probe.pace import Pace, turn
from scanner.probe.scope import Scope

TRIES = 2
"""A machine's first answer may be lost: a switch looks for it, or it wakes up."""
WAIT_S = 1.0
"""For an answer, and between two tries (RFC 1122 2.3.2.1: no more than one request a second)."""
MOST_UNASKED = 1 << 16
"""Found by asking all nodes of a link; more are dropped: no link has so many, somebody makes them up."""
_FRAMES = 64
"""Heard in a row: others have things to do, too."""
_BUFFER = 1 << 20
"""Bytes that the kernel is to hold back for us: answers to one multicast come all at once."""
_LONGEST = 256
"""Bytes of an answer; those that are longer are cut, which changes nothing of what is read."""
_FULL = {errno.EAGAIN, errno.ENOBUFS}
_FULL_WAIT_S = 0.01
_FULL_WAITS = 100
"""Then the interface is stuck, and the address counts as not asked."""
_ARP, _IPV6 = 0x0806, 0x86DD
_ICMPV6, _ECHO_REPLY, _ADVERTISEMENT, _REPLY_V6 = 58, 0, 136, 129
_ALL_PROTOCOLS = 0x0003
_SOL_RAW, _FILTER = 255, 1
"""Level and number of ICMP_FILTER (raw(7)); the latter is also that of ICMP6_FILTER (RFC 3542 3.2)."""


class Found(NamedTuple):
    """A machine that is there."""

    ip: str
    """A link-local one with its zone."""
    mac: str | None
    """Only on our links."""
    how: str
    """``arp``, ``nd``, ``multicast``, ``icmp``; ``local``: it is ours."""


class _Link:
    """An interface of Ethernet, and its answers."""

    def __init__(self, interface: str, mac: bytes) -> None:
        """Listen for answers to us. Raises OSError."""
        self.interface, self.mac = interface, mac.hex(":")
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        attach_classic(self.socket, answers_to(mac))
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        self.socket.setblocking(False)
        self.socket.bind((interface, _ALL_PROTOCOLS))

    def question(self, ip: str, source: str) -> bytes:
        """A frame that asks for a neighbour's MAC."""
        if ":" not in ip:
            asked = ARP(op="who-has", hwsrc=self.mac, psrc=source, pdst=ip)
            return bytes(Ether(src=self.mac, dst="ff:ff:ff:ff:ff:ff") / asked)
        target = ip.partition("%")[0]
        last = socket.inet_pton(socket.AF_INET6, target)[-3:]  # solicited-node address, RFC 4291 2.7.1
        group = socket.inet_ntop(socket.AF_INET6, b"\xff\x02" + bytes(9) + b"\x01\xff" + last)
        six = IPv6(src=source, dst=group, hlim=255) / ICMPv6ND_NS(tgt=target)
        to = Ether(src=self.mac, dst=f"33:33:ff:{last.hex(':')}")
        return bytes(to / six / ICMPv6NDOptSrcLLAddr(lladdr=self.mac))

    def call(self, own: Own, ident: int) -> bytes:
        """A frame that asks all nodes of the link for an echo."""
        six = IPv6(src=own.ip.partition("%")[0], dst="ff02::1", hlim=1) / ICMPv6EchoRequest(id=ident)
        return bytes(Ether(src=self.mac, dst="33:33:00:00:00:01") / six)


def _opened(interface: str) -> _Link | None:
    """Open an interface if it has a MAC, and is still there."""
    with suppress(OSError):
        return _Link(interface, mac) if (mac := hardware_address(interface)) else None
    return None


class Sweep:
    """Asks addresses whether somebody is there; used once."""

    def __init__(self, scope: Scope, pace: Pace) -> None:
        """Prepare; nothing is opened yet."""
        self.strangers = 0
        """Answers to our multicast from outside the scope, which are dropped."""
        self.unasked = 0
        """Addresses that nothing could be sent to."""
        self._scope, self._pace = scope, pace
        self._one, self._all = sample(range(1 << 16), 2)
        """Identify echoes of one machine, and of all on a link: the latter come with its own MAC."""
        self._pending: set[str] = set()
        self._called: set[str] = set()
        """IPv6 addresses that were told already: one may answer to either question."""
        self._links: dict[str, _Link | None] = {}
        self._raw: dict[bool, socket.socket] = {}
        """For IPv6, and for IPv4."""
        self._told: asyncio.Queue[Found | None] = asyncio.Queue()

    async def over(self, addresses: Iterable[str]) -> AsyncIterator[Found]:
        """Ask addresses, and all nodes of links of large prefixes; tell who answers, as it comes.

        It ends ``WAIT_S`` after the last question. Raises OSError where raw sockets are not to be had.
        """
        asking = [asyncio.ensure_future(part) for part in (self._ask(addresses), self._call())]
        both = asyncio.gather(*asking)
        both.add_done_callback(lambda _: self._told.put_nowait(None))
        try:
            while (found := await self._told.get()) is not None:
                yield found
            await both
        finally:
            for part in asking:
                part.cancel()
            await asyncio.gather(*asking, both, return_exceptions=True)
            self._close()

    async def _ask(self, addresses: Iterable[str]) -> None:
        clock = asyncio.get_running_loop().time
        again: deque[tuple[float, str, int]] = deque()
        """When, whom, and how often he was asked: in order, for all wait equally long."""

        async def once(ip: str, tries: int) -> None:
            if await self._sent(ip):
                again.append((clock() + WAIT_S, ip, tries))

        async def once_more() -> None:
            due, ip, tries = again.popleft()
            await asyncio.sleep(due - clock())
            if ip in self._pending:
                self._pending.discard(ip)
                if tries < TRIES:
                    await once(ip, tries + 1)

        for ip in addresses:
            while again and again[0][0] <= clock():
                await once_more()
            await once(ip, 1)
        while again:
            await once_more()

    async def _call(self) -> None:
        """Ask all nodes of links that large prefixes are on, from each address that we have there."""
        owns = [own for own in own_addresses() if self._scope.wants_all(own.ip, own.length)]
        for _ in range(TRIES if owns else 0):
            for own in owns:
                if link := self._link(own.interface):
                    await turn(self._pace, f"ff02::1%{own.interface}")
                    await self._put(link.socket.send, link.call(own, self._all))
            await asyncio.sleep(WAIT_S)

    async def _sent(self, ip: str) -> bool:
        """Ask an address once; whether an answer may still come."""
        if ip in self._called or ip in self._pending:
            return False
        its = way(ip) if ip in self._scope else None
        if its and its.own:
            self._told.put_nowait(Found(ip, None, "local"))
            return False
        if its is None:
            self.unasked += 1
            return False
        await turn(self._pace, ip)
        self._pending.add(ip)  # the answer may be here before the sending returns
        if not await self._put(*self._question(ip, its)):
            self._pending.discard(ip)
            self.unasked += 1
        await asyncio.sleep(0)  # without a limit of the rate nothing else would let answers in
        return ip in self._pending

    def _question(self, ip: str, its: Way) -> tuple[Callable[[bytes], int], bytes]:
        """What asks an address, and who sends it."""
        link = self._link(its.interface) if its.direct else None
        if link and its.source:
            return link.socket.send, link.question(ip, its.source)
        echo = (
            ICMPv6EchoRequest(id=self._one, cksum=0) if ":" in ip else ICMP(type="echo-request", id=self._one)
        )
        raw = self._echoes(":" in ip)
        return lambda data: raw.sendto(data, (ip, 0)), bytes(echo)  # the kernel fills in an ICMPv6 checksum

    async def _put(self, send: Callable[[bytes], int], data: bytes) -> bool:
        """Send, as soon as there is room; whether it could be."""
        for _ in range(_FULL_WAITS):
            try:
                send(data)
            except OSError as fault:
                if fault.errno not in _FULL:
                    return False
                await asyncio.sleep(_FULL_WAIT_S)
            else:
                return True
        return False

    def _link(self, interface: str) -> _Link | None:
        """Open an interface, once; None: there are no MACs on it."""
        if interface not in self._links:
            link = self._links[interface] = _opened(interface)
            if link:
                asyncio.get_running_loop().add_reader(link.socket, self._hear_link, link)
        return self._links[interface]

    def _echoes(self, six: bool) -> socket.socket:
        """Open a socket for echoes, once; the kernel finds the way."""
        if six not in self._raw:
            family, protocol = (socket.AF_INET6, _ICMPV6) if six else (socket.AF_INET, socket.IPPROTO_ICMP)
            self._raw[six] = raw = socket.socket(family, socket.SOCK_RAW, protocol)
            level, kind, words = (_ICMPV6, _REPLY_V6, 8) if six else (_SOL_RAW, _ECHO_REPLY, 1)
            blocked = ((1 << 32 * words) - 1) ^ 1 << kind
            kept = [blocked >> 32 * word & 0xFFFFFFFF for word in range(words)]
            raw.setsockopt(level, _FILTER, struct.pack(f"={words}I", *kept))
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
            raw.setblocking(False)
            asyncio.get_running_loop().add_reader(raw, self._hear_echo, raw, six)
        return self._raw[six]

    def _hear_link(self, link: _Link) -> None:
        """Look at bytes first: what nobody waits for is not worth a dissection."""
        for frame, _ in _waiting(link.socket):
            six = frame[12:14] == _IPV6.to_bytes(2, "big")
            target = (frame[62:78] if frame[54] == _ADVERTISEMENT else frame[22:38]) if six else frame[28:32]
            if len(target) != (16 if six else 4):
                continue
            ip = written(target, link.interface)
            waited = ip in self._pending or (six and frame[58:60] == self._all.to_bytes(2, "big"))
            if waited and (answer := answered(frame, self._all)):
                self._answer(Found(ip, *answer))

    def _hear_echo(self, raw: socket.socket, six: bool) -> None:
        for packet, sender in _waiting(raw):
            start = 0 if six else 4 * (packet[0] & 15)
            if packet[start + 4 : start + 6] == self._one.to_bytes(2, "big"):
                packed = socket.inet_pton(
                    socket.AF_INET6 if six else socket.AF_INET, sender[0].partition("%")[0]
                )
                self._answer(Found(written(packed, _name(sender[3]) if six else ""), None, "icmp"))

    def _answer(self, found: Found) -> None:
        """Tell of a machine, once, if it was asked."""
        if found.ip in self._pending:
            self._pending.discard(found.ip)
        elif found.how != "multicast" or found.ip in self._called or len(self._called) >= MOST_UNASKED:
            return
        elif found.ip not in self._scope:
            self.strangers += 1
            return
        if ":" in found.ip:
            self._called.add(found.ip)
        self._told.put_nowait(found)

    def _close(self) -> None:
        loop = asyncio.get_running_loop()
        for opened in (*(link.socket for link in self._links.values() if link), *self._raw.values()):
            loop.remove_reader(opened)
            opened.close()


def answers_to(mac: bytes) -> bytes:
    """A filter for the kernel: ARP replies, neighbour advertisements, echo replies, all sent to a MAC."""
    code, four, six, advertised, passed, dropped = Program(), *(Label() for _ in range(5))
    for size, at in ((4, 0), (2, 4)):
        code.load(size, at)
        code.if_equal(int.from_bytes(mac[at : at + size], "big"), None, dropped)
    code.load(2, 12)
    code.if_equal(_ARP, four)
    code.if_equal(_IPV6, six, dropped)
    code.here(four)
    code.load(2, 20)
    code.if_equal(2, passed, dropped)
    code.here(six)
    code.load(1, 20)
    code.if_equal(_ICMPV6, None, dropped)
    code.load(1, 54)
    code.if_equal(_ADVERTISEMENT, advertised)
    code.if_equal(_REPLY_V6, passed, dropped)
    code.here(advertised)
    code.load(1, 21)
    code.if_equal(255, passed, dropped)  # it has passed no router (RFC 4861 7.1.2)
    code.here(passed)
    code.give(_LONGEST)
    code.here(dropped)
    code.give(0)
    return code.classic()


def answered(frame: bytes, ident: int) -> tuple[str, str] | None:
    """Whose MAC answers, and how; None: it is no answer to us."""
    packet = Ether(frame)
    if ARP in packet:
        return str(packet[ARP].hwsrc), "arp"
    if ICMPv6ND_NA in packet:
        return str(packet.src), "nd"
    if ICMPv6EchoReply in packet and packet[ICMPv6EchoReply].id == ident:
        return str(packet.src), "multicast"
    return None


def _waiting(opened: socket.socket) -> Iterator[tuple[bytes, tuple[Any, ...]]]:
    """What has come, and from whom; a bounded part of it."""
    with suppress(OSError):  # nothing more, or the interface is gone
        for _ in range(_FRAMES):
            yield opened.recvfrom(_LONGEST)


def _name(index: int) -> str:
    """The interface that a link-local address was met on."""
    with suppress(OSError):
        return socket.if_indextoname(index)
    return ""
