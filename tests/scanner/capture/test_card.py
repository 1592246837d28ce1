"""What the system counts of a card."""

from __future__ import annotations

import socket

from scanner.capture.card import Card, card, hardware_address
from scanner.capture.interface import received


def test_what_arrives_is_counted() -> None:
    before = card("lo")
    assert before
    assert before.packets <= (received("lo") or 0)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ours:
        for _ in range(10):
            ours.sendto(bytes(1000), ("127.0.0.1", 9))
    after = card("lo")
    assert after
    came = after.since(before)
    assert came.packets >= 10
    assert came.bytes >= 10_000


def test_an_interface_made_anew_counts_from_nothing() -> None:
    assert Card(10, 2, missed=1).since(Card(500, 1)) == Card(0, 1, missed=1)


def test_what_is_not_there_has_no_counts_and_no_address() -> None:
    assert card("none") is None
    assert hardware_address("none") is None


def test_loopback_has_no_address() -> None:
    assert hardware_address("lo") is None
