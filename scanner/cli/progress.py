"""A progress bar on stderr, where that is a terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from scanner.capture.file import CaptureFile
from scanner.wire.batch import Batch

Shown = Callable[[CaptureFile], Iterable[Batch]]


@contextmanager
def progress(paths: Sequence[str]) -> Iterator[Shown]:
    """Give what wraps a capture so that its reading shows; without a terminal it shows nothing."""
    if not sys.stderr.isatty():
        yield iter
        return
    from rich.console import Console  # 60 ms that a pipe need not pay
    from rich.progress import Progress

    total = sum(os.path.getsize(path) for path in paths if os.path.isfile(path))
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("reading", total=total or None)
        done = 0

        def shown(capture: CaptureFile) -> Iterator[Batch]:
            nonlocal done
            for batch in capture:
                yield batch
                bar.update(task, completed=done + capture.position)
            done += capture.size or 0

        yield shown
