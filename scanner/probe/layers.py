"""TLS as a layer between a player and a socket: bytes in, bytes out, no socket (RFC 8446, RFC 5246)."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import Protocol

from scanner.probe.old_tls import context
from scanner.probe.tls_range import Reply

READ_AT_ONCE = 16 * 1024
"""The most that one TLS record holds (RFC 8446 5.1)."""


class LayerFault(Exception):
    """TLS could not be begun, or broke; says why."""


class DistrustError(LayerFault):
    """The certificate was refused; says why."""


class Layer(Protocol):
    """What is between the dialogue and the wire."""

    ready: bool
    """Bytes of the dialogue can be sent."""
    over: bool
    """All that was wanted is known: hang up."""
    ended: bool
    """The server took its leave (RFC 8446 6.1); some wait for ours before they hang up."""

    def receive(self, data: bytes) -> bytes:
        """Take what came off the wire; gives what the server said. Raises ``LayerFault``."""
        ...

    def say(self, plain: bytes) -> None:
        """Say something to the server; ``pending`` gives what is to be sent for it."""
        ...

    def pending(self) -> bytes:
        """Take what is to be sent; asked first, it is the beginning of the handshake."""
        ...


NewLayer = Callable[[], Layer]


class TlsLayer:
    """A whole TLS connection, with whatever version the server takes; nobody's certificate is believed."""

    __slots__ = ("_in", "_out", "_tls", "ended", "over", "ready")

    def __init__(self, server_name: str | None, how: ssl.SSLContext | None = None) -> None:
        """Begin for a server of this name; None: it has only an address."""
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = (how or context()).wrap_bio(self._in, self._out, server_hostname=server_name)
        self.ready = self.over = self.ended = False
        self._shake()

    @property
    def version(self) -> str | None:
        """As in the session record."""
        return self._tls.version()

    @property
    def certificate(self) -> bytes | None:
        """The server's, DER."""
        return self._tls.getpeercert(binary_form=True)

    def receive(self, data: bytes) -> bytes:
        """Take what came off the wire; gives what the server said. Raises ``LayerFault``."""
        self._in.write(data)
        if not self.ready and not self._shake():
            return b""
        plain = b""
        try:
            while piece := self._tls.read(READ_AT_ONCE):
                plain += piece
            self.ended = True
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError as fault:
            raise LayerFault(_reason(fault)) from None
        return plain

    def say(self, plain: bytes) -> None:
        """Say something to the server."""
        try:
            self._tls.write(plain)
        except ssl.SSLError as fault:
            raise LayerFault(_reason(fault)) from None

    def pending(self) -> bytes:
        """Take what is to be sent."""
        return self._out.read()

    def _shake(self) -> bool:
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            return False
        except ssl.SSLCertVerificationError as fault:
            raise DistrustError(fault.verify_message) from None
        except ssl.SSLError as fault:
            raise LayerFault(_reason(fault)) from None
        self.ready = True
        return True


class TrustLayer(TlsLayer):
    """A handshake that ends where this machine's trust store refuses who issued the certificate."""

    __slots__ = ("trusted",)

    def __init__(self, server_name: str | None) -> None:
        """Begin for a server of this name; whether the certificate is for that name is not looked at."""
        self.trusted: bool | None = None
        how = ssl.create_default_context()
        how.check_hostname = False
        super().__init__(server_name, how)

    def _shake(self) -> bool:
        try:
            self.over = super()._shake()
        except DistrustError:
            self.trusted = False
            raise
        self.trusted = self.over or None
        return self.over


def _reason(fault: ssl.SSLError) -> str:
    return (fault.reason or "TLS failed").replace("_", " ").lower()


class HelloLayer:
    """A hello and what comes of it; no handshake is held."""

    __slots__ = ("_hello", "ended", "over", "ready", "reply")

    def __init__(self, hello: bytes) -> None:
        """Begin with these bytes."""
        self._hello, self.reply = hello, Reply()
        self.ready = self.over = self.ended = False

    def receive(self, data: bytes) -> bytes:
        """Take what came off the wire."""
        self.reply.hear(data)
        self.over = self.reply.done
        return b""

    def say(self, plain: bytes) -> None:
        """Nothing is ever said inside."""

    def pending(self) -> bytes:
        """Take the hello, once."""
        hello, self._hello = self._hello, b""
        return hello
