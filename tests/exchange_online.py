"""Exchange Online of paper, its issuer, a proxy that opens TLS, and its names: for namespaces of tests."""

from __future__ import annotations

import atexit
import socket
import ssl
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from threading import Thread

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

ISSUER, PROXY = "DigiCert Cloud Services CA-1", "Contoso Web Gateway CA"
NAMES = ("*.office365.com", "outlook.office365.com", "*.outlook.com", "*.mail.protection.outlook.com",
         "login.microsoftonline.com")  # fmt: skip
PUBLIC = "203.0.113.77"
MAIL_HOST = "FR4P281CA0001.DEUP281.PROD.OUTLOOK.COM"
FEATURES = "SIZE 157286400", "PIPELINING", "DSN", "ENHANCEDSTATUSCODES"
IMAP = "IMAP4 IMAP4rev1 AUTH=XOAUTH2 LOGINDISABLED SASL-IR UIDPLUS ID IDLE NAMESPACE LITERAL+"
BEARER = 'Bearer client_id="00000002-0000-0ff1-ce00-000000000000"'
PATIENCE_S = 10


class Authority:
    """Who issues certificates, into a folder."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._key, self._issued = folder, ec.generate_private_key(ec.SECP256R1()), 1
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        begun = datetime.now(UTC) - timedelta(days=99)
        root = x509.CertificateBuilder(
            self._name, self._name, self._key.public_key(), 1, begun, begun + timedelta(days=999)
        ).add_extension(x509.BasicConstraints(True, None), critical=True)
        self.own = root.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        """Its own certificate."""

    def issue(self, names: Sequence[str], days: int = 30) -> Path:
        """Make a key and a certificate for these names; run out with ``days`` below zero."""
        self._issued += 1
        key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
        whose = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
        ends = now - timedelta(days=98), now + timedelta(days=days)
        made = x509.CertificateBuilder(self._name, whose, key.public_key(), self._issued, *ends)
        made = made.add_extension(x509.SubjectAlternativeName(map(x509.DNSName, names)), critical=False)
        plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        signed = made.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        file = self._folder / f"{id(self)} {self._issued}.pem"
        file.write_bytes(key.private_bytes(serialization.Encoding.PEM, *plain) + signed)
        return file


@dataclass(frozen=True)
class Online:
    """A server, with a thread for each who comes."""

    certificate: Path
    mail_host: str = MAIL_HOST
    starttls: bool = True
    offers: str = "AUTH LOGIN XOAUTH2"
    clock_ahead_s: int = 0
    public: str = PUBLIC

    def listen(self, ip: str, ports: Sequence[int] = (25, 443, 587, 993, 995)) -> None:
        """Serve at these ports until the process ends."""
        for port in ports:
            family = socket.AF_INET6 if ":" in ip else socket.AF_INET
            self.accept(socket.create_server((ip, port), family=family))

    def accept(self, listener: socket.socket) -> Thread:
        """Serve until the listener is shut down."""

        def serve() -> None:
            with suppress(OSError):
                while True:
                    sock, here = listener.accept()[0], listener.getsockname()
                    Thread(target=self._serve, args=(sock, here[1]), daemon=True).start()

        (thread := Thread(target=serve, daemon=True)).start()
        return thread

    def _serve(self, sock: socket.socket, port: int) -> None:
        sock.settimeout(PATIENCE_S)
        with suppress(OSError), sock:
            if port in (443, 993, 995):
                with self._secured(sock) as inside:
                    {443: self._web, 993: self._imap, 995: self._pop3}[port](inside)
            elif self._smtp(sock):
                with self._secured(sock) as inside:
                    self._smtp(inside, greet=False)

    def _secured(self, sock: socket.socket) -> socket.socket:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate)
        return context.wrap_socket(sock, server_side=True)

    def _smtp(self, sock: socket.socket, greet: bool = True) -> bool:
        """Speak; tells whether TLS is to be begun."""
        now = datetime.now(UTC) + timedelta(seconds=self.clock_ahead_s)
        if greet:
            words = f"Microsoft ESMTP MAIL Service ready at {format_datetime(now)} [08DE2B]"
            sock.sendall(f"220 {self.mail_host} {words}\r\n".encode())
        with sock.makefile("rb") as lines:
            for line in lines:
                match line.split()[0].upper():
                    case b"EHLO":
                        first = f"{self.mail_host} Hello [{self.public}]"
                        more = self.offers if not greet else "STARTTLS" if self.starttls else ""
                        said = [first, *FEATURES, *([more] if more else []), "8BITMIME"]
                        rows = [f"250{'-' if row != said[-1] else ' '}{row}\r\n" for row in said]
                        sock.sendall("".join(rows).encode())
                    case b"STARTTLS":
                        sock.sendall(b"220 2.0.0 SMTP server ready\r\n")
                        return True
                    case b"QUIT":
                        sock.sendall(b"221 2.0.0 Service closing transmission channel\r\n")
                        break
                    case _:
                        sock.sendall(b"500 5.3.3 Unrecognized command\r\n")
        return False

    def _imap(self, sock: socket.socket) -> None:
        sock.sendall(b"* OK Microsoft Exchange IMAP4 service ready. 7f3a (tcpproxy/15.20.9320.013)\r\n")
        with sock.makefile("rb") as lines:
            for line in lines:
                tag, verb = line.split()[:2]
                told = {b"CAPABILITY": f"* CAPABILITY {IMAP}\r\n", b"LOGOUT": "* BYE signing off\r\n"}
                sock.sendall(told.get(verb, "").encode() + tag + b" OK " + verb + b" completed.\r\n")

    def _pop3(self, sock: socket.socket) -> None:
        sock.sendall(b"+OK Microsoft Exchange POP3 server ready (tcpproxy/15.20.9320.013).\r\n")
        with sock.makefile("rb") as lines:
            for line in lines:
                capable = b"TOP\r\nUIDL\r\nSASL PLAIN XOAUTH2\r\nUSER\r\n.\r\n"
                sock.sendall(b"+OK\r\n" + (capable if line.startswith(b"CAPA") else b""))

    def _web(self, sock: socket.socket) -> None:
        with sock.makefile("rb") as lines:
            while asked := lines.readline():
                while lines.readline().strip():
                    pass
                owa = asked.split()[1] == b"/"
                head = (
                    "302 Found\r\nLocation: /owa/"
                    if owa
                    else f"401 Unauthorized\r\nWWW-Authenticate: {BEARER}"
                )
                sock.sendall(f"HTTP/1.1 {head}\r\nContent-Length: 0\r\n\r\n".encode())


def resolver(port: int, hosts: Mapping[str, str], *options: str) -> None:
    """Run a DNS server on loopback that knows these names alone, until the process ends."""
    known = [f"--host-record={name},{ip}" for name, ip in hosts.items()]
    quiet = (
        "--no-hosts",
        "--no-resolv",
        "--pid-file=",
        "--conf-file=/dev/null",
        "--local=/#/",
        "--log-facility=/dev/null",
    )
    where = (f"--port={port}", "--listen-address=127.0.0.1", "--bind-interfaces")
    command = ["dnsmasq", "-d", *where, *quiet, *known, *options]
    started = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    atexit.register(started.wait)
    atexit.register(started.kill)
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)
    raise TimeoutError("dnsmasq does not start")
