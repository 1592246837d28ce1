"""Exchange Online's part in the sample: its exact sentences for SMTP, IMAP, POP3 and ActiveSync.

Run as ``python3 exchange.py CERTIFICATE KEY`` it serves ports 25, 587, 110, 993 and 443; as
``python3 exchange.py --relay HOST`` it is a site's own relay on port 25 that submits to HOST with a password.
With ``--clear`` behind the key port 587 takes passwords in clear, as Exchange Online never does.
"""

from __future__ import annotations

import smtplib
import socketserver
import ssl
import sys
import threading

HOST = "AM0PR01CA0001.outlook.office365.com"


class Line(socketserver.StreamRequestHandler):
    """A protocol of lines."""

    def say(self, *lines: str) -> None:
        """Send lines at once."""
        self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())
        self.wfile.flush()

    def hear(self) -> str:
        """Read a line."""
        return self.rfile.readline().decode("utf-8", "replace").rstrip("\r\n")

    def start_tls(self) -> None:
        """Go on inside TLS."""
        self.connection = self.server.tls.wrap_socket(self.connection, server_side=True)  # type: ignore[attr-defined]
        self.rfile = self.connection.makefile("rb")
        self.wfile = self.connection.makefile("wb")  # type: ignore[assignment]


class Smtp(Line):
    """Client submission, and the tenant's MX."""

    offers = "250-AUTH LOGIN XOAUTH2"
    in_clear = False

    def greeting(self) -> str:
        """The server's first line."""
        return f"220 {HOST} Microsoft ESMTP MAIL Service ready at Tue, 24 Nov 2026 10:00:00 +0000 [08DE01]"

    def handle(self) -> None:
        """Talk."""
        secure = self.in_clear
        self.say(self.greeting())
        while command := self.hear():
            verb = command.split()[0].upper()
            if verb in ("EHLO", "HELO"):
                second = self.offers if secure else "250-STARTTLS"
                self.say(f"250-{HOST} Hello [203.0.113.7]", "250-SIZE 157286400", second, "250 CHUNKING")
            elif verb == "STARTTLS":
                self.say("220 2.0.0 SMTP server ready")
                self.start_tls()
                secure = True
            elif verb == "AUTH":
                self.authenticate(command.split())
            elif verb == "DATA":
                self.say("354 Start mail input; end with <CRLF>.<CRLF>")
                while self.hear() != ".":
                    pass
                self.take_mail()
                self.say("250 2.0.0 OK <sample@example.com> Queued mail for delivery")
            elif verb == "QUIT":
                self.say("221 2.0.0 Service closing transmission channel")
                return
            else:
                self.say(
                    {"MAIL": "250 2.1.0 Sender OK", "RCPT": "250 2.1.5 Recipient OK"}.get(verb, "250 OK")
                )

    def authenticate(self, words: list[str]) -> None:
        """Take any password; the sample was made while they still worked."""
        if words[1].upper() == "LOGIN":
            if len(words) == 2:
                self.say("334 VXNlcm5hbWU6")
                self.hear()
            self.say("334 UGFzc3dvcmQ6")
            self.hear()
        elif len(words) == 2:
            self.say("334 ")
            self.hear()
        self.say("235 2.7.0 Authentication successful")

    def take_mail(self) -> None:
        """Exchange keeps it."""


class Clear(Smtp):
    """Client submission that takes a password in clear."""

    in_clear = True


class Relay(Smtp):
    """A site's relay: takes AUTH PLAIN in the clear, and submits to Exchange Online with its own password."""

    offers = "250-AUTH PLAIN"
    in_clear = True

    def greeting(self) -> str:
        """The relay's first line."""
        return "220 relay.example.com ESMTP"

    def take_mail(self) -> None:
        """Pass it on."""
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with smtplib.SMTP(sys.argv[2], 587, local_hostname="relay.example.com") as upstream:
            upstream.starttls(context=context)
            upstream.login("relay@example.com", "sample-secret-relay")
            upstream.sendmail("relay@example.com", ["ann@example.com"], b"Subject: job done\r\n\r\nok\r\n")


class Pop(Line):
    """POP3, which refuses every password since 2023."""

    def handle(self) -> None:
        """Talk."""
        self.say("+OK Microsoft Exchange POP3 server ready (tcpproxy/15.20.0000.000).")
        while command := self.hear():
            verb = command.split()[0].upper()
            if verb == "CAPA":
                self.say("+OK", "TOP", "UIDL", "SASL PLAIN XOAUTH2", "USER", ".")
            elif verb == "USER":
                self.say("+OK")
            elif verb == "QUIT":
                self.say("+OK Microsoft Exchange Server POP3 server signing off.")
                return
            else:
                self.say("-ERR Basic authentication is disabled")


class Imap(Line):
    """IMAP4 over TLS, which takes XOAUTH2."""

    def setup(self) -> None:
        """Begin inside TLS."""
        super().setup()
        self.start_tls()

    def handle(self) -> None:
        """Talk."""
        self.say("* OK Microsoft Exchange IMAP4 service ready. (tcpproxy/15.20.0000.000)")
        while command := self.hear():
            tag, verb, *_ = command.split()
            if verb.upper() == "CAPABILITY":
                self.say("* CAPABILITY IMAP4 IMAP4rev1 AUTH=XOAUTH2 LOGINDISABLED SASL-IR IDLE LITERAL+")
                self.say(f"{tag} OK CAPABILITY completed.")
            elif verb.upper() == "AUTHENTICATE":
                self.say(f"{tag} OK AUTHENTICATE completed.")
            elif verb.upper() == "LOGOUT":
                self.say(
                    "* BYE Microsoft Exchange Server IMAP4 server signing off.", f"{tag} OK LOGOUT completed."
                )
                return
            else:
                self.say(f"{tag} OK {verb} completed.")


class Web(Line):
    """ActiveSync, which answers a password with 401; in clear on port 80 as behind a proxy that inspects."""

    def setup(self) -> None:
        """Begin inside TLS on port 443."""
        super().setup()
        if self.server.server_address[1] == 443:
            self.start_tls()

    def handle(self) -> None:
        """Answer one request."""
        length = 0
        while line := self.hear():
            if line.lower().startswith("content-length:"):
                length = int(line.split(":")[1])
        self.rfile.read(length)
        self.say("HTTP/1.1 401 Unauthorized", "Content-Length: 0", 'WWW-Authenticate: Bearer realm=""', "")


class Server(socketserver.ThreadingTCPServer):
    """One port."""

    allow_reuse_address = True
    daemon_threads = True
    tls: ssl.SSLContext


def main() -> None:
    """Serve until killed."""
    relay = sys.argv[1] == "--relay"
    ports = {25: Relay} if relay else {25: Smtp, 587: Smtp, 110: Pop, 993: Imap, 443: Web, 80: Web}
    if "--clear" in sys.argv:
        ports[587] = Clear
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if not relay:
        context.load_cert_chain(sys.argv[1], sys.argv[2])
    for port, kind in ports.items():
        server = Server(("", port), kind)
        server.tls = context
        threading.Thread(target=server.serve_forever).start()


if __name__ == "__main__":
    main()
