"""A device tells its neighbour what it is, by address."""

import pytest

from scanner.events import Label
from scanner.protocols.cdp import ADDRESSES_READ, read
from scanner.protocols.fields import VALUES_READ


def value(code: int, data: bytes, size: int | None = None) -> bytes:
    return code.to_bytes(2, "big") + (4 + len(data) if size is None else size).to_bytes(2, "big") + data


def address(raw: bytes) -> bytes:
    kind = b"\1\1\xcc" if len(raw) == 4 else b"\2\x08\xaa\xaa\3\0\0\0\x86\xdd"
    return kind + len(raw).to_bytes(2, "big") + raw


def addresses(*each: bytes, count: int | None = None, code: int = 2) -> bytes:
    return value(code, (len(each) if count is None else count).to_bytes(4, "big") + b"".join(each))


HEAD = b"\2\xb4\x12\x34"
NAME = value(1, b"sw-3")
V4, V6 = address(b"\x0a\0\0\7"), address(b"\x20\1\x0d\xb8" + bytes(11) + b"\7")
ODD = b"\1\1\xfe\0\3abc"


def named(ip: str | None = None) -> list[Label]:
    return [Label("cdp.name", "sw-3", ip)]


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        pytest.param(HEAD + NAME, named(), id="a name alone"),
        pytest.param(b"\1" + HEAD[1:] + NAME, named(), id="the first version"),
        pytest.param(HEAD + NAME + addresses(V4), named("10.0.0.7"), id="an address"),
        pytest.param(HEAD + NAME + addresses(V6, V4), named("2001:db8::7"), id="the first of two addresses"),
        pytest.param(HEAD + NAME + addresses(ODD, V4), named("10.0.0.7"), id="an address of another kind"),
        pytest.param(
            HEAD + NAME + addresses(V4) + addresses(V6, code=22),
            named("2001:db8::7"),
            id="where it is managed",
        ),
        pytest.param(HEAD + NAME + addresses(V4, count=9), named("10.0.0.7"), id="fewer than were promised"),
        pytest.param(HEAD + NAME + addresses(ODD, count=9), named(), id="none, and fewer than were promised"),
        pytest.param(
            HEAD + NAME + addresses(*[ODD] * ADDRESSES_READ, V4), named(), id="behind a flood of addresses"
        ),
        pytest.param(HEAD + NAME + addresses(V4[:-1]), named(), id="an address that is cut"),
        pytest.param(HEAD + NAME + value(2, b""), named(), id="no list"),
        pytest.param(
            HEAD + value(5, b"ACME-OS 1.2\nbuilt in May") + value(6, b"Acme 24"),
            [Label("cdp.version", "ACME-OS 1.2\nbuilt in May"), Label("cdp.platform", "Acme 24")],
            id="what it is and what runs on it",
        ),
        pytest.param(HEAD + value(1, b" \0") + value(3, b"Port 1"), [], id="blanks, and a port"),
        pytest.param(HEAD + NAME + value(6, b"Acme", 99), named(), id="the last is cut"),
        pytest.param(HEAD + NAME + value(0, b"", 0) + value(6, b"Acme"), named(), id="padding"),
        pytest.param(HEAD + value(9, b"") * VALUES_READ + NAME, [], id="behind a flood"),
        pytest.param(b"\3" + HEAD[1:] + NAME, [], id="a version to come"),
        pytest.param(b"\2", [], id="a byte"),
        pytest.param(b"", [], id="nothing"),
    ],
)
def test_what_a_device_tells(payload: bytes, expected: list[Label]) -> None:
    assert list(read(payload)) == expected
