"""Python's own mail clients: ``client.py PROTOCOL HOST PORT TLS HOW USER SECRET NAME``.

``TLS`` is ``clear``, ``starttls`` or ``implicit``, with ``:1.2`` behind it where a version is wanted. It ends
with 0 also where the server refuses: that is what the lab is for.
"""

from __future__ import annotations

import base64
import contextlib
import imaplib
import poplib
import smtplib
import ssl
import sys
from collections.abc import Callable

VERSIONS = {
    "1.0": ssl.TLSVersion.TLSv1,
    "1.1": ssl.TLSVersion.TLSv1_1,
    "1.2": ssl.TLSVersion.TLSv1_2,
    "1.3": ssl.TLSVersion.TLSv1_3,
}
MAIL = b"From: a@example.com\r\nTo: b@example.net\r\nSubject: lab\r\n\r\nscan\r\n"
TIMEOUT_S = 10


def context(version: str) -> ssl.SSLContext:
    """Trust anybody, and speak exactly this version."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
    made.set_ciphers("DEFAULT@SECLEVEL=0")
    if version:
        made.minimum_version = made.maximum_version = VERSIONS[version]
    return made


def smtp(host: str, port: int, tls: str, how: str, user: str, secret: str, name: str) -> None:
    """Log in as ``how`` says, and send a mail (``twice``: two)."""
    mode, _, version = tls.partition(":")
    kind = smtplib.SMTP
    options = {"local_hostname": name, "timeout": TIMEOUT_S}
    if mode == "implicit":
        kind = smtplib.SMTP_SSL
        options["context"] = context(version)
    with kind(host, port, **options) as client:
        if how == "helo":
            client.helo()
            client.sendmail("a@example.com", ["b@example.net"], MAIL)
            return
        client.ehlo()
        if mode == "starttls":
            client.starttls(context=context(version))
            client.ehlo()
        client.user, client.password = user, secret
        bearer = f"user={user}\1auth=Bearer {secret}\1\1"
        forms: dict[str, Callable[[], object]] = {
            "PLAIN": lambda: client.auth("PLAIN", client.auth_plain),
            "PLAIN-later": lambda: client.auth("PLAIN", client.auth_plain, initial_response_ok=False),
            "LOGIN": lambda: client.auth("LOGIN", client.auth_login),
            "LOGIN-later": lambda: client.auth("LOGIN", client.auth_login, initial_response_ok=False),
            "CRAM-MD5": lambda: client.auth("CRAM-MD5", client.auth_cram_md5, initial_response_ok=False),
            "XOAUTH2": lambda: client.auth("XOAUTH2", lambda challenge=None: "" if challenge else bearer),
        }
        if how in forms:
            try:
                forms[how]()
            except smtplib.SMTPAuthenticationError:
                return  # as programs do
        for _ in range(2 if how == "twice" else 1):
            with contextlib.suppress(smtplib.SMTPException):
                client.sendmail("a@example.com", ["b@example.net"], MAIL)


def imap(host: str, port: int, tls: str, how: str, user: str, secret: str, name: str) -> None:
    """Log in as ``how`` says, and take leave."""
    mode, _, version = tls.partition(":")
    if mode == "implicit":
        client: imaplib.IMAP4 = imaplib.IMAP4_SSL(host, port, ssl_context=context(version), timeout=TIMEOUT_S)
    else:
        client = imaplib.IMAP4(host, port, TIMEOUT_S)
    if mode == "starttls":
        client.starttls(context(version))
    with contextlib.suppress(imaplib.IMAP4.error):
        match how:
            case "LOGIN":
                client.login(user, secret)
            case "CRAM-MD5":
                client.login_cram_md5(user, secret)
            case "PLAIN":
                client.authenticate("PLAIN", lambda _: f"\0{user}\0{secret}".encode())
            case "XOAUTH2":
                answers = iter([f"user={user}\1auth=Bearer {secret}\1\1".encode(), b""])
                client.authenticate("XOAUTH2", lambda _: next(answers))
            case "twice":
                with contextlib.suppress(imaplib.IMAP4.error):
                    client.authenticate("PLAIN", lambda _: f"\0{user}\0wrong{secret}".encode())
                client.login(user, secret)
            case _:
                client.noop()
        client.list()
    client.logout()


def pop3(host: str, port: int, tls: str, how: str, user: str, secret: str, name: str) -> None:
    """Log in as ``how`` says, and take leave."""
    mode, _, version = tls.partition(":")
    if mode == "implicit":
        client: poplib.POP3 = poplib.POP3_SSL(host, port, timeout=TIMEOUT_S, context=context(version))
    else:
        client = poplib.POP3(host, port, TIMEOUT_S)
    if mode == "starttls":
        client.stls(context(version))
    with contextlib.suppress(poplib.error_proto):
        match how:
            case "USERPASS":
                client.user(user)
                client.pass_(secret)
            case "APOP":
                client.apop(user, secret)
            case "XOAUTH2":
                bearer = base64.b64encode(f"user={user}\1auth=Bearer {secret}\1\1".encode()).decode()
                if client._shortcmd("AUTH XOAUTH2") == b"+ " and client._shortcmd(bearer).startswith(b"+ "):
                    client._shortcmd("")
            case _:
                client.capa()
        client.stat()
    client.quit()


def main() -> None:
    """Talk once."""
    protocol, host, port, *rest = sys.argv[1:]
    {"smtp": smtp, "imap": imap, "pop3": pop3}[protocol](host, int(port), *rest)


if __name__ == "__main__":
    main()
