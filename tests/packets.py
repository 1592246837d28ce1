"""Packets for tests: both sides of TCP connections in Ethernet frames, and what is decoded of them."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from ipaddress import ip_address

import numpy as np

from scanner.conversation import Chunk, Conversation, Side
from scanner.net import Prefixes
from scanner.wire.batch import Batch, Columns, LinkType
from scanner.wire.decode import Decoder
from scanner.wire.flows import FlowTable
from scanner.wire.interest import Interest

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
C, S = Side.CLIENT, Side.SERVER
MILLISECOND = 1_000_000
SECOND = 1000 * MILLISECOND
BEGAN = 1_790_000_000 * SECOND
PORTS = frozenset({25, 110, 143, 587})
MACS = (bytes.fromhex("020000000001"), bytes.fromhex("020000000002"))
End = tuple[str, int]


@dataclass(frozen=True)
class Packet:
    at: int
    """ns"""
    data: bytes
    """From the Ethernet header on."""
    captured: int | None = None
    """Bytes that the snap length left; None: all."""

    def later(self, milliseconds: int) -> Packet:
        return replace(self, at=self.at + milliseconds * MILLISECOND)

    def cut(self, missing: int) -> Packet:
        return replace(self, captured=len(self.data) - missing)


def packed(ip: str) -> bytes:
    return ip_address(ip).packed


def frame(
    source: End, target: End, inner: bytes, protocol: int = 6, macs: tuple[bytes, bytes] = MACS
) -> bytes:
    """An IP packet in an Ethernet frame; ``inner`` begins with the transport's header, ports left out."""
    body = struct.pack(">HH", source[1], target[1]) + inner
    ends = packed(source[0]) + packed(target[0])
    if len(ends) == 8:
        head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(body), 1, 0, 64, protocol, 0)
    else:
        head = struct.pack(">IHBB", 0x60000000, len(body), protocol, 64)
    kind = b"\x08\0" if len(ends) == 8 else b"\x86\xdd"
    return macs[1] + macs[0] + kind + head + ends + body


def datagram(source: End, target: End, payload: bytes, at: int = BEGAN) -> Packet:
    return Packet(at, frame(source, target, struct.pack(">HH", 8 + len(payload), 0) + payload, 17))


@dataclass
class Connection:
    """Writes packets and counts sequence numbers; ``said`` is what should be heard."""

    client: End = ("10.0.0.1", 50000)
    server: End = ("192.0.2.1", 587)
    following: list[int] = field(default_factory=lambda: [1000, 9000])
    """The next sequence number of each side."""
    at: int = BEGAN
    packets: list[Packet] = field(default_factory=list)

    def send(
        self, side: Side, data: bytes = b"", flags: int = ACK, *, back: int = 0, after_ms: int = 1
    ) -> Connection:
        """Add a packet; ``back``: that many bytes before the next sequence number, which then stays."""
        self.at += after_ms * MILLISECOND
        ends = (self.client, self.server) if side is C else (self.server, self.client)
        macs = MACS if side is C else MACS[::-1]
        sequence = (self.following[side] - back) & 0xFFFFFFFF
        acknowledged = self.following[1 - side] & 0xFFFFFFFF if flags & ACK else 0
        head = struct.pack(">IIBBHHH", sequence, acknowledged, 0x50, flags, 8192, 0, 0)
        self.packets.append(Packet(self.at, frame(*ends, head + data, macs=macs)))
        if not back:
            self.following[side] += len(data) + (1 if flags & (SYN | FIN) else 0)
        return self

    def open(self) -> Connection:
        return self.send(C, flags=SYN).send(S, flags=SYN | ACK).send(C)

    def say(self, *parts: tuple[Side, bytes]) -> Connection:
        for side, data in parts:
            self.send(side, data)
        return self

    def close(self) -> Connection:
        return self.send(C, flags=FIN | ACK).send(S, flags=FIN | ACK).send(C)


def batch(packets: Sequence[Packet], link: int = LinkType.ETHERNET) -> Batch:
    length = np.array([len(packet.data) for packet in packets], np.int64)
    captured = np.array(
        [len(packet.data) if packet.captured is None else packet.captured for packet in packets], np.int64
    )
    kept = [packet.data[:size] for packet, size in zip(packets, captured.tolist(), strict=True)]
    buffer = np.frombuffer(b"".join(kept), np.uint8)
    at = np.array([packet.at for packet in packets], np.int64)
    return Batch(buffer, np.cumsum(captured) - captured, captured, length, at, link, None)


def pcap(packets: Sequence[Packet]) -> bytes:
    """A capture file, nanoseconds."""
    head = struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 1 << 18, LinkType.ETHERNET)
    records = []
    for packet in packets:
        size = len(packet.data) if packet.captured is None else packet.captured
        records.append(struct.pack("<IIII", *divmod(packet.at, SECOND), size, len(packet.data)))
        records.append(packet.data[:size])
    return head + b"".join(records)


def decoded(packets: Sequence[Packet], udp_ports: frozenset[int] = frozenset({53})) -> Columns:
    """Columns of packets that are all TCP or all UDP."""
    (columns,) = Decoder(udp_ports).decode(batch(packets))
    return columns


def table(**options: int) -> FlowTable:
    return FlowTable(Interest(PORTS, Prefixes()), "test.pcap", **options)


def hear(into: FlowTable, *batches: Sequence[Packet]) -> list[Conversation]:
    """What ends while the batches are heard."""
    return [heard for packets in batches if packets for heard in into.add(decoded(packets))]


def heard(*batches: Sequence[Packet]) -> list[Conversation]:
    """All that is heard in a capture of these batches."""
    listening = table()
    return [*hear(listening, *batches), *listening.flush()]


def merged(chunks: Iterable[Chunk]) -> list[tuple[Side, bytes | int]]:
    """What was heard in order, neighbours joined; a number stands for missing bytes."""
    found: list[tuple[Side, bytes | int]] = []
    for chunk in chunks:
        last = found[-1] if found else None
        if last and last[0] is chunk.side and isinstance(last[1], bytes) and not chunk.missing:
            found[-1] = (chunk.side, last[1] + chunk.data)
        else:
            found.append((chunk.side, chunk.missing or chunk.data))
    return found
