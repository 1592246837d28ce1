"""ActiveSync's query is read in both of its forms."""

import base64
from collections.abc import Sequence

import pytest

from scanner.events import Label
from scanner.protocols.eas import TEXT_LENGTH, labels


def encoded(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


HEAD = b"\x8d\x00\x09\x04"
"""Version 14.1, Sync, a locale."""
DEVICE, POLICY = b"\x03\xab\xcd\xef", b"\x04\x01\x02\x03\x04"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        pytest.param(
            "Cmd=Sync&User=ann%40example.com&DeviceId=AB12&DeviceType=Fon",
            [
                ("eas.command", "Sync"),
                ("eas.user", "ann@example.com"),
                ("eas.device_id", "AB12"),
                ("eas.device_type", "Fon"),
            ],
            id="fields in clear",
        ),
        pytest.param(
            "cmd=Ping&DEVICEID=x", [("eas.command", "Ping"), ("eas.device_id", "x")], id="in any case"
        ),
        pytest.param("Other=1&SaveInSent=T", [], id="fields that nobody asked for"),
        pytest.param("Cmd=&DeviceId", [], id="fields without a value"),
        pytest.param("a&b", [], id="words without values"),
        pytest.param(
            encoded(HEAD + DEVICE + POLICY + b"\x03Fon"),
            [("eas.version", "14.1"), ("eas.device_id", "ABCDEF"), ("eas.device_type", "Fon")],
            id="fields in base64",
        ),
        pytest.param(
            encoded(HEAD + DEVICE + POLICY + b"\x04Fone"),
            [("eas.version", "14.1"), ("eas.device_id", "ABCDEF"), ("eas.device_type", "Fone")],
            id="fields in base64 that needed no filling",
        ),
        pytest.param(
            encoded(b"\xa1" + HEAD[1:] + b"\0\0\x03Fon"),
            [("eas.version", "16.1"), ("eas.device_type", "Fon")],
            id="neither a device nor a policy",
        ),
        pytest.param(
            encoded(HEAD + b"\x02\xab\xcd"),
            [("eas.version", "14.1"), ("eas.device_id", "ABCD")],
            id="nothing behind the device",
        ),
        pytest.param(
            encoded(HEAD + b"\xff\xab\xcd"),
            [("eas.version", "14.1"), ("eas.device_id", "ABCD")],
            id="a device longer than what is there",
        ),
        pytest.param(encoded(HEAD), [], id="too short to hold a device"),
        pytest.param("abcde", [], id="neither form"),
        pytest.param("\xe9\u20ac", [], id="letters that are not ASCII"),
        pytest.param("", [], id="no query"),
    ],
)
def test_what_a_query_says(query: str, expected: Sequence[tuple[str, str]]) -> None:
    assert list(labels(query)) == [Label(field, text) for field, text in expected]


def test_a_long_value_is_cut() -> None:
    assert list(labels("DeviceType=" + "x" * 999)) == [Label("eas.device_type", "x" * TEXT_LENGTH)]
