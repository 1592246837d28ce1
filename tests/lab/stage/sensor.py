"""A sensor at a mirror, run as an administrator runs it: started, sent to, asked, told to end."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from .mirror import RECEIVER, REPLAY, SENDER, Mirror

ROOT = Path(__file__).parents[3]
PROGRAM = (sys.executable, "-c", "from scanner.cli import main; main()")
READY_S = 30.0
"""Longest until it listens, on a machine that has much else to do."""
COMMITTED_S = 5.0
"""Longest from a conversation's end until it is in the inventory."""
END_S = 20.0
LOOK_S = 0.1
"""Between two looks: some of them start a program."""
EACH = """
import json, sys
from scanner.cli import main
for sys.argv[1:] in json.load(sys.stdin):
    try:
        main()
    except SystemExit as end:
        assert not end.code
    for stream in (sys.stdout, sys.stderr):
        print(end="\\0", file=stream, flush=True)
"""
COUNT = """
import sqlite3, sys
found = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True, timeout=10)
print(found.execute("select count(*) from sessions").fetchone()[0])
"""
WATCHDOG_S = 2.0


class NotSoError(AssertionError):
    """What was waited for did not come."""


@contextmanager
def anybodys() -> Iterator[Path]:
    """A folder that also nobody can write into; pytest's own are closed to him."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o777)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


class Sensor:
    """One process of ``mailsunset watch``, and what it has said so far."""

    def __init__(
        self,
        mirror: Mirror,
        folder: Path,
        database: Path | None,
        words: tuple[str, ...],
        stdout: int | None,
        stderr: int | None,
    ) -> None:
        self.mirror, self.folder = mirror, folder
        self.database = database or folder / "inventory.db"
        self.said: list[str] = []
        """Lines of stderr."""
        self.told: list[str] = []
        """Lines of stdout."""
        self.journal: list[str] = []
        """What systemd would have been told."""
        self._journal = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        path = tempfile.mktemp(dir=folder)
        self._journal.bind(path)
        Path(path).chmod(0o777)
        ours = ("XDG", "MAILSUNSET", "SUDO")
        self.environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith(ours)},
            "HOME": str(folder),
            "NOTIFY_SOCKET": path,
            "WATCHDOG_USEC": str(int(WATCHDOG_S * 1e6)),
        }
        command = mirror.receiving(*PROGRAM, "--db", str(self.database), "watch", "-i", RECEIVER, *words)
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=stdout or pipe,
            stderr=stderr or pipe,
            env=self.environment,
            cwd=ROOT,
        )
        self._threads = [threading.Thread(target=self._hear_journal, daemon=True)]
        for stream, lines in ((self.process.stdout, self.told), (self.process.stderr, self.said)):
            if stream:
                self._threads.append(threading.Thread(target=_collect, args=(stream, lines), daemon=True))
        for thread in self._threads:
            thread.start()

    def until(self, true: Callable[[], object], within_s: float, what: str = "it") -> float:
        """Wait for something; tells how long that took."""
        began = time.monotonic()
        while not true():
            if time.monotonic() - began > within_s:
                raise NotSoError(f"{what} did not come within {within_s} s; said: {self.said}")
            time.sleep(LOOK_S)
        return time.monotonic() - began

    def until_said(self, text: str) -> float:
        """Wait until it has said something."""
        return self.until(lambda: any(text in line for line in self.said), READY_S, text)

    def until_committed(self, sessions: int, within_s: float = COMMITTED_S) -> float:
        """Wait until the inventory, looked at from outside, has so many sessions and no more."""
        took = self.until(lambda: self.committed() >= sessions, within_s, f"{sessions} sessions")
        assert self.committed() == sessions
        return took

    def committed(self) -> int:
        """Sessions in the inventory now."""
        command = self.mirror.receiving(sys.executable, "-ISc", COUNT, str(self.database))
        return int(subprocess.run(command, capture_output=True, check=True, text=True).stdout)

    def send(self, *words: str | Path) -> dict[str, Any]:
        """Send captures."""
        return send(self.mirror, *words)

    def ask(self, *listings: Sequence[str]) -> list[list[dict[str, Any]]]:
        """What each of some listings tells."""
        told = self.run(*((*words, "--format", "ndjson") for words in listings))
        return [[json.loads(line) for line in out.splitlines()] for out, _ in told]

    def run(self, *commands: Sequence[str]) -> list[tuple[str, str]]:
        """Run other commands with the same inventory, in one process; gives each one's stdout and stderr."""
        wanted = json.dumps([["--db", str(self.database), *words] for words in commands])
        command = self.mirror.receiving(sys.executable, "-c", EACH)
        done = subprocess.run(
            command, input=wanted, capture_output=True, text=True, env=self.environment, cwd=ROOT, timeout=60,
            check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return list(zip(done.stdout.split("\0")[:-1], done.stderr.split("\0")[:-1], strict=True))

    def tell(self, number: signal.Signals) -> None:
        """Tell it something."""
        self.process.send_signal(number)

    def end(self, number: signal.Signals | None = signal.SIGTERM) -> int:
        """Tell it to end; gives its status once all is heard that it said."""
        if number and self.process.poll() is None:
            self.tell(number)
        try:
            status = self.process.wait(END_S)
        finally:
            self.process.kill()
            self.process.wait()
            self._journal.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(END_S)
        self._journal.close()
        return status

    def processes(self) -> list[int]:
        """Its number, and those of its children."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [self.process.pid, *map(int, children.split())]

    def _hear_journal(self) -> None:
        while data := self._journal.recv(1 << 16):
            self.journal.append(data.decode())


@contextmanager
def watching(
    mirror: Mirror,
    folder: Path,
    *words: str,
    database: Path | None = None,
    stdout: int | None = None,
    stderr: int | None = None,
) -> Iterator[Sensor]:
    """Start a sensor, and wait until it listens; ``stdout``, ``stderr``: files to have instead of lines."""
    sensor = Sensor(mirror, folder, database, words, stdout, stderr)
    try:
        sensor.until(lambda: "READY=1" in sensor.journal or sensor.process.poll() is not None, READY_S)
        assert sensor.process.poll() is None, sensor.said
        yield sensor
    finally:
        if sensor.process.returncode is None:
            sensor.end(signal.SIGKILL)


def send(mirror: Mirror, *words: str | Path) -> dict[str, Any]:
    """Send captures into the mirror."""
    command = mirror.sending(sys.executable, str(REPLAY), SENDER, *map(str, words))
    done = subprocess.run(command, capture_output=True, check=True, text=True, timeout=120)
    sent: dict[str, Any] = json.loads(done.stdout)
    return sent


def _collect(stream: IO[bytes], lines: list[str]) -> None:
    lines.extend(line.decode().rstrip("\n") for line in stream)
    stream.close()
