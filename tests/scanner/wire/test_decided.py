"""What is kept of a mirror is where connections begin and end, their heads, and what names machines."""

from __future__ import annotations

import struct
from dataclasses import replace

import numpy as np
import pytest
from packets import ACK, FIN, MACS, PORTS, RST, SYN, C, Connection, Packet, S, batch, datagram

from scanner.net import Prefixes
from scanner.wire import decided as module
from scanner.wire.batch import Batch, Ints
from scanner.wire.decided import SENDERS_KEPT, DecidedPart
from scanner.wire.decode import Decoder
from scanner.wire.harvest import BYTES_KEPT, Selection
from scanner.wire.interest import Interest

FULL = 1000
"""Bytes of a segment of bulk."""


def told(*batches: Batch, senders_kept: int = SENDERS_KEPT) -> list[list[tuple[Batch, Ints]]]:
    """What is given at each batch."""
    decoder, decided = Decoder(frozenset({53})), DecidedPart(frozenset({53}), senders_kept)
    selection = Selection(Interest(PORTS, Prefixes()))
    found = []
    for one in batches:
        decoded = decoder.decode(one)
        parts = [selection.pick(columns) for columns in decoded]
        found.append(list(decided.of(one, decoded, parts, decoder.frames)))
    return found


def kept(*batches: list[Packet], senders_kept: int = SENDERS_KEPT) -> list[list[int]]:
    """What is kept of each batch, when nothing of earlier ones is."""
    found = told(*map(batch, batches), senders_kept=senders_kept)
    assert all(len(given) == 1 for given in found)
    return [given[0][1].tolist() for given in found]


def singly(packets: list[Packet]) -> list[int]:
    """What is kept when each packet is a batch of its own."""
    return [number for number, its in enumerate(kept(*([packet] for packet in packets))) if its]


def bulk(begun: Connection, segments: int) -> Connection:
    return begun.say(*[(S, bytes(FULL))] * segments)


@pytest.mark.parametrize("starts", [9000, (1 << 32) - 5000], ids=["a low number", "a number that wraps"])
@pytest.mark.parametrize("at_once", [False, True], ids=["singly", "at once"])
def test_bulk_is_left_out_and_the_end_is_not(at_once: bool, starts: int) -> None:
    packets = bulk(Connection(following=[7, starts]).open(), 100).close().packets
    found = kept(packets)[0] if at_once else singly(packets)
    heads = [number for number in found if 3 <= number < 103]
    assert heads == list(range(3, 3 + len(heads)))
    assert BYTES_KEPT / FULL <= len(heads) <= BYTES_KEPT / FULL + 3
    assert [number for number in found if number not in heads] == [0, 1, 103, 104]


def test_what_comes_after_gigabytes_is_no_beginning() -> None:
    connection = bulk(Connection(), 1)
    for _ in range(3):
        connection.following[1] += 1 << 30
        connection.send(S, bytes(FULL))
    assert singly(connection.packets) == [0]


def test_a_new_connection_between_the_same_ends_begins_anew() -> None:
    connection = bulk(Connection().open(), 30)
    last = len(connection.packets)
    connection.following[:] = [1 << 30, 1 << 31]
    bulk(connection.open(), 1)
    assert [number - last for number in singly(connection.packets) if number >= last] == [0, 1, 3]


def test_a_reset_and_a_retransmitted_end_are_kept() -> None:
    packets = bulk(Connection().open(), 30).send(S, flags=FIN | ACK).send(S, flags=FIN | ACK, back=1)
    found = singly(packets.send(C, flags=RST).packets)
    assert found[-3:] == [33, 34, 35]


def test_a_flood_of_openings_makes_nobody_forgotten() -> None:
    connection = bulk(Connection().open(), 40)
    others = [Connection(client=("10.0.9.9", port)) for port in range(2000, 2050)]
    flood = [other.send(C, flags=SYN).packets[0] for other in others]
    first, _, last = kept(connection.packets[:20], flood, connection.packets[30:], senders_kept=2)
    assert (len(first), last) == (19, [])


def test_past_the_bound_the_oldest_begins_anew() -> None:
    one, other, third = (bulk(Connection(client=("10.0.9.9", port)), 40).packets for port in (1, 2, 3))
    heads = [one[:1], other[:1], third[:1]]
    assert kept(*heads, one[35:36], other[35:36], senders_kept=2) == [[0], [0], [0], [0], [0]]
    assert kept(*heads, one[35:36], other[35:36], senders_kept=3) == [[0], [0], [0], [], []]


def test_what_names_machines_is_kept_and_questions_are_not() -> None:
    def dns(flags: int) -> Packet:
        return datagram(("10.0.0.53", 53), ("10.0.0.1", 999), struct.pack(">6H", 1, flags, 1, 0, 0, 0))

    answer, question = dns(0x8180), dns(0x0100)
    lldp = replace(answer, data=MACS[0] + MACS[1] + b"\x88\xcc" + b"\2\x07\4abcdef\0\0")
    setup = b"\0\0\0\x40\xfeSMB" + bytes(8) + b"\1\0" + bytes(50)
    smb, web = (Connection(server=("10.0.0.9", port)).send(C, setup).packets[0] for port in (445, 444))
    mail = bulk(Connection(), 1).packets[0]
    assert kept([question, answer, web, lldp, smb, mail, question]) == [[1, 3, 4, 5]]


def test_nothing_of_interest_is_nothing() -> None:
    assert kept(Connection(server=("192.0.2.1", 9999)).open().packets) == [[]]


def elsewhere(port: int) -> list[Packet]:
    """A greeting of mail where no port tells of it."""
    return Connection(server=("192.0.2.1", port)).open().say((S, b"220 mx ESMTP\r\n")).packets


@pytest.mark.parametrize("tag", [None, np.array([-1, 5])])
def test_how_a_connection_began_that_proves_to_be_mail_is_given_then(tag: Ints | None) -> None:
    packets, others = elsewhere(9999), elsewhere(445)
    first = replace(batch([packets[0], others[0]]), tag=tag)
    second = batch([packets[1], *Connection().open().packets])
    one, two, three = told(first, second, batch(packets[2:]))
    assert [numbers.tolist() for _, numbers in (*one, *two)] == [[], [1, 2]]
    assert [numbers.tolist() for _, numbers in three] == [[0], [0], [1]]
    for (given, numbers), packet in zip(three, [packets[0], packets[1], packets[3]], strict=True):
        at = int(given.start[numbers[0]])
        size = int(given.captured[numbers[0]])
        assert given.buffer[at : at + size].tobytes() == packet.data
        assert (given.at[numbers[0]], given.length[numbers[0]]) == (packet.at, len(packet.data))
    assert (three[0][0].tag is None) == (tag is None)


def test_past_the_bound_beginnings_are_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "OPENINGS_KEPT", 2)
    one, other, third = (elsewhere(port) for port in (9997, 9998, 9999))
    openings = [batch(packets[:2]) for packets in (one, other, third)]
    greetings = [batch(packets[3:]) for packets in (one, other, third)]
    found = told(*openings, *greetings)
    assert [len(given) for given in found] == [1, 1, 1, 1, 1, 2]
