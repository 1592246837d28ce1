"""Mail libraries of PyPI: ``python pypi.py NAME PROTOCOL HOST PORT MODE MECHANISM USER SECRET CLIENT``."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import sys
from email.message import EmailMessage

SENDER, RECIPIENT = "a@example.com", "b@example.net"
TIMEOUT_S = 10


def trusting() -> ssl.SSLContext:
    """Trust anybody."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
    made.minimum_version = ssl.TLSVersion.TLSv1
    made.set_ciphers("DEFAULT@SECLEVEL=0")
    return made


def mail() -> EmailMessage:
    """Give a mail."""
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = SENDER, RECIPIENT, "lab"
    made.set_content("scan\n")
    return made


async def aiosmtplib(
    protocol: str, host: str, port: int, mode: str, mechanism: str, user: str, secret: str, name: str
) -> None:
    """Log in by what the library prefers, or as told, and send."""
    import aiosmtplib as library

    client = library.SMTP(
        hostname=host,
        port=port,
        use_tls=mode == "implicit",
        start_tls=mode == "starttls",
        local_hostname=name,
        timeout=TIMEOUT_S,
        tls_context=trusting(),
    )
    await client.connect()
    with contextlib.suppress(library.SMTPException):
        match mechanism:
            case "auto":
                await client.login(user, secret)
            case "LOGIN":
                await client.auth_login(user, secret)
            case "PLAIN":
                await client.auth_plain(user, secret)
            case "CRAM-MD5":
                await client.auth_crammd5(user, secret)
            case "XOAUTH2":
                await client.auth_xoauth2(user, secret)
        await client.send_message(mail())
    with contextlib.suppress(library.SMTPException):
        await client.quit()


async def aioimaplib(
    protocol: str, host: str, port: int, mode: str, mechanism: str, user: str, secret: str, name: str
) -> None:
    """LOGIN or XOAUTH2, SELECT, LOGOUT."""
    import aioimaplib as library

    client = library.IMAP4_SSL(host=host, port=port, timeout=TIMEOUT_S, ssl_context=trusting())
    await client.wait_hello_from_server()
    if mechanism == "XOAUTH2":
        done = await client.xoauth2(user, secret)
    else:
        done = await client.login(user, secret)
    if done.result == "OK":
        await client.select()
    with contextlib.suppress(Exception):
        await client.logout()


def imapclient(
    protocol: str, host: str, port: int, mode: str, mechanism: str, user: str, secret: str, name: str
) -> None:
    """Log in, look, log out."""
    from imapclient import IMAPClient, exceptions

    client = IMAPClient(
        host,
        port,
        ssl=mode == "implicit",
        ssl_context=trusting() if mode == "implicit" else None,
        timeout=TIMEOUT_S,
    )
    if mode == "starttls":
        client.starttls(trusting())
    with contextlib.suppress(exceptions.IMAPClientError):
        match mechanism:
            case "XOAUTH2":
                client.oauth2_login(user, secret)
            case "OAUTHBEARER":
                client.oauthbearer_login(user, secret)
            case "PLAIN":
                client.plain_login(user, secret)
            case None | "none":
                client.capabilities()
            case _:
                client.login(user, secret)
        client.select_folder("INBOX", readonly=True)
        client.search(["UNSEEN"])
    client.logout()


def imap_tools(
    protocol: str, host: str, port: int, mode: str, mechanism: str, user: str, secret: str, name: str
) -> None:
    """Log in, fetch, log out."""
    from imap_tools import MailBox, MailBoxStartTls

    kind = MailBox if mode == "implicit" else MailBoxStartTls
    box = kind(host, port, timeout=TIMEOUT_S, ssl_context=trusting())
    with (box.xoauth2 if mechanism == "XOAUTH2" else box.login)(user, secret) as opened:
        list(opened.fetch(limit=1))


def yagmail(
    protocol: str, host: str, port: int, mode: str, mechanism: str, user: str, secret: str, name: str
) -> None:
    """Send as yagmail does: over smtplib."""
    import yagmail as library

    library.SMTP(
        user, secret, host=host, port=port, smtp_ssl=mode == "implicit", smtp_starttls=mode == "starttls"
    ).send(RECIPIENT, "lab", "scan")


def redmail(
    protocol: str, host: str, port: int, mode: str, mechanism: str, user: str, secret: str, name: str
) -> None:
    """Send as redmail does."""
    import smtplib

    from redmail import EmailSender

    login = {} if mechanism == "none" else {"username": user, "password": secret}
    kind = smtplib.SMTP_SSL if mode == "implicit" else smtplib.SMTP
    EmailSender(host=host, port=port, use_starttls=mode == "starttls", cls_smtp=kind, **login).send(
        subject="lab", sender=SENDER, receivers=[RECIPIENT], text="scan"
    )


def twisted(
    protocol: str, host: str, port: int, mode: str, mechanism: str, user: str, secret: str, name: str
) -> None:
    """Send over Twisted's ESMTP client, which knows CRAM-MD5, LOGIN and PLAIN."""
    from io import BytesIO

    from twisted.internet import reactor
    from twisted.internet import ssl as tls
    from twisted.internet.defer import Deferred
    from twisted.mail.smtp import ESMTPSenderFactory

    done: Deferred[object] = Deferred()
    context = tls.ClientContextFactory()
    context.method = __import__("OpenSSL").SSL.TLS_METHOD
    factory = ESMTPSenderFactory(
        user.encode(),
        secret.encode(),
        SENDER,
        RECIPIENT,
        BytesIO(mail().as_bytes()),
        done,
        retries=0,
        contextFactory=context,
        heloFallback=False,
        requireAuthentication=True,
        requireTransportSecurity=mode == "starttls",
        hostname=host if False else None,
    )
    factory.domain = name.encode()
    if mode == "implicit":
        reactor.connectSSL(host, port, factory, context)
    else:
        reactor.connectTCP(host, port, factory)
    done.addBoth(lambda result: (print(result), reactor.callLater(0.2, reactor.stop)))
    reactor.callLater(TIMEOUT_S, lambda: reactor.running and reactor.stop())
    reactor.run()


def main() -> None:
    """Talk once."""
    library, protocol, host, port, *rest = sys.argv[1:]
    known = (aiosmtplib, aioimaplib, imapclient, imap_tools, yagmail, redmail, twisted)
    call = next(one for one in known if one.__name__ == library)
    done = call(protocol, host, int(port), *rest)
    if asyncio.iscoroutine(done):
        asyncio.run(done)


if __name__ == "__main__":
    sys.path[:] = [path for path in sys.path if not path.endswith("imitation")]
    main()
