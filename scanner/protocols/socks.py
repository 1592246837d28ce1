"""SOCKS 4, 4a and 5 up to where the tunnel opens: RFC 1928, RFC 1929 (its password is passed unread).

Ignored: GSSAPI (RFC 1961), BIND and UDP ASSOCIATE: no mail client asks for them.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum, auto
from ipaddress import IPv4Address, IPv6Address

from scanner.conversation import CLIENT, SERVER, Side, Transport
from scanner.events import Event, Gap, Label, Phase, Reached, Weird
from scanner.session import Dialect, Example

MESSAGE_LIMIT = 1024
"""Bytes of an unfinished message: the longest, a login of RFC 1929, has 513. Past it: ``socks_long``."""
HOST_LENGTH = 255
"""RFC 1928 5: a name's length is one byte; SOCKS 4a sets none, and longer ones are cut."""
_CONNECT, _NO_LOGIN, _PASSWORD = 1, 0, 2
_NAME, _FIXED = 3, {1: 4, 4: 16}


class _Step(Enum):
    """Whose message is awaited, and which."""

    OPENING = auto()
    METHOD = auto()
    LOGIN = auto()
    LOGGED_IN = auto()
    REQUEST = auto()
    REPLY = auto()
    REPLY4 = auto()
    OPEN = auto()
    OVER = auto()


_SPEAKERS = dict.fromkeys((_Step.METHOD, _Step.LOGGED_IN, _Step.REPLY, _Step.REPLY4), SERVER)


class SocksSession:
    """One connection to a SOCKS proxy."""

    def __init__(self) -> None:
        """Begin before the client's first message."""
        self.leftover: tuple[tuple[Side, int, bytes], ...] = ()
        self._data = [b"", b""]
        self._spoke = [False, False]
        self._step = _Step.OPENING
        self._target = ""

    def feed(self, side: Side, data: bytes, at: int) -> Iterator[Event]:
        """Hear bytes of one side."""
        if self._done():
            return
        self._data[side] += data
        self._spoke[side] |= bool(data)
        while not self._done():
            speaker = _SPEAKERS.get(self._step, CLIENT)
            used = self._read(self._data[speaker])
            if not used:
                break
            self._data[speaker] = self._data[speaker][used:]
        if self._step is _Step.OPEN:
            self.leftover = tuple((one, at, self._data[one]) for one in Side if self._data[one])
            yield Label("socks.connect", self._target)
        elif len(self._data[_SPEAKERS.get(self._step, CLIENT)]) > MESSAGE_LIMIT:
            self._step = _Step.OVER
            yield Weird("socks_long")

    def gap(self, side: Side, missing: int, at: int) -> Iterator[Event]:
        """Learn that bytes are lost: where the tunnel begins can no longer be told."""
        if self._step is not _Step.OPEN:
            self._step = _Step.OVER
        yield Gap(side, missing)

    def end(self) -> Iterator[Event]:
        """Tell how far it got."""
        if any(self._spoke):
            yield Reached(Phase.ANSWERED if all(self._spoke) else Phase.OPENED)

    def _done(self) -> bool:
        return self._step in (_Step.OPEN, _Step.OVER)

    def _read(self, data: bytes) -> int:
        """Read the message that is awaited; gives its length, 0 while it is not whole."""
        if len(data) < 2:
            return 0
        match self._step:
            case _Step.OPENING:
                return self._opening(data)
            case _Step.METHOD:
                ways = {_NO_LOGIN: _Step.REQUEST, _PASSWORD: _Step.LOGIN}
                self._step = ways.get(data[1], _Step.OVER)
                return 2
            case _Step.LOGIN:
                name = data[1]
                size = 3 + name + data[2 + name] if len(data) > 2 + name else len(data) + 1
                return self._passed(data, size, _Step.LOGGED_IN)
            case _Step.LOGGED_IN:
                self._step = _Step.REQUEST if data[1] == 0 else _Step.OVER
                return 2
            case _Step.REQUEST:
                self._target, size = _address(data)
                return self._passed(data, size, _Step.REPLY if data[1] == _CONNECT else _Step.OVER)
            case _Step.REPLY4:
                return self._passed(data, 8, _Step.OPEN if data[1] == 0x5A else _Step.OVER)
            case _:
                return self._passed(data, _address(data)[1], _Step.OPEN if data[1] == 0 else _Step.OVER)

    def _opening(self, data: bytes) -> int:
        """SOCKS 4 begins with its request; so may SOCKS 5 where a capture joined late."""
        if data[0] == 4:
            self._target, size = _request4(data)
            return self._passed(data, size, _Step.REPLY4 if data[1] == _CONNECT else _Step.OVER)
        if data[0] == 5 and _is_request(data):
            self._step = _Step.REQUEST
            return self._read(data)
        return self._passed(data, 2 + data[1], _Step.METHOD if data[0] == 5 else _Step.OVER)

    def _passed(self, data: bytes, size: int, step: _Step) -> int:
        if len(data) < size:
            return 0
        self._step = step
        return size


def _address(data: bytes) -> tuple[str, int]:
    """Target and length of a request or a reply of SOCKS 5; a length that is not there while it is cut."""
    kind = data[3] if len(data) > 4 else 0
    size = data[4] + 1 if kind == _NAME else _FIXED.get(kind, 0)
    end = 4 + size + 2
    if not size or len(data) < end:
        return "", max(end, len(data) + 1)
    raw = data[4 : end - 2]
    match kind:
        case 1:
            host = str(IPv4Address(raw))
        case 4:
            host = f"[{IPv6Address(raw)}]"
        case _:
            host = raw[1:].decode("ascii", "replace")
    return f"{host}:{int.from_bytes(data[end - 2 : end], 'big')}", end


def _request4(data: bytes) -> tuple[str, int]:
    """The request of SOCKS 4; an address 0.0.0.x announces a name behind the user (4a)."""
    user = data.find(b"\0", 8)
    if user < 0:
        return "", len(data) + 1
    host, end = str(IPv4Address(data[4:8])), user + 1
    if data[4:7] == b"\0\0\0" and data[7]:
        behind = data.find(b"\0", end)
        if behind < 0:
            return "", len(data) + 1
        host, end = data[end:behind].decode("ascii", "replace")[:HOST_LENGTH], behind + 1
    return f"{host}:{int.from_bytes(data[2:4], 'big')}", end


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
_OLD_TUNNEL = Example(
    "SOCKS 4a",
    (
        (CLIENT, b"\4\1\0\x19\0\0\0\1ann\0mx.example.com\0"),
        (SERVER, b"\0\x5a\0\0\0\0\0\0"),
    ),
    (Label("socks.connect", "mx.example.com:25"), Reached(Phase.ANSWERED)),
)

DIALECT = Dialect(
    name="socks",
    transport=Transport.TCP,
    ports=frozenset({1080}),
    client_mark=_client_mark,
    server_mark=_server_mark,
    server_first=False,
    session=SocksSession,
    examples=(_PASSWORD_TUNNEL, _OLD_TUNNEL),
)
