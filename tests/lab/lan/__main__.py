"""The LAN itself: ``python -m lan OUTPUT``, as root of its namespaces, leaves a capture and who did what."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

from lan.cast import OTHERS
from lan.machine import Day, Days, prepare
from lan.network import build, wait
from lan.services import Services, has_passed_on, said

TAP = "tcpdump -Z root -U --immediate-mode -B 16384 -i mirror -w -"
SILENCE_S = 0.4
"""So long must nobody say anything once all servers have stopped."""


def main() -> None:
    """Build, let everybody have a day, and leave the results."""
    output = Path(sys.argv[1])
    build()
    prepare()
    with (output / "lan.pcap").open("wb") as file:
        tap = subprocess.Popen(TAP.split(), stdout=file, stderr=subprocess.PIPE)
        assert tap.stderr
        tap.stderr.readline()
        try:
            days = play()
        finally:
            wait("the mirror port to be silent", Silence(output / "lan.pcap"))
            tap.terminate()
            (output / "tcpdump.log").write_bytes(tap.communicate()[1])
            (output / "programs.log").write_text(said())
    (output / "played.json").write_text(json.dumps([asdict(day) for day in days], indent=1))


def play() -> list[Day]:
    """Start the servers, let all machines have their day at once, and wait for the relays."""
    services = Services()
    try:
        days = Days(OTHERS).spend()
        for relay in ("depot", "relay"):
            through = (relay in machine.mails_through for machine in OTHERS)
            mails = sum(len(day.statuses) for day, passes in zip(days, through, strict=True) if passes)
            wait(f"{relay} to pass {mails} mails on", has_passed_on, relay, mails)
        return days
    finally:
        services.stop()


class Silence:
    """Whether a capture has stopped growing: the last FIN is in it."""

    def __init__(self, capture: Path) -> None:
        """Of this capture."""
        self._capture, self._size, self._since = capture, -1, 0.0

    def __call__(self) -> bool:
        """Look again."""
        size, now = self._capture.stat().st_size, time.monotonic()
        if size != self._size:
            self._size, self._since = size, now
        return now - self._since > SILENCE_S


if __name__ == "__main__":
    main()
