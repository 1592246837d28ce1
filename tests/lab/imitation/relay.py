"""Pass a dialogue on to a real server, record by record, and note what is said: TLS is ours on both sides."""

from __future__ import annotations

import select
import socket
import ssl

from imitation.observer import Observer
from imitation.talk import SILENCE_S, Gone, Talk


class Relay:
    """One connection to a real server."""

    def __init__(self, talk: Talk, behind: tuple[str, int]) -> None:
        """The real server listens behind this address."""
        self._talk = talk
        self._observer = Observer(talk.deed)
        self._behind: socket.socket = socket.create_connection(behind, SILENCE_S)
        if talk.encrypted:
            self._secure()

    def _secure(self) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        self._behind = context.wrap_socket(self._behind)
        self._observer.encrypted = True

    def run(self) -> None:
        """Pass on until one side leaves."""
        try:
            while True:
                for client in self._ready():
                    self._pass(client)
        except (OSError, ssl.SSLError) as fault:
            raise Gone from fault
        finally:
            self._behind.close()

    def _ready(self) -> list[bool]:
        sides = {True: self._talk.socket, False: self._behind}
        waiting = [side for side, sock in sides.items() if isinstance(sock, ssl.SSLSocket) and sock.pending()]
        if waiting:
            return waiting
        ready, _, _ = select.select(list(sides.values()), [], [], SILENCE_S)
        if not ready:
            self._talk.deed.timed_out = True
            raise Gone
        return [side for side, sock in sides.items() if sock in ready]

    def _pass(self, client: bool) -> None:
        """Pass on what one side said, if it was more than the TLS stack's own talk."""
        sock = self._talk.socket if client else self._behind
        sock.settimeout(0)
        try:
            data = sock.recv(16384)
        except (ssl.SSLWantReadError, BlockingIOError):
            return
        finally:
            sock.settimeout(SILENCE_S)
        if not data:
            raise Gone
        self._observer.hear(client, data)
        if client:
            self._behind.sendall(data)
            return
        self._talk.pass_on(data)
        if self._observer.turns_tls:
            self._observer.turns_tls = False
            self._talk.secure()
            self._secure()
