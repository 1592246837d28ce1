"""Run a program at a mirror port and account for it: CPU and memory of its processes, and what it lost."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.measure import FailedError, proportional_kb, tree
from tests.lab.stage.mirror import RECEIVER, SENDER, Mirror

TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
SAMPLE_S = 0.5
READY_S = 30.0
"""Longest until it listens."""
STEADY_S = 0.7
"""Sockets that are there for so long are all."""
IDLE_S, IDLE_SHARE = 1.0, 0.05
"""It has taken in what came when it uses less of a core than this for so long."""
SETTLE_S = 120.0
END_S = 60.0
LINGER_S = 2.0
RATED = re.compile(rb"Actual: (\d+) packets .* in ([\d.]+) seconds")
FAILED = re.compile(rb"Failed packets:\s+(\d+)")
DROPPED = re.compile(r"(\d+) packets? dropped by kernel")


@dataclass(slots=True)
class Watched:
    """What became of a program that listened."""

    cpu_s: float = 0.0
    """From the mark to its end, of all its processes."""
    began_mb: float = 0.0
    """Memory when it listened; what processes share counts once."""
    peak_mb: float = 0.0
    ring_mb: float = 0.0
    """What of it is rings that the kernel fills."""
    sizes: list[tuple[float, float]] = field(default_factory=list)
    """Memory over time: seconds, MB."""
    arrived: int = 0
    """Packets at the interface meanwhile."""
    status: int | None = None
    left: int = 0
    """Processes that outlived it."""
    said: str = ""

    @property
    def us(self) -> float:
        """CPU time a mirrored packet, microseconds."""
        return self.cpu_s / max(1, self.arrived) * 1e6

    @property
    def reading_us(self) -> float | None:
        """What of it went into reading and sorting out, as it says; None: it does not say."""
        took_s = self.summary.get("cpu", {}).get("reading")
        return None if took_s is None else took_s / max(1, self.arrived) * 1e6

    @property
    def summary(self) -> dict[str, Any]:
        """The last thing it said as JSON."""
        lines = [line for line in self.said.splitlines() if line.startswith("{")]
        return json.loads(lines[-1]) if lines else {}

    @property
    def dropped(self) -> int | None:
        """Packets that it says the kernel had no room for; None: it does not say."""
        if found := DROPPED.search(self.said):
            return int(found[1])
        dropped = self.summary.get("dropped")
        return dropped if isinstance(dropped, int) else None


class Watching:
    """A program that listens."""

    def __init__(self, mirror: Mirror, process: subprocess.Popen[bytes]) -> None:
        """Wait until it listens. Raises FailedError."""
        self.mirror, self.process, self.result = mirror, process, Watched()
        self._await_sockets()
        self._began = time.perf_counter()
        self.mark()
        self._over = threading.Event()
        self._sampler = threading.Thread(target=self._sample)
        self._sampler.start()

    def mark(self) -> None:
        """Account for what comes from now on."""
        self._cpu_s, self._packets = cpu_s(self.process.pid), arrived(self.mirror)

    def _await_sockets(self) -> None:
        seen, since, deadline = 0, time.monotonic(), time.monotonic() + READY_S
        while not seen or time.monotonic() < since + STEADY_S:
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise FailedError("it does not listen")
            if (now := sockets(self.mirror)) != seen:
                seen, since = now, time.monotonic()
            time.sleep(0.05)

    def _sample(self) -> None:
        while True:
            size = sum(map(proportional_kb, tree(self.process.pid))) / 1024
            if size:  # it may have ended meanwhile
                self.result.sizes.append((time.perf_counter() - self._began, size))
            if self._over.wait(SAMPLE_S):
                return

    def settle(self) -> None:
        """Wait until it has nothing more to do."""
        deadline = time.monotonic() + SETTLE_S
        before = cpu_s(self.process.pid)
        while time.monotonic() < deadline:
            time.sleep(IDLE_S)
            if (now := cpu_s(self.process.pid)) - before < IDLE_S * IDLE_SHARE:
                return
            before = now

    def end(self, how: signal.Signals = signal.SIGINT) -> None:
        """Tell it to end, and wait until it has."""
        if self._over.is_set():
            return
        self.result.arrived = arrived(self.mirror) - self._packets
        self.result.ring_mb = sum(map(ring_kb, tree(self.process.pid))) / 1024
        self._over.set()
        self._sampler.join()
        last = tree(self.process.pid)
        self.process.send_signal(how)
        killer = threading.Timer(END_S, self.process.kill)
        killer.start()
        _, status, usage = os.wait4(self.process.pid, 0)
        killer.cancel()
        self.process.returncode = self.result.status = os.waitstatus_to_exitcode(status)
        self.result.cpu_s = usage.ru_utime + usage.ru_stime - self._cpu_s
        deadline = time.monotonic() + LINGER_S
        while (left := sum(map(alive, last))) and time.monotonic() < deadline:
            time.sleep(0.05)
        self.result.left = left
        sizes = [size for _, size in self.result.sizes] or [0.0]
        self.result.began_mb, self.result.peak_mb = sizes[0], max(sizes)


@contextmanager
def watching(mirror: Mirror, command: Sequence[str]) -> Iterator[Watching]:
    """Have a program listen; at the end it is ended, and ``result`` is whole."""
    with tempfile.TemporaryFile() as said:
        words = mirror.receiving(*command)
        process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=said)
        watch = None
        try:
            watch = Watching(mirror, process)
            yield watch
            watch.end()
            if watch.result.status not in (0, -signal.SIGKILL):
                raise FailedError(f"it ended with {watch.result.status}")
        except FailedError as fault:
            said.seek(0)
            last = said.read().decode(errors="replace").strip().splitlines()[-1:]
            raise FailedError(f"{command[0]}: {fault}: {' '.join(last)}") from None
        finally:
            if watch:
                watch.end(signal.SIGKILL)
                said.seek(0)
                watch.result.said += said.read().decode(errors="replace")
            process.kill()


def send(mirror: Mirror, *command: str) -> tuple[int, float]:
    """Run a sender: ``tcpreplay`` or ours. Gives frames that went out, and seconds."""
    done = subprocess.run(mirror.sending(*command), capture_output=True, check=False)
    if done.returncode:
        raise FailedError(f"{command[0]}: {done.stderr.decode(errors='replace').strip()}")
    for line in done.stderr.decode(errors="replace").splitlines():
        if command[0] == sys.executable:
            print(f"  {line}")
    if found := RATED.search(done.stdout):
        failed = FAILED.search(done.stdout)
        return int(found[1]) - (int(failed[1]) if failed else 0), float(found[2])
    sent = json.loads(done.stdout)
    return sent["frames"] - sent["refused"], sent["seconds"]


def tcpreplay(mirror: Mirror, path: str, *pace: str) -> tuple[int, float]:
    """Send a pcap out of memory; frames and seconds."""
    return send(mirror, "tcpreplay", "-i", SENDER, "--preload-pcap", "--no-flow-stats", *pace, path)


def arrived(mirror: Mirror) -> int:
    """Packets that came to the interface since it is there."""
    for line in Path(f"/proc/{mirror.receiver_pid}/net/dev").read_text().splitlines():
        name, _, numbers = line.partition(":")
        if name.strip() == RECEIVER:
            return int(numbers.split()[1])
    return 0


def sockets(mirror: Mirror) -> int:
    """Packet sockets that are bound there."""
    lines = Path(f"/proc/{mirror.receiver_pid}/net/packet").read_text().splitlines()[1:]
    return sum(line.split()[5] == "1" for line in lines)


def cpu_s(root: int) -> float:
    """CPU time of a process and its children, also of those that ended."""
    ticks = 0
    for pid in tree(root):
        try:
            after_name = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2]
        except OSError:  # it has ended meanwhile
            continue
        ticks += sum(map(int, after_name.split()[11:15]))
    return ticks / TICKS_A_SECOND


def alive(pid: int) -> bool:
    """Whether there is such a process."""
    return Path(f"/proc/{pid}").exists()


def ring_kb(pid: int) -> int:
    """What a process has mapped of packet sockets, its share."""
    try:
        lines = Path(f"/proc/{pid}/smaps").read_text("utf-8", "replace").splitlines()
    except OSError:  # it has ended meanwhile
        return 0
    size, ring = 0, False
    for line in lines:
        if "-" in line.split(" ", 1)[0] and ":" not in line.split(" ", 1)[0]:
            ring = "socket:[" in line
        elif ring and line.startswith("Pss:"):
            size += int(line.split()[1])
    return size
