"""Tell systemd how the sensor fares (sd_notify(3), sd_watchdog_enabled(3)); nothing, where nobody asked."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping
from contextlib import suppress

from scanner.watch.status import Status, as_text

STATUS_LENGTH = 500
"""Characters of a status that are told: ``systemctl status`` shows a line."""


class Journal:
    """The socket that systemd named when it started this process; each datagram is an attempt, no more."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        """Find it by NOTIFY_SOCKET: a path, or an abstract name behind ``@``. Raises nothing."""
        name = environment.get("NOTIFY_SOCKET", "")
        self._address = "\0" + name[1:] if name.startswith("@") else name
        self._socket: socket.socket | None = None
        if name[:1] in ("/", "@"):
            with suppress(OSError, AttributeError):  # Windows has no such sockets
                self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
                self._socket.setblocking(False)
        self._watchdog_s = _watchdog_s(environment)

    def watchdog_s(self) -> float | None:
        """Seconds without ``second`` after which systemd takes this process for hung; None: it never does."""
        return self._watchdog_s

    def ready(self) -> None:
        """It captures; also after ``reloading``."""
        self._tell("READY=1")

    def second(self, status: Status) -> None:
        """It goes round, and how it does; called once a second."""
        told = "STATUS=" + " ".join(as_text(status).split())[:STATUS_LENGTH]
        self._tell(told if self._watchdog_s is None else f"WATCHDOG=1\n{told}")

    def reloading(self) -> None:
        """It reads its catalogue again."""
        self._tell(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self) -> None:
        """It ends."""
        self._tell("STOPPING=1")

    def close(self) -> None:
        """Tell no more."""
        if self._socket:
            self._socket.close()
            self._socket = None

    def _tell(self, what: str) -> None:
        """A systemd that is busy or gone must not stop the sensor."""
        if self._socket:
            with suppress(OSError):
                self._socket.sendto(what.encode("utf-8", "replace"), self._address)


def _watchdog_s(environment: Mapping[str, str]) -> float | None:
    """WATCHDOG_PID says who is meant: not a process that merely inherited the variables."""
    microseconds, process = environment.get("WATCHDOG_USEC", ""), environment.get("WATCHDOG_PID")
    if process not in (None, str(os.getpid())) or not microseconds.isdecimal():
        return None
    return int(microseconds) / 1e6 or None
