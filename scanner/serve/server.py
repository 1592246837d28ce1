"""Listen, serve, and end at once when told to."""

from __future__ import annotations

import errno
import logging
import socket
from ipaddress import ip_address
from types import FrameType
from typing import NamedTuple

import uvicorn
from starlette.types import ASGIApp

CONNECTIONS = 256
"""At a time; each listener to events keeps one of them."""
LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
_FAULTS = "uvicorn.error"


class Place(NamedTuple):
    """Where somebody listens."""

    socket: socket.socket
    name: str
    """As the user wrote it."""

    @property
    def port(self) -> int:
        """Its port, which the system may have chosen."""
        return int(self.socket.getsockname()[1])

    @property
    def is_local(self) -> bool:
        """Whether only this machine reaches it."""
        return ip_address(self.socket.getsockname()[0].partition("%")[0]).is_loopback

    @property
    def names(self) -> frozenset[str]:
        """What it may be called by who asks it: a name that leads here by another's DNS is none of them."""
        return LOCAL | {self.name.lower(), self.socket.getsockname()[0]} if self.is_local else frozenset()

    @property
    def address(self) -> str:
        """How a browser gets there."""
        host = self.name
        if ip_address(self.socket.getsockname()[0].partition("%")[0]).is_unspecified:
            host = socket.gethostname()
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}/"


def listen(name: str, port: int) -> Place:
    """Listen at an address or a name of this machine. Raises OSError."""
    try:
        family, *_, address = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)[0]
    except UnicodeError as fault:  # no name can be so long
        raise OSError(errno.EINVAL, str(fault)) from None
    return Place(socket.create_server(address[:2], family=family, backlog=128), name)


def serve(app: ASGIApp, place: Place) -> None:
    """Serve until Ctrl-C or SIGTERM; no address that was asked for is logged, for a token may be in it."""
    config = uvicorn.Config(
        app,
        http="h11",
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        log_level="error",  # a fault of ours is told, not each knock of a port scan
        proxy_headers=False,
        server_header=False,
        limit_concurrency=CONNECTIONS,
        timeout_graceful_shutdown=0,
    )
    _Server(config).run(sockets=[place.socket])


class _Server(uvicorn.Server):
    """Ends as one who did what he was told to do."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """End; that answers are cut short by it is no fault to be told of."""
        self.should_exit = True
        logging.getLogger(_FAULTS).disabled = True
