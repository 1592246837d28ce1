"""The one gate to the network: nothing leaves for an address outside the scope, nor before its turn.

One SYN a try: it is given up before the kernel would send another, so that what is counted is what is sent.
"""

from __future__ import annotations

import asyncio
import errno
import os
import resource
import socket
from collections.abc import Container, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from scanner.conversation import Endpoint
from scanner.probe.pace import Turns, turn
from scanner.probe.player import Player, State
from scanner.services import Answered

CONNECT_S = 0.95
"""How long a SYN is waited for: the kernel sends another after one second (RFC 6298 2.1), uncounted."""
TRIES = 3
"""Times a machine that is known to be there is called; a lost SYN is rare, two are a filter."""
QUIET_S = 15.0
"""How long a server may say nothing: some look our name up first, and Postfix's postscreen waits for 6 s."""
LONGEST_S = 45.0
"""How long the connections of one script may last: a tarpit gives a byte a second for ever."""
LEAVE_S = 1.0
"""How long a farewell is waited for, by which a server knows that nothing went wrong."""
LOOK_S = 0.1
"""How exactly those times are kept."""
AT_ONCE = 512
"""Connections open or called for at a time: most calls are for nobody, and wait."""
TALKS_AT_ONCE = 64
"""Dialogues at a time; inside TLS each holds some 100 KB."""
FILES_ELSE = 32
"""Files that a process has open beside connections: the inventory's, output, what names are asked by."""
LACK_S, LACKS = 0.5, 10
"""How often, and how far apart, it is tried again where something lacks here that others give back."""
READ_AT_ONCE = 16 * 1024
"""Bytes: whoever sends plenty lets others speak in between, whose connections are timed."""
REPLY_S = 1.5
"""How long answers to datagrams are waited for: WS-Discovery lets half a second pass (1.1, 3.1.3)."""
REPLIES_KEPT = 64
"""Datagrams of one host that are kept; more would be a flood, and are dropped."""
RECONNECTS = 16
"""Connections for one script: a web server that closes each is asked at most eight things."""
_LACKING = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL, errno.EAGAIN)
"""Files, memory, local ports: it says nothing of who was called."""
NOBODY = "no route to it, or it is not there"
_WHY = {
    errno.EHOSTUNREACH: NOBODY,
    errno.ENETUNREACH: "no route to its network",
    errno.EACCES: "forbidden by a filter",
    errno.EPERM: "forbidden by a filter here",
    errno.ETIMEDOUT: "no answer",
}


class OutOfScopeError(Exception):
    """Somebody wanted to touch an address that the user did not name: our bug, and stopped here."""


@dataclass(slots=True)
class Counts:
    """What was sent."""

    connects: int = 0
    retries: int = 0
    vanished: int = 0
    """Tries without any answer."""
    datagrams: int = 0


class Unreachable(Exception):
    """No connection came about."""

    def __init__(self, outcome: Answered, detail: str) -> None:
        """``outcome``: refused or filtered."""
        super().__init__(detail)
        self.outcome, self.detail = outcome, detail


class Dialler:
    """Connects and plays."""

    def __init__(self, scope: Container[str], turns: Turns, at_once: int = AT_ONCE) -> None:
        """Reach only what is in ``scope``."""
        self._scope, self._turns = scope, turns
        self._loop = asyncio.get_running_loop()
        files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        self._free = asyncio.Semaphore(max(1, min(at_once, files - FILES_ELSE)))
        self._talking = asyncio.Semaphore(TALKS_AT_ONCE)
        self._lines = _Lines(self._loop)
        self.counts = Counts()

    async def play(self, end: Endpoint, player: Player, tries: int = TRIES) -> None:
        """Connect as often as the player wants, and let it play. Raises ``Unreachable`` at the first."""
        left = LONGEST_S
        for connection in range(RECONNECTS):
            async with self._free:
                try:
                    sock = await self._connect(end, tries)
                except Unreachable as fault:
                    if connection == 0:
                        raise
                    player.hung_up(fault.detail)
                    return
                with sock:
                    async with self._talking:
                        began = self._loop.time()
                        await _Line(self._loop, sock, player, left).played(self._lines)
                        left -= self._loop.time() - began
            if player.state is not State.AGAIN:
                return
        player.given_up("it closes each connection")

    async def inquire(self, host: str, sent: Iterable[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
        """Send datagrams to ports of a host; gives what came from it within ``REPLY_S``: port and payload."""
        self._guard(host)
        heard: list[tuple[int, bytes]] = []
        async with self._free:
            with _socket(host, socket.SOCK_DGRAM) as sock:
                address = _address(Endpoint(host, 0))[0]
                self._loop.add_reader(sock, _collect, sock, address, heard)
                try:
                    for port, payload in sent:
                        await turn(self._turns, host)
                        self.counts.datagrams += 1
                        with suppress(OSError):  # no route, a filter: nothing will come
                            sock.sendto(payload, _address(Endpoint(host, port)))
                    await asyncio.sleep(REPLY_S)
                finally:
                    self._loop.remove_reader(sock)
        return heard

    def _guard(self, host: str) -> None:
        if host not in self._scope:
            raise OutOfScopeError(f"{host} is not among the targets")

    async def _connect(self, end: Endpoint, tries: int) -> socket.socket:
        self._guard(end.ip)
        for attempt in range(tries):
            self.counts.retries += attempt > 0
            made = await self._call(end)
            now = self._loop.time()
            if isinstance(made, socket.socket):
                if tries > 1:
                    self._turns.answered(now)
                return made
            if made == errno.ECONNREFUSED:
                raise Unreachable(Answered.REFUSED, "refused")
            if made != errno.ETIMEDOUT:
                raise Unreachable(Answered.FILTERED, _WHY.get(made) or os.strerror(made).lower())
            self.counts.vanished += 1
            if tries > 1:
                self._turns.vanished(now)
        raise Unreachable(Answered.FILTERED, _WHY[errno.ETIMEDOUT])

    async def _call(self, end: Endpoint) -> socket.socket | int:
        """Connect, again if something lacked here; gives why not by ``errno``."""
        for _ in range(LACKS):
            await turn(self._turns, end.ip)
            self.counts.connects += 1
            made = await self._begin(end)
            if made not in _LACKING:
                break
            await asyncio.sleep(LACK_S)
        return made

    async def _begin(self, end: Endpoint) -> socket.socket | int:
        try:
            sock = _socket(end.ip, socket.SOCK_STREAM)
        except OSError as fault:
            return fault.errno or errno.EIO
        try:
            code = sock.connect_ex(_address(end))
            if code == errno.EINPROGRESS:
                code = 0 if _is_connected(sock) else await self._connected(sock)
        except OSError as fault:  # the interface that the address names is gone
            code = fault.errno or errno.EIO
        except BaseException:
            sock.close()
            raise
        if code == 0:
            return sock
        sock.close()
        return code

    async def _connected(self, sock: socket.socket) -> int:
        """Wait until it is; gives 0 or why not."""
        done: asyncio.Future[int] = self._loop.create_future()
        timer = self._loop.call_later(CONNECT_S, _settle, done, errno.ETIMEDOUT)
        self._loop.add_writer(sock.fileno(), _settle, done, 0)
        try:
            return await done or sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        finally:
            timer.cancel()
            self._loop.remove_writer(sock.fileno())


class _Line:
    """One connection, between its socket and the player."""

    __slots__ = ("_done", "_last", "_loop", "_player", "_sock", "_unsent", "_until")

    def __init__(
        self, loop: asyncio.AbstractEventLoop, sock: socket.socket, player: Player, longest_s: float
    ) -> None:
        self._loop, self._sock, self._player = loop, sock, player
        self._last = loop.time()
        self._until = self._last + longest_s
        self._unsent = b""
        self._done: asyncio.Future[None] = loop.create_future()
        loop.add_reader(sock.fileno(), self._readable)
        self._send(player.begin())
        self._look()

    async def played(self, all_lines: _Lines) -> None:
        """Wait until the player wants no more of this connection."""
        all_lines.watch(self)
        try:
            await self._done
        finally:
            all_lines.watched.discard(self)
            self._loop.remove_reader(self._sock.fileno())
            if self._unsent:
                self._loop.remove_writer(self._sock.fileno())

    def _readable(self) -> None:
        try:
            data = self._sock.recv(READ_AT_ONCE)
        except BlockingIOError:
            return
        except OSError as fault:
            data = b""
            self._player.hung_up(_told(fault))
        else:
            if data:
                self._last = self._loop.time()
                self._send(self._player.hear(data))
                if self._player.leaves:
                    self._until = min(self._until, self._last + LEAVE_S)
            else:
                self._player.hung_up("it closed the connection")
        self._look()

    def _look(self) -> None:
        if self._player.state is not State.PLAYING:
            _settle(self._done, None)

    def _send(self, data: bytes) -> None:
        if self._unsent:
            self._unsent += data
            return
        if not data:
            return
        try:
            sent = self._sock.send(data)
        except BlockingIOError:
            sent = 0
        except OSError as fault:
            self._player.hung_up(_told(fault))
            return
        if sent < len(data):
            self._unsent = data[sent:]
            self._loop.add_writer(self._sock.fileno(), self._writable)

    def _writable(self) -> None:
        self._loop.remove_writer(self._sock.fileno())
        data, self._unsent = self._unsent, b""
        self._send(data)
        self._look()

    def check(self, now: float) -> None:
        """Give the server up if its time is over."""
        if now >= self._until:
            self._player.given_up(f"not done in {LONGEST_S:.0f} s")
        elif now - self._last >= QUIET_S:
            self._player.given_up(f"nothing said for {QUIET_S:.0f} s")
        else:
            return
        self._look()


class _Lines:
    """All connections, looked at together: a timer for each would cost a tenth of a short dialogue."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop, self._looks = loop, False
        self.watched: set[_Line] = set()

    def watch(self, line: _Line) -> None:
        """Look at a connection now and then, until it is discarded."""
        self.watched.add(line)
        if not self._looks:
            self._looks = True
            self._loop.call_later(LOOK_S, self._look)

    def _look(self) -> None:
        now = self._loop.time()
        for line in tuple(self.watched):
            line.check(now)
        self._looks = bool(self.watched)
        if self._looks:
            self._loop.call_later(LOOK_S, self._look)


def _socket(ip: str, kind: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in ip else socket.AF_INET
    sock = socket.socket(family, kind)
    sock.setblocking(False)
    return sock


def _is_connected(sock: socket.socket) -> bool:
    """Whether it is already, as to this machine or a near one: cheaper than to wait for what has come."""
    with suppress(OSError):
        sock.getpeername()
        return True
    return False


def _address(end: Endpoint) -> tuple[str, int] | tuple[str, int, int, int]:
    """Where to connect; a link-local address names its interface (``fe80::1%eth0``, RFC 4007 11)."""
    host, zone, interface = end.ip.partition("%")
    return (host, end.port, 0, socket.if_nametoindex(interface)) if zone else (end.ip, end.port)


def _collect(sock: socket.socket, host: str, heard: list[tuple[int, bytes]]) -> None:
    """Take one datagram, if it is from whom was asked."""
    with suppress(OSError):
        data, sender = sock.recvfrom(READ_AT_ONCE)
        if sender[0].partition("%")[0] == host.partition("%")[0] and len(heard) < REPLIES_KEPT:
            heard.append((sender[1], data))


def _settle(future: asyncio.Future[Any], value: int | None) -> None:
    if not future.done():
        future.set_result(value)


def _told(fault: OSError) -> str:
    if isinstance(fault, ConnectionResetError | BrokenPipeError):
        return "it reset the connection"
    return (fault.strerror or "the connection broke").lower()
