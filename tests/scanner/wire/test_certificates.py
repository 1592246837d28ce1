"""The names in a certificate, out of DER written by hand (X.690, RFC 5280 4.1)."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.events import Certificate
from scanner.wire.certificates import NAMES_KEPT, TEXT_LENGTH, certificate

COUNTRY, ORGANISATION, COMMON_NAME = (b"\x55\x04" + last for last in (b"\x06", b"\x0a", b"\x03"))
ALTERNATIVE_NAMES, BASIC_CONSTRAINTS = b"\x55\x1d\x11", b"\x55\x1d\x13"
DNS, ADDRESS, MAILBOX = 0x82, 0x87, 0x81
UTF8 = 0x0C


def der(tag: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    if len(body) < 0x80:
        return bytes([tag, len(body)]) + body
    size = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(size)]) + size + body


def name(*pairs: tuple[bytes, bytes]) -> bytes:
    return der(0x30, *(der(0x31, der(0x30, der(6, kind), der(UTF8, text))) for kind, text in pairs))


def alternatives(*names: tuple[int, bytes], critical: bool = False) -> bytes:
    inner = der(4, der(0x30, *(der(tag, text) for tag, text in names)))
    return der(0x30, der(6, ALTERNATIVE_NAMES), der(1, b"\xff") if critical else b"", inner)


def signed(
    subject: bytes, issuer: bytes, *extensions: bytes, version: bytes = b"\xa0\x03\x02\x01\x02"
) -> bytes:
    """A certificate whose key and signature are empty."""
    algorithm = der(0x30, der(6, b"\x2a"))
    validity = der(0x30, der(0x17, b"260101000000Z"), der(0x17, b"270101000000Z"))
    parts = [version, der(2, b"\x05"), algorithm, issuer, validity, subject, der(0x30)]
    if extensions:
        parts.append(der(0xA3, der(0x30, *extensions)))
    return der(0x30, der(0x30, *parts), algorithm, der(3, b"\0"))


def message(*chain: bytes) -> bytes:
    """RFC 5246 7.4.2."""
    entries = b"".join(len(one).to_bytes(3, "big") + one for one in chain)
    return len(entries).to_bytes(3, "big") + entries


SUBJECT = name((COUNTRY, b"XX"), (ORGANISATION, b"Example"), (COMMON_NAME, b"mail.example.com"))
ISSUER = name((COUNTRY, b"XX"), (ORGANISATION, b"Example Trust"), (COMMON_NAME, b"Example CA 1"))
CONSTRAINTS = der(0x30, der(6, BASIC_CONSTRAINTS), der(1, b"\xff"), der(4, der(0x30)))
NAMES = alternatives((DNS, b"mail.example.com"), (ADDRESS, b"\xc0\0\x02\x01"), (DNS, b"*.example.com"))
WHOLE = message(signed(SUBJECT, ISSUER, CONSTRAINTS, NAMES), signed(ISSUER, ISSUER))
READ = Certificate("mail.example.com", ("mail.example.com", "*.example.com"), "Example Trust")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(WHOLE, READ, id="the first of a chain"),
        pytest.param(
            message(signed(SUBJECT, ISSUER, version=b"")),
            Certificate("mail.example.com", (), "Example Trust"),
            id="X.509 version 1, without extensions",
        ),
        pytest.param(
            message(signed(name(), ISSUER, alternatives((DNS, b"a.example"), critical=True))),
            Certificate(None, ("a.example",), "Example Trust"),
            id="no subject, critical names",
        ),
        pytest.param(
            message(signed(SUBJECT, name((COMMON_NAME, b"Only a name")))),
            Certificate("mail.example.com", (), None),
            id="an issuer without organisation",
        ),
        pytest.param(
            message(signed(SUBJECT, ISSUER, alternatives((MAILBOX, b"ann@example.com")))),
            Certificate("mail.example.com", (), "Example Trust"),
            id="names of other kinds",
        ),
        pytest.param(
            message(signed(name((COMMON_NAME, "Gerät".encode())), ISSUER)),
            Certificate("Gerät", (), "Example Trust"),
            id="UTF-8",
        ),
        pytest.param(message(), None, id="an empty chain"),
        pytest.param(b"", None, id="nothing"),
        pytest.param(message(der(0x30)), None, id="an empty certificate"),
    ],
)
def test_names_of_a_certificate(body: bytes, expected: Certificate | None) -> None:
    assert certificate(body) == expected


def test_names_are_bounded_in_number_and_length() -> None:
    many = alternatives(*((DNS, b"%d.example" % number) for number in range(NAMES_KEPT + 9)))
    found = certificate(message(signed(name((COMMON_NAME, b"x" * 999)), ISSUER, many)))
    assert found is not None
    assert (len(found.names), len(found.subject or "")) == (NAMES_KEPT, TEXT_LENGTH)
    assert found.names[-1] == f"{NAMES_KEPT - 1}.example"
    long = certificate(message(signed(SUBJECT, ISSUER, alternatives((DNS, b"y" * 999)))))
    assert long is not None
    assert len(long.names[0]) == TEXT_LENGTH


def test_a_certificate_that_is_cut_gives_nothing() -> None:
    first = 3 + 3 + int.from_bytes(WHOLE[3:6], "big")
    assert not [size for size in range(first) if certificate(WHOLE[:size])]


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=12), st.integers(0, len(WHOLE)), st.integers(0, 12))
def test_bytes_of_any_kind_raise_nothing(noise: bytes, at: int, gone: int) -> None:
    for body in (WHOLE[:at] + noise + WHOLE[at + gone :], noise):
        assert isinstance(certificate(body), Certificate | None)
