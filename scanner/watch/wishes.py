"""What signals ask of the sensor, and how they wake it."""

from __future__ import annotations

import signal
import socket
from types import FrameType, TracebackType
from typing import Any, Self

_STOP = (signal.SIGINT, signal.SIGTERM)
_RELOAD, _TELL = getattr(signal, "SIGHUP", None), getattr(signal, "SIGUSR1", None)
"""Windows has neither."""
_ALL = tuple(number for number in (*_STOP, _RELOAD, _TELL) if number is not None)


def ignore() -> None:
    """Leave signals to another process."""
    for number in _ALL:
        signal.signal(number, signal.SIG_IGN)


class Wishes:
    """Notes signals while it is entered; whoever waits for ``fileno`` wakes."""

    def __init__(self) -> None:
        """Nothing is asked yet."""
        self.stop = False
        self._reload = self._tell = False
        self._read, self._write = socket.socketpair()
        for end in (self._read, self._write):
            end.setblocking(False)
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        """Take over the signals."""
        for number in _ALL:
            self._before[number] = signal.signal(number, self._note)
        self._woken = signal.set_wakeup_fd(self._write.fileno(), warn_on_full_buffer=False)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give them back."""
        signal.set_wakeup_fd(self._woken)
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._read.close()
        self._write.close()

    def fileno(self) -> int:
        """Readable when a signal came."""
        return self._read.fileno()

    def calm(self) -> None:
        """Take what woke us."""
        try:
            while self._read.recv(4096):
                pass
        except BlockingIOError:
            pass

    def reload(self) -> bool:
        """Whether SIGHUP came since this was asked last."""
        asked, self._reload = self._reload, False
        return asked

    def tell(self) -> bool:
        """Whether SIGUSR1 came since this was asked last."""
        asked, self._tell = self._tell, False
        return asked

    def _note(self, number: int, _: FrameType | None) -> None:
        if number in _STOP:
            self.stop = True
        elif number == _RELOAD:
            self._reload = True
        else:
            self._tell = True
