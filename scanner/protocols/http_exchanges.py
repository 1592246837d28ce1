"""Requests and replies of HTTP inside TLS, by sizes alone: what one request was, and what came back.

Sources: RFC 9112 (HTTP/1.1), RFC 9113 3.4, 4.1, 6 (HTTP/2: preface, frames), RFC 7541 (HPACK), RFC 8446
4.6.1 (tickets), 6.1 (close_notify). HTTP/1.1: a turn is a request; where it came in several records the first
is its head. HTTP/2: frames that carry no message (SETTINGS, WINDOW_UPDATE, PING) are set apart; several
requests at a time are taken for one, their first HEADERS standing for all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from scanner.conversation import CLIENT
from scanner.events import Turn

EXCHANGES_READ = 5
"""Requests a flow that are looked at: NTLM's three legs, one ahead and one behind; more say nothing new."""
CLOSING = 2
"""Bytes of a close_notify (RFC 8446 6.1), and of a record that CBC's users send empty."""
SPLIT = 16
"""TLS 1.0's users send the first byte of each write by itself (or none); no head is as short."""
TICKET = (150, 330)
"""Bytes of a NewSessionTicket (lab.md 5: 230 to 290): no reply of Exchange's front end is as short."""
CONTINUE = 40
"""``HTTP/1.1 100 Continue`` is 25 bytes; no final reply is as short."""
PREFACE = (33, 160)
"""HTTP/2's 24 bytes of preface and the SETTINGS: 33 bare, 64 to 94 from most, 150 from Firefox."""
PREFACE_USUAL = 64
"""Preface, three settings and a WINDOW_UPDATE: taken off where HEADERS came in the same record."""
SHORTEST_REQUEST = 110
"""Hardly a request of HTTP/1.1 to Exchange is shorter: its line, Host and User-Agent; a lone preface is."""
BUFFERS = frozenset({512, 1024, 1179, 1186, 1400, 2048, 4096, 8192, 16384})
"""Records that are full, where a stack cuts what it sends: 1179 and 1186 are Go's (its guess of a segment,
less what TLS 1.2 and 1.3 add), others round. What is in such a first record is no head by itself."""
SETTINGS_REPLY = (9, 80)
"""What a server of HTTP/2 begins with, where no reply of HTTP/1.1 but 100 is so short."""
CONTROL = frozenset({9, 13})
"""SETTINGS' acknowledgement and WINDOW_UPDATE: no HEADERS is as short, which name four things at least."""
PERHAPS_CONTROL = frozenset({17, 22, 26})
"""PING, and two of those at a time; or HEADERS all of which is indexed, if one record follows: its body."""
SHORTEST_HEADERS = 30
"""The first HEADERS of a connection hold a path and a name, which HPACK's static table has not."""
FRAME = 9
"""Bytes before a frame's payload (RFC 9113 4.1)."""


class Exchange(NamedTuple):
    """One request and its reply; bytes."""

    head: int
    """The request's head; with its body where that came in the same record."""
    body: int | None
    """The request's body; None: there was none, or it came with the head."""
    reply: int
    """0: none was heard."""
    wait_s: float
    """From the request's first record to the reply's; 0 where there was none."""


def is_http2(turns: Sequence[Turn]) -> bool:
    """Tell from how a connection begins whether it speaks HTTP/2."""
    least, most = SETTINGS_REPLY
    opening = next((sizes for turn in turns if turn.side is CLIENT and (sizes := _records(turn, SPLIT))), [])
    replies = (turn for turn in turns if turn.side is not CLIENT)
    replied = (size for turn in replies for size in _records(turn, CLOSING) if not _is_ticket(size))
    reply = next(replied, 0)
    settings = least <= reply <= most and reply != len("HTTP/1.1 100 Continue\r\n\r\n")
    alone = len(opening) == 1 and reply > most
    return bool(opening) and (settings or (PREFACE[0] <= opening[0] < SHORTEST_REQUEST and not alone))


def exchanges(turns: Sequence[Turn], h2: bool) -> list[Exchange]:
    """Cut a connection into requests and replies, at most ``EXCHANGES_READ``."""
    found: list[Exchange] = []
    request: list[int] = []
    asked = answered = reply = 0
    for turn, sizes in _messages(turns, h2):
        if turn.side is CLIENT:
            if reply:
                found.append(_exchange(request, reply, answered - asked))
                request, reply = [], 0
                if len(found) == EXCHANGES_READ:
                    return found
            asked = asked if request else turn.at
            request += sizes
        elif request:
            answered = answered if reply else turn.at
            reply += sum(sizes)
    if request:
        found.append(_exchange(request, reply, answered - asked if reply else 0))
    return found


def _exchange(request: list[int], reply: int, waited: int) -> Exchange:
    head, *rest = request
    if rest and (head in BUFFERS or (rest[1:] and head == rest[0])):
        head, rest = sum(request), []  # where the head ends nobody knows
    return Exchange(head, sum(rest) if rest else None, reply, waited / 1e9)


def _messages(turns: Sequence[Turn], h2: bool) -> Iterator[tuple[Turn, list[int]]]:
    """The turns that carry messages, with the sizes of what they carry."""
    first_reply = True
    opened = requested = False
    for number, turn in enumerate(turns):
        client = turn.side is CLIENT
        sizes = _records(turn, SPLIT if client and not h2 else CLOSING)
        if client and sizes and h2:
            if not opened:
                sizes = _after_preface(sizes, turns[number + 1 :])
                opened = True
            sizes = _frames(sizes, requested, exact=turn.low == turn.high)
            requested = requested or bool(sizes)
        elif not client and sizes:
            if first_reply:
                sizes = _after_tickets(sizes)
            if h2:
                sizes = _without_settings(sizes, first_reply)
            elif sum(sizes) <= CONTINUE:
                sizes = []
            first_reply = first_reply and not sizes
        if sizes:
            yield turn, sizes


def _records(turn: Turn, least: int) -> list[int]:
    """Sizes of a turn's records but those of no more than ``least``; what is not told singly comes last.

    Under CBC the middle of what a record may hold.
    """
    slack = (turn.high - turn.low) // (2 * turn.records) if turn.records else 0
    told = turn.sizes or (turn.high,)
    sizes = [size - slack for size in told if size > max(least, slack)]
    rest = turn.high - sum(told)
    return [*sizes, rest] if rest > least else sizes


def _is_ticket(size: int) -> bool:
    return TICKET[0] <= size <= TICKET[1]


def _after_tickets(sizes: list[int]) -> list[int]:
    """Drop the one or two tickets that a server of TLS 1.3 sends ahead of its first reply."""
    tickets = 0
    while tickets < min(len(sizes), 2) and _is_ticket(sizes[tickets]):
        tickets += 1
    return sizes[tickets:]


def _after_preface(sizes: list[int], later: Sequence[Turn]) -> list[int]:
    """Drop HTTP/2's preface from the first client turn, or take it off the HEADERS that it came with."""
    first, *rest = sizes
    if first <= PREFACE[1]:
        more = rest or any(_records(turn, SHORTEST_HEADERS) for turn in later if turn.side is CLIENT)
        if more or first < SHORTEST_REQUEST:
            return rest
    return [max(first - PREFACE_USUAL, SHORTEST_HEADERS + 1), *rest]


def _frames(sizes: list[int], requested: bool, exact: bool) -> list[int]:
    """Drop a client's control frames ahead of a request's HEADERS; what comes behind is its body."""
    for number, size in enumerate(sizes):
        rest = sizes[number + 1 :]
        control = size <= SHORTEST_HEADERS
        if requested and exact:
            control = size in CONTROL or (size in PERHAPS_CONTROL and len(rest) != 1)
        if not control:
            return [size, *(more for more in rest if more > FRAME)]
    return []


def _without_settings(sizes: list[int], first: bool) -> list[int]:
    """Drop a server's control frames, and ahead of its first reply its SETTINGS."""
    least = SETTINGS_REPLY[1] if first else 0
    return [size for size in sizes if size > least and size not in CONTROL | PERHAPS_CONTROL]
