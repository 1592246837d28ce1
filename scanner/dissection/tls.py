"""TLS as tshark dissects it: both hellos, and the names in a certificate that is in clear."""

from __future__ import annotations

from collections.abc import Iterator

from scanner.conversation import Side
from scanner.dissection import Layer
from scanner.events import Certificate, ClientHello, Event, Phase, Reached, ServerHello
from scanner.wire.ciphers import name
from scanner.wire.hellos import GREASE, VERSIONS

NAMES_KEPT = 64
"""Names of one certificate; Exchange Online's has about thirty."""
_CLIENT_HELLO, _SERVER_HELLO, _CERTIFICATE = "1", "2", "11"


class TlsTalk:
    """One TLS connection."""

    def __init__(self) -> None:
        """Begin before the hello."""
        self._hello = self._choice = self._certified = False

    def hear(self, side: Side, layer: Layer, at: int) -> Iterator[Event]:
        """Hear the handshake messages of one packet."""
        kinds = layer.all("tls.handshake.type")
        if _CLIENT_HELLO in kinds and not self._hello:
            self._hello = True
            yield _client_hello(layer)
        if _SERVER_HELLO in kinds and (suite := layer.first("tls.handshake.ciphersuite")):
            self._choice = True
            number = layer.first("tls.handshake.extensions.supported_version")
            number = number or layer.first("tls.handshake.version") or "0"
            yield ServerHello(_version(number) or number, name(int(suite, 0)))
        if _CERTIFICATE in kinds and not self._certified:
            self._certified = True
            yield _certificate(layer)

    def end(self) -> Iterator[Event]:
        """Tell how far it got."""
        if self._hello or self._choice:
            yield Reached(Phase.ANSWERED if self._choice else Phase.OPENED)


def _client_hello(layer: Layer) -> ClientHello:
    listed = layer.all("tls.handshake.extensions.supported_version") or layer.all("tls.handshake.version")
    return ClientHello(
        layer.first("tls.handshake.extensions_server_name"),
        tuple(layer.all("tls.handshake.extensions_alpn_str")),
        tuple(version for number in listed if (version := _version(number))),
        layer.first("tls.handshake.ja3"),
        layer.first("tls.handshake.ja4"),
    )


def _certificate(layer: Layer) -> Certificate:
    """The first certificate's subject, and the other names that stand in the message."""
    behind = (
        [field.name for field in layer.fields].index("x509af.subject")
        if layer.first("x509af.subject")
        else -1
    )
    items = [field.text for field in layer.fields[behind:] if field.name == "x509if.RDNSequence_item"]
    subject = items[0] if behind >= 0 and items else None
    return Certificate(subject, tuple(layer.all("x509ce.dNSName")[:NAMES_KEPT]), None)


def _version(number: str) -> str | None:
    value = int(number, 0)
    return None if value in GREASE else VERSIONS.get(value)
