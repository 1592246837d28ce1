"""What is said in the captures: the kinds of mail sessions, and the bulk around them."""

from __future__ import annotations

import random
import struct

from benchmarks.handshakes import hello, sealed, tls12, tls13, turns
from benchmarks.parts import (
    ANY,
    BASE64,
    CLIENT,
    HEXADECIMAL,
    LOWER,
    SERVER,
    Dialogue,
    Encoded,
    Field,
    Part,
    Said,
    says,
    size,
)

MAILBOX_SERVERS, MX_SERVERS = b"\x34\x60\x07", b"\x34\x65\x07"
"""In 52.96.0.0/14 and 52.100.0.0/14, which are Exchange Online's."""
WEB_SERVERS, OFFICE_SERVERS = b"\xc6\x33\x64", b"\x0a\x14\xfa"
USER: tuple[Part, ...] = (Field("user", LOWER, 9), b"@example.com")
PASSWORD: tuple[Part, ...] = (b"sample-secret-", Field("password", LOWER, 7))
HOST = Field("host", HEXADECIMAL, 12)
MACHINE = Field("machine", HEXADECIMAL, 4)
TOKEN: tuple[Part, ...] = (b"sample-secret.", Field("token", BASE64, 1100))
GREETING = says(SERVER, "220 AM0PR01CA", MACHINE, ".outlook.office365.com Microsoft ESMTP MAIL Service ready "
                "at Tue, 24 Nov 2026 10:00:00 +0000 [08DE01", MACHINE, "]\r\n")  # fmt: skip
HELLO = says(CLIENT, "EHLO RNP", HOST, "\r\n")
QUIT = (says(CLIENT, "QUIT\r\n"), says(SERVER, "221 2.0.0 Service closing transmission channel\r\n"))


def _offer(*lines: str) -> Said:
    texts = [" Hello [203.0.113.7]", "SIZE 157286400", "PIPELINING", "DSN", *lines, "8BITMIME", "CHUNKING"]
    first = ("250-AM0PR01CA", MACHINE, f".outlook.office365.com{texts[0]}\r\n")
    return says(SERVER, *first, "".join(f"250-{text}\r\n" for text in texts[1:]), "250 SMTPUTF8\r\n")


def _smtp(
    *said: Said, port: int = 587, servers: bytes = MAILBOX_SERVERS, offer: str = "AUTH LOGIN PLAIN XOAUTH2"
) -> Dialogue:
    return Dialogue(port, (GREETING, HELLO, _offer(offer), *said), servers)


_START = (says(CLIENT, "STARTTLS\r\n"), says(SERVER, "220 2.0.0 SMTP server ready\r\n"))
_LOGIN_INSIDE = (23, -210, 12, -18, 30, -18, 26, -37, 6, -48)
_TOKEN_INSIDE = (23, -210, 1540, -37, 6, -48)
SMTP_TLS12 = _smtp(*_START, *tls12(hello("smtp.office365.com", newest=False)),
                   *turns(*_LOGIN_INSIDE, newest=False), offer="STARTTLS")  # fmt: skip
SMTP_TLS13 = _smtp(*_START, *tls13(hello("smtp.office365.com")), *turns(*_TOKEN_INSIDE), offer="STARTTLS")
SMTP_LOGIN = _smtp(
    says(CLIENT, "AUTH LOGIN\r\n"),
    says(SERVER, "334 VXNlcm5hbWU6\r\n"),
    says(CLIENT, Encoded(USER), "\r\n"),
    says(SERVER, "334 UGFzc3dvcmQ6\r\n"),
    says(CLIENT, Encoded(PASSWORD), "\r\n"),
    says(SERVER, "235 2.7.0 Authentication successful\r\n"),
    *QUIT,
)
SMTP_PLAIN_REFUSED = _smtp(
    says(CLIENT, "AUTH PLAIN ", Encoded((b"\0", *USER, b"\0", *PASSWORD)), "\r\n"),
    says(SERVER, "535 5.7.139 Authentication unsuccessful, basic authentication is disabled. [AM0PR01CA",
         MACHINE, ".eurprd01.prod.outlook.com]\r\n"),
    *QUIT,
)  # fmt: skip
SMTP_MX = _smtp(
    says(CLIENT, "MAIL FROM:<", *USER, ">\r\n"),
    says(SERVER, "250 2.1.0 Sender OK\r\n"),
    says(CLIENT, "RCPT TO:<ann@example.com>\r\n"),
    says(SERVER, "250 2.1.5 Recipient OK\r\n"),
    says(CLIENT, "DATA\r\n"),
    says(SERVER, "354 Start mail input; end with <CRLF>.<CRLF>\r\n"),
    says(CLIENT, "From: ", *USER, "\r\nTo: ann@example.com\r\nSubject: scan ", HOST, "\r\n\r\n",
         "The scanned page is attached.\r\n" * 20, ".\r\n"),
    says(SERVER, "250 2.6.0 <", HOST, "@example.com> Queued mail for delivery\r\n"),
    *QUIT, port=25, servers=MX_SERVERS, offer="STARTTLS",
)  # fmt: skip

_IMAP = says(SERVER, "* OK The Microsoft Exchange IMAP4 service is ready. [TQBA", MACHINE, "]\r\n")
_CAPABLE = (
    says(CLIENT, "a1 CAPABILITY\r\n"),
    says(SERVER, "* CAPABILITY IMAP4 IMAP4rev1 AUTH=PLAIN AUTH=XOAUTH2 SASL-IR UIDPLUS ID UNSELECT CHILDREN "
         "IDLE NAMESPACE LITERAL+\r\na1 OK CAPABILITY completed.\r\n"),
)  # fmt: skip
_LOGOUT = (
    says(CLIENT, "a3 LOGOUT\r\n"),
    says(SERVER, "* BYE Microsoft Exchange Server IMAP4 server signing off.\r\na3 OK LOGOUT completed.\r\n"),
)


def _imap(*said: Said) -> Dialogue:
    return Dialogue(143, (_IMAP, *_CAPABLE, *said, *_LOGOUT), MAILBOX_SERVERS)


_IMAP_LOGIN = says(CLIENT, "a2 LOGIN ", *USER, " ", *PASSWORD, "\r\n")
IMAP_LOGIN = _imap(_IMAP_LOGIN, says(SERVER, "a2 OK LOGIN completed.\r\n"))
IMAP_LOGIN_REFUSED = _imap(_IMAP_LOGIN, says(SERVER, "a2 NO LOGIN failed.\r\n"))
IMAP_TOKEN = _imap(
    says(CLIENT, "a2 AUTHENTICATE XOAUTH2 ",
         Encoded((b"user=", *USER, b"\x01auth=Bearer ", *TOKEN, b"\x01\x01")), "\r\n"),
    says(SERVER, "a2 OK AUTHENTICATE completed.\r\n"),
)  # fmt: skip
IMAP_TLS = Dialogue(993, (*tls13(hello("outlook.office365.com")),
                          *turns(-86, 15, -170, 1534, -33, 13, -76)), MAILBOX_SERVERS)  # fmt: skip
POP_REFUSED = Dialogue(
    110,
    (
        says(SERVER, "+OK The Microsoft Exchange POP3 service is ready. [TQBA", MACHINE, "]\r\n"),
        says(CLIENT, "USER ", *USER, "\r\n"),
        says(SERVER, "+OK\r\n"),
        says(CLIENT, "PASS ", *PASSWORD, "\r\n"),
        says(SERVER, "-ERR Logon failure: unknown user name or bad password.\r\n"),
        says(CLIENT, "QUIT\r\n"),
        says(SERVER, "+OK Microsoft Exchange Server POP3 server signing off.\r\n"),
    ),
    MAILBOX_SERVERS,
)
POP_TLS = Dialogue(995, (*tls12(hello("outlook.office365.com", newest=False)),
                         *turns(-86, 28, -5, 29, -34, 6, -64, newest=False)), MAILBOX_SERVERS)  # fmt: skip
_SYNC = (
    bytes.fromhex("03016a00455c4f4b03"), Field("key", HEXADECIMAL, 10), bytes.fromhex("00015203"),
    Field("folder", HEXADECIMAL, 12), bytes.fromhex("000101010101"),
)  # fmt: skip
"""WBXML: synchronise one folder since a key (MS-ASWBXML 2.1.2.1.1)."""
EAS = Dialogue(
    80,
    (
        says(CLIENT, "POST /Microsoft-Server-ActiveSync?Cmd=Sync&User=", *USER, "&DeviceId=ANDROID", HOST,
             "&DeviceType=Android HTTP/1.1\r\nHost: outlook.office365.com\r\nUser-Agent: Android-Mail/1\r\n"
             "MS-ASProtocolVersion: 14.1\r\nContent-Type: application/vnd.ms-sync.wbxml\r\n"
             "Authorization: Basic ", Encoded((*USER, b":", *PASSWORD)),
             f"\r\nContent-Length: {size(_SYNC)}\r\n\r\n", *_SYNC),
        says(SERVER, "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nServer: Microsoft-IIS/10.0\r\n"
             'WWW-Authenticate: Bearer client_id="00000002-0000-0ff1-ce00-000000000000"\r\n'
             "X-FEServer: AM0PR01CA", MACHINE, "\r\n\r\n"),
    ),
    MAILBOX_SERVERS,
)  # fmt: skip
HTTPS = Dialogue(443, (*tls13(hello("outlook.office365.com", ("h2", "http/1.1"), grease=True)),
                       *turns(97, -71, 1730, -1180, 260, -88)), MAILBOX_SERVERS)  # fmt: skip

MAIL: dict[str, Dialogue] = {
    "smtp tls 1.2": SMTP_TLS12,
    "smtp tls 1.3": SMTP_TLS13,
    "smtp login": SMTP_LOGIN,
    "smtp plain refused": SMTP_PLAIN_REFUSED,
    "smtp to the mx": SMTP_MX,
    "imap tls": IMAP_TLS,
    "imap login": IMAP_LOGIN,
    "imap login refused": IMAP_LOGIN_REFUSED,
    "imap token": IMAP_TOKEN,
    "pop refused": POP_REFUSED,
    "pop tls": POP_TLS,
    "eas": EAS,
    "https": HTTPS,
}
WEIGHTS = {name: 1 if name.startswith("imap login") else 2 for name in MAIL}
"""A password by IMAP is one kind of twelve, taken half the time."""


def bulk(draw: random.Random, kinds: int) -> list[Dialogue]:
    """Make what an office does all day: web, downloads, shells, print jobs, calls, names."""
    makers = (_web, _web, _download, _call, _web, _print, _shell, _upload)
    return [makers[number % len(makers)](draw) for number in range(kinds)]


def _web(draw: random.Random) -> Dialogue:
    name = f"www{draw.randrange(100):02d}.example.net"
    pages = []
    for number in range(draw.randint(4, 8)):
        pages.append(sealed(CLIENT, draw.randint(80, 900), name=f"ask {number}"))
        pages.append(
            sealed(SERVER, *[16384] * draw.randint(1, 5), draw.randint(20, 9000), name=f"page {number}")
        )
    opening = hello(name, ("h2", "http/1.1"), grease=bool(draw.randrange(2)))
    return Dialogue(443, (*tls13(opening), *pages), WEB_SERVERS)


def _download(draw: random.Random) -> Dialogue:
    body = draw.randbytes(draw.randint(200_000, 500_000))
    ask = says(
        CLIENT, "GET /", HOST, ".iso HTTP/1.1\r\nHost: files.example.net\r\nUser-Agent: office/1.0\r\n\r\n"
    )
    answer = says(SERVER, f"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n"
                  f"Content-Length: {len(body)}\r\n\r\n", body)  # fmt: skip
    return Dialogue(80, (ask, answer), WEB_SERVERS)


def _upload(draw: random.Random) -> Dialogue:
    records = [16384] * draw.randint(8, 24)
    said = (sealed(CLIENT, 400, *records, name="file"), sealed(SERVER, 180, name="thanks"))
    return Dialogue(443, (*tls13(hello("files.example.net")), *said), WEB_SERVERS)


def _print(draw: random.Random) -> Dialogue:
    job = b"\x1b%-12345X@PJL JOB\r\n" + draw.randbytes(draw.randint(60_000, 200_000))
    return Dialogue(
        9100, (says(CLIENT, job, HOST), says(SERVER, "@PJL USTATUS JOB\r\nEND\r\n")), OFFICE_SERVERS
    )


def _shell(draw: random.Random) -> Dialogue:
    said = [says(SERVER, "SSH-2.0-OpenSSH_9.2\r\n"), says(CLIENT, "SSH-2.0-OpenSSH_9.6\r\n")]
    return Dialogue(22, tuple(said), OFFICE_SERVERS)


def _call(draw: random.Random) -> Dialogue:
    said = []
    for number in range(draw.randint(200, 400)):
        lead = struct.pack(">BBHII", 0x80, 0x60, number, number * 3000, 77)
        said.append(Said(number % 5 == 4, (lead, draw.randbytes(draw.randint(700, 1200)))))
    return Dialogue(50_004, tuple(said), WEB_SERVERS, udp=True)


IDENTITY = Field("identity", ANY, 2)


def asked_name(name: str, address: bytes) -> Dialogue:
    """Make a question for a name, and its answer."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0\0\x01\0\x01"
    answer = b"\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04" + address
    said = (
        says(CLIENT, IDENTITY, b"\x01\0\0\x01\0\0\0\0\0\0", labels),
        says(SERVER, IDENTITY, b"\x81\x80\0\x01\0\x01\0\0\0\0", labels, answer),
    )
    return Dialogue(53, said, OFFICE_SERVERS, udp=True)


__all__ = ["MAIL", "WEIGHTS", "asked_name", "bulk"]
