"""Keep the inventory in a process of its own, which may do so where the one that parses may not.

What goes between them is JSON: who took over the parser by a packet could write false rows, and nothing else.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from multiprocessing import get_all_start_methods, get_context
from multiprocessing.connection import Connection
from time import monotonic
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from db.prepare import Prepared
from db.rows import Form
from scanner.model import Sighting
from scanner.totals import Hour, RunTotals
from scanner.watch.wishes import ignore

if TYPE_CHECKING:
    from scanner.watch.notifier import Notice, Notifier
    from scanner.watch.spool import Spool, State

TOLD_S = 0.5
"""How often the parser is told how the writing goes."""
Say = Callable[[str], None]


class ScribeError(Exception):
    """The inventory cannot be kept; the text says why in one line."""


class Ledger(NamedTuple):
    """Which inventory, and what run begins in it."""

    url: str
    sensor: str
    sources: tuple[str, ...]
    at: int
    """ns"""
    forget_ns: int | None
    """Sessions of runs that began longer ago are forgotten; None: never."""
    notice: Notice | None = None
    """Who is told of findings."""


class Scribe:
    """The writer, as the parser sees it."""

    def __init__(self, ledger: Ledger, become: Callable[[], str | None], say: Say) -> None:
        """Fork a process that becomes somebody and opens the inventory. Raises ScribeError.

        ``become`` also lets go of what that process must not hold; it tells what could not be done.
        """
        context: Any = get_context("fork" if "fork" in get_all_start_methods() else "spawn")
        theirs: Connection
        self._pipe, theirs = context.Pipe()
        self._say = say
        self._process = context.Process(
            target=_work, args=(theirs, self._pipe, ledger, become), name="inventory", daemon=True
        )
        self._process.start()
        theirs.close()
        self.waiting = self.written = self.unwritten = 0
        """Sessions."""
        self.fault: str | None = None
        """Why the inventory cannot be written just now."""
        self.leases: list[Sighting] = []
        """Who has which address, as the inventory knows from earlier on."""
        while "leases" not in (told := self._received()):
            pass
        self.leases = [Sighting(*one) for one in told["leases"]]

    def fileno(self) -> int:
        """Readable when there is something to be told of."""
        return int(self._pipe.fileno())

    def listen(self) -> None:
        """Learn how the writing goes. Raises ScribeError when it is over."""
        while self._pipe.poll():
            self._received()

    def put(self, batch: Prepared) -> None:
        """Have a batch written."""
        self._send("put", pack(batch))

    def count(self, hours: Iterable[Hour], totals: RunTotals, at: int) -> None:
        """Note what came and was missed since this was called last, and in the run by now (ns)."""
        self._send("count", [[asdict(one) for one in hours], asdict(totals), at])

    def rotate(self, hours: Iterable[Hour], totals: RunTotals, at: int) -> None:
        """Count, end the run, and begin another (ns)."""
        self._send("rotate", [[asdict(one) for one in hours], asdict(totals), at])

    def close(self, hours: Iterable[Hour], totals: RunTotals, at: int) -> int:
        """Count, end the run, and wait till all is written; tells how many sessions could not be."""
        self._send("close", [[asdict(one) for one in hours], asdict(totals), at])
        lost: int | None = None
        while lost is None:
            told = self._received()
            lost = int(told["lost"]) if "lost" in told else None
        self._process.join()
        return lost

    def leave(self) -> None:
        """In another process: hold nothing of it, so that the writer sees when the parser is gone."""
        self._pipe.close()

    def abandon(self) -> None:
        """Let the writer end by itself: it writes what it has. Nothing, if it was closed."""
        self._pipe.close()
        self._process.join()

    def _send(self, what: str, with_what: object) -> None:
        try:
            self._pipe.send_bytes(json.dumps([what, with_what], separators=(",", ":")).encode())
        except ConnectionError:
            self._gone()

    def _received(self) -> dict[str, Any]:
        try:
            told: dict[str, Any] = json.loads(self._pipe.recv_bytes())
        except (EOFError, ConnectionError):
            self._gone()
        if "fault" in told:
            raise ScribeError(told["fault"])
        if "say" in told:
            self._say(told["say"])
        if "state" in told:
            self.waiting, self.written, self.unwritten, self.fault = told["state"]
        return told

    def _gone(self) -> NoReturn:
        raise ScribeError("the process that keeps the inventory is gone; what was recorded before is kept")


def pack(batch: Prepared) -> list[Any]:
    """Make a batch what JSON can say."""
    forms = [[one.shape_key, one.shape, one.key, one.record, one.client, one.server] for one in batch.forms]
    return [forms, *batch[1:]]


def unpack(said: Sequence[Any]) -> Prepared:
    """Make it a batch again."""
    forms, sessions, sightings, passages = said
    return Prepared(
        [Form(key, tuple(shape), detail, record, _pairs(client), _pairs(server))
         for key, shape, detail, record, client, server in forms],
        [(place, ip, mac, tuple(own), again) for place, ip, mac, own, again in sessions],
        [tuple(one) for one in sightings],
        [tuple(one) for one in passages],
    )  # fmt: skip


def _pairs(facts: Iterable[Sequence[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((field, text) for field, text in facts)


def _work(pipe: Connection, parsers: Connection, ledger: Ledger, become: Callable[[], str | None]) -> None:
    """Write what is told, until told to stop, or the parser is gone."""
    parsers.close()
    ignore()  # the parser tells when to stop
    from db.store import InventoryError  # 150 ms and 30 MB that the parser need not pay
    from scanner.watch.spool import Spool

    line = _Line(pipe)
    if said := become():
        line.send(say=said)
    try:
        leases = _leases(ledger.url)  # first: what is no inventory is told before anything waits for it
        spool = Spool(ledger.url, ledger.sensor, ledger.sources, ledger.at, lambda text: line.send(say=text))
        notifier = _notifier(ledger, spool, line)  # before anything comes: what is there now is known
        line.send(leases=leases)
    except InventoryError as fault:
        line.send(fault=str(fault))
        return
    _keep(spool, notifier, pipe, line, ledger)


def _notifier(ledger: Ledger, spool: Spool, line: _Line) -> Notifier | None:
    if ledger.notice is None:
        return None
    from scanner.watch.notifier import Notifier

    def said(text: str) -> None:
        line.send(say=text)

    return Notifier(ledger.url, ledger.sensor, ledger.notice, lambda: spool.state.committed_at, said)


def _leases(url: str) -> list[Sighting]:
    """Who has which address; of an inventory that cannot be asked just now, nobody."""
    from db.store import ForeignFileError, Inventory, UnavailableError
    from scanner.watch.keeping import BUSY_MS

    try:
        with Inventory.open(url, busy_ms=BUSY_MS) as opened:
            return opened.leases()
    except ForeignFileError:
        raise
    except UnavailableError:  # the writer says so, and waits
        return []


def _keep(spool: Spool, notifier: Notifier | None, pipe: Connection, line: _Line, ledger: Ledger) -> None:
    try:
        lost = _write(spool, pipe, line, ledger)
    finally:
        if notifier:
            notifier.close()
    if lost is not None:
        line.send(lost=lost, state=_told(spool.state))


def _write(spool: Spool, pipe: Connection, line: _Line, ledger: Ledger) -> int | None:
    """Write until told to stop: gives how many sessions are lost; None: the parser is gone."""
    _forget(spool, ledger, ledger.at)
    told: State | None = None
    told_at = 0.0
    while True:
        what = None
        try:
            if pipe.poll(TOLD_S):
                what, said = json.loads(pipe.recv_bytes())
        except (EOFError, ConnectionError, ValueError):  # it is gone, or no more what it was
            spool.drain()
            return None
        if what == "put":
            spool.put(unpack(said))
        elif what is not None:
            hours, totals, at = [Hour(**one) for one in said[0]], RunTotals(**said[1]), said[2]
            if what == "close":
                return spool.close(hours, totals, at)
            if what == "rotate":
                spool.rotate(hours, totals, at)
                _forget(spool, ledger, at)
            else:
                spool.count(hours, totals, at)
        state, now = spool.state, monotonic()
        if state != told and now - told_at >= TOLD_S:
            line.send(state=_told(state))
            told, told_at = state, now


def _told(state: State) -> list[int | str | None]:
    return [state.waiting_sessions, state.written, state.unwritten, state.fault]


def _forget(spool: Spool, ledger: Ledger, at: int) -> None:
    if ledger.forget_ns is not None:
        spool.forget(at - ledger.forget_ns)


class _Line:
    """What the writer tells the parser, from either of its threads."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._lock = threading.Lock()

    def send(self, **what: object) -> None:
        with self._lock:
            try:
                self._pipe.send_bytes(json.dumps(what).encode())
            except ConnectionError:  # the parser is gone, and the next look at the pipe tells
                return
