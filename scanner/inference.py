"""What was said inside TLS, by the order and sizes of turns: every way to log in is weighed against them.

A dialogue is a walk through a protocol's moves. Each move is as likely as its sizes are, and as often as it
follows the one before; the walks that explain what was heard share it out among them, and what they agree on
is the claim. Nothing is decided by one threshold, and what no walk explains well stays unknown.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from scanner.conversation import CLIENT
from scanner.events import Outcome, Turn
from scanner.sizes import Dialogue, Move
from scanner.texts import Lesson, Span, Texts, likelihood

WALKS_KEPT = 40
"""Walks followed at a time; those beyond are a thousand times less likely, and are let go."""
NEGLIGIBLE = 3e-5
"""Walks so much less likely than the best are let go."""
EXCHANGES_READ = 24
"""Turns of a client that are weighed: eight logins of three messages; of what comes later nothing is said."""
TICKETS = (150, 330)
"""Bytes of a session ticket in TLS 1.3 as servers send them (lab 5)."""
TICKETS_SENT = 2
"""OpenSSL's default; others send fewer or four."""
REPLY_APART = (0.99, 0.01)
"""How often a reply is one record, and how often more: a server writes a line at once. Measured: 2 of 4000
in more (``make calibrate``); stacks that cut records are left some room."""
LINES_APART = (0.8, 0.2)
"""Likewise replies of several lines; measured: 0.2 of 900 with servers other than Exchange Online."""
REPLIES_APART = (0.3, 0.7)
"""Likewise replies to commands that came together; measured: 0.12 of 93, and more with servers that wait."""
HELD_BACK_NS = (250_000_000, 4_000_000_000)
"""How much later than a conversation's quickest reply one comes that is held back, and held back long."""
IN_SAME_WORDS = 0.6
"""How often a server refuses in the words of its last refusal: other mechanisms may be refused in others."""
ALERTS = 2
"""Alerts with which a side closes: that it cancelled, and that it is done (RFC 8446 6.1)."""
QUIT = 6
"""Bytes of the command by which a client takes its leave; some close at once, before the answer comes."""
LINE_END = 2
"""Bytes of CRLF, which some programs send in a record of their own."""
ODD = "?"

Tried = tuple[str, Outcome | None]
"""A mechanism, and what came of it."""


class Exchange(NamedTuple):
    """What a client said and a server answered: bounds of bytes; the server's are None where it did not."""

    client_low: int
    client_high: int
    server_low: int | None = None
    server_high: int | None = None
    server_records: int = 0
    held_back: int = 0
    """How long the answer was waited for, as ``HELD_BACK_NS`` counts."""


class Weighed(NamedTuple):
    """One explanation of what was heard, and its share."""

    share: float
    tried: tuple[Tried, ...]
    moves: tuple[Move, ...]
    """What each turn of the client must have been, on the likeliest walk."""
    odd: bool
    """Something in it is explained by nothing."""
    tag: int
    """Bytes that each answer begins with; see ``sizes.Dialogue``."""


Place = tuple[int, int, tuple[Tried, ...], bool]
"""Where a walk is: the dialogue, the move, what was tried on the way, and whether anything odd was passed."""
Path = tuple[int, "Path"] | None
"""The moves of a walk, the last first."""
Walk = tuple[float, float, Path]
"""The share of all walks that came to a place, that of the likeliest, and its moves."""


def weigh(
    dialogues: Sequence[tuple[float, Dialogue]],
    exchanges: Sequence[Exchange],
    ended: bool,
    texts: Texts = (),
) -> list[Weighed]:
    """Share what was heard among all explanations of it, the likeliest first.

    ``dialogues``: it was one of these, with weights; ``ended``: it was heard to its end; ``texts``: what is
    known of the server's answers. Empty where nothing explains it.
    """
    known = dict(texts)
    walks: dict[Place, Walk] = {(n, -1, (), False): (w, w, None) for n, (w, _) in enumerate(dialogues)}
    cut = not ended or len(exchanges) > EXCHANGES_READ
    for number in range(min(len(exchanges), EXCHANGES_READ)):
        further = _pruned(_step(dialogues, walks, exchanges[: number + 1], known))
        if not further:  # what comes now is explained by nothing; what came before still is
            cut = True
            break
        walks = further
    done: dict[Place, Walk] = {}
    for (number, move, tried, odd), (share, best, path) in walks.items():
        ends = 1.0 if cut or move < 0 else dialogues[number][1].ends[move]
        _join(done, (number, 0, tried, odd), (share * ends, best * ends, path))
    return _explained(dialogues, done)


def _explained(dialogues: Sequence[tuple[float, Dialogue]], done: dict[Place, Walk]) -> list[Weighed]:
    whole = sum(share for share, _, _ in done.values())
    found: dict[tuple[tuple[Tried, ...], bool], Weighed] = {}
    for (number, _, tried, odd), (share, _, path) in sorted(done.items(), key=lambda pair: -pair[1][1]):
        known = found.get((tried, odd))
        share /= whole
        if known:
            found[tried, odd] = known._replace(share=known.share + share)
        else:
            dialogue = dialogues[number][1]
            found[tried, odd] = Weighed(share, tried, _moves(dialogue, path), odd, dialogue.tag)
    return sorted(found.values(), key=lambda one: -one.share)


def _moves(dialogue: Dialogue, path: Path) -> tuple[Move, ...]:
    passed = []
    while path is not None:
        passed.append(dialogue.moves[path[0]])
        path = path[1]
    return tuple(reversed(passed))


def lessons(one: Weighed, exchanges: Sequence[Exchange]) -> tuple[Lesson, ...]:
    """Say what an explanation, if it is the right one, teaches of the server's answers."""
    return tuple(
        (move.answer, exchange.server_low - one.tag, exchange.server_high - one.tag)
        for move, exchange in zip(one.moves, exchanges, strict=False)
        if move.answer and exchange.server_low is not None and exchange.server_high is not None
    )


def _step(
    dialogues: Sequence[tuple[float, Dialogue]],
    walks: dict[Place, Walk],
    heard: Sequence[Exchange],
    texts: Mapping[str, Sequence[Span]],
) -> dict[Place, Walk]:
    """Let every walk go on by one exchange, the last of those heard."""
    exchange = heard[-1]
    found: dict[Place, Walk] = {}
    onward: dict[tuple[int, int], list[tuple[int, float]]] = {}
    likely: dict[tuple[int, int], float] = {}
    for (number, at, tried, odd), (share, best, path) in walks.items():
        dialogue = dialogues[number][1]
        ways = onward.get((number, at))
        if ways is None:  # walks that tried other things on the way go on alike
            ways = onward[number, at] = list(_ways(number, dialogue, at, exchange, likely, texts))
        logged_in = bool(tried) and tried[-1][1] is Outcome.ACCEPTED
        refused = any(outcome is Outcome.REFUSED for _, outcome in tried)
        for next_, chance in ways:
            move = dialogue.moves[next_]
            if move.mechanism is not None and logged_in:
                continue  # nobody logs in twice (RFC 4954 4, RFC 9051 6.2.2)
            if refused and move.outcome is Outcome.REFUSED and move.answer not in texts:
                chance *= _as_before(dialogue, path, heard, move)
            tells = move.mechanism is not None or move.outcome is not None
            now = _tried(tried, move, exchange) if tells else tried
            place = number, next_, now, odd or move.name == ODD
            _join(found, place, (share * chance, best * chance, (next_, path)))
    return found


def _ways(
    number: int,
    dialogue: Dialogue,
    at: int,
    exchange: Exchange,
    likely: dict[tuple[int, int], float],
    texts: Mapping[str, Sequence[Span]],
) -> Iterator[tuple[int, float]]:
    """Moves that an exchange may be after another, with how likely that is; most are ruled out by size."""
    low, high, server_low, server_high = exchange[:4]
    if server_low is None or server_high is None:
        server_low, server_high = 0, sys.maxsize
    reach, moves = dialogue.reach, dialogue.moves
    for move, often in dialogue.follows[at] if at >= 0 else dialogue.begins:
        least, most, server_least, server_most = reach[move]
        if high < least or most < low:
            continue
        spans = texts.get(moves[move].answer) if texts else None
        if spans is None and (server_high < server_least or server_most < server_low):
            continue
        key = number, move
        chance = likely.get(key)
        if chance is None:
            chance = likely[key] = _likelihood(dialogue, moves[move], exchange, spans)
        if chance:
            yield move, chance * often


def _likelihood(dialogue: Dialogue, move: Move, exchange: Exchange, spans: Sequence[Span] | None) -> float:
    low, high, server_low, server_high, records, held_back = exchange
    client = move.client.likelihood(low, high)
    if not client or server_low is None or server_high is None:
        return client
    single, several = REPLIES_APART if move.several else LINES_APART if move.lines else REPLY_APART
    how = dialogue.held_back[move.outcome][held_back] * (single if records < 2 else several)
    server = move.server.likelihood(server_low, server_high)
    if spans:
        server = likelihood(server, spans, server_low - dialogue.tag, server_high - dialogue.tag)
    return client * how * server


def _as_before(dialogue: Dialogue, path: Path, heard: Sequence[Exchange], move: Move) -> float:
    """How much likelier a refusal is by how long the one before it was."""
    *earlier, (_, _, low, high, _, _) = heard
    for before in reversed(earlier):
        if path is None or low is None or high is None:
            break
        if dialogue.moves[path[0]].outcome is Outcome.REFUSED:
            same = before.server_low == low and before.server_high == high
            return 1 - IN_SAME_WORDS + same * IN_SAME_WORDS / move.server.likelihood(low, high)
        path = path[1]
    return 1.0


def _tried(tried: tuple[Tried, ...], move: Move, exchange: Exchange) -> tuple[Tried, ...]:
    if move.mechanism is not None:
        tried = (*tried, (move.mechanism, None))
    if move.outcome is not None and tried and exchange.server_low is not None:
        tried = (*tried[:-1], (tried[-1][0], move.outcome))
    return tried


def _join(found: dict[Place, Walk], place: Place, walk: Walk) -> None:
    """Walks that came to the same place are one from there on; the likeliest tells what was passed."""
    known = found.get(place)
    if known is None:
        found[place] = walk
    elif walk[1] > known[1]:
        found[place] = known[0] + walk[0], walk[1], walk[2]
    else:
        found[place] = known[0] + walk[0], known[1], known[2]


def _pruned(walks: dict[Place, Walk]) -> dict[Place, Walk]:
    """Keep the likelier walks, and make the likeliest one's share one."""
    if not walks:
        return walks
    most = max(walk[0] for walk in walks.values())
    least = most * NEGLIGIBLE
    kept = [pair for pair in walks.items() if pair[1][0] >= least]
    if len(kept) > WALKS_KEPT:
        kept = sorted(kept, key=lambda pair: -pair[1][0])[:WALKS_KEPT]
    return {place: (share / most, best / most, path) for place, (share, best, path) in kept}


def exchanges(turns: Sequence[Turn], server_first: bool, tls13: bool) -> list[Exchange]:
    """Pair turns: what the client said with what was answered; a greeting is left out.

    Tickets of TLS 1.3 look like data: they are left out, and so is a closing alert.
    """
    found: list[Exchange] = []
    waits: dict[int, int] = {}
    asked = 0
    for turn in _stripped(turns, server_first) if tls13 else turns:
        if turn.side is CLIENT:
            if found and found[-1].server_low is None:  # nothing but a ticket came between
                turn = turn.plus(*found.pop()[:2])
            found.append(Exchange(turn.low, turn.high))
            asked = turn.at
        elif found:
            found[-1] = Exchange(*found[-1][:2], turn.low, turn.high, turn.records)
            waits[len(found) - 1] = turn.at - asked
    quickest = min(waits.values()) if len(waits) > 1 else 0
    for number, wait in waits.items():
        if held_back := sum(wait - quickest > least for least in HELD_BACK_NS):
            found[number] = found[number]._replace(held_back=held_back)
    return found


def _stripped(turns: Sequence[Turn], server_first: bool) -> Iterator[Turn]:
    """Leave out tickets in the server's first turns, and what is but an alert at either side's end."""
    last = {turn.side: number for number, turn in enumerate(turns)}
    tickets = TICKETS_SENT
    spoken, long = 0, None
    for number, turn in enumerate(turns):
        sizes = turn.sizes
        if turn.side is not CLIENT and spoken < 2 and tickets:
            only = (not server_first and number == 0) or _within_a_line(turns, number)
            taken = _tickets(sizes, tickets, long, all_of_them=only)
            tickets -= len(taken)
            long = taken[0] if taken else long
            turn = _without(turn, taken)
            spoken += turn.records > 0
        if last[turn.side] == number and turn.sizes[-1:] == (2,):
            answered = any(later.high > 2 for later in turns[number + 1 :])
            for _ in range(ALERTS if turn.records == len(turn.sizes) else 0):
                if turn.sizes[-1:] == (2,) and (not answered or turn.high == QUIT + 2):
                    turn = _without(turn, (2,))  # else it is the end of a line, in a record of its own
        if turn.records:
            yield turn


def _within_a_line(turns: Sequence[Turn], number: int) -> bool:
    """The client ends its line only after this: what came could not be an answer."""
    before, after = turns[number - 1 : number], turns[number + 1 : number + 3]
    return bool(before) and len(after) == 2 and after[0].sizes == (LINE_END,) and after[1].high > LINE_END


def _tickets(sizes: tuple[int, ...], most: int, long: int | None, all_of_them: bool) -> tuple[int, ...]:
    """Leading records as long as a ticket, and as one another.

    The last record is the message, unless nothing can be said yet.
    """
    behind = len(sizes) if all_of_them else len(sizes) - 1
    taken: list[int] = []
    for size in sizes[: min(most, behind)]:
        long = long or size
        if size != long or not TICKETS[0] <= size <= TICKETS[1]:
            break
        taken.append(size)
    return tuple(taken)


def _without(turn: Turn, sizes: tuple[int, ...]) -> Turn:
    if not sizes:
        return turn
    total = sum(sizes)
    left = turn.sizes[len(sizes) :] if sizes != (2,) else turn.sizes[:-1]
    return Turn(turn.side, turn.low - total, turn.high - total, turn.records - len(sizes), turn.at, left)
