"""Real TLS servers on loopback, of all ages, and a certificate for them."""

from __future__ import annotations

import re
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

PATIENCE_S = 10
_DAY = timedelta(days=1)
_OPENSSL = ("openssl", "s_server", "-accept", "127.0.0.1:0")


@cache
def pem() -> str:
    """A key and its certificate."""
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "printer.example")])
    begun = datetime(2026, 1, 1, tzinfo=UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 7, begun, begun + 365 * _DAY)
    plain = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    made = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    return (key.private_bytes(*plain) + made).decode()


@contextmanager
def _run(command: tuple[str, ...], heralded: str) -> Iterator[int]:
    """Start a server; the port is in what it says when it listens."""
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as server:
        assert server.stdout is not None
        said = []
        try:
            for line in server.stdout:
                said.append(line)
                if found := re.search(heralded, line):
                    yield int(found[1])
                    break
            else:
                raise AssertionError("".join(said))
        finally:
            server.kill()


@contextmanager
def openssl(folder: Path, *options: str) -> Iterator[int]:
    """OpenSSL's server on a port of its own."""
    (held := folder / "server.pem").write_text(pem())
    identity = () if "-nocert" in options else ("-cert", str(held))
    with _run((*_OPENSSL, *identity, *options), r"ACCEPT .*:(\d+)") as port:
        yield port


@contextmanager
def gnutls(folder: Path, priority: str) -> Iterator[int]:
    """GnuTLS's server, which still has RC4 and 3DES."""
    (held := folder / "server.pem").write_text(pem())
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    files = ("--x509keyfile", str(held), "--x509certfile", str(held))
    command = ("gnutls-serv", "--echo", "-p", str(port), *files, "--priority", priority)
    with _run(command, r"IPv4 .* (\d+)\.\.\.done") as port:
        yield port


def connected(port: int) -> socket.socket:
    """A connection to it that gives up in time."""
    return socket.create_connection(("127.0.0.1", port), PATIENCE_S)
