"""The extended filter follows connections: from a mark on, both ways, and no further than the first bytes."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing

import pytest
from filters import EXTENDED, Run, may_load, ours
from packets import ACK, FIN, RST, SYN, C, Connection, S, datagram

from scanner.capture import extended_filter, kernel_bpf
from scanner.capture.extended_filter import OVERTAKEN, ExtendedFilter, FilterCounts
from scanner.capture.kernel_bpf import FilterRefused
from scanner.conversation import Side
from scanner.wire.batch import LinkType
from scanner.wire.harvest import BYTES_KEPT

PIECE = 1024
HEAD = BYTES_KEPT // PIECE
loadable = pytest.mark.skipif(not may_load(), reason="the machine of the tests stands in for the kernel's")


@pytest.fixture(params=EXTENDED)
def run(request: pytest.FixtureRequest) -> Run:
    return EXTENDED[request.param](ours())


def passed(run: Run, *connections: Connection) -> list[bool]:
    """Of connections that follow one another."""
    return run([packet.data for connection in connections for packet in connection.packets])


def long(connection: Connection, pieces: int = HEAD + 4) -> Connection:
    """The server says much."""
    return connection.say(*[(S, bytes(PIECE))] * pieces)


ENDS = {
    "IPv4": (("10.0.0.1", 50000), ("192.0.2.1", 110)),
    "IPv6": (("2001:db8::1", 50000), ("2001:db8::2", 110)),
    "Exchange Online": (("10.0.0.1", 50000), ("52.97.0.1", 443)),
    "Exchange Online, IPv6": (("2001:db8::1", 50000), ("2603:1006::1", 443)),
}


@pytest.mark.parametrize("ends", ENDS.values(), ids=ENDS)
def test_of_each_direction_the_first_bytes_pass(
    run: Run, ends: tuple[tuple[str, int], tuple[str, int]]
) -> None:
    found = passed(run, long(Connection(*ends).open()).say((C, b"x")).close())
    said = [True] * HEAD + [False] * 4
    assert found == [True, True, False, *said, True, True, True, False]


def test_another_connection_is_another(run: Run) -> None:
    for other in (
        Connection(client=("10.0.0.1", 50001)),
        Connection(client=("10.0.0.2", 50000)),
        Connection(server=("192.0.2.2", 587)),
        Connection(server=("192.0.2.1", 25)),
        Connection(("2001:db8::a00:1", 50000), ("2001:db8::c000:201", 587)),
    ):
        other.following[:] = 500_000, 900_000
        assert passed(run, long(Connection()), other.say((S, b"x")))[HEAD:] == [False] * 4 + [True]


def test_where_sequence_numbers_begin_again_nothing_is_lost(run: Run) -> None:
    around = Connection(following=[0, (1 << 32) - 5 * PIECE])
    assert passed(run, long(around)) == [True] * HEAD + [False] * 4


def test_from_the_middle_what_was_overtaken_passes(run: Run) -> None:
    late = Connection(following=[0, 2 * OVERTAKEN]).send(S, b"x")
    late.send(S, b"x", back=OVERTAKEN + 1).send(S, b"x", back=OVERTAKEN + 2)
    assert passed(run, late) == [True, True, False]


@pytest.mark.parametrize("flags", [SYN, SYN | ACK, FIN | ACK, RST])
@pytest.mark.parametrize("side", [C, S])
def test_where_a_connection_opens_or_ends_another_may_begin(run: Run, flags: int, side: Side) -> None:
    first = long(Connection()).send(side, flags=flags)
    again = long(Connection(following=[1 << 30, 1 << 31]), 1)
    assert passed(run, first, again)[HEAD:] == [False] * 4 + [True, True]


@pytest.mark.parametrize("port", [443, 9025])
def test_a_mark_makes_both_directions_followed(run: Run, port: int) -> None:
    odd = (
        Connection(server=("192.0.2.1", port), following=[1 << 30, 9000])
        .open()
        .say((C, b"hello"), (S, b"220 a\r\n"), (C, b"x"))
    )
    odd.send(C).send(S, flags=FIN | ACK).say((C, b"y"), (S, b"z"))
    found = passed(run, long(odd, HEAD + 4), Connection(server=("192.0.2.2", port)).say((S, b"a")))
    assert found[:9] == [True, True, False, False, True, True, False, True, True]
    assert found[9:] == [True] * (HEAD + 1) + [False] * 4 + [False]


@pytest.mark.parametrize("side", [C, S])
def test_a_mark_lasts_over_openings_though_one_is_not_seen(run: Run, side: Side) -> None:
    odd = Connection(server=("192.0.2.1", 9025)).say((S, b"220 a\r\n"), (C, b"x"))
    again = Connection(server=odd.server, following=[1 << 30, 1 << 31]).send(side, flags=SYN)
    again.say((C, b"a"), (S, b"b"))
    said = [True] * (HEAD + 2) + [False] * 4
    assert passed(run, long(odd), again) == [*said, True, True, True]


def test_a_mark_that_opens_or_ends_counts(run: Run) -> None:
    for flags in (SYN, FIN | ACK):
        odd = Connection(server=("192.0.2.1", 9025)).send(C, b"EHLO x", flags).say((S, b"a"), (C, b"b"))
        assert passed(run, odd) == [True, True, True]


def test_what_is_not_followed_ends_unheard(run: Run) -> None:
    odd = Connection(server=("192.0.2.1", 9025)).say((S, b"a")).send(S, flags=FIN | ACK).send(C, flags=RST)
    assert passed(run, odd) == [False] * 3


@pytest.fixture
def sieve() -> Iterator[ExtendedFilter]:
    with closing(ExtendedFilter.load(ours(), LinkType.ETHERNET)) as loaded:
        yield loaded


@loadable
def test_sockets_that_share_a_filter_share_what_it_knows(sieve: ExtendedFilter) -> None:
    pairs = [socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM) for _ in range(2)]
    for _, there in pairs:
        sieve.attach(there)
        there.setblocking(False)
    heard = 0
    for at, packet in enumerate(long(Connection()).packets):
        here, there = pairs[at % 2]
        here.send(packet.data)
        try:
            heard += len(there.recv(1 << 18)) == len(packet.data)
        except BlockingIOError:
            continue
    for sock in (*pairs[0], *pairs[1]):
        sock.close()
    assert heard == HEAD


@loadable
def test_a_full_map_takes_what_is_new_and_openings_fill_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extended_filter, "HEADS_KEPT", 256)
    run = EXTENDED["loaded"](ours())
    first = long(Connection())
    openings = [Connection(client=("10.0.0.2", 1024 + at)).send(C, flags=SYN) for at in range(3000)]
    assert passed(run, first, *openings, long(first, 1))[-1] is False
    new = [Connection(client=("10.0.0.2", 1024 + at)).say((C, b"x")) for at in range(3000)]
    found = passed(run, *new, long(Connection()))
    assert found == [True] * (3000 + HEAD) + [False] * 4


@loadable
def test_it_counts(sieve: ExtendedFilter) -> None:
    assert sieve.counts() == FilterCounts(0, 0, 0)
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with here, there:
        sieve.attach(there)
        web = datagram(("10.0.0.1", 50000), ("192.0.2.1", 443), b"x")
        for packet in (*long(Connection()).packets, web):
            here.send(packet.data)
    assert sieve.counts() == FilterCounts(HEAD, 4, 1)
    sieve.close()
    assert sieve.counts() == FilterCounts(HEAD, 4, 1)


@loadable
def test_what_cannot_have_a_filter_says_so(sieve: ExtendedFilter) -> None:
    here, there = socket.socketpair()
    sieve.close()
    with here, there, pytest.raises(FilterRefused, match="not attached: "):
        sieve.attach(there)


def test_a_kernel_that_has_no_room_refuses_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: int) -> int:
        raise FilterRefused("no map: Cannot allocate memory")

    monkeypatch.setattr(kernel_bpf, "made_map", refuse)
    with pytest.raises(FilterRefused, match="no map: Cannot allocate memory"):
        ExtendedFilter.load(ours(), LinkType.ETHERNET)
