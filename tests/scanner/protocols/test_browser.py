"""A machine announces itself in a mailslot; what else is sent there tells nothing."""

import struct

import pytest

from scanner.events import Label
from scanner.protocols.browser import read

NAME = b"\x20EDEPFAEJEFFCCACACACACACACACACAAA\0"
HOST, DOMAIN, ELECTION, MASTER = 0x01, 0x0C, 0x08, 0x0F
SLOT = b"\\MAILSLOT\\BROWSE\0"


def frame(
    kind: int, name: bytes = b"COPIER", rest: bytes = b"third floor\0", version: bytes = b"\6\1"
) -> bytes:
    return bytes([kind, 0]) + bytes(4) + name.ljust(16, b"\0") + version + bytes(4) + b"\x0f\1\x55\xaa" + rest


def datagram(
    inside: bytes,
    kind: int = 0x11,
    slot: bytes = SLOT,
    command: int = 0x25,
    names: bytes = NAME * 2,
    at: int = 0,
) -> bytes:
    begin = 69 + len(slot)
    words = struct.pack("<4H", 0, len(inside), 0, 0) + bytes(14)
    words += struct.pack("<6H", len(inside), at or begin, 3, 1, 1, 2)
    smb = b"\xffSMB" + bytes([command]) + bytes(27) + b"\x11" + words + bytes(2) + slot + inside
    return bytes([kind]) + bytes(13) + names + smb


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        pytest.param(
            datagram(frame(HOST)),
            [
                Label("browser.name", "COPIER"),
                Label("browser.comment", "third floor"),
                Label("browser.version", "6.1"),
            ],
            id="a machine",
        ),
        pytest.param(
            datagram(frame(MASTER, rest=b"\0"), 0x10),
            [Label("browser.name", "COPIER"), Label("browser.version", "6.1")],
            id="a master without a comment",
        ),
        pytest.param(
            datagram(frame(DOMAIN, b"ACME", b"COPIER\0")),
            [Label("browser.name", "COPIER"), Label("nbns.group", "ACME")],
            id="a workgroup, by its master",
        ),
        pytest.param(
            datagram(frame(HOST, rest=b"")),
            [Label("browser.name", "COPIER"), Label("browser.version", "6.1")],
            id="a comment that is cut off",
        ),
        pytest.param(
            datagram(frame(HOST, b"\0"), slot=SLOT.lower()),
            [Label("browser.comment", "third floor"), Label("browser.version", "6.1")],
            id="no name, and a slot in small letters",
        ),
        pytest.param(datagram(frame(ELECTION)), [], id="an election"),
        pytest.param(datagram(frame(HOST)[:31]), [], id="an announcement that is cut"),
        pytest.param(datagram(frame(HOST), slot=b"\\MAILSLOT\\NET\\NETLOGON\0"), [], id="another slot"),
        pytest.param(datagram(frame(HOST), command=0x26), [], id="another command"),
        pytest.param(datagram(frame(HOST), 0x13), [], id="a datagram that could not be delivered"),
        pytest.param(datagram(frame(HOST), at=9999), [], id="a place behind the end"),
        pytest.param(datagram(frame(HOST), names=b"\x01a" * 99), [], id="names without end"),
        pytest.param(datagram(frame(HOST), names=NAME), [], id="a name is missing"),
        pytest.param(b"\x11", [], id="a head that is cut"),
        pytest.param(b"", [], id="nothing"),
    ],
)
def test_what_is_announced(payload: bytes, expected: list[Label]) -> None:
    assert list(read(payload)) == expected


def test_a_cut_anywhere_raises_nothing() -> None:
    whole = datagram(frame(HOST))
    told = list(read(whole))
    for size in range(len(whole)):
        said = list(read(whole[:size]))
        assert not said or (said[0], said[-1]) == (told[0], told[-1])
