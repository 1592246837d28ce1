"""TLS as servers are set up: versions, cipher families, tickets, client certificates; keys go to a log."""

from __future__ import annotations

import ssl
from functools import cache
from pathlib import Path

SETTINGS: dict[str, tuple[str, str]] = {
    "13-aes256": ("TLSv1_3", "DEFAULT"),
    "13-chacha": ("TLSv1_3", "DEFAULT"),
    "13-aes128": ("TLSv1_3", "DEFAULT"),
    "12-gcm256": ("TLSv1_2", "ECDHE-RSA-AES256-GCM-SHA384"),
    "12-gcm128": ("TLSv1_2", "ECDHE-RSA-AES128-GCM-SHA256"),
    "12-chacha": ("TLSv1_2", "ECDHE-RSA-CHACHA20-POLY1305"),
    "12-cbc-sha": ("TLSv1_2", "ECDHE-RSA-AES256-SHA"),
    "12-cbc-sha256": ("TLSv1_2", "ECDHE-RSA-AES128-SHA256"),
    "12-cbc-mte": ("TLSv1_2", "ECDHE-RSA-AES256-SHA"),
    "12-rsa-cbc": ("TLSv1_2", "AES128-SHA"),
    "11-cbc": ("TLSv1_1", "ECDHE-RSA-AES256-SHA:AES256-SHA"),
    "10-cbc": ("TLSv1", "ECDHE-RSA-AES256-SHA:AES128-SHA"),
}
"""Name: version, and ciphers below TLS 1.3, whose ciphers the client is told to choose from."""
NO_ENCRYPT_THEN_MAC = 1 << 19
"""SSL_OP_NO_ENCRYPT_THEN_MAC of OpenSSL, which the ``ssl`` module does not name."""


def _note_name(sock: ssl.SSLSocket, name: str | None, _context: ssl.SSLContext) -> None:
    sock.asked_name = name  # type: ignore[attr-defined]


@cache
def settings(
    name: str, tickets: int, asks: bool, folder: Path, log: Path, alpn: tuple[str, ...]
) -> ssl.SSLContext:
    """Set a server up; ``log`` is where its keys go."""
    version, ciphers = SETTINGS[name]
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
    made.set_ciphers(f"{ciphers}:@SECLEVEL=0")
    made.minimum_version = made.maximum_version = ssl.TLSVersion[version]
    made.keylog_filename = str(log)
    if version == "TLSv1_3":
        made.num_tickets = tickets
    elif not tickets:
        made.options |= ssl.OP_NO_TICKET
    if name == "12-cbc-mte":
        made.options |= NO_ENCRYPT_THEN_MAC
    if asks:
        made.verify_mode = ssl.CERT_OPTIONAL
        made.load_verify_locations(folder / "certificate.pem")
    made.sni_callback = _note_name  # type: ignore[assignment]
    if alpn:
        made.set_alpn_protocols(list(alpn))
    return made
