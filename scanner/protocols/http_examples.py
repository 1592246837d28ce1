"""Transcripts that prove what is made of HTTP."""

from __future__ import annotations

from scanner.conversation import CLIENT, SERVER
from scanner.events import Label, Login, Offer, Outcome, Phase, Reached, Service
from scanner.protocols.smtp_examples import MACHINE, NTLM_CHALLENGE
from scanner.session import Example

PHONE = Example(
    "a phone syncs with a password",
    (
        (
            CLIENT,
            b"POST /Microsoft-Server-ActiveSync?Cmd=Sync&User=ann&DeviceId=AB12&DeviceType=Fon HTTP/1.1\r\n"
            b"Host: outlook.office365.com\r\nMS-ASProtocolVersion: 14.1\r\nContent-Length: 3\r\n"
            b"Authorization: Basic YW5uQGV4YW1wbGUuY29tOnNlY3JldC0x\r\n\r\nabc",
        ),
        (
            SERVER,
            b'HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=""\r\nContent-Length: 0\r\n\r\n',
        ),
    ),
    (
        Label("http.host", "outlook.office365.com"),
        Label("eas.version", "14.1"),
        Service("eas"),
        Label("eas.command", "Sync"),
        Label("eas.user", "ann"),
        Label("eas.device_id", "AB12"),
        Label("eas.device_type", "Fon"),
        Offer(("HTTP-Basic",)),
        Login("HTTP-Basic", Outcome.REFUSED, "ann@example.com", "401 Unauthorized"),
        Reached(Phase.ANSWERED),
    ),
    (b"secret-1", b"YW5uQGV4YW1wbGUuY29tOnNlY3JldC0x"),
)

OUTLOOK = Example(
    "a client begins NTLM, and the server says who it is",
    (
        (CLIENT, b"GET /EWS/Exchange.asmx HTTP/1.1\r\nHost: mail.acme.example\r\n"),
        (CLIENT, b"Authorization: NTLM TlRMTVNTUAABAAAABYIIAgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAADw==\r\n\r\n"),
        (SERVER, b"HTTP/1.1 401 Unauthorized\r\nX-FEServer: FILES-3\r\nContent-Length: 0\r\n"),
        (SERVER, b"WWW-Authenticate: NTLM " + NTLM_CHALLENGE + b"\r\n\r\n"),
    ),
    (
        Label("http.host", "mail.acme.example"),
        Service("ews"),
        Offer(("HTTP-NTLM",)),
        Label("http.exchange", "X-FEServer: FILES-3"),
        *MACHINE,
        Login("HTTP-NTLM", None),
        Reached(Phase.ANSWERED),
    ),
    (b"Nonce-01", NTLM_CHALLENGE),
)
