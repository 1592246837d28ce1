"""Mechanisms as a server plays them, whatever the protocol around them is."""

from __future__ import annotations

import base64
import binascii
import struct
from collections.abc import Callable

from imitation.talk import Talk

Ask = Callable[[bytes], bytes | None]
"""Send a challenge, give the client's answer; None: it cancelled."""
LONG_AGO = b"<1896.697170952@postoffice.example.net>"


class Cancelled(Exception):
    """The client took back what it had begun."""


def decoded(text: bytes) -> bytes:
    """Undo base64; nonsense gives nothing."""
    bare = text.strip(b"=")
    try:
        return base64.b64decode(bare + b"=" * (-len(bare) % 4))
    except (binascii.Error, ValueError):
        return b""


def _need(answer: bytes | None) -> bytes:
    if answer is None:
        raise Cancelled
    return answer


def login(
    talk: Talk, mechanism: str, first: bytes | None, ask: Ask, challenges: tuple[str, str], json: str | None
) -> bool:
    """Play a mechanism to its end; give whether the client is let in. Raises Cancelled."""
    session = talk.session
    if mechanism == "PLAIN":
        parts = (first if first is not None else _need(ask(b""))).split(b"\0")
        user, secret = (parts[1], parts[2]) if len(parts) == 3 else (b"", b"")
        return session.accepts(mechanism, user.decode(errors="replace"), secret.decode(errors="replace"))
    if mechanism == "LOGIN":
        user = first if first is not None else _need(ask(challenges[0].encode()))
        secret = _need(ask(challenges[1].encode()))
        return session.accepts(mechanism, user.decode(errors="replace"), secret.decode(errors="replace"))
    if mechanism in ("XOAUTH2", "OAUTHBEARER"):
        blob = first if first is not None else _need(ask(b""))
        token = blob.partition(b"auth=Bearer ")[2].partition(b"\1")[0]
        if session.accepts(mechanism, None, token.decode(errors="replace")):
            return True
        if json is not None:
            ask(json.encode())
        return False
    if mechanism == "CRAM-MD5":
        _need(ask(LONG_AGO))
    elif mechanism == "NTLM":
        if first is None:
            _need(ask(b""))
        _need(ask(ntlm_challenge()))
    return session.accepts(mechanism, None, None)


def ntlm_challenge() -> bytes:
    """Give a type 2 message, MS-NLMP 2.2.1.2, with the names of a domain as Exchange tells them."""
    target = "CONTOSO".encode("utf-16-le")
    names = ((2, "CONTOSO"), (1, "MAIL01"), (4, "contoso.example"), (3, "mail01.contoso.example"))
    info = b"".join(
        struct.pack("<HH", kind, 2 * len(text)) + text.encode("utf-16-le") for kind, text in names
    )
    info += struct.pack("<HHQ", 7, 8, 133_500_000_000_000_000) + bytes(4)
    head = b"NTLMSSP\0" + struct.pack("<IHHII", 2, len(target), len(target), 56, 0xA2898205)
    head += bytes(range(8)) + bytes(8) + struct.pack("<HHI", len(info), len(info), 56 + len(target))
    return head + b"\x0a\x00\x63\x45\x00\x00\x00\x0f" + target + info
