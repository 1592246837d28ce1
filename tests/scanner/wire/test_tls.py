"""TLS records and handshake messages, however they are cut."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.wire.tls import LARGEST_MESSAGE, LARGEST_RECORD, Content, Messages, Record, Records


def record(content: int, payload: bytes, minor: int = 3) -> bytes:
    return bytes([content, 3, minor]) + len(payload).to_bytes(2, "big") + payload


def message(kind: int, body: bytes) -> bytes:
    return bytes([kind]) + len(body).to_bytes(3, "big") + body


STREAM = (
    record(22, b"\x01hello", minor=1)
    + record(20, b"\x01")
    + record(23, bytes(300))
    + record(23, b"")
    + record(21, b"\x01\0")
    + record(24, b"heartbeat")
)
FOUND = [
    (Content.HANDSHAKE, 6, b"\x01hello"),
    (Content.CHANGE_CIPHER_SPEC, 1, b"\x01"),
    (Content.APPLICATION_DATA, 300, b""),
    (Content.APPLICATION_DATA, 0, b""),
    (Content.ALERT, 2, b"\x01\0"),
    (24, 9, b"heartbeat"),
]


@settings(deadline=None)
@given(st.lists(st.integers(0, len(STREAM)), max_size=12))
def test_records_are_the_same_however_they_come(cuts: list[int]) -> None:
    records, found, ends = Records(), list[Record](), sorted(cuts)
    for begin, end in zip([0, *ends], [*ends, len(STREAM)], strict=True):
        found += records.push(STREAM[begin:end])
    assert found == FOUND
    assert not records.broken


def test_application_data_is_told_with_its_header_and_kept_nowhere() -> None:
    records = Records()
    assert list(records.push(record(23, bytes(1000))[:5])) == [(23, 1000, b"")]
    assert list(records.push(b"secret" * 100)) == []
    assert list(records.push(b"secret" * 67)) == []
    assert b"secret" not in repr([getattr(records, name) for name in Records.__slots__]).encode()


@pytest.mark.parametrize(
    ("before", "data", "length"),
    [
        pytest.param(b"", record(23, bytes(30)), 30, id="a record by itself"),
        pytest.param(b"", record(23, b""), 0, id="an empty one"),
        pytest.param(STREAM, record(23, bytes(30)), 30, id="behind whole ones"),
        pytest.param(b"", record(23, bytes(30))[:-1], None, id="one that is not whole"),
        pytest.param(b"", record(23, bytes(30)) * 2, None, id="two at once"),
        pytest.param(b"", record(22, bytes(30)), None, id="a handshake's"),
        pytest.param(b"", b"\x17\x03\x03", None, id="a piece of a header"),
        pytest.param(record(23, bytes(40))[:9], record(23, bytes(30)), None, id="the rest of another"),
        pytest.param(b"\x17", record(23, bytes(30)), None, id="behind a piece of a header"),
        pytest.param(b"GET / HTTP/1.1", record(23, bytes(30)), None, id="behind what is not TLS"),
    ],
)
def test_a_record_that_travels_alone_need_not_be_pushed(
    before: bytes, data: bytes, length: int | None
) -> None:
    records = Records()
    records.push(before)
    assert records.alone(data) == length


@pytest.mark.parametrize(
    ("data", "broken"),
    [
        pytest.param(b"220 mx.example.com\r\n", True, id="a greeting"),
        pytest.param(b"\x16\x02\0\0\x01\0", True, id="a major version that never was"),
        pytest.param(b"\x13\x03\0\0\x01\0", True, id="a content type below all"),
        pytest.param(b"\x19\x03\0\0\x01\0", True, id="a content type above all"),
        pytest.param(b"\x17\x03\x03" + (LARGEST_RECORD + 1).to_bytes(2, "big"), True, id="too long"),
        pytest.param(b"\x17\x03\x03" + LARGEST_RECORD.to_bytes(2, "big"), False, id="as long as may be"),
        pytest.param(b"\x16\x03\x01\0", False, id="a header that is not whole"),
    ],
)
def test_what_cannot_be_tls_is_told(data: bytes, broken: bool) -> None:
    records = Records()
    list(records.push(data))
    assert records.broken is broken


def test_nothing_is_read_behind_what_is_not_tls() -> None:
    records = Records()
    assert list(records.push(record(21, b"\x01\0") + b"GET / HTTP/1.1" + STREAM)) == [(21, 2, b"\x01\0")]
    assert list(records.push(STREAM)) == []


MESSAGES = [(1, b"hello"), (2, b""), (11, bytes(range(256)) * 4)]
FLIGHT = b"".join(message(*one) for one in MESSAGES)


@settings(deadline=None)
@given(st.lists(st.integers(0, len(FLIGHT)), max_size=12))
def test_messages_are_the_same_over_any_records(cuts: list[int]) -> None:
    messages, found, ends = Messages(), list[tuple[int, bytes]](), sorted(cuts)
    for begin, end in zip([0, *ends], [*ends, len(FLIGHT)], strict=True):
        found += messages.push(FLIGHT[begin:end])
    assert found == MESSAGES


def test_a_message_too_large_is_dropped_and_does_not_grow() -> None:
    messages = Messages()
    huge = b"\x0b" + (LARGEST_MESSAGE + 1).to_bytes(3, "big")
    assert list(messages.push(message(1, b"a") + huge)) == [(1, b"a")]
    assert list(messages.push(message(2, b"b"))) == [(2, b"b")]


@settings(deadline=None)
@given(st.lists(st.binary(max_size=40), max_size=8))
def test_bytes_of_any_kind_raise_nothing(pieces: list[bytes]) -> None:
    records, messages = Records(), Messages()
    for piece in pieces:
        for _, length, payload in records.push(piece):
            assert length >= len(payload)
        assert all(len(body) <= LARGEST_MESSAGE for _, body in messages.push(piece))
