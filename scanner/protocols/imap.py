"""IMAP4: RFC 9051, RFC 3501, RFC 4959 (SASL-IR), RFC 7888 (LITERAL+), RFC 2971 (ID); LOGIN, AUTHENTICATE."""

from __future__ import annotations

import binascii
import re
from functools import lru_cache

from scanner.conversation import CLIENT, SERVER, Side, Transport
from scanner.events import (
    Event,
    Gap,
    Greeting,
    Label,
    Login,
    Offer,
    Outcome,
    Phase,
    Reached,
    Weird,
)
from scanner.protocols.announcement import clean
from scanner.protocols.imap_script import CAPABILITY, script
from scanner.protocols.sasl import NAME_LENGTH, Exchange, login
from scanner.protocols.talk import Talk
from scanner.session import Dialect, Example
from scanner.wire.lines import Lines

TEXT_LENGTH = 512
"""Characters kept of a greeting."""
PENDING_LIMIT = 256
"""Commands that wait for their answer; beyond it a command's answer is not matched (``imap_pipeline``)."""
REMEMBERED, REMEMBERED_LENGTH = 1024, 2048
"""Lists of capabilities remembered, each of so many bytes at most: a site meets a few dozen of 200 bytes."""
ID_LENGTH = 2048
"""Bytes of an ID's list looked at: RFC 2971 3.3 allows 30 fields of 1054, programs give six short ones."""
TAG_LENGTH = 64
"""Bytes of a tag: clients use under 20; a longer word is no tag."""
_LITERAL = re.compile(rb"\{(\d{1,9})(\+?)\}$")
_WORDS = re.compile(rb'"((?:[^"\\]|\\.)*)"|(\S+)')
_BACKEND = re.compile(rb"\[([A-Za-z0-9+/]{8,}={0,2})\]\s*$")
_BRACKETED = re.compile(rb"\[[^\]]*\]")
_HOST = re.compile(rb"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}")
_MAILBOX_COMMANDS = frozenset(
    b"SELECT EXAMINE LIST LSUB STATUS FETCH UID SEARCH APPEND LOGOUT IDLE NAMESPACE".split()
)
_FIRST_ANSWERS = (b"* OK", b"* PREAUTH", b"* BYE", b"* CAPABILITY")
_FIRST_COMMANDS = _MAILBOX_COMMANDS.union(b"LOGIN AUTHENTICATE CAPABILITY STARTTLS NOOP ID ENABLE".split())


class ImapSession(Talk):
    """One IMAP conversation."""

    name = "imap"

    def __init__(self) -> None:
        """Begin before the greeting."""
        super().__init__()
        self._pending: dict[bytes, bytes] = {}
        self._logins: dict[bytes, tuple[str | None, int]] = {}
        self._exchange: tuple[bytes, Exchange] | None = None
        self._command = b""
        self._awaited = b""
        self._challenged = self._leaves = False
        self._listed = b""

    def gap(self, side: Side, missing: int, at: int) -> list[Event]:
        """Learn that bytes are lost; a command that was being read is forgotten."""
        if self._over:
            return []
        self._lines[side].lose(missing)
        if side is CLIENT:
            self._command, self._literal = b"", None
            if self._exchange:
                self._exchange[1].lose()
        self._greeted = self._lossy = True
        return [Gap(side, missing)]

    def end(self) -> list[Event]:
        """Tell attempts without an answer, and how far it got."""
        heard: list[Event] = []
        for username, at in self._logins.values():
            heard.append(login("IMAP-LOGIN", None, username, b"", at))
        if self._exchange:
            heard.append(self._exchange[1].login(None))
        return heard + self._reached()

    @property
    def awaits(self) -> bool:
        """Whether the client is to wait for the greeting or an answer; not once the server says BYE."""
        waits = not self._greeted or (bool(self._pending) and not self._leaves)
        return not self._over and waits and not self._challenged

    def _next_line(self, lines: Lines) -> bytes | None:
        return None if self._literal is not None and not self._read_literal(lines) else lines.pop()

    def _read_literal(self, lines: Lines) -> bool:
        """Read a short literal of LOGIN's user name; let any other pass unread."""
        count = self._literal or 0
        words = self._command.split()
        if len(words) == 2 and words[1].upper() == b"LOGIN" and count <= NAME_LENGTH:
            literal = lines.take(count)
            if literal is None:
                return False
            self._command += b'"' + literal.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'" '
        else:
            lines.skip(count)
            self._command += b'"" '
        self._literal = None
        return True

    def _asked(self, line: bytes, at: int, heard: list[Event]) -> None:
        self._challenged = False
        if self._exchange and not self._command:
            if line != b"*":
                self._exchange[1].answer(line)
            return
        literal = line.endswith(b"}") and _LITERAL.search(line)
        if literal:
            self._command += line[: literal.start()]
            self._literal = int(literal[1])
            self._awaited = self._command.split(b" ", 1)[0]
            return
        command, self._command = self._command + line, b""
        words = command.split(None, 2)
        if len(words) < 2 or len(words[0]) > TAG_LENGTH or not words[1].isalpha():
            return
        tag, verb, arguments = words[0], words[1].upper(), words[2] if len(words) > 2 else b""
        if len(self._pending) >= PENDING_LIMIT:
            heard.append(Weird("imap_pipeline"))
            return
        self._pending[tag] = verb
        match verb:
            case b"LOGIN":
                self._logins[tag] = (_first_word(arguments), at)
            case b"AUTHENTICATE":
                mechanism, _, initial = arguments.strip().partition(b" ")
                exchange = Exchange(mechanism.strip(b'"'), at)
                if initial:
                    exchange.answer(initial)
                self._exchange = tag, exchange
            case b"STARTTLS":
                self._holding = True
            case b"ID":
                if program := _program(arguments):
                    heard.append(Label("imap.id", program))
            case _:
                pass

    def _answered(self, line: bytes, at: int, heard: list[Event]) -> None:
        literal = line.endswith(b"}") and _LITERAL.search(line)
        if literal:
            self._lines[SERVER].skip(int(literal[1]))
        tag, _, rest = line.partition(b" ")
        if tag == b"+":
            self._challenged = bool(self._exchange) or self._literal is not None
            if self._exchange:
                self.answer = b"+ " + rest
                heard += self._exchange[1].challenge(rest)
            return
        if tag == b"*":
            self._untagged(rest, line, heard)
            return
        status = rest[:3].strip().upper()
        if status not in (b"OK", b"NO", b"BAD"):
            return
        self._greeted = True
        self.answer, self._listed = rest + self._listed, b""
        if offered := _offer(rest, len(line) + 2):
            heard.append(offered)
        self._tagged(tag, status == b"OK", rest.partition(b" ")[2], at, heard)

    def _untagged(self, rest: bytes, line: bytes, heard: list[Event]) -> None:
        if not self._greeted:
            self._greeted = True
            self._served |= rest[:7].upper() == b"PREAUTH"
            if rest[:11].upper() != b"CAPABILITY ":  # inside TLS nobody greets again
                self.answer = rest
                text = rest.decode("utf-8", "replace")[:TEXT_LENGTH]
                heard.append(Greeting(text, backend(rest) or _host(rest)))
            if rest[:7].upper() == b"PREAUTH":
                heard.append(Label("imap.preauth", "yes"))
        if offered := _offer(rest, len(line) + 2):
            self._listed = b"" if self.answer is rest else b"\r\n" + rest
            heard.append(offered)
        elif rest[:3] in (b"ID ", b"Id ", b"id "):
            if program := _program(rest[3:]):
                heard.append(Label("imap.server_id", program))
        elif rest[:3] in (b"BYE", b"Bye", b"bye"):
            self._leaves = b"LOGOUT" not in self._pending.values()

    def _tagged(self, tag: bytes, good: bool, text: bytes, at: int, heard: list[Event]) -> None:
        if tag == self._awaited and self._literal is not None and not good:
            self._lines[CLIENT].unskip()
            self._literal, self._command = None, b""
        verb = self._pending.pop(tag, b"")
        outcome = Outcome.ACCEPTED if good else Outcome.REFUSED
        if verb == b"LOGIN":
            username, began = self._logins.pop(tag)
            heard.append(login("IMAP-LOGIN", outcome, username, text, began))
        elif verb == b"AUTHENTICATE" and self._exchange and self._exchange[0] == tag:
            exchange, self._exchange = self._exchange[1], None
            heard.append(exchange.login(outcome, text))
        elif verb == b"STARTTLS":
            self._tls_answered(good, at, heard)
        self._served |= good and verb in _MAILBOX_COMMANDS


def backend(greeting: bytes) -> str | None:
    """Read the back-end host that Exchange puts behind its IMAP and POP greetings: base64 of UTF-16LE."""
    found = _BACKEND.search(greeting)
    if not found:
        return None
    try:
        host = binascii.a2b_base64(found[1]).decode("utf-16-le")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return host[:TEXT_LENGTH] if "." in host and host.isascii() and host.isprintable() else None


def _host(greeting: bytes) -> str | None:
    """The first word after the status that is a full host name, as Cyrus and UW write it."""
    text = _BRACKETED.sub(b"", greeting)
    for word in text.split()[1:4]:
        if _HOST.fullmatch(word):
            return word.decode()
    return None


def _first_word(arguments: bytes) -> str | None:
    found = _WORDS.match(arguments.lstrip())
    if not found:
        return None
    word = found[2] if found[1] is None else re.sub(rb"\\(.)", rb"\1", found[1])
    return word.decode("utf-8", "replace")[:NAME_LENGTH] or None


def _program(arguments: bytes) -> str:
    """Name and version out of the list that is given with ID (RFC 2971 3.1 to 3.3)."""
    listed = arguments[:ID_LENGTH].strip().removeprefix(b"(").removesuffix(b")")
    words = [clean(re.sub(rb"\\(.)", rb"\1", quoted)) for quoted, _ in _WORDS.findall(listed)]
    given = dict(zip(map(str.lower, words[::2]), words[1::2], strict=False))
    return f"{given.get('name', '')} {given.get('version', '')}".strip()[:NAME_LENGTH]


def _offer(answer: bytes, length: int) -> Offer | None:
    """What an answer (of a line so long) says that the server can do, if that is what it says."""
    found = b"CAPABILITY " in answer.upper() and CAPABILITY.search(answer)
    if not found:
        return None
    read = _capabilities if len(found[1]) <= REMEMBERED_LENGTH else _capabilities.__wrapped__
    return Offer(*read(found[1]), length)


@lru_cache(REMEMBERED)
def _capabilities(listed: bytes) -> tuple[tuple[str, ...], bool, bool]:
    """Mechanisms, whether STARTTLS is offered, whether LOGIN is forbidden."""
    words = [word.decode("ascii", "replace").upper() for word in listed.split()]
    mechanisms = sorted({word[5:] for word in words if word.startswith("AUTH=")})
    return tuple(mechanisms), "STARTTLS" in words, "LOGINDISABLED" in words


def _client_mark(head: bytes) -> bool | None:
    line, end, _ = head.partition(b"\n")
    words = line.split()
    if len(words) < 2:
        return False if end else None
    return len(words[0]) <= TAG_LENGTH and words[1].upper() in _FIRST_COMMANDS


def _server_mark(head: bytes) -> bool | None:
    if head.startswith(_FIRST_ANSWERS):
        return True
    return None if any(answer.startswith(head) for answer in _FIRST_ANSWERS) else False


_LITERALS = Example(
    "a client sends its password as a literal, then by AUTHENTICATE",
    (
        (SERVER, b"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN AUTH=XOAUTH2] mail.example.com ready\r\n"),
        (CLIENT, b"a LOGIN {16}\r\n"),
        (SERVER, b"+ go\r\n"),
        (CLIENT, b"scan@example.com {8}\r\n"),
        (SERVER, b"+ go\r\n"),
        (CLIENT, b"secret-1\r\n"),
        (SERVER, b"a NO Basic authentication is disabled.\r\n"),
        (CLIENT, b"b AUTHENTICATE PLAIN\r\n"),
        (SERVER, b"+ \r\n"),
        (CLIENT, b"AHNjYW5AZXhhbXBsZS5jb20Ac2VjcmV0LTE=\r\n"),
        (SERVER, b"b OK done\r\n"),
        (CLIENT, b"c LOGOUT\r\n"),
        (SERVER, b"* BYE bye\r\nc OK bye\r\n"),
    ),
    (
        Greeting(
            "OK [CAPABILITY IMAP4rev1 AUTH=PLAIN AUTH=XOAUTH2] mail.example.com ready", "mail.example.com"
        ),
        Offer(("PLAIN", "XOAUTH2"), length=76),
        Login(
            "IMAP-LOGIN",
            Outcome.REFUSED,
            "scan@example.com",
            "Basic authentication is disabled.",
            "basic-disabled",
        ),
        Login("PLAIN", Outcome.ACCEPTED, "scan@example.com"),
        Reached(Phase.SERVED),
    ),
    (b"secret-1", b"c2VjcmV0LTE="),
)

DIALECT = Dialect(
    name="imap",
    transport=Transport.TCP,
    ports=frozenset({143, 993}),
    client_mark=_client_mark,
    server_mark=_server_mark,
    server_first=True,
    session=ImapSession,
    examples=(_LITERALS,),
    script=script,
)
