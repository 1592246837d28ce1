"""However a mirror chops, shuffles, doubles or repeats what was said, the record stays the same."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from muffled import AEAD_13, CBC_11, SESSIONS

from scanner.account import Usernames
from scanner.capture.pcap import read_pcap
from scanner.capture.window import Corrupt, Window
from scanner.catalogue.exchange import load_catalogue
from scanner.conversation import Side, Transport
from scanner.model import AuthClass, Observation
from scanner.pipeline import Pipeline
from scanner.protocols import dialects
from scanner.session import Dialect, Example

CATALOGUE = load_catalogue()
HANDSHAKE = 3
"""Segments before the first byte: a round trip lies between them and it, and nothing overtakes them."""
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
STEP_NS = 1_000_000
"""Between two packets; 250 ms is what the reassembly waits for one that is late."""
ENDS = ((bytes([10, 0, 0, 1]), 50000, 0xFFFFFF00), (bytes([52, 96, 0, 10]), 0, 0x7FFFFFF0))
"""Address, port and first sequence number of both; they wrap around soon."""
THROUGH = {dialect.name: dialect for dialect in dialects()}["smtp"].examples[0].lines


def talk(dialect: Dialect, example: Example) -> Example:
    """A tunnel alone is no mail: let mail follow it."""
    return replace(example, lines=example.lines + THROUGH) if dialect.name == "socks" else example


TALKS = [
    pytest.param(talk(dialect, example), min(dialect.ports), id=f"{dialect.name}: {example.title}")
    for dialect in dialects()
    if dialect.transport is Transport.TCP and dialect.overheard and not dialect.alone
    for example in dialect.examples
] + [
    pytest.param(
        Example(session.title, session.lines(seal), ()), session.port, id=f"{session.title}, {seal.name}"
    )
    for session, seal in ((SESSIONS[3], AEAD_13), (SESSIONS[7], CBC_11))
]
SETTINGS = settings(
    deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
CHANCES = st.integers(0, 1 << 32).map(random.Random)
"""A seed apiece: one number shrinks to nothing better, but a hundred draws would be too many."""
Frames = Sequence[bytes]


@dataclass(frozen=True, slots=True)
class Segment:
    """What one side puts on the wire at once."""

    side: Side
    offset: int
    """Behind the first sequence number; 0: the SYN."""
    acknowledged: int
    """Of the other side's bytes, its SYN counted."""
    data: bytes = b""
    flags: int = ACK

    def frame(self, port: int) -> bytes:
        """Write it as an Ethernet frame, without checksums, as a mirror of an offloading card shows it."""
        (source, source_port, first), (target, target_port, peer) = (
            ENDS[self.side],
            ENDS[self.side.other],
        )
        sequence, answer = (first + self.offset) & 0xFFFFFFFF, (peer + self.acknowledged) & 0xFFFFFFFF
        ports = source_port or port, target_port or port
        answer = answer if self.flags & ACK else 0
        tcp = struct.pack(">HHIIBBHHH", *ports, sequence, answer, 5 << 4, self.flags, 65535, 0, 0)
        size = 40 + len(self.data)
        ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, size, 0, 0, 64, 6, 0, source, target)
        macs = (b"\2\0\0\0\0\2", b"\2\0\0\0\0\1")
        return b"".join((*macs[:: 1 - 2 * self.side], b"\x08\0", ip, tcp, self.data))


def spoken(lines: Sequence[tuple[Side, bytes]], cuts: random.Random | None = None) -> list[Segment]:
    """Make a whole connection of what was said, cut anywhere or not at all."""
    sent = [1, 1]
    segments = [
        Segment(Side.CLIENT, 0, 0, flags=SYN),
        Segment(Side.SERVER, 0, 1, flags=SYN | ACK),
        Segment(Side.CLIENT, 1, 1),
    ]
    for side, line in lines:
        for piece in pieces(line, cuts):
            segments.append(Segment(side, sent[side], sent[1 - side], piece, PSH | ACK))
            sent[side] += len(piece)
    for side in (Side.CLIENT, Side.SERVER):
        segments.append(Segment(side, sent[side], sent[1 - side], flags=FIN | ACK))
        sent[side] += 1
    return [*segments, Segment(Side.CLIENT, sent[0], sent[1])]


def pieces(line: bytes, cuts: random.Random | None) -> Iterator[bytes]:
    """Cut a line into parts of random length."""
    while line:
        size = cuts.randint(1, len(line)) if cuts and cuts.random() < 0.7 else len(line)
        yield line[:size]
        line = line[size:]


def pcap(frames: Frames) -> bytes:
    """Write a capture."""
    records = (
        struct.pack("<IIII", number // 1000, number % 1000 * 1000, len(frame), len(frame)) + frame
        for number, frame in enumerate(frames)
    )
    return struct.pack("<IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 1 << 18, 1) + b"".join(records)


def read(raw: bytes, bites: random.Random | None = None) -> list[Observation]:
    """Read a capture, which comes whole or in bites as from a pipe."""
    rest = raw

    def fill(room: memoryview) -> int:
        nonlocal rest
        count = min(len(rest), len(room), bites.randint(1, 400) if bites else len(rest))
        room[:count], rest = rest[:count], rest[count:]
        return count

    window = Window(fill, lambda: 0, lambda: None)
    pipeline = Pipeline(CATALOGUE, sensor="here", usernames=Usernames.KEEP)
    return [seen for found in pipeline.read(read_pcap(window, "x"), "x") for seen in found]


def told(segments: Sequence[Segment], port: int, bites: random.Random | None = None) -> list[Observation]:
    """Read what segments make; without the times, which another order changes."""
    frames = [segment.frame(port) for segment in segments]
    seen = read(pcap(frames), bites)
    return [replace(one, first_seen=0, last_seen=0, turns=without_times(one)) for one in seen]


def without_times(seen: Observation) -> tuple[object, ...]:
    return tuple(replace(turn, at=0, records=0) for turn in seen.turns)


def shuffled(segments: Sequence[Segment], chance: random.Random, far: float) -> list[Segment]:
    """Let every segment behind the handshake come at most ``far`` places too early or too late."""
    places = {number: number + chance.uniform(0, far) for number in range(HANDSHAKE, len(segments))}
    late = [segments[number] for number in sorted(places, key=places.__getitem__)]
    return [*segments[:HANDSHAKE], *late]


def lost(segments: Sequence[Segment], chance: random.Random) -> list[Segment]:
    """Let the capture lack at least one segment with payload."""
    spoken = [segment for segment in segments if segment.data]
    gone = chance.sample(spoken, chance.randint(1, len(spoken)))
    return [segment for segment in segments if segment not in gone]


def doubled(segments: Sequence[Segment], chance: random.Random) -> list[Segment]:
    """Show segments twice, as a mirror of two ports does."""
    out: list[Segment] = []
    for segment in segments:
        out += [segment] * (2 if chance.random() < 0.4 else 1)
    return out


def repeated(segments: Sequence[Segment], chance: random.Random) -> list[Segment]:
    """Send bytes again that were sent already, cut otherwise, while the connection is open."""
    out: list[Segment] = []
    said = dict.fromkeys(Side, b"")
    for segment in segments:
        out.append(segment)
        said[segment.side] += segment.data
        old = said[segment.side]
        if segment.data and chance.random() < 0.4:
            low = chance.randrange(len(old))
            again = old[low : low + chance.randint(1, 1400)]
            out.append(replace(segment, offset=1 + low, data=again))
    return out


@pytest.mark.parametrize(("example", "port"), TALKS)
def test_the_tidy_capture_is_told(example: Example, port: int) -> None:
    """Without this the others could compare nothing with nothing."""
    (seen,) = told(spoken(example.lines), port)
    assert seen.gaps == 0
    assert seen.client_mac == "02:00:00:00:00:01"


@pytest.mark.parametrize(("example", "port"), TALKS)
@given(chance=CHANCES)
@SETTINGS
def test_cuts_make_no_difference(example: Example, port: int, chance: random.Random) -> None:
    assert told(spoken(example.lines, chance), port, chance) == told(spoken(example.lines), port)


@pytest.mark.parametrize(("example", "port"), TALKS)
@given(chance=CHANCES)
@SETTINGS
def test_doubles_make_no_difference(example: Example, port: int, chance: random.Random) -> None:
    segments = doubled(spoken(example.lines, chance), chance)
    assert told(segments, port, chance) == told(spoken(example.lines), port)


@pytest.mark.parametrize(("example", "port"), TALKS)
@given(chance=CHANCES)
@SETTINGS
def test_retransmissions_make_no_difference(example: Example, port: int, chance: random.Random) -> None:
    segments = repeated(spoken(example.lines, chance), chance)
    assert told(segments, port, chance) == told(spoken(example.lines), port)


@pytest.mark.parametrize(("example", "port"), TALKS)
@given(chance=CHANCES, far=st.floats(1, 4))
@SETTINGS
def test_order_within_a_window_makes_no_difference(
    example: Example, port: int, chance: random.Random, far: float
) -> None:
    segments = shuffled(spoken(example.lines, chance), chance, far)
    assert told(segments, port, chance) == told(spoken(example.lines), port)


@pytest.mark.parametrize(("example", "port"), TALKS)
@given(chance=CHANCES)
@SETTINGS
def test_all_of_it_together_makes_no_difference(example: Example, port: int, chance: random.Random) -> None:
    segments = repeated(spoken(example.lines, chance), chance)
    segments = doubled(shuffled(segments, chance, 3), chance)
    assert told(segments, port, chance) == told(spoken(example.lines), port)


@pytest.mark.parametrize(("example", "port"), TALKS)
@given(chance=CHANCES)
@SETTINGS
def test_what_is_lost_is_told(example: Example, port: int, chance: random.Random) -> None:
    (whole,) = told(spoken(example.lines), port)
    for seen in told(lost(spoken(example.lines, chance), chance), port, chance):
        assert seen.gaps > 0
        assert seen.auth_class is not AuthClass.NONE or whole.mechanism is None


@pytest.mark.parametrize(("example", "port"), TALKS)
@given(chance=CHANCES, faults=st.integers(1, 30))
@SETTINGS
def test_any_damage_is_survived(example: Example, port: int, chance: random.Random, faults: int) -> None:
    frames = [segment.frame(port) for segment in spoken(example.lines, chance)]
    raw = bytearray(pcap(frames))
    for _ in range(faults):
        raw[chance.randrange(24, len(raw))] = chance.randrange(256)
    try:
        read(bytes(raw), chance)
    except Corrupt as fault:
        assert fault.why


@given(frames=st.lists(st.binary(max_size=200), max_size=20), chance=CHANCES)
@SETTINGS
def test_any_frames_are_survived(frames: list[bytes], chance: random.Random) -> None:
    assume(frames)
    assert isinstance(read(pcap(frames), chance), list)
