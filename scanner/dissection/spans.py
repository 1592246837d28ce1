"""Which bytes of one side were seen, by the sequence numbers that tshark gives."""

from __future__ import annotations

HOLES_KEPT = 64
"""Holes of one side that may still be filled; past it the oldest stays a hole."""


class Spans:
    """What one side sent, as far as it was seen."""

    __slots__ = ("_given_up", "_heard", "_holes", "_next")

    def __init__(self) -> None:
        """Begin before the first byte."""
        self._next: int | None = None
        self._holes: list[tuple[int, int]] = []
        self._given_up = 0
        self._heard = False

    @property
    def missing(self) -> int:
        """Bytes that never came; -1 where nothing of a side that spoke was seen."""
        if self._holes and not self._heard:
            return -1
        return self._given_up + sum(end - begin for begin, end in self._holes)

    def seen(self, begin: int, length: int) -> None:
        """Note a segment: the number of its first byte, and how many it has."""
        end = begin + length
        self._heard = True
        if self._next is None:
            self._next = begin
        if begin > self._next and length:
            self._holes.append((self._next, begin))
            if len(self._holes) > HOLES_KEPT:
                first, last = self._holes.pop(0)
                self._given_up += last - first
        elif length and self._holes:
            self._holes = [rest for hole in self._holes for rest in _without(hole, begin, end)]
        if length:
            self._next = max(self._next, end)

    def acknowledged(self, until: int) -> None:
        """Note that the peer has all up to here, seen by us or not."""
        known = 1 if self._next is None else self._next
        if until > known + 1:  # a FIN counts as a byte
            self._holes.append((known, until))
            self._next = until


def _without(hole: tuple[int, int], begin: int, end: int) -> list[tuple[int, int]]:
    """What is left of a hole when a segment fills a part of it."""
    parts = [(hole[0], min(hole[1], begin)), (max(hole[0], end), hole[1])]
    return [(first, last) for first, last in parts if first < last]
