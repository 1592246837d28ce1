"""Datagrams of the ports that were asked for, as they were sent."""

from __future__ import annotations

import pytest
from packets import ACK, BEGAN, MACS, C, Connection, Packet, S, batch, datagram, decoded

from scanner.net import number
from scanner.wire.batch import LinkType
from scanner.wire.datagrams import Datagram, datagrams, smb_setups
from scanner.wire.decode import Decoder

PORTS = frozenset({1900})
ASKED = datagram(("10.0.0.1", 40000), ("10.0.0.53", 1900), b"question")
ANSWERED = datagram(("2001:db8::53", 1900), ("2001:db8::1", 40000), b"answer", BEGAN + 7)
CARD = MACS[0]


def halves(ip: str) -> tuple[int, int]:
    return number(ip) >> 64, number(ip) & (1 << 64) - 1


OTHER = datagram(("10.0.0.1", 123), ("10.0.0.2", 123), b"time")


def test_datagrams_from_and_to_a_port_come_in_the_order_of_capture() -> None:
    columns = decoded([ASKED, OTHER, ANSWERED], PORTS | {123})
    assert list(datagrams(columns, PORTS)) == [
        Datagram(BEGAN, *halves("10.0.0.1"), 40000, 1900, b"question", CARD),
        Datagram(BEGAN + 7, *halves("2001:db8::53"), 1900, 40000, b"answer", CARD),
    ]


def test_no_port_no_datagram() -> None:
    assert list(datagrams(decoded([ASKED], PORTS), frozenset())) == []


def test_segments_are_no_datagrams() -> None:
    columns = decoded(Connection(server=("10.0.0.53", 1900)).send(C, b"\0\x08question", ACK).packets)
    assert list(datagrams(columns, PORTS)) == []


def test_what_the_snap_length_cut_is_not_there() -> None:
    (found,) = datagrams(decoded([ASKED.cut(3)], PORTS), PORTS)
    assert found.payload == b"quest"


def smb2(command: int) -> bytes:
    return b"\0\0\0\x60\xfeSMB\x40\0" + bytes(6) + bytes([command, 0]) + b"setup"


def smb1(command: int) -> bytes:
    return b"\0\0\0\x60\xffSMB" + bytes([command]) + bytes(9) + b"setup"


def talk(port: int, *said: bytes) -> Connection:
    return Connection(server=("10.0.0.9", port)).open().say(*[(C, data) for data in said]).close()


@pytest.mark.parametrize(
    ("connection", "expected"),
    [
        pytest.param(talk(445, smb2(1)), [smb2(1)], id="SMB 2 sets a session up"),
        pytest.param(talk(139, smb1(0x73)), [smb1(0x73)], id="SMB 1 sets a session up behind NetBIOS"),
        pytest.param(talk(445, smb2(0), smb2(3), smb2(1), smb2(9)), [smb2(1)], id="among other commands"),
        pytest.param(talk(445, smb1(0x72), smb1(1)), [], id="another command of SMB 1"),
        pytest.param(talk(445, smb2(2)), [], id="a command that comes behind"),
        pytest.param(talk(446, smb2(1)), [], id="on another port"),
        pytest.param(talk(445, smb2(1)[:17], b"x" * 40), [], id="cut within the header"),
        pytest.param(talk(445, smb2(1)[1:]), [], id="a byte too early"),
    ],
)
def test_segments_that_set_an_smb_session_up(connection: Connection, expected: list[bytes]) -> None:
    found = list(smb_setups(decoded(connection.packets)))
    assert [one.payload for one in found] == expected
    assert {(one.high, one.low, one.mac) for one in found} <= {(*halves("10.0.0.1"), CARD)}


def test_an_answer_to_a_setup_is_the_servers() -> None:
    connection = Connection(server=("10.0.0.9", 445)).open().say((C, smb2(1)), (S, smb2(1) + b"answer"))
    connection.packets[-1] = connection.packets[-1].cut(2)
    asked, answered = smb_setups(decoded(connection.packets))
    assert (answered.high, answered.low) == halves("10.0.0.9")
    assert (
        (answered.source_port, answered.target_port) == (asked.target_port, asked.source_port) == (445, 50000)
    )
    assert (answered.mac, answered.payload) == (MACS[1], (smb2(1) + b"answer")[:-2])


def test_datagrams_are_no_segments() -> None:
    packet = datagram(("10.0.0.1", 445), ("10.0.0.2", 445), smb2(1))
    assert list(smb_setups(decoded([packet], frozenset({445})))) == []


def test_a_link_without_macs_tells_none() -> None:
    bare = Packet(ASKED.at, ASKED.data[14:])
    (columns,) = Decoder(PORTS).decode(batch([bare], LinkType.RAW))
    assert [one.mac for one in datagrams(columns, PORTS)] == [b""]
