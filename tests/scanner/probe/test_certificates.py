"""Certificates as devices show them: good ones, odd ones, and bytes that are none."""

from __future__ import annotations

import warnings
from datetime import UTC, datetime
from functools import cache
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from scanner.probe.certificates import CERTIFICATE_LIMIT, NAMES_KEPT, TEXT_LENGTH, shown

Key = (
    rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | dsa.DSAPrivateKey | ed25519.Ed25519PrivateKey
    | ed448.Ed448PrivateKey
)  # fmt: skip
BEGUN = datetime(2026, 1, 1, tzinfo=UTC)
ENDS = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
"""RFC 5280 4.1.2.5: of what never expires."""


@cache
def curve_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def name(common: str | None, organisation: str | None = None) -> x509.Name:
    given_names = ((NameOID.COMMON_NAME, common), (NameOID.ORGANIZATION_NAME, organisation))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        attributes = [x509.NameAttribute(kind, text, _validate=False) for kind, text in given_names if text]
    return x509.Name(attributes)


def made(
    subject: x509.Name,
    issuer: x509.Name | None = None,
    names: tuple[x509.GeneralName, ...] = (),
    key: Key | None = None,
    by: Key | None = None,
) -> bytes:
    key = key or curve_key()
    builder = x509.CertificateBuilder(issuer or subject, subject, key.public_key(), 7, BEGUN, ENDS)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    plain = isinstance(key, ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey)
    signed = builder.sign(by or key, None if plain else hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.DER)


PRINTER = name("printer.example", "Maker")


def test_all_that_is_told() -> None:
    names = (
        x509.DNSName("printer.example"),
        x509.RFC822Name("root@printer.example"),
        x509.IPAddress(ip_address("192.0.2.1")),
        x509.IPAddress(ip_address("2001:db8::1")),
    )
    found = shown(made(PRINTER, name("Authority", "Trust"), names))
    assert found is not None
    assert (found.subject, found.issuer) == ("printer.example", "Authority")
    assert found.names == ("printer.example", "192.0.2.1", "2001:db8::1")
    assert found.not_before == 1_767_225_600 * 10**9
    assert found.not_after == 253_402_300_799 * 10**9
    assert (found.key, found.signature, found.self_signed) == ("EC secp256r1", "sha256", False)


@pytest.mark.parametrize(
    ("key", "kind", "signature"),
    [
        (rsa.generate_private_key(65537, 1024), "RSA 1024", "sha256"),
        (ec.generate_private_key(ec.SECP384R1()), "EC secp384r1", "sha256"),
        (dsa.generate_private_key(1024), "DSA 1024", "sha256"),
        (ed25519.Ed25519PrivateKey.generate(), "Ed25519", "ed25519"),
        (ed448.Ed448PrivateKey.generate(), "Ed448", "ed448"),
    ],
)
def test_keys_and_signatures(key: Key, kind: str, signature: str) -> None:
    found = shown(made(PRINTER, key=key))
    assert found is not None
    assert (found.key, found.signature, found.self_signed) == (kind, signature, True)


@pytest.mark.parametrize(
    ("subject", "issuer", "expected"),
    [
        pytest.param(PRINTER, name(None, "Trust"), ("printer.example", "Trust"), id="an issuer with no name"),
        pytest.param(x509.Name([]), x509.Name([]), (None, None), id="nobody"),
        pytest.param(name("n" * 300), PRINTER, ("n" * TEXT_LENGTH, "printer.example"), id="a name too long"),
    ],
)
def test_names_that_are_missing_or_too_long(
    subject: x509.Name, issuer: x509.Name, expected: tuple[str | None, str | None]
) -> None:
    found = shown(made(subject, issuer))
    assert found is not None
    assert (found.subject, found.issuer) == expected


def test_names_are_bounded() -> None:
    found = shown(made(PRINTER, names=tuple(x509.DNSName(f"{n}.example") for n in range(NAMES_KEPT + 1))))
    assert found is not None
    assert len(found.names) == NAMES_KEPT


def test_equal_names_alone_are_no_signature_of_its_own() -> None:
    found = shown(made(PRINTER, PRINTER, by=ec.generate_private_key(ec.SECP256R1())))
    assert found is not None
    assert not found.self_signed


SERIAL, VERSION, COMMON_NAME = b"\x02\x01\x07", b"\xa0\x03\x02\x01\x02", b"\x0c\x0fprinter.example"
ECDSA_SHA256, P256 = b"\x2a\x86\x48\xce\x3d\x04\x03\x02", b"\x2a\x86\x48\xce\x3d\x03\x01\x07"
READ = ("printer.example", "EC secp256r1", "sha256")


@pytest.mark.parametrize(
    ("whole", "odd", "expected"),
    [
        pytest.param(SERIAL, b"\x02\x01\xf9", READ, id="a negative serial"),
        pytest.param(SERIAL, b"\x02\x01\x00", READ, id="a serial of zero"),
        pytest.param(
            ECDSA_SHA256,
            ECDSA_SHA256[:-1] + b"\x63",
            (*READ[:2], "1.2.840.10045.4.3.99"),
            id="a new signature",
        ),
        pytest.param(P256, P256[:-1] + b"\x63", (READ[0], "", READ[2]), id="a curve that nobody knows"),
        pytest.param(COMMON_NAME, b"\x03\x0f\0rinter.example", (None, *READ[1:]), id="a name of bits"),
    ],
)
def test_what_is_odd_spoils_itself_alone(
    whole: bytes, odd: bytes, expected: tuple[str | None, str, str]
) -> None:
    found = shown(made(PRINTER).replace(whole, odd))
    assert found is not None
    assert (found.subject, found.key, found.signature) == expected


def test_names_that_cannot_be_read_are_left_out() -> None:
    der = made(PRINTER, names=(x509.DNSName("printer.example"),))
    found = shown(der.replace(b"\x82\x0fprinter.example", b"\xff\x0fprinter.example"))
    assert found is not None
    assert (found.subject, found.names) == ("printer.example", ())


def test_version_1_has_no_extensions_and_is_read() -> None:
    der = made(name("printer.example", "M" * 60))
    assert (der[1], der[5]) == (0x82, 0x82), "lengths of two bytes"
    inner = der[8:].replace(VERSION, b"", 1)
    size, whole = int.from_bytes(der[6:8], "big") - 5, int.from_bytes(der[2:4], "big") - 5
    found = shown(b"\x30\x82" + whole.to_bytes(2, "big") + b"\x30\x82" + size.to_bytes(2, "big") + inner)
    assert found is not None
    assert found.subject == "printer.example"


@pytest.mark.parametrize(
    "der",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(made(PRINTER)[:-1], id="a certificate that is cut"),
        pytest.param(made(PRINTER).replace(b"260101000000Z", b"261301000000Z"), id="a thirteenth month"),
        pytest.param(bytes(CERTIFICATE_LIMIT + 1), id="too much"),
    ],
)
def test_what_is_no_certificate(der: bytes) -> None:
    assert shown(der) is None


WHOLE = made(PRINTER, names=(x509.DNSName("a.example"), x509.IPAddress(ip_address("192.0.2.1"))))


@given(st.data())
def test_any_change_is_survived(data: st.DataObject) -> None:
    der = bytearray(WHOLE)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(der) - 1))
        der[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    shown(bytes(der))


@given(st.binary(max_size=200))
def test_any_bytes_are_survived(der: bytes) -> None:
    assert shown(der) is None
