"""Progress shows on a terminal and nowhere else, and never changes what is read."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from scanner.cli.progress import progress
from scanner.wire.batch import Batch

EMPTY = np.empty(0, np.int64)


class Capture:
    """Gives batches, and knows how far it was read."""

    def __init__(self, batches: list[Batch], size: int | None) -> None:
        self._batches = batches
        self.size = size
        self.position = 0

    def __iter__(self) -> Iterator[Batch]:
        for batch in self._batches:
            self.position += 10
            yield batch


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def batches(count: int) -> list[Batch]:
    return [Batch(np.empty(0, np.uint8), EMPTY, EMPTY, EMPTY, EMPTY, 1, str(n)) for n in range(count)]


@pytest.mark.parametrize("size", [20, None], ids=["a file", "a pipe"])
@pytest.mark.parametrize("terminal", [True, False], ids=["a terminal", "no terminal"])
def test_what_is_shown(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, terminal: bool, size: int | None
) -> None:
    path = tmp_path / "x.pcap"
    path.write_bytes(bytes(20))
    out = Terminal() if terminal else io.StringIO()
    monkeypatch.setattr(sys, "stderr", out)
    monkeypatch.setenv("TERM", "xterm")
    given = batches(2)
    with progress([str(path) if size else "-"]) as shown:
        read = [batch for capture in (Capture(given, size), Capture(given, size)) for batch in shown(capture)]
    assert read == [*given, *given]
    assert ("reading" in out.getvalue()) is terminal


def test_a_capture_that_breaks_off_breaks_off_for_the_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(Capture):
        def __iter__(self) -> Iterator[Batch]:
            yield from super().__iter__()
            raise ValueError("cut off")

    monkeypatch.setattr(sys, "stderr", Terminal())
    found: list[str | None] = []
    with pytest.raises(ValueError, match="cut off"), progress(["-"]) as shown:
        found.extend(batch.capture for batch in shown(Broken(batches(1), None)))
    assert found == ["0"]
