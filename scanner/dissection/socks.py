"""SOCKS as tshark dissects it, up to where the tunnel opens."""

from __future__ import annotations

from collections.abc import Iterator

from scanner.dissection import Layer
from scanner.dissection.attempt import Exchange
from scanner.events import Event, Label

_CONNECT = "1"
_GRANTED = ("0", "90")
"""RFC 1928 6; SOCKS 4's reply."""
_NAMES = ("socks.remote_name", "socks.v4a_dns_name", "socks.dst", "socks.dstV6")


class SocksTalk(Exchange):
    """One connection to a SOCKS proxy; inside the tunnel nothing is about SOCKS."""

    _target: str | None = None
    _open = False

    def _asked(self, layer: Layer, at: int) -> Iterator[Event]:
        if layer.first("socks.command") == _CONNECT and not self._open:
            name = next((text for field in _NAMES if (text := layer.first(field))), "")
            port = layer.first("socks.port") or layer.first("socks.dstport") or ""
            self._target = f"{name}:{port}"
        return iter(())

    def _answered(self, layer: Layer) -> Iterator[Event]:
        if self._target and not self._open and layer.first("socks.results") in _GRANTED:
            self._open = True
            yield Label("socks.connect", self._target)
