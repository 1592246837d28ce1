"""An answer gives the name that was asked for with each address, through aliases, and nothing else."""

import struct
from collections.abc import Sequence
from ipaddress import ip_address

import pytest

from scanner.events import Answer
from scanner.protocols.dns import ANSWERS_READ, read

A, CNAME, MX, AAAA = 1, 5, 15, 28
SAME = b"\xc0\x0c"
"""A pointer to the name that was asked for."""


def name(text: str) -> bytes:
    return b"".join(bytes([len(label)]) + label.encode() for label in text.split(".")) + b"\0"


ASKED = name("mail.example.com")


def record(owner: bytes, kind: int, data: bytes, size: int | None = None) -> bytes:
    return owner + struct.pack(">HHIH", kind, 1, 60, len(data) if size is None else size) + data


def reply(
    *records: bytes, asked: bytes = ASKED, flags: int = 0x8180, questions: int = 1, count: int | None = None
) -> bytes:
    head = struct.pack(">6H", 1, flags, questions, len(records) if count is None else count, 0, 0)
    return head + asked + b"\0\x01\0\x01" + b"".join(records)


def v4(address: str, owner: bytes = SAME) -> bytes:
    return record(owner, A, ip_address(address).packed)


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        pytest.param(reply(v4("192.0.2.1")), ["192.0.2.1"], id="one address"),
        pytest.param(reply(v4("192.0.2.1"), v4("192.0.2.2")), ["192.0.2.1", "192.0.2.2"], id="two addresses"),
        pytest.param(
            reply(record(SAME, AAAA, ip_address("2001:db8::1").packed)),
            ["2001:db8::1"],
            id="an address of version 6",
        ),
        pytest.param(
            reply(record(SAME, CNAME, name("edge.example.net")), v4("192.0.2.3", name("EDGE.example.NET"))),
            ["192.0.2.3"],
            id="an alias leads to an address, in any case",
        ),
        pytest.param(
            reply(v4("192.0.2.3", name("edge.example.net"))), [], id="an address of somebody else is not ours"
        ),
        pytest.param(
            reply(record(SAME, CNAME, b"\xc0\xff"), v4("192.0.2.4")), ["192.0.2.4"], id="an alias that is cut"
        ),
        pytest.param(
            reply(record(SAME, MX, b"\0\x05" + SAME), v4("192.0.2.4")),
            ["192.0.2.4"],
            id="another kind of record is passed over",
        ),
        pytest.param(reply(record(SAME, A, b"\1\2\3")), [], id="an address of three bytes is none"),
        pytest.param(reply(record(SAME, AAAA, b"\1\2\3\4")), [], id="a short address of version 6 is none"),
        pytest.param(
            reply(v4("192.0.2.1"), record(SAME, A, b"\1\2", 4)), ["192.0.2.1"], id="the last record is cut"
        ),
        pytest.param(reply(v4("192.0.2.1"), SAME + b"\0\1"), ["192.0.2.1"], id="a record's head is cut"),
        pytest.param(reply(v4("192.0.2.1"), count=9), ["192.0.2.1"], id="fewer records than were promised"),
        pytest.param(reply(v4("192.0.2.1"), b"\xc0", count=2), ["192.0.2.1"], id="a pointer is cut"),
        pytest.param(reply(), [], id="no address"),
        pytest.param(reply(v4("192.0.2.1"), flags=0x0100), [], id="a question is no answer"),
        pytest.param(reply(v4("192.0.2.1"), flags=0x8183), [], id="the name does not exist"),
        pytest.param(reply(v4("192.0.2.1"), flags=0xA800), [], id="an update is no lookup"),
        pytest.param(reply(v4("192.0.2.1"), flags=0x8380), ["192.0.2.1"], id="an answer that was cut counts"),
        pytest.param(reply(v4("192.0.2.1"), questions=2), [], id="two questions"),
        pytest.param(reply(v4("192.0.2.1"), questions=0), [], id="no question"),
        pytest.param(reply(v4("192.0.2.1"), asked=SAME), [], id="a name that points at itself"),
        pytest.param(reply(v4("192.0.2.1"))[:20], [], id="the question is cut"),
        pytest.param(reply()[:11], [], id="the header is cut"),
        pytest.param(b"", [], id="nothing"),
    ],
)
def test_what_an_answer_says(payload: bytes, expected: Sequence[str]) -> None:
    assert list(read(payload)) == [Answer("mail.example.com", address) for address in expected]


def test_a_flood_of_records_is_bounded() -> None:
    assert len(list(read(reply(*[v4("192.0.2.1")] * 200)))) == ANSWERS_READ


def test_a_name_of_too_many_labels_is_none() -> None:
    assert list(read(reply(v4("192.0.2.1"), asked=b"\x01a" * 200 + b"\0"))) == []


def test_reading_goes_on_behind_the_first_of_two_pointers() -> None:
    edge = record(SAME, CNAME, b"\x04edge\xc0\x11")
    assert reply(edge)[46:51] == b"\x04edge"
    two = record(b"\xc0\x2e", CNAME, b"\x03two\xc0\x2e")
    assert list(read(reply(edge, two, v4("192.0.2.9", name("two.edge.example.com"))))) == [
        Answer("mail.example.com", "192.0.2.9")
    ]
