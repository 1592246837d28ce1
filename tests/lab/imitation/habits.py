"""How devices and old libraries send mail, as scripts: ``python -m imitation.habits NAME HOST PORT ...``.

After the port come TLS mode and version, user, secret and the client's name. A habit is a list of moves; it
goes on whatever the server answers, unless a move says otherwise.
"""

from __future__ import annotations

import sys
import time

from imitation import mailbox_habits
from imitation.line import Line, Refused, b64

MAIL = (
    "From: scanner <a@example.com>\r\nTo: b@example.net\r\nSubject: Scanned document\r\n"
    "MIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\n" + "Scan of today, page one.\r\n" * 20
)


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


SMTP = (
    dotnet,
    inline,
    printer,
    login_test,
    hello_twice,
    helo_first,
    retries,
    next_mechanism,
    plain_then_login,
    token_then_password,
    probe,
    probe_noop,
    silent,
    envelope_first,
    envelope_then_login,
    pipelined,
    pipelined_relay,
    apart,
    cancels,
    two_mails,
)
TOKENS = (token, token_later)
IMAP = (mailbox_habits.imap_login, mailbox_habits.imap_literals, mailbox_habits.imap_probe)
POP3 = (mailbox_habits.pop3_pipelined, mailbox_habits.pop3_poll, mailbox_habits.pop3_probe)
OTHER_TOKENS = (mailbox_habits.imap_token, mailbox_habits.pop3_token)


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
