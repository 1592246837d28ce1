"""CDP: what Cisco's and other makers' devices tell their neighbour of themselves.

As tcpdump's and Wireshark's dissectors document it: a version, a time to live and a checksum, then kind,
length (its own four bytes counted) and value. Ignored: ports, VLANs, power, and the checksum.
"""

from __future__ import annotations

from collections.abc import Iterator

from scanner.conversation import CLIENT, Transport
from scanner.events import Label
from scanner.protocols.announcement import announcing, clean
from scanner.protocols.fields import address, values
from scanner.session import Example

ADDRESSES_READ = 16
"""Addresses of one list looked through for one that can be read; devices send one to three."""
_VERSIONS = (b"\1", b"\2")
_HEAD = 4
_ADDRESSES, _MANAGEMENT = 2, 22
_TEXTS = {1: "cdp.name", 5: "cdp.version", 6: "cdp.platform"}
_IPV4, _IPV6 = b"\xcc", b"\xaa\xaa\x03\0\0\0\x86\xdd"
"""NLPID of IPv4; IPv6 by SNAP."""


def read(payload: bytes) -> Iterator[Label]:
    """Read one frame, from the version on."""
    if payload[:1] not in _VERSIONS:
        return
    own: dict[int, str | None] = {}
    said: list[tuple[str, str]] = []
    for code, data in values(payload[_HEAD:], 4, _parted):
        if code in (_ADDRESSES, _MANAGEMENT):
            own.setdefault(code, _address(data))
        elif code in _TEXTS and (text := clean(data)):
            said.append((_TEXTS[code], text))
    ip = own.get(_MANAGEMENT) or own.get(_ADDRESSES)
    for field, text in said:
        yield Label(field, text, ip)


def _parted(head: int) -> tuple[int, int]:
    """Kind, and length with these four bytes."""
    return head >> 16, (head & 0xFFFF) - 4


def _address(data: bytes) -> str | None:
    """Give the first address of a list: a count, then protocol and address, each behind its length."""
    at = 4
    for _ in range(min(int.from_bytes(data[:4], "big"), ADDRESSES_READ)):
        if at + 2 > len(data):
            return None
        begin = at + 2 + data[at + 1]
        protocol, size = data[at + 2 : begin], int.from_bytes(data[begin : begin + 2], "big")
        at = begin + 2 + size
        if protocol in (_IPV4, _IPV6) and (ip := address(data[begin + 2 : at])):
            return ip
    return None


def _value(code: int, data: bytes) -> bytes:
    return code.to_bytes(2, "big") + (4 + len(data)).to_bytes(2, "big") + data


_PHONE = Example(
    "a telephone tells of itself",
    (
        (
            CLIENT,
            b"\x02\xb4\x7c\x96"
            + _value(1, b"SEP020000000007")
            + _value(2, b"\0\0\0\x01\x01\x01\xcc\0\x04\x0a\x09\0\x07")
            + _value(3, b"Port 1")
            + _value(5, b"ACME-1.2")
            + _value(6, b"Acme Phone 7"),
        ),
    ),
    (
        Label("cdp.name", "SEP020000000007", "10.9.0.7"),
        Label("cdp.version", "ACME-1.2", "10.9.0.7"),
        Label("cdp.platform", "Acme Phone 7", "10.9.0.7"),
    ),
)

DIALECT = announcing("cdp", Transport.FRAME, frozenset({0x2000}), read, (_PHONE,))
