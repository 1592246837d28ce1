"""Our own sensor: how it is run, what it found, and how that differs from what ``read`` finds."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.measure import FailedError
from benchmarks.run import PROGRAM, Goal
from tests.lab.stage.mirror import RECEIVER, Mirror

WHERE = ("capture", "sensor")
PACED = (*WHERE, "first_seen", "last_seen", "evidence")
"""What differs where a capture is sent faster than it was: evidence says which answers were late."""
ENDS = ("client_ip", "client_port", "server_ip", "server_port")


def ours(database: str, *words: str) -> list[str]:
    """How we watch, with an inventory of one's own."""
    return [PROGRAM, "--db", database, "watch", "-i", RECEIVER, "--log-format", "json", *words]


@contextmanager
def inventory() -> Iterator[str]:
    """Give a path for a database to whoever the sensor becomes."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o777)
        yield str(Path(folder) / "inventory.db")


def listed(mirror: Mirror, what: str, database: str) -> list[dict[str, Any]]:
    """The records of an inventory, by who may read it."""
    words = mirror.receiving(PROGRAM, "--db", database, what, "--format", "ndjson")
    done = subprocess.run(words, capture_output=True, check=False)
    if done.returncode:
        raise FailedError(f"{what}: {done.stderr.decode(errors='replace').strip()}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def read(mirror: Mirror, *captures: str, words: Sequence[str] = ()) -> list[dict[str, Any]]:
    """What ``read`` finds in captures."""
    with inventory() as database:
        command = mirror.receiving(PROGRAM, "--db", database, "read", *words, *captures)
        done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
        if done.returncode not in (0, 1):
            raise FailedError(f"read: {done.stderr.decode(errors='replace').strip()}")
        return listed(mirror, "sessions", database)


def key(record: dict[str, Any]) -> tuple[Any, ...]:
    """What no two connections of our captures have in common."""
    return tuple(record[end] for end in ENDS)


def compared(
    found: list[dict[str, Any]], wanted: list[dict[str, Any]], but: Sequence[str] = PACED
) -> tuple[int, int, int]:
    """Sessions that are missing, those that are too many, and records that say something else."""
    one, other = (Counter(map(key, side)) for side in (found, wanted))
    whole, all_of_it = (
        Counter(json.dumps({k: v for k, v in record.items() if k not in but}) for record in side)
        for side in (found, wanted)
    )
    missing, extra = (other - one).total(), (one - other).total()
    return missing, extra, (all_of_it - whole).total() - missing


def apart_from(name: str, apart: tuple[int, int, int]) -> list[Goal]:
    """What should be none."""
    kinds = ("sessions missing", "sessions too many", "records unlike")
    return [Goal(f"{name}: {kind}", value, "at most", 0) for kind, value in zip(kinds, apart, strict=True)]
