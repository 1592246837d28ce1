"""The computer browser: how a Windows machine, or Samba, announces itself to its neighbours.

[MS-BRWS] 2.2 in a mailslot ([MS-MAIL] 2.2.1), in a transaction of SMB ([MS-CIFS] 2.2.4.33.1), in a NetBIOS
datagram (RFC 1002 4.4). Ignored: elections, requests for lists, and announcements that come in fragments.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from scanner.conversation import CLIENT, Transport
from scanner.events import Label
from scanner.protocols.announcement import announcing, clean
from scanner.protocols.dns_names import read_name
from scanner.session import Example

_DIRECT = frozenset({0x10, 0x11, 0x12})
_HEADER = 14
_TRANSACTION = b"\xffSMB\x25"
_WORDS_AT, _WORDS = 32, 33
_DATA_COUNT = 11 * 2
_SLOT = b"\\MAILSLOT\\BROWSE\0"
_HOST, _DOMAIN, _LOCAL_MASTER = 0x01, 0x0C, 0x0F
_FRAME = struct.Struct("<6x16sBBIBBH")
"""Name, version of the system, what it serves, version of the browser, and a signature."""


def read(payload: bytes) -> Iterator[Label]:
    """Read one datagram."""
    frame = _frame(payload)
    if len(frame) < _FRAME.size or frame[0] not in (_HOST, _DOMAIN, _LOCAL_MASTER):
        return
    raw, major, minor, *_ = _FRAME.unpack_from(frame)
    name, rest = clean(raw), clean(frame[_FRAME.size :])
    if frame[0] == _DOMAIN:
        # What stands in place of a machine's name is the domain's, in place of the comment its master's.
        told = [("browser.name", rest), ("nbns.group", name)]
    else:
        told = [("browser.name", name), ("browser.comment", rest), ("browser.version", f"{major}.{minor}")]
    for field, text in told:
        if text:
            yield Label(field, text)


def _frame(payload: bytes) -> bytes:
    """Find what was put into the mailslot; empty for anything else."""
    if len(payload) < _HEADER or payload[0] not in _DIRECT:
        return b""
    source, at = read_name(payload, _HEADER)
    target, at = read_name(payload, at)
    smb = payload[at:]
    if source is None or target is None or smb[: len(_TRANSACTION)] != _TRANSACTION:
        return b""
    if len(smb) < _WORDS + _DATA_COUNT + 4:
        return b""
    words = smb[_WORDS_AT] * 2
    slot = smb[_WORDS + words + 2 :][: len(_SLOT)]
    size, at = struct.unpack_from("<HH", smb, _WORDS + _DATA_COUNT)
    return smb[at : at + size] if slot.upper() == _SLOT else b""


_SAYS = (
    b"\x11\2\x12\x34\x0a\x09\0\3\0\x8a\0\xc8\0\0" + 2 * b"\x20EGEJEMEFFDCNDDCACACACACACACACAAA\0"
    + b"\xffSMB\x25" + bytes(27) + b"\x11\0\0\x2e" + bytes(19) + b"\x2e\0\x56\0\3\0\1\0\1\0\2\0\x3f\0" + _SLOT
    + b"\1\0\xc0\xd4\1\0FILES-3" + bytes(9) + b"\6\1\3\x9a\0\0\x0f\1\x55\xaafiles of acme\0"
)  # fmt: skip
_ANNOUNCED = Example(
    "a file server announces itself",
    ((CLIENT, _SAYS),),
    (
        Label("browser.name", "FILES-3"),
        Label("browser.comment", "files of acme"),
        Label("browser.version", "6.1"),
    ),
)

DIALECT = announcing("browser", Transport.UDP, frozenset({138}), read, (_ANNOUNCED,))
