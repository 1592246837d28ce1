"""One question after the other over HTTP, of whose answers the body is read (RFC 9112 6, 7.1).

For what machines are asked, not for what is overheard: ``http`` lets bodies pass unread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from scanner.conversation import CLIENT, Side, Transport
from scanner.events import Event, Gap, Phase, Reached, Weird
from scanner.protocols.announcement import Read
from scanner.protocols.http_heads import client_mark, server_mark
from scanner.session import Asker, Dialect, Example, Script
from scanner.wire.lines import Lines

ANSWER_READ = 64 * 1024
"""Bytes of one answer read, its head included: descriptions have up to 10 KB; the rest is left."""
_END = b"\r\n\r\n"


class HttpAnswers:
    """What a server answers, read by ``read`` where it answers with 200."""

    def __init__(self, name: str, read: Read) -> None:
        """Begin before the first question; oddities are called by ``name``."""
        self.leftover: tuple[tuple[Side, int, bytes], ...] = ()
        self.answer = b""
        self.awaits = False
        self._name, self._read = name, read
        self._asked = b""
        """The end of what was asked, in which the head's end may have begun."""
        self._lines = Lines()
        self._heard = 0
        self._body = b""
        self._left: int | None = None
        """Bytes of the body, or of its chunk, that are to come; None: nobody knows."""
        self._chunked = self._over = False
        self._step: Callable[[], bool] = self._status
        self._phase: Phase | None = None

    def feed(self, side: Side, data: bytes, at: int) -> Iterable[Event]:
        """Hear bytes of one side."""
        if self._over or not data:
            return ()
        if side is CLIENT:
            self._ask(data)
            return ()
        if not self.awaits:
            return ()
        self._phase = self._phase if self._phase is Phase.SERVED else Phase.ANSWERED
        self._heard += len(data)
        self._lines.push(data)
        while self.awaits and self._step():
            pass
        if self.awaits and self._heard > ANSWER_READ:
            self._over, self.awaits = True, False
            return (*self._told(), Weird(f"{self._name}_long_answer"))
        return () if self.awaits else self._told()

    def gap(self, side: Side, missing: int, at: int) -> Iterable[Event]:
        """Learn that bytes are lost: what follows is not read."""
        self._over, self.awaits = True, False
        return (Gap(side, missing),)

    def end(self) -> Iterable[Event]:
        """Tell what there is of an answer that ends with the connection."""
        told = tuple(self._told()) if self.awaits else ()
        self.awaits = False
        return (*told, Reached(self._phase)) if self._phase else told

    def _ask(self, data: bytes) -> None:
        self._phase = self._phase or Phase.OPENED
        if not self.awaits:
            asked = self._asked + data
            self.awaits = _END in asked
            self._asked = b"" if self.awaits else asked[1 - len(_END) :]
            self._heard, self._body, self._step = 0, b"", self._status

    def _told(self) -> Iterable[Event]:
        """Read the body of a good answer."""
        words = self.answer.split(None, 2)
        if words[1:2] != [b"200"] or not self._body:
            return ()
        self._phase = Phase.SERVED
        return tuple(self._read(self._body))

    def _status(self) -> bool:
        line = self._lines.pop()
        if line and line.startswith(b"HTTP/1."):
            self.answer, self._left, self._chunked = line, None, False
            self._step = self._field
        return line is not None

    def _field(self) -> bool:
        line = self._lines.pop()
        if line:
            name, _, value = line.partition(b":")
            match name.strip().lower():
                case b"content-length" if value.strip().isdigit():
                    self._left = int(value.strip()[:18])
                case b"transfer-encoding":
                    self._chunked = b"chunked" in value.lower()
        elif line is not None:
            self._begin_body()
        return line is not None

    def _begin_body(self) -> None:
        code = self.answer[9:12]
        if code.startswith(b"1"):
            self._step = self._status
        elif code in (b"204", b"304") or (self._left == 0 and not self._chunked):
            self.awaits = False
        else:
            self._step = self._chunk if self._chunked else self._some

    def _chunk(self) -> bool:
        line = self._lines.pop()
        if line is None:
            return False
        size = line.partition(b";")[0].strip()
        if not size:  # behind a chunk
            return True
        try:
            self._left = int(size[:16], 16)
        except ValueError:
            self._over, self.awaits = True, False
            return False
        self._step = self._some if self._left > 0 else self._trailer
        return True

    def _trailer(self) -> bool:
        line = self._lines.pop()
        self.awaits = line != b""
        return bool(line)

    def _some(self) -> bool:
        part = self._lines.take_most(ANSWER_READ if self._left is None else self._left)
        self._body += part
        if self._left is not None:
            self._left -= len(part)
        if self._left != 0:
            return False
        self._step, self.awaits = self._chunk, self._chunked
        return self._chunked


def asking(
    name: str,
    ports: frozenset[int],
    read: Read,
    script: Callable[[Asker], Script] | None,
    examples: tuple[Example, ...],
) -> Dialect:
    """Make the dialect of what machines are asked over HTTP."""
    return Dialect(
        name=name,
        transport=Transport.TCP,
        ports=ports,
        client_mark=client_mark,
        server_mark=server_mark,
        server_first=False,
        session=lambda: HttpAnswers(name, read),
        examples=examples,
        script=script,
        overheard=False,
    )


def request(verb: str, path: str, asker: Asker, port: int, *fields: str, body: bytes = b"") -> bytes:
    """Write a request (RFC 9112 3); ``fields`` are whole lines."""
    host = f"[{asker.host}]" if ":" in asker.host else asker.host
    lines = (f"{verb} {path} HTTP/1.1", f"Host: {host}:{port}", f"User-Agent: {asker.name}", *fields)
    return "\r\n".join((*lines, "", "")).encode() + body


SERVED = Reached(Phase.SERVED)
"""What an example ends with that was answered well."""
