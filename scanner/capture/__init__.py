"""Sources of packets: each yields batches (``wire.batch``), whatever file, pipe or interface is behind."""

from __future__ import annotations


class UnreadableCapture(Exception):
    """A capture, or the rest of it, cannot be read; every whole packet before the fault was yielded."""

    def __init__(self, path: str, offset: int, why: str) -> None:
        """Say what is wrong where; ``offset`` counts bytes of the capture, after decompression."""
        super().__init__(f"{path}: offset {offset}: {why}")
        self.path = path
        self.offset = offset
        self.why = why
