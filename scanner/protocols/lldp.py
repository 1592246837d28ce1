"""LLDP: what a switch, a telephone or a machine tells its neighbour of itself.

IEEE 802.1AB 8, and LLDP-MED by ANSI/TIA-1057 10.2.6. What is said belongs to the card that the chassis id
names, or else to the sender of the frame. Ignored: ports, and what tells of the network.
"""

from __future__ import annotations

from collections.abc import Iterator

from scanner.conversation import CLIENT, Transport
from scanner.events import Label
from scanner.protocols.announcement import announcing, clean
from scanner.protocols.fields import address, card, values
from scanner.session import Example

CAPABILITIES = (
    "other", "repeater", "bridge", "wlan-ap", "router", "telephone", "docsis", "station", "c-vlan", "s-vlan",
    "tpmr",
)  # fmt: skip
"""IEEE 802.1AB 8.5.8.1, from the lowest bit on."""
_END, _CHASSIS, _NAME, _DESCRIPTION, _CAPABILITIES, _MANAGEMENT, _OWN = 0, 1, 5, 6, 7, 8, 127
_CHASSIS_IS_MAC = 4
_FAMILIES = {b"\x05\x01": 6, b"\x11\x02": 18}
"""Length and family of a management address; where it ends (IANA address family numbers: IPv4, IPv6)."""
_MED = {b"\0\x12\xbb\x09": "lldp.manufacturer", b"\0\x12\xbb\x0a": "lldp.model"}


def read(payload: bytes) -> Iterator[Label]:
    """Read one frame, from behind its EtherType on."""
    ip = mac = None
    said: list[tuple[str, str]] = []
    for number, (code, data) in enumerate(values(payload, 2, _parted)):
        if code == _END:
            break
        if (number == 0) != (code == _CHASSIS):
            return
        if code == _CHASSIS and data[:1] == bytes([_CHASSIS_IS_MAC]):
            mac = card(data[1:])
        elif code == _MANAGEMENT and ip is None:
            ip = address(data[2 : _FAMILIES.get(data[:2], 0)])
        else:
            said += _said(code, data)
    for field, text in said:
        if text:
            yield Label(field, text, ip, mac)


def _said(code: int, data: bytes) -> Iterator[tuple[str, str]]:
    if code == _NAME:
        yield "lldp.name", clean(data)
    elif code == _DESCRIPTION:
        yield "lldp.description", clean(data)
    elif code == _CAPABILITIES:
        enabled = int.from_bytes(data[2:4], "big")
        yield (
            "lldp.capabilities",
            ",".join(name for bit, name in enumerate(CAPABILITIES) if enabled >> bit & 1),
        )
    elif code == _OWN and (field := _MED.get(data[:4])):
        yield field, clean(data[4:])


def _parted(head: int) -> tuple[int, int]:
    """Seven bits of kind, nine of length."""
    return head >> 9, head & 0x1FF


def _value(code: int, data: bytes) -> bytes:
    return (code << 9 | len(data)).to_bytes(2, "big") + data


_MAC = "02:00:00:00:00:07"
_SWITCH = Example(
    "a switch tells of itself",
    (
        (
            CLIENT,
            _value(1, b"\x04\x02\0\0\0\0\x07")
            + _value(2, b"\x05ge1")
            + _value(3, b"\0\x78")
            + _value(5, b"sw-3")
            + _value(6, b"Acme 24 ports")
            + _value(7, b"\0\x14\0\x04")
            + _value(8, b"\x05\x01\x0a\x09\0\x03\x02\0\0\0\x02\0")
            + _value(127, b"\0\x12\xbb\x0aX24")
            + _value(0, b""),
        ),
    ),
    (
        Label("lldp.name", "sw-3", "10.9.0.3", _MAC),
        Label("lldp.description", "Acme 24 ports", "10.9.0.3", _MAC),
        Label("lldp.capabilities", "bridge", "10.9.0.3", _MAC),
        Label("lldp.model", "X24", "10.9.0.3", _MAC),
    ),
)

DIALECT = announcing("lldp", Transport.FRAME, frozenset({0x88CC}), read, (_SWITCH,))
