"""However a dialogue is cut, doubled and shuffled, the same bytes come out in the same order."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from packets import BEGAN, MILLISECOND, C, Connection, Packet, S, heard, merged

from scanner.conversation import Conversation, Ending, Endpoint, Flow, Side
from scanner.wire.reassembly import REORDERED_ROWS, Stream

Said = list[tuple[Side, bytes]]
LINES = st.lists(st.binary(min_size=1, max_size=40), min_size=1, max_size=6)
WRAPS = st.sampled_from([0, 1000, 2**31 - 20, 2**32 - 30, 2**32 - 2])
CUTS = st.integers(1, 40)


def alternating(lines: list[bytes]) -> Said:
    """The server begins; the sides take turns."""
    return [(S if number % 2 == 0 else C, line) for number, line in enumerate(lines)]


def segments(said: Said, size: int, first: int) -> tuple[list[Packet], list[Packet]]:
    """The handshake, and what was said in segments of at most ``size`` bytes."""
    connection = Connection(following=[first, (first + 5000) % 2**32]).open()
    opened = len(connection.packets)
    for side, line in said:
        connection.say(*((side, line[at : at + size]) for at in range(0, len(line), size)))
    return connection.packets[:opened], connection.packets[opened:]


def only(found: list[Conversation]) -> Conversation:
    assert len(found) == 1
    return found[0]


def in_time(packets: list[Packet]) -> list[Packet]:
    """The order of a capture: times never go back."""
    return [replace(packet, at=BEGAN + number * MILLISECOND) for number, packet in enumerate(packets)]


@settings(deadline=None, max_examples=60)
@given(LINES, CUTS, WRAPS)
def test_any_segmentation_gives_the_same(lines: list[bytes], size: int, first: int) -> None:
    said = alternating(lines)
    opened, packets = segments(said, size, first)
    assert merged(only(heard(opened + packets)).chunks) == said


@settings(deadline=None, max_examples=60)
@given(LINES, CUTS, WRAPS, st.data())
def test_any_order_within_the_window_gives_the_same(
    lines: list[bytes], size: int, first: int, data: st.DataObject
) -> None:
    """Of two bytes at least: that one byte was acknowledged may mean a FIN."""
    said = alternating([line * 2 for line in lines])
    opened, packets = segments(said, 2 * size, first)
    shuffled: list[Packet] = []
    for start in range(0, len(packets), REORDERED_ROWS):
        shuffled += data.draw(st.permutations(packets[start : start + REORDERED_ROWS]))
    found = only(heard(opened + in_time(shuffled)))
    assert merged(found.chunks) == said
    assert (found.duplicates, found.conflicts) == (0, 0)


@settings(deadline=None, max_examples=60)
@given(LINES, CUTS, WRAPS, st.data())
def test_copies_change_nothing(lines: list[bytes], size: int, first: int, data: st.DataObject) -> None:
    said = alternating(lines)
    opened, packets = segments(said, size, first)
    doubled = list(packets)
    copies = data.draw(st.lists(st.integers(0, len(packets) - 1), max_size=8))
    for number in copies:
        place = doubled.index(packets[number])
        doubled.insert(data.draw(st.integers(place + 1, len(doubled))), packets[number])
    found = only(heard(opened + in_time(doubled)))
    assert merged(found.chunks) == said
    assert (found.duplicates, found.conflicts) == (len(copies), 0)


@settings(deadline=None, max_examples=60)
@given(st.binary(min_size=2, max_size=60), st.data())
def test_overlapping_segments_of_one_stream_give_each_byte_once(stream: bytes, data: st.DataObject) -> None:
    connection = Connection().open()
    end = 0
    while end < len(stream):
        back = data.draw(st.integers(0, end))
        upto = data.draw(st.integers(end + 1, len(stream)))
        connection.following[C] -= back
        connection.send(C, stream[end - back : upto])
        end = upto
    found = only(heard(connection.packets))
    assert b"".join(chunk.data for chunk in found.chunks) == stream
    assert found.conflicts == 0


@settings(deadline=None, max_examples=60)
@given(LINES, CUTS, st.data())
def test_what_was_lost_is_told_and_nothing_is_invented(
    lines: list[bytes], size: int, data: st.DataObject
) -> None:
    said = alternating(lines)
    opened, packets = segments(said, size, 1000)
    lost = data.draw(st.sets(st.integers(0, len(packets) - 1)))
    left = [packet for number, packet in enumerate(packets) if number not in lost]
    for found in heard(opened + in_time(left)):
        for side in (C, S):
            whole = b"".join(line for speaker, line in said if speaker is side)
            at = 0
            for chunk in found.chunks:
                if chunk.side is side:
                    assert chunk.missing >= 0
                    assert chunk.data == whole[at : at + len(chunk.data)]
                    at += len(chunk.data) + chunk.missing
            assert at <= len(whole)


@settings(deadline=None, max_examples=60)
@given(LINES, CUTS, st.data())
def test_a_conflict_is_counted_byte_for_byte(lines: list[bytes], size: int, data: st.DataObject) -> None:
    said = alternating(lines)
    opened, packets = segments(said, size, 1000)
    number = data.draw(st.integers(0, len(packets) - 1))
    forged = bytearray(packets[number].data)
    at = data.draw(st.integers(54, len(forged) - 1))
    forged[at] ^= 0x55
    copies = [*packets[: number + 1], replace(packets[number], data=bytes(forged)), *packets[number + 1 :]]
    found = only(heard(opened + in_time(copies)))
    assert merged(found.chunks) == said
    assert (found.duplicates, found.conflicts) == (1, 1)


def test_all_of_a_connection_moves_with_the_clock() -> None:
    stream = Stream(Flow(Endpoint("10.0.0.1", 1), Endpoint("192.0.2.1", 25)), True, 100, 999)
    stream.start(C, 0)
    stream.start(S, 0)
    stream.segment(S, 0, 0, 110, b"220 x\r\n", 7)
    stream.segment(C, 6, 7, 120, b"QUIT\r\n", 6)
    stream.last_seen = 120
    stream.shift(-1000)
    stream.segment(C, 0, 7, -870, b"NOOP\r\n", 6)
    found = stream.finish(Ending.CLOSED, None)
    assert [(one.at, one.data) for one in found.chunks] == [
        (-890, b"220 x\r\n"), (-870, b"NOOP\r\n"), (-880, b"QUIT\r\n"),
    ]  # fmt: skip
    assert (found.first_seen, found.last_seen) == (-900, -880)
