"""A progress bar on stderr, where that is a terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol, TypeVar

Batch = TypeVar("Batch", covariant=True)
Read = TypeVar("Read")


class Positioned(Protocol[Batch]):
    """A file that is read batch by batch."""

    @property
    def position(self) -> int:
        """Bytes read so far."""

    @property
    def size(self) -> int | None:
        """Bytes; None: not known."""

    def __iter__(self) -> Iterator[Batch]:
        """Read it."""


class Shown(Protocol):
    """Wraps a file."""

    def __call__(self, file: Positioned[Read], /) -> Iterable[Read]:
        """Give its batches."""


@contextmanager
def progress(paths: Sequence[str]) -> Iterator[Shown]:
    """Give what wraps a file so that its reading shows; without a terminal it shows nothing."""
    if not sys.stderr.isatty():
        yield iter
        return
    from rich.console import Console  # 60 ms that a pipe need not pay
    from rich.progress import Progress

    total = sum(os.path.getsize(path) for path in paths if os.path.isfile(path))
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("reading", total=total or None)
        done = 0

        def shown(file: Positioned[Read], /) -> Iterator[Read]:
            nonlocal done
            for batch in file:
                yield batch
                bar.update(task, completed=done + file.position)
            done += file.size or 0

        yield shown


Tell = Callable[[int, str], None]
"""How many addresses are done, and what else there is to say."""


@contextmanager
def asking(total: int) -> Iterator[Tell]:
    """Give what is told how far a scan is, and shows it with the time left where there is a terminal."""
    if not sys.stderr.isatty():
        yield lambda _, __: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[said]}"), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("asking", total=total or None, said="")
        yield lambda done, said: bar.update(task, completed=done, said=said)
