"""What is asked at one port: which protocol, whether TLS comes first, and what of TLS is taken."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

from scanner.conversation import Endpoint
from scanner.events import Label, TlsMode
from scanner.probe.dial import TRIES, Dialler, Unreachable
from scanner.probe.layers import HelloLayer, Layer, TlsLayer
from scanner.probe.ledger import Ledger
from scanner.probe.player import Player, State, Witness
from scanner.probe.tls_range import search
from scanner.protocols import http, imap, pop3, smtp
from scanner.services import Answered, Service
from scanner.session import Answer, Asker, Dialect
from scanner.wire.client_hello import indicated

WAYS_TRIED = 5
"""Ways in which one port is tried: as is usual there, then as what it said shows, in clear or inside TLS."""
_TALKERS = (smtp.DIALECT, imap.DIALECT, pop3.DIALECT, http.DIALECT)
_TLS_RECORDS = (b"\x15\x03", b"\x16\x03")
_UNSPOKEN = (Answered.ANSWERED, Answered.REFUSED, Answered.FILTERED)


class Way(NamedTuple):
    """How to speak with whoever listens at a port."""

    dialect: Dialect
    secure: bool = False
    """TLS comes first."""


MAIL_WAYS = {
    25: Way(smtp.DIALECT), 110: Way(pop3.DIALECT), 143: Way(imap.DIALECT), 465: Way(smtp.DIALECT, True),
    587: Way(smtp.DIALECT), 993: Way(imap.DIALECT, True), 995: Way(pop3.DIALECT, True),
    2525: Way(smtp.DIALECT),
}  # fmt: skip
WEB_WAYS = {
    80: Way(http.DIALECT), 443: Way(http.DIALECT, True), 8080: Way(http.DIALECT),
    8443: Way(http.DIALECT, True),
}  # fmt: skip
WAYS = MAIL_WAYS | WEB_WAYS


def way_of(port: int) -> Way:
    """How a port usually speaks; where nobody knows, it is listened to as if it were SMTP."""
    return WAYS.get(port, Way(smtp.DIALECT))


class Found(NamedTuple):
    """What one port gave."""

    service: Service
    way: Way
    """How it was spoken with at last."""
    labels: tuple[Label, ...] = ()
    """What it tells of its host."""


@dataclass(frozen=True, slots=True)
class Errand:
    """Asks ports."""

    dialler: Dialler
    asker: Asker
    clock: Callable[[], int]
    """The time, ns."""
    quick: bool = False
    """Only what is offered: not which versions of TLS are taken."""

    async def ask(self, end: Endpoint, tries: int = TRIES, name: str | None = None) -> Found:
        """Ask one port; ``name``: the server's, if the user gave it."""
        way = way_of(end.port)
        ledger, player = await self._play(end, way, tries, name)
        tried, latest = [way], player
        while latest and len(tried) < WAYS_TRIED:
            other = next_way(tried[-1], latest, end.port in WAYS)
            if other is None or other in tried:
                break
            tried.append(other)
            book, latest = await self._play(end, other, tries, name)
            if latest and latest.raw:  # how it met the usual way tells more than silence
                way, ledger, player = other, book, latest
        if player and not self.quick and (ledger.version or player.outcome is Answered.HANDSHAKE_ERROR):
            await self._range(end, way, ledger, name)
        return Found(ledger.service(self.clock()), way, tuple(ledger.of_host))

    async def _play(
        self, end: Endpoint, way: Way, tries: int, name: str | None
    ) -> tuple[Ledger, Player | None]:
        """Hold the dialogue; without a player where no connection came about."""
        ledger = Ledger(end, way.dialect.name, TlsMode.IMPLICIT if way.secure else TlsMode.CLEAR)
        host = indicated(name)
        player = Player(way.dialect, self._asker(end, way, name), ledger, lambda: TlsLayer(host))
        try:
            await self.dialler.play(end, player, tries)
        except Unreachable as fault:
            ledger.outcome, ledger.detail = fault.outcome, fault.detail
            return ledger, None
        ledger.outcome, ledger.detail = player.outcome, player.detail
        return ledger, player

    async def shake(
        self, end: Endpoint, way: Way, name: str | None, layer: Layer, witness: Witness | None = None
    ) -> Player:
        """Begin TLS by a layer of the caller's, over a connection of its own. Raises ``Unreachable``."""
        player = Player(way.dialect, self._asker(end, way, name), witness or _Deaf(), lambda: layer)
        await self.dialler.play(end, player)
        return player

    async def _range(self, end: Endpoint, way: Way, ledger: Ledger, name: str | None) -> None:
        """Find out which versions of TLS are taken, each hello over a connection of its own."""
        hellos = search(indicated(name), ledger.version)
        try:
            hello = next(hellos)
            while True:
                layer = HelloLayer(hello)
                try:
                    player = await self.shake(end, way, name, layer)
                except Unreachable:
                    hello = hellos.send(None)
                    continue
                if player.outcome is Answered.HANDSHAKE_ERROR:
                    layer.reply.hear(b"")
                hello = hellos.send(layer.reply.verdict)
        except StopIteration as found:
            ledger.tls = found.value

    def _asker(self, end: Endpoint, way: Way, name: str | None) -> Asker:
        """Who asks; HTTP's Host line names a port that is not the scheme's own (RFC 9110 7.2)."""
        host = name or end.ip.partition("%")[0]
        if way.dialect is http.DIALECT and end.port != (443 if way.secure else 80):
            host = f"[{host}]:{end.port}" if ":" in host else f"{host}:{end.port}"
        return replace(self.asker, host=host, secure=way.secure)


class _Deaf:
    """Keeps nothing."""

    def heard(self, said: bytes, answer: Answer, inside: bool) -> None:
        """It is known already."""

    def secured(self, layer: Layer) -> None:
        """Never: no handshake is held."""


def next_way(way: Way, player: Player, usual: bool) -> Way | None:
    """How else to try a port, by what was heard there; None: what was heard is all.

    ``usual``: mail or the web usually is at this port.
    """
    if player.state is State.DONE or player.outcome in _UNSPOKEN:
        return None
    dialect, secure = way
    inside = secure and player.inside
    heard = player.opening if inside or not secure else player.raw
    for other in _TALKERS:
        if heard and other.server_mark(heard) and (other, inside) != (dialect, secure):
            return Way(other, inside)
    if secure:
        silent = inside and not heard and dialect.server_first
        return Way(http.DIALECT, True) if silent else None
    if heard.startswith(_TLS_RECORDS) or (not heard and (usual or not dialect.server_first)):
        return Way(dialect, True)
    return Way(http.DIALECT) if not heard else None
