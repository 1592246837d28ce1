"""HP's Printer Job Language: one question, what the printer is (PJL Technical Reference Manual, 2 and 7).

The hazard: behind port 9100 stands the printing itself. What does not know PJL prints what it is sent, so
nmap leaves 9100 to 9107 alone (``Exclude`` in nmap-service-probes: "some printers simply print anything sent
to that port"). It is asked only where the user says so, with nothing but the exit that begins and ends every
PJL job (UEL), and one INFO ID between them: no job, no page, no setting.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import cast

from scanner.conversation import CLIENT, SERVER, Side, Transport
from scanner.events import Event, Gap, Label, Phase, Reached, Weird
from scanner.protocols.announcement import clean
from scanner.protocols.http_answer import SERVED
from scanner.session import Asker, Dialect, Example, Script

PORT = 9100
PRINTING = range(9100, 9108)
"""Ports that may print what they are sent."""
ANSWER_READ = 1024
"""Bytes of an answer read: real ones have under 100."""
_EXIT = b"\x1b%-12345X"
_QUESTION = b"@PJL INFO ID\r\n"
_ANSWER = re.compile(rb'@PJL INFO ID\s*?\r?\n"?([^"\r\n\f]{1,255})"?\s*?\r?\n')


class PjlSession:
    """One question and its answer, which a form feed should end."""

    def __init__(self) -> None:
        """Begin before the question."""
        self.leftover: tuple[tuple[Side, int, bytes], ...] = ()
        self.answer = b""
        self.awaits = False
        self._asked = self._heard = b""
        self._over = False
        self._phase: Phase | None = None

    def feed(self, side: Side, data: bytes, at: int) -> Iterable[Event]:
        """Hear bytes of one side."""
        if self._over or not data:
            return ()
        if side is CLIENT:
            self._phase = self._phase or Phase.OPENED
            self._asked = (self._asked + data)[-len(_QUESTION + _EXIT) :]
            self.awaits = self.awaits or _QUESTION in self._asked
            return ()
        if not self.awaits:
            return ()
        self._phase = Phase.ANSWERED
        self._heard += data[: ANSWER_READ + 1 - len(self._heard)]
        if b"\f" in self._heard or _ANSWER.search(self._heard):
            return self._told()
        if len(self._heard) > ANSWER_READ:
            self._over, self.awaits = True, False
            return (Weird("pjl_long_answer"),)
        return ()

    def gap(self, side: Side, missing: int, at: int) -> Iterable[Event]:
        """Learn that bytes are lost: the answer is not read."""
        self._over, self.awaits = True, False
        return (Gap(side, missing),)

    def end(self) -> Iterable[Event]:
        """Tell what was answered without an end to it."""
        told = self._told() if self.awaits and self._heard else ()
        self.awaits = False
        return (*told, Reached(self._phase)) if self._phase else told

    def _told(self) -> tuple[Event, ...]:
        self._over, self.awaits = True, False
        found = _ANSWER.search(self._heard)
        if found is None:
            return ()
        self._phase, self.answer = Phase.SERVED, found[1]
        return (Label("pjl.id", text),) if (text := clean(found[1])) else ()


def _begins(head: bytes, mark: bytes) -> bool | None:
    if head.startswith(mark):
        return True
    return None if mark.startswith(head) or _EXIT.startswith(head) else False


def script(asker: Asker) -> Script:
    """Ask for the printer's ID, and leave PJL again."""
    yield _EXIT + _QUESTION + _EXIT


_ANSWERED = Example(
    "a printer says its ID",
    ((CLIENT, cast("bytes", next(script(Asker())))), (SERVER, b'@PJL INFO ID\r\n"Copier 12"\r\n\f')),
    (Label("pjl.id", "Copier 12"), SERVED),
)
DIALECT = Dialect(
    name="pjl",
    transport=Transport.TCP,
    ports=frozenset({PORT}),
    client_mark=lambda head: _begins(head, _EXIT),
    server_mark=lambda head: _begins(head.removeprefix(_EXIT), b"@PJL"),
    server_first=False,
    session=PjlSession,
    examples=(_ANSWERED,),
    script=script,
    overheard=False,
)
