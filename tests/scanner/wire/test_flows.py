"""Connections as captures show them: begun, doubled, cut, out of order, taken over, given up."""

from __future__ import annotations

from itertools import pairwise

import pytest
from packets import (
    ACK,
    BEGAN,
    FIN,
    MILLISECOND,
    RST,
    SECOND,
    SYN,
    C,
    Connection,
    Packet,
    S,
    decoded,
    hear,
    heard,
    merged,
    table,
)

from scanner.conversation import Conversation, Ending, Endpoint, Flow
from scanner.net import Prefixes
from scanner.wire import flows, harvest
from scanner.wire.flows import BYTES_KEPT, IDLE_S, FlowTable
from scanner.wire.interest import Interest
from scanner.wire.patience import SETTLED_S
from scanner.wire.reassembly import REORDERED_NS, REORDERED_ROWS

SAID = [(S, b"220 mx.example.com\r\n"), (C, b"EHLO copier\r\n"), (S, b"250 hello\r\n"), (C, b"QUIT\r\n")]


def talk(said: list[tuple[object, bytes]] | None = None) -> Connection:
    return Connection().open().say(*(SAID if said is None else said))  # type: ignore[arg-type]


def only(found: list[Conversation]) -> Conversation:
    assert len(found) == 1
    return found[0]


def text(found: Conversation, side: object) -> bytes:
    return b"".join(chunk.data for chunk in found.chunks if chunk.side is side)


def missing(found: Conversation) -> int:
    return sum(chunk.missing for chunk in found.chunks)


def test_a_whole_conversation() -> None:
    packets = talk().close().packets
    found = only(heard(packets))
    assert merged(found.chunks) == SAID
    assert found.flow == Flow(Endpoint("10.0.0.1", 50000), Endpoint("192.0.2.1", 587))
    assert (found.ending, found.client_started, found.server_started) == (Ending.CLOSED, True, True)
    assert (found.client_mac, found.server_mac) == ("02:00:00:00:00:01", "02:00:00:00:00:02")
    assert (found.first_seen, found.capture) == (packets[0].at, "test.pcap")
    assert (found.duplicates, found.conflicts, found.truncated) == (0, 0, False)
    assert [chunk.at for chunk in found.chunks] == [packet.at for packet in packets[3:7]]


def test_ipv6_and_the_lower_end_as_server() -> None:
    connection = Connection(("2001:db8::9", 999), ("2001:db8::1", 25)).open().say(*SAID).close()
    found = only(heard(connection.packets))
    assert found.flow == Flow(Endpoint("2001:db8::9", 999), Endpoint("2001:db8::1", 25))
    assert merged(found.chunks) == SAID


def doubled(packets: list[Packet]) -> list[Packet]:
    return [packet for packet in packets for _ in range(2)]


@pytest.mark.parametrize("copies", [1, 2], ids=["as it was", "with every packet twice"])
def test_where_batches_are_cut_does_not_matter(copies: int) -> None:
    packets = talk().close().packets
    if copies == 2:
        packets = doubled(packets)
    whole = only(heard(packets))
    assert merged(whole.chunks) == SAID
    for cut in range(len(packets)):
        parts = only(heard(packets[:cut], packets[cut:]))
        assert merged(parts.chunks) == SAID, cut
        assert (parts.client_started, parts.server_started, parts.ending) == (True, True, Ending.CLOSED)
        assert (parts.client_mac, parts.server_mac) == (whole.client_mac, whole.server_mac)
        assert (parts.first_seen, parts.conflicts) == (whole.first_seen, 0)
    assert merged(only(heard(*([packet] for packet in packets))).chunks) == SAID


def test_a_mirror_of_two_ports_shows_everything_twice() -> None:
    listening = table()
    found = only(hear(listening, doubled(talk().close().packets)))
    assert merged(found.chunks) == SAID
    assert (found.duplicates, found.conflicts) == (len(SAID), 0)
    assert (listening.tally.duplicates, listening.tally.conversations) == (len(SAID), 1)
    assert list(listening.flush()) == []


def test_a_mirror_that_shows_the_copies_later() -> None:
    packets = talk().close().packets
    late = [packet.later(1) for packet in packets]
    found = heard(sorted([*packets, *late], key=lambda packet: packet.at))
    assert merged(only(found).chunks) == SAID


def test_two_connections_interleaved_are_told_apart() -> None:
    one = talk().close()
    two = Connection(("10.0.0.1", 50001)).open().say((S, b"220 other\r\n")).close()
    mixed = sorted(one.packets + two.packets, key=lambda packet: packet.at)
    found = {conversation.flow.client.port: merged(conversation.chunks) for conversation in heard(mixed)}
    assert found == {50000: SAID, 50001: [(S, b"220 other\r\n")]}


def test_begun_in_the_middle_by_bytes_that_are_no_command_says_so() -> None:
    found = only(heard(talk().packets[5:]))
    assert merged(found.chunks) == [(S, -1), (S, b"250 hello\r\n"), (C, -1), (C, b"QUIT\r\n")]
    assert (found.client_started, found.server_started) == (False, False)


def test_a_greeting_is_the_beginning_though_nobody_saw_the_handshake() -> None:
    found = only(heard(talk().packets[3:]))
    assert merged(found.chunks) == SAID
    assert (found.client_started, found.server_started) == (True, True)


@pytest.mark.parametrize(
    ("source", "target", "server"),
    [
        pytest.param(50000, 587, 587, id="the well-known port serves"),
        pytest.param(587, 50000, 587, id="the well-known port serves, answering"),
        pytest.param(25, 587, 25, id="of two well-known ones the lower"),
    ],
)
def test_without_a_handshake_ports_tell_who_serves(source: int, target: int, server: int) -> None:
    connection = Connection(("10.0.0.1", source), ("192.0.2.1", target)).send(C, b"....")
    assert only(heard(connection.packets)).flow.server.port == server


def test_only_the_client_is_heard() -> None:
    connection = talk()
    found = only(heard([packet for packet in connection.packets if packet.data[6:12].endswith(b"\x01")]))
    assert merged(found.chunks)[0] == (S, -1)
    assert text(found, C) == b"EHLO copier\r\nQUIT\r\n"
    assert (found.client_started, found.server_started) == (True, False)


def test_only_the_server_is_heard() -> None:
    found = only(heard([packet for packet in talk().packets if packet.data[6:12].endswith(b"\x02")]))
    assert (text(found, S), text(found, C)) == (SAID[0][1] + SAID[2][1], b"")
    assert [chunk.side for chunk in found.chunks] == [S, C, S]
    assert 0 < len(SAID[1][1]) - missing(found) <= 1  # the last byte acknowledged could be a FIN
    assert found.flow.client.port == 50000


def test_a_new_syn_on_the_same_ports_is_another_connection() -> None:
    first = talk()
    second = Connection(following=[77_000, 88_000], at=first.at).open().say((S, b"220 again\r\n"))
    found = heard([*first.packets, *second.packets])
    assert [merged(one.chunks) for one in found] == [SAID, [(S, b"220 again\r\n")]]
    assert [one.ending for one in found] == [Ending.REUSED, Ending.ENDED]


def test_a_new_syn_after_the_end_is_another_connection() -> None:
    first = talk().close()
    second = Connection(following=[77_000, 88_000], at=first.at).open().say((S, b"220 again\r\n")).close()
    for batches in ([first.packets + second.packets], [first.packets, second.packets]):
        found = heard(*batches)
        assert [merged(one.chunks) for one in found] == [SAID, [(S, b"220 again\r\n")]]
        assert [one.ending for one in found] == [Ending.CLOSED, Ending.CLOSED]


def test_ports_used_again_at_once_are_told_apart_wherever_batches_end() -> None:
    first = talk().close()
    second = Connection(following=[77_000, 88_000], at=first.at).open().say((S, b"220 again\r\n")).close()
    packets = first.packets + second.packets
    for one in range(len(packets)):
        for other in range(one, len(packets)):
            parts = [part for part in (packets[:one], packets[one:other], packets[other:]) if part]
            found = heard(*parts)
            assert [merged(talk.chunks) for talk in found] == [SAID, [(S, b"220 again\r\n")]], (one, other)


def test_a_syn_sent_again_is_the_same_connection() -> None:
    connection = Connection().send(C, flags=SYN)
    again = connection.packets[0].later(1000)
    connection.at = again.at
    connection.send(S, flags=SYN | ACK).send(C).say(*SAID)
    found = only(heard([connection.packets[0], again, *connection.packets[1:]]))
    assert merged(found.chunks) == SAID


def test_what_comes_after_the_end_begins_nothing() -> None:
    connection = talk().close()
    connection.send(S, b"220 mx.example.com\r\n", back=20).send(C, flags=RST)
    assert merged(only(heard(connection.packets)).chunks) == SAID
    assert merged(only(heard(connection.packets[:-2], connection.packets[-2:])).chunks) == SAID


@pytest.mark.parametrize(
    ("end", "ending"),
    [
        pytest.param([(C, FIN | ACK), (S, FIN | ACK)], Ending.CLOSED, id="FIN from both"),
        pytest.param([(S, FIN | ACK)], Ending.CLOSED, id="FIN from one, then silence"),
        pytest.param([(C, RST)], Ending.RESET, id="RST"),
        pytest.param([(C, FIN | ACK), (S, RST | ACK)], Ending.RESET, id="RST for an answer to FIN"),
        pytest.param([], Ending.ENDED, id="the capture ends"),
    ],
)
def test_how_it_ended(end: list[tuple[object, int]], ending: Ending) -> None:
    connection = talk()
    for side, flags in end:
        connection.send(side, flags=flags)  # type: ignore[arg-type]
    found = only(heard(connection.packets))
    assert (merged(found.chunks), found.ending) == (SAID, ending)


def test_a_fin_may_carry_bytes() -> None:
    connection = talk(SAID[:3]).send(C, b"QUIT\r\n", FIN | ACK).send(S, b"221\r\n", FIN | ACK)
    found = only(heard(connection.packets))
    assert (merged(found.chunks), found.ending) == ([*SAID, (S, b"221\r\n")], Ending.CLOSED)


def test_both_close_at_once() -> None:
    connection = talk()
    end, seen = connection.following[S], len(connection.packets)
    connection.send(C, flags=FIN | ACK)
    connection.following[C] -= 1  # the server's FIN was under way: it acknowledges no FIN
    connection.send(S, flags=FIN | ACK)
    connection.following[C] += 1
    connection.send(C).send(S)
    assert (connection.following[S], len(connection.packets)) == (end + 1, seen + 4)
    found = only(heard(connection.packets))
    assert (merged(found.chunks), found.ending) == (SAID, Ending.CLOSED)


def silence(seconds: float) -> Packet:
    """A packet of another connection, later, so that time passes."""
    other = Connection(("10.9.9.9", 1234), at=BEGAN + int(seconds * SECOND)).send(C, flags=SYN)
    return other.packets[0]


@pytest.mark.parametrize(
    ("end", "ending"),
    [
        pytest.param([], Ending.IDLE, id="nothing"),
        pytest.param([(S, FIN | ACK)], Ending.CLOSED, id="one FIN"),
    ],
)
def test_who_is_silent_for_long_is_done(end: list[tuple[object, int]], ending: Ending) -> None:
    connection = talk()
    for side, flags in end:
        connection.send(side, flags=flags)  # type: ignore[arg-type]
    listening = table()
    assert hear(listening, connection.packets, [silence(IDLE_S - 10)]) == []
    found = only(hear(listening, [silence(IDLE_S + 40)]))
    assert (merged(found.chunks), found.ending) == (SAID, ending)


def test_whoever_speaks_again_in_time_lives_on() -> None:
    connection = talk()
    listening = table()
    hear(listening, connection.packets)
    connection.send(C, b"NOOP\r\n", after_ms=(IDLE_S - 20) * 1000)
    assert hear(listening, connection.packets[-1:], [silence(IDLE_S + 100)]) == []


def test_keep_alives_are_no_bytes() -> None:
    connection = talk()
    connection.send(C, back=1).send(S).send(C, b"\n", back=1).send(S)
    connection.say((C, b"NOOP\r\n"))
    found = only(heard(connection.packets))
    assert merged(found.chunks) == [*SAID[:3], (C, b"QUIT\r\nNOOP\r\n")]
    assert found.conflicts == 0


def test_bytes_sent_again_otherwise_do_not_count_but_are_told() -> None:
    connection = talk()
    connection.send(C, b"XXIT\r\n", back=6).say((S, b"221 bye\r\n"))
    found = only(heard(connection.packets))
    assert merged(found.chunks) == [*SAID, (S, b"221 bye\r\n")]
    assert (found.duplicates, found.conflicts) == (1, 2)


def test_an_overlap_gives_what_is_new() -> None:
    connection = talk()
    connection.following[C] -= 4
    connection.send(C, b"xT\r\nNOOP\r\n")
    found = only(heard(connection.packets))
    assert text(found, C) == b"EHLO copier\r\nQUIT\r\nNOOP\r\n"
    assert (found.duplicates, found.conflicts) == (1, 1)


def test_neighbours_that_come_in_the_wrong_order_are_put_right() -> None:
    packets = talk().packets
    for at in range(3, len(packets) - 1):
        shuffled = [*packets[:at], packets[at + 1], packets[at], *packets[at + 2 :]]
        assert merged(only(heard(shuffled)).chunks) == SAID, at
        assert merged(only(heard(shuffled[: at + 1], shuffled[at + 1 :])).chunks) == SAID, at


def test_bytes_wait_for_what_is_missing_only_so_long() -> None:
    connection = talk()
    connection.following[C] += 10
    connection.say(*[(C, b"NOOP\r\n")] * (REORDERED_ROWS + 1))
    listening = table()
    hear(listening, connection.packets)
    found = only(list(listening.flush()))
    assert merged(found.chunks) == [*SAID, (C, 10), (C, b"NOOP\r\n" * (REORDERED_ROWS + 1))]


def test_a_gap_is_a_gap_after_a_while_though_little_waits() -> None:
    connection = talk(SAID[:3])
    lost = connection.following[C]
    connection.following[C] += 6
    connection.send(C, b"NOOP\r\n").send(S, b"250 ok\r\n", after_ms=1 + REORDERED_NS // MILLISECOND)
    connection.following[C] = lost
    connection.send(C, b"QUIT\r\n")
    found = only(heard(connection.packets))
    assert merged(found.chunks) == [*SAID[:3], (C, 6), (C, b"NOOP\r\n"), (S, b"250 ok\r\n")]


def test_what_a_peer_acknowledged_was_there_though_the_capture_lost_it() -> None:
    packets = talk().packets
    found = only(heard([*packets[:4], *packets[5:]]))
    assert [one for one in merged(found.chunks) if isinstance(one[1], bytes)] == [SAID[0], *SAID[2:]]
    assert found.chunks[1].side is C
    assert missing(found) == len(SAID[1][1])


@pytest.mark.parametrize("before", [0, 1, 5, 13, 20], ids="{} bytes before".format)
def test_sequence_numbers_wrap(before: int) -> None:
    following = [2**32 - 1 - before, 2**32 - 2 - before]
    packets = Connection(following=following).open().say(*SAID).close().packets
    found = only(heard(packets))
    assert (merged(found.chunks), found.ending) == (SAID, Ending.CLOSED)
    swapped = [*packets[:4], packets[5], packets[4], *packets[6:]]
    assert merged(only(heard(swapped)).chunks) == SAID
    assert merged(only(heard(packets[:1], packets[1:2], packets[2:])).chunks) == SAID


def test_a_snap_length_leaves_holes() -> None:
    packets = talk().packets
    packets[4] = packets[4].cut(6)
    found = only(heard(packets))
    assert merged(found.chunks) == [SAID[0], (C, b"EHLO co"), (C, 6), *SAID[2:]]
    assert found.truncated


def test_a_snap_length_that_leaves_no_payload_leaves_a_hole() -> None:
    packets = talk().packets
    packets[4] = packets[4].cut(len(SAID[1][1]))
    assert merged(only(heard(packets)).chunks) == [SAID[0], (C, len(SAID[1][1])), *SAID[2:]]


def test_a_syn_may_carry_bytes() -> None:
    connection = Connection().send(C, b"EHLO ", SYN).send(S, flags=SYN | ACK).send(C, b"x\r\n")
    assert merged(only(heard(connection.packets)).chunks) == [(C, b"EHLO x\r\n")]


def test_half_open_connections_are_counted_not_told() -> None:
    silent = Connection().open().packets
    scanned = Connection(("10.0.0.2", 1)).send(C, flags=SYN).send(S, flags=RST | ACK).packets
    asked = Connection(("10.0.0.3", 1)).send(C, flags=SYN).packets
    listening = table()
    assert hear(listening, silent, scanned, asked, []) == []
    assert list(listening.flush()) == []
    assert (listening.tally.half_open, listening.tally.conversations) == (3, 0)


def test_half_open_connections_are_forgotten_in_time() -> None:
    listening = table()
    hear(listening, Connection().open().packets, [silence(IDLE_S + 40)])
    assert listening.tally.half_open == 1
    list(listening.flush())
    assert listening.tally.half_open == 2


def test_stray_resets_and_acknowledgements_are_no_connection() -> None:
    stray = [Connection(("10.0.0.4", 1)).send(C, flags=flags).packets[0] for flags in (RST, ACK, FIN | ACK)]
    listening = table()
    assert hear(listening, *([packet] for packet in stray)) == []
    assert list(listening.flush()) == []


@pytest.mark.parametrize("bound", [1, 2, 3])
def test_no_more_are_followed_than_allowed(bound: int) -> None:
    connections = [Connection(("10.0.0.1", port), at=BEGAN + port).open() for port in range(1, 6)]
    for connection in connections:
        connection.say(*SAID[:2])
    listening = table(max_flows=bound)
    found = hear(listening, *(connection.packets for connection in connections))
    assert [one.flow.client.port for one in found] == list(range(1, 6 - bound))
    assert {one.ending for one in found} == {Ending.EVICTED}
    assert listening.tally.evicted == 5 - bound
    assert len(list(listening.flush())) == bound


def test_the_silent_go_before_those_who_spoke() -> None:
    spoke = talk().packets
    silent = [Connection(("10.0.1.1", port)).send(C, flags=SYN).packets for port in range(1, 6)]
    listening = table(max_flows=2)
    assert hear(listening, spoke, *silent) == []
    assert listening.tally.evicted == 4
    assert merged(only(list(listening.flush())).chunks) == SAID
    assert listening.tally.half_open == 1


def test_a_silent_one_that_was_given_up_and_then_speaks_begins_in_the_middle() -> None:
    first = Connection().open()
    others = [Connection(("10.0.1.1", port), at=BEGAN + SECOND).send(C, flags=SYN).packets for port in (1, 2)]
    listening = table(max_flows=2)
    assert hear(listening, first.packets, *others) == []
    before = len(first.packets)
    first.say((S, b"250 hello\r\n"), (C, b"QUIT\r\n"))
    hear(listening, first.packets[before:])
    found = only(list(listening.flush()))
    assert merged(found.chunks) == [(S, -1), (S, b"250 hello\r\n"), (C, -1), (C, b"QUIT\r\n")]


@pytest.mark.parametrize("first", [BYTES_KEPT - 2, BYTES_KEPT - 1, BYTES_KEPT, BYTES_KEPT + 1])
def test_what_is_cut_is_no_hole_wherever_segments_begin(first: int) -> None:
    said = b"220 " + bytes(first - 4)
    connection = Connection().open().say((S, said), (S, bytes(1000)), (S, bytes(1000))).close()
    (found,) = heard(connection.packets)
    assert found.ending is Ending.CUT
    assert not any(chunk.missing for chunk in found.chunks)


def test_bytes_are_kept_up_to_a_bound() -> None:
    line = b"x" * 998 + b"\r\n"
    connection = talk(SAID[:1]).say(*[(C, line)] * 30)
    found = only(heard(connection.packets))
    assert found.ending is Ending.CUT
    kept = len(text(found, C))
    assert BYTES_KEPT <= kept < BYTES_KEPT + len(line)
    assert only(hear(table(bytes_kept=10), talk().packets)).ending is Ending.CUT


@pytest.mark.parametrize(
    ("first", "found"),
    [
        pytest.param((S, b"220 mx.example.com\r\n"), True, id="a greeting"),
        pytest.param((C, b"EHLO copier\r\n"), True, id="a command"),
        pytest.param((C, b"POST /EWS/ HTTP/1.1\r\n"), True, id="a request"),
        pytest.param((C, b"SSH-2.0-x\r\n"), False, id="something else"),
    ],
)
def test_mail_on_another_port_is_followed_from_its_mark_on(first: tuple[object, bytes], found: bool) -> None:
    connection = Connection(server=("192.0.2.1", 9025)).open()
    connection.say(first, (S, b"250 hello\r\n"), (C, b"QUIT\r\n"))  # type: ignore[arg-type]
    for batches in ([connection.packets], [[packet] for packet in connection.packets]):
        seen = heard(*batches)
        assert [one.flow.server.port for one in seen] == ([9025] if found else [])
        assert all(text(one, C).endswith(b"QUIT\r\n") for one in seen)
        assert all((one.chunks[0].side, one.chunks[0].data) == first for one in seen)


def test_so_many_connections_are_followed_for_a_mark(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(harvest, "MARKED_KEPT", 2)
    listening = table()
    for port in (1, 2, 3):
        connection = Connection(("10.0.0.1", 50000 + port), ("192.0.2.1", 9025)).say(*SAID)
        hear(listening, connection.packets)
    assert [one.flow.client.port for one in listening.flush()] == [50001, 50002]


def test_other_traffic_is_not_followed() -> None:
    web = Connection(server=("198.51.100.1", 445)).open().say((C, b"\xffSMB"), (S, b"\xffSMB")).close()
    listening = table()
    assert hear(listening, web.packets) == []
    assert list(listening.flush()) == []
    assert listening.tally.half_open == 0


def test_a_wanted_prefix_is_followed_on_every_port() -> None:
    listening = FlowTable(Interest(frozenset({25}), Prefixes(["198.51.100.0/24"])), None)
    web = Connection(server=("198.51.100.1", 443)).open().say((C, b"\x16\x03\x01")).close()
    found = list(listening.add(decoded(web.packets)))
    assert merged(only(found).chunks) == [(C, b"\x16\x03\x01")]
    assert found[0].capture is None


def test_times_go_on_in_a_conversation() -> None:
    found = only(heard(doubled(talk().close().packets)))
    assert all(one.at <= other.at for one, other in pairwise(found.chunks))


def begun(client: str, *said: tuple[object, bytes], number: int = 0) -> Connection:
    """The so-manyth connection of a client from the same port, a second after the one before."""
    following, at = [1000 * (number + 1), 9000], BEGAN + number * SECOND
    return Connection((client, 50000), following=following, at=at).open().say(*said)  # type: ignore[arg-type]


def test_those_that_are_open_are_counted() -> None:
    listening = table()
    assert len(listening) == 0
    hear(listening, begun("10.0.0.1").packets, begun("10.0.0.2", *SAID).packets)
    assert len(listening) == 2
    hear(listening, begun("10.0.0.3", *SAID).close().packets)
    assert len(listening) == 2
    list(listening.flush())
    assert len(listening) == 0


def test_time_goes_on_though_nothing_is_heard() -> None:
    listening = table()
    hear(listening, begun("10.0.0.9").packets, talk().packets)
    assert list(listening.advance(BEGAN + (IDLE_S - 10) * SECOND)) == []
    assert (len(listening), listening.tally.half_open) == (1, 1)
    found = only(list(listening.advance(BEGAN + (IDLE_S + 40) * SECOND)))
    assert (merged(found.chunks), found.ending) == (SAID, Ending.IDLE)
    assert list(listening.advance(BEGAN)) == []


def test_live_who_waits_for_mail_is_told_of_and_not_again() -> None:
    listening = FlowTable(Interest(frozenset({587}), Prefixes()), None, live=True)
    connection = talk()
    hear(listening, connection.packets)
    found = only(list(listening.advance(BEGAN + (SETTLED_S + 40) * SECOND)))
    assert (merged(found.chunks), found.ending) == (SAID, Ending.IDLE)
    connection.send(C, b"NOOP\r\n", after_ms=(SETTLED_S + 50) * 1000)
    assert hear(listening, connection.packets[-1:]) == []
    assert list(listening.flush()) == []


@pytest.mark.parametrize("by_s", [-86_400, -5, 5, 86_400, 86_400 * 365 * 5])
def test_a_clock_that_is_set_ends_nothing_and_moves_all_along(by_s: int) -> None:
    listening = table()
    first, silent = begun("10.0.0.1", *SAID[:2]), begun("10.0.0.2")
    hear(listening, silent.packets, first.packets)
    before = len(first.packets), len(silent.packets)
    listening.shift(by_s * SECOND)
    for one in (first, silent):
        one.at += by_s * SECOND
    first.say(*SAID[2:])
    silent.say(*SAID)
    found = hear(listening, silent.packets[before[1] :], first.packets[before[0] :])
    assert found == list(listening.advance(BEGAN + (by_s + 60) * SECOND)) == []
    spoke, spoken = sorted(listening.flush(), key=lambda one: one.flow.client.ip)
    assert merged(spoke.chunks) == merged(spoken.chunks) == SAID
    assert spoke.first_seen == BEGAN + by_s * SECOND + MILLISECOND
    assert spoken.first_seen == spoke.first_seen
    for one in (spoke, spoken):
        assert [later.at - earlier.at for earlier, later in pairwise(one.chunks)] == [MILLISECOND] * 3
        assert one.last_seen - one.first_seen == 6 * MILLISECOND


def test_what_open_connections_said_takes_so_much_memory_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flows, "OPEN_BYTES", 3 * flows.STREAM_BYTES + 3 * 1000)
    listening, said = table(), (S, b"220 " + bytes(1000))
    found = hear(listening, *(begun(f"10.0.0.{number}", said).packets for number in range(6)))
    assert [one.flow.client.ip for one in found] == ["10.0.0.0", "10.0.0.1", "10.0.0.2", "10.0.0.3"]
    assert {one.ending for one in found} == {Ending.EVICTED}
    assert (listening.tally.evicted, len(listening)) == (4, 2)


def test_what_ended_takes_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flows, "OPEN_BYTES", 2 * flows.STREAM_BYTES)
    listening = table()
    for number in range(40):
        hear(listening, begun("10.0.0.1", *SAID, number=number).close().packets)
        one = begun("10.0.0.2", *SAID, number=number)
        hear(listening, one.packets[:4], one.packets[4:])
        hear(listening, one.send(C, flags=RST).packets[-1:])
    list(listening.flush())
    hear(listening, talk().packets)
    assert (listening.tally.evicted, listening.tally.conversations) == (0, 80)


def test_after_a_reload_other_ports_serve() -> None:
    listening = FlowTable(Interest(frozenset({587}), Prefixes(["192.0.2.0/24"])), None)
    ends = ("10.0.0.1", 587), ("192.0.2.1", 9025)
    hear(listening, Connection(*ends).send(C, b"....").packets)
    listening.reload(Interest(frozenset({9025}), Prefixes()))
    hear(listening, Connection(("10.0.0.2", 587), ends[1]).send(C, b"....").packets)
    assert [one.flow.server.port for one in listening.flush()] == [587, 9025]
