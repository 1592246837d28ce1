"""Fields that several announcing protocols write alike: network cards, addresses, DNS names, lists."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from ipaddress import IPv4Address

from scanner import net
from scanner.protocols.announcement import clean

VALUES_READ = 128
"""Options of one message read (machines send some fifteen); what stands behind is left."""
LABELS_READ = 128
"""Labels of a DNS name (RFC 1035 2.3.4: 127 and the root); a name of more is none."""
_LABEL_LENGTH = 63


def card(raw: bytes) -> str | None:
    """Write a MAC of one machine as ``aa:bb:cc:dd:ee:ff``; None for zeros, a group's, or another length."""
    return raw.hex(":") if len(raw) == 6 and any(raw) and not raw[0] & 1 else None


def address(raw: bytes) -> str | None:
    """Write an address of one machine; None for none, a group's, all ones, or another length."""
    if len(raw) == 4 and 0 < raw[0] < 224:
        return str(IPv4Address(raw))
    if len(raw) == 16 and raw[0] != 0xFF and any(raw):
        return net.text(*struct.unpack(">QQ", raw))
    return None


def domain_name(raw: bytes) -> str:
    """Read a DNS name as options hold it: labels, never compressed; empty for what is none.

    Without the last, empty label it is a part of a name, which is good as well (RFC 4702 2.3.1).
    """
    labels: list[str] = []
    at = 0
    while at < len(raw) and raw[at] and len(labels) < LABELS_READ:
        behind = at + 1 + raw[at]
        if raw[at] > _LABEL_LENGTH or behind > len(raw):
            return ""
        labels.append(raw[at + 1 : behind].decode("latin-1"))
        at = behind
    return clean(".".join(labels).encode("latin-1"))


def values(raw: bytes, head: struct.Struct) -> Iterator[tuple[int, bytes]]:
    """Read code, length and value, one after the other, up to the first that is cut.

    ``head`` holds the code and the length of the value.
    """
    at = 0
    for _ in range(VALUES_READ):
        if at + head.size > len(raw):
            return
        code, size = head.unpack_from(raw, at)
        at += head.size
        if at + size > len(raw):
            return
        yield code, raw[at : at + size]
        at += size
