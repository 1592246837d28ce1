"""How devices and old libraries talk, as scripts: ``python habits.py NAME HOST PORT MODE VERSION USER SECRET CLIENT``.

A habit is a list of moves; it goes on whatever the server answers, unless the move says otherwise.
"""

from __future__ import annotations

import base64
import socket
import ssl
import sys
import time

TIMEOUT_S = 12
VERSIONS = {"10": ssl.TLSVersion.TLSv1, "11": ssl.TLSVersion.TLSv1_1}
MAIL = (
    "From: scanner <a@example.com>\r\nTo: b@example.net\r\nSubject: Scanned document\r\n"
    "MIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\n" + "Scan of today, page one.\r\n" * 20
)


class Refused(Exception):
    """The server said no."""


def b64(text: str) -> str:
    """Give text in base64."""
    return base64.b64encode(text.encode()).decode()


class Line:
    """A connection that speaks lines."""

    def __init__(self, host: str, port: int, version: str) -> None:
        """Connect."""
        self._host, self._version = host, version
        self._sock: socket.socket = socket.create_connection((host, port), TIMEOUT_S)
        self._heard = b""

    def secure(self) -> None:
        """Begin TLS."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.set_ciphers("DEFAULT@SECLEVEL=0")
        if self._version in VERSIONS:
            context.minimum_version = VERSIONS[self._version]
        self._sock = context.wrap_socket(self._sock, server_hostname=self._host)

    def send(self, *lines: str, apart: bool = False) -> None:
        """Send lines, in one record; ``apart``: their ends in records of their own."""
        if apart:
            for line in lines:
                self._sock.sendall(line.encode())
                self._sock.sendall(b"\r\n")
            return
        self._sock.sendall("".join(f"{line}\r\n" for line in lines).encode())

    def raw(self, data: str) -> None:
        """Send as it is."""
        self._sock.sendall(data.encode())

    def line(self) -> str:
        """Hear one line; nothing at the end."""
        while b"\n" not in self._heard:
            data = self._sock.recv(16384)
            if not data:
                raise Refused("closed")
            self._heard += data
        line, _, self._heard = self._heard.partition(b"\n")
        return line.decode(errors="replace").rstrip("\r")

    def reply(self) -> str:
        """Hear a whole SMTP reply; give all of it."""
        lines = [self.line()]
        while lines[-1][3:4] == "-":
            lines.append(self.line())
        return "\n".join(lines)

    def ask(self, *lines: str, apart: bool = False) -> str:
        """Send, and hear one reply."""
        self.send(*lines, apart=apart)
        return self.reply()

    def until(self, tag: str) -> str:
        """Hear lines until one begins so."""
        while not (line := self.line()).startswith((tag, "+")):
            pass
        return line

    def close(self) -> None:
        """Leave without a word."""
        self._sock.close()


def begin(line: Line, mode: str, name: str, hello: str = "EHLO") -> str:
    """Come as far as inside TLS, with the name said; give the reply."""
    if mode == "implicit":
        line.secure()
    line.reply()
    offer = line.ask(f"{hello} {name}")
    if mode == "starttls":
        line.ask("STARTTLS")
        line.secure()
        offer = line.ask(f"EHLO {name}")
    return offer


def send(line: Line) -> None:
    """Send one mail, and take leave."""
    for words in ("MAIL FROM:<a@example.com>", "RCPT TO:<b@example.net>", "DATA"):
        if not line.ask(words).startswith(("2", "3")):
            line.ask("QUIT")
            return
    line.raw(MAIL)
    line.ask("\r\n.")
    line.ask("QUIT")


def answers(line: Line, reply: str, *texts: str) -> str:
    """Answer challenges as long as they come."""
    for text in texts:
        if reply.startswith("334"):
            reply = line.ask(text)
    return reply


def dotnet(line: Line, mode: str, user: str, secret: str, name: str) -> None:
    """.NET's SmtpClient: bare machine name, mechanism in small letters, user with it."""
    begin(line, mode, name.split(".")[0])
    reply = answers(line, line.ask(f"AUTH login {b64(user)}"), b64(secret))
    if reply.startswith("2"):
        send(line)
    else:
        line.close()


def inline(line: Line, mode: str, user: str, secret: str, name: str) -> None:
    """Backup programs and some copiers: user with the command, in capitals; QUIT when refused."""
    begin(line, mode, name)
    reply = answers(line, line.ask(f"AUTH LOGIN {b64(user)}"), b64(secret))
    send(line) if reply.startswith("2") else line.ask("QUIT")


def printer(line: Line, mode: str, user: str, secret: str, name: str) -> None:
    """Most printers: bare AUTH LOGIN, two answers, RSET before the mail."""
    begin(line, mode, name)
    reply = answers(line, line.ask("AUTH LOGIN"), b64(user), b64(secret))
    if reply.startswith("2"):
        line.ask("RSET")
        send(line)
    else:
        line.ask("QUIT")


def login_test(line: Line, mode: str, user: str, secret: str, name: str) -> None:
    """The button "test connection": log in, and leave."""
    begin(line, mode, name)
    answers(line, line.ask("AUTH LOGIN"), b64(user), b64(secret))
    line.ask("QUIT")


def hello_twice(line: Line, mode: str, user: str, secret: str, name: str) -> None:
    """EHLO twice inside TLS before AUTH."""
    begin(line, mode, name)
    line.ask(f"EHLO {name}")
    reply = answers(line, line.ask("AUTH LOGIN"), b64(user), b64(secret))
    send(line) if reply.startswith("2") else line.ask("QUIT")


def helo_first(line: Line, mode: str, user: str, secret: str, name: str) -> None:
    """HELO, then EHLO because it wants more."""
    if mode == "implicit":
        line.secure()
    line.reply()
    line.ask(f"HELO {name}")
    line.ask(f"EHLO {name}")
    if mode == "starttls":
        line.ask("STARTTLS")
        line.secure()
        line.ask(f"HELO {name}")
        line.ask(f"EHLO {name}")
    reply = answers(line, line.ask("AUTH LOGIN"), b64(user), b64(secret))
    send(line) if reply.startswith("2") else line.ask("QUIT")


def retries(line: Line, mode: str, user: str, secret: str, name: str) -> None:
    """Refused, it tries the same again, twice."""
    begin(line, mode, name)
    for _ in range(3):
        reply = answers(line, line.ask("AUTH LOGIN"), b64(user), b64(secret))
        if reply.startswith("2"):
            send(line)
            return
    line.ask("QUIT")


def next_mechanism(line: Line, mode: str, user: str, secret: str, name: str) -> None:
    """CRAM-MD5 first whatever is offered, then PLAIN, then LOGIN."""
    begin(line, mode, name)
    reply = line.ask("AUTH CRAM-MD5")
    if reply.startswith("334"):
        reply = line.ask(b64(f"{user} 0123456789abcdef0123456789abcdef"))
    if not reply.startswith("2"):
        reply = answers(line, line.ask("AUTH PLAIN"), b64(f"\0{user}\0{secret}"))
    if not reply.startswith("2"):
        reply = answers(line, line.ask("AUTH LOGIN"), b64(user), b64(secret))
    send(line) if reply.startswith("2") else line.ask("QUIT")


def plain_then_login(line: Line, mode: str, user: str, secret: str, name: str) -> None:
    """PLAIN in one line, and where that is not offered LOGIN."""
    begin(line, mode, name)
    reply = line.ask(f"AUTH PLAIN {b64(chr(0) + user + chr(0) + secret)}")
    if not reply.startswith("2"):
        reply = answers(line, line.ask("AUTH LOGIN"), b64(user), b64(secret))
    send(line) if reply.startswith("2") else line.ask("QUIT")


def token_then_password(line: Line, mode: str, user: str, secret: str, name: str) -> None:
    """XOAUTH2 with an old token, then the password."""
    begin(line, mode, name)
    blob = b64(f"user={user}\1auth=Bearer {'o' * 1400}\1\1")
    reply = answers(line, line.ask(f"AUTH XOAUTH2 {blob}"), "")
    if not reply.startswith("2"):
        reply = answers(line, line.ask("AUTH LOGIN"), b64(user), b64(secret))
    send(line) if reply.startswith("2") else line.ask("QUIT")


def token(line: Line, mode: str, user: str, secret: str, name: str) -> None:
    """XOAUTH2 in one line; the error as JSON gets its empty answer."""
    begin(line, mode, name)
    reply = answers(
        line, line.ask(f"AUTH XOAUTH2 {b64(f'user={user}{chr(1)}auth=Bearer {secret}{chr(1)}{chr(1)}')}"), ""
    )
    send(line) if reply.startswith("2") else line.ask("QUIT")


def token_later(line: Line, mode: str, user: str, secret: str, name: str) -> None:
    """XOAUTH2 in two steps."""
    begin(line, mode, name)
    blob = b64(f"user={user}\1auth=Bearer {secret}\1\1")
    reply = answers(line, line.ask("AUTH XOAUTH2"), blob, "")
    send(line) if reply.startswith("2") else line.ask("QUIT")


def probe(line: Line, mode: str, user: str, secret: str, name: str) -> None:
    """A monitor: EHLO, QUIT."""
    begin(line, mode, name)
    line.ask("QUIT")


def probe_noop(line: Line, mode: str, user: str, secret: str, name: str) -> None:
    """A monitor that keeps the connection a while."""
    begin(line, mode, name)
    for _ in range(3):
        line.ask("NOOP")
        time.sleep(0.1)
    line.ask("QUIT")


def silent(line: Line, mode: str, user: str, secret: str, name: str) -> None:
    """Comes inside TLS, and goes."""
    begin(line, mode, name)
    line.close()


def envelope_first(line: Line, mode: str, user: str, secret: str, name: str) -> None:
    """Sends an envelope without logging in, and believes what it is told."""
    begin(line, mode, name)
    send(line)


def envelope_then_login(line: Line, mode: str, user: str, secret: str, name: str) -> None:
    """Sends an envelope, is told to authenticate first, and does."""
    begin(line, mode, name)
    reply = line.ask("MAIL FROM:<a@example.com>")
    if reply.startswith("2"):
        reply = line.ask("RCPT TO:<b@example.net>")
    line.ask("RSET")
    if not reply.startswith("2"):
        reply = answers(line, line.ask("AUTH LOGIN"), b64(user), b64(secret))
    send(line) if reply.startswith("2") else line.ask("QUIT")


def pipelined(line: Line, mode: str, user: str, secret: str, name: str) -> None:
    """MAIL, RCPT and DATA in one record, after LOGIN."""
    begin(line, mode, name)
    reply = answers(line, line.ask("AUTH LOGIN"), b64(user), b64(secret))
    if not reply.startswith("2"):
        line.ask("QUIT")
        return
    line.send(
        "MAIL FROM:<a@example.com> SIZE=640", "RCPT TO:<b@example.net> ORCPT=rfc822;b@example.net", "DATA"
    )
    if [line.reply()[0] for _ in range(3)] == ["2", "2", "3"]:
        line.raw(MAIL)
        line.ask("\r\n.")
    line.ask("QUIT")


def pipelined_relay(line: Line, mode: str, user: str, secret: str, name: str) -> None:
    """MAIL, RCPT and DATA in one record, without any login."""
    begin(line, mode, name)
    line.send("MAIL FROM:<a@example.com>", "RCPT TO:<b@example.net>", "DATA")
    codes = [line.reply()[0] for _ in range(3)]
    if codes[2] == "3":
        line.raw(MAIL + "\r\n.\r\n")
        line.reply()
    line.ask("QUIT")


def apart(line: Line, mode: str, user: str, secret: str, name: str) -> None:
    """Every CRLF in a record of its own, as chips' TLS stacks do."""
    if mode == "implicit":
        line.secure()
    line.reply()
    line.ask(f"EHLO {name}", apart=True)
    if mode == "starttls":
        line.ask("STARTTLS")
        line.secure()
        line.ask(f"EHLO {name}", apart=True)
    reply = line.ask("AUTH LOGIN", apart=True)
    for text in (b64(user), b64(secret)):
        if reply.startswith("334"):
            reply = line.ask(text, apart=True)
    send(line) if reply.startswith("2") else line.ask("QUIT")


def cancels(line: Line, mode: str, user: str, secret: str, name: str) -> None:
    """Begins a login, takes it back, and leaves."""
    begin(line, mode, name)
    if line.ask("AUTH LOGIN").startswith("334"):
        line.ask("*")
    line.ask("QUIT")


def two_mails(line: Line, mode: str, user: str, secret: str, name: str) -> None:
    """One login, two mails."""
    begin(line, mode, name)
    reply = answers(line, line.ask("AUTH LOGIN"), b64(user), b64(secret))
    if reply.startswith("2"):
        for words in ("MAIL FROM:<a@example.com>", "RCPT TO:<b@example.net>", "DATA"):
            line.ask(words)
        line.raw(MAIL)
        line.ask("\r\n.")
        send(line)
    else:
        line.ask("QUIT")


def imap_begin(line: Line, mode: str) -> None:
    """Come as far as inside TLS."""
    if mode == "implicit":
        line.secure()
    line.line()
    if mode == "starttls":
        line.send("s1 STARTTLS")
        line.until("s1")
        line.secure()


def imap_token(line: Line, mode: str, user: str, secret: str, name: str) -> None:
    """AUTHENTICATE XOAUTH2 in one line, without asking for capabilities; the JSON gets its empty answer."""
    imap_begin(line, mode)
    line.send(f"A001 AUTHENTICATE XOAUTH2 {b64(f'user={user}{chr(1)}auth=Bearer {secret}{chr(1)}{chr(1)}')}")
    reply = line.until("A001")
    if reply.startswith("+"):
        line.send("")
        reply = line.until("A001")
    imap_end(line, reply)


def imap_end(line: Line, reply: str) -> None:
    """Look into the mailbox if let in; take leave."""
    if reply.startswith("A001 OK"):
        line.send("A002 SELECT INBOX")
        line.until("A002")
    line.send("A003 LOGOUT")
    line.until("A003")


def imap_login(line: Line, mode: str, user: str, secret: str, name: str) -> None:
    """LOGIN with quotes at once."""
    imap_begin(line, mode)
    line.send(f'A001 LOGIN "{user}" "{secret}"')
    imap_end(line, line.until("A001"))


def imap_literals(line: Line, mode: str, user: str, secret: str, name: str) -> None:
    """LOGIN with both words as literals, waited for."""
    imap_begin(line, mode)
    line.send(f"A001 LOGIN {{{len(user)}}}")
    if line.until("A001").startswith("+"):
        line.send(f"{user} {{{len(secret)}}}")
        line.until("A001")
        line.send(secret)
    imap_end(line, line.until("A001"))


def imap_probe(line: Line, mode: str, user: str, secret: str, name: str) -> None:
    """A monitor: CAPABILITY, ID, LOGOUT."""
    imap_begin(line, mode)
    line.send("A001 CAPABILITY")
    line.until("A001")
    line.send(
        'A002 ID ("name" "monitor" "version" "4.2.1" "vendor" "example" "support-url" "https://monitor.example/")'
    )
    line.until("A002")
    line.send("A003 LOGOUT")
    line.until("A003")


def pop3_begin(line: Line, mode: str) -> None:
    """Come as far as inside TLS."""
    if mode == "implicit":
        line.secure()
    line.line()
    if mode == "starttls":
        line.send("STLS")
        line.line()
        line.secure()


def pop3_pipelined(line: Line, mode: str, user: str, secret: str, name: str) -> None:
    """USER and PASS in one record."""
    pop3_begin(line, mode)
    line.send(f"USER {user}", f"PASS {secret}")
    line.line()
    if line.line().startswith("+OK"):
        line.send("STAT")
        line.line()
    line.send("QUIT")
    line.line()


def pop3_poll(line: Line, mode: str, user: str, secret: str, name: str) -> None:
    """A device that looks every minute: USER, PASS, STAT, QUIT."""
    pop3_begin(line, mode)
    line.send(f"USER {user}")
    line.line()
    line.send(f"PASS {secret}")
    if line.line().startswith("+OK"):
        line.send("STAT")
        line.line()
    line.send("QUIT")
    line.line()


def pop3_token(line: Line, mode: str, user: str, secret: str, name: str) -> None:
    """AUTH XOAUTH2 in two lines."""
    pop3_begin(line, mode)
    line.send("AUTH XOAUTH2")
    if line.line().startswith("+"):
        line.send(b64(f"user={user}\1auth=Bearer {secret}\1\1"))
        if line.line().startswith("+ "):
            line.send("")
            line.line()
    line.send("QUIT")
    line.line()


def pop3_probe(line: Line, mode: str, user: str, secret: str, name: str) -> None:
    """A monitor: CAPA, QUIT."""
    pop3_begin(line, mode)
    line.send("CAPA")
    while line.line() not in (".", "-ERR"):
        pass
    line.send("QUIT")
    line.line()


SMTP = (
    dotnet, inline, printer, login_test, hello_twice, helo_first, retries, next_mechanism, plain_then_login, token_then_password,
    probe, probe_noop, silent, envelope_first, envelope_then_login, pipelined, pipelined_relay, apart, cancels, two_mails,
)  # fmt: skip
TOKENS = (token, token_later)
IMAP = (imap_login, imap_literals, imap_probe)
POP3 = (pop3_pipelined, pop3_poll, pop3_probe)
OTHER_TOKENS = (imap_token, pop3_token)


def main() -> None:
    """Talk once."""
    name, host, port, mode, version, user, secret, client = sys.argv[1:]
    habit = next(one for one in (*SMTP, *TOKENS, *IMAP, *POP3, *OTHER_TOKENS) if one.__name__ == name)
    line = Line(host, int(port), version)
    try:
        habit(line, mode, user, secret, client)
    except (Refused, OSError) as fault:
        print(f"{type(fault).__name__}: {fault}")


if __name__ == "__main__":
    main()
