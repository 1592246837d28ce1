"""DNS answers: which name was asked for when an address was given (RFC 1035 4)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address

from scanner.conversation import CLIENT, SERVER, Side, Transport
from scanner.events import Answer, Event, Gap
from scanner.session import Dialect, Example

ANSWERS_READ = 64
"""Records of one answer read; Exchange Online's names give eight addresses and three aliases."""
STEPS = 160
"""Labels and compression pointers of one name (RFC 1035 2.3.4 allows 127 labels); a loop ends here."""
_A, _CNAME, _AAAA = 1, 5, 28
_HEADER = 12


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
    if len(payload) < _HEADER:
        return ()
    _, flags, questions, count = struct.unpack_from(">HHHH", payload)
    if not flags & 0x8000 or flags & 0x780F or questions != 1:
        return ()
    asked, at = _name(payload, _HEADER)
    if asked is None:
        return ()
    return tuple(_addresses(payload, asked, at + 4, count))


def _addresses(payload: bytes, asked: str, at: int, count: int) -> Iterator[Answer]:
    names = {asked}
    for _ in range(min(count, ANSWERS_READ)):
        owner, at = _name(payload, at)
        if owner is None or at + 10 > len(payload):
            return
        kind, _, _, size = struct.unpack_from(">HHIH", payload, at)
        at += 10
        data = payload[at : at + size]
        if len(data) < size:
            return
        if owner in names:
            if kind == _CNAME and (alias := _name(payload, at)[0]):
                names.add(alias)
            elif kind == _A and size == 4:
                yield Answer(asked, str(IPv4Address(data)))
            elif kind == _AAAA and size == 16:
                yield Answer(asked, str(IPv6Address(data)))
        at += size


def _name(payload: bytes, at: int) -> tuple[str | None, int]:
    """Read a name; gives it and where reading goes on. None for one that is cut or loops."""
    labels: list[str] = []
    after = -1
    for _ in range(STEPS):
        if at >= len(payload):
            return None, at
        size = payload[at]
        if size & 0xC0 == 0xC0:
            if at + 1 >= len(payload):
                return None, at
            after = at + 2 if after < 0 else after
            at = (size & 0x3F) << 8 | payload[at + 1]
            continue
        at += 1
        if not size:
            return ".".join(labels).lower(), at if after < 0 else after
        labels.append(payload[at : at + size].decode("latin-1"))
        at += size
    return None, at


def _client_mark(head: bytes) -> bool | None:
    return len(head) >= _HEADER and not head[2] & 0x80 and head[4:6] == b"\0\x01"


def _server_mark(head: bytes) -> bool | None:
    return len(head) >= _HEADER and bool(head[2] & 0x80) and head[4:6] == b"\0\x01"


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
