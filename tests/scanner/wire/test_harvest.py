"""What is picked out of batches is what matters, stands on its own, and is handed over in time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from packets import ACK, BEGAN, FIN, MILLISECOND, PORTS, RST, SYN, C, Connection, Packet, S, decoded

from scanner.net import Prefixes
from scanner.wire import harvest
from scanner.wire.harvest import HARVEST_ROWS, Basket, Harvest, Selection, gathered
from scanner.wire.interest import Interest
from scanner.wire.sheet import mac_text


def selection() -> Selection:
    return Selection(Interest(PORTS, Prefixes()))


def pick(packets: list[Packet]) -> Harvest:
    found = selection().pick(decoded(packets))
    assert found is not None
    return found


def payloads(found: Harvest) -> list[bytes]:
    columns = found.columns
    spans = zip(columns.payload.tolist(), columns.captured.tolist(), strict=True)
    return [columns.buffer[at : at + size].tobytes() for at, size in spans]


def mac_texts(found: Harvest) -> list[tuple[str | None, str | None]]:
    columns = found.columns
    return [
        (mac_text(columns.buffer[a : a + 6].tobytes()), mac_text(columns.buffer[b : b + 6].tobytes()))
        for a, b in zip(columns.source_mac.tolist(), columns.target_mac.tolist(), strict=True)
    ]


def test_payload_and_what_opens_or_ends_matter_and_bare_acknowledgements_do_not() -> None:
    connection = Connection().open().say((S, b"220 a\r\n"), (C, b"QUIT\r\n")).send(S, flags=ACK)
    connection.send(C, flags=FIN | ACK).send(S, flags=RST)
    found = pick(connection.packets)
    assert found.columns.flags.tolist() == [SYN, SYN | ACK, ACK, ACK, FIN | ACK, RST]
    assert payloads(found) == [b"", b"", b"220 a\r\n", b"QUIT\r\n", b"", b""]
    assert len(found) == 6
    assert len(set(found.keys.tolist())) == 1


def test_nothing_of_interest_is_nothing() -> None:
    assert selection().pick(decoded(Connection(server=("192.0.2.1", 445)).open().packets)) is None
    assert selection().pick(decoded(Connection().send(C).packets)) is None


def test_a_harvest_outlives_its_block() -> None:
    columns = decoded(Connection().open().say((S, b"220 a\r\n")).packets)
    block = columns.buffer.copy()
    found = selection().pick(replace(columns, buffer=block))
    assert found is not None
    before = payloads(found), mac_texts(found)
    block[:] = 0xEE
    assert (payloads(found), mac_texts(found)) == before
    assert before[0][-1] == b"220 a\r\n"
    assert before[1][-1] == ("02:00:00:00:00:02", "02:00:00:00:00:01")


def test_a_mark_makes_all_of_a_connection_matter_how_it_began_too() -> None:
    connection = Connection(server=("192.0.2.1", 9025)).open().say((S, b"220 a\r\n"), (C, b"x\r\n"))
    picking = selection()
    opened, greeted, spoken = (
        decoded(part) for part in (connection.packets[:3], connection.packets[3:4], connection.packets[4:])
    )
    assert picking.pick(opened) is None
    first, second = picking.pick(greeted), picking.pick(spoken)
    assert first is not None
    assert second is not None
    assert payloads(first) + payloads(second) == [b"", b"", b"220 a\r\n", b"x\r\n"]
    assert (first.columns.flags[:2] & SYN).all()
    assert len(set(first.keys.tolist())) == 1


def test_beginnings_are_kept_within_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(harvest, "OPENINGS_KEPT", 2)
    picking = selection()
    talks = [Connection(("10.0.0.1", port), ("192.0.2.1", 9025)).open() for port in (1, 2, 3)]
    for talk in talks:
        assert picking.pick(decoded(talk.packets)) is None
    for talk, beginnings in zip(talks, (0, 0, 2), strict=True):
        found = picking.pick(decoded(talk.say((S, b"220 a\r\n")).packets[3:]))
        assert found is not None
        assert len(found) == beginnings + 1


def test_too_many_marks_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(harvest, "MARKED_KEPT", 1)
    picking = selection()
    talks = [Connection(("10.0.0.1", port), ("192.0.2.1", 9025)).say((S, b"220 a\r\n")) for port in (1, 2, 3)]
    found = picking.pick(decoded([packet for talk in talks for packet in talk.packets]))
    assert found is not None
    assert (len(found), picking.unmarked) == (1, 2)


def talk(port: int, at: int = BEGAN, client: str = "10.0.0.1") -> list[Packet]:
    return Connection((client, port), at=at).open().say((S, b"220 %d\r\n" % port)).close().packets


def test_a_basket_gives_all_that_was_put_in() -> None:
    basket, parts = Basket(), [pick(talk(port)) for port in (1, 2, 3)]
    assert [basket.add(part) for part in parts] == [None] * 3
    found = basket.empty()
    assert found is not None
    assert payloads(found) == [payload for part in parts for payload in payloads(part)]
    assert mac_texts(found) == [macs for part in parts for macs in mac_texts(part)]
    assert found.keys.tolist() == [key for part in parts for key in part.keys.tolist()]
    assert basket.empty() is None


def test_a_basket_of_one_gives_it_as_it_is() -> None:
    basket, part = Basket(), pick(talk(1))
    basket.add(part)
    assert basket.empty() is part


@pytest.mark.parametrize("limit", ["HARVEST_ROWS", "HARVEST_BYTES"])
def test_a_full_basket_is_handed_over(monkeypatch: pytest.MonkeyPatch, limit: str) -> None:
    part = pick(talk(1))
    size = len(part) if limit == "HARVEST_ROWS" else len(part.columns.buffer)
    monkeypatch.setattr(harvest, limit, 2 * size)
    basket = Basket()
    assert basket.add(part) is None
    full = basket.add(part)
    assert full is not None
    assert len(full) == 2 * len(part) < HARVEST_ROWS
    assert basket.add(part) is None


def test_a_basket_is_handed_over_when_it_is_old() -> None:
    basket = Basket(hold_ns=1000 * MILLISECOND)
    assert basket.add(pick(talk(1))) is None
    assert basket.add(pick(talk(2, BEGAN + 500 * MILLISECOND))) is None
    found = basket.add(pick(talk(3, BEGAN + 1000 * MILLISECOND)))
    assert found is not None
    assert b"220 3\r\n" in payloads(found)


def test_what_two_places_bring_is_put_in_the_order_of_time() -> None:
    lag = 500 * MILLISECOND
    basket, now = Basket(lag_ns=lag), BEGAN + 10 * lag
    here, there = (talk(587, client=f"10.0.0.{number}") for number in (1, 2))
    for packets in (here[1::2], there, here[::2]):
        basket.add(pick(packets))
    late = pick(talk(587, at=now - lag // 2))
    basket.add(late)
    found = basket.empty(now)
    assert found is not None
    assert len(found) == len(pick(here)) + len(pick(there))
    assert found.columns.at.tolist() == sorted(found.columns.at.tolist())
    assert basket.empty(now) is None
    assert basket.empty(now + lag) is not None
    basket.add(late)
    assert basket.empty() is not None


def test_what_was_dated_before_the_clock_was_set_back_waits_for_nothing() -> None:
    basket = Basket(lag_ns=500 * MILLISECOND)
    basket.add(pick(talk(587)))
    assert basket.empty(BEGAN - 3600 * 1000 * MILLISECOND) is not None


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_workers_share_a_harvest_by_client(workers: int) -> None:
    clients = [(f"10.0.0.{number}", port) for number in range(1, 30) for port in (50_000, 50_001)]
    found = pick([packet for client, port in clients for packet in talk(port, client=client)])
    shares = [found.share(number, workers) for number in range(workers)]
    keys = [set(share.keys.tolist()) for share in shares]
    assert sum(len(share) for share in shares) == len(found)
    assert sum(map(len, keys)) == len(set.union(*keys)) == len(clients)
    assert all(keys)
    assert all(len(one) % 2 == 0 for one in keys)
    assert sorted(payload for share in shares for payload in payloads(share)) == sorted(payloads(found))


def test_macs_of_a_block_too_small_for_any_are_zeros() -> None:
    columns = replace(decoded(talk(1)), buffer=np.zeros(3, np.uint8))
    assert gathered(columns, np.array([-1, -1])) == bytes(12)
