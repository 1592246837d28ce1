"""Captures of machines that log in with a password in clear: one conversation a client, as many as wanted."""

from __future__ import annotations

import base64
from pathlib import Path

from packets import BEGAN, MILLISECOND, C, Connection, End, S, pcap

ONLINE = ("52.96.0.10", 587)
"""One of Exchange Online's addresses."""
SECRET = "sample-secret-"
"""How every password begins, as in the sample captures."""


def login(client: End, server: End, number: int) -> Connection:
    """A whole conversation, with its end."""
    answer = base64.b64encode(f"\0user{number}@example.com\0{SECRET}{number:08}".encode())
    said = (
        (S, b"220 mail.example.com ESMTP\r\n"),
        (C, b"EHLO machine%d.example.com\r\n" % number),
        (S, b"250-mail.example.com\r\n250 AUTH PLAIN LOGIN XOAUTH2\r\n"),
        (C, b"AUTH PLAIN " + answer + b"\r\n"),
        (S, b"235 2.7.0 Authentication successful\r\n"),
        (C, b"QUIT\r\n"),
        (S, b"221 2.0.0 Service closing transmission channel\r\n"),
    )
    return Connection(client, server, at=BEGAN + number * MILLISECOND).open().say(*said).close()


def logins(folder: Path, count: int, first: int = 0, server: End = ONLINE) -> Path:
    """Write a capture of so many clients, from a number on; no two captures of other numbers share one."""
    clients = [
        (f"10.40.{number >> 8}.{number & 255}", 40_000 + number) for number in range(first, first + count)
    ]
    made = [login(client, server, number) for number, client in enumerate(clients, first)]
    packets = sorted((packet for one in made for packet in one.packets), key=lambda packet: packet.at)
    path = folder / f"logins-{first}.pcap"
    path.write_bytes(pcap(packets))
    return path
