"""A device tells its neighbour what it is, by card and by address."""

import pytest

from scanner.events import Label
from scanner.protocols.fields import VALUES_READ
from scanner.protocols.lldp import CAPABILITIES, read

MAC = "02:00:00:00:00:07"
CARD = bytes.fromhex(MAC.replace(":", ""))


def value(code: int, data: bytes) -> bytes:
    return (code << 9 | len(data)).to_bytes(2, "big") + data


BY_CARD, BY_NAME = value(1, b"\4" + CARD), value(1, b"\7copier")
HEAD = value(2, b"\5eth0") + value(3, b"\0\x78")
NAME, END = value(5, b"copier"), value(0, b"")
V4 = value(8, b"\5\1\x0a\0\0\7\2\0\0\0\1\0")
V6 = value(8, b"\x11\2\x20\1\x0d\xb8" + bytes(11) + b"\7\2\0\0\0\1\0")


def named(ip: str | None = None, mac: str | None = MAC) -> list[Label]:
    return [Label("lldp.name", "copier", ip, mac)]


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        pytest.param(BY_CARD + HEAD + NAME + END, named(), id="by its card"),
        pytest.param(BY_NAME + HEAD + NAME + END, named(mac=None), id="by the sender of the frame"),
        pytest.param(BY_CARD + HEAD + NAME + V4 + END, named("10.0.0.7"), id="by its address"),
        pytest.param(
            BY_CARD + HEAD + V6 + NAME + V4, named("2001:db8::7"), id="by the first of two addresses"
        ),
        pytest.param(
            BY_CARD + value(8, b"\7\6" + CARD + b"\2") + V4 + NAME,
            named("10.0.0.7"),
            id="a card is no address",
        ),
        pytest.param(BY_CARD + value(8, b"\5\1\x0a") + NAME, named(), id="an address that is cut"),
        pytest.param(
            BY_CARD + value(6, b"Acme Linux 5.4"),
            [Label("lldp.description", "Acme Linux 5.4", None, MAC)],
            id="what",
        ),
        pytest.param(
            BY_CARD + value(7, b"\0\x3c\0\x28"),
            [Label("lldp.capabilities", "wlan-ap,telephone", None, MAC)],
            id="what it does, not what it could",
        ),
        pytest.param(
            BY_CARD + value(7, b"\xff\xff\xff\xff"),
            [Label("lldp.capabilities", ",".join(CAPABILITIES), None, MAC)],
            id="it does all, and more",
        ),
        pytest.param(BY_CARD + value(7, b"\0\x3c\0\0"), [], id="it does nothing"),
        pytest.param(BY_CARD + value(7, b"\0\x3c"), [], id="what it does is cut"),
        pytest.param(
            BY_CARD + value(127, b"\0\x12\xbb\x09Acme") + value(127, b"\0\x12\xbb\x0aMFP 3"),
            [Label("lldp.manufacturer", "Acme", None, MAC), Label("lldp.model", "MFP 3", None, MAC)],
            id="who made it",
        ),
        pytest.param(BY_CARD + value(127, b"\0\x80\xc2\x0aname"), [], id="others' own fields"),
        pytest.param(BY_CARD + value(5, b"\0") + value(6, b" "), [], id="blanks"),
        pytest.param(BY_CARD + END + NAME, [], id="behind the end"),
        pytest.param(BY_CARD + NAME + value(6, b"what")[:-1], named(), id="the last is cut"),
        pytest.param(BY_CARD + value(9, b"") * VALUES_READ + NAME, [], id="behind a flood"),
        pytest.param(NAME + BY_CARD, [], id="it does not begin with who it is"),
        pytest.param(BY_CARD + NAME + BY_CARD, [], id="it says twice who it is"),
        pytest.param(b"\2", [], id="a byte"),
        pytest.param(b"", [], id="nothing"),
    ],
)
def test_what_a_device_tells(payload: bytes, expected: list[Label]) -> None:
    assert list(read(payload)) == expected
