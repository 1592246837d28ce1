"""NetBIOS names: what machines register, keep and answer for (RFC 1001, RFC 1002 4).

The byte behind a name's fifteen says whose it is: 00 a machine's or a workgroup's, 20 a file server's, 1b to
1e a domain's or a workgroup's. What a record gives an address for is about that address; a node status tells
of its sender. Ignored: questions (they may be about anybody), releases, names of users and of services.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from scanner.conversation import CLIENT, SERVER, Transport
from scanner.events import Label
from scanner.protocols.announcement import announcing, clean
from scanner.protocols.dns_names import read_header, read_message
from scanner.protocols.fields import address, card
from scanner.session import Example

RECORDS_READ = 8
"""Records of one message looked through: every kind that is read has one of interest."""
ADDRESSES_READ = 16
"""Addresses of one record; a group's answer lists its members, of which some are as good as all."""
NAMES_READ = 64
"""Names of one node status; machines have some ten."""
_ENCODED = 32
_NAME = 16
_ANY = b"\x20CK" + b"A" * 30 + b"\0"
"""The name ``*`` (RFC 1002 4.2.17), with its halves as letters."""
_NB, _STATUS = 0x20, 0x21
_RESPONSE, _RCODE = 0x8000, 0x000F
_QUERY, _REGISTRATION, _REFRESHES = 0, 5, (8, 9)
_MULTIHOMED = 15
_OWN, _FILES = 0x00, 0x20
_OF_GROUP = frozenset({0x1B, 0x1C, 0x1D, 0x1E})
"""Domain master, domain controllers, local master, elections ([MS-BRWS] 2.1.1)."""
_GROUP, _CONFLICT, _LEAVING = 0x8000, 0x0800, 0x1000
_NOBODY = ("*", "INet~Services", "IS~")
"""What names begin with that are no machine's: all names, and Internet Information Services'."""


class Name(NamedTuple):
    """A NetBIOS name."""

    text: str
    suffix: int


def read(payload: bytes) -> Iterator[Label]:
    """Read one message of the name service."""
    header = read_header(payload)
    operation, answer = header.flags >> 11 & 15, bool(header.flags & _RESPONSE)
    claims = operation in (_REGISTRATION, _MULTIHOMED, *_REFRESHES) or (operation == _QUERY and answer)
    if not claims or (answer and header.flags & _RCODE):
        return
    _, records = read_message(payload, header, RECORDS_READ)
    for record in records:
        if record.kind == _STATUS and answer:
            yield from _status(record.data)
        elif record.kind == _NB and (name := half_ascii(b"".join(record.owner[:1]))):
            yield from _owners(name, record.data)


def question(number: int) -> bytes:
    """Write what asks a machine for its node status: all of its names (RFC 1002 4.2.17)."""
    return number.to_bytes(2, "big") + b"\0\0\0\1\0\0\0\0\0\0" + _ANY + struct.pack(">HH", _STATUS, 1)


def label(name: Name, group: bool, ip: str | None = None) -> Label | None:
    """Tell whether a name names its owner, or the group it is in; None for users, services and everybody."""
    if not name.text.isprintable() or not name.text or name.text.startswith(_NOBODY):
        return None
    if name.suffix in _OF_GROUP or (group and name.suffix == _OWN):
        return Label("nbns.group", name.text, ip)
    return Label("nbns.name", name.text, ip) if name.suffix in (_OWN, _FILES) and not group else None


def half_ascii(encoded: bytes) -> Name | None:
    """Put the halves together: each is a letter from A to P (RFC 1001 14.1)."""
    if len(encoded) != _ENCODED or not all(0x41 <= letter <= 0x50 for letter in encoded):
        return None
    halves = zip(encoded[::2], encoded[1::2], strict=True)
    return _named(bytes((high - 0x41) << 4 | low - 0x41 for high, low in halves))


def _named(raw: bytes) -> Name:
    return Name(clean(raw[: _NAME - 1]), raw[_NAME - 1])


def _owners(name: Name, data: bytes) -> Iterator[Label]:
    """Read flags and an address, for each that owns the name."""
    for at in range(0, min(len(data), 6 * ADDRESSES_READ) - 5, 6):
        group = bool(data[at] & _GROUP >> 8)
        ip = address(data[at + 2 : at + 6])
        if ip and (told := label(name, group, ip)):
            yield told


def _status(data: bytes) -> Iterator[Label]:
    """Read the names of the sender, and behind them the number of its card."""
    count = data[0] if data else 0
    seen: set[Label] = set()
    for at in range(1, 1 + 18 * min(count, NAMES_READ), 18):
        if at + 18 > len(data):
            return
        (flags,) = struct.unpack_from(">H", data, at + _NAME)
        told = label(_named(data[at : at + _NAME]), bool(flags & _GROUP))
        if told and told not in seen and not flags & (_CONFLICT | _LEAVING):
            seen.add(told)
            yield told
    if mac := card(data[1 + 18 * count : 7 + 18 * count]):
        yield Label("nbns.mac", mac)


def _message(flags: int, counts: bytes, rest: bytes) -> bytes:
    return b"\x12\x34" + flags.to_bytes(2, "big") + counts + rest


_FILES_3 = b"\x20EGEJEMEFFDCNDDCACACACACACACACAAA\0"
_TO_ACME = b"\x20EBEDENEFCACACACACACACACACACACABM\0"
_REGISTERED = Example(
    "a machine registers its name and is answered for, and a domain's controllers are told",
    (
        (
            CLIENT,
            _message(0x2910, b"\0\1\0\0\0\0\0\1", _FILES_3 + b"\0\x20\0\x01")
            + b"\xc0\x0c\0\x20\0\x01\0\x03\xf4\x80\0\x06\0\0\x0a\x09\0\x03",
        ),
        (
            SERVER,
            _message(0x8500, b"\0\0\0\1\0\0\0\0", _TO_ACME + b"\0\x20\0\x01\0\0\0\0\0\x0c")
            + b"\x80\0\x0a\x09\0\x03\x80\0\x0a\x09\0\x04",
        ),
    ),
    (
        Label("nbns.name", "FILES-3", "10.9.0.3"),
        Label("nbns.group", "ACME", "10.9.0.3"),
        Label("nbns.group", "ACME", "10.9.0.4"),
    ),
)

DIALECT = announcing("nbns", Transport.UDP, frozenset({137}), read, (_REGISTERED,))
