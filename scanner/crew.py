"""Hear a capture in several processes: each follows its share of the connections.

The parent decodes and picks, and hands each worker its part of every harvest. What all of them learned from
it comes back first, and is told to all before they conclude: so they find what one process finds. Neither
waits for the other longer than a harvest takes, nothing piles up, and the order of what comes out is the same
each time. What is pickled goes to a fork of this process and back, and nowhere else.
"""

from __future__ import annotations

import mmap
import os
import pickle
import signal
from collections.abc import Iterator
from multiprocessing import get_all_start_methods, get_context
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any, Generic, NamedTuple, TypeVar

from scanner.pipeline import Bench, Finish, Gathered, Heard, Pipeline
from scanner.texts import Lessons, add

MOST_WORKERS = 8
"""Beside the parent, which decodes for all of them: more would wait for it."""
SMALLEST_FOR_WORKERS = 16 << 20
"""Bytes of captures below which starting workers takes longer than they save."""
BOARD_BYTES = 64 << 20
"""Each half of the board: several times a harvest; what has no room is sent through the pipe."""
Found = TypeVar("Found")


def workers_worth(size: int | None) -> int:
    """Tell how many workers captures of so many bytes deserve; None: a pipe, to be told as it comes."""
    cores = os.cpu_count() or 1
    if size is None or size < SMALLEST_FOR_WORKERS or cores == 1 or "fork" not in get_all_start_methods():
        return 0
    return min(cores, MOST_WORKERS)


class CrewError(Exception):
    """A worker is gone: killed, or ended by a fault that it told on stderr."""


class Crew(Generic[Found]):
    """Workers of one run. They are forked at once, so make it before threads and large things."""

    def __init__(self, pipeline: Pipeline, finish: Finish[Found], workers: int) -> None:
        """Start ``workers`` processes; ``finish`` runs in them, and what it gives must be picklable."""
        context = get_context("fork")
        self._board = Board()
        self._finish = finish
        self._pipes: list[Connection] = []
        self._processes = []
        for number in range(workers):
            mine, theirs = context.Pipe()
            place = _Place(theirs, self._board, number, workers)
            worker = context.Process(target=_work, args=(place, mine, pipeline, finish), daemon=True)
            worker.start()
            theirs.close()
            self._pipes.append(mine)
            self._processes.append(worker)

    def __enter__(self) -> Crew[Found]:
        """Use as a context."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let the workers go."""
        for pipe in self._pipes:
            pipe.close()
        for worker in self._processes:
            worker.join(1 if kind is None else 0)
            if worker.is_alive():
                worker.terminate()
                worker.join()
        self._board.wipe()

    def hearing(self, capture: str) -> CrewHearing[Found]:
        """Begin a capture."""
        for pipe in self._pipes:
            _send(pipe, capture)
        return CrewHearing(self._pipes, self._board, self._finish)


class CrewHearing(Generic[Found]):
    """One capture, heard by the crew."""

    def __init__(self, pipes: list[Connection], board: Board, finish: Finish[Found]) -> None:
        """Take the pipes to the workers, each at the capture's beginning."""
        self._pipes = pipes
        self._finish = finish
        self._board = board
        self._owed = False
        self._lessons: Lessons = {}
        self._tally = Heard()

    @property
    def tally(self) -> Heard:
        """What was heard, after ``flush``."""
        return self._tally

    def hear(self, gathered: Gathered) -> Iterator[Found]:
        """Hand out what was gathered; give what was made of what came before.

        What was announced is finished here: handing it out costs more.
        """
        if gathered.told.sightings:
            yield self._finish([], gathered.told.sightings)
        note = self._board.put(gathered.without_labels())
        found = self._received()
        for pipe in self._pipes:
            _send(pipe, (note, self._lessons))
        self._owed = True
        yield from found

    def flush(self) -> Iterator[Found]:
        """Give all the rest."""
        for _ in range(2):  # what was handed out last, and what is still open
            found = self._received()
            for pipe in self._pipes:
                _send(pipe, (None, self._lessons))
            self._owed = True
            yield from found
        for pipe in self._pipes:
            last, tally = _received(pipe)
            self._tally = Heard(*(sum(pair) for pair in zip(self._tally, tally, strict=True)))
            yield from last
        self._owed = False

    def _received(self) -> list[Found]:
        """Take what all made of the harvest before the last, and put together what the last taught them."""
        self._lessons = {}
        found: list[Found] = []
        for pipe in self._pipes if self._owed else ():
            made, lessons = _received(pipe)
            found += made
            add(self._lessons, lessons)
        return found


def _received(pipe: Connection) -> Any:
    try:
        return pipe.recv()
    except (EOFError, ConnectionError) as fault:
        raise CrewError from fault


def _send(pipe: Connection, what: object) -> None:
    try:
        pipe.send(what)
    except ConnectionError as fault:
        raise CrewError from fault


class Note(NamedTuple):
    """Where something stands on the board."""

    half: int
    pickled: bytes
    """All but the large arrays."""
    spans: tuple[tuple[int, int], ...]
    """From where to where each of those stands."""


class Board:
    """Memory that all processes see: large arrays are written there once, and read where they stand.

    It has two halves, written by turns: while one is read the other is written.
    """

    def __init__(self) -> None:
        """Reserve it; memory is taken as it is written."""
        self._halves = [mmap.mmap(-1, BOARD_BYTES) for _ in range(2)]
        self._written = [0, 0]
        self._half = 0

    def put(self, gathered: Gathered) -> Note:
        """Write; what has no room there is sent along."""
        self._half = 1 - self._half
        half = self._halves[self._half]
        spans: list[tuple[int, int]] = []
        at = 0

        def keep(buffer: pickle.PickleBuffer) -> bool:
            nonlocal at
            raw = buffer.raw()
            behind = at + len(raw)
            if behind > BOARD_BYTES:
                return True
            half[at:behind] = raw
            spans.append((at, behind))
            at = behind + -behind % 8
            return False

        pickled = pickle.dumps(gathered, protocol=5, buffer_callback=keep)
        self._written[self._half] = max(self._written[self._half], at)
        return Note(self._half, pickled, tuple(spans))

    def wipe(self) -> None:
        """Leave nothing of what was written: it held passwords."""
        for half, size in zip(self._halves, self._written, strict=True):
            half[:size] = bytes(size)

    def get(self, note: Note) -> Gathered:
        """Read; the arrays are good until the half is written again."""
        view = memoryview(self._halves[note.half])
        gathered: Gathered = pickle.loads(
            note.pickled, buffers=[view[at:behind] for at, behind in note.spans]
        )
        return gathered


class _Place(NamedTuple):
    """Where a worker sits."""

    pipe: Connection
    board: Board
    number: int
    of: int


def _work(place: _Place, parents: Connection, pipeline: Pipeline, finish: Finish[Any]) -> None:
    """Hear capture after capture, until the parent lets go."""
    parents.close()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent tells when to stop
    pipe = place.pipe
    try:
        while True:
            bench: Bench[Any] = pipeline.bench(pipe.recv(), finish, place.of)
            ended = False
            while not ended:
                note, lessons = pipe.recv()
                found = list(bench.conclude(lessons))
                share = place.board.get(note).share(place.number, place.of) if note else None
                pipe.send((found, bench.listen(share)))
                ended = note is None
            _, lessons = pipe.recv()
            pipe.send((list(bench.conclude(lessons)), bench.tally))
    except (EOFError, ConnectionError):
        return
