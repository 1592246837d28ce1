"""TLS cipher suites: IANA's names, and how much larger a record is than the plaintext in it."""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from importlib.resources import files
from itertools import chain
from typing import NamedTuple

TLS13 = "TLSv1.3"


class Kind(StrEnum):
    """How records are protected."""

    AEAD = "aead"
    CBC = "cbc"
    STREAM = "stream"


_CBC = Kind.CBC


class Protection(NamedTuple):
    """What a cipher suite adds to a plaintext; bytes."""

    kind: Kind
    overhead: int
    """Nonce, tag or MAC, content type."""
    block: int = 1
    """Padded to this."""


@cache
def _names() -> dict[int, str]:
    lines = files("scanner.wire").joinpath("ciphers.txt").read_text("ascii").splitlines()
    rows = (line.split() for line in lines if not line.startswith("#"))
    return {int(number, 16): name for number, name in rows}


def name(suite: int) -> str:
    """IANA name of a cipher suite; ``0x....`` where the registry has none."""
    return _names().get(suite, f"0x{suite:04X}")


WEAKNESSES = ("NULL", "anon", "EXPORT", "_DES_", "RC4", "3DES")
"""Parts of names, worst first: no secrecy, nobody proves who he is, 40 or 56 bits, RFC 7465, RFC 8429."""
_NOT_OURS = ("NULL_WITH_NULL", "KRB5", "PSK", "SRP", "GOST")
"""What cannot be asked for: no cipher at all (RFC 5246 A.5), and what needs a secret shared before."""


def weakness(cipher: str) -> str | None:
    """What makes a cipher suite weak, as its name says it; None where nothing does."""
    return next((part for part in WEAKNESSES if part in cipher), None)


@cache
def weak() -> tuple[int, ...]:
    """Weak suites that a server can be asked to take, worst first."""
    ours = [(suite, name) for suite, name in _names().items() if not any(part in name for part in _NOT_OURS)]
    kinds = ([suite for suite, name in ours if weakness(name) == kind] for kind in WEAKNESSES)
    return tuple(chain.from_iterable(kinds))


@cache
def protection(cipher: str, version: str, encrypt_then_mac: bool = False) -> Protection:
    """Tell what records of a suite carry beside the plaintext.

    Sources: RFC 8446 5.2, RFC 5246 6.2.3, RFC 5288, RFC 6655, RFC 7905, RFC 7366.
    """
    if version == TLS13:
        return Protection(Kind.AEAD, 17 if not cipher.endswith("CCM_8_SHA256") else 9)
    if "CHACHA20" in cipher:
        return Protection(Kind.AEAD, 16)
    if "CCM_8" in cipher:
        return Protection(Kind.AEAD, 16)
    if "GCM" in cipher or "CCM" in cipher:
        return Protection(Kind.AEAD, 24)
    digest = cipher.rpartition("_")[2]
    mac = {"MD5": 16, "SHA": 20, "SHA256": 32, "SHA384": 48}.get(digest, 20)
    if "CBC" not in cipher:
        return Protection(Kind.STREAM, mac)
    block = 8 if "DES" in cipher or "IDEA" in cipher or "RC2" in cipher else 16
    explicit = block if version in ("TLSv1.1", "TLSv1.2") else 0
    return Protection(Kind.CBC, explicit + mac, block)


def plaintext(length: int, shield: Protection) -> tuple[int, int]:
    """Bounds of the plaintext bytes in a record of this length; equal under AEAD."""
    kind, overhead, block = shield
    most = length - overhead
    if kind is not _CBC:
        return (most, most) if most > 0 else (0, 0)
    return max(most - block, 0), max(most - 1, 0)
