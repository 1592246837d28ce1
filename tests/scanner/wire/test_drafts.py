"""TLS 1.3 was in use before it had its number."""

import pytest

from scanner.wire.hellos import server_hello


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        pytest.param(b"\x03\x04", "TLSv1.3", id="the standard"),
        pytest.param(b"\x7f\x1c", "TLSv1.3", id="draft 28"),
        pytest.param(b"\xfb\x1a", "TLSv1.3", id="Facebook's 26"),
        pytest.param(b"\x05\x05", "0x0505", id="nobody's"),
    ],
)
def test_a_draft_is_told_as_what_it_became(version: bytes, expected: str) -> None:
    chosen = b"\0\x2b\0\2" + version
    body = b"\x03\x03" + bytes(32) + b"\0" + b"\x13\x01" + b"\0" + len(chosen).to_bytes(2, "big") + chosen
    choice = server_hello(body)
    assert choice is not None
    assert choice.version == expected
