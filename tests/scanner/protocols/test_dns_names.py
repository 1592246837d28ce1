"""Names and records as DNS writes them: whatever is cut, loops or grows ends reading."""

import struct

import pytest

from scanner.protocols.dns_names import (
    AAAA,
    QUESTIONS_SKIPPED,
    A,
    Header,
    Name,
    Record,
    read_header,
    read_message,
    read_name,
    read_records,
    written_name,
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


QUESTION = b"\x01a\0\0\1\0\1"


@pytest.mark.parametrize(
    ("count", "questions", "asked"),
    [
        pytest.param(0, b"", (), id="none"),
        pytest.param(1, QUESTION, (b"a",), id="one"),
        pytest.param(2, QUESTION + b"\x01b\0\0\1\0\1", (b"a",), id="the first of two"),
        pytest.param(3, QUESTION * 2, None, id="fewer than were promised"),
        pytest.param(1, QUESTION[:-1], None, id="one that is cut"),
        pytest.param(QUESTIONS_SKIPPED + 1, QUESTION * (QUESTIONS_SKIPPED + 1), None, id="a flood"),
    ],
)
def test_records_stand_behind_the_questions(count: int, questions: bytes, asked: Name | None) -> None:
    behind = b"" if asked is None else record(A, b"\xc0\0\2\1") * 3
    payload = struct.pack(">6H", 7, 0x8000, count, 1, 1, 1) + questions + behind
    header = read_header(payload)
    assert header == Header(0x8000, count, 1, 1, 1)
    for most in (2, 9):
        name, records = read_message(payload, header, most)
        assert name == (asked or ())
        assert len(list(records)) == (0 if asked is None else min(most, 3))


def test_a_header_that_is_cut_tells_nothing() -> None:
    assert read_header(b"\xff" * 11) == Header()


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


def test_a_name_is_read_as_it_was_written() -> None:
    name = (b"Third floor", b"_ipp", b"_tcp", b"local")
    assert read_name(written_name(name), 0) == (name, len(written_name(name)))
