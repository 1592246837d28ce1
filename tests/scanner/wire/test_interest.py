"""What a payload must begin with to be the first of its connection."""

import pytest

from scanner.wire.interest import begins_like_mail, begins_tls


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        pytest.param(b"220 mx ESMTP\r\n", True, id="a greeting"),
        pytest.param(b"EHLO a\r\n", True, id="a client that says hello"),
        pytest.param(b"250 ok\r\n", False, id="an answer"),
        pytest.param(b"22", False, id="too little"),
    ],
)
def test_mail_begins_with_a_mark(payload: bytes, expected: bool) -> None:
    assert begins_like_mail(payload) is expected


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        pytest.param(b"\x16\x03\x01\x02\0\x01\0\x01\xfc", True, id="a hello"),
        pytest.param(b"\x16\x03\x03\0\x2a\x02", False, id="a server's hello"),
        pytest.param(b"\x17\x03\x03\0\x2a\x01", False, id="data"),
        pytest.param(b"\x16\x03\x01\x02\0", False, id="too little"),
        pytest.param(b"", False, id="nothing"),
    ],
)
def test_tls_begins_with_a_hello(payload: bytes, expected: bool) -> None:
    assert begins_tls(payload) is expected
