"""Read the TLS handshake messages that are in clear, and name clients by JA3 and JA4.

Sources: RFC 8446 4, RFC 5246 7.4 and E.2 (the form of SSLv2), RFC 6066 (SNI), RFC 7301 (ALPN), RFC 8701
(GREASE), Salesforce's JA3, FoxIO's JA4 technical details.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator, Sequence
from functools import lru_cache

from scanner.events import ClientHello, ServerHello
from scanner.wire import ciphers

VERSIONS = {
    0x0304: "TLSv1.3",
    0x0303: "TLSv1.2",
    0x0302: "TLSv1.1",
    0x0301: "TLSv1",
    0x0300: "SSLv3",
    2: "SSLv2",
}
_DRAFTS = (0x7F, 0x7E, 0xFB)
"""First bytes of the versions by which TLS 1.3 was tried out: its drafts', Google's, Facebook's."""
_JA4_VERSIONS = {0x0304: "13", 0x0303: "12", 0x0302: "11", 0x0301: "10", 0x0300: "s3", 2: "s2"}
_RETRY = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")
"""RFC 8446 4.1.3: the random of a HelloRetryRequest."""
_SNI, _GROUPS, _POINTS, _SIGNATURES, _ALPN, _ETM, _SUPPORTED = 0, 10, 11, 13, 16, 22, 43
_EXTENSION = struct.Struct(">HH").unpack_from
_VARYING = frozenset({21, 35, 41, 44, 51})
"""Padding, session ticket, pre-shared key, cookie, key share: nobody is told by what is in them."""
GREASE = frozenset(high << 8 | high for high in range(0x0A, 0x100, 0x10))
"""Values that clients put in to keep servers tolerant (RFC 8701 2)."""
_GREASE = frozenset(value.to_bytes(2, "big") for value in GREASE)
_ONE_GREASE = b"\x0a\x0a"
_BEFORE_FIRST = {_GROUPS: 2, _SUPPORTED: 1}
"""Bytes of length before the first number of lists where clients put GREASE first."""
HELLOS_KEPT = 4096
"""Skeletons of hellos remembered: a site has a few hundred programs, each with a few server names."""
HELLO_LIMIT = 2048
"""Bytes of a skeleton that is remembered; real ones have a few hundred. A longer one is read anew."""
NAME_LENGTH = 255
"""RFC 1035 2.3.4; a longer name is cut."""


class ShortMessageError(Exception):
    """A message ends before it should; never leaves this package."""


class Cursor:
    """Reads numbers and vectors from bytes; raises ``ShortMessageError`` past the end."""

    __slots__ = ("_at", "_data")

    def __init__(self, data: bytes) -> None:
        """Begin at the first byte."""
        self._data = data
        self._at = 0

    def take(self, count: int) -> bytes:
        """Read so many bytes."""
        end = self._at + count
        if end > len(self._data):
            raise ShortMessageError
        taken, self._at = self._data[self._at : end], end
        return taken

    def number(self, size: int) -> int:
        """Read a big-endian number of so many bytes."""
        return int.from_bytes(self.take(size), "big")

    def vector(self, size: int) -> bytes:
        """Read a length of so many bytes, and what it counts."""
        return self.take(self.number(size))

    @property
    def left(self) -> int:
        """Bytes not read."""
        return len(self._data) - self._at


def client_hello(body: bytes) -> ClientHello | None:
    """Read a ClientHello's body; None if it is cut or wrong."""
    try:
        bare = _skeleton(body)
    except (IndexError, struct.error):
        return None
    if not bare or len(bare) > HELLO_LIMIT:
        return _client_hello.__wrapped__(bare) if bare else None
    return _client_hello(_like_others(bare) if bare[5:7] in _GREASE else bare)


def _like_others(bare: bytes) -> bytes:
    """A skeleton with GREASE where it was, but always the same: clients draw it anew for each hello."""
    like = bytearray(bare)
    at = 5 + (bare[3] << 8 | bare[4])
    if at >= 7:
        like[5:7] = _ONE_GREASE
    at += 1 + bare[at]
    while at < len(bare):
        kind, size = _EXTENSION(bare, at)
        if kind in GREASE:
            like[at : at + 2] = _ONE_GREASE
        elif kind in _BEFORE_FIRST and size > 3:
            first = at + 4 + _BEFORE_FIRST[kind]
            if bare[first : first + 2] in _GREASE:
                like[first : first + 2] = _ONE_GREASE
        at += 4 if kind in _VARYING else 4 + size
    return bytes(like)


def _skeleton(body: bytes, suites_vector: bool = True) -> bytes | None:
    """A hello without what is new in each: random, session, keys, tickets; one program's are all the same.

    None if it is cut; IndexError or struct.error likewise.
    """
    suites = 35 + body[34]
    lists = suites + 2 + (body[suites] << 8 | body[suites + 1]) if suites_vector else suites + 2
    at = lists + 1 + (body[lists] if suites_vector else 0)
    if at > len(body):
        return None
    parts = [body[:2], b"\1" if body[2:34] == _RETRY else b"\0", body[suites:at]]
    if at < len(body):
        end = at + 2 + (body[at] << 8 | body[at + 1])
        start = at = at + 2
        while at < end:
            kind, size = _EXTENSION(body, at)
            behind = at + 4 + size
            if kind in _VARYING:
                parts.append(body[start : at + 4])
                start = behind
            at = behind
        if at != end or end > len(body):
            return None
        parts.append(body[start:end])
    return b"".join(parts)


@lru_cache(HELLOS_KEPT)
def _client_hello(bare: bytes) -> ClientHello | None:
    try:
        cursor = Cursor(bare)
        legacy = cursor.number(2)
        cursor.take(1)
        suites = _numbers(cursor.vector(2))
        cursor.vector(1)
        return _client(legacy, suites, list(_extensions(cursor)))
    except ShortMessageError:
        return None


def ssl2_hello(message: bytes) -> ClientHello | None:
    """Read a ClientHello in the form of SSLv2 (after its two bytes of length)."""
    try:
        cursor = Cursor(message)
        cursor.take(1)
        version = cursor.number(2)
        size = cursor.number(2)
        cursor.take(4)
        specs = cursor.take(size)
    except ShortMessageError:
        return None
    kinds = [int.from_bytes(specs[at : at + 3], "big") for at in range(0, len(specs) - 2, 3)]
    return _client(version, [kind for kind in kinds if kind <= 0xFFFF], [])


def server_hello(body: bytes) -> ServerHello | None:
    """Read a ServerHello's body; None if it is cut, wrong, or asks the client to try again."""
    try:
        bare = _skeleton(body, suites_vector=False)
    except (IndexError, struct.error):
        return None
    return (_server_hello if len(bare) <= HELLO_LIMIT else _server_hello.__wrapped__)(bare) if bare else None


@lru_cache(HELLOS_KEPT)
def _server_hello(bare: bytes) -> ServerHello | None:
    try:
        cursor = Cursor(bare)
        version = cursor.number(2)
        if cursor.number(1):
            return None
        suite = cursor.number(2)
        cursor.take(1)
        found = dict(_extensions(cursor))
        if len(found.get(_SUPPORTED, b"")) == 2:
            version = int.from_bytes(found[_SUPPORTED], "big")
        alpn = _alpn(found.get(_ALPN, b""))
    except ShortMessageError:
        return None
    if version >> 8 in _DRAFTS:
        version = 0x0304
    return ServerHello(
        VERSIONS.get(version, f"0x{version:04X}"), ciphers.name(suite), next(iter(alpn), None), _ETM in found
    )


def _extensions(cursor: Cursor) -> Iterator[tuple[int, bytes]]:
    """Read the extensions of a skeleton, where those that vary have lost their contents."""
    while cursor.left:
        kind, size = cursor.number(2), cursor.number(2)
        yield kind, b"" if kind in _VARYING else cursor.take(size)


def _numbers(vector: bytes) -> list[int]:
    return list(struct.unpack_from(f">{len(vector) // 2}H", vector))


def _plain(values: Sequence[int]) -> list[int]:
    return [value for value in values if value not in GREASE]


def _alpn(body: bytes) -> tuple[str, ...]:
    if not body:
        return ()
    block = Cursor(Cursor(body).vector(2))
    found = []
    while block.left:
        found.append(block.vector(1).decode("latin-1"))
    return tuple(found)


def _server_name(body: bytes) -> str | None:
    if not body:
        return None
    block = Cursor(Cursor(body).vector(2))
    while block.left:
        kind, name = block.number(1), block.vector(2)
        if kind == 0:
            return name.decode("ascii", "replace").rstrip(".").lower()[:NAME_LENGTH] or None
    return None


def _client(legacy: int, suites: list[int], extensions: list[tuple[int, bytes]]) -> ClientHello:
    found = dict(extensions)
    offered = _plain(_numbers(found[_SUPPORTED][1:])) if _SUPPORTED in found else [legacy]
    versions = sorted(set(offered), reverse=True)
    name, alpn = _server_name(found.get(_SNI, b"")), _alpn(found.get(_ALPN, b""))
    kinds = _plain([kind for kind, _ in extensions])
    return ClientHello(
        server_name=name,
        alpn=alpn,
        versions=tuple(VERSIONS.get(version, f"0x{version:04X}") for version in versions),
        ja3=_ja3(legacy, _plain(suites), kinds, found),
        ja4=_ja4(versions[0] if versions else legacy, _plain(suites), kinds, found),
    )


def _ja3(legacy: int, suites: list[int], kinds: list[int], found: dict[int, bytes]) -> str:
    groups = _plain(_numbers(found.get(_GROUPS, b"")[2:]))
    points = list(found.get(_POINTS, b"")[1:])
    lists = (suites, kinds, groups, points)
    text = ",".join((str(legacy), *("-".join(map(str, numbers)) for numbers in lists)))
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _ja4(version: int, suites: list[int], kinds: list[int], found: dict[int, bytes]) -> str:
    name = "d" if _SNI in found else "i"
    counts = f"{min(len(suites), 99):02d}{min(len(kinds), 99):02d}"
    first = f"t{_JA4_VERSIONS.get(version, '00')}{name}{counts}{_ja4_alpn(found.get(_ALPN, b''))}"
    hashed = sorted(kind for kind in kinds if kind not in (_SNI, _ALPN))
    signatures = _plain(_numbers(found.get(_SIGNATURES, b"")[2:]))
    tail = _hex_list(hashed) + (f"_{_hex_list(signatures)}" if signatures else "")
    return f"{first}_{_short_hash(_hex_list(sorted(suites)))}_{_short_hash(tail if kinds else '')}"


def _ja4_alpn(body: bytes) -> str:
    try:
        first = next(iter(_alpn(body)), "")
    except ShortMessageError:
        first = ""
    if not first:
        return "00"
    ends = first[0], first[-1]
    if all(end.isascii() and end.isalnum() for end in ends):
        return "".join(ends)
    return f"{ord(ends[0]):02x}"[0] + f"{ord(ends[1]):02x}"[1]


def _hex_list(values: Sequence[int]) -> str:
    return ",".join(f"{value:04x}" for value in values)


def _short_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12] if text else "0" * 12
