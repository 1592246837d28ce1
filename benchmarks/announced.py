"""What machines of an office announce and ask all around: mostly questions, and each its own answers."""

from __future__ import annotations

import struct

from benchmarks.parts import ANY, CLIENT, HEXADECIMAL, SERVER, Dialogue, Field, says

OWN = Field("own", HEXADECIMAL, 4)
"""The same for all that one host says."""
_GROUP = b"\xe0\0\0"
"""224.0.0.x; which of them does not matter."""
_LAN = b"\x0a\x14\xfa"
_IDENTITY = Field("announced identity", ANY, 2)


def _labels(*labels: bytes) -> bytes:
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def _asked(port: int, name: bytes, kind: int = 12) -> Dialogue:
    question = name + struct.pack(">HH", kind, 1)
    header = b"\0\0\0\0\0\1\0\0\0\0\0\0"
    return Dialogue(port, (says(CLIENT, header, question),), _GROUP, udp=True)


def _printer() -> Dialogue:
    """RFC 6763: an instance, where it is, its text and its address; the name holds ``OWN``."""
    service = _labels(b"_ipp", b"_tcp", b"local")
    texts = (b"ty=RICOH MP C3004", b"product=(RICOH MP C3004)", b"usb_MFG=RICOH", b"note=third floor")
    text = b"".join(bytes([len(one)]) + one for one in texts)
    instance, host = b"\x0fRICOH MP [", b"\x07RNP"
    told = struct.pack(">HHIH", 12, 1, 4500, 2 + len(instance) + 5)
    where = struct.pack(">HHIH", 33, 0x8001, 120, 6 + len(host) + 4 + 2) + struct.pack(">HHH", 0, 0, 631)
    answers = struct.pack(">HHHHHH", 0, 0x8400, 0, 3, 0, 0)
    at = 12 + len(service) + 10  # of the instance, which later names point to
    named = struct.pack(">H", 0xC000 | at)
    local = struct.pack(">H", 0xC000 | 12 + len(service) - 7)
    about = named + struct.pack(">HHIH", 16, 0x8001, 4500, len(text)) + text
    return Dialogue(
        5353,
        (says(CLIENT, answers, service, told, instance, OWN, b"]", b"\xc0\x0c",
              named, where, host, OWN, local, about),),
        _GROUP, udp=True,
    )  # fmt: skip


def _leased() -> Dialogue:
    """RFC 2131: a request of a host that has an address, and its acknowledgement."""

    def message(operation: int, kind: int, options: bytes) -> bytes:
        head = struct.pack(">BBBBIHHIIII", operation, 1, 6, 0, 7, 0, 0, 0x0A140101, 0x0A140101, 0, 0)
        card = bytes.fromhex("02000a140101") + bytes(10)
        return head + card + bytes(192) + b"\x63\x82\x53\x63" + bytes([53, 1, kind]) + options + b"\xff"

    request = message(1, 3, b"\x37\x04\1\3\6\x0f\x3c\x08MSFT 5.0\x0c\x05RNP01")
    return Dialogue(
        67, (says(CLIENT, request), says(SERVER, message(2, 5, b"\x33\4\0\0\x0e\x10"))), _LAN, udp=True
    )


def _registered() -> Dialogue:
    """RFC 1002 4.2.2: a name is claimed; its letters are halves of bytes, so it differs by identity only."""
    name = b"\x20" + b"EFFEFCEMEFEMEJENEOEPCACACACACAAA" + b"\0"
    record = struct.pack(">HHHHHIHHI", 0x20, 1, 0xC00C, 0x20, 1, 300, 6, 0, 0x0A140101)
    return Dialogue(
        137, (says(CLIENT, _IDENTITY, b"\x29\x10\0\1\0\0\0\0\0\1", name, record),), _GROUP, udp=True
    )


def _alive() -> Dialogue:
    lines = (
        "NOTIFY * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nNTS: ssdp:alive\r\nNT: upnp:rootdevice\r\n"
        "SERVER: Linux/4.4 UPnP/1.0 Printer/1.0\r\nUSN: uuid:"
    )
    return Dialogue(1900, (says(CLIENT, lines, OWN, "::upnp:rootdevice\r\n\r\n"),), _GROUP, udp=True)


WEIGHTS: dict[Dialogue, float] = {
    _asked(5353, _labels(b"_ipp", b"_tcp", b"local")): 30,
    _asked(5355, _labels(b"fileserver"), 1): 20,
    _asked(137, b"\x20" + b"CACACACACACACACACACACACACACACACA" + b"\0", 0x20): 15,
    _printer(): 20,
    _alive(): 8,
    _registered(): 5,
    _leased(): 1,
}
"""How often each is heard, beside the others."""
