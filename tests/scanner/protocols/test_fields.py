"""Cards, addresses, names and lists as options hold them."""

import struct

import pytest

from scanner.protocols.announcement import TEXT_LENGTH
from scanner.protocols.fields import LABELS_READ, VALUES_READ, address, card, domain_name, values

HEAD = struct.Struct(">HH")


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        pytest.param(b"\x02\0\0\0\0\x07", "02:00:00:00:00:07", id="a card"),
        pytest.param(bytes(6), None, id="zeros are none"),
        pytest.param(b"\x01\0\x5e\0\0\1", None, id="a group is no card"),
        pytest.param(b"\xff" * 6, None, id="all are no card"),
        pytest.param(b"\x02\0\0\0\0", None, id="one that is cut"),
        pytest.param(b"\x02" * 8, None, id="one of eight bytes"),
        pytest.param(b"", None, id="nothing"),
    ],
)
def test_a_card(raw: bytes, expected: str | None) -> None:
    assert card(raw) == expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        pytest.param(b"\x0a\0\0\7", "10.0.0.7", id="version 4"),
        pytest.param(b"\x20\x01\x0d\xb8" + bytes(11) + b"\1", "2001:db8::1", id="version 6"),
        pytest.param(bytes(4), None, id="none yet"),
        pytest.param(b"\0\0\0\7", None, id="this network"),
        pytest.param(b"\xe0\0\0\xfb", None, id="a group of version 4"),
        pytest.param(b"\xff" * 4, None, id="everybody"),
        pytest.param(bytes(16), None, id="none yet, of version 6"),
        pytest.param(b"\xff\x02" + bytes(14), None, id="a group of version 6"),
        pytest.param(b"\x0a\0\0", None, id="one that is cut"),
        pytest.param(b"", None, id="nothing"),
    ],
)
def test_an_address(raw: bytes, expected: str | None) -> None:
    assert address(raw) == expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        pytest.param(b"\x04copy\x04corp\0", "copy.corp", id="a name"),
        pytest.param(b"\x04Copy", "Copy", id="a part of a name, its capitals kept"),
        pytest.param(b"\x04copy\0\x04more\0", "copy", id="the first of two"),
        pytest.param(b"\x04cop", "", id="a label that is cut"),
        pytest.param(b"\x04copy\xc0\x00", "", id="a pointer is not allowed"),
        pytest.param(b"\0", "", id="the root"),
        pytest.param(b"", "", id="nothing"),
        pytest.param(b"\x01a" * 999, ".".join("a" * LABELS_READ)[:TEXT_LENGTH], id="labels without end"),
    ],
)
def test_a_domain_name(raw: bytes, expected: str) -> None:
    assert domain_name(raw) == expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        pytest.param(b"\0\1\0\2ab\0\2\0\0", [(1, b"ab"), (2, b"")], id="two, one of them empty"),
        pytest.param(b"\0\1\0\2ab\0\2\0\3ab", [(1, b"ab")], id="a value that is cut"),
        pytest.param(b"\0\1\0\2ab\0\2\0", [(1, b"ab")], id="a head that is cut"),
        pytest.param(bytes(4) * 999, [(0, b"")] * VALUES_READ, id="a flood"),
        pytest.param(b"", [], id="nothing"),
    ],
)
def test_codes_and_values(raw: bytes, expected: list[tuple[int, bytes]]) -> None:
    assert list(values(raw, HEAD)) == expected
