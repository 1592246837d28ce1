"""Read who an NTLM AUTHENTICATE message is from; its challenge answer is not looked at.

Source: [MS-NLMP] 2.2.1.3.
"""

from __future__ import annotations

import struct

SIGNATURE = b"NTLMSSP\0"
_AUTHENTICATE = 3
_UNICODE = 1
NAME_LIMIT = 256
"""Bytes of a name read; Windows account and domain names are shorter."""


def username(message: bytes) -> str | None:
    """Give ``DOMAIN\\user`` or ``user`` of a type 3 message; None for any other message."""
    if not message.startswith(SIGNATURE) or len(message) < 52:
        return None
    if int.from_bytes(message[8:12], "little") != _AUTHENTICATE:
        return None
    flags = int.from_bytes(message[60:64], "little") if len(message) >= 64 else _UNICODE
    domain, user = _name(message, 28, flags), _name(message, 36, flags)
    if not user:
        return None
    return f"{domain}\\{user}" if domain else user


def _name(message: bytes, at: int, flags: int) -> str:
    length, _, offset = struct.unpack_from("<HHI", message, at)
    raw = message[offset : offset + min(length, NAME_LIMIT)]
    return raw.decode("utf-16-le" if flags & _UNICODE else "latin-1", "replace")
