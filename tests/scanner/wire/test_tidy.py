"""The short way gives what the long way gives: a harvest at once, and the same segments one by one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packets import ACK, BEGAN, FIN, MILLISECOND, RST, C, Connection, Packet, S, decoded, hear, merged, table

from scanner.conversation import Conversation
from scanner.net import Prefixes
from scanner.wire.harvest import Selection
from scanner.wire.interest import Interest
from scanner.wire.tidy import Group, tidy

SAID = [(S, b"220 mx.example.com\r\n"), (C, b"EHLO copier\r\n"), (S, b"250 hello\r\n"), (C, b"QUIT\r\n")]


def talk(port: int = 50000) -> Connection:
    return Connection(("10.0.0.1", port)).open().say(*SAID)


def group(packets: list[Packet]) -> Group:
    harvest = Selection(Interest(frozenset({587}), Prefixes())).pick(decoded(packets))
    assert harvest is not None
    order = np.argsort(harvest.keys, kind="stable")
    keys = harvest.keys[order]
    starts = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]])
    return Group(harvest.columns, order, keys, harvest.low[order], starts)


def is_tidy(packets: list[Packet], limit: int = 1000) -> bool:
    rows = group(packets)
    (found,) = tidy(rows, np.ones(len(rows.starts), np.bool_), limit).tolist()
    return bool(found)


@pytest.mark.parametrize(
    ("packets", "expected"),
    [
        pytest.param(talk().close().packets, True, id="closed by both"),
        pytest.param(talk().send(C, flags=RST).packets, True, id="reset at the end"),
        pytest.param(talk().packets, False, id="still open"),
        pytest.param(talk().send(C, flags=FIN | ACK).packets, False, id="closed by one"),
        pytest.param(talk().close().packets[1:], False, id="without the SYN"),
        pytest.param([talk().packets[0], *talk().close().packets[2:]], False, id="without the SYN-ACK"),
        pytest.param([p for p in talk().close().packets for _ in range(2)], False, id="everything twice"),
        pytest.param([*talk().packets[:5], *talk().close().packets[6:]], False, id="a segment lost"),
        pytest.param([talk().packets[0].later(9), *talk().close().packets], False, id="two SYNs"),
        pytest.param(
            [*talk().packets[:4], talk().packets[4].cut(2), *talk().close().packets[5:]], False, id="cut"
        ),
        pytest.param(talk().send(C, flags=RST).close().packets, False, id="reset in the middle"),
    ],
)
def test_what_is_tidy(packets: list[Packet], expected: bool) -> None:
    assert is_tidy(packets) is expected


def test_what_is_too_long_is_not() -> None:
    packets = talk().close().packets
    size = sum(len(data) for side, data in SAID if side is S)
    assert is_tidy(packets, size + 1)
    assert not is_tidy(packets, size)


Told = list[tuple[object, ...]]


def told(found: list[Conversation]) -> Told:
    return [
        (
            one.flow,
            merged(one.chunks),
            one.ending,
            one.client_started,
            one.server_started,
            one.client_mac,
            one.server_mac,
            one.first_seen,
            one.last_seen,
            one.duplicates,
            one.conflicts,
            one.truncated,
        )
        for one in found
    ]


LAST_BUT_ONE = 5
MISHAPS = (
    [],
    ["lost"],
    ["late"],
    ["twice"],
    ["cut"],
    ["reset"],
    ["twice", "late"],
    ["twice", "cut"],
    ["cut", "lost"],
)


def mutated(packets: list[Packet], data: st.DataObject) -> list[Packet]:
    """A few things happen to a capture; only one of them to the order, and not to its end."""
    packets = list(packets)
    at = data.draw(st.integers(0, LAST_BUT_ONE))
    for kind in data.draw(st.sampled_from(MISHAPS)):
        match kind:
            case "lost":
                del packets[at]
            case "twice":
                packets.insert(at, packets[at])
            case "late":
                packets.insert(at + 2, packets.pop(at))
            case "cut":
                packets[at] = packets[at].cut(min(3, len(packets[at].data) - 54))
            case _:
                head = bytearray(packets[at].data[:54])
                head[47] = RST
                head[16:18] = (40).to_bytes(2, "big")
                packets.insert(max(at + 1, 4), Packet(packets[at].at, bytes(head)))
    return [replace(packet, at=BEGAN + number * MILLISECOND) for number, packet in enumerate(packets)]


@settings(deadline=None, max_examples=200)
@given(st.booleans(), st.data())
def test_the_short_way_and_the_long_way_agree(closed: bool, data: st.DataObject) -> None:
    connection = talk().close() if closed else talk().send(S, flags=RST | ACK)
    packets = mutated(connection.packets, data)
    short, long = table(), table()
    at_once = [*hear(short, packets), *short.flush()]
    singly = [*hear(long, *([packet] for packet in packets)), *long.flush()]
    assert told(at_once) == told(singly)
    assert without_half_open(short.tally) == without_half_open(long.tally)


def without_half_open(tally: object) -> str:
    return repr(replace(tally, half_open=0))  # type: ignore[type-var]


def test_many_connections_at_once() -> None:
    connections = [talk(50000 + number).close() for number in range(50)]
    packets = sorted((p for one in connections for p in one.packets), key=lambda packet: packet.at)
    listening = table()
    found = hear(listening, packets)
    assert sorted(one.flow.client.port for one in found) == list(range(50000, 50050))
    assert all(merged(one.chunks) == SAID for one in found)
    assert listening.tally.conversations == 50
