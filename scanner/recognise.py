"""Which protocol a conversation speaks: what both sides say decides, the port is a hint."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import islice
from typing import NamedTuple

from scanner.conversation import CLIENT, SERVER, Chunk, Side, Transport
from scanner.protocols import dialects
from scanner.session import Dialect
from scanner.wire.tls import LARGEST_RECORD

HEAD = 512
"""Bytes of each side that recognition looks at; every mark stands in a first line or a first TLS record."""
MIDDLE = 16
"""Chunks of a talk joined in its middle that are looked at: one of them begins where a record begins."""
_BINARY = re.compile(rb"[\0-\x08\x0e-\x1a\x1c-\x1f]")
"""Bytes that no line of mail has; ESC is there for ISO-2022 (RFC 1468)."""
MAIL_PORTS = {
    25: "smtp", 465: "smtp", 587: "smtp", 2525: "smtp",
    110: "pop3", 995: "pop3", 143: "imap", 993: "imap",
    80: "http", 443: "http",
}  # fmt: skip
"""What IANA's registry puts on a port (2525: the customary second submission port)."""
ALPN = {"imap": "imap", "pop3": "pop3", "smtp": "smtp", "h2": "http", "http/1.1": "http", "http/1.0": "http"}
"""Protocols that a client names in ALPN (IANA's registry of ALPN protocol IDs)."""
_SURE, _PORT, _CONSISTENT = 4, 2, 1


class Recognised(NamedTuple):
    """A dialect and which end speaks its client's part."""

    dialect: Dialect
    swapped: bool
    """The end that we took for the server is the client."""
    by_port: bool
    """Only the port says so: the beginning was not heard."""


def recognise(chunks: Iterable[Chunk], port: int, client_port: int) -> Recognised | None:
    """Find the dialect of a conversation; None if it is none of ours."""
    client, server = _first(chunks)
    for usual in _usual().get(port, ()) if client and server else ():
        dialect = usual.dialect
        said = dialect.client_mark(client)
        if (said or (said is None and dialect.server_first)) and dialect.server_mark(server):
            return usual
    client, server = _head(chunks, CLIENT), _head(chunks, SERVER)
    best: tuple[int, Recognised] | None = None
    for dialect in _talks():
        for swapped, at in ((False, port), (True, client_port)):
            score = _score(dialect, *((server, client) if swapped else (client, server)), at)
            if score > 0 and (best is None or score > best[0]):
                best = score, Recognised(dialect, swapped, by_port=False)
    return best[1] if best else _by_port(chunks, port)


@cache
def _talks() -> tuple[Dialect, ...]:
    """Find what may be overheard of TCP."""
    found = (one for one in dialects() if one.transport is Transport.TCP)
    return tuple(one for one in found if one.overheard and not one.alone)


@cache
def _usual() -> dict[int, tuple[Recognised, ...]]:
    """The dialects at home on each port: most conversations are what they seem."""
    known = [Recognised(dialect, swapped=False, by_port=False) for dialect in _talks()]
    ports = {port for dialect in _talks() for port in dialect.ports}
    return {port: tuple(usual for usual in known if port in usual.dialect.ports) for port in ports}


def inner_protocol(alpn: Sequence[str], port: int, name: str | None) -> str | None:
    """Guess what is spoken inside TLS: by ALPN, else by port, else by the server's name."""
    for offered in alpn:
        if offered in ALPN:
            return ALPN[offered]
    first = (name or "").partition(".")[0]
    marks = (("smtp", "smtp"), ("imap", "imap"), ("pop", "pop3"))
    return MAIL_PORTS.get(port) or next((protocol for mark, protocol in marks if mark in first), None)


def _score(dialect: Dialect, client: bytes, server: bytes, port: int) -> int:
    said = dialect.client_mark(client) if client else None
    answered = dialect.server_mark(server) if server else None
    hint = _PORT if port in dialect.ports else 0
    if answered and hint and (dialect.server_first or not client):
        return (_SURE if said else 0) + _CONSISTENT + hint
    if said is None and not server and b"\n" in client and hint and dialect.server_first:
        return hint
    if answered is False:
        return hint if said else 0
    if not said:
        return 0
    return (_SURE if said else 0) + (_CONSISTENT if answered else 0) + hint


def _by_port(chunks: Iterable[Chunk], port: int) -> Recognised | None:
    """A talk that was joined in its middle on mail's own port: mail if it is text, TLS if it has records."""
    here = (usual.dialect for usual in _usual().get(port, ()))
    usual = next((dialect for dialect in here if dialect.server_first), None)
    if usual is None or not any(chunk.missing for chunk in islice(chunks, 2)):
        return None
    heard = [chunk.data[:HEAD] for chunk in islice(chunks, MIDDLE) if chunk.data]
    for data in heard:
        if _is_record(data):
            return Recognised(tls(), swapped=False, by_port=True)
        if not _BINARY.search(data):
            return Recognised(usual, swapped=False, by_port=True)
    if heard:
        return None
    return Recognised(tls() if port in tls().ports else usual, swapped=False, by_port=True)


@cache
def tls() -> Dialect:
    """Give the dialect of TLS."""
    return next(dialect for dialect in dialects() if dialect.name == "tls")


@cache
def inner_tls() -> Recognised:
    """What follows STARTTLS, and needs no recognising."""
    return Recognised(tls(), swapped=False, by_port=False)


def hello_place(recognised: Recognised, chunks: Sequence[Chunk], port: int) -> int | None:
    """Where TLS begins, if that is the first that is heard of a client of mail, and the server spoke before.

    Then STARTTLS was not heard: its answer looks like a greeting. On a port where TLS comes first the client
    asked for it at once, and the server is one that does not know.
    """
    if not recognised.dialect.server_first:
        return None
    for number, (side, _, data, _) in enumerate(chunks):
        if side is CLIENT and data:
            hello = number and data[:2] == b"\x16\x03" and tls().client_mark(data)
            return number if hello and port not in tls().ports else None
    return None


def known(name: str | None) -> Recognised | None:
    """What is known already by its name, and needs no recognising."""
    found = next((dialect for dialect in dialects() if dialect.name == name), None)
    return Recognised(found, swapped=False, by_port=True) if found else None


def _is_record(data: bytes) -> bool:
    """RFC 8446 5.1: a content type, a version of 3.0 to 3.4, a length within its limit, if it is there."""
    if len(data) < 2 or not 20 <= data[0] <= 23 or data[1] != 3 or data[2:3] > b"\4":
        return False
    return len(data) < 5 or 0 < int.from_bytes(data[3:5], "big") <= LARGEST_RECORD


def _first(chunks: Iterable[Chunk]) -> tuple[bytes, bytes]:
    """The first chunk of each side; empty where something is missing before it."""
    client = server = b""
    for side, _, data, missing in chunks:
        if missing:
            break
        if side is CLIENT:
            client = client or data
        else:
            server = server or data
        if client and server:
            break
    return client, server


def _head(chunks: Iterable[Chunk], side: Side) -> bytes:
    head = b""
    for chunk in chunks:
        if chunk.side is not side:
            continue
        if chunk.missing:
            break
        head += chunk.data
        if len(head) >= HEAD:
            break
    return head[:HEAD]
