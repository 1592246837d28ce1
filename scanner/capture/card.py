"""What Linux tells of a network card: its address, and what it lost before anybody could listen.

Source: rtnetlink(7), include/uapi/linux/if_link.h. It may be asked by anybody, and answers for the namespace
that one is in.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from typing import NamedTuple

_GETLINK, _REQUEST = 18, 1
_HEADER = struct.Struct("=IHHII")
_LINK = struct.Struct("=BxHiII")
_ADDRESS, _STATISTICS, _ETHERNET = 1, 23, 1
_COUNTS = struct.Struct("=16Q")
"""struct rtnl_link_stats64, as far as it tells of receiving."""
_ANSWER_BYTES = 1 << 16


class Card(NamedTuple):
    """What came in at an interface since it was made; counts of packets, but for bytes."""

    packets: int = 0
    bytes: int = 0
    missed: int = 0
    """The card had no room for them."""
    long: int = 0
    """Of a length that it does not take: mostly longer than its MTU."""
    broken: int = 0
    """Checksums of frames that are wrong, and other signs of a bad cable."""
    dropped: int = 0
    """Its driver had no room for them, or the system has no use for them itself."""

    def since(self, before: Card) -> Card:
        """What came since; nothing where the interface was made anew."""
        return Card(*(max(now - then, 0) for now, then in zip(self, before, strict=True)))


def card(name: str) -> Card | None:
    """Ask for the counts of an interface; None: it is gone."""
    told = _told(name).get(_STATISTICS, b"")
    if len(told) < _COUNTS.size:
        return None
    (packets, _, size, _, _, _, dropped, _, _, _, length, over, checksum, frame, fifo, missed) = (
        _COUNTS.unpack_from(told)
    )
    return Card(packets, size, missed + fifo + over, length, checksum + frame, dropped)


def hardware_address(name: str) -> bytes | None:
    """Ask for the MAC of an interface; None: it has none, or is gone."""
    return _told(name).get(_ADDRESS)


def _told(name: str) -> dict[int, bytes]:
    """The attributes of an interface; of a kind other than Ethernet no address."""
    try:
        number = socket.if_nametoindex(name)
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as asked:
            asked.bind((0, 0))
            size = _HEADER.size + _LINK.size
            asked.send(_HEADER.pack(size, _GETLINK, _REQUEST, 1, 0) + _LINK.pack(0, 0, number, 0, 0))
            answer = asked.recv(_ANSWER_BYTES)
    except (OSError, AttributeError):  # the latter where there is no netlink
        return {}
    if len(answer) < size:
        return {}
    kind = _LINK.unpack_from(answer, _HEADER.size)[1]
    found = dict(attributes(answer, size))
    if kind != _ETHERNET:
        found.pop(_ADDRESS, None)
    return found


def attributes(answer: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    """Read a message of rtnetlink: each is length, kind and value, and begins at a multiple of four."""
    while at + 4 <= len(answer):
        length, kind = struct.unpack_from("=HH", answer, at)
        if length < 4:
            return
        yield kind, answer[at + 4 : at + length]
        at += (length + 3) & ~3
