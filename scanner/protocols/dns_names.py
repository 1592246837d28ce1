"""How DNS writes names and records (RFC 1035 3.1, 4.1): its lookups, mDNS, LLMNR and NetBIOS do so alike."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address
from typing import NamedTuple

A, CNAME, PTR, TXT, AAAA, SRV = 1, 5, 12, 16, 28, 33
STEPS = 160
"""Labels and compression pointers of one name (RFC 1035 2.3.4 allows 127 labels); a loop ends here."""
NAME_LENGTH = 255
"""Bytes of a name (RFC 1035 2.3.4); a longer one is no name, so pointers cannot make much of little."""
QUESTIONS_SKIPPED = 128
"""Questions in front of what is read: 6 bytes can point at a long name. With more, nothing is told."""
_HEADER = struct.Struct(">2x5H")
Name = tuple[bytes, ...]
"""Its labels as they were sent; one may hold any byte, dots too (RFC 6763 4.3)."""


class Header(NamedTuple):
    """What a message begins with: its kind, and how many records of which section follow."""

    flags: int = 0
    questions: int = 0
    answers: int = 0
    authorities: int = 0
    additions: int = 0


class Record(NamedTuple):
    """A resource record."""

    owner: Name
    kind: int
    ttl: int
    """s; 0 is a goodbye in mDNS (RFC 6762 10.1)."""
    at: int
    """Where the data begins in ``payload``, for names in it that point elsewhere."""
    data: bytes
    payload: bytes
    """The whole datagram."""

    @property
    def address(self) -> IPv4Address | IPv6Address | None:
        """The address in an A or AAAA record; None for any other, or one of a wrong size."""
        if self.kind == A and len(self.data) == 4:
            return IPv4Address(self.data)
        if self.kind == AAAA and len(self.data) == 16:
            return IPv6Address(self.data)
        return None


def read_header(payload: bytes) -> Header:
    """Read what a message begins with; of one that is cut nothing, which is a question without questions."""
    return Header(*_HEADER.unpack_from(payload)) if len(payload) >= _HEADER.size else Header()


def read_message(payload: bytes, header: Header, most: int) -> tuple[Name, Iterator[Record]]:
    """Give the name asked for, and the records of all sections up to the first that is cut, ``most`` at most.

    Without a question that can be read the name is empty; where one of them cannot, there is no record.
    """
    asked: list[Name] = []
    at = _HEADER.size
    if header.questions > QUESTIONS_SKIPPED:
        return (), iter(())
    for _ in range(header.questions):
        name, at = read_name(payload, at)
        at += 4
        if name is None or at > len(payload):
            return (), iter(())
        asked.append(name)
    count = header.answers + header.authorities + header.additions
    return asked[0] if asked else (), read_records(payload, at, min(count, most))


def written_name(name: Name) -> bytes:
    """Write a name without compression."""
    return b"".join(bytes([len(label)]) + label for label in name) + b"\0"


def read_name(payload: bytes, at: int) -> tuple[Name | None, int]:
    """Read a name; gives it and where reading goes on. None for one that is cut, too long or loops."""
    labels: list[bytes] = []
    after, length = -1, 1
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
            return tuple(labels), at if after < 0 else after
        length += size + 1
        if size & 0xC0 or at + size > len(payload) or length > NAME_LENGTH:
            return None, at
        labels.append(payload[at : at + size])
        at += size
    return None, at


def read_records(payload: bytes, at: int, count: int) -> Iterator[Record]:
    """Read records one behind the other, up to the first that is cut."""
    for _ in range(count):
        owner, at = read_name(payload, at)
        if owner is None or at + 10 > len(payload):
            return
        kind, _, ttl, size = struct.unpack_from(">HHIH", payload, at)
        at += 10
        data = payload[at : at + size]
        if len(data) < size:
            return
        yield Record(owner, kind, ttl, at, data, payload)
        at += size
