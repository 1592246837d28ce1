"""Find out what of TLS a server takes: which hellos to send it, each on a connection of its own.

Neither a socket nor a handshake: a hello goes out, what comes back is read, and that connection is over.
"""

from __future__ import annotations

from collections.abc import Generator
from enum import Enum

from scanner.events import ServerHello
from scanner.services import TlsAccepted
from scanner.wire import ciphers
from scanner.wire.client_hello import VERSIONS, client_hello
from scanner.wire.hellos import server_hello
from scanner.wire.tls import Content, Messages, Records

_OLDEST_FIRST = tuple(VERSIONS)
_BEFORE_13 = "TLSv1.2"
"""The newest version with weak ciphers (RFC 8446 1.2)."""
WEAK_ROUNDS = 3
"""Weak ciphers named at most, each of another kind: three say all that is to be done about such a server."""
ANSWER_LIMIT = 65536
"""Bytes heard without a hello or a refusal; a larger answer is none, and there is no verdict."""
_SERVER_HELLO, _FATAL = 2, 2


class Refusal(Enum):
    """How a server did not take a hello."""

    ALERT = "alert"
    """RFC 8446 6.2."""
    CLOSED = "closed"
    """It hung up without a word, as Windows does."""


Verdict = ServerHello | Refusal | None
"""What a server thinks of a hello; None: it did not say in time, or what it said is not TLS."""


class Reply:
    """What a server says to a hello; never raises on what it hears."""

    __slots__ = ("_closing", "_heard", "_messages", "_records", "done", "verdict")

    def __init__(self) -> None:
        """Begin behind the hello."""
        self.verdict: Verdict = None
        self.done = False
        """No more need be heard."""
        self._records, self._messages = Records(), Messages()
        self._heard = 0
        self._closing: Refusal | None = Refusal.CLOSED

    def hear(self, data: bytes) -> None:
        """Hear what the server sent; nothing: it hung up, or reset the connection."""
        if self.done:
            return
        if not data:
            self._settle(self._closing)
            return
        self._heard += len(data)
        self._closing = None
        for content, _, payload in self._records.push(data):
            if not self.done:
                self._record(content, payload)
        self.done |= self._records.broken or self._heard > ANSWER_LIMIT

    def _record(self, content: int, payload: bytes) -> None:
        if content == Content.ALERT and len(payload) == 2:
            # A warning, that a name is not known (RFC 6066 3), goes before a hello.
            self._closing = Refusal.ALERT
            if payload[0] == _FATAL:
                self._settle(Refusal.ALERT)
        elif content == Content.HANDSHAKE:
            for kind, body in self._messages.push(payload)[:1]:
                # One that asks to try again has chosen, too, and differs by its random (RFC 8446 4.1.4).
                bare = body[:2] + bytes(32) + body[34:]
                self._settle(server_hello(bare) if kind == _SERVER_HELLO else None)
        else:
            self._settle(None)

    def _settle(self, verdict: Verdict) -> None:
        self.verdict, self.done = verdict, True


Search = Generator[bytes, Verdict, TlsAccepted]
"""Yields hellos, is sent what came of each, and returns what is known then."""


def search(host: str | None, newest: str | None) -> Search:
    """Go down from the newest version, that a handshake found (None: none did), then ask for weak ciphers.

    A server of TLS 1.2 and 1.3 costs three connections, one of TLS 1.0 alone two; each weak cipher costs one
    more, up to ``WEAK_ROUNDS``. Where there is no verdict it stops, and returns what it knows.
    """
    oldest = newest
    below = _OLDEST_FIRST.index(newest) if newest else len(_OLDEST_FIRST)
    while below:
        verdict = yield client_hello(_OLDEST_FIRST[below - 1], host)
        if verdict is None:
            return TlsAccepted(oldest, newest)
        if isinstance(verdict, ServerHello) and verdict.version in _OLDEST_FIRST[:below]:
            below = _OLDEST_FIRST.index(verdict.version)
            oldest = verdict.version
            newest = newest or oldest
        elif newest:
            break
        else:
            below -= 1
    if newest is None or oldest == _OLDEST_FIRST[-1]:
        return TlsAccepted(oldest, newest)
    weak = yield from _weak_ciphers(host, min(newest, _BEFORE_13, key=_OLDEST_FIRST.index))
    return TlsAccepted(oldest, newest, weak)


def _weak_ciphers(host: str | None, newest: str) -> Generator[bytes, Verdict, tuple[str, ...]]:
    """One of each kind, worst first where the server leaves the choice to its client."""
    found: list[str] = []
    offered = ciphers.weak()
    while offered and len(found) < WEAK_ROUNDS:
        verdict = yield client_hello(newest, host, offered)
        if not isinstance(verdict, ServerHello) or verdict.cipher not in map(ciphers.name, offered):
            break
        found.append(verdict.cipher)
        kind = ciphers.weakness(verdict.cipher)
        offered = tuple(suite for suite in offered if ciphers.weakness(ciphers.name(suite)) != kind)
    return tuple(found)
