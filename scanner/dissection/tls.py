"""TLS as tshark dissects it: both hellos, names in a certificate that is in clear, and records by length."""

from __future__ import annotations

from collections.abc import Iterator

from scanner.conversation import SERVER, Side
from scanner.dissection import Layer
from scanner.events import Certificate, ClientHello, Event, Phase, Reached, ServerHello
from scanner.protocols.tls_turns import Turns
from scanner.wire.ciphers import name
from scanner.wire.hellos import GREASE, VERSIONS

NAMES_KEPT = 64
"""Names of one certificate; Exchange Online's has about thirty."""
_CLIENT_HELLO, _SERVER_HELLO, _CERTIFICATE = "1", "2", "11"
_ENCRYPT_THEN_MAC, _APPLICATION_DATA = "22", "23"
_TYPES = ("tls.record.content_type", "tls.record.opaque_type")
"""A record's type, and what it is called where the true one is encrypted (RFC 8446 5.2)."""


class TlsTalk:
    """One TLS connection."""

    def __init__(self) -> None:
        """Begin before the hello."""
        self._hello = self._certified = False
        self._turns: Turns | None = None

    def hear(self, side: Side, layer: Layer, at: int) -> Iterator[Event]:
        """Hear the handshake messages of one packet, and how long its records are."""
        kinds = layer.all("tls.handshake.type")
        if _CLIENT_HELLO in kinds and not self._hello:
            self._hello = True
            yield _client_hello(layer)
        if _SERVER_HELLO in kinds and (suite := layer.first("tls.handshake.ciphersuite")):
            number = layer.first("tls.handshake.extensions.supported_version")
            number = number or layer.first("tls.handshake.version") or "0"
            extensions = layer.all("tls.handshake.extension.type")
            choice = ServerHello(
                _version(number) or number,
                name(int(suite, 0)),
                layer.first("tls.handshake.extensions_alpn_str") if side is SERVER else None,
                encrypt_then_mac=side is SERVER and _ENCRYPT_THEN_MAC in extensions,
            )
            self._turns = Turns(choice)
            yield choice
        if _CERTIFICATE in kinds and not self._certified:
            self._certified = True
            yield _certificate(layer)
        if self._turns:
            for length in _application_data(layer):
                self._turns.push(side, length, at)

    def end(self) -> Iterator[Event]:
        """Tell how far it got."""
        if self._turns:
            yield from self._turns.end()
        if self._hello or self._turns:
            yield Reached(Phase.ANSWERED if self._turns else Phase.OPENED)


def _application_data(layer: Layer) -> Iterator[int]:
    """Lengths of the records that hold application data, or are said to; bytes."""
    kind = ""
    for field in layer.fields:
        if field.name in _TYPES:
            kind = field.text
        elif field.name == "tls.record.length" and kind == _APPLICATION_DATA and field.text.isdecimal():
            yield int(field.text)


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
