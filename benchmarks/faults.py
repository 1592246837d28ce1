"""What goes wrong at a sensor: it is killed, its database locked, its disk full, its interface down.

Nothing that was committed may be lost, nothing counted twice, and what comes after is found as ever.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.make import mailstorm, written
from benchmarks.run import Goal
from benchmarks.sensor import apart_from, compared, inventory, key, listed, ours, read
from benchmarks.watched import send, watching
from tests.lab.stage.mirror import RECEIVER, REPLAY, SENDER, Mirror

ROOT = Path(__file__).parents[1]
STORM, STORM_PPS = 6_000, 8_000
"""Sessions, sent in about twelve seconds."""
COMMITTED_S = 6
"""Sessions are in the database five seconds after they are decided."""
LOCKED_S = 30
LOCK = """
import sqlite3, sys, time
database = sqlite3.connect(sys.argv[1], timeout=30, isolation_level=None)
database.execute("BEGIN EXCLUSIVE")
print(flush=True)
time.sleep(float(sys.argv[2]))
database.execute("ROLLBACK")
"""
DISK_MB = 64
FILL = "dd if=/dev/zero of={}/filler bs=4k 2>/dev/null; true"
FULL_S = 10
FLAPS = 3


@contextmanager
def storm() -> Iterator[tuple[str, list[str]]]:
    """A capture of mail, and how it is sent."""
    with tempfile.TemporaryDirectory() as folder:
        path = str(written(Path(folder) / "storm.pcap", mailstorm(STORM)))
        yield path, [sys.executable, str(REPLAY), SENDER, "--pps", str(STORM_PPS), path]


def killed(mirror: Mirror) -> list[Goal]:
    """Kill it amid a storm, and start it again while the storm goes on."""
    with storm() as (path, sender), inventory() as database:
        wanted = {key(record) for record in read(mirror, path)}
        with watching(mirror, ours(database)) as watch:
            sending = subprocess.Popen(mirror.sending(*sender), stdout=subprocess.DEVNULL)
            time.sleep(COMMITTED_S + 3)
            before = {key(record) for record in listed(mirror, "sessions", database)}
            watch.end(signal.SIGKILL)
        with watching(mirror, ours(database)) as again:
            sending.wait()
            again.settle()
        found = Counter(key(record) for record in listed(mirror, "sessions", database))
        counted = sum(use["sessions"] for host in listed(mirror, "hosts", database) for use in host["usage"])
    print(f"\nkilled: {len(before)} sessions committed, {len(found)} in the end, of {len(wanted)}")
    return [
        Goal("killed: committed before", len(before), "at least", 1),
        Goal("killed: processes left", watch.result.left, "at most", 0),
        Goal("killed: committed ones missing", len(before - found.keys()), "at most", 0),
        Goal("killed: sessions twice", found.total() - len(found), "at most", 0),
        Goal("killed: counted and not listed", abs(counted - found.total()), "at most", 0),
        Goal("killed: never sent", len(found.keys() - wanted), "at most", 0),
    ]


def locked(mirror: Mirror) -> list[Goal]:
    """Lock the database while a storm comes in."""
    with storm() as (path, sender), inventory() as database:
        with watching(mirror, ours(database)) as watch:
            time.sleep(COMMITTED_S)
            words = mirror.receiving(sys.executable, "-c", LOCK, database, str(LOCKED_S))
            with subprocess.Popen(words, stdout=subprocess.PIPE) as lock:
                assert lock.stdout
                lock.stdout.readline()
                send(mirror, *sender)
            time.sleep(COMMITTED_S)
            watch.settle()
        return _after("locked", mirror, database, watch.result.said, path)


def disk_full(mirror: Mirror) -> list[Goal]:
    """Fill the disk that the database is on before a storm, and empty it after."""
    with storm() as (path, sender), tempfile.TemporaryDirectory() as folder:
        options = f"size={DISK_MB}m,mode=777"
        subprocess.run(mirror.receiving("mount", "-t", "tmpfs", "-o", options, "none", folder), check=True)
        database = f"{folder}/inventory.db"
        with watching(mirror, ours(database)) as watch:
            time.sleep(COMMITTED_S)
            subprocess.run(mirror.receiving("sh", "-c", FILL.format(folder)), check=True)
            send(mirror, *sender)
            time.sleep(FULL_S)
            subprocess.run(mirror.receiving("rm", f"{folder}/filler"), check=True)
            time.sleep(COMMITTED_S)
            watch.settle()
        goals = _after("disk full", mirror, database, watch.result.said, path)
        subprocess.run(mirror.receiving("umount", folder), check=True)
        return goals


def flaps(mirror: Mirror) -> list[Goal]:
    """Take the interface down and up between two captures."""
    other = str(ROOT / "captures" / "office.pcapng")
    with storm() as (path, sender), inventory() as database:
        with watching(mirror, ours(database)) as watch:
            send(mirror, *sender)
            for way in ("down", "up") * FLAPS:
                subprocess.run(mirror.receiving("ip", "link", "set", RECEIVER, way), check=True)
                time.sleep(1)
            time.sleep(COMMITTED_S)
            send(mirror, sys.executable, str(REPLAY), SENDER, "--timed", other)
            watch.settle()
        return _after("flaps", mirror, database, watch.result.said, path, other)


def _after(name: str, mirror: Mirror, database: str, said: str, *captures: str) -> list[Goal]:
    """What was found in spite of all, and what was said about it."""
    found = listed(mirror, "sessions", database)
    counted = sum(use["sessions"] for host in listed(mirror, "hosts", database) for use in host["usage"])
    print(f"\n{name}: {len(found)} sessions; it said:")
    print("".join(f"  {line[:200]}\n" for line in said.splitlines()), end="")
    return [
        *apart_from(name, compared(found, read(mirror, *captures))),
        Goal(f"{name}: counted and not listed", abs(counted - len(found)), "at most", 0),
    ]
