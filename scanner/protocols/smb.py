"""SMB: what both machines tell of themselves while a session is set up with NTLM.

[MS-SMB2] 2.2.5 and 2.2.6, [MS-CIFS] 2.2.4.53, with the messages of [MS-NLMP]. One segment stands for itself:
the server's challenge names it and its domain, the client's answer names the client; what it answers is not
looked at. Ignored: Kerberos, which names nobody in clear, and SMB 1 without extended security.
"""

from __future__ import annotations

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


_SERVER_SAYS = (
    b"\0\0\0\xea\xfeSMB\x40\0\0\0\x16\0\0\xc0\1\0\1\0\1" + bytes(47) + b"\x09\0\0\0\x48\0\xa2\0"
    b"NTLMSSP\0\2\0\0\0\0\0\0\0\x38\0\0\0\1\0\x88\2Nonce-01" + bytes(8)
    + b"\x6a\0\0\0\x38\0\0\0\x0a\0\x63\x45\0\0\0\x0f\2\0\x08\0A\0C\0M\0E\0\1\0\x0e\0F\0I\0L\0E\0S\0-\0003\0"
    b"\4\0\x18\0a\0c\0m\0e\0.\0e\0x\0a\0m\0p\0l\0e\0\3\0\x28\0f\0i\0l\0e\0s\0-\0003\0.\0a\0c\0m\0e\0"
    b".\0e\0x\0a\0m\0p\0l\0e\0\0\0\0\0"
)  # fmt: skip
_CLIENT_SAYS = (
    b"\0\0\0\xe4\xfeSMB\x40\0\0\0\0\0\0\0\1\0\1" + bytes(49)
    + b"\x19\0\0\1" + bytes(8) + b"\x58\0\x8c" + bytes(9)
    + b"NTLMSSP\0\3\0\0\0\x0a\0\x0a\0\x48\0\0\0\x18\0\x18\0\x52\0\0\0\x08\0\x08\0\x6a\0\0\0\6\0\6\0\x72\0\0\0"
    b"\x08\0\x08\0\x78\0\0\0\x0c\0\x0c\0\x80\0\0\0\1\0\0\2\x0a\0\x61\x4a\0\0\0\x0f"
    b"lm-answer-nt-answer-that-is-secretA\0C\0M\0E\0a\0n\0n\0P\0C\0-\0007\0session-key-"
)  # fmt: skip
_LOGIN = Example(
    "a server names itself, then a client does",
    ((SERVER, _SERVER_SAYS), (CLIENT, _CLIENT_SAYS)),
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
    secrets=(b"lm-answer", b"nt-answer", b"session-key", b"Nonce-01", b"ann"),
)

DIALECT = announcing("smb", Transport.TCP, frozenset({139, 445}), read, (_LOGIN,))
