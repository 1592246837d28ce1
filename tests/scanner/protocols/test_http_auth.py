"""An Authorization header gives a mechanism and a name, a WWW-Authenticate header gives mechanisms."""

import base64
import struct
from collections.abc import Sequence

import pytest

from scanner.protocols.http_auth import SERVICES, Credentials, credentials, offered, service
from scanner.protocols.sasl import NAME_LENGTH


def b64(raw: bytes) -> bytes:
    return base64.b64encode(raw)


NTLM_OPEN = b"NTLMSSP\0\x01\0\0\0" + bytes(40)
NTLM_FINAL = (
    b"NTLMSSP\0\x03\0\0\0"
    + bytes(16)
    + struct.pack("<HHIHHI", 8, 8, 64, 6, 6, 72)
    + bytes(16)
    + b"\x01\0\0\0"
    + "CORPann".encode("utf-16-le")
)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param(
            b"Basic " + b64(b"ann@example.com:secret-1"),
            Credentials("HTTP-Basic", "ann@example.com", final=True),
            id="Basic with a name",
        ),
        pytest.param(
            b"  bAsIc   " + b64(b"CORP\\ann:a:b:c") + b" ",
            Credentials("HTTP-Basic", "CORP\\ann", final=True),
            id="Basic in any case, with colons in the password",
        ),
        pytest.param(
            b"Basic " + b64(b":secret-1"), Credentials("HTTP-Basic", None, final=True), id="Basic, no name"
        ),
        pytest.param(
            b"Basic abcde", Credentials("HTTP-Basic", None, final=True), id="Basic that is no base64"
        ),
        pytest.param(b"Basic", Credentials("HTTP-Basic", None, final=True), id="Basic with nothing behind"),
        pytest.param(
            b"Basic " + b64(b"u" * 999 + b":secret-1"),
            Credentials("HTTP-Basic", "u" * NAME_LENGTH, final=True),
            id="a long name is cut",
        ),
        pytest.param(
            b"Bearer secret-1", Credentials("HTTP-Bearer", None, final=True), id="a token is not read"
        ),
        pytest.param(
            b'MSAuth1.0 usertoken="secret-1", type="MSACT"',
            Credentials("HTTP-MSAuth", None, final=True),
            id="nor is the web mail's",
        ),
        pytest.param(
            b'Digest realm="x", username="ann", response="secret-1"',
            Credentials("HTTP-Digest", "ann", final=True),
            id="Digest with a name",
        ),
        pytest.param(
            b'Digest username="CORP\\\\ann", realm="x"',
            Credentials("HTTP-Digest", "CORP\\ann", final=True),
            id="Digest with a backslash in the name",
        ),
        pytest.param(
            b'Digest response="secret-1"', Credentials("HTTP-Digest", None, final=True), id="Digest, no name"
        ),
        pytest.param(
            b'Digest username=""', Credentials("HTTP-Digest", None, final=True), id="Digest, an empty name"
        ),
        pytest.param(b"NTLM " + b64(NTLM_OPEN), Credentials("HTTP-NTLM", None, final=False), id="NTLM opens"),
        pytest.param(
            b"NTLM " + b64(NTLM_FINAL),
            Credentials("HTTP-NTLM", "CORP\\ann", final=True),
            id="NTLM names somebody",
        ),
        pytest.param(b"NTLM", Credentials("HTTP-NTLM", None, final=False), id="NTLM with nothing behind"),
        pytest.param(
            b"Negotiate " + b64(b"\x60\x28\x06\x06" + NTLM_OPEN),
            Credentials("HTTP-NTLM", None, final=False),
            id="NTLM inside Negotiate opens",
        ),
        pytest.param(
            b"Negotiate " + b64(b"\xa1\x28" + NTLM_FINAL),
            Credentials("HTTP-NTLM", "CORP\\ann", final=True),
            id="NTLM inside Negotiate names somebody",
        ),
        pytest.param(
            b"Negotiate " + b64(b"\x60\x82ticket"),
            Credentials("HTTP-Negotiate", None, final=True),
            id="a Kerberos ticket",
        ),
        pytest.param(
            b"Kerberos " + b64(b"ticket"),
            Credentials("HTTP-Negotiate", None, final=True),
            id="Kerberos by its own name",
        ),
        pytest.param(b"Hawk id=x", None, id="a scheme that has no name here"),
        pytest.param(b"", None, id="nothing"),
    ],
)
def test_who_logs_in(value: bytes, expected: Credentials | None) -> None:
    found = credentials(value)
    assert found == expected
    assert "secret" not in repr(found)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param(b"NTLM", ["HTTP-NTLM"], id="one scheme alone"),
        pytest.param(b'Basic realm="mail"', ["HTTP-Basic"], id="a scheme with a realm"),
        pytest.param(b'Basic realm=""', ["HTTP-Basic"], id="a scheme with an empty realm"),
        pytest.param(
            b'Negotiate, NTLM, Basic realm="x"',
            ["HTTP-Negotiate", "HTTP-NTLM", "HTTP-Basic"],
            id="three schemes in a line",
        ),
        pytest.param(
            b'Digest realm="x", nonce="y", algorithm=MD5, Basic realm="x"',
            ["HTTP-Digest", "HTTP-Basic"],
            id="parameters are no schemes",
        ),
        pytest.param(
            b'Bearer client_id="x", authorization_uri="https://login.example.com/"',
            ["HTTP-Bearer"],
            id="a token is asked for",
        ),
        pytest.param(b"NTLM TlRMTVNTUAACAAAA", ["HTTP-NTLM"], id="a challenge"),
        pytest.param(b"Hawk", [], id="a scheme that has no name here"),
        pytest.param(b"", [], id="nothing"),
    ],
)
def test_what_is_offered(value: bytes, expected: Sequence[str]) -> None:
    assert offered(value) == tuple(expected)


@pytest.mark.parametrize(("start", "name"), SERVICES, ids=[name.decode() for name, _ in SERVICES])
def test_a_directory_is_a_service(start: bytes, name: str) -> None:
    assert service(start.upper() + b"x") == name


def test_a_directory_without_its_slash_is_a_service() -> None:
    assert service(b"/EWS") == "ews"


@pytest.mark.parametrize("path", [b"/", b"/ewsx", b"/x/ews/", b""])
def test_another_path_is_no_service(path: bytes) -> None:
    assert service(path) is None
