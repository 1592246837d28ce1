"""A client speaks for itself, or through relays; an address is given to the card that it is known by."""

import struct

import pytest

from scanner.events import Event, Label, Leased
from scanner.protocols.dhcp6 import RELAYS_READ, read

MAC = "02:00:00:00:00:07"
CARD = bytes.fromhex(MAC.replace(":", ""))
SOLICIT, ADVERTISE, REQUEST, CONFIRM, RENEW, REBIND, REPLY, RELEASE, DECLINE, RECONFIGURE, INFORM = range(
    1, 12
)
FORWARD, BACK = 12, 13
PEER = b"\xfe\x80" + bytes(13) + b"\7"
HERE = b"\x20\x01\x0d\xb8" + bytes(11) + b"\7"


def option(code: int, data: bytes) -> bytes:
    return struct.pack(">HH", code, len(data)) + data


def message(kind: int, *options: bytes) -> bytes:
    return bytes([kind]) + b"\1\2\3" + b"".join(options)


def relayed(inner: bytes, *options: bytes, kind: int = FORWARD, peer: bytes = PEER) -> bytes:
    return bytes([kind, 0]) + bytes(16) + peer + b"".join(options) + option(9, inner)


def lease(address: bytes = HERE, valid: int = 3600, code: int = 3, inner: bytes = b"") -> bytes:
    head = bytes(12 if code == 3 else 4)
    return option(code, head + option(5, address + struct.pack(">II", valid // 2, valid) + inner))


NAME = option(39, b"\1\6copier\4corp\0")
LL, LLT = option(1, b"\0\3\0\1" + CARD), option(1, b"\0\1\0\1\1\2\3\4" + CARD)
ENTERPRISE = option(1, b"\0\2\0\0\0\x09" + CARD)
LAYER = option(79, b"\0\1" + CARD)
NAMED = Label("dhcp6.fqdn", "copier.corp")
GIVEN = Leased("2001:db8::7", MAC, 3600)


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        *(
            pytest.param(message(kind, LL, NAME), [NAMED], id=f"a client says its name in message {kind}")
            for kind in (SOLICIT, REQUEST, CONFIRM, RENEW, REBIND, RELEASE, DECLINE, INFORM)
        ),
        pytest.param(
            message(SOLICIT, option(16, b"\0\0\1\x37\0\4MSFT\0\3 10")),
            [Label("dhcp6.vendor_class", "MSFT  10")],
            id="a vendor class of two pieces",
        ),
        pytest.param(message(SOLICIT, option(16, b"\0\0\1\x37")), [], id="an empty vendor class"),
        pytest.param(
            message(SOLICIT, option(16, b"\0\0\1\x37\0\x09MSFT")),
            [],
            id="a vendor class that is cut",
        ),
        pytest.param(message(SOLICIT, option(39, b"\1")), [], id="no name"),
        pytest.param(message(ADVERTISE, LL, NAME, lease()), [], id="what is offered may not be taken"),
        pytest.param(message(REPLY, NAME), [], id="a name that a server tells"),
        pytest.param(message(RECONFIGURE, NAME), [], id="a server's call"),
        pytest.param(message(SOLICIT, NAME)[:-1], [], id="a name that is cut"),
        pytest.param(b"\1\2\3", [], id="a head that is cut"),
        pytest.param(b"", [], id="nothing"),
    ],
)
def test_what_clients_say_is_theirs(payload: bytes, expected: list[Event]) -> None:
    assert list(read(payload)) == expected


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        pytest.param(message(REPLY, LL, lease()), [GIVEN], id="to a card"),
        pytest.param(message(REPLY, LLT, lease()), [GIVEN], id="to a card and the time it was made up"),
        pytest.param(message(REPLY, LL, lease(code=4)), [GIVEN], id="for a while only"),
        pytest.param(message(REPLY, lease(), LL), [GIVEN], id="the client is named behind"),
        pytest.param(
            message(REPLY, LL, lease(), lease(HERE[:-1] + b"\x08")),
            [GIVEN, Leased("2001:db8::8", MAC, 3600)],
            id="two addresses",
        ),
        pytest.param(message(REPLY, ENTERPRISE, lease()), [], id="to an identifier without a card"),
        pytest.param(message(REPLY, option(1, b"\0\3\0\6" + CARD), lease()), [], id="to other hardware"),
        pytest.param(message(REPLY, option(1, b"\0\3\0\1\2"), lease()), [], id="to a card that is cut"),
        pytest.param(message(REPLY, lease()), [], id="to nobody"),
        pytest.param(message(REPLY, LL, option(25, lease()[4:])), [], id="a prefix is no address"),
        pytest.param(message(REPLY, LL, option(3, bytes(12) + option(5, HERE))), [], id="without a time"),
        pytest.param(message(REPLY, LL, option(3, bytes(5))), [], id="an association that is cut"),
        pytest.param(message(REPLY, LL, lease(b"\xff" * 16)), [], id="a group is no machine"),
        pytest.param(
            message(RELEASE, LL, lease()), [Leased("2001:db8::7", MAC, 0, True)], id="it is given back"
        ),
    ],
)
def test_addresses_are_given(payload: bytes, expected: list[Event]) -> None:
    assert list(read(payload)) == expected


def nested(depth: int) -> bytes:
    payload = message(SOLICIT, NAME)
    for _ in range(depth):
        payload = relayed(payload)
    return payload


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        pytest.param(
            relayed(message(SOLICIT, NAME), LAYER),
            [Label("dhcp6.fqdn", "copier.corp", "fe80::7", MAC)],
            id="the relay names peer and card",
        ),
        pytest.param(
            relayed(message(SOLICIT, NAME, LL)),
            [Label("dhcp6.fqdn", "copier.corp", "fe80::7", MAC)],
            id="the client names its card",
        ),
        pytest.param(
            relayed(
                relayed(message(SOLICIT, NAME), LAYER), option(79, b"\0\1" + bytes(5) + b"\1"), peer=HERE
            ),
            [Label("dhcp6.fqdn", "copier.corp", "fe80::7", MAC)],
            id="the relay next to the client counts",
        ),
        pytest.param(relayed(message(REPLY, LL, lease()), kind=BACK), [GIVEN], id="an address on its way"),
        pytest.param(
            nested(RELAYS_READ), [Label("dhcp6.fqdn", "copier.corp", "fe80::7")], id="as deep as is allowed"
        ),
        pytest.param(nested(RELAYS_READ + 1), [], id="deeper than is allowed"),
        pytest.param(
            relayed(message(SOLICIT, NAME), LAYER, peer=bytes(16)),
            [Label("dhcp6.fqdn", "copier.corp", None, MAC)],
            id="the relay names the card alone",
        ),
        pytest.param(
            relayed(message(SOLICIT, NAME), peer=bytes(16)),
            [],
            id="what the relay names nobody for is nobody's",
        ),
        pytest.param(relayed(b""), [], id="nothing inside"),
        pytest.param(relayed(message(SOLICIT, NAME))[:33], [], id="a relay's head that is cut"),
    ],
)
def test_relays_are_seen_through(payload: bytes, expected: list[Event]) -> None:
    assert list(read(payload)) == expected


def test_a_cut_anywhere_tells_no_more_than_the_whole() -> None:
    whole = relayed(message(RELEASE, LL, NAME, lease()))
    told = list(read(whole))
    assert len(told) == 2
    assert all(list(read(whole[:size])) == [] for size in range(len(whole)))


def test_a_cut_anywhere_in_what_a_relay_passes_on_raises_nothing() -> None:
    whole = relayed(message(SOLICIT, NAME, LL), LAYER)
    for size in range(len(whole)):
        list(read(whole[:size]))
