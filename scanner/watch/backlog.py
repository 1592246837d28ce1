"""What was gathered and is not heard yet: while packets come fast they are read first."""

from __future__ import annotations

from collections import deque

from scanner.gatherer import Gathered

MOST_BYTES = 64 << 20
"""What may wait: the mail of some 2 GB at a mirror; past it hearing goes before reading: packets wait in the
ring, and are lost, and counted, when that is full."""
ROW_BYTES = 120
"""What a segment takes beside its payload."""


class Backlog:
    """A queue, bounded by whoever looks at ``is_full``."""

    def __init__(self) -> None:
        """Begin empty."""
        self._waiting: deque[Gathered] = deque()
        self._bytes = 0

    def __len__(self) -> int:
        """Count what waits."""
        return len(self._waiting)

    @property
    def is_full(self) -> bool:
        """Whether so much waits that no more should be gathered."""
        return self._bytes > MOST_BYTES

    def add(self, gathered: Gathered) -> None:
        """Put one behind the others."""
        self._waiting.append(gathered)
        self._bytes += _size(gathered)

    def take(self) -> Gathered:
        """Take the first."""
        first = self._waiting.popleft()
        self._bytes -= _size(first)
        return first


def _size(gathered: Gathered) -> int:
    harvest = gathered.harvest
    return len(harvest.columns.buffer) + ROW_BYTES * len(harvest) if harvest else 0
