"""Only an AUTHENTICATE message names somebody, it and a CHALLENGE their machines, by what is inside alone."""

import base64
import struct

import pytest

from scanner.protocols.ntlm import NAME_LIMIT, NEGOTIATE, SIGNATURE, Machine, asked, machine, told, username
from scanner.session import Answer

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


def wide(text: str) -> bytes:
    return text.encode("utf-16-le")


def challenge(
    *pairs: tuple[int, str], flags: int = 0x0200_0001, version: bytes = b"\x0a\0\x63\x45\0\0\0\x0f"
) -> bytes:
    told = b"".join(struct.pack("<HH", kind, len(wide(text))) + wide(text) for kind, text in pairs) + bytes(4)
    head = SIGNATURE + struct.pack("<IHHIIQQ", 2, 0, 0, 56, flags, 0x1122334455667788, 0)
    return head + struct.pack("<HHI", len(told), len(told), 56) + version + told


PAIRS = ((2, "ACME"), (1, "FILES-3"), (4, "acme.example"), (3, "files-3.acme.example"), (5, "example"))
FILES_3 = Machine(("FILES-3", "files-3.acme.example"), ("ACME", "acme.example"), "10.0.17763")


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        pytest.param(challenge(*PAIRS), FILES_3, id="a member of a domain"),
        pytest.param(
            challenge((2, "NAS"), (1, "NAS"), (4, ""), (3, "nas"), version=bytes(8)),
            Machine(("NAS",), ("NAS",), None),
            id="a machine on its own, without a version",
        ),
        pytest.param(challenge(flags=1), Machine((), (), None), id="nothing told"),
        pytest.param(
            challenge(*PAIRS)[:100], Machine(("FILES-3",), ("ACME",), "10.0.17763"), id="what is told is cut"
        ),
        pytest.param(challenge(*PAIRS)[:47], None, id="a head that is cut"),
        pytest.param(
            authenticate("CORP", "ann"),
            Machine((), ("CORP",), None),
            id="a client that tells its domain alone",
        ),
        pytest.param(
            authenticate("", "", None), Machine((), (), None), id="the oldest form with nothing in it"
        ),
        pytest.param(authenticate("CORP", "ann", kind=1), None, id="a message that opens"),
        pytest.param(authenticate("CORP", "ann")[:51], None, id="a client's message that is cut"),
        pytest.param(b"", None, id="nothing"),
    ],
)
def test_which_machine_a_message_is_from(message: bytes, expected: Machine | None) -> None:
    assert machine(message) == expected


def test_a_name_that_lies_in_the_answers_is_none() -> None:
    message = bytearray(authenticate("CORP", "ann") + b"secret answer")
    message[12:20] = message[20:28] = struct.pack("<HHI", 13, 13, len(message) - 13)
    assert username(bytes(message)) == "CORP\\ann"
    message[36:44] = struct.pack("<HHI", 4, 4, len(message) - 15)
    assert username(bytes(message)) is None
    assert b"secret".decode("utf-16-le") not in repr(machine(bytes(message)))


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        pytest.param(
            challenge(*PAIRS),
            [
                ("ntlm.host", "files-3.acme.example"),
                ("ntlm.domain", "acme.example"),
                ("ntlm.version", "10.0.17763"),
            ],
            id="the names by DNS",
        ),
        pytest.param(
            challenge((2, "NAS"), (1, "NAS"), version=bytes(8)),
            [("ntlm.host", "NAS"), ("ntlm.domain", "NAS")],
            id="else those by NetBIOS",
        ),
        pytest.param(
            b"\xa1\x81\xb0" + challenge((1, "EX-1"), version=bytes(8)),
            [("ntlm.host", "EX-1")],
            id="within SPNEGO",
        ),
        pytest.param(challenge((1, " \0x"), flags=1), [], id="a name of nothing"),
        pytest.param(authenticate("CORP", "ann"), [], id="a client's message tells nothing of the server"),
        pytest.param(b"NTLM supported", [], id="something else"),
        pytest.param(b"", [], id="nothing"),
    ],
)
def test_what_a_challenge_tells_of_the_server(message: bytes, expected: list[tuple[str, str]]) -> None:
    assert told(message) == expected


def test_what_begins_ntlm_names_nobody() -> None:
    message = base64.b64decode(NEGOTIATE, validate=True)
    assert message[:12] == SIGNATURE + b"\1\0\0\0"
    assert len(message) == 40
    assert message[16:32] == bytes(16)
    assert username(message) is machine(message) is None


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        pytest.param(
            [b"334 ", b"334 TlRM"], [b"AUTH NTLM\r\n", NEGOTIATE + b"\r\n", b"*\r\n"], id="a challenge"
        ),
        pytest.param(
            [b"334 ", b"535 no"], [b"AUTH NTLM\r\n", NEGOTIATE + b"\r\n"], id="refused at the second step"
        ),
        pytest.param([b"504 no"], [b"AUTH NTLM\r\n"], id="refused at once"),
    ],
)
def test_ntlm_is_begun_and_cancelled(lines: list[bytes], expected: list[bytes]) -> None:
    said = asked(b"AUTH NTLM\r\n", b"334")
    assert [next(said), *(said.send(Answer((), line)) for line in lines[: len(expected) - 1])] == expected
    with pytest.raises(StopIteration):
        said.send(Answer((), b"501 cancelled" if len(expected) > 2 else lines[-1]))
