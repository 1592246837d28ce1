"""TLS as it looks from outside: hellos in clear, and sealed records of real sizes (RFC 8446, RFC 5246)."""

from __future__ import annotations

import random
import struct

from benchmarks.parts import ANY, CLIENT, SERVER, Field, Part, Parts, Said, size

_DRAW = random.Random("tls")
_RANDOM, _SERVER_RANDOM = Field("client random", ANY, 32), Field("server random", ANY, 32)
_SESSION, _SERVER_SESSION = Field("session", ANY, 32), Field("server session", ANY, 32)
_SHARE, _SERVER_SHARE = Field("share", ANY, 32), Field("server share", ANY, 32)
_SIGNATURE = Field("signature", ANY, 256)
_GREASE = [Field(f"grease {number}", tuple(bytes([value * 16 + 10] * 2) for value in range(16)))
           for number in range(4)]  # fmt: skip
"""RFC 8701: a reserved value that differs from hello to hello."""
_BROWSER = "130113021303c02bc02fc02cc030cca9cca8c013c014009c009d002f0035"
_LIBRARY = ("130213031301c02cc030009fcca9cca8ccaac02bc02f009ec024c028006bc023c0270067c00ac0140039c009c0130033"
            "009d009c003d003c0035002f00ff")  # fmt: skip
_OLD_LIBRARY = _LIBRARY[12:]
_ALGORITHMS = bytes.fromhex("040305030603080708080809080a080b080408050806040105010601")
CERTIFICATE_MESSAGES = (38, 3950, 281, 53)
"""Plaintext bytes of EncryptedExtensions, Certificate, CertificateVerify and Finished."""


def _vector(width: int, *parts: Part) -> Parts:
    return (size(parts).to_bytes(width, "big"), *parts)


def _extension(kind: int | Field, *parts: Part) -> Parts:
    number = struct.pack(">H", kind) if isinstance(kind, int) else kind
    return (number, *_vector(2, *parts))


def _record(content: int, *parts: Part, version: int = 0x0303) -> Parts:
    return (struct.pack(">BHH", content, version, size(parts)), *parts)


def _handshake(kind: int, *parts: Part) -> Parts:
    return (bytes([kind]), *_vector(3, *parts))


def hello(name: str, alpn: tuple[str, ...] = (), newest: bool = True, grease: bool = False) -> Said:
    """What a client opens with; ``newest`` offers TLS 1.3."""
    one, two, three, four = _GREASE
    suites = bytes.fromhex(_BROWSER if grease else _LIBRARY if newest else _OLD_LIBRARY)
    protocols = tuple(len(one).to_bytes(1, "big") + one.encode() for one in alpn)

    def shown(part: Field) -> Parts:
        return (part,) if grease else ()

    extensions: list[Parts] = [
        _extension(one) if grease else (),
        _extension(0, *_vector(2, b"\0", *_vector(2, name.encode()))),
        _extension(23),
        _extension(0xFF01, b"\0"),
        _extension(10, *_vector(2, *shown(two), b"\x00\x1d\x00\x17\x00\x18")),
        _extension(11, b"\x01\0"),
        _extension(35),
        _extension(16, *_vector(2, *protocols)) if protocols else (),
        _extension(5, b"\x01\0\0\0\0"),
        _extension(13, *_vector(2, _ALGORITHMS)),
    ]
    if newest:
        false_share: Parts = (two, b"\0\x01\0") if grease else ()
        extensions += [
            _extension(51, *_vector(2, *false_share, b"\x00\x1d\x00\x20", _SHARE)),
            _extension(45, b"\x01\x01"),
            _extension(43, *_vector(1, *shown(three), b"\x03\x04\x03\x03")),
        ]
    if grease:
        extensions.append(_extension(four, b"\0"))
    body = (
        *(b"\x03\x03", _RANDOM),
        *(_vector(1, _SESSION) if newest else _vector(1)),
        *_vector(2, *shown(one), suites),
        b"\x01\0",
        *_vector(2, *(part for extension in extensions for part in extension)),
    )
    return Said(CLIENT, _record(22, *_handshake(1, *body), version=0x0301))


def sealed(side: int, *sizes: int, newest: bool = True, name: str = "data") -> Said:
    """Records of so many plaintext bytes each, AEAD."""
    parts: list[Part] = []
    for number, length in enumerate(sizes):
        ciphertext = length + (17 if newest else 24)
        lead = Field(f"{name} {number}", ANY, min(8, ciphertext))
        parts += _record(23, lead, _DRAW.randbytes(ciphertext - len(lead)))
    return Said(side, tuple(parts))


def turns(*sizes: int, newest: bool = True) -> tuple[Said, ...]:
    """Who writes how much inside; the client's are positive."""
    return tuple(
        sealed(CLIENT if length > 0 else SERVER, abs(length), newest=newest, name=f"turn {number}")
        for number, length in enumerate(sizes)
    )


def tls13(opening: Said) -> tuple[Said, ...]:
    """A handshake of TLS 1.3 with a certificate of 4 KB."""
    extensions = (*_extension(43, b"\x03\x04"), *_extension(51, b"\x00\x1d\x00\x20", _SERVER_SHARE))
    answer = (b"\x03\x03", _SERVER_RANDOM, *_vector(1, _SESSION), b"\x13\x02\0", *_vector(2, *extensions))
    flight = (*_record(22, *_handshake(2, *answer)), *_record(20, b"\x01"))
    certificate = sealed(SERVER, *CERTIFICATE_MESSAGES, name="certificate").parts
    finished = (*_record(20, b"\x01"), *sealed(CLIENT, 52, name="finished").parts)
    return (opening, Said(SERVER, (*flight, *certificate)), Said(CLIENT, finished))


def tls12(opening: Said) -> tuple[Said, ...]:
    """A handshake of TLS 1.2 with ECDHE and AES-GCM."""
    extensions = (*_extension(0xFF01, b"\0"), *_extension(23))
    answer = (
        b"\x03\x03",
        _SERVER_RANDOM,
        *_vector(1, _SERVER_SESSION),
        b"\xc0\x30\0",
        *_vector(2, *extensions),
    )
    chain = _vector(3, *_vector(3, _certificate()), *_vector(3, _certificate(0)))
    key = (b"\x03\x00\x1d", *_vector(1, _SERVER_SHARE), b"\x08\x04", *_vector(2, _SIGNATURE))
    flight = (*_handshake(2, *answer), *_handshake(11, *chain), *_handshake(12, *key), *_handshake(14))
    return (
        opening,
        Said(SERVER, _record(22, *flight)),
        Said(CLIENT, (*_record(22, *_handshake(16, *_vector(1, _SHARE))), *_finished("client"))),
        Said(SERVER, _finished("server")),
    )


def _finished(whose: str) -> Parts:
    return (*_record(20, b"\x01"), *_record(22, Field(f"finished of {whose}", ANY, 40)))


def _der(tag: int, *contents: bytes) -> bytes:
    whole = b"".join(contents)
    length = bytes([len(whole)]) if len(whole) < 128 else b"\x82" + struct.pack(">H", len(whole))
    return bytes([tag]) + length + whole


def _certificate(names: int = 24) -> bytes:
    """A certificate (RFC 5280) with so many names; key and signature are random."""
    rsa = _der(0x30, bytes.fromhex("06092a864886f70d01010b0500"))
    called = _der(0x30, _der(0x31, _der(0x30, b"\x06\x03\x55\x04\x03", _der(0x0C, b"outlook.com"))))
    times = _der(0x30, _der(0x17, b"260101000000Z"), _der(0x17, b"270101000000Z"))
    modulus = _der(0x30, _der(0x02, b"\0\xc1" + _DRAW.randbytes(255)), b"\x02\x03\x01\x00\x01")
    key = _der(0x30, _der(0x30, bytes.fromhex("06092a864886f70d0101010500")), _der(0x03, b"\0" + modulus))
    alternatives = b"".join(
        _der(0x82, f"*.group{number:02d}.office365.com".encode()) for number in range(names)
    )
    extension = _der(0x30, b"\x06\x03\x55\x1d\x11", _der(0x04, _der(0x30, alternatives)))
    extensions = _der(0xA3, _der(0x30, extension)) if names else b""
    version, serial = _der(0xA0, b"\x02\x01\x02"), _der(0x02, b"\x4d" + _DRAW.randbytes(15))
    signed = _der(0x30, version, serial, rsa, called, times, called, key, extensions)
    return _der(0x30, signed, rsa, _der(0x03, b"\0" + _DRAW.randbytes(256)))
