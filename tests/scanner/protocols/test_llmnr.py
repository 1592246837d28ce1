"""Who answers for a name by LLMNR."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from ipaddress import ip_address

import pytest

from scanner.events import Label
from scanner.protocols.llmnr import RECORDS_READ, read

DESK = b"\x04Desk\0"


def record(owner: bytes, ip: str, ttl: int = 30) -> bytes:
    packed = ip_address(ip).packed
    return owner + struct.pack(">HHIH", 1 if len(packed) == 4 else 28, 1, ttl, len(packed)) + packed


def packet(*answers: bytes, flags: int = 0x8000, asked: bytes = DESK, questions: int = 1) -> bytes:
    head = struct.pack(">6H", 7, flags, questions, len(answers), 0, 0)
    return head + asked + b"\0\1\0\1" + b"".join(answers)


FOUR = record(DESK, "192.0.2.1")


@pytest.mark.parametrize(
    ("payload", "ips"),
    [
        pytest.param(packet(FOUR), ["192.0.2.1"], id="an answer names its machine"),
        pytest.param(packet(record(b"\x04DESK\0", "192.0.2.1")), ["192.0.2.1"], id="in any case"),
        pytest.param(packet(record(b"\xc0\x0c", "192.0.2.1")), ["192.0.2.1"], id="by a pointer"),
        pytest.param(packet(record(DESK, "fe80::1"), FOUR), ["192.0.2.1"], id="IPv4 is enough"),
        pytest.param(packet(record(DESK, "fe80::1")), ["fe80::1"], id="IPv6 alone"),
        pytest.param(packet(FOUR, flags=0), [], id="a question"),
        pytest.param(packet(FOUR, flags=0x8100), [], id="a name that is not sure yet"),
        pytest.param(packet(FOUR, flags=0x8400), ["192.0.2.1"], id="a name that several have"),
        pytest.param(packet(FOUR, flags=0x8003), [], id="a failure"),
        pytest.param(packet(FOUR, flags=0x8800), [], id="another operation"),
        pytest.param(packet(FOUR, questions=2), [], id="two questions"),
        pytest.param(packet(record(b"\x05Other\0", "192.0.2.1")), [], id="an address of somebody else"),
        pytest.param(packet(record(DESK, "192.0.2.1", ttl=0)), [], id="what is gone"),
        pytest.param(packet(), [], id="no answer"),
        pytest.param(packet(FOUR, asked=b"\0"), [], id="no name"),
        pytest.param(packet(FOUR, asked=b"\xc0\x0c"), [], id="a name that points at itself"),
        pytest.param(packet(FOUR)[:-1], [], id="the record is cut"),
        pytest.param(packet(FOUR)[:14], [], id="the question is cut"),
        pytest.param(b"\0" * 11, [], id="half a header"),
    ],
)
def test_who_answers(payload: bytes, ips: Sequence[str]) -> None:
    assert read(payload) == tuple(Label("llmnr.name", "Desk", ip) for ip in ips)


def test_a_name_of_zeros_is_none() -> None:
    assert read(packet(record(b"\x01\0\0", "192.0.2.1"), asked=b"\x01\0\0")) == ()


def test_a_flood_of_records_is_bounded() -> None:
    assert read(packet(*[record(b"\x05Other\0", "192.0.2.9")] * RECORDS_READ, FOUR)) == ()
