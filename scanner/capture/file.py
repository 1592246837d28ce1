"""Capture files, pipes and directories of them, as batches."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager

from scanner.capture import UnreadableCapture
from scanner.capture.pcap import MAGICS, read_pcap
from scanner.capture.pcapng import SECTION, PcapngReader
from scanner.capture.window import Corrupt, Window, open_window
from scanner.wire.batch import Batch

_PCAPNG = SECTION.to_bytes(4, "big")


def expand(paths: Sequence[str]) -> list[str]:
    """List the captures meant: files as they are, ``-`` as it is, in directories (at any depth, sorted) those
    that begin like a capture. Raises nothing; what cannot be looked into is left to be told on opening.
    """
    found: list[str] = []
    for path in paths:
        if not os.path.isdir(path):
            found.append(path)
            continue
        inside = sorted(os.path.join(folder, name) for folder, _, names in os.walk(path) for name in names)
        found.extend(name for name in inside if _looks_like_capture(name))
    return found


def _looks_like_capture(path: str) -> bool:
    if not os.path.isfile(path):
        return False
    try:
        with CaptureFile(path) as file:
            return file.recognised()
    except (UnreadableCapture, OSError):
        return False


class CaptureFile(AbstractContextManager["CaptureFile"]):
    """One capture; iterating gives its batches, each valid until the next is asked for."""

    def __init__(self, path: str) -> None:
        """Open a file, a FIFO or ``-`` (stdin). Raises UnreadableCapture."""
        self.path = path
        self.secrets: list[bytes] = []
        """TLS key logs (NSS format) that the file brought along, as far as it was read."""
        self.size: int | None
        """Bytes on disk; None for a pipe."""
        try:
            self._window, self.size = open_window(path)
        except OSError as fault:
            raise UnreadableCapture(path, 0, fault.strerror or "cannot be opened") from None

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self._window.close()

    @property
    def position(self) -> int:
        """Bytes of the stored file that were taken so far."""
        return self._window.position()

    def recognised(self) -> bool:
        """Tell whether it begins like a capture; nothing is consumed."""
        try:
            return _magic(self._window) in MAGICS or _magic(self._window) == _PCAPNG
        except (Corrupt, OSError):
            return False

    def __iter__(self) -> Iterator[Batch]:
        """Give the batches; raises UnreadableCapture behind the last whole packet if more is unreadable."""
        try:
            yield from self._batches()
        except Corrupt as fault:
            raise UnreadableCapture(self.path, fault.offset, fault.why) from None
        except OSError as fault:
            why = fault.strerror or "cannot be read"
            raise UnreadableCapture(self.path, self.position, why) from None

    def _batches(self) -> Iterator[Batch]:
        magic = _magic(self._window)
        if not magic:
            raise Corrupt(0, "is empty")
        if magic in MAGICS:
            return read_pcap(self._window, self.path)
        if magic == _PCAPNG:
            return PcapngReader(self._window, self.path, self.secrets).batches()
        raise Corrupt(0, "is neither a pcap nor a pcapng file")


def _magic(window: Window) -> bytes:
    """Look at the first four bytes."""
    while window.end - window.begin < 4 and window.grow():
        pass
    return window.buffer[window.begin : min(window.end, window.begin + 4)].tobytes()
