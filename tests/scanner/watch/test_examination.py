"""What is heard on several interfaces together is counted: servers, clients, beginnings, sides, clocks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packets import BEGAN, MACS, SECOND, C, Connection, Packet, S, batch

from scanner.catalogue.exchange import load_catalogue
from scanner.model import ServerKind
from scanner.watch import examination
from scanner.watch.evidence import MailEvidence, Server, Stated
from scanner.watch.examination import Examination, Wire
from scanner.wire.batch import LinkType
from scanner.wire.layers import Kind
from scanner.wire.survey import Directions

EXCHANGE = ("52.96.0.10", 587)
LOCAL = ("10.0.0.25", 25)


def talk(server: tuple[str, int] = LOCAL, client: str = "10.0.0.1", date: str = "") -> Connection:
    name = "AM0PR01CA0001.outlook.office365.com" if server == EXCHANGE else "relay.example.com"
    connection = Connection((client, 50000), server).open()
    connection.say((S, f"220 {name} ESMTP ready at {date}\r\n".encode()), (C, b"EHLO copier\r\n"))
    connection.say((S, f"250 {name}\r\n".encode()), (C, b"QUIT\r\n"), (S, b"221 bye\r\n"))
    return connection.close()


def examined(*wires: Sequence[Packet], mac: bytes | None = None) -> Examination:
    heard = Examination(load_catalogue(None, ()), [Wire(mac, 1500) for _ in wires])
    for number, packets in enumerate(wires):
        heard.hear(number, batch(packets), everything=True)
    heard.advance(BEGAN + 10 * SECOND)
    return heard


def mail(*wires: Sequence[Packet]) -> MailEvidence:
    return examined(*wires).finish()[0]


def sides(packets: list[Packet], client: bool) -> list[Packet]:
    return [one for one in packets if (one.data[6:12] == MACS[0]) is client]


def test_servers_and_clients_are_counted() -> None:
    packets = [*talk().packets, *talk(EXCHANGE).packets, *talk(EXCHANGE, "10.0.0.2").packets]
    found = mail(packets)
    assert found.servers == {
        Server("*.outlook.office365.com", 587, "smtp", ServerKind.EXCHANGE_ONLINE): 2,
        Server("relay.example.com", 25, "smtp", ServerKind.INTERNAL): 1,
    }
    assert (found.clients, found.connections, found.begun, found.directions) == (2, 3, 3, Directions(both=3))


def test_what_two_interfaces_bring_is_one_conversation() -> None:
    packets = talk().packets
    heard = examined(sides(packets, True), sides(packets, False))
    found, directions = heard.finish()
    assert (found.directions, directions) == (Directions(both=1), Directions(both=1))
    assert list(found.servers) == [Server("relay.example.com", 25, "smtp", ServerKind.INTERNAL)]
    assert [wire.frames.frames for wire in heard.wires] == [6, 5]


@pytest.mark.parametrize(("client", "seen"), [(True, Directions(client=1)), (False, Directions(server=1))])
def test_one_side_alone_is_told(client: bool, seen: Directions) -> None:
    assert mail(sides(talk().packets, client)).directions == seen


def test_a_side_may_be_silent_yet_when_listening_ends() -> None:
    heard = Examination(load_catalogue(None, ()), [Wire(None, 1500)])
    heard.hear(0, batch(talk().packets[:4]), everything=True)
    assert heard.finish()[0].directions == Directions()


def test_what_began_before_is_not_begun() -> None:
    found = mail([*talk().packets, *talk(client="10.0.0.3").packets[5:]])
    assert (found.connections, found.begun) == (2, 1)


def test_what_is_no_mail_is_not_counted_but_its_directions_are() -> None:
    web = Connection(server=("192.0.2.80", 8080)).open()
    web.say((C, b"GET / HTTP/1.1\r\n\r\n"), (S, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))
    found, directions = examined(web.packets).finish()
    assert (found, directions) == (MailEvidence(), Directions(both=1))


def test_behind_a_filter_directions_are_told_by_mail_alone() -> None:
    heard = Examination(load_catalogue(None, ()), [Wire(None, 1500)])
    heard.hear(0, batch(talk().packets), everything=False)
    assert heard.finish()[1] == Directions()


def stated(ahead_s: int) -> str:
    return datetime.fromtimestamp(BEGAN // SECOND - ahead_s, UTC).strftime("%a, %d %b %Y %H:%M:%S +0000")


@pytest.mark.parametrize(("server", "microsoft"), [(EXCHANGE, True), (LOCAL, False)])
def test_clocks_are_compared_with_what_servers_say(server: tuple[str, int], microsoft: bool) -> None:
    heard = examined(talk(server, date=stated(7)).packets)
    heard.finish()
    (clock,) = heard.clocks.values()
    assert clock == Stated(clock.ahead_ns, microsoft)
    assert 6.4 * SECOND < clock.ahead_ns < 6.6 * SECOND, "it may have been said at the end of its second"
    assert examined(talk(server).packets).clocks == {}


def test_what_is_kept_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examination, "SERVERS_KEPT", 2)
    monkeypatch.setattr(examination, "CLIENTS_KEPT", 3)
    packets = [
        packet
        for number, port in enumerate((25, 25, 587, 2525, 25))
        for packet in talk((f"10.0.1.{number}", port), f"10.0.2.{number}", stated(0)).packets
    ]
    heard = examined(packets)
    found, _ = heard.finish()
    assert (len(heard.clocks), found.clients, found.connections) == (2, 3, 5)
    assert len(found.servers) == 2


@given(st.lists(st.binary(max_size=80)), st.sampled_from([LinkType.ETHERNET, LinkType.RAW]))
def test_anything_may_come(frames: list[bytes], link: LinkType) -> None:
    heard = Examination(load_catalogue(None, ()), [Wire(MACS[0], 1500)])
    heard.hear(
        0, batch([Packet(BEGAN, b"\x45" * 12 + b"\x08\0" + one) for one in frames], link), everything=True
    )
    assert heard.looked_at == len(frames)
    heard.finish()


def test_nothing_that_was_said_is_kept() -> None:
    secret = Connection(("10.0.0.1", 50000), LOCAL).open()
    secret.say((S, b"220 relay.example.com\r\n"), (C, b"EHLO a\r\n"), (S, b"250 AUTH PLAIN\r\n"))
    secret.say((C, b"AUTH PLAIN AGJvYgBzZWNyZXQ=\r\n"), (S, b"235 ok\r\n"))
    heard = examined(secret.close().packets)
    assert "bob" not in repr((heard.finish(), heard.clocks))


def test_what_packets_are_wrapped_in_is_told_by_name() -> None:
    wire = Wire(None, 1500)
    wire.decoder.met.update({Kind.GRE: 3, Kind.TCP: 9})
    assert wire.met({Kind.GRE: "GRE", Kind.VXLAN: "VXLAN"}) == {"GRE": 3}
