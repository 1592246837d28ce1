"""What is gathered is handed over when it is enough, when asked for, and at the end; each thing once."""

from __future__ import annotations

import struct

import pytest
from packets import BEGAN, MILLISECOND, PORTS, SECOND, C, Connection, Packet, S, batch, datagram

from scanner.gatherer import Gathered, Gatherer
from scanner.model import LEASE, Sighting
from scanner.net import Prefixes
from scanner.wire import harvest
from scanner.wire.batch import Batch, Ints
from scanner.wire.interest import Interest

MAIL = Interest(PORTS, Prefixes())


def talk(port: int = 587, client: str = "10.0.0.1") -> list[Packet]:
    connection = Connection((client, 50000), ("192.0.2.1", port)).open()
    return connection.say((S, b"hello\r\n"), (C, b"hello\r\n")).packets


def answer(name: bytes) -> Packet:
    """A name server tells the address of a name."""
    labels = b"".join(bytes([len(label)]) + label for label in name.split(b".")) + b"\0"
    question, told = labels + b"\0\1\0\1", b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\1"
    head = struct.pack(">6H", 1, 0x8180, 1, 1, 0, 0)
    return datagram(("10.0.0.53", 53), ("10.0.0.1", 999), head + question + told)


def gathered(gatherer: Gatherer, *batches: list[Packet]) -> list[Gathered]:
    return [one for packets in batches for one in gatherer.gather(batch(packets))]


def ports(found: Gathered) -> set[int]:
    """Of servers whose segments were gathered."""
    columns = found.harvest.columns if found.harvest else None
    both = [] if columns is None else [*columns.source_port.tolist(), *columns.target_port.tolist()]
    return {port for port in both if port != 50000}


def test_what_there_is_so_far_is_given_once_and_says_until_when() -> None:
    gatherer = Gatherer(MAIL)
    assert gathered(gatherer, talk(), [answer(b"mx.example.com")]) == []
    first, second = gatherer.so_far(BEGAN + SECOND), gatherer.so_far(BEGAN + 2 * SECOND)
    assert (ports(first), first.until, first.clock_set) == ({587}, BEGAN + SECOND, 0)
    assert [one.name for one in first.told.answers] == ["mx.example.com"]
    assert (second.harvest, second.told.answers, second.until) == (None, (), BEGAN + 2 * SECOND)
    gathered(gatherer, talk(client="10.0.0.2"))
    assert ports(gatherer.rest()) == {587}
    assert gatherer.rest().harvest is None
    assert gatherer.tally.packets == len(talk()) * 2 + 1


def test_enough_is_handed_over_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(harvest, "HARVEST_ROWS", 3)
    (found,) = gathered(Gatherer(MAIL), talk())
    assert (ports(found), found.until) == ({587}, None)


def test_what_is_older_than_it_may_be_is_handed_over() -> None:
    gatherer = Gatherer(MAIL, hold_ns=100 * MILLISECOND)
    assert gathered(gatherer, talk()) == []
    (found,) = gathered(gatherer, [packet.later(200) for packet in talk(client="10.0.0.2")])
    assert found.harvest
    assert len(found.harvest) == 8


def test_after_a_reload_other_ports_are_of_interest() -> None:
    gatherer = Gatherer(MAIL)
    gathered(gatherer, talk(9587), talk(587))
    assert ports(gatherer.so_far(BEGAN)) == {587}
    gatherer.reload(Interest(frozenset({9587}), Prefixes()))
    gathered(gatherer, talk(9587), talk(587))
    assert ports(gatherer.so_far(BEGAN)) == {9587}
    gatherer.reload(Interest(frozenset(), Prefixes(["192.0.2.0/24"])))
    gathered(gatherer, talk(9587), talk(587))
    assert ports(gatherer.so_far(BEGAN)) == {9587, 587}


def test_what_all_is_told_from_is_kept() -> None:
    kept: list[tuple[Batch, Ints]] = []
    gatherer = Gatherer(MAIL, keep=lambda one, which: kept.append((one, which)))
    web = Connection(server=("192.0.2.1", 9999)).open().packets
    packets = [*web, *talk(), answer(b"mx.example.com")]
    gathered(gatherer, packets)
    ((one, which),) = kept
    assert len(one.at) == len(packets)
    assert which.tolist() == [number for number in range(3, len(packets)) if number != 5]


def test_somebody_else_is_given_what_bears_on_connections() -> None:
    gatherer = Gatherer(MAIL)
    gathered(gatherer, talk(), talk(client="10.0.0.2"), talk(client="10.0.0.3"))
    whole = gatherer.so_far(BEGAN)
    shares = [whole.share(number, 2) for number in range(2)]
    assert whole.harvest
    assert sum(len(one.harvest) for one in shares if one.harvest) == len(whole.harvest)
    assert [one.until for one in shares] == [BEGAN, BEGAN]
    lease, label = (
        Sighting("10.0.0.1", "02:00:00:00:00:01", field, "x", 0, 9) for field in (LEASE, "mdns.host")
    )
    handed = Gathered(None, whole.told._replace(sightings=(lease, label))).without_labels()
    assert (handed.told.sightings, handed.handed_on) == ((lease,), True)
    assert Gathered(None, whole.told).share(0, 2).harvest is None
