"""DHCP: what a client calls itself, and which address a server gave to which card.

RFC 2131 with the options of RFC 2132; FQDN by RFC 4702, long options by RFC 3396. What is said belongs to the
card in the message (``chaddr``): the frame may be a relay's. Ignored: what servers offer and what they tell
of the network, and clients without an Ethernet address.
"""

from __future__ import annotations

from collections.abc import Iterator

from scanner.conversation import CLIENT, SERVER, Transport
from scanner.events import Event, Label, Leased
from scanner.protocols.announcement import announcing, clean
from scanner.protocols.fields import address, card, domain_name
from scanner.session import Example

OPTIONS_READ = 128
"""Options of one message read (clients send some fifteen); what stands behind is left."""
PARAMETERS_READ = 128
"""Numbers of a parameter request list; clients ask for some twenty, and a label has 512 characters."""
_HEADER = 236
_COOKIE = b"\x63\x82\x53\x63"
_REQUEST, _REPLY = 1, 2
_ETHERNET = (b"\x01\x06", b"\x06\x06")
"""Hardware type (Ethernet, IEEE 802) and length of its addresses."""
_SERVER_NAME, _FILE = slice(44, 108), slice(108, 236)
_PAD, _END = 0, 255
_HOST_NAME, _SECONDS, _OVERLOAD, _KIND, _PARAMETERS, _VENDOR, _FQDN = 12, 51, 52, 53, 55, 60, 81
_ACK, _RELEASE = 5, 7
_OF_CLIENT = frozenset({0, 1, 3, 4, _RELEASE, 8})
"""BOOTP, DISCOVER, REQUEST, DECLINE, RELEASE, INFORM."""
_ENCODED = 4

Options = dict[int, bytes]


def read(payload: bytes) -> Iterator[Event]:
    """Read one message, of a client or of a server."""
    if len(payload) < _HEADER or payload[1:3] not in _ETHERNET or not (mac := card(payload[28:34])):
        return
    options = _options(payload)
    kind = int.from_bytes(options.get(_KIND, b""), "big")
    had, given = address(payload[12:16]), address(payload[16:20])
    if payload[0] == _REQUEST and kind in _OF_CLIENT:
        # An address in ciaddr is in use; one that is only asked for may be refused (RFC 2131 4.3.2).
        yield from _labels(options, had, mac)
        if kind == _RELEASE and had:
            yield Leased(had, mac, 0, renewed=True)
    elif payload[0] == _REPLY and kind == _ACK and given and len(options.get(_SECONDS, b"")) == 4:
        yield Leased(given, mac, int.from_bytes(options[_SECONDS], "big"), renewed=had is not None)


def _labels(options: Options, ip: str | None, mac: str) -> Iterator[Label]:
    parameters = options.get(_PARAMETERS, b"")[:PARAMETERS_READ]
    for field, text in (
        ("dhcp.host_name", clean(options.get(_HOST_NAME, b""))),
        ("dhcp.fqdn", _fqdn(options.get(_FQDN, b""))),
        ("dhcp.vendor_class", clean(options.get(_VENDOR, b""))),
        ("dhcp.parameters", ",".join(str(number) for number in parameters)),
    ):
        if text:
            yield Label(field, text, ip, mac)


def _fqdn(option: bytes) -> str:
    """Read a name in DNS encoding, or in the old one, as it is spoken (RFC 4702 2.3.1)."""
    if option and option[0] & _ENCODED:
        return domain_name(option[3:])
    return clean(option[3:]).rstrip(".")


def _options(payload: bytes) -> Options:
    """Read the options, those in place of file and server name too (RFC 2132 9.3)."""
    found: Options = {}
    if payload[_HEADER : _HEADER + 4] != _COOKIE:
        return found
    _collect(payload[_HEADER + 4 :], found)
    overload = int.from_bytes(found.get(_OVERLOAD, b""), "big")
    if overload in (1, 3):
        _collect(payload[_FILE], found)
    if overload in (2, 3):
        _collect(payload[_SERVER_NAME], found)
    return found


def _collect(area: bytes, found: Options) -> None:
    """Add the options of one area; what comes again is more of the same (RFC 3396 5)."""
    at = 0
    for _ in range(OPTIONS_READ):
        while at < len(area) and area[at] == _PAD:
            at += 1
        if at + 1 >= len(area) or area[at] == _END:
            return
        code, behind = area[at], at + 2 + area[at + 1]
        if behind > len(area):
            return
        found[code] = found.get(code, b"") + area[at + 2 : behind]
        at = behind


def _message(op: int, ciaddr: bytes, yiaddr: bytes, options: bytes) -> bytes:
    head = bytes([op]) + b"\x01\x06\0" + b"\x39\x03\xf3\x26" + bytes(4) + ciaddr + yiaddr + bytes(8)
    return head + b"\x02\0\0\0\0\x02" + bytes(10 + 192) + _COOKIE + options + b"\xff"


_NOWHERE, _HERE = bytes(4), b"\x0a\x09\0\x38"
_MAC = "02:00:00:00:00:02"
_NAMES = b"\x0c\x08copier-3" + b"\x3c\x08Acme MFP" + b"\x37\x04\x01\x03\x06\x0f"
_GET = Example(
    "a client asks for an address and is given it",
    (
        (CLIENT, _message(1, _NOWHERE, _NOWHERE, b"\x35\x01\x03\x32\x04" + _HERE + _NAMES)),
        (SERVER, _message(2, _NOWHERE, _HERE, b"\x35\x01\x05\x36\x04\x0a\x09\0\x01\x33\x04\0\0\0\x78")),
    ),
    (
        Label("dhcp.host_name", "copier-3", mac=_MAC),
        Label("dhcp.vendor_class", "Acme MFP", mac=_MAC),
        Label("dhcp.parameters", "1,3,6,15", mac=_MAC),
        Leased("10.9.0.56", _MAC, 120),
    ),
)

DIALECT = announcing("dhcp", Transport.UDP, frozenset({67, 68}), read, (_GET,))
