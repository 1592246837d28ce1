"""SOCKS as tshark dissects it, up to where the tunnel opens."""

from __future__ import annotations

from collections.abc import Iterator

from scanner.conversation import CLIENT, Side
from scanner.dissection import Layer
from scanner.events import Event, Label, Phase, Reached

_CONNECT = "1"
_GRANTED = ("0", "90")
"""RFC 1928 6; SOCKS 4's reply."""
_NAMES = ("socks.remote_name", "socks.v4a_dns_name", "socks.dst", "socks.dstV6")


class SocksTalk:
    """One connection to a SOCKS proxy."""

    def __init__(self) -> None:
        """Begin before the client's first message."""
        self._target: str | None = None
        self._open = False
        self._spoke = [False, False]

    def hear(self, side: Side, layer: Layer, at: int) -> Iterator[Event]:
        """Hear the request, or the proxy's answer to it; inside the tunnel nothing is about SOCKS."""
        if self._open:
            return
        self._spoke[side] = True
        if side is CLIENT and layer.first("socks.command") == _CONNECT:
            name = next((text for field in _NAMES if (text := layer.first(field))), "")
            port = layer.first("socks.port") or layer.first("socks.dstport") or ""
            self._target = f"{name}:{port}"
        elif side is not CLIENT and self._target and layer.first("socks.results") in _GRANTED:
            self._open = True
            yield Label("socks.connect", self._target)

    def end(self) -> Iterator[Event]:
        """Tell how far it got."""
        yield Reached(Phase.ANSWERED if all(self._spoke) else Phase.OPENED)
