"""Lines as tshark writes them of packets with TLS in them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.capture.decrypted import FIELDS, HEADS_KEPT, Line, Streams, parsed
from scanner.conversation import Endpoint, Said
from scanner.wire.harvest import BYTES_KEPT

CLIENT, SERVER = Endpoint("10.0.0.1", 40000), Endpoint("192.0.2.1", 993)
AT = 1_790_000_000_123_456_789
USUAL = {
    "frame.number": "7", "frame.time_epoch": "1790000000.123456789", "frame.protocols": "eth:ip:tcp:tls",
    "tcp.stream": "3", "ip.src": "10.0.0.1", "ip.dst": "192.0.2.1", "tcp.srcport": "40000",
    "tcp.dstport": "993", "tls.record.content_type": "23", "tls.record.length": "40", "data.data": "612062",
}  # fmt: skip
IPV6 = {"ipv6__src": "2001:DB8:0:0::7", "ipv6__dst": "2001:db8::1"}


def line(**changed: str) -> str:
    """A line; ``_`` in names stands for a dot, ``|`` between values for what tshark is told to put there."""
    fields = {**USUAL, **{name.replace("__", "."): value for name, value in changed.items()}}
    return "\x1e".join(fields.get(name, "").replace("|", "\x1f") for name in FIELDS) + "\n"


def read(**changed: str) -> Line:
    found = parsed(line(**changed))
    assert found is not None
    return found


def test_a_packet_tells_who_said_what_when() -> None:
    assert read() == Line(7, AT, 3, CLIENT, SERVER, (b"a b",), False, ())
    several = read(data__data="61|62", tls__record__length="40|40", tls__record__content_type="23|23")
    assert several.plain == (b"a", b"b")


@pytest.mark.parametrize(
    ("layers", "changed", "sender"),
    [
        pytest.param("ip:ip", {"ip__src": "192.168.0.9|10.0.0.7"}, "10.0.0.7", id="IPv4 in IPv4"),
        pytest.param("ip:ipv6", IPV6, "2001:db8::7", id="IPv6 in IPv4"),
        pytest.param("ipv6:ip", IPV6, "10.0.0.1", id="IPv4 in IPv6"),
        pytest.param("ipv6", {"ip__src": "", "ip__dst": "", **IPV6}, "2001:db8::7", id="IPv6"),
    ],
)
def test_the_innermost_addresses_are_meant(layers: str, changed: dict[str, str], sender: str) -> None:
    assert read(frame__protocols=f"eth:{layers}:tcp:tls", **changed).sender.ip == sender


@pytest.mark.parametrize(
    ("changed", "lost"),
    [
        pytest.param({}, False, id="all is there"),
        pytest.param({"data__data": ""}, False, id="so short that it may hold nothing"),
        pytest.param(
            {"data__data": "", "tls__record__length": "120"}, True, id="long, and nothing came of it"
        ),
        pytest.param(
            {"tls__record__content_type": "23|23", "tls__record__length": "32|400"},
            False,
            id="an empty one first",
        ),
        pytest.param(
            {"tls__record__content_type": "23|23", "tls__record__length": "400|400"},
            True,
            id="one of two is there",
        ),
        pytest.param(
            {"tls__record__content_type": "", "data__data": "", "tls__record__length": "120"},
            True,
            id="TLS 1.3 hides the type of what nobody decrypts",
        ),
        pytest.param({"tls__record__content_type": "22", "data__data": ""}, False, id="a handshake"),
    ],
)
def test_what_could_not_be_decrypted_is_noticed(changed: dict[str, str], lost: bool) -> None:
    assert read(**changed).lost is lost


def test_what_http_2_says_takes_the_place_of_bytes() -> None:
    found = read(
        http2__type="1", http2__streamid="5", http2__header__name=":status", http2__header__value="200"
    )
    assert (found.plain, found.lost) == ((), False)
    assert [(one.stream, one.by_client) for one in found.messages] == [(5, False)]


def test_what_a_header_holds_shifts_nothing() -> None:
    names, values = ":method|:path|x", "GET|/\x1e9\x1e1.0\x1eeth|\x1f\x1e"
    found = read(http2__type="1", http2__streamid="5", http2__header__name=names, http2__header__value=values)
    assert (found.packet, found.sender, len(found.messages)) == (7, CLIENT, 1)


@pytest.mark.parametrize(
    "text",
    [
        "", "\n", "7\x1e1.0\n", line(frame__number="x"), line(ip__src="nowhere"), line(data__data="6"),
        line(tcp__stream=""), line(frame__time_epoch="Nov 25"), line(tls__record__length="x"),
        line(tcp__dstport=""),
    ],
)  # fmt: skip
def test_what_is_no_such_line_is_passed_over(text: str) -> None:
    assert parsed(text) is None


@settings(deadline=None)
@given(st.lists(st.text(max_size=9), max_size=20))
def test_no_line_breaks_it(parts: list[str]) -> None:
    parsed("\x1e".join(parts))
    parsed(line(data__data="".join(parts), http2__type="|".join(parts), http2__streamid="|".join(parts)))


def test_streams_tell_what_was_said() -> None:
    streams = Streams()
    assert list(streams.hear(read())) == [Said(CLIENT, SERVER, AT, b"a b")]
    assert list(streams.hear(read(tcp__stream="4", data__data=""))) == []
    assert (streams.opened, len(streams)) == (1, 2)


def test_what_was_lost_before_anything_was_decrypted_is_told_with_it() -> None:
    streams = Streams()
    assert list(streams.hear(read(data__data="", tls__record__length="300"))) == []
    reply = read(ip__src="192.0.2.1", ip__dst="10.0.0.1", tcp__srcport="993", tcp__dstport="40000")
    assert list(streams.hear(reply)) == [Said(CLIENT, SERVER, AT, b""), Said(SERVER, CLIENT, AT, b"a b")]
    after = read(data__data="", tls__record__length="300")
    assert list(streams.hear(after)) == [Said(CLIENT, SERVER, AT, b"")]


def test_no_more_is_given_of_a_side_than_is_heard_of_any() -> None:
    streams, large = Streams(), read(data__data="61" * 10_000)
    given = [said for _ in range(5) for said in streams.hear(large)]
    assert sum(len(said.data) for said in given) == BYTES_KEPT and all(said.data for said in given)
    heads = {"http2__type": "1", "http2__streamid": "1", "http2__header__name": ":method|x"}
    head = read(**heads, http2__header__value="GET|" + "y" * 10_000)
    given = [said for _ in range(50) for said in streams.hear(head._replace(sender=SERVER, receiver=CLIENT))]
    assert HEADS_KEPT < sum(len(said.data) for said in given) < HEADS_KEPT + 11_000


def test_when_tshark_is_gone_nobody_knows_what_more_was_said() -> None:
    streams = Streams()
    list(streams.hear(read(tcp__stream="4", data__data="")))
    assert list(streams.break_off()) == []
    list(streams.hear(read()))
    list(streams.hear(read(tcp__stream="5", data__data="", frame__time_epoch="1790000009")))
    latest = 1_790_000_009_000_000_000
    assert list(streams.break_off()) == [Said(CLIENT, SERVER, latest, b""), Said(SERVER, CLIENT, latest, b"")]
