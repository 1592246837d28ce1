"""Conversations inside TLS of known sizes, for tests: real hellos, and records that hold nothing."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from packets import C, S, Side

Lines = tuple[tuple[Side, bytes], ...]
FULL = 1_400
"""Bytes of a packet; longer records come in several."""


@dataclass(frozen=True)
class Seal:
    """A version of TLS and a cipher suite."""

    name: str
    version: bytes
    cipher: bytes
    added: int
    """Bytes that a record has beside what it says; under CBC padding comes to that."""
    block: int = 1

    def record(self, said: int, content: int = 23) -> bytes:
        size = said + self.added
        if self.block > 1:
            size += self.block - size % self.block
        return struct.pack(">BHH", content, 0x0303, size) + bytes(size)


AEAD_13 = Seal("TLS 1.3", b"\x03\x04", b"\x13\x02", 17)
AEAD_12 = Seal("TLS 1.2 with GCM", b"\x03\x03", b"\xc0\x30", 24)
CBC_12 = Seal("TLS 1.2 with CBC", b"\x03\x03", b"\xc0\x14", 16 + 20, 16)
CBC_11 = Seal("TLS 1.1 with CBC", b"\x03\x02", b"\xc0\x14", 16 + 20, 16)
SEALS = (AEAD_13, AEAD_12, CBC_12, CBC_11)


@dataclass(frozen=True)
class Session:
    """A conversation: what is said inside by turns, a client's command and the answer; bytes."""

    title: str
    port: int
    inside: tuple[int, ...]
    """From the client's first command on."""
    auth_class: str
    clear: Lines = ()
    greeting: int = 0
    """Bytes of the greeting inside TLS; 0: it came in clear."""
    secret: tuple[int, ...] = field(default=())
    """Bytes of its messages whose length nobody may tell."""

    def lines(self, seal: Seal) -> Lines:
        said = [*self.clear, *_handshake(seal)]
        if self.greeting:
            said.append((S, seal.record(self.greeting)))
        for number, length in enumerate(self.inside):
            said.append((S if number % 2 else C, seal.record(length)))
        return tuple((side, line[at : at + FULL]) for side, line in said for at in range(0, len(line), FULL))


def _handshake(seal: Seal) -> Lines:
    name = b"mail.example.com"
    sni = b"\0\0" + _sized(2, _sized(2, b"\0" + _sized(2, name)))
    offers = b"\0\x2b" + _sized(2, _sized(1, b"\x03\x04\x03\x03"))
    hello = b"\x03\x03" + bytes(32) + b"\0" + _sized(2, seal.cipher) + b"\x01\0" + _sized(2, sni + offers)
    newest = seal is AEAD_13
    version = b"\x03\x03" if newest else seal.version
    chosen = _sized(2, b"\0\x2b\0\x02\x03\x04") if newest else b""
    choice = version + bytes(32) + b"\0" + seal.cipher + b"\0" + chosen
    change = b"\x14\x03\x03\0\x01\x01"
    opening = (C, _message(1, hello))
    if newest:
        flight = b"".join(seal.record(length) for length in (38, 3950, 281, 53))
        return opening, (S, _message(2, choice) + change + flight), (C, change + seal.record(52))
    finished = change + seal.record(16, 22)
    return opening, (S, _message(2, choice)), (C, finished), (S, finished)


def _message(kind: int, body: bytes) -> bytes:
    return b"\x16\x03\x01" + _sized(2, bytes([kind]) + _sized(3, body))


def _sized(width: int, body: bytes) -> bytes:
    return len(body).to_bytes(width, "big") + body


def _submission(name: str) -> Lines:
    return (
        (S, f"220 {name} ESMTP ready at Tue, 24 Nov 2026 10:00:00 +0000\r\n".encode()),
        (C, b"EHLO copier\r\n"),
        (S, f"250-{name} Hello\r\n250-SIZE 157286400\r\n250-STARTTLS\r\n250 8BITMIME\r\n".encode()),
        (C, b"STARTTLS\r\n"),
        (S, b"220 go ahead\r\n"),
    )


ONLINE, ELSEWHERE = _submission("AM0PR01CA0001.outlook.office365.com"), _submission("mail.example.com")
_HELLO, _OTHER_HELLO = (13, 94), (13, 80)
_MAIL, _OTHER_MAIL = (45, 21, 31, 24, 6, 46, 400, 97, 6, 48), (41, 14, 33, 14, 6, 37, 400, 35, 6, 20)
SESSIONS = (
    Session("SMTP LOGIN", 587, (*_HELLO, 12, 18, 178, 18, 166, 37, *_MAIL), "basic", ONLINE,
            secret=(178, 166)),
    Session("SMTP LOGIN, refused", 587, (*_HELLO, 12, 18, 178, 18, 166, 160, 6, 48), "basic", ONLINE,
            secret=(178, 166)),
    Session("SMTP token", 587, (*_HELLO, 2743, 37, *_MAIL), "oauth", ONLINE, secret=(2743,)),
    Session("SMTP token refused, then a password", 587,
            (*_HELLO, 2743, 123, 12, 18, 178, 18, 166, 37, *_MAIL), "basic", ONLINE, secret=(2743, 178, 166)),
    Session("SMTP mail without a login", 587, (13, 71, *_MAIL), "none", ONLINE, secret=(45,)),
    Session("SMTP PLAIN elsewhere", 587, (*_OTHER_HELLO, 12, 6, 118, 30, *_OTHER_MAIL), "basic", ELSEWHERE,
            secret=(118,)),
    Session("SMTP token elsewhere", 587, (*_OTHER_HELLO, 2743, 30, *_OTHER_MAIL), "oauth", ELSEWHERE,
            secret=(2743,)),
    Session("IMAP LOGIN", 993, (17, 151, 78, 26, 18, 310, 13, 86), "basic", greeting=131, secret=(78,)),
    Session("IMAP token", 993, (15, 149, 2742, 31, 20, 310, 11, 84), "oauth", greeting=131, secret=(2742,)),
    Session("POP3 USER and PASS", 995, (68, 5, 59, 34, 6, 11, 6, 56), "basic", greeting=100,
            secret=(68, 59)),
    Session("POP3 token", 995, (6, 45, 14, 4, 2742, 38, 6, 21, 6, 56), "oauth", greeting=100, secret=(2742,)),
)  # fmt: skip
"""Logins with Exchange Online and with others; a size in ``secret`` is that of no other turn."""
ODD = Session(
    "IMAP and what nobody knows", 993, (15, 149, 2739, 31, 2741, 31, 11, 84), "unknown", greeting=131,
    secret=(2739, 2741),
)  # fmt: skip
"""What might be a login, and is none that is known."""
