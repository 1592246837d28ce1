"""A mail server that costs little: ``python -m benchmarks.mail_server PORT[-LAST] [tls]``."""

from __future__ import annotations

import asyncio
import os
import ssl
import subprocess
import sys
import tempfile
from pathlib import Path

GREETING = b"220 mx.example.net ESMTP Postfix\r\n"
OFFER = (
    b"250-mx.example.net\r\n250-SIZE 10240000\r\n250-AUTH=LOGIN\r\n250-8BITMIME\r\n250 AUTH PLAIN LOGIN\r\n"
)
BYE = b"221 2.0.0 Bye\r\n"
BACKLOG = 4096
"""Connections that wait to be taken; more than are ever open."""
READY = "ready"


class Mail(asyncio.Protocol):
    """One dialogue."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(GREETING)

    def data_received(self, data: bytes) -> None:
        """Answer, or take leave."""
        if data.startswith(b"EHLO"):
            self._transport.write(OFFER)
        else:
            self._transport.write(BYE)
            self._transport.close()


def context() -> ssl.SSLContext:
    """What TLS needs, with a certificate of elliptic curves: signing with RSA would be measured otherwise."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        held = Path(folder) / "held.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
             "-days", "30", "-subj", "/CN=mx.example.net", "-keyout", held, "-out", Path(folder) / "own.pem"],
            check=True, capture_output=True,
        )  # fmt: skip
        made.load_cert_chain(Path(folder) / "own.pem", held)
    return made


async def serve(ports: range, tls: bool) -> None:
    """Serve until killed."""
    loop, held = asyncio.get_running_loop(), context() if tls else None
    for port in ports:
        await loop.create_server(Mail, "0.0.0.0", port, backlog=BACKLOG, ssl=held)
    print(READY, flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    if len(cores := sorted(os.sched_getaffinity(0))) > 1:
        os.sched_setaffinity(0, cores[1:])
    first, _, last = sys.argv[1].partition("-")
    asyncio.run(serve(range(int(first), int(last or first) + 1), "tls" in sys.argv))
