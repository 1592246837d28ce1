"""Both machines name themselves while a session is set up; nothing of the login shows."""

import struct

import pytest

from scanner.events import Label
from scanner.protocols.smb import DIALECT, read

SMB1, SMB2 = b"\xffSMB\x73", b"\xfeSMB\x40\0\0\0\0\0\0\0\x01\0"
SPNEGO = bytes.fromhex("a181b73081b4a0030a0101a2")


def wide(text: str) -> bytes:
    return text.encode("utf-16-le")


def answer(
    domain: str = "ACME", workstation: str = "PC-7", version: bytes = b"\x0a\0\x61\x4a\0\0\0\x0f"
) -> bytes:
    parts = [b"L" * 24, b"N" * 200, wide(domain), wide("ann"), wide(workstation), b"K" * 16]
    head, at = b"NTLMSSP\0\3\0\0\0", 72
    for part in parts:
        head += struct.pack("<HHI", len(part), len(part), at)
        at += len(part)
    return head + struct.pack("<I", 0x0200_0001) + version + b"".join(parts)


def setup(message: bytes, magic: bytes = SMB2, before: bytes = SPNEGO) -> bytes:
    inside = magic + bytes(60) + before + message
    return len(inside).to_bytes(4, "big") + inside


CLIENT = [
    Label("smb.name", "PC-7"),
    Label("smb.domain", "ACME"),
    Label("smb.version", "10.0.19041"),
]


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        pytest.param(setup(answer()), CLIENT, id="SMB 2, in SPNEGO"),
        pytest.param(setup(answer(), before=b""), CLIENT, id="SMB 2, bare"),
        pytest.param(setup(answer(), SMB1), CLIENT, id="SMB 1"),
        pytest.param(setup(answer(version=bytes(8))), CLIENT[:2], id="no version"),
        pytest.param(setup(answer("", "\0")), CLIENT[2:], id="no names"),
        pytest.param(setup(answer())[:-16], CLIENT, id="the end is in another segment"),
        pytest.param(setup(answer(), b"\xfdSMB"), [], id="what is encrypted"),
        pytest.param(b"\x85" + setup(answer())[1:], [], id="NetBIOS keeps a session alive"),
        pytest.param(setup(b"NTLMSSP\0\1\0\0\0" + bytes(60)), [], id="a message that opens"),
        pytest.param(setup(b"\x60\x82\x06\x06" + bytes(60)), [], id="Kerberos"),
        pytest.param(b"\0\0\0\x40" + setup(answer())[4:], [], id="behind the end of the message"),
        pytest.param(setup(answer())[:30], [], id="a head that is cut"),
        pytest.param(b"", [], id="nothing"),
    ],
)
def test_who_sets_a_session_up(payload: bytes, expected: list[Label]) -> None:
    assert list(read(payload)) == expected


def test_wherever_a_name_is_said_to_lie_no_answer_shows() -> None:
    message = answer()
    for field in (28, 44):
        for at in range(0, len(message) + 8):
            for size in (2, 24, 255):
                pointed = message[:field] + struct.pack("<HHI", size, size, at) + message[field + 8 :]
                told = repr(list(read(setup(pointed))))
                hidden = ["LL", "NN", "KK", wide("LL").decode(), "\u4c4c", "\u4e4e", "\u4b4b"]
                assert not [text for text in hidden if text in told]


def test_segments_are_read_for_themselves() -> None:
    assert (DIALECT.alone, DIALECT.transport, DIALECT.ports) == (True, "tcp", {139, 445})
