"""SOCKS 4, 4a and 5 up to where the tunnel opens: RFC 1928, RFC 1929 (its password is passed unread).

Ignored: GSSAPI (RFC 1961), BIND and UDP ASSOCIATE: no mail client asks for them.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from ipaddress import IPv4Address, IPv6Address

from scanner.conversation import CLIENT, SERVER, Side, Transport
from scanner.events import Event, Gap, Label, Phase, Reached, Weird
from scanner.session import Dialect, Example

BYTES_READ = 2048
"""Bytes before the tunnel: the longest messages of SOCKS 5 have 1300 together. Past it: ``socks_long``."""
HOST_LENGTH = 255
"""RFC 1928 5: a name's length is one byte; SOCKS 4a sets none, and longer ones are cut."""
_CONNECT, _NO_LOGIN, _PASSWORD, _GRANTED4 = 1, 0, 2, 0x5A
_IPV4, _NAME, _IPV6 = 1, 3, 4

Dialogue = Generator[tuple[Side, int], bytes, str | None]
"""Asks for so many bytes of a side, and ends with where the tunnel leads, if any."""
LOOK = -1
"""In place of how many bytes: see the next, if it is here, and leave it."""


class SocksSession:
    """One connection to a SOCKS proxy."""

    def __init__(self) -> None:
        """Begin before the client's first message."""
        self.leftover: tuple[tuple[Side, int, bytes], ...] = ()
        self._data = [b"", b""]
        self._spoke = [False, False]
        self._used = 0
        self._over = False
        self._dialogue = _dialogue()
        self._wanted = next(self._dialogue)

    def feed(self, side: Side, data: bytes, at: int) -> Iterator[Event]:
        """Hear bytes of one side."""
        if self._over:
            return
        self._data[side] += data
        self._spoke[side] |= bool(data)
        while len(self._data[self._wanted[0]]) >= self._wanted[1]:
            speaker, count = self._wanted
            there, taken = self._data[speaker], max(count, 0)
            self._data[speaker], self._used = there[taken:], self._used + taken
            try:
                self._wanted = self._dialogue.send(there[:1] if count == LOOK else there[:taken])
            except StopIteration as done:
                self._over = True
                if done.value:
                    self.leftover = tuple((one, at, self._data[one]) for one in Side if self._data[one])
                    yield Label("socks.connect", done.value)
                return
            if self._used > BYTES_READ:
                self._over = True
                yield Weird("socks_long")
                return

    def gap(self, side: Side, missing: int, at: int) -> Iterator[Event]:
        """Learn that bytes are lost: where the tunnel begins can no longer be told."""
        self._over = True
        yield Gap(side, missing)

    def end(self) -> Iterator[Event]:
        """Tell how far it got."""
        if any(self._spoke):
            yield Reached(Phase.ANSWERED if all(self._spoke) else Phase.OPENED)


def _dialogue() -> Dialogue:
    """SOCKS 4 begins with its request; so may SOCKS 5 where a capture joined late."""
    version, second = yield CLIENT, 2
    if version != 5:
        return (yield from _dialogue4(second)) if version == 4 else None
    methods = yield CLIENT, second
    if methods != b"\0" or (yield CLIENT, LOOK) not in (b"\1", b"\3", b"\4"):
        _, method = yield SERVER, 2
        if method == _PASSWORD and not (yield from _logged_in()):
            return None
        if method not in (_NO_LOGIN, _PASSWORD):
            return None
        _, second, _ = yield CLIENT, 3
    if second != _CONNECT:
        return None
    target = yield from _address(CLIENT)
    _, refused, _ = yield SERVER, 3
    answered = yield from _address(SERVER)
    return target if answered and not refused else None


def _logged_in() -> Generator[tuple[Side, int], bytes, bool]:
    _, size = yield CLIENT, 2
    yield CLIENT, size
    (size,) = yield CLIENT, 1
    yield CLIENT, size
    _, refused = yield SERVER, 2
    return not refused


def _address(side: Side) -> Dialogue:
    """Host and port; None for an address of no kind."""
    (kind,) = yield side, 1
    if kind == _NAME:
        (size,) = yield side, 1
        host = (yield side, size).decode("ascii", "replace")
    elif kind == _IPV4:
        host = str(IPv4Address((yield side, 4)))
    elif kind == _IPV6:
        host = f"[{IPv6Address((yield side, 16))}]"
    else:
        return None
    return f"{host}:{int.from_bytes((yield side, 2), 'big')}"


def _dialogue4(command: int) -> Dialogue:
    """SOCKS 4; an address 0.0.0.x announces a name behind the user (4a)."""
    port, address = (yield CLIENT, 2), (yield CLIENT, 4)
    yield from _text4()
    host = str(IPv4Address(address))
    if address[:3] == b"\0\0\0" and address[3]:
        host = (yield from _text4()).decode("ascii", "replace")[:HOST_LENGTH]
    _, result = yield SERVER, 2
    yield SERVER, 6
    granted = command == _CONNECT and result == _GRANTED4
    return f"{host}:{int.from_bytes(port, 'big')}" if granted else None


def _text4() -> Generator[tuple[Side, int], bytes, bytes]:
    text = b""
    while (byte := (yield CLIENT, 1)) != b"\0":
        text += byte
    return text


def _is_request(head: bytes) -> bool:
    return head[:3] == b"\x05\x01\0" and head[3:4] in (b"\1", b"\3", b"\4")


def _client_mark(head: bytes) -> bool | None:
    if len(head) < 3:
        return None if head[:1] in (b"\4", b"\5") or not head else False
    if head[0] == 4:
        return head[1] == _CONNECT and (len(head) < 9 or b"\0" in head[8:])
    if head[0] != 5:
        return False
    methods = head[2 : 2 + head[1]]
    return _is_request(head) or (0 < head[1] <= 9 and all(way <= 9 or way >= 0x80 for way in methods))


def _server_mark(head: bytes) -> bool | None:
    if len(head) < 2:
        return None if head in (b"", b"\0", b"\5") else False
    if head[0] == 0:
        return 0x5A <= head[1] <= 0x5D
    return head[0] == 5 and (head[1] <= 9 or head[1] == 0xFF)


_PASSWORD_TUNNEL = Example(
    "a tunnel to a name is opened with a password",
    (
        (CLIENT, b"\x05\2\0\2"),
        (SERVER, b"\x05\2"),
        (CLIENT, b"\1\3ann\x08secret-1"),
        (SERVER, b"\1\0"),
        (CLIENT, b"\x05\1\0\3\x10smtp.example.com\x02\x4b"),
        (SERVER, b"\x05\0\0\1\xc0\0\2\1\x02\x4b"),
    ),
    (Label("socks.connect", "smtp.example.com:587"), Reached(Phase.ANSWERED)),
    (b"secret-1",),
)

DIALECT = Dialect(
    name="socks",
    transport=Transport.TCP,
    ports=frozenset({1080}),
    client_mark=_client_mark,
    server_mark=_server_mark,
    server_first=False,
    session=SocksSession,
    examples=(_PASSWORD_TUNNEL,),
)
