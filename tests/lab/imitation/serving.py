"""All servers of ours in one process: who connects is known by his address, and what he does is noted."""

from __future__ import annotations

import selectors
import socket
import sys
import threading
import time
import traceback
from collections.abc import Sequence
from pathlib import Path

from imitation.imap import Imap
from imitation.persona import Persona
from imitation.pop3 import Pop3
from imitation.products import PLACES, THERE
from imitation.relay import Relay
from imitation.session import Session
from imitation.smtp import Smtp
from imitation.talk import Gone, Talk
from imitation.truth import Deed
from imitation.web import Web, offers_http2

LAST_S = 3
"""So long may a connection outlive its program; then it is cut."""


class Serving:
    """Listen everywhere until stopped."""

    def __init__(self, personas: Sequence[Persona], folder: Path, output: Path) -> None:
        """Certificates are in ``folder``; key logs go to ``output``, one a server."""
        self._folder, self._output = folder, output
        self._expected: dict[str, Session] = {}
        self._deeds: dict[str, list[tuple[Deed, socket.socket]]] = {}
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self.faults: list[str] = []
        """What went wrong in a dialogue of ours: a lab with such a fault is worth nothing."""
        self._alpn = ("h2", "http/1.1") if offers_http2() else ("http/1.1",)
        self._selector = selectors.DefaultSelector()
        for persona in personas:
            for port in persona.ports:
                for address in filter(None, (persona.address, persona.six)):
                    self._listen(persona, address, port)
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _listen(self, persona: Persona, address: str, port: int) -> None:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        listener = socket.create_server((address, port), family=family, backlog=64)
        self._selector.register(listener, selectors.EVENT_READ, (persona, port))

    def expect(self, clients: Sequence[str], session: Session) -> None:
        """Take whoever comes from these addresses for this session."""
        with self._lock:
            for client in clients:
                self._expected[client] = session
                self._deeds[client] = []

    def finish(self, clients: Sequence[str]) -> list[Deed]:
        """Wait until these clients' connections have ended, and give what they did."""
        end = time.monotonic() + LAST_S
        with self._lock:
            for client in clients:
                del self._expected[client]
            pairs = [pair for client in clients for pair in self._deeds.pop(client)]
        for deed, sock in pairs:
            while not deed.done and time.monotonic() < end:
                time.sleep(0.02)
            if not deed.done:
                sock.close()
        return [deed for deed, _ in pairs]

    def stop(self) -> None:
        """Listen no more."""
        self._stopped.set()
        self._thread.join()
        for key in list(self._selector.get_map().values()):
            key.fileobj.close()  # type: ignore[union-attr]

    def _accept(self) -> None:
        while not self._stopped.is_set():
            for key, _ in self._selector.select(0.2):
                sock, peer = key.fileobj.accept()  # type: ignore[union-attr]
                persona, port = key.data
                with self._lock:
                    session = self._expected.get(peer[0])
                    if session is None:
                        sock.close()
                        continue
                    protocol, mode = persona.ports[port]
                    here = sock.getsockname()[:2]
                    mode = mode if mode == "implicit" else "clear"
                    deed = Deed(peer[:2], here, protocol, mode)
                    self._deeds[peer[0]].append((deed, sock))
                threading.Thread(
                    target=self._serve, args=(sock, persona, session, deed, port), daemon=True
                ).start()

    def _serve(self, sock: socket.socket, persona: Persona, session: Session, deed: Deed, port: int) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        log = self._output / f"{persona.name}.keys"
        talk = Talk(sock, session, deed, self._folder, log, persona.gathers)
        try:
            if deed.tls_mode == "implicit":
                talk.secure(self._alpn if deed.protocol == "http" else ())
            self._play(talk, persona, deed)
        except Gone:
            pass
        except Exception:
            self.faults.append(f"{persona.name} {session.program}: {traceback.format_exc()}")
            print(self.faults[-1], file=sys.stderr)
        finally:
            talk.close()
            deed.done = True

    def _play(self, talk: Talk, persona: Persona, deed: Deed) -> None:
        match deed.protocol:
            case _ if persona.product:
                Relay(talk, (THERE, PLACES[persona.product][deed.server[1]])).run()
            case "smtp" if persona.smtp:
                Smtp(talk, persona.smtp).run()
            case "imap" if persona.imap:
                Imap(talk, persona.imap).run()
            case "http" if persona.web:
                Web(talk, persona.host, persona.web).run()
            case "pop3" if persona.pop3:
                Pop3(talk, persona.pop3, persona.messages).run()
