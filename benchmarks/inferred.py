"""Measure what it costs to conclude from sizes what was said inside TLS.

One capture is read with and without it, by CPU time of all processes; and sessions of sizes that were not met
before are weighed one by one. ``python -m benchmarks.inferred read …`` is mailsunset without: nothing that
users have turns it off.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.measure import measured

ROUNDS = 3
MOST_US = 25.0
"""A session on average; the storm's sessions repeat themselves, as those of devices do."""
MOST_COLD_MS = 1.0
"""A session of sizes not met before, in the protocol that takes longest."""
COLD_SESSIONS = 60
_WITH = (sys.executable, "-c", "from scanner.cli import main; main()")
_WITHOUT = (sys.executable, "-m", "benchmarks.inferred")
_OPENINGS = {"smtp": (23, 210), "imap": (17, 151), "pop3": (6, 45)}
"""What a client says first, and what is answered."""
_ENDINGS = {"smtp": (6, 48), "imap": (13, 86), "pop3": (6, 56)}


def cost_us(path: str, sessions: int) -> float:
    """Microseconds a session that inference adds: of the least of some rounds each, taken by turns."""
    spent: dict[tuple[str, ...], list[float]] = {_WITH: [], _WITHOUT: []}
    for _ in range(ROUNDS):
        for program, runs in spent.items():
            with tempfile.TemporaryDirectory() as folder:
                database = str(Path(folder) / "inventory.db")
                runs.append(measured([*program, "--db", database, "read", path]).cpu_s)
    return 1e6 * (min(spent[_WITH]) - min(spent[_WITHOUT])) / sessions


def cold_ms() -> float:
    """Milliseconds of CPU time for a session of sizes not met before, in the protocol that takes longest."""
    from scanner.claims import infer
    from scanner.sizes import Known

    longest = 0.0
    for protocol in _OPENINGS:
        known = Known(exchange=0.93, implicit=True)
        spent = []
        for number, said in enumerate(_sessions(protocol)):
            began = time.process_time()
            infer(protocol, known, said, tls13=False, ended=True, lost=False)
            if number:  # the first makes the dialogues, once a process
                spent.append(time.process_time() - began)
        longest = max(longest, sum(spent) / len(spent))
    return 1e3 * longest


def _sessions(protocol: str) -> Iterator[list[Any]]:
    """Sessions of one login each, with sizes drawn from a seed."""
    from scanner.conversation import Side
    from scanner.events import Turn

    draw = random.Random(protocol)
    for number in range(COLD_SESSIONS):
        login = [(draw.randint(900, 4000), draw.randint(20, 90))]
        if number % 2:
            login = [
                (draw.randint(12, 60), draw.randint(5, 20)),
                (draw.randint(10, 50), draw.randint(20, 90)),
            ]
        pairs = [_OPENINGS[protocol], *login, (draw.randint(20, 60), draw.randint(8, 60)), _ENDINGS[protocol]]
        sides = (Side.CLIENT, Side.SERVER)
        yield [
            Turn(side, length, length, 1, at, (length,))
            for at, pair in enumerate(pairs)
            for side, length in zip(sides, pair, strict=True)
        ]


def _conclude_nothing() -> None:
    """Leave what is inside TLS alone, in this process."""
    from scanner import account, listener

    def nothing(*_: Any, **__: Any) -> None:
        return None

    vars(account)["infer"] = nothing
    vars(listener)["infer_web"] = nothing


if __name__ == "__main__":
    _conclude_nothing()
    from scanner.cli import main

    main()
