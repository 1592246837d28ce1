"""The lines that tshark writes of packets with TLS in them: who said what inside, stream by stream."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from scanner.capture import http2
from scanner.capture.wireshark import nanoseconds
from scanner.conversation import Endpoint, Said
from scanner.net import canonical
from scanner.wire.harvest import BYTES_KEPT

FIELDS = (
    "frame.number", "frame.time_epoch", "frame.protocols", "tcp.stream", "ip.src", "ip.dst", "ipv6.src",
    "ipv6.dst", "tcp.srcport", "tcp.dstport", "tls.record.content_type", "tls.record.length", "data.data",
    "http2.type", "http2.streamid", "http2.header.name", "http2.header.value",
)  # fmt: skip
"""What is asked of a packet; what is free text comes last, so that what it holds shifts nothing."""
BETWEEN_FIELDS, BETWEEN_VALUES = "\x1e", "\x1f"
"""What parts the fields of a line, and the values of a field that a packet has several of."""
EMPTY_RECORD = 80
"""Most bytes of a record that holds nothing: a vector, a SHA-384, padding (RFC 5246 6.2.3.2). OpenSSL sends
one ahead of each in TLS 1.0; a longer one that shows no plaintext could not be decrypted."""
HEADS_KEPT = 8 * BYTES_KEPT
"""Bytes a direction of HTTP/2's heads, written out: on the wire most of them are a byte a header."""
_APPLICATION_DATA = "23"


class Line(NamedTuple):
    """What one packet holds."""

    packet: int
    """Its number in the capture, from 1."""
    at: int
    stream: int
    """tshark's number of the TCP connection, from 0."""
    sender: Endpoint
    receiver: Endpoint
    plain: tuple[bytes, ...]
    """One a record."""
    lost: bool
    """There was a record that could not be decrypted."""
    messages: tuple[http2.Message, ...]


def parsed(line: str) -> Line | None:
    """Read a line; None where it is none that we asked for."""
    texts = line.rstrip("\r\n").split(BETWEEN_FIELDS, len(FIELDS) - 1)
    values = [text.split(BETWEEN_VALUES) if text else [] for text in texts]
    if len(values) < len(FIELDS):
        return None
    number, time, layers, stream = (value[-1] if value else "" for value in values[:4])
    try:
        sender, receiver = _ends(layers, values[4:10])
        found = tuple(http2.messages(values[13], values[14], values[15], values[16]))
        plain = () if values[13] else tuple(map(bytes.fromhex, values[12]))
        return Line(
            int(number), nanoseconds(time), int(stream), sender, receiver, plain,
            not values[13] and _is_lost(values[10], values[11], len(plain)), found,
        )  # fmt: skip
    except (ValueError, IndexError):
        return None


def _ends(layers: str, values: Sequence[Sequence[str]]) -> tuple[Endpoint, Endpoint]:
    """The innermost addresses: mirrors and networks wrap packets in others."""
    kinds = layers.split(":")
    six = "ipv6" in kinds and ("ip" not in kinds or kinds[::-1].index("ipv6") < kinds[::-1].index("ip"))
    source, target = values[2:4] if six else values[:2]
    return (
        Endpoint(canonical(source[-1]), int(values[4][-1])),
        Endpoint(canonical(target[-1]), int(values[5][-1])),
    )


def _is_lost(kinds: Sequence[str], lengths: Sequence[str], plain: int) -> bool:
    """TLS 1.3 hides the type of what cannot be decrypted, older versions show it."""
    sizes = [int(length) for length in lengths]
    if len(kinds) < len(sizes):
        return max(sizes) > EMPTY_RECORD
    told = zip(kinds, sizes, strict=False)
    return sum(kind == _APPLICATION_DATA and size > EMPTY_RECORD for kind, size in told) > plain


@dataclass(slots=True)
class _Stream:
    """A TCP connection with TLS in it."""

    ends: tuple[Endpoint, Endpoint]
    opened: bool = False
    sizes: dict[Endpoint, int] = field(default_factory=dict)
    """Bytes that each said."""
    lost: dict[Endpoint, int] = field(default_factory=dict)
    """Who said something that was not decrypted before anything was, and when."""


class Streams:
    """All connections with TLS of one capture: a few numbers each, as tshark remembers far more of them."""

    def __init__(self) -> None:
        """Begin with none."""
        self._streams: dict[int, _Stream] = {}
        self._latest = 0
        self.opened = 0
        """Connections of which something was decrypted."""

    def __len__(self) -> int:
        """Count those that had application data."""
        return len(self._streams)

    def hear(self, line: Line) -> Iterator[Said]:
        """Give what was said in a packet, up to as many bytes a direction as are heard of any connection."""
        self._latest = max(self._latest, line.at)
        ends = line.sender, line.receiver
        stream = self._streams.get(line.stream) or self._streams.setdefault(line.stream, _Stream(ends))
        if line.plain or line.messages:
            if not stream.opened:
                stream.opened = True
                self.opened += 1
                yield from _losses(line, stream.lost)
        elif line.lost and not stream.opened:
            stream.lost.setdefault(line.sender, line.at)
        if stream.opened:
            yield from _said(line, stream)

    def break_off(self) -> Iterator[Said]:
        """Tell of each connection that nobody knows what more is said from now on: tshark is gone."""
        for one, other in (stream.ends for stream in self._streams.values() if stream.opened):
            yield Said(one, other, self._latest, b"")
            yield Said(other, one, self._latest, b"")


def _said(line: Line, stream: _Stream) -> Iterator[Said]:
    heard = stream.sizes.get(line.sender, 0)
    if line.lost and heard < BYTES_KEPT:
        yield Said(line.sender, line.receiver, line.at, b"")
    for data in line.plain:
        if kept := data[: max(BYTES_KEPT - heard, 0)]:
            yield Said(line.sender, line.receiver, line.at, kept)
            heard += len(kept)
    for message in line.messages:
        if heard < HEADS_KEPT:
            yield Said(line.sender, line.receiver, line.at, message.data, message.stream)
            heard += len(message.data)
    stream.sizes[line.sender] = heard


def _losses(line: Line, lost: dict[Endpoint, int]) -> Iterator[Said]:
    for sender, at in lost.items():
        yield Said(sender, line.receiver if sender == line.sender else line.sender, at, b"")
