"""Transcripts that prove what is made of SMTP."""

from __future__ import annotations

from scanner.conversation import CLIENT, SERVER
from scanner.events import (
    ClientName,
    Greeting,
    Label,
    Login,
    Mail,
    Manner,
    Offer,
    Outcome,
    Phase,
    Reached,
    TlsMode,
    TlsStarted,
)
from scanner.session import Example

COPIER = Example(
    "a copier sends a password to Exchange Online as if TLS were not there",
    (
        (SERVER, b"220 AM0PR01CA0001.outlook.office365.com Microsoft ESMTP MAIL Service ready at x\r\n"),
        (CLIENT, b"EHLO copier\r\n"),
        (SERVER, b"250-AM0PR01CA0001.outlook.office365.com Hello [203.0.113.7]\r\n"),
        (SERVER, b"250-AUTH LOGIN XOAUTH2\r\n250 DSN\r\n"),
        (CLIENT, b"AUTH LOGIN\r\n"),
        (SERVER, b"334 VXNlcm5hbWU6\r\n"),
        (CLIENT, b"c2NhbkBleGFtcGxlLmNvbQ==\r\n"),
        (SERVER, b"334 UGFzc3dvcmQ6\r\n"),
        (CLIENT, b"c2VjcmV0LTE=\r\n"),
        (SERVER, b"535 5.7.139 Authentication unsuccessful, basic authentication is disabled\r\n"),
        (CLIENT, b"QUIT\r\n"),
        (SERVER, b"221 2.0.0 Service closing transmission channel\r\n"),
    ),
    (
        Greeting(
            "AM0PR01CA0001.outlook.office365.com Microsoft ESMTP MAIL Service ready at x",
            "AM0PR01CA0001.outlook.office365.com",
        ),
        ClientName("copier", "EHLO"),
        Offer(("LOGIN", "XOAUTH2"), starttls=False, length=94),
        Label("smtp.public_ip", "203.0.113.7"),
        Login(
            "LOGIN",
            Outcome.REFUSED,
            "scan@example.com",
            "5.7.139 Authentication unsuccessful, basic authentication is disabled",
            "basic-disabled",
        ),
        Manner("ehlo=bare auth=LOGIN", left=True),
        Reached(Phase.SERVED),
    ),
    (b"secret-1", b"c2VjcmV0LTE="),
)
SENDER = Example(
    "a direct sender pipelines an envelope and its body is not read as commands",
    (
        (SERVER, b"220-mx.example.com ESMTP\r\n220 welcome\r\n"),
        (CLIENT, b"HELO ups\r\n"),
        (SERVER, b"250 mx.example.com\r\n"),
        (CLIENT, b"MAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.com>\r\nDATA\r\n"),
        (SERVER, b"250 ok\r\n250 ok\r\n354 go\r\n"),
        (CLIENT, b"X-Mailer: UPS 2\r\n\r\nAUTH PLAIN c2VjcmV0\r\n.\r\nQUIT\r\n"),
        (SERVER, b"250 queued\r\n221 bye\r\n"),
    ),
    (
        Greeting("mx.example.com ESMTP welcome", "mx.example.com"),
        ClientName("ups", "HELO"),
        Mail(accepted=True),
        Label("mail.x_mailer", "UPS 2"),
        Manner("ehlo=bare helo-first pipelined", left=True),
        Reached(Phase.SERVED),
    ),
)
STARTTLS = Example(
    "STARTTLS hands over",
    (
        (SERVER, b"220 smtp.example.com ESMTP\r\n"),
        (CLIENT, b"EHLO [192.0.2.1]\r\n"),
        (SERVER, b"250-smtp.example.com\r\n250-SIZE 1\r\n250 STARTTLS\r\n"),
        (CLIENT, b"STARTTLS\r\n"),
        (SERVER, b"220 2.0.0 SMTP server ready\r\n"),
    ),
    (
        Greeting("smtp.example.com ESMTP", "smtp.example.com"),
        ClientName("[192.0.2.1]", "EHLO"),
        Offer((), starttls=True, length=48),
        TlsStarted(TlsMode.STARTTLS),
        Manner("ehlo=literal", left=True),
        Reached(Phase.ANSWERED),
    ),
)
NTLM_CHALLENGE = (
    b"TlRMTVNTUAACAAAAAAAAADgAAAABAIgCTm9uY2UtMDEAAAAAAAAAAGoAAAA4AAAACgBjRQAAAA8CAAgAQQBDAE0ARQABAA4ARgBJ"
    b"AEwARQBTAC0AMwAEABgAYQBjAG0AZQAuAGUAeABhAG0AcABsAGUAAwAoAGYAaQBsAGUAcwAtADMALgBhAGMAbQBlAC4AZQB4AGEA"
    b"bQBwAGwAZQAAAAAA"
)
"""That of FILES-3 in the domain ACME, Windows 10.0.17763 ([MS-NLMP] 2.2.1.2)."""
MACHINE = (
    Label("ntlm.host", "files-3.acme.example"),
    Label("ntlm.domain", "acme.example"),
    Label("ntlm.version", "10.0.17763"),
)
"""What it tells."""
CANCELLED = Example(
    "NTLM is begun for the names that the server tells, and given up",
    (
        (SERVER, b"220 files-3.acme.example ESMTP\r\n"),
        (CLIENT, b"EHLO mailsunset\r\n"),
        (SERVER, b"250-files-3.acme.example\r\n250 AUTH NTLM\r\n"),
        (CLIENT, b"AUTH NTLM\r\n"),
        (SERVER, b"334 NTLM supported\r\n"),
        (CLIENT, b"TlRMTVNTUAABAAAABYIIAgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAADw==\r\n"),
        (SERVER, b"334 " + NTLM_CHALLENGE + b"\r\n"),
        (CLIENT, b"*\r\n"),
        (SERVER, b"501 5.7.0 Cancelled\r\n"),
        (CLIENT, b"QUIT\r\n"),
        (SERVER, b"221 bye\r\n"),
    ),
    (
        Greeting("files-3.acme.example ESMTP", "files-3.acme.example"),
        ClientName("mailsunset", "EHLO"),
        Offer(("NTLM",), length=41),
        *MACHINE,
        Login("NTLM", Outcome.REFUSED, None, "5.7.0 Cancelled"),
        Manner("ehlo=bare auth=NTLM", left=True),
        Reached(Phase.SERVED),
    ),
    (b"Nonce-01", NTLM_CHALLENGE),
)
