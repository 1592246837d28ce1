"""DNS answers: which name was asked for when an address was given (RFC 1035 4)."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from scanner.conversation import CLIENT, SERVER, Side, Transport
from scanner.events import Answer, Event, Gap
from scanner.protocols.dns_names import CNAME, HEADER, Name, read_name, read_records
from scanner.session import Dialect, Example

ANSWERS_READ = 64
"""Records of one answer read; Exchange Online's names give eight addresses and three aliases."""


class DnsSession:
    """Questions and answers of one pair of hosts."""

    def __init__(self) -> None:
        """Begin with nothing asked."""
        self.leftover: tuple[tuple[Side, int, bytes], ...] = ()

    def feed(self, side: Side, data: bytes, at: int) -> Iterator[Event]:
        """Hear one datagram."""
        if side is SERVER:
            yield from answers(data)

    def gap(self, side: Side, missing: int, at: int) -> Iterator[Event]:
        """Learn that a datagram was lost."""
        yield Gap(side, missing)

    def end(self) -> Iterator[Event]:
        """Nothing is ever open."""
        return iter(())


def answers(payload: bytes) -> tuple[Answer, ...]:
    """Read the addresses in an answer, each with the name that was asked for; empty for anything else."""
    if len(payload) < HEADER:
        return ()
    _, flags, questions, count = struct.unpack_from(">HHHH", payload)
    if not flags & 0x8000 or flags & 0x780F or questions != 1:
        return ()
    asked, at = read_name(payload, HEADER)
    if asked is None:
        return ()
    return tuple(_addresses(payload, _text(asked), at + 4, count))


def _addresses(payload: bytes, asked: str, at: int, count: int) -> Iterator[Answer]:
    names = {asked}
    for record in read_records(payload, at, min(count, ANSWERS_READ)):
        if _text(record.owner) not in names:
            continue
        if record.kind == CNAME and (alias := read_name(payload, record.at)[0]):
            names.add(_text(alias))
        elif address := record.address:
            yield Answer(asked, str(address))


def _text(name: Name) -> str:
    return b".".join(name).decode("latin-1").lower()


def _client_mark(head: bytes) -> bool | None:
    return len(head) >= HEADER and not head[2] & 0x80 and head[4:6] == b"\0\x01"


def _server_mark(head: bytes) -> bool | None:
    return len(head) >= HEADER and bool(head[2] & 0x80) and head[4:6] == b"\0\x01"


_QUESTION = b"\x07outlook\x09office365\x03com\0\0\x01\0\x01"
_LOOKUP = Example(
    "an alias leads to an address, and the name asked for is what counts",
    (
        (CLIENT, b"\0\x01\x01\0\0\x01\0\0\0\0\0\0" + _QUESTION),
        (
            SERVER,
            b"\0\x01\x81\x80\0\x01\0\x02\0\0\0\0"
            + _QUESTION
            + b"\xc0\x0c\0\x05\0\x01\0\0\0\x3c\0\x07\x04edge\xc0\x14"
            + b"\xc0\x33\0\x01\0\x01\0\0\0\x3c\0\x04\x34\x60\x00\x02",
        ),
    ),
    (Answer("outlook.office365.com", "52.96.0.2"),),
)

DIALECT = Dialect(
    name="dns",
    transport=Transport.UDP,
    ports=frozenset({53}),
    client_mark=_client_mark,
    server_mark=_server_mark,
    server_first=False,
    session=DnsSession,
    examples=(_LOOKUP,),
    alone=True,
)
