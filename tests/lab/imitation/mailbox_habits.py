"""How devices and old libraries look into mailboxes, as scripts: IMAP and POP3."""

from __future__ import annotations

from imitation.line import Line, b64


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
