"""What packets tell of the mirror: for whom they are, whether both sides are heard, and what comes twice."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from packets import (
    BEGAN,
    MACS,
    MILLISECOND,
    RST,
    SECOND,
    SYN,
    C,
    Connection,
    Packet,
    S,
    batch,
    datagram,
    decoded,
    frame,
)  # fmt: skip

from scanner.wire import survey
from scanner.wire.batch import LinkType
from scanner.wire.survey import COPY_NS, Connections, Copies, Directions, Frames

OWN = bytes.fromhex("020000000a00")
OTHER = bytes.fromhex("0200000000bb")
TO_ALL = b"\xff" * 6
LATER = BEGAN + 60 * SECOND


def sent(source: bytes, target: bytes) -> Packet:
    return Packet(BEGAN, frame(("10.0.0.1", 1), ("10.0.0.2", 2), bytes(16), macs=(source, target)))


@pytest.mark.parametrize(
    ("source", "target", "counted"),
    [
        (OTHER, MACS[0], "others"),
        (OTHER, TO_ALL, "to_all"),
        (OTHER, b"\1\0\x5e\0\0\xfb", "to_all"),
        (OTHER, OWN, "own"),
        (OWN, OTHER, "own"),
        (OWN, TO_ALL, "own"),
    ],
)
def test_a_frame_is_for_one_of_three(source: bytes, target: bytes, counted: str) -> None:
    frames = Frames()
    frames.add(batch([sent(source, target)]), OWN, 1500)
    kinds = {kind: getattr(frames, kind) for kind in ("others", "to_all", "own")}
    assert kinds == {"others": 0, "to_all": 0, "own": 0} | {counted: 1}


def test_without_macs_all_are_others() -> None:
    frames = Frames()
    frames.add(batch([Packet(BEGAN, bytes(40))] * 2, LinkType.RAW), OWN, 1500)
    frames.add(batch([sent(OTHER, TO_ALL)]), None, 1500)
    assert frames == Frames(frames=3)
    assert frames.others == 3


def test_frames_too_short_for_macs_and_none_at_all_do_no_harm() -> None:
    frames = Frames()
    frames.add(batch([Packet(BEGAN, bytes(3)), sent(OTHER, OWN).cut(60)]), OWN, 1500)
    frames.add(batch([]), OWN, 1500)
    assert (frames.frames, frames.own) == (2, 0)


def test_tags_and_lengths_are_counted() -> None:
    frames = Frames()
    long = Packet(BEGAN, frame(("10.0.0.1", 1), ("10.0.0.2", 2), bytes(1500)))
    tagged = replace(batch([long, sent(OTHER, OWN)]), tag=np.array([-1, 0], np.int64))
    frames.add(tagged, OWN, 1500)
    frames.add(batch([long]), OWN, 9000)
    assert (frames.frames, frames.tagged, frames.oversized) == (3, 1, 1)


def test_cut_are_those_that_ip_says_are_longer() -> None:
    frames = Frames()
    talk = Connection().open().say((S, b"220 a\r\n"), (C, b"QUIT\r\n")).packets
    frames.add_payloads(decoded([*talk[:4], talk[4].cut(2)]))
    padded = datagram(("10.0.0.1", 53), ("10.0.0.2", 53), b"x")
    frames.add_payloads(decoded([replace(padded, data=padded.data + bytes(20))]))
    assert (frames.payloads, frames.cut) == (3, 1)


def directions(packets: list[Packet], until: int = LATER, mac: bytes | None = None) -> Directions:
    connections = Connections()
    for part in (packets[: len(packets) // 2], packets[len(packets) // 2 :]):
        if part:
            connections.add(decoded(part), mac)
    return connections.directions(until)


def talk(port: int = 50000) -> Connection:
    return (
        Connection(client=("10.0.0.1", port))
        .open()
        .say((S, b"a"), (C, b"b"), (S, b"c"), (C, b"d"), (S, b"e"))
    )


def of(side: int, packets: list[Packet]) -> list[Packet]:
    return [packet for packet in packets if (packet.data[26:30] == b"\x0a\0\0\1") is (side == C)]


@pytest.mark.parametrize(
    ("packets", "seen"),
    [
        (talk().packets, Directions(both=1)),
        (of(C, talk().packets), Directions(client=1)),
        (of(S, talk().packets), Directions(server=1)),
        ([*talk().packets, *of(S, talk(50001).packets)], Directions(both=1, server=1)),
        (of(C, talk().packets)[:3], Directions()),
        (
            Connection().send(C, flags=SYN).send(C, flags=SYN, back=1).send(C, flags=SYN, back=1).packets,
            Directions(),
        ),
        (Connection().send(S, flags=RST).send(S, flags=RST).send(S, flags=RST | 16).packets, Directions()),
    ],
    ids=["both", "client", "server", "one each", "too little to tell", "never answered", "refused"],
)
def test_which_directions_are_seen(packets: list[Packet], seen: Directions) -> None:
    assert directions(packets) == seen
    assert seen.judged == sum(seen)


def test_what_began_just_now_may_be_answered_yet() -> None:
    packets = of(C, talk().packets)
    assert directions(packets, until=packets[0].at + SECOND // 2) == Directions()


def test_what_this_machine_itself_does_tells_nothing_of_the_mirror() -> None:
    for mac in MACS:
        assert directions(talk().packets, mac=mac) == Directions()
    packets = [replace(packet, data=OWN * 2 + packet.data[12:]) for packet in talk().packets]
    assert directions(packets, mac=OWN) == Directions()
    assert directions(packets, mac=OTHER) == Directions(both=1)


def test_connections_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(survey, "CONNECTIONS_KEPT", 3)
    assert directions([one for port in range(9) for one in talk(50000 + port).packets]) == Directions(both=3)


def copies(*parts: list[Packet]) -> tuple[int, int]:
    counted = Copies()
    for part in parts:
        counted.add(decoded(part))
    return counted.copies, counted.segments


def shifted(packets: list[Packet], by: int) -> list[Packet]:
    return [replace(packet, at=packet.at + by) for packet in packets]


def test_a_mirror_that_sends_twice_shows() -> None:
    packets = talk().packets
    twice = [one for packet in packets for one in (packet, replace(packet, at=packet.at + 1000))]
    assert copies(packets) == (0, 5)
    assert copies(twice) == (5, 10)
    assert copies([one for packet in packets for one in (packet, packet, packet)]) == (10, 15)


def test_copies_may_come_in_another_batch_also_before() -> None:
    packets = talk().packets
    assert copies(packets, shifted(packets, COPY_NS)) == (5, 10)
    assert copies(packets, shifted(packets, -COPY_NS)) == (5, 10)
    assert copies([*packets, *packets], talk(50001).packets) == (5, 15)


def test_copies_may_differ_in_their_frames() -> None:
    packets = talk().packets
    routed = [
        replace(packet, data=OTHER + OWN + packet.data[12:22] + b"\x3f" + packet.data[23:])
        for packet in packets
    ]
    assert copies(packets, routed) == (5, 10)


def test_what_is_sent_again_later_or_says_something_else_is_no_copy() -> None:
    packets = talk().packets
    assert copies(packets, shifted(packets, COPY_NS + 1)) == (0, 10)
    others = [replace(packet, data=packet.data[:38] + b"\1" + packet.data[39:]) for packet in packets]
    assert copies(packets, others) == (0, 10)
    answers = [
        *talk().packets,
        *Connection(("192.0.2.1", 587), ("10.0.0.1", 50000)).open().say((S, b"a")).packets,
    ]
    assert copies(answers)[0] == 0


def test_bare_acknowledgements_and_datagrams_are_not_looked_at() -> None:
    assert copies(Connection().open().packets * 2) == (0, 0)
    assert copies([datagram(("10.0.0.1", 53), ("10.0.0.2", 53), b"x")] * 2) == (0, 0)


def test_what_is_remembered_for_copies_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(survey, "COPIES_KEPT", 2)
    packets = talk().packets
    assert copies(packets, packets) == (2, 10)
    counted = Copies()
    counted.add(decoded(packets))
    counted.add(decoded(shifted(packets[3:4], 400 * MILLISECOND)))
    assert len(counted._at) == 1
