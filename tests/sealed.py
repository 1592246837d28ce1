"""Conversations inside TLS for tests: both ends are here, what they send becomes packets, keys a file."""

from __future__ import annotations

import ssl
import struct
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from packets import C, Connection, Packet, Side

Lines = Sequence[tuple[Side, bytes]]


@dataclass(frozen=True)
class Seal:
    """What both ends use."""

    folder: Path
    newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3
    ciphers: str = "DEFAULT"
    alpn: tuple[str, ...] = ()

    @property
    def keylog(self) -> Path:
        return self.folder / "keys.log"

    def pair(self) -> tuple[_End, _End]:
        """A client and a server that have not met."""
        client, server = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
        server.load_cert_chain(self.folder / "certificate.pem", self.folder / "key.pem")
        server.keylog_filename = str(self.keylog)
        for context in (client, server):
            context.maximum_version = self.newest
            context.set_ciphers(self.ciphers)
            if self.alpn:
                context.set_alpn_protocols(list(self.alpn))
        return _End(client, server_side=False), _End(server, server_side=True)


class _End:
    """One end: what is put in comes out sealed, and the other way round."""

    def __init__(self, context: ssl.SSLContext, server_side: bool) -> None:
        self.received, self.to_send = ssl.MemoryBIO(), ssl.MemoryBIO()
        name = None if server_side else "mail.example.com"
        self.tls = context.wrap_bio(self.received, self.to_send, server_side, name)
        self.met = False

    def step(self, data: bytes) -> bytes:
        """Receive, go on with the handshake or read, and give what is to be sent."""
        self.received.write(data)
        try:
            if not self.met:
                self.tls.do_handshake()
                self.met = True
            self.tls.read(1 << 16)
        except ssl.SSLWantReadError:
            pass
        return self.to_send.read()

    def seal(self, data: bytes) -> bytes:
        self.tls.write(data)
        return self.to_send.read()


def certificate(folder: Path) -> Path:
    """Put a certificate and its key there."""
    files = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "certificate.pem")]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=x"]
    subprocess.run([*command, *files], check=True, capture_output=True)
    return folder


def talk(seal: Seal, connection: Connection, inside: Lines, clear: Lines = ()) -> Connection:
    """Open, say what is said in clear, shake hands, and say the rest inside TLS."""
    client, server = seal.pair()
    connection.open().say(*clear)
    data, side = client.step(b""), C
    while data:
        connection.say((side, data))
        side = side.other
        data = (client if side is C else server).step(data)
    for side, line in inside:
        speaker, hearer = (client, server) if side is C else (server, client)
        sealed = speaker.seal(line)
        connection.say((side, sealed))
        hearer.step(sealed)
    return connection.close()


def pcapng(packets: Sequence[Packet], secrets: bytes = b"", first: int = 0) -> bytes:
    """A capture file that brings its keys along, behind so many of its packets."""
    blocks = [_block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)),
              _block(1, struct.pack("<HHI", 1, 0, 1 << 18) + struct.pack("<HHB3xI", 9, 1, 9, 0))]  # fmt: skip
    for packet in packets:
        high, low = packet.at >> 32, packet.at & 0xFFFFFFFF
        size = len(packet.data)
        blocks.append(_block(6, struct.pack("<IIIII", 0, high, low, size, size) + packet.data))
    if secrets:
        blocks.insert(2 + first, _block(10, struct.pack("<II", 0x544C534B, len(secrets)) + secrets))
    return b"".join(blocks)


def _block(kind: int, body: bytes) -> bytes:
    body += bytes(-len(body) % 4)
    return struct.pack("<II", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12)
