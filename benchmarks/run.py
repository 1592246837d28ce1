"""Measure: ``python -m benchmarks.run [NAME...]`` compares with nDPI and tshark on captures made from a seed.

Every program reads the same file, by turns, so that a noisy machine is noisy for all; medians count.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measure import FailedError, Spent, measured

ROUNDS = 3
START_ROUNDS = 5
OURS = "mailsunset"
PROGRAM = str(Path(sys.executable).with_name(OURS))
MAIL = " or ".join(
    [
        *(f"tcp port {port}" for port in (25, 587, 465, 110, 995, 143, 993)),
        *(f"net {prefix}" for prefix in ("52.96.0.0/14", "52.100.0.0/14", "2603:1006::/40")),
    ]
)
FILTER = f"({MAIL}) or (vlan and ({MAIL}))"
"""Mail's ports and the prefixes of Exchange Online that occur, with and without a tag: what we read, too."""
FIELDS = (
    "smtp.req.command",
    "smtp.response.code",
    "imap.request",
    "pop.request.command",
    "tls.handshake.extensions_server_name",
)
ABOUT = """\
"Speed to X" is the time that X takes, divided by ours, for the same file on this machine: 2 means that we are
twice as fast. Seconds differ from machine to machine, this ratio hardly does. Memory and CPU are those of all
processes of a program together.
"""


@dataclass(frozen=True, slots=True)
class Goal:
    """A figure, and what it should be."""

    what: str
    value: float | None
    """None: the other program is not installed here."""
    sense: str
    """``at least`` or ``at most``."""
    wanted: float
    unit: str = ""

    @property
    def met(self) -> bool | None:
        """None: not measured."""
        if self.value is None:
            return None
        return self.value >= self.wanted if self.sense == "at least" else self.value <= self.wanted


@dataclass(frozen=True, slots=True)
class Peer:
    """A program to compare with."""

    name: str
    goal: float
    """Our speed should be so many times its own."""
    rounds: int = ROUNDS

    def command(self, path: str) -> list[str]:
        """How it reads a capture."""
        if self.name == "nDPI":
            return ["ndpiReader", "-q", "-i", path, "-f", FILTER]
        fields = [word for field in FIELDS for word in ("-e", field)]
        return ["tshark", "-r", path, "-T", "fields", *fields]


def compared(name: str, peers: Sequence[Peer], most_mb: float) -> list[Goal]:
    """Read a capture with every program in turn; print what each took, give our figures."""
    print(f"\n{name}: making the capture, if it is not there yet", flush=True)
    # A process of its own: Linux counts what a program's parent has used as the program's own peak.
    made = subprocess.run(
        [sys.executable, "-m", "benchmarks.make", name], check=True, stdout=subprocess.PIPE, text=True
    )
    path = made.stdout.strip()
    spent: dict[str, list[Spent]] = {OURS: []}
    present = [peer for peer in peers if shutil.which(peer.command("")[0])]
    for number in range(ROUNDS):
        for peer in present:
            if number < peer.rounds:
                spent.setdefault(peer.name, []).append(measured(peer.command(path)))
        with _inventory() as database:
            spent[OURS].append(measured([PROGRAM, "--db", database, "read", path]))
    with _inventory() as database:
        tree = measured([PROGRAM, "--db", database, "read", path], whole_tree=True).peak_mb
    megabytes = Path(path).stat().st_size / 1e6
    print(f"  {'program':12}{'seconds':>10}{'MB/s':>10}{'CPU s':>10}{'peak MB':>10}")
    for program, runs in sorted(spent.items(), key=lambda item: _seconds(item[1])):
        cpu = statistics.median(run.cpu_s for run in runs)
        peak = tree if program == OURS else max(run.peak_mb for run in runs)
        rate = megabytes / _seconds(runs)
        print(f"  {program:12}{_seconds(runs):10.2f}{rate:10.0f}{cpu:10.2f}{peak:10.0f}", flush=True)
    own = _seconds(spent[OURS])
    ratios = {peer.name: _seconds(spent[peer.name]) / own for peer in present}
    return [
        *(
            Goal(f"{name}: speed to {peer.name}", ratios.get(peer.name), "at least", peer.goal)
            for peer in peers
        ),
        Goal(f"{name}: peak memory", tree, "at most", most_mb, "MB"),
        Goal(f"{name}: of the largest process", _largest(spent[OURS]), "at most", most_mb, "MB"),
    ]


@contextmanager
def _inventory() -> Iterator[str]:
    """Give every run a database of its own."""
    with tempfile.TemporaryDirectory() as folder:
        yield str(Path(folder) / "inventory.db")


def _seconds(runs: Sequence[Spent]) -> float:
    return statistics.median(run.seconds for run in runs)


def _largest(runs: Sequence[Spent]) -> float:
    return max(run.peak_mb for run in runs)


def start() -> list[Goal]:
    """Time commands that read no capture."""
    return [
        Goal(
            f"start: mailsunset {argument}",
            _seconds([measured([PROGRAM, argument]) for _ in range(START_ROUNDS)]),
            "at most",
            0.3,
            "s",
        )
        for argument in ("--help", "deadlines")
    ]


def mailstorm() -> list[Goal]:
    """Read many short sessions, all of them mail."""
    return compared("mailstorm", [Peer("nDPI", 0.75)], 250)


def office() -> list[Goal]:
    """Read bulk traffic with some mail in it."""
    return compared("office", [Peer("nDPI", 1.0), Peer("tshark", 45.0, rounds=1)], 120)


def names() -> list[Goal]:
    """Read an office with and without what machines announce of themselves."""
    from benchmarks.names import MOST, cost

    made = [sys.executable, "-m", "benchmarks.make", "office"]
    path = subprocess.run(made, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    return [Goal("office: names and devices cost", cost(path), "at most", MOST, "%")]


def inference() -> list[Goal]:
    """Read the storm with and without what is concluded from sizes, and weigh what was not met before."""
    from benchmarks.inferred import MOST_COLD_MS, MOST_US, cold_ms, cost_us
    from benchmarks.make import STORM_SESSIONS

    made = [sys.executable, "-m", "benchmarks.make", "mailstorm"]
    path = subprocess.run(made, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    a_session = cost_us(path, STORM_SESSIONS)
    return [
        Goal("inference: a session on the storm", a_session, "at most", MOST_US, "us"),
        Goal("inference: one not met before", cold_ms(), "at most", MOST_COLD_MS, "ms"),
    ]


def halfopen() -> list[Goal]:
    """Read connections that are opened and left."""
    return compared("halfopen", [], 150)


def inventory() -> list[Goal]:
    """List and add to an inventory of many devices."""
    from benchmarks.inventory import figures

    return [Goal(*figure) for figure in figures()]


def matched() -> list[Goal]:
    """Find whose mailbox each device uses, at sites of several kinds."""
    from benchmarks.matched import figures

    return [Goal(*figure) for figure in figures()]


MEASURES: dict[str, Callable[[], list[Goal]]] = {
    "start": start,
    "mailstorm": mailstorm,
    "office": office,
    "names": names,
    "inference": inference,
    "halfopen": halfopen,
    "inventory": inventory,
    "matched": matched,
}
"""What can be asked for by name. A row is a measure: it prints what it likes and gives its goals."""


def told(goals: Sequence[Goal]) -> None:
    """Print figures beside their goals."""
    print(f"\n{'figure':36}{'measured':>12}   {'goal':20}")
    for goal in goals:
        shown = "-" if goal.value is None else f"{goal.value:.2f} {goal.unit}".strip()
        met = {True: "met", False: "NOT MET", None: "not compared: not installed"}[goal.met]
        print(f"{goal.what:36}{shown:>12}   {f'{goal.sense} {goal.wanted:g} {goal.unit}':20}{met}")


def main() -> None:
    """Measure what was asked for, or all."""
    wanted = sys.argv[1:] or list(MEASURES)
    if unknown := [name for name in wanted if name not in MEASURES]:
        sys.exit(f"no such measure: {', '.join(unknown)}; there are {', '.join(MEASURES)}")
    print(ABOUT, end="")
    try:
        told([goal for name in wanted for goal in MEASURES[name]()])
    except FailedError as fault:
        sys.exit(str(fault))


if __name__ == "__main__":
    main()
