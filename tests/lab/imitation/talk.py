"""One connection of a server of ours: lines in, replies out, TLS in between."""

from __future__ import annotations

import socket
import ssl
import time
from pathlib import Path

from imitation.session import Session
from imitation.tls import settings
from imitation.truth import Deed

LINE_LIMIT = 65536
"""Longest line that is read; a longer one ends the connection."""
SILENCE_S = 15
"""Longest wait for a client; then the connection ends."""


class Gone(Exception):
    """The client has left, or said what nobody can answer."""


class Talk:
    """What a dialogue needs of its connection."""

    def __init__(
        self, sock: socket.socket, session: Session, deed: Deed, folder: Path, log: Path, gathers: bool
    ) -> None:
        """``gathers``: answer pipelined commands in one record."""
        self.session, self.deed = session, deed
        self._sock, self._folder, self._log, self._gathers = sock, folder, log, gathers
        self._heard, self._unsaid = b"", b""
        self.encrypted = False
        sock.settimeout(SILENCE_S)

    def secure(self, alpn: tuple[str, ...] = ()) -> None:
        """Begin TLS. Raises Gone where that fails."""
        self.flush()
        session, deed = self.session, self.deed
        if deed.tls_mode == "clear":
            deed.tls_mode = "starttls"
        context = settings(
            session.tls, session.tickets, session.asks_certificate, self._folder, self._log, alpn
        )
        try:
            wrapped = context.wrap_socket(self._sock, server_side=True)
        except (OSError, ssl.SSLError) as fault:
            deed.broken = str(fault)
            raise Gone from fault
        self._sock, self._heard, self.encrypted = wrapped, b"", True
        deed.tls_version, deed.resumed = wrapped.version(), bool(wrapped.session_reused)
        cipher = wrapped.cipher()
        deed.tls_cipher = cipher and cipher[0]
        deed.server_name = getattr(wrapped, "asked_name", None)
        deed.alpn = wrapped.selected_alpn_protocol()

    @property
    def socket(self) -> socket.socket:
        """The socket, to wait for."""
        return self._sock

    def pass_on(self, data: bytes) -> None:
        """Send bytes at once, in a record of their own."""
        self._sock.sendall(data)

    def receive(self) -> bytes:
        """Give what comes next, at most one record. Raises Gone at the end."""
        try:
            data = self._sock.recv(16384)
        except TimeoutError as fault:
            self.deed.timed_out = True
            raise Gone from fault
        except (OSError, ssl.SSLError) as fault:
            raise Gone from fault
        if not data:
            raise Gone
        return data

    def line(self) -> bytes:
        """Give the next line without its end."""
        while b"\n" not in self._heard:
            if len(self._heard) > LINE_LIMIT:
                raise Gone
            self.flush()
            self._heard += self.receive()
        line, _, self._heard = self._heard.partition(b"\n")
        return line.rstrip(b"\r")

    def exactly(self, count: int) -> bytes:
        """Give so many bytes."""
        while len(self._heard) < count:
            self.flush()
            self._heard += self.receive()
        data, self._heard = self._heard[:count], self._heard[count:]
        return data

    def say(self, *lines: str) -> None:
        """Send lines, together in one record."""
        self.send("".join(f"{line}\r\n" for line in lines).encode())

    def send(self, data: bytes) -> None:
        """Send bytes; where the client has said more already, perhaps later together with what follows."""
        self._unsaid += data
        if not (self._gathers and b"\n" in self._heard):
            self.flush()

    def flush(self) -> None:
        """Send what was kept back."""
        data, self._unsaid = self._unsaid, b""
        if data:
            try:
                self._sock.sendall(data)
            except (OSError, ssl.SSLError) as fault:
                raise Gone from fault

    def wait(self) -> None:
        """Make a refused client wait."""
        self.flush()
        time.sleep(self.session.delay_s)

    def close(self) -> None:
        """Take leave in order, as TLS wants it."""
        try:
            self.flush()
            if isinstance(self._sock, ssl.SSLSocket):
                self._sock.settimeout(0.2)
                self._sock = self._sock.unwrap()
        except (Gone, OSError, ValueError):
            pass
        self._sock.close()
