"""Names and records as DNS writes them: whatever is cut, loops or grows ends reading."""

import struct

import pytest

from scanner.protocols.dns_names import (
    AAAA,
    QUESTIONS_SKIPPED,
    A,
    Name,
    Record,
    read_name,
    read_records,
    skip_questions,
)

LONG = b"\x3f" + b"x" * 63


@pytest.mark.parametrize(
    ("payload", "name", "behind"),
    [
        pytest.param(b"\x01a\x02bc\0rest", (b"a", b"bc"), 6, id="plain"),
        pytest.param(b"\0", (), 1, id="the root"),
        pytest.param(b"\x01a\xc0\x05\xff\x01b\0", (b"a", b"b"), 4, id="a pointer ends it where it stands"),
        pytest.param(b"\x03a.b\0", (b"a.b",), 5, id="a dot inside of a label"),
        pytest.param(b"\xc0\0", None, 0, id="a pointer to itself"),
        pytest.param(b"\x01a\xc0\0", None, 0, id="a loop that grows"),
        pytest.param(b"\xc0\x02\xc0\0", None, 2, id="two pointers to each other"),
        pytest.param(b"\xc0", None, 0, id="half a pointer"),
        pytest.param(b"\xc0\xff", None, 255, id="a pointer past the end"),
        pytest.param(b"\x05abc", None, 1, id="a label is cut"),
        pytest.param(b"\x01a", None, 2, id="no end"),
        pytest.param(b"\x41" + b"x" * 80, None, 1, id="a label of a kind that there is not"),
        pytest.param(LONG * 4 + b"\0", None, 193, id="longer than names are"),
        pytest.param(b"", None, 0, id="nothing"),
    ],
)
def test_a_name(payload: bytes, name: Name | None, behind: int) -> None:
    found, at = read_name(payload, 0)
    assert found == name
    assert name is None or at == behind


def test_the_longest_name_there_may_be() -> None:
    assert read_name(LONG * 3 + b"\x3d" + b"x" * 61 + b"\0", 0)[0] is not None


def test_questions_are_skipped() -> None:
    question = b"\x01a\0\0\1\0\1"
    assert skip_questions(question * 2, 0, 2) == 14
    assert skip_questions(question * 2, 0, 3) is None
    assert skip_questions(question[:-1], 0, 1) is None
    assert skip_questions(question * 200, 0, QUESTIONS_SKIPPED + 1) is None


def record(kind: int, data: bytes) -> bytes:
    return b"\x01a\0" + struct.pack(">HHIH", kind, 1, 60, len(data)) + data


def test_records_are_read_up_to_the_first_that_is_cut() -> None:
    payload = record(A, b"\xc0\0\2\1") + record(A, b"\1\2") + record(AAAA, b"\0" * 15 + b"\1")
    found = list(read_records(payload, 0, 9))
    assert [(one.owner, one.ttl, one.at, str(one.address)) for one in found] == [
        ((b"a",), 60, 13, "192.0.2.1"),
        ((b"a",), 60, 30, "None"),
        ((b"a",), 60, 45, "::1"),
    ]
    assert len(list(read_records(payload[:-1], 0, 9))) == 2
    assert len(list(read_records(payload[:35], 0, 9))) == 2
    assert len(list(read_records(payload, 0, 1))) == 1


def test_four_bytes_of_another_kind_are_no_address() -> None:
    assert Record((b"a",), 16, 60, 0, b"\1\2\3\4", b"").address is None
