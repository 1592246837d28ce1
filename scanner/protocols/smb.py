"""SMB: what both machines tell of themselves while a session is set up with NTLM.

[MS-SMB2] 2.2.5 and 2.2.6, [MS-CIFS] 2.2.4.53, with the messages of [MS-NLMP]. One segment stands for itself:
the server's challenge names it and its domain, the client's answer names the client; what it answers is not
looked at. Ignored: Kerberos, which names nobody in clear, and SMB 1 without extended security.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from scanner.conversation import CLIENT, SERVER, Transport
from scanner.events import Label
from scanner.protocols import ntlm
from scanner.protocols.announcement import announcing, clean
from scanner.session import Example

_MAGIC = (b"\xfeSMB", b"\xffSMB")
_FRAMING = 4
"""A zero and the length of the message ([MS-SMB2] 2.1, RFC 1002 4.3.1)."""


def read(payload: bytes) -> Iterator[Label]:
    """Read one segment that begins with a session setup; what it says is the sender's."""
    if payload[:1] != b"\0" or payload[_FRAMING : _FRAMING + 4] not in _MAGIC:
        return
    message = payload[: _FRAMING + int.from_bytes(payload[1:_FRAMING], "big")]
    at = message.find(ntlm.SIGNATURE)
    said = ntlm.machine(message[at:]) if at > 0 else None
    if not said:
        return
    labels = [("smb.name", name) for name in said.names] + [("smb.domain", name) for name in said.domains]
    for field, text in [*labels, ("smb.version", said.version or "")]:
        if cleaned := clean(text.encode("utf-8", "replace")):
            yield Label(field, cleaned)


def _setup(message: bytes, answered: bool = False) -> bytes:
    head = (
        b"\xfeSMB" + struct.pack("<HHIHHI", 64, 0, 0xC000_0016 if answered else 0, 1, 1, answered) + bytes(44)
    )
    size = len(message)
    body = struct.pack("<4H", 9, 0, 72, size) if answered else struct.pack("<HxB8xHH8x", 25, 1, 88, size)
    return (len(head + body) + size).to_bytes(4, "big") + head + body + message


def _setup_of_old(message: bytes) -> bytes:
    head = b"\xffSMB\x73" + bytes(4) + b"\x18\x07\xc8" + bytes(20)
    body = struct.pack("<B4H6xH4xIH", 12, 0xFF, 0, 4356, 50, len(message), 0x8000_0000, len(message))
    return (len(head + body) + len(message)).to_bytes(4, "big") + head + body + message


def _wide(text: str) -> bytes:
    return text.encode("utf-16-le")


def _challenge() -> bytes:
    pairs = ((2, "ACME"), (1, "FILES-3"), (4, "acme.example"), (3, "files-3.acme.example"))
    information = b"".join(struct.pack("<HH", kind, len(_wide(text))) + _wide(text) for kind, text in pairs)
    head = ntlm.SIGNATURE + struct.pack("<IHHII", 2, 0, 0, 56, 0x0288_0001) + b"Nonce-01" + bytes(8)
    return (
        head
        + struct.pack("<HHI", len(information) + 4, 0, 56)
        + b"\x0a\0\x63\x45\0\0\0\x0f"
        + information
        + bytes(4)
    )


def _answer() -> bytes:
    parts = [
        b"lm-answer-",
        b"nt-answer-that-is-secret",
        _wide("ACME"),
        _wide("ann"),
        _wide("PC-7"),
        b"session-key-",
    ]
    head, at = ntlm.SIGNATURE + struct.pack("<I", 3), 72
    for part in parts:
        head += struct.pack("<HHI", len(part), len(part), at)
        at += len(part)
    return head + struct.pack("<I", 0x0200_0001) + b"\x0a\0\x61\x4a\0\0\0\x0f" + b"".join(parts)


_SECRETS = (b"lm-answer", b"nt-answer", b"session-key", b"Nonce-01", b"ann")
_LOGIN = Example(
    "a server names itself, then a client does",
    ((SERVER, _setup(_challenge(), answered=True)), (CLIENT, _setup(_answer()))),
    (
        Label("smb.name", "FILES-3"),
        Label("smb.name", "files-3.acme.example"),
        Label("smb.domain", "ACME"),
        Label("smb.domain", "acme.example"),
        Label("smb.version", "10.0.17763"),
        Label("smb.name", "PC-7"),
        Label("smb.domain", "ACME"),
        Label("smb.version", "10.0.19041"),
    ),
    secrets=_SECRETS,
)
_OLD = Example(
    "a client of SMB 1 names itself",
    ((CLIENT, _setup_of_old(_answer())),),
    (Label("smb.name", "PC-7"), Label("smb.domain", "ACME"), Label("smb.version", "10.0.19041")),
    secrets=_SECRETS,
)

DIALECT = announcing("smb", Transport.TCP, frozenset({139, 445}), read, (_LOGIN, _OLD))
