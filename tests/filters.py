"""Both kernel filters as tests run them: what passes of packets that follow one another, on any machine.

The kernel itself runs them on a pair of Unix sockets, which takes no network and, for the classic one, no
privileges; the extended one also runs in ``bpf_machine``, and in the kernel where that lets us.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import cache

from bpf_machine import Machine, Map
from packets import BEGAN, FIN, RST, SYN, Packet, batch

from scanner import announcements
from scanner.capture.classic_filter import attach_classic, classic
from scanner.capture.extended_filter import ExtendedFilter, Maps, extended
from scanner.capture.kernel_bpf import FilterRefused
from scanner.capture.passing import Passing
from scanner.catalogue.exchange import load_catalogue
from scanner.wire.announced import announced
from scanner.wire.batch import Columns, LinkType
from scanner.wire.datagrams import smb_setups
from scanner.wire.decode import Decoder
from scanner.wire.harvest import BYTES_KEPT, Selection
from scanner.wire.interest import Interest
from scanner.wire.internet import PROTOCOLS

Run = Callable[[Sequence[bytes]], list[bool]]
MAPS = Maps(5, 6, 7)
_SIZES = {5: (36, 8), 6: (36, 8), 7: (4, 64)}


@cache
def ours() -> Passing:
    return Passing.of(load_catalogue())


def classically(passing: Passing, link: int = LinkType.ETHERNET) -> Run:
    program = classic(passing, link)
    return lambda packets: through(lambda sock: attach_classic(sock, program), packets)


def interpreted(passing: Passing, link: int = LinkType.ETHERNET) -> Run:
    program = extended(passing, link, MAPS)

    def run(packets: Sequence[bytes]) -> list[bool]:
        counts: Map = {number.to_bytes(4, "little"): bytearray(64) for number in range(64)}
        machine = Machine(program, {5: {}, 6: {}, 7: counts}, _SIZES)
        return [machine.run(packet) > 0 for packet in packets]

    return run


def loaded(passing: Passing, link: int = LinkType.ETHERNET) -> Run:
    """The extended filter in this kernel; interpreted where it may not be loaded."""
    if not may_load():
        return interpreted(passing, link)

    def run(packets: Sequence[bytes]) -> list[bool]:
        sieve = ExtendedFilter.load(passing, link)
        try:
            return through(sieve.attach, packets)
        finally:
            sieve.close()

    return run


@cache
def may_load() -> bool:
    with suppress(FilterRefused):
        ExtendedFilter.load(ours(), LinkType.ETHERNET).close()
        return True
    return False


def through(attach: Callable[[socket.socket], None], packets: Iterable[bytes]) -> list[bool]:
    """Send packets to a socket that has a filter; what passes is whole."""
    found = []
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with here, there:
        attach(there)
        there.setblocking(False)
        for packet in packets:
            here.send(packet)
            try:
                came = there.recv(1 << 18)
            except BlockingIOError:
                found.append(False)
            else:
                assert came == packet
                found.append(True)
    return found


FILTERS = {"classic": classically, "interpreted": interpreted, "loaded": loaded}
"""Those that are the same for a single packet."""
EXTENDED = {"interpreted": interpreted, "loaded": loaded}


class UserSpace:
    """What user space takes of packets that come one after the other: what a filter must let pass."""

    def __init__(self, passing: Passing, link: int = LinkType.ETHERNET) -> None:
        """Begin with no connection."""
        self._decoder, self._link = Decoder(announcements.ports()), link
        self._selection = Selection(Interest(passing.tcp_ports, passing.prefixes))
        self._first: dict[tuple[int, ...], int] = {}

    def wants(self, packet: bytes) -> bool:
        """Tell whether anything of this packet is followed, read, or put together with others."""
        before = self._pieces()
        decoded = self._decoder.decode(batch([Packet(BEGAN, packet)], self._link))
        wanted = bool(self._decoder.frames) or self._pieces() > before
        for columns in decoded:
            wanted |= len(announced(columns, announcements.ports())) > 0 or any(smb_setups(columns))
            if harvest := self._selection.pick(columns):
                wanted |= self._head(harvest.columns)
        return wanted

    def _pieces(self) -> int:
        """Count the fragments that wait; of IPv4, those of a protocol that leads anywhere."""
        waiting = self._decoder._reassembly._waiting
        of_use = [key for key in waiting if key[0] == 6 or key[1][-1] in PROTOCOLS]
        return sum(len(waiting[key].pieces) for key in of_use)

    def _head(self, columns: Columns) -> bool:
        ends = columns.source_high, columns.source_low, columns.target_high, columns.target_low
        key = *(int(end[0]) for end in ends), int(columns.source_port[0]), int(columns.target_port[0])
        flags, sequence = int(columns.flags[0]), int(columns.sequence[0])
        if flags & SYN:
            self._first[key] = sequence
        behind = (sequence - self._first.setdefault(key, sequence)) & 0xFFFFFFFF
        return flags & (FIN | SYN | RST) != 0 or behind < BYTES_KEPT or behind >= 1 << 31
