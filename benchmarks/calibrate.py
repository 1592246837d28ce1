"""Derive anew what was measured: ``python -m benchmarks.calibrate FOLDER...`` (see ``labelled``).

Prints each constant of the dialogues in sizes beside what labelled captures say of it, and how often claims
of each confidence are right. A laboratory's programs are no site's: how often something is done differs
from place to place, and a constant is changed by hand, with a reason, never by this program.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from math import sqrt
from pathlib import Path

from benchmarks.labelled import DIALOGUES, Labelled, read
from scanner import inference, texts
from scanner.claims import LEAST
from scanner.conversation import CLIENT
from scanner.model import AuthClass
from scanner.protocols.imap_sizes import TAGS
from scanner.sizes import ACCEPTED, Dialogue, Known, Move, Sizes

MADE = "mailsunset-lab-*"
"""What ``make lab`` makes in the temporary folder, unless it is told another."""
ENOUGH = 20
"""Cases below which a share tells nothing, and no deviation is seen."""
GROSS = 2.0
"""Times that a share may be off, and by more than chance explains, before it is called a deviation."""
CHANCE = 3.0
"""Standard deviations that chance explains."""
RARE = 0.02
"""Shares below this in both code and captures are not shown."""
HELLO = {"smtp": "EHLO", "imap": "CAPABILITY", "pop3": "CAPA"}
NO_CLAIM = (AuthClass.UNKNOWN, AuthClass.INCOMPLETE)
STEP = 0.05


def verdict(measured: float, cases: int, code: float) -> str:
    """Whether a share in the code is far from the one measured."""
    if cases < ENOUGH:
        return "few cases"
    least, most = sorted((max(measured, 1 / cases), max(code, 1 / cases)))
    off = abs(measured - code) > CHANCE * sqrt(max(code * (1 - code), 1 / cases) / cases)
    return "DEVIATES" if off and most > GROSS * least else ""


def share(what: str, hits: int, cases: int, code: float) -> None:
    """Print a row: a share as measured, and as the code has it."""
    measured = hits / cases if cases else 0.0
    if max(measured, code) >= RARE:
        print(f"  {what:56}{measured:8.3f}{cases:7}{code:10.3f}  {verdict(measured, cases, code)}".rstrip())


def title(text: str) -> None:
    """Print a heading with the columns below it."""
    print(f"\n{text}\n  {'':56}{'measured':>8}{'of':>7}{'in code':>10}")


def mechanisms(sessions: Sequence[Labelled]) -> None:
    """Tell how often each mechanism is used, with a first message in the command and without."""
    for protocol, dialogues in DIALOGUES.items():
        begins: Counter[str] = Counter()
        for weight, dialogue in dialogues(Known(exchange=0.5)):
            for name, often in _begun(dialogue, HELLO[protocol]):
                begins[name] += round(1e6 * weight * often)
        used = [
            _way(str(one["mechanism"]), one.get("sasl_ir") is True)
            for session in sessions
            if session.protocol == protocol and not session.bare
            for one in session.attempts
        ]
        title(f"OFTEN and its like, {protocol}")
        for name in sorted({*begins, *used}):
            share(name, used.count(name), len(used), begins[name] / begins.total())


def _way(mechanism: str, at_once: bool) -> str:
    return f"{mechanism} at once" if at_once else mechanism


def _begun(dialogue: Dialogue, hello: str) -> Iterator[tuple[str, float]]:
    """The logins that may follow a hello, and how often."""
    at = next(number for number, move in enumerate(dialogue.moves) if move.name == hello)
    for number, often in dialogue.follows[at]:
        move = dialogue.moves[number]
        if move.mechanism is not None:
            yield _way(move.mechanism, " with its " in move.name), often


def outcomes(sessions: Sequence[Labelled]) -> None:
    """Tell how often logins are accepted, and replies come in one record."""
    title("ACCEPTED, by protocol")
    for protocol in DIALOGUES:
        ends = [one["outcome"] for s in _of(sessions, protocol) for one in s.attempts if one.get("outcome")]
        share(protocol, ends.count("accepted"), len(ends), ACCEPTED)
    title("REPLY_APART, LINES_APART and REPLIES_APART: in one record")
    kinds = ((False, False), "REPLY_APART"), ((True, False), "LINES_APART"), ((False, True), "REPLIES_APART")
    for kind, name in kinds:
        records = [
            exchange.server_records
            for session in sessions
            for move, exchange in zip(session.moves, session.said, strict=False)
            if (move.lines, move.several) == kind and exchange.server_low is not None
        ]
        share(name, records.count(1), len(records), getattr(inference, name)[0])


def tags_and_tickets(sessions: Sequence[Labelled]) -> None:
    """Tell how long IMAP's tags are, and tickets of TLS 1.3 that came before the client spoke."""
    found = [
        exchange.client_high - len(" CAPABILITY\r\n")
        for session in _of(sessions, "imap")
        for move, exchange in zip(session.moves, session.said, strict=False)
        if move.name.startswith("CAPABILITY") and session.family == "AEAD"
    ]
    title("TAGS: bytes")
    for length in sorted({*TAGS, *found}):
        share(str(length), found.count(length), len(found), TAGS.get(length, 0.0) / sum(TAGS.values()))
    tickets = sorted(
        size
        for session in sessions
        if session.seen.tls_version == "TLSv1.3" and not session.known.implicit and session.turns
        if session.turns[0].side is not CLIENT
        for size in session.turns[0].sizes
    )
    low, high = inference.TICKETS
    outside = sum(not low <= size <= high for size in tickets)
    told = (
        f"{tickets[0]} to {tickets[-1]} bytes, {outside} of {len(tickets)} outside"
        if tickets
        else "none seen"
    )
    print(f"\nTICKETS: {told}; in code {low} to {high}{'  DEVIATES' if outside * 20 > len(tickets) else ''}")


def bands(sessions: Sequence[Labelled]) -> None:
    """Tell how long messages that hide something are, and replies to them, where sizes are exact."""
    said: dict[str, list[tuple[int, Sizes]]] = defaultdict(list)
    for session in sessions:
        for move, exchange in zip(session.moves, session.said, strict=False):
            if session.family != "AEAD":
                continue
            if move.hides:
                said[f"{session.protocol}: {move.name}"].append((exchange.client_high, move.client))
            if move.outcome and exchange.server_high is not None:
                answer = f"{session.protocol}: {move.outcome.value}, by {session.server}"
                said[answer].append((exchange.server_high, move.server))
    print(f"\nBands of sizes, bytes\n  {'':56}{'5, 50, 95 % measured':>27}{'of':>6}{'5, 50, 95 in code':>22}")
    for name, pairs in sorted(said.items()):
        sizes = sorted(size for size, _ in pairs)
        low, middle, high = (sizes[int(part * (len(sizes) - 1))] for part in (0.05, 0.5, 0.95))
        code = _quantiles([sizes for _, sizes in pairs])
        off = len(sizes) >= ENOUGH and not code[0] <= middle <= code[2]
        shown = f"{low:>9}{middle:>9}{high:>9}{len(sizes):6}{code[0]:>8}{code[1]:>7}{code[2]:>7}"
        print(f"  {name[:55]:56}{shown}{'  DEVIATES' if off else ''}")


def _quantiles(distributions: Iterable[Sizes]) -> tuple[int, int, int]:
    """Sizes up to which 5, 50 and 95 of 100 lie, of all of these together; a fifth of a band at a time."""
    weights: Counter[int] = Counter()
    for sizes in distributions:
        for band in sizes.bands:
            for part in range(5):
                at = band.low + (band.high - band.low) * (2 * part + 1) // 10
                weights[at] += round(1e6 * band.weight)
    found, passed, wanted = [], 0, [0.05, 0.5, 0.95]
    for size, weight in sorted(weights.items()):
        passed += weight
        while wanted and passed >= wanted[0] * weights.total():
            found.append(size)
            wanted.pop(0)
    return found[0], found[1], found[-1]


def answers(sessions: Sequence[Labelled]) -> None:
    """Tell how often an answer is as long as what the same server answered other clients."""
    heard: dict[tuple[str, str, str], dict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
    for session in sessions:
        for move, exchange in zip(session.moves, session.said, strict=False):
            if move.answer and exchange.server_high is not None and session.family == "AEAD":
                tag = next(one.tag for one in session.dialogues if any(move is known for known in one.moves))
                server = session.seen.server_ip, session.protocol, move.answer
                heard[server][session.seen.client_ip].add(exchange.server_high - tag)
    counted: dict[str, list[bool]] = defaultdict(list)
    for (_, protocol, answer), by_client in heard.items():
        for client, sizes in by_client.items():
            others = {size for other, told in by_client.items() if other != client for size in told}
            counted[f"{protocol}: {answer}"] += [size in others for size in sizes if others]
    title(
        "Answers as long as other clients heard; DOUBT is the share of what is known at large, to one client"
    )
    for name, hits in sorted(counted.items()):
        share(name, sum(hits), len(hits), 1 / (1 + texts.DOUBT))


def following(sessions: Sequence[Labelled]) -> None:
    """Tell what follows what."""
    counted: dict[str, Counter[str]] = defaultdict(Counter)
    code: dict[str, Counter[str]] = defaultdict(Counter)
    for session in sessions:
        for move, after in zip(session.moves, (*session.moves[1:], None), strict=False):
            dialogue = next(one for one in session.dialogues if any(move is known for known in one.moves))
            name = f"{session.protocol}: {_kind(move)}"
            counted[name][_kind(after) if after else "the end"] += 1
            number = next(at for at, known in enumerate(dialogue.moves) if known is move)
            for next_, often in dialogue.follows[number]:
                code[name][_kind(dialogue.moves[next_])] += round(1e6 * often)
            code[name]["the end"] += round(1e6 * min(dialogue.ends[number], 1))
    for name, came in sorted(counted.items()):
        if came.total() >= ENOUGH:
            title(f"What follows {name}")
            for other in sorted({*came, *code[name]}):
                share(other, came[other], came.total(), code[name][other] / max(code[name].total(), 1))


def _kind(move: Move) -> str:
    if move.outcome:
        return f"a login that is {move.outcome.value}"
    return "a login's message" if move.mechanism or (move.hides and "MAIL" not in move.name) else move.name


def right(session: Labelled) -> bool:
    """Whether the claim is the truth."""
    return bool(session.seen.auth_class.value == session.label["auth_class"])


def claims(sessions: Sequence[Labelled]) -> None:
    """Tell how many claims of each confidence are right, and how much is right, unknown and wrong."""
    print(f"\nClaims by confidence: right of all\n  {'':20}", end="")
    columns = sorted({(one.protocol, one.family) for one in sessions})
    print("".join(f"{f'{protocol} {family}':>13}" for protocol, family in columns))
    for step in range(round(LEAST / STEP), round(1 / STEP)):
        cells = ""
        for column in columns:
            here = [
                one
                for one in sessions
                if (one.protocol, one.family) == column and one.seen.auth_class not in NO_CLAIM
                if int(one.seen.confidence / STEP + 1e-9) == step
            ]
            cells += f"{f'{sum(map(right, here))}/{len(here)}' if here else '-':>13}"
        print(f"  {f'{step * STEP:.2f} to {(step + 1) * STEP:.2f}':20}{cells}")
    print(f"\n  {'':28}{'all':>8}{'right':>8}{'unknown':>9}{'wrong':>8}")
    groups = sorted({(one.protocol, one.family, one.server) for one in sessions})
    for group in groups:
        here = [one for one in sessions if (one.protocol, one.family, one.server) == group]
        good = sum(map(right, here))
        silent = sum(one.seen.auth_class in NO_CLAIM and not right(one) for one in here)
        print(f"  {' '.join(group):28}{len(here):8}{good:8}{silent:9}{len(here) - good - silent:8}")


def _of(sessions: Sequence[Labelled], protocol: str) -> list[Labelled]:
    return [one for one in sessions if one.protocol == protocol and not one.bare]


def _folders(names: Sequence[str]) -> Iterator[Path]:
    """Give the folders with labels: these, or those in them."""
    made = sorted(Path(tempfile.gettempdir()).glob(MADE), key=lambda folder: folder.stat().st_mtime)
    for named in map(Path, names) if names else made[-1:]:
        found = sorted(labels.parent for labels in (*named.glob("labels.json"), *named.glob("*/labels.json")))
        if not found:
            sys.exit(f"no labels.json in {named}")
        yield from found
    if not names and not made:
        sys.exit("no captures: make them by make lab, or name a folder")


def main() -> None:
    """Read the folders that are named, or what ``make lab`` made last."""
    folders = list(_folders(sys.argv[1:]))
    sessions = [session for folder in folders for session in read(folder)]
    mail = [session for session in sessions if session.protocol in DIALOGUES]
    bare = sum(session.bare for session in mail)
    mute = sum(not session.moves and not session.bare for session in mail)
    print(f"{len(sessions)} sessions, {len(mail)} of them mail. {bare} only name a mechanism not offered")
    print(f"and count nowhere; of {mute} no walk agrees with the label: they count among the claims alone.")
    for part in (mechanisms, outcomes, tags_and_tickets, bands, answers, following):
        part(mail)
    claims([session for session in sessions if not session.bare])


if __name__ == "__main__":
    main()
