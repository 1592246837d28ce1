"""A conversation as packets: laid out once, then patched for many conversations at a time."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmarks.parts import CLIENT, SERVER, Bytes, Dialogue, Draw, Encoded, Field, Part, sample

Numbers = npt.NDArray[np.int64]
SEGMENT = 1460
"""Bytes of payload in a full packet."""
SMALLEST = 60
"""Bytes of the smallest Ethernet frame without its check; shorter ones are padded."""
RECORD = 16
"""Bytes of a pcap record's header."""
UNSUMMED = 0x1EAF
"""What stands where a sum of UDP should be, for it must not be zero in IPv6; a mirror carries wrong ones."""
SYN, FIN, PUSH, ACK = 2, 1, 8, 16
SYN_OPTIONS = bytes.fromhex("020405b40101040201030308")
"""Segment size 1460, selective acknowledgement, window scale 8."""


@dataclass(frozen=True, slots=True)
class Layout:
    """What stands before TCP or UDP."""

    vlan: bool = False
    ipv6: bool = False


@dataclass(frozen=True, slots=True)
class Ends:
    """Who talks: addresses as rows of bytes, the client's port, and when it began (microseconds)."""

    clients: Bytes
    servers: Bytes
    ports: Numbers
    began: Numbers


@dataclass(frozen=True, slots=True)
class Packets:
    """Packets with their record headers: where each lies in the data, and its time (microseconds)."""

    data: memoryview
    starts: Numbers
    ends: Numbers
    times: Numbers


class Template:
    """A dialogue laid out as packets, with the places that differ."""

    def __init__(self, dialogue: Dialogue, layout: Layout, gap: int) -> None:
        """Lay out; packets follow one another after about ``gap`` microseconds."""
        self.dialogue, self.layout, self._gap = dialogue, layout, gap
        self._data = bytearray()
        self._starts: list[int] = []
        self._macs: list[int] = []
        self._addresses: tuple[list[int], list[int]] = ([], [])
        self._ports: list[int] = []
        self._sequences: list[tuple[int, int, int]] = []
        self._next = [0, 0]
        self._unacknowledged = 0
        self._fields: list[tuple[Field | Encoded, npt.NDArray[np.intp]]] = []
        if not dialogue.udp:
            self._packet(CLIENT, SYN, b"")
            self._packet(SERVER, SYN | ACK, b"")
            self._packet(CLIENT, ACK, b"")
        for said in dialogue.said:
            self._say(said.side, said.parts)
        if not dialogue.udp:
            self._packet(CLIENT, FIN | ACK, b"")
            self._packet(SERVER, FIN | ACK, b"")
            self._packet(CLIENT, ACK, b"")

    @property
    def packets(self) -> int:
        """Packets of one conversation."""
        return len(self._starts)

    @property
    def size(self) -> int:
        """Bytes of one conversation, with record headers."""
        return len(self._data)

    def opening(self, packets: int = 3) -> Template:
        """Keep the packets that open a connection, or fewer, and no more."""
        end = self._starts[packets]
        del self._data[end:], self._starts[packets:], self._macs[packets:], self._ports[packets:]
        del self._addresses[CLIENT][packets:], self._addresses[SERVER][packets:]
        self._sequences = [place for place in self._sequences if place[0] < end]
        return self

    def _say(self, side: int, parts: tuple[Part, ...]) -> None:
        """Cut into segments; every second one is acknowledged at once, as receivers do."""
        payload = sample(parts)
        places = np.empty(len(payload), np.intp)
        self._unacknowledged = 0
        for start in range(0, len(payload), SEGMENT):
            piece = payload[start : start + SEGMENT]
            last = start + SEGMENT >= len(payload)
            at = self._packet(side, ACK | PUSH * last, piece)
            places[start : start + len(piece)] = np.arange(at, at + len(piece))
            self._unacknowledged += 1
            if self._unacknowledged == 2 and not last and not self.dialogue.udp:
                self._packet(1 - side, ACK, b"")
                self._unacknowledged = 0
        passed = 0
        for part in parts:
            if not isinstance(part, bytes):
                self._fields.append((part, places[passed : passed + len(part)]))
            passed += len(part)

    def _packet(self, side: int, flags: int, payload: bytes) -> int:
        """Add a packet; where its payload begins."""
        self._starts.append(len(self._data))
        options = SYN_OPTIONS if flags & SYN else b""
        transport = 8 if self.dialogue.udp else 20 + len(options)
        link = self._link(side)
        internet = self._internet(side, transport + len(payload))
        size = max(len(link) + len(internet) + transport + len(payload), SMALLEST)
        header = struct.pack("<IIII", 0, 0, size, size) + link + internet
        at = len(self._data) + len(header)
        ports = (0, self.dialogue.port) if side == CLIENT else (self.dialogue.port, 0)
        self._ports.append(at + 2 * side)
        if self.dialogue.udp:
            header += struct.pack(">HHHH", *ports, transport + len(payload), UNSUMMED)
        else:
            self._sequences += [(at + 4, side, self._next[side]), (at + 8, 1 - side, self._next[1 - side])]
            if flags == SYN:
                self._sequences.pop()
            offset = transport << 2
            header += struct.pack(">HHIIBBHHH", *ports, 0, 0, offset, flags, 65535, 0, 0) + options
        begins = len(self._data) + len(header)
        self._data += (header + payload).ljust(RECORD + size, b"\0")
        self._next[side] += len(payload) + bool(flags & (SYN | FIN))
        return begins

    def _link(self, side: int) -> bytes:
        """Ethernet; the client's MAC is made of its address, the server is behind the gateway."""
        client, gateway = b"\x02\0\0\0\0\0", b"\x00\x1b\x54\x0a\x0b\x0c"
        self._macs.append(len(self._data) + RECORD + (6 if side == CLIENT else 0) + 2)
        kind = b"\x86\xdd" if self.layout.ipv6 else b"\x08\x00"
        tag = b"\x81\x00\x00\x14" if self.layout.vlan else b""
        return (gateway + client if side == CLIENT else client + gateway) + tag + kind

    def _internet(self, side: int, size: int) -> bytes:
        """IP, with zeros for addresses."""
        base = len(self._data) + RECORD + 14 + 4 * self.layout.vlan
        protocol = 17 if self.dialogue.udp else 6
        first, length = (8, 16) if self.layout.ipv6 else (12, 4)
        self._addresses[side].append(base + first)
        self._addresses[1 - side].append(base + first + length)
        if self.layout.ipv6:
            return struct.pack(">IHBB", 0x60000000, size, protocol, 64) + bytes(32)
        return struct.pack(">BBHHHBBHII", 0x45, 0, 20 + size, 0, 0x4000, 64, protocol, 0, 0, 0)

    def patched(self, ends: Ends, draw: Draw) -> Packets:
        """As many conversations as there are ends."""
        count = len(ends.ports)
        rows = np.tile(np.frombuffer(self._data, np.uint8), (count, 1))
        rows[:, _spread(self._macs, 4)] = ends.clients[:, None, -4:]
        for where, addresses in zip(self._addresses, (ends.clients, ends.servers), strict=True):
            rows[:, _spread(where, addresses.shape[1])] = addresses[:, None, :]
        rows[:, _spread(self._ports, 2)] = _big_endian(ends.ports[:, None], 2)
        if self._sequences:
            at, whose, relative = (np.array(column) for column in zip(*self._sequences, strict=True))
            first = draw.random.integers(1 << 30, 1 << 31, (count, 2))
            rows[:, _spread(at, 4)] = _big_endian(first[:, whose] + relative, 4)
        for part, places in self._fields:
            rows[:, places] = draw.of(part)
        times = self._times(ends.began, draw)
        rows[:, _spread(self._starts, 4)] = _little_endian(times // 1_000_000)
        rows[:, _spread(self._starts, 4) + 4] = _little_endian(times % 1_000_000)
        base = (np.arange(count) * self.size)[:, None]
        starts = np.array(self._starts, np.int64)
        stops = np.append(starts[1:], self.size)
        whole = (base + starts).ravel(), (base + stops).ravel()
        return Packets(rows.reshape(-1).data, *whole, times.ravel())

    def _times(self, began: Numbers, draw: Draw) -> Numbers:
        """Every conversation has its own pace, every packet its own delay."""
        pace = draw.random.uniform(0.5, 1.5, (len(began), 1)) * self._gap
        delays = draw.random.exponential(pace, (len(began), self.packets)) + 1
        return began[:, None] + np.cumsum(delays, axis=1).astype(np.int64)


def _spread(places: npt.ArrayLike, width: int) -> npt.NDArray[np.intp]:
    """Places of so many bytes each: a row a place."""
    return np.asarray(places, np.intp)[:, None] + np.arange(width)


def _big_endian(values: Numbers, width: int) -> Bytes:
    return values.astype(f">u{width}")[..., None].view(np.uint8)


def _little_endian(values: Numbers) -> Bytes:
    return values.astype("<u4")[..., None].view(np.uint8)
