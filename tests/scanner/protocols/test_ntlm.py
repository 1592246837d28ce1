"""Only an AUTHENTICATE message names somebody, and only by what is inside it."""

import struct

import pytest

from scanner.protocols.ntlm import NAME_LIMIT, SIGNATURE, username

UNICODE, OEM = 1, 2


def authenticate(
    domain: str, user: str, flags: int | None = UNICODE, encoding: str = "utf-16-le", kind: int = 3
) -> bytes:
    """A type 3 message; without flags it ends after the fields of the oldest form."""
    names = [domain.encode(encoding), user.encode(encoding)]
    offset = 52 if flags is None else 64
    fields = b""
    for name in names:
        fields += struct.pack("<HHI", len(name), len(name), offset)
        offset += len(name)
    head = SIGNATURE + struct.pack("<I", kind) + bytes(16) + fields + bytes(8)
    return head + (b"" if flags is None else bytes(8) + struct.pack("<I", flags)) + b"".join(names)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        pytest.param(authenticate("CORP", "ann"), "CORP\\ann", id="a domain and a user"),
        pytest.param(authenticate("", "ann@example.com"), "ann@example.com", id="a user without a domain"),
        pytest.param(authenticate("CORP", ""), None, id="a domain without a user is nobody"),
        pytest.param(authenticate("CORP", "jürgen"), "CORP\\jürgen", id="names may have any letter"),
        pytest.param(
            authenticate("CORP", "jürgen", OEM, "latin-1"), "CORP\\jürgen", id="names in the OEM code page"
        ),
        pytest.param(authenticate("", "", None), None, id="the oldest form with nothing in it"),
        pytest.param(authenticate("A", "b", None)[:52], None, id="names that lie beyond the end are none"),
        pytest.param(authenticate("", "u" * 200), "u" * (NAME_LIMIT // 2), id="a long name is cut"),
        pytest.param(authenticate("CORP", "ann", kind=1), None, id="a message that opens names nobody"),
        pytest.param(authenticate("CORP", "ann", kind=2), None, id="a challenge names nobody"),
        pytest.param(authenticate("CORP", "ann")[:51], None, id="a message that is cut"),
        pytest.param(b"KERBEROS" + bytes(80), None, id="something else"),
        pytest.param(b"", None, id="nothing"),
    ],
)
def test_who_a_message_is_from(message: bytes, expected: str | None) -> None:
    assert username(message) == expected


def test_an_odd_number_of_bytes_in_a_name_does_not_raise() -> None:
    message = bytearray(authenticate("", "ann"))
    message[36:38] = struct.pack("<H", 5)
    assert username(bytes(message)) == "an\N{REPLACEMENT CHARACTER}"
