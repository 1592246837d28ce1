"""The classic filter passes what is on odd ports, and only of known bulk nothing but what bears a mark."""

from __future__ import annotations

import random
import socket

import pytest
from filters import classically, ours
from packets import ACK, FIN, C, Connection, S

from scanner.capture.bpf import MOST_CLASSIC
from scanner.capture.classic_filter import BULK_PORTS, attach_classic, classic
from scanner.capture.passing import Passing
from scanner.net import Prefixes
from scanner.wire.batch import LinkType


def passed(port: int) -> list[bool]:
    """Of a dialogue that a mark begins in the middle; its opening is left out."""
    dialogue = Connection(server=("192.0.2.1", port)).say(
        (C, b"\x16\3\1\2\0\1"), (S, b"220 a\r\n"), (C, b"x\r\n")
    )
    dialogue.send(S, flags=ACK).send(C, flags=FIN | ACK)
    return classically(ours())([packet.data for packet in dialogue.packets])


@pytest.mark.parametrize("port", [24, 587, 5025, 8025, 50587])
def test_on_any_other_port_all_that_is_said_passes(port: int) -> None:
    assert passed(port) == [True, True, True, False, True]


@pytest.mark.parametrize("port", [22, 443, 445, 2049, 3389, 9100])
def test_of_bulk_only_what_bears_a_mark_passes(port: int) -> None:
    assert passed(port) == [False, True, False, False, False]


def test_bulk_is_on_no_port_that_is_wanted() -> None:
    assert not BULK_PORTS & ours().tcp_ports
    assert max(BULK_PORTS) < 32_768, "a client's own port says nothing of what is carried"


def test_hundreds_of_prefixes_of_a_users_fit() -> None:
    draw = random.Random(5)
    old = [f"{draw.randrange(1, 224)}.{draw.randrange(256)}.{draw.randrange(256)}.0/24" for _ in range(800)]
    new = [f"2{draw.randrange(4096):03x}:{draw.randrange(65536):x}::/40" for _ in range(400)]
    passing = Passing(ours().tcp_ports, ours().udp_ports, Prefixes([*old, *new]))
    assert len(classic(passing, LinkType.ETHERNET)) // 8 < MOST_CLASSIC // 2
    for ip in ("192.0.2.1", "2001:db8::1"):
        run = classically(Passing(ours().tcp_ports, ours().udp_ports, Prefixes([*old, *new, ip])))
        client = "10.0.0.1" if "." in ip else "fd00::1"
        spoken = Connection((client, 50000), (ip, 443)).say((C, b"x"), (S, b"x"))
        assert run([packet.data for packet in spoken.packets]) == [True, True]


def test_what_is_no_program_is_refused_by_the_kernel() -> None:
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with here, there, pytest.raises(OSError, match="Invalid"):
        attach_classic(there, bytes(8))
