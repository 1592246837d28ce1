"""A service that has everything, and others like it."""

from dataclasses import replace
from typing import Any

from scanner.events import TlsMode
from scanner.services import (
    Answered,
    NtlmNames,
    Relaying,
    Service,
    ServicePath,
    ShownCertificate,
    TlsAccepted,
)

AT = 1_790_000_000_000_000_000
"""2026-09-21T14:13:20 UTC."""
DAY = 86_400_000_000_000
BARE = Service("10.0.0.1", 25, Answered.ANSWERED, AT)
CERTIFICATE = ShownCertificate(
    "mail.example.com", "Example CA", ("mail.example.com", "10.0.0.1"), AT - DAY, AT + DAY, "RSA 2048",
    "sha256", False,
)  # fmt: skip
WHOLE = Service(
    host="10.0.0.1",
    port=587,
    outcome=Answered.ANSWERED,
    at=AT,
    protocol="smtp",
    service="submission",
    tls_mode=TlsMode.STARTTLS,
    offered=("LOGIN", "PLAIN"),
    offered_tls=("LOGIN", "PLAIN", "XOAUTH2"),
    starttls=True,
    login_disabled=False,
    tls=TlsAccepted("TLSv1", "TLSv1.3", ("TLS_RSA_WITH_RC4_128_SHA",)),
    certificate=CERTIFICATE,
    banner="mail.example.com ESMTP Postfix",
    server_name="mail.example.com",
    public_ip="192.0.2.1",
    ntlm=NtlmNames("mail.example.com", "EXAMPLE"),
    paths=(ServicePath("eas", "/Microsoft-Server-ActiveSync", 401, ("HTTP-Basic", "HTTP-Negotiate")),),
    relaying=Relaying.REFUSES,
    detail="said after a while",
)


def bare(**changes: Any) -> Service:
    """A port that answered, of which nothing is known but this."""
    return replace(BARE, **changes)


def whole(**changes: Any) -> Service:
    """A service that has everything, but for this."""
    return replace(WHOLE, **changes)
