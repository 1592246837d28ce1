"""Exchange Online as it speaks: today's sentences, those of some years ago, and its mail exchanger's."""

from __future__ import annotations

import base64

from imitation.persona import ImapTexts, Persona, Pop3Texts, SmtpTexts

PORTS = {
    25: ("smtp", "starttls"),
    587: ("smtp", "starttls"),
    465: ("smtp", "implicit"),
    143: ("imap", "starttls"),
    993: ("imap", "implicit"),
    110: ("pop3", "starttls"),
    995: ("pop3", "implicit"),
    443: ("http", "implicit"),
}
HOST = "FR4P281CA0{number:03}.DEUP281.PROD.OUTLOOK.COM"
STAMP = "2026-11-2{day}T09:{minute:02}:13.437Z"
FEATURES = (
    "SIZE 157286400",
    "PIPELINING",
    "DSN",
    "ENHANCEDSTATUSCODES",
    "8BITMIME",
    "BINARYMIME",
    "CHUNKING",
    "SMTPUTF8",
)
LOCKED = "user is locked by your organization's security defaults policy. Contact your administrator."
CRITERIA = (
    "the request did not meet the criteria to be authenticated successfully. Contact your administrator."
)
REFUSALS = {
    "wrong": "535 5.7.3 Authentication unsuccessful",
    "basic-disabled": "535 5.7.139 Authentication unsuccessful, basic authentication is disabled.",
    "tenant": (
        "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant. "
        "Visit https://aka.ms/smtp_auth_disabled for more information."
    ),
    "mailbox": (
        "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Mailbox. "
        "Visit https://aka.ms/smtp_auth_disabled for more information."
    ),
    "defaults": f"535 5.7.139 Authentication unsuccessful, {LOCKED}",
    "criteria": f"535 5.7.139 Authentication unsuccessful, {CRITERIA}",
    "credentials": "535 5.7.139 Authentication unsuccessful, the user credentials were incorrect.",
    "locked": "535 5.7.139 Authentication unsuccessful, account locked. Contact your administrator.",
    "sts": "535 5.7.139 Authentication unsuccessful, federated STS service was unreachable.",
    "sts-https": ("535 5.7.139 Authentication unsuccessful, the federated STS URL does not support HTTPS."),
    "final": "550 5.7.30 Basic authentication is not supported for Client Submission.",
    "blob": "501 5.5.124 Invalid XOAUTH2 auth data",
}
"""Key and sentence; the server's name, time and connection stand behind each."""
TAIL = "UIDPLUS ID UNSELECT CHILDREN IDLE NAMESPACE LITERAL+"
AFTER = f"IMAP4 IMAP4rev1 AUTH=XOAUTH2 SASL-IR {TAIL} MOVE CLIENTACCESSRULES CLIENTNETWORKPRESENCELOCATION "
AFTER += "BACKENDAUTHENTICATE"


def _back_end(host: str) -> str:
    return base64.b64encode(host.encode("utf-16-le")).decode()


def smtp(host: str, tail: str, relays: bool) -> SmtpTexts:
    """Client submission, or with ``relays`` the mail exchanger, where nobody logs in."""
    closing = "Service closing transmission channel"
    return SmtpTexts(
        greeting=(
            f"220 {host} Microsoft ESMTP MAIL Service ready at Wed, 25 Nov 2026 09:14:12 +0000 "
            "[08DE2B8A6A0C1D57]",
        ),
        hello=f"{host} Hello [203.0.113.77]",
        features=FEATURES,
        helo=f"250 {host} Hello [203.0.113.77]",
        starttls_ready="220 2.0.0 SMTP server ready",
        mechanisms=() if relays else ("LOGIN", "XOAUTH2"),
        refusals=tuple((key, f"{text} {tail}") for key, text in REFUSALS.items()),
        queued=(
            f"250 2.0.0 OK <scan-0001@example.com> [Hostname={host.replace('CA', 'MB')}] Queued mail "
            "for delivery"
        ),
        chunk_ok="250 2.6.0 CHUNK received OK, {size} octets",
        bye=f"221 2.0.0 {closing}",
        unknown=f"500 5.3.3 Unrecognized command '{{verb}}' {tail}",
        needs_login=f"530 5.7.57 Client not authenticated to send mail. {tail}",
        needs_login_at="" if relays else "MAIL",
        not_offered=f"504 5.7.4 Unrecognized authentication type {tail}",
    )


def today(name: str, number: int, address: str, names: tuple[str, ...], **more: object) -> Persona:
    """Give a server with the sentences of November 2026."""
    host = HOST.format(number=number)
    tail = f"[{host} {STAMP.format(day=5, minute=number % 60)} 08DE2B8A6A0C1D57]"
    imap = ImapTexts(
        greeting=f"* OK Microsoft Exchange IMAP4 service ready. 7f3a (tcpproxy/15.20.9320.013) "
        f"[{_back_end(host)}]",
        capabilities=f"IMAP4 IMAP4rev1 AUTH=XOAUTH2 LOGINDISABLED SASL-IR {TAIL}",
        capabilities_after=AFTER,
        login_no="NO Basic authentication is disabled.",
        authenticate_no="NO AUTHENTICATE failed.",
        not_offered="NO Basic authentication is disabled.",
        login_disabled=True,
        hangs_up=True,
    )
    pop3 = Pop3Texts(
        greeting=f"+OK Microsoft Exchange POP3 server ready (tcpproxy/15.20.9320.013). [{_back_end(host)}]",
        capabilities=("TOP", "UIDL", "SASL PLAIN XOAUTH2", "USER"),
        pass_no="-ERR Basic authentication is disabled",
        passwords_off=True,
    )
    texts = smtp(host, tail, relays=False)
    return Persona(name, address, host, texts, imap, pop3, names, web="exo", ports=PORTS, **more)


def earlier(name: str, number: int, address: str, names: tuple[str, ...], **more: object) -> Persona:
    """Give a server with the sentences of 2022, when passwords still worked."""
    host = HOST.format(number=number)
    imap = ImapTexts(
        greeting=f"* OK The Microsoft Exchange IMAP4 service is ready. [{_back_end(host)}]",
        capabilities=f"IMAP4 IMAP4rev1 AUTH=PLAIN AUTH=XOAUTH2 SASL-IR {TAIL}",
        capabilities_after=f"IMAP4 IMAP4rev1 AUTH=PLAIN AUTH=XOAUTH2 SASL-IR {TAIL}",
    )
    pop3 = Pop3Texts(
        greeting=f"+OK The Microsoft Exchange POP3 service is ready. [{_back_end(host)}]",
        capabilities=("TOP", "UIDL", "SASL PLAIN XOAUTH2", "USER"),
    )
    texts = smtp(host, f"[{host}]", relays=False)
    return Persona(name, address, host, texts, imap, pop3, names, web="exo", ports=PORTS, **more)


def exchanger(name: str, number: int, address: str, names: tuple[str, ...]) -> Persona:
    """Give a mail exchanger of a tenant, port 25 only."""
    host = f"DB5PEPF00014B{number:02X}.mail.protection.outlook.com"
    ports = {25: ("smtp", "starttls")}
    return Persona(name, address, host, smtp(host, f"[{host}]", relays=True), names=names, ports=ports)
