"""A client's names belong to its card; an address belongs to it once a server has said so."""

import pytest

from scanner.events import Event, Label, Leased
from scanner.protocols.dhcp import OPTIONS_READ, PARAMETERS_READ, read

CARD = b"\x02\0\0\0\0\x07"
MAC = CARD.hex(":")
HERE = b"\x0a\0\0\7"
DISCOVER, OFFER, REQUEST, DECLINE, ACK, NAK, RELEASE, INFORM = range(1, 9)
COOKIE = b"\x63\x82\x53\x63"


def option(code: int, data: bytes) -> bytes:
    return bytes([code, len(data)]) + data


def message(
    kind: int | None,
    options: bytes = b"",
    *,
    ciaddr: bytes = bytes(4),
    yiaddr: bytes = bytes(4),
    giaddr: bytes = bytes(4),
    chaddr: bytes = CARD,
    hardware: bytes = b"\1\6",
    names: bytes = b"",
    file: bytes = b"",
    cookie: bytes = COOKIE,
    end: bytes = b"\xff",
) -> bytes:
    operation = 2 if kind in (OFFER, ACK, NAK) else 1
    head = (
        bytes([operation]) + hardware + b"\1" + b"\1\2\3\4" + bytes(4) + ciaddr + yiaddr + bytes(4) + giaddr
    )
    fields = chaddr.ljust(16, b"\0") + names.ljust(64, b"\0") + file.ljust(128, b"\0") + cookie
    return head + fields + (b"" if kind is None else option(53, bytes([kind]))) + options + end


def called(name: str, ip: str | None = None) -> list[Event]:
    return [Label("dhcp.host_name", name, ip, MAC)]


NAME = option(12, b"copier")
LEASE = option(51, b"\0\0\x0e\x10")


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        pytest.param(message(DISCOVER, NAME), called("copier"), id="who looks for a server has no address"),
        pytest.param(
            message(REQUEST, option(50, HERE) + NAME),
            called("copier"),
            id="an address asked for may be refused",
        ),
        pytest.param(
            message(REQUEST, NAME, ciaddr=HERE), called("copier", "10.0.0.7"), id="who renews has its address"
        ),
        pytest.param(
            message(INFORM, NAME, ciaddr=HERE), called("copier", "10.0.0.7"), id="who only asks has one too"
        ),
        pytest.param(
            message(REQUEST, NAME, giaddr=b"\x0a\0\0\1"),
            called("copier"),
            id="a relay's address is not the client's",
        ),
        pytest.param(message(DECLINE, option(50, HERE)), [], id="an address that is declined is nobody's"),
        pytest.param(
            message(RELEASE, NAME, ciaddr=HERE),
            [*called("copier", "10.0.0.7"), Leased("10.0.0.7", MAC, 0, True)],
            id="an address is given back",
        ),
        pytest.param(message(RELEASE), [], id="nothing is given back"),
        pytest.param(message(None, NAME), called("copier"), id="BOOTP with options"),
        pytest.param(message(None, cookie=bytes(64), end=b""), [], id="BOOTP without options"),
        pytest.param(message(None, NAME, cookie=b"CMU\0"), [], id="BOOTP with options of its own kind"),
    ],
)
def test_what_clients_say(payload: bytes, expected: list[Event]) -> None:
    assert list(read(payload)) == expected


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        pytest.param(
            message(ACK, LEASE, yiaddr=HERE), [Leased("10.0.0.7", MAC, 3600)], id="an address is given"
        ),
        pytest.param(
            message(ACK, LEASE, yiaddr=HERE, giaddr=b"\x0a\0\0\1"),
            [Leased("10.0.0.7", MAC, 3600)],
            id="through a relay",
        ),
        pytest.param(
            message(ACK, LEASE, yiaddr=HERE, ciaddr=HERE),
            [Leased("10.0.0.7", MAC, 3600, True)],
            id="an address is left to who had it",
        ),
        pytest.param(
            message(ACK, option(51, b"\xff" * 4), yiaddr=HERE),
            [Leased("10.0.0.7", MAC, 0xFFFFFFFF)],
            id="for ever",
        ),
        pytest.param(message(ACK, LEASE + NAME), [], id="an answer to who has an address gives none"),
        pytest.param(message(ACK, yiaddr=HERE), [], id="without a time it is no lease"),
        pytest.param(message(ACK, option(51, b"\0\1"), yiaddr=HERE), [], id="a time of two bytes is none"),
        pytest.param(message(OFFER, LEASE, yiaddr=HERE), [], id="what is offered may not be taken"),
        pytest.param(message(NAK, LEASE, yiaddr=HERE), [], id="what is refused"),
        pytest.param(message(ACK, LEASE, yiaddr=b"\xe0\0\0\1"), [], id="a group is no machine"),
    ],
)
def test_what_servers_give(payload: bytes, expected: list[Event]) -> None:
    assert list(read(payload)) == expected


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        pytest.param(option(60, b"MSFT 5.0"), ("dhcp.vendor_class", "MSFT 5.0"), id="the vendor class"),
        pytest.param(
            option(55, b"\1\3\6\xfc"), ("dhcp.parameters", "1,3,6,252"), id="parameters in their order"
        ),
        pytest.param(
            option(55, b"\xff" * 255),
            ("dhcp.parameters", ",".join(["255"] * PARAMETERS_READ)),
            id="parameters without end",
        ),
        pytest.param(
            option(81, b"\4\0\0\4copy\4corp\0"), ("dhcp.fqdn", "copy.corp"), id="a full name in DNS encoding"
        ),
        pytest.param(option(81, b"\1\0\0copy.corp."), ("dhcp.fqdn", "copy.corp"), id="a full name as spoken"),
        pytest.param(option(81, b"\4\0\0\4copy"), ("dhcp.fqdn", "copy"), id="a part of a name"),
        pytest.param(option(81, b"\4\0\0\xc0\x0c"), None, id="a name that points"),
        pytest.param(option(81, b"\4"), None, id="a full name that is cut"),
        pytest.param(option(81, b""), None, id="no full name"),
        pytest.param(option(12, b"\0 \0"), None, id="a name of blanks"),
        pytest.param(bytes(99) + NAME, ("dhcp.host_name", "copier"), id="padding before"),
        pytest.param(
            option(12, b"cop") + option(0, b"")[:1] + option(12, b"ier"),
            ("dhcp.host_name", "copier"),
            id="in two parts",
        ),
        pytest.param(option(200, b"") * OPTIONS_READ + NAME, None, id="behind a flood"),
        pytest.param(b"\xff" + NAME, None, id="behind the end"),
        pytest.param(option(12, b"copier")[:-1], None, id="an option that is cut"),
    ],
)
def test_how_options_are_written(options: bytes, expected: tuple[str, str] | None) -> None:
    labels = [] if expected is None else [Label(*expected, None, MAC)]
    assert list(read(message(DISCOVER, options, end=b""))) == labels


@pytest.mark.parametrize(
    ("overload", "names"),
    [
        pytest.param(b"\1", ["file"], id="in place of the file"),
        pytest.param(b"\2", ["server"], id="in place of the server's name"),
        pytest.param(b"\3", ["file and server"], id="in place of both"),
        pytest.param(b"\0", [], id="in place of nothing"),
        pytest.param(b"\7", [], id="in place of what there is not"),
    ],
)
def test_options_stand_in_other_fields_if_it_is_said_so(overload: bytes, names: list[str]) -> None:
    both = overload == b"\3"
    file, server = option(12, b"file and " if both else b"file"), option(12, b"server")
    payload = message(DISCOVER, option(52, overload), file=file + b"\xff", names=server + b"\xff")
    assert list(read(payload)) == [event for name in names for event in called(name)]


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(message(DISCOVER, NAME, chaddr=bytes(6)), id="no card"),
        pytest.param(message(DISCOVER, NAME, chaddr=b"\xff" * 6), id="everybody's card"),
        pytest.param(message(DISCOVER, NAME, hardware=b"\x20\0"), id="InfiniBand has no room for its card"),
        pytest.param(message(DISCOVER, NAME, hardware=b"\1\x10"), id="a card of another length"),
        pytest.param(b"\3" + message(DISCOVER, NAME)[1:], id="neither a question nor an answer"),
        pytest.param(message(9, NAME), id="a kind of message that came later"),
        pytest.param(message(OFFER, NAME), id="names that a server tells"),
        pytest.param(b"", id="nothing"),
    ],
)
def test_what_says_nothing(payload: bytes) -> None:
    assert list(read(payload)) == []


def test_a_cut_anywhere_tells_no_more_than_the_whole() -> None:
    options = NAME + option(60, b"Acme") + option(55, b"\1\3")
    whole = message(DISCOVER, options)
    told = list(read(whole))
    assert len(told) == 3
    for size in range(len(whole)):
        assert list(read(whole[:size])) == told[: len(list(read(whole[:size])))]
