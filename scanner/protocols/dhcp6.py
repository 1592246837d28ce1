"""DHCPv6: what a client calls itself, and which address a server gave to which card.

RFC 8415; FQDN by RFC 4704, the client's card by a relay's word (RFC 6939) or else by the client's identifier,
where that holds a MAC. What a client says itself is the sender's; what a relay passes on is about the peer
that the relay names. Ignored: prefixes, and leases of clients that no card is known of.
"""

from __future__ import annotations

from collections.abc import Iterator

from scanner.conversation import CLIENT, SERVER, Transport
from scanner.events import Event, Label, Leased
from scanner.protocols.announcement import announcing, clean
from scanner.protocols.fields import address, card, domain_name, values
from scanner.session import Example

RELAYS_READ = 8
"""Relays in one another (RFC 8415 7.6: HOP_COUNT_LIMIT); what is wrapped deeper is left."""
_REPLY, _RELEASE = 7, 8
_OF_CLIENT = frozenset({1, 3, 4, 5, 6, _RELEASE, 9, 11})
"""SOLICIT, REQUEST, CONFIRM, RENEW, REBIND, RELEASE, DECLINE, INFORMATION-REQUEST."""
_RELAYED = frozenset({12, 13})
_CLIENT_ID, _IA_NA, _IA_TA, _IA_ADDRESS, _RELAY_MESSAGE = 1, 3, 4, 5, 9
_VENDOR, _FQDN, _LINK_LAYER = 16, 39, 79
_HEAD, _RELAY_HEAD = 4, 34
_IA_HEADS = {_IA_NA: 12, _IA_TA: 4}
_ETHERNET = b"\0\x01"
_DUID_HEADS = {b"\0\x01": 8, b"\0\x03": 4}
"""DUID-LLT and DUID-LL: bytes before the address (RFC 8415 11.2, 11.4)."""


def read(payload: bytes) -> Iterator[Event]:
    """Read one message, of a client or of a server, bare or relayed."""
    message, bare, peer, mac = _unwrapped(payload)
    if len(message) < _HEAD:
        return
    options = list(values(message[_HEAD:], 4, _parted))
    held = next((_of_identifier(data) for code, data in options if code == _CLIENT_ID), None)
    owner = mac or held
    if message[0] in _OF_CLIENT and (bare or peer or owner):
        for field, text in _said(options):
            yield Label(field, text) if bare else Label(field, text, peer, owner)
    if message[0] in (_REPLY, _RELEASE) and owner:
        for ip, seconds in _addresses(options):
            gone = message[0] == _RELEASE
            yield Leased(ip, owner, 0 if gone else seconds, renewed=gone)


def _unwrapped(payload: bytes) -> tuple[bytes, bool, str | None, str | None]:
    """The client's message, whether no relay passed it on, and what the nearest says of peer and MAC."""
    message, bare, peer, mac = payload, True, None, None
    for _ in range(RELAYS_READ):
        if len(message) < _RELAY_HEAD or message[0] not in _RELAYED:
            break
        options = dict(values(message[_RELAY_HEAD:], 4, _parted))
        layer = options.get(_LINK_LAYER, b"")
        bare, peer = False, address(message[18:34])
        mac = card(layer[2:]) if layer[:2] == _ETHERNET else None
        message = options.get(_RELAY_MESSAGE, b"")
    return message, bare, peer, mac


def _parted(head: int) -> tuple[int, int]:
    return head >> 16, head & 0xFFFF


def _of_identifier(data: bytes) -> str | None:
    head = _DUID_HEADS.get(data[:2])
    return card(data[head:]) if head and data[2:4] == _ETHERNET else None


def _said(options: list[tuple[int, bytes]]) -> Iterator[tuple[str, str]]:
    for code, data in options:
        if code == _FQDN and (name := domain_name(data[1:])):
            yield "dhcp6.fqdn", name
        elif code == _VENDOR and (text := _vendor(data[4:])):
            yield "dhcp6.vendor_class", text


def _vendor(data: bytes) -> str:
    """Read pieces of text, each behind its length, and put blanks between them."""
    return clean(b" ".join(piece for _, piece in values(data, 2, lambda size: (0, size))))


def _addresses(options: list[tuple[int, bytes]]) -> Iterator[tuple[str, int]]:
    """Give each address with the seconds it is valid for."""
    for code, data in options:
        if not (head := _IA_HEADS.get(code)):
            continue
        for inner, value in values(data[head:], 4, _parted):
            if inner == _IA_ADDRESS and len(value) >= 24 and (ip := address(value[:16])):
                yield ip, int.from_bytes(value[20:24], "big")


def _option(code: int, data: bytes) -> bytes:
    return (code << 16 | len(data)).to_bytes(4, "big") + data


_DUID = _option(_CLIENT_ID, b"\0\x03\0\x01\x02\0\0\0\0\x02")
_NAME = _option(_FQDN, b"\0\x08copier-6\x04corp\x07example\0")
_CLASS = _option(_VENDOR, b"\0\0\x01\x37\0\x08Acme MFP")
_HERE = b"\x20\x01\x0d\xb8\0\x09" + bytes(9) + b"\x50"
_IA = _option(_IA_NA, b"\0\0\0\x02" + bytes(8) + _option(_IA_ADDRESS, _HERE + b"\0\0\0\x3c\0\0\0\x78"))
_ASK = b"\x03\x12\x34\x56" + _DUID + _NAME + _CLASS
_GET = Example(
    "a client asks for an address and is given it",
    ((CLIENT, _ASK), (SERVER, b"\x07\x12\x34\x56" + _DUID + _IA)),
    (
        Label("dhcp6.fqdn", "copier-6.corp.example"),
        Label("dhcp6.vendor_class", "Acme MFP"),
        Leased("2001:db8:9::50", "02:00:00:00:00:02", 120),
    ),
)

DIALECT = announcing("dhcp6", Transport.UDP, frozenset({546, 547}), read, (_GET,))
