"""TLS from outside: both hellos, the certificate while it is in clear, and who wrote how much in turn.

Sources: RFC 8446, RFC 5246, RFC 6101; what is inside is not read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from scanner.conversation import CLIENT, SERVER, Side, Transport
from scanner.events import ClientHello, Event, Gap, Phase, Reached, ServerHello, Turn, Weird
from scanner.protocols.tls_turns import Turns
from scanner.session import Dialect, Example
from scanner.wire.certificates import certificate
from scanner.wire.hellos import client_hello, server_hello, ssl2_hello
from scanner.wire.tls import Content, Messages, Records

_CLIENT_HELLO, _SERVER_HELLO, _CERTIFICATE = 1, 2, 11
_APPLICATION_DATA = Content.APPLICATION_DATA
_ALERTS = {
    0: "close_notify", 10: "unexpected_message", 20: "bad_record_mac", 22: "record_overflow", 40:
    "handshake_failure", 42: "bad_certificate", 43: "unsupported_certificate", 44: "certificate_revoked",
    45: "certificate_expired", 46: "certificate_unknown", 47: "illegal_parameter", 48: "unknown_ca", 49:
    "access_denied", 50: "decode_error", 51: "decrypt_error", 70: "protocol_version", 71:
    "insufficient_security", 80: "internal_error", 86: "inappropriate_fallback", 90: "user_canceled", 109:
    "missing_extension", 110: "unsupported_extension", 112: "unrecognized_name", 116:
    "certificate_required", 120: "no_application_protocol",
}  # fmt: skip
"""RFC 8446 6: alert descriptions."""
_NOTHING = ()


class TlsSession:
    """One TLS connection."""

    __slots__ = (
        "_choice", "_ciphered", "_framed", "_head", "_hello", "_lost", "_messages", "_records", "_turns",
        "leftover",
    )  # fmt: skip

    def __init__(self) -> None:
        """Begin before the hello."""
        self.leftover: tuple[tuple[Side, int, bytes], ...] = ()
        self._records = (Records(), Records())
        self._messages = (Messages(), Messages())
        self._head = b""
        self._ciphered = [False, False]
        self._hello: ClientHello | None = None
        self._choice: ServerHello | None = None
        self._turns: Turns | None = None
        self._lost = False
        self._framed = False

    def feed(self, side: Side, data: bytes, at: int) -> Sequence[Event]:
        """Hear bytes of one side."""
        records = self._records[side]
        if (length := records.alone(data)) is not None and not self._head:
            if self._turns is not None and not self._lost:
                self._turns.push(side, length, at)
            return _NOTHING
        heard: list[Event] = []
        if records.broken:
            return heard
        if side is CLIENT:
            if not self._framed and (old := self._old_hello(data)) is not None:
                if old:
                    self._hello_heard(ssl2_hello(old), heard)
                return heard
            if self._head:
                data, self._head = self._head + data, b""
        for content, length, payload in records.push(data):
            if content != _APPLICATION_DATA:
                self._record(side, content, payload, heard)
            elif self._turns is not None and not self._lost:
                self._turns.push(side, length, at)
        if records.broken:
            heard.append(Weird("tls_not_tls"))
        return heard

    def gap(self, side: Side, missing: int, at: int) -> Iterator[Event]:
        """Learn that bytes are lost; that side's records cannot be found any more, and no turns told."""
        self._records[side].broken = True
        if self._turns is not None and not self._lost:
            yield from self._turns.end()
        self._lost = True
        yield Gap(side, missing)

    def end(self) -> Iterator[Event]:
        """Tell the last turn, and how far it got."""
        if self._turns is not None and not self._lost:
            yield from self._turns.end()
        if self._hello or self._choice:
            yield Reached(Phase.ANSWERED if self._choice else Phase.OPENED)

    def _old_hello(self, data: bytes) -> bytes | None:
        """The message of an SSLv2-form hello; empty while it is not whole; None if it has not that form."""
        head = self._head + data
        if not head:
            return b""
        if not head[0] & 0x80:
            self._framed = True
            return None
        self._head = head
        if len(head) < 3:
            return b""
        size = (head[0] & 0x7F) << 8 | head[1]
        if head[2] != _CLIENT_HELLO or len(head) < 2 + size:
            return b""
        self._head, self._framed = head[2 + size :], True
        return head[2 : 2 + size]

    def _record(self, side: Side, content: int, payload: bytes, heard: list[Event]) -> None:
        if content == Content.CHANGE_CIPHER_SPEC:
            # A server sends one behind a HelloRetryRequest, too: its hello still follows (RFC 8446 D.4).
            self._ciphered[side] = side is CLIENT or self._choice is not None
        elif self._ciphered[side]:
            return
        elif content == Content.HANDSHAKE:
            for kind, body in self._messages[side].push(payload):
                self._message(side, kind, body, heard)
        elif content == Content.ALERT and len(payload) == 2:
            name = _ALERTS.get(payload[1], str(payload[1]))
            heard.append(Weird(f"tls_alert_{name}", f"from the {side.name.lower()}"))

    def _message(self, side: Side, kind: int, body: bytes, heard: list[Event]) -> None:
        if side is CLIENT and kind == _CLIENT_HELLO:
            self._hello_heard(client_hello(body), heard)
        elif side is SERVER and kind == _SERVER_HELLO:
            if choice := server_hello(body):
                self._choice = choice
                self._turns = Turns(choice)
                heard.append(choice)
        elif side is SERVER and kind == _CERTIFICATE and (found := certificate(body)):
            heard.append(found)

    def _hello_heard(self, hello: ClientHello | None, heard: list[Event]) -> None:
        if hello is None:
            heard.append(Weird("tls_bad_hello"))
        elif self._hello is None:
            self._hello = hello
            heard.append(hello)


def _client_mark(head: bytes) -> bool | None:
    if len(head) < 3:
        return None if head[:1] in (b"\x16", b"\x80") or not head else False
    if head[0] == 0x16 and head[1] == 3:
        return len(head) < 6 or head[5] == _CLIENT_HELLO
    return bool(head[0] & 0x80) and head[2] == _CLIENT_HELLO and head[3:4] in (b"\x03", b"\x00", b"")


def _server_mark(head: bytes) -> bool | None:
    if len(head) < 3:
        return None if head[:1] in (b"\x16", b"\x15") or not head else False
    return head[0] in (0x16, 0x15) and head[1] == 3


def _hello_bytes() -> bytes:
    name = b"smtp.example.com"
    sni = (len(name) + 3).to_bytes(2, "big") + b"\0" + len(name).to_bytes(2, "big") + name
    extensions = b"\0\0" + len(sni).to_bytes(2, "big") + sni
    body = b"\x03\x03" + bytes(32) + b"\0" + b"\0\x02\xc0\x2f" + b"\x01\0"
    body += len(extensions).to_bytes(2, "big") + extensions
    message = b"\x01" + len(body).to_bytes(3, "big") + body
    return b"\x16\x03\x01" + len(message).to_bytes(2, "big") + message


_ANSWER = b"\x02" + (38).to_bytes(3, "big") + b"\x03\x03" + bytes(32) + b"\0" + b"\xc0\x2f" + b"\0"
_SIZES = Example(
    "a greeting and an answer inside TLS 1.2 are told by their sizes",
    (
        (CLIENT, _hello_bytes()),
        (SERVER, b"\x16\x03\x03" + len(_ANSWER).to_bytes(2, "big") + _ANSWER),
        (CLIENT, b"\x14\x03\x03\0\x01\x01\x16\x03\x03\0\x28" + bytes(40)),
        (SERVER, b"\x14\x03\x03\0\x01\x01\x16\x03\x03\0\x28" + bytes(40)),
        (SERVER, b"\x17\x03\x03\0\x4a" + bytes(74)),
        (CLIENT, b"\x17\x03\x03\0\x26" + bytes(38)),
        (CLIENT, b"\x17\x03\x03\0\x1e" + bytes(30)),
    ),
    (
        ClientHello(
            "smtp.example.com",
            (),
            ("TLSv1.2",),
            "61cfdf1a447a978ff66f0880924eded7",
            "t12d010100_f06271c2b022_000000000000",
        ),
        ServerHello("TLSv1.2", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"),
        Turn(SERVER, 50, 50, 1, 0, (50,)),
        Turn(CLIENT, 20, 20, 2, 0, (14, 6)),
        Reached(Phase.ANSWERED),
    ),
)

DIALECT = Dialect(
    name="tls",
    transport=Transport.TCP,
    ports=frozenset({443, 465, 993, 995}),
    client_mark=_client_mark,
    server_mark=_server_mark,
    server_first=False,
    session=TlsSession,
    examples=(_SIZES,),
)
