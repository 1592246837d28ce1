"""A client's connection that speaks lines, in the clear or inside TLS."""

from __future__ import annotations

import base64
import socket
import ssl

TIMEOUT_S = 12
VERSIONS = {"10": ssl.TLSVersion.TLSv1, "11": ssl.TLSVersion.TLSv1_1}


class Refused(Exception):
    """The server said no."""


def b64(text: str) -> str:
    """Give text in base64."""
    return base64.b64encode(text.encode()).decode()


class Line:
    """A connection that speaks lines."""

    def __init__(self, host: str, port: int, version: str) -> None:
        """Connect."""
        self._host, self._version = host, version
        self._sock: socket.socket = socket.create_connection((host, port), TIMEOUT_S)
        self._heard = b""

    def secure(self) -> None:
        """Begin TLS."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.set_ciphers("DEFAULT@SECLEVEL=0")
        if self._version in VERSIONS:
            context.minimum_version = VERSIONS[self._version]
        self._sock = context.wrap_socket(self._sock, server_hostname=self._host)

    def send(self, *lines: str, apart: bool = False) -> None:
        """Send lines, in one record; ``apart``: their ends in records of their own."""
        if apart:
            for line in lines:
                self._sock.sendall(line.encode())
                self._sock.sendall(b"\r\n")
            return
        self._sock.sendall("".join(f"{line}\r\n" for line in lines).encode())

    def raw(self, data: str) -> None:
        """Send as it is."""
        self._sock.sendall(data.encode())

    def line(self) -> str:
        """Hear one line; nothing at the end."""
        while b"\n" not in self._heard:
            data = self._sock.recv(16384)
            if not data:
                raise Refused("closed")
            self._heard += data
        line, _, self._heard = self._heard.partition(b"\n")
        return line.decode(errors="replace").rstrip("\r")

    def reply(self) -> str:
        """Hear a whole SMTP reply; give all of it."""
        lines = [self.line()]
        while lines[-1][3:4] == "-":
            lines.append(self.line())
        return "\n".join(lines)

    def ask(self, *lines: str, apart: bool = False) -> str:
        """Send, and hear one reply."""
        self.send(*lines, apart=apart)
        return self.reply()

    def until(self, tag: str) -> str:
        """Hear lines until one begins so."""
        while not (line := self.line()).startswith((tag, "+")):
            pass
        return line

    def close(self) -> None:
        """Leave without a word."""
        self._sock.close()
