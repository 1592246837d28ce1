"""Write a ClientHello for one who only wants to read the answer and then hangs up.

Sources: RFC 8446 4.1.2 and 4.2, RFC 5246 7.4.1.2, RFC 6101 5.6.1.2, RFC 5746 3.4 (suite 0x00FF).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import sha256
from struct import pack

VERSIONS = {"SSLv3": 0x0300, "TLSv1": 0x0301, "TLSv1.1": 0x0302, "TLSv1.2": 0x0303, "TLSv1.3": 0x0304}
"""Oldest first."""
_SSL3, _TLS1, _TLS12, _TLS13 = 0x0300, 0x0301, 0x0303, 0x0304
_SUITES_13 = (0x1301, 0x1302, 0x1303, 0x1304)
_SUITES_12 = (
    0xC02C, 0xC030, 0xC02B, 0xC02F, 0xCCA9, 0xCCA8, 0xCCAA, 0x009F, 0x009E, 0x00A3, 0x00A2, 0x009D, 0x009C,
    0xC024, 0xC028, 0xC023, 0xC027, 0x006B, 0x0067, 0x003D, 0x003C,
)  # fmt: skip
_SUITES = (
    0xC00A, 0xC014, 0xC009, 0xC013, 0x0039, 0x0033, 0x0038, 0x0032, 0x0035, 0x002F, 0x0088, 0x0045, 0x0084,
    0x0041, 0xC008, 0xC012, 0x0016, 0x0013, 0x000A, 0xC007, 0xC011, 0x0005, 0x0004, 0x0096, 0x0007, 0x0015,
    0x0009, 0xC019, 0xC018, 0x003A, 0x0034, 0x0018, 0x0014, 0x0008, 0x0006, 0x0003, 0x0002, 0x0001,
)  # fmt: skip
"""What stacks before TLS 1.2 have: AES, Camellia, 3DES, RC4, SEED, IDEA, DES, and what should never be taken.

What a server takes of it is not judged: its version is wanted, and must not fail for want of a cipher.
"""
_RENEGOTIATION = 0x00FF
_GROUPS = (0x001D, 0x0017, 0x0018, 0x0019, 0x001E)
"""X25519, the NIST curves, X448."""
_SIGNATURES = (
    0x0403, 0x0503, 0x0603, 0x0807, 0x0808, 0x0804, 0x0805, 0x0806, 0x0809, 0x080A, 0x080B, 0x0401, 0x0501,
    0x0601, 0x0203, 0x0201, 0x0402, 0x0202,
)  # fmt: skip
"""RFC 8446 4.2.3, down to RSA, ECDSA and DSA with SHA-1, that old servers have nothing beside."""
_RANDOM = sha256(b"mailsunset").digest()
"""Nothing is ever encrypted with it: a hello may be the same each time."""
_HOST_NAME = re.compile(r"[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*")


def indicated(host: str | None) -> str | None:
    """A host's name as a client indicates it (RFC 6066 3), ASCII; None for addresses and what is no name."""
    try:
        name = (host or "").rstrip(".").encode("idna").decode("ascii")
    except UnicodeError:
        return None
    is_name = len(name) < 254 and _HOST_NAME.fullmatch(name) and not name.rpartition(".")[2].isdigit()
    return name if is_name else None


def client_hello(
    newest: str, host: str | None = None, suites: Sequence[int] = (), random: bytes = _RANDOM
) -> bytes:
    """A record with a hello that offers a version (``SSLv3`` to ``TLSv1.3``) and all before it.

    Without suites, all that a server of that age may have are offered. TLS 1.3 comes without a key: a server
    that takes it says so by asking for one (RFC 8446 4.2.8), which costs it no signature.
    """
    version = VERSIONS[newest]
    offered = suites or (
        *(_SUITES_13 if version >= _TLS13 else ()), *(_SUITES_12 if version >= _TLS12 else ()), *_SUITES
    )  # fmt: skip
    body = pack(">H", min(version, _TLS12)) + random + b"\0" + _numbers(2, *offered, _RENEGOTIATION) + b"\1\0"
    if version > _SSL3:
        body += _vector(2, _extensions(version, indicated(host)))
    message = b"\1" + _vector(3, body)
    return b"\x16" + pack(">H", min(version, _TLS1)) + _vector(2, message)


def _extensions(version: int, name: str | None) -> bytes:
    found: list[tuple[int, bytes]] = []
    if name:
        found.append((0, _vector(2, b"\0" + _vector(2, name.encode("ascii")))))
    found += [(10, _numbers(2, *_GROUPS)), (11, b"\1\0"), (23, b"")]
    if version >= _TLS12:
        found.append((13, _numbers(2, *_SIGNATURES)))
    if version >= _TLS13:
        found += [(43, _numbers(1, *range(_TLS13, _SSL3, -1))), (51, _vector(2, b""))]
    return b"".join(pack(">H", kind) + _vector(2, content) for kind, content in found)


def _vector(size: int, content: bytes) -> bytes:
    return len(content).to_bytes(size, "big") + content


def _numbers(size: int, *values: int) -> bytes:
    return _vector(size, b"".join(pack(">H", value) for value in values))
