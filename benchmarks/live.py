"""Measure what listens at a mirror port: ``python -m benchmarks.live [PART...]`` (see ``PARTS``).

The port is one end of a veth pair in namespaces of its own; captures are sent at the other by tcpreplay, out
of memory and as fast as it goes. The extended filter can be loaded by root alone; without root the classic
one is measured.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from benchmarks.faults import disk_full, flaps, killed, locked
from benchmarks.make import capture
from benchmarks.measure import FailedError
from benchmarks.run import FILTER, Goal, told
from benchmarks.sensor import WHERE, apart_from, compared, inventory, listed, ours, read
from benchmarks.watched import Watched, send, tcpreplay, watching
from scanner.capture.file import CaptureFile
from tests.lab.stage.mirror import RECEIVER, REPLAY, SENDER, Mirror, mirrored

ROUNDS = 3
WARM = str(Path(__file__).parents[1] / "captures" / "office.pcapng")
"""Sent first: what is loaded once is not counted."""
ROOT = Path(__file__).parents[1]
ROOTS = os.getuid() == 0
FILTERS = ("extended", "classic") if ROOTS else ("classic",)
MOST_US = {"extended": 0.15, "classic": 0.45}
"""CPU time a mirrored packet."""
MOST_MB = 300.0
SCAPY_PACKETS, SCAPY_PPS = 10_000, 2_000
"""More than twice as many a second it would not take."""
SCAPY = f"""
import json, socket, sys
from scapy.all import conf, sniff
seen = [0]
tap = conf.L2listen(iface="{RECEIVER}")
try:
    sniff(opened_socket=tap, store=False, prn=lambda packet: seen.__setitem__(0, seen[0] + 1))
finally:
    dropped = int.from_bytes(tap.ins.getsockopt(263, 6, 8)[4:], sys.byteorder)
    print(json.dumps({{"delivered": seen[0], "dropped": dropped}}), file=sys.stderr)
"""
TCPDUMP = ("tcpdump", "-Z", "root", "-n", "-i", RECEIVER, "-B", "65536")
REPLAYED = (sys.executable, str(REPLAY), SENDER)
FLOOD_PPS = 200_000
"""Of frames: as many connections a second are begun as half of it."""
SOAK_S = 600.0
MOST_GROWTH_MB = 5.0
"""What fills up to its bound has done so by then."""
SAMPLES_PPS = 5_000
WIDTHS = "{:22}{:>9}{:>8}{:>9}{:>11}{:>9}{:>9}{:>9}{:>10}"


def watched(mirror: Mirror, words: Sequence[str], path: str, *pace: str) -> tuple[Watched, int, float]:
    """Have a program listen to a capture; what became of it, frames sent, and frames a second."""
    with watching(mirror, words) as watch:
        send(mirror, *REPLAYED, WARM)
        watch.settle()
        watch.mark()
        sent, seconds = tcpreplay(mirror, path, *pace or ["--topspeed"])
        watch.settle()
    return watch.result, sent, sent / seconds


def row(name: str, result: Watched, sent: int, rate: float, sessions: object = "-") -> None:
    """Print what became of a program."""
    dropped = "?" if result.dropped is None else result.dropped
    print(
        WIDTHS.format(
            name, f"{rate / 1e6:.3f}M", sent - result.arrived, dropped, f"{result.us:.3f}",
            "-" if result.reading_us is None else f"{result.reading_us:.3f}",
            f"{result.peak_mb:.0f}", f"{result.ring_mb:.0f}", sessions,
        ),
        flush=True,
    )  # fmt: skip


def heading(what: str) -> None:
    """Print a table's head."""
    print(f"\n{what}")
    print(
        WIDTHS.format(
            "program", "sent/s", "lost", "dropped", "us/packet", "reading", "peak MB", "of ring", "sessions"
        )
    )


def office(mirror: Mirror, given: argparse.Namespace) -> list[Goal]:
    """Listen to an office: beside tcpdump and scapy, with each filter, and by two readers."""
    path = str(capture("office"))
    wanted = read(mirror, WARM, path)
    heading(f"office: {len(wanted)} sessions by read")
    rates: dict[str, list[float]] = {}
    us: dict[str, list[float]] = {}
    lost: Counter[str] = Counter()
    apart: dict[str, tuple[int, int, int]] = {}
    ways = {"tcpdump": (), **{name: ("--filter", name) for name in FILTERS},
            **{f"{name}, 2 workers": ("--filter", name, "--workers", "2") for name in FILTERS}}  # fmt: skip
    for turn in range(given.rounds):
        for name, words in ways.items():
            if name.endswith("workers") and turn:
                continue
            with inventory() as database:
                command = ours(database, *words) if words else [*TCPDUMP, "-w", "-", FILTER]
                result, sent, rate = watched(mirror, command, path)
                found = listed(mirror, "sessions", database) if words else []
            rates.setdefault(name, []).append(rate)
            us.setdefault(name, []).append(result.reading_us or result.us)
            lost[name] += sent - result.arrived + (result.dropped or 0)
            apart[name] = compared(found, wanted)
            row(name, result, sent, rate, len(found) if words else "-")
    pace = (f"--limit={SCAPY_PACKETS}", f"--pps={SCAPY_PPS}")
    row("scapy, without filter", *watched(mirror, [sys.executable, "-c", SCAPY], path, *pace))
    fastest = {name: statistics.median(values) for name, values in rates.items()}
    goals = []
    for name in FILTERS:
        goals += [
            Goal(f"office, {name}: rate to tcpdump's", fastest[name] / fastest["tcpdump"], "at least", 0.95),
            Goal(f"office, {name}: packets lost", lost[name], "at most", 0),
            Goal(
                f"office, {name}: reader's CPU a packet",
                statistics.median(us[name]),
                "at most",
                MOST_US[name],
                "us",
            ),
        ]
        for way in (name, f"{name}, 2 workers"):
            goals += apart_from(f"office, {way}", apart[way])
    return goals


def flood(mirror: Mirror, _given: argparse.Namespace) -> list[Goal]:
    """Listen during a SYN flood with mail in it."""
    path = str(capture("flood"))
    wanted = read(mirror, WARM, path)
    heading(f"flood: {len(wanted)} sessions by read")
    goals = []
    for name in FILTERS:
        with inventory() as database:
            result, sent, rate = watched(mirror, ours(database, "--filter", name), path, f"--pps={FLOOD_PPS}")
            found = listed(mirror, "sessions", database)
        row(name, result, sent, rate, len(found))
        missing, extra, _ = compared(found, wanted)
        goals += [
            Goal(f"flood, {name}: peak memory", result.peak_mb, "at most", MOST_MB, "MB"),
            Goal(f"flood, {name}: sessions missing", missing, "at most", 0),
            Goal(f"flood, {name}: sessions too many", extra, "at most", 0),
        ]
    return goals


def soak(mirror: Mirror, given: argparse.Namespace) -> list[Goal]:
    """Listen to an office again and again, about as fast as it was, and look at memory."""
    path = str(capture("office"))
    packets, sessions = sum(len(batch.at) for batch in CaptureFile(path)), len(read(mirror, path))
    loops = max(1, round(given.seconds * 20_000 / packets))
    pace = packets * loops / given.seconds
    heading(f"soak: {given.seconds:.0f} s, {pace:.0f} packets/s, {loops * sessions} sessions")
    with inventory() as database, watching(mirror, ours(database)) as watch:
        sent, seconds = send(mirror, *REPLAYED, "--pps", str(pace), "--loops", str(loops), "--renumber", path)
        watch.settle()
        watch.end()
        found = len(listed(mirror, "sessions", database))
    row("watch", watch.result, sent, sent / seconds, found)
    kept = [(at, size) for at, size in watch.result.sizes if seconds / 2 < at < seconds]
    at, sizes = np.array(kept).T
    growth = float(np.polyfit(at, sizes, 1)[0]) * (at[-1] - at[0])
    steps = [f"{size:.0f}" for _, size in watch.result.sizes[:: max(1, len(watch.result.sizes) // 20)]]
    print(f"  memory over time, MB: {' '.join(steps)}")
    return [
        Goal("soak: growth in the second half", growth, "at most", MOST_GROWTH_MB, "MB"),
        Goal("soak: peak memory", watch.result.peak_mb, "at most", MOST_MB, "MB"),
        Goal("soak: packets lost", sent - watch.result.arrived + (watch.result.dropped or 0), "at most", 0),
        Goal("soak: sessions missing or too many", abs(found - loops * sessions), "at most", 0),
    ]


def samples(mirror: Mirror, given: argparse.Namespace) -> list[Goal]:
    """Listen to sample captures while tcpdump records them, and read what it recorded."""
    goals = []
    for folder in given.samples or [ROOT / "captures"]:
        arguments = folder / "read.args"
        words = arguments.read_text().split() if arguments.exists() else []
        with inventory() as database:
            recorded = Path(database).with_name("recorded.pcap")
            with watching(mirror, ours(database, *words)) as watch, recording(mirror, recorded):
                paths = sorted(map(str, folder.glob("*cap*")))
                send(mirror, *REPLAYED, "--pps", str(SAMPLES_PPS), *paths)
                watch.settle()
            found = listed(mirror, "sessions", database)
            wanted = read(mirror, str(recorded), words=words)
        print(f"\n{folder}: {len(found)} sessions, by read {len(wanted)}")
        goals += apart_from(f"samples, {folder.name}", compared(found, wanted, WHERE))
    return goals


@contextmanager
def recording(mirror: Mirror, path: Path) -> Iterator[None]:
    """Have tcpdump write down all that comes, at the times that everybody there sees."""
    words = mirror.receiving(*TCPDUMP, "-U", "--time-stamp-precision=nano", "-w", "-")
    with path.open("wb") as file, subprocess.Popen(words, stdout=file, stderr=subprocess.PIPE) as tap:
        assert tap.stderr
        tap.stderr.readline()
        yield
        tap.terminate()


def faults(mirror: Mirror, _given: argparse.Namespace) -> list[Goal]:
    """Kill it, lock its database, fill its disk, take its interface down."""
    return [goal for fault in (killed, locked, disk_full, flaps) for goal in fault(mirror)]


PARTS: dict[str, Callable[[Mirror, argparse.Namespace], list[Goal]]] = {
    "office": office,
    "samples": samples,
    "flood": flood,
    "faults": faults,
    "soak": soak,
}


def main() -> None:
    """Measure what was asked for, or all."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("parts", nargs="*", metavar="part", help=", ".join(PARTS))
    words.add_argument("--for", dest="seconds", type=float, default=SOAK_S, help="seconds of the soak")
    words.add_argument("--rounds", type=int, default=ROUNDS)
    words.add_argument("--samples", type=Path, action="append", help="a folder of captures")
    given = words.parse_args()
    if unknown := [name for name in given.parts if name not in PARTS]:
        sys.exit(f"no such part: {', '.join(unknown)}; there are {', '.join(PARTS)}")
    try:
        with mirrored(own_users=not ROOTS) as mirror:
            told([goal for name in given.parts or PARTS for goal in PARTS[name](mirror, given)])
    except FailedError as fault:
        sys.exit(str(fault))


if __name__ == "__main__":
    main()
