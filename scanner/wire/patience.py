"""When a connection of which nothing more is heard is taken to be over."""

from __future__ import annotations

from scanner.wire.interest import Interest
from scanner.wire.reassembly import Stream

IDLE_S = 3600
"""A phone's ActiveSync request may be held for 59 minutes; what comes later begins in the middle."""
SETTLED_S, SETTLED_QUIET_S = 300, 30
"""Live: a connection to a mail port that is so old and so quiet is told of now, not when it ends: a program
that waits for mail may hold it for days. What comes later in it is not heard."""
HTTP_PORTS = frozenset({80, 443, 1080, 3128, 8080, 8443})
"""Where a request may be held for an hour, and how long it was held tells what it is."""
HALF_OPEN_S = 300
"""How long a connection that says nothing is remembered: no server keeps its greeting back as long."""
_SECOND = 1_000_000_000


class Patience:
    """Tells which connections are over, though nobody said so."""

    def __init__(self, interest: Interest, idle_s: int, live: bool) -> None:
        """``live``: what has settled is over too, for somebody waits to be told of it."""
        self.idle_ns = idle_s * _SECOND
        self._live = live
        self.reload(interest)

    def reload(self, interest: Interest) -> None:
        """Go on with other ports."""
        self._early = interest.ports - HTTP_PORTS if self._live else frozenset()

    def is_over(self, stream: Stream, now: int) -> bool:
        """Tell of one, at a time (ns)."""
        silent = now - stream.last_seen
        if silent > self.idle_ns:
            return True
        if stream.flow.server.port not in self._early or silent <= SETTLED_QUIET_S * _SECOND:
            return False
        return now - stream.first_seen > SETTLED_S * _SECOND
