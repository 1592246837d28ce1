"""What was said inside TLS finds its conversation."""

from __future__ import annotations

from packets import C, Connection, S, heard

from scanner.conversation import Chunk, Conversation, Endpoint, Flow, Said, Side
from scanner.inside import Inside, chunks

CLIENT, SERVER = Endpoint("10.0.0.1", 50000), Endpoint("192.0.2.1", 587)
FLOW = Flow(CLIENT, SERVER)


def said(side: Side, data: bytes, at: int = 0, request: int = 0) -> Said:
    ends = (CLIENT, SERVER) if side is C else (SERVER, CLIENT)
    return Said(*ends, at, data, request)


def conversation() -> Conversation:
    (one,) = heard(Connection().open().say((C, b"EHLO x\r\n"), (S, b"250 x\r\n")).close().packets)
    return one


def test_a_conversation_takes_what_was_said_in_it_and_leaves_what_came_later() -> None:
    one, inside = conversation(), Inside()
    before, first = said(C, b"before", one.first_seen - 1), said(C, b"first", one.first_seen)
    last, later = said(S, b"last", one.last_seen), said(C, b"later", one.last_seen + 1)
    inside.add([before, first, last, later])
    assert inside.take(one) == [first, last]
    inside.add([said(S, b"latest", one.last_seen + 2)])
    assert inside.take(one) == []


def test_others_have_no_part_in_it() -> None:
    one, inside = conversation(), Inside()
    assert inside.take(one) == ()
    inside.add([Said(CLIENT, Endpoint("192.0.2.2", 587), one.first_seen, b"other server")])
    inside.add([Said(Endpoint("10.0.0.1", 50001), SERVER, one.first_seen, b"other port")])
    assert inside.take(one) == []


def test_what_waits_too_long_goes_the_oldest_connection_first_and_leaves_a_hole() -> None:
    one, inside = conversation(), Inside(kept_bytes=2000)
    at, other = one.first_seen, Endpoint("10.0.0.9", 1)
    inside.add([said(C, b"old", at), Said(other, SERVER, at, bytes(1500)), said(C, b"more", at)])
    assert inside.take(one) == [said(C, b"", at), said(S, b"", at)]
    for _ in range(100):  # what was given away takes no more room
        inside.add([said(C, bytes(200), at)])
        assert len(inside.take(one)) == 1
    for port in range(1000):  # nor do holes take it for ever
        inside.add([Said(Endpoint("10.0.0.9", port), SERVER, at, b"x")])
    assert len(inside.drain()) < 20 and inside.drain() == []


def test_chunks_have_sides_and_holes() -> None:
    told = [said(S, b"220 x\r\n", 1), said(C, b"EHLO\r\n", 2), said(C, b"", 3)]
    assert chunks(told, FLOW) == (Chunk(S, 1, b"220 x\r\n"), Chunk(C, 2, b"EHLO\r\n"), Chunk(C, 3, b"", -1))


def test_words_go_by_time_but_nobody_is_made_to_say_them_otherwise() -> None:
    told = [
        said(C, b"AUTH", 2),
        said(C, b"MAIL", 5),
        said(S, b"235", 4),
        said(C, b"RCPT", 3),
        said(S, b"250", 6),
    ]
    assert [chunk.data for chunk in chunks(told, FLOW)] == [b"AUTH", b"235", b"MAIL", b"RCPT", b"250"]


def test_requests_of_http_2_stand_beside_their_answers_and_those_without_one_at_the_end() -> None:
    told = [
        said(C, b"ping", 1, 1), said(C, b"sync", 2, 3), said(C, b"send", 3, 5),
        said(S, b"sent", 4, 5), said(S, b"synced", 5, 3),
    ]  # fmt: skip
    assert [chunk.data for chunk in chunks(told, FLOW)] == [b"sync", b"synced", b"send", b"sent", b"ping"]
