"""POP3: RFC 1939, RFC 2449 (CAPA), RFC 2595 (STLS), RFC 5034 (AUTH)."""

from __future__ import annotations

from collections import deque

from scanner.conversation import CLIENT, SERVER, Side, Transport
from scanner.events import (
    Event,
    Gap,
    Greeting,
    Login,
    Offer,
    Outcome,
    Phase,
    Reached,
    Weird,
)
from scanner.protocols.imap import backend
from scanner.protocols.pop3_script import script
from scanner.protocols.sasl import NAME_LENGTH, Exchange, login
from scanner.protocols.talk import Talk
from scanner.session import Dialect, Example

TEXT_LENGTH = 512
"""Characters kept of a greeting: RFC 1939 3 allows a response of 512."""
PENDING_LIMIT = 1024
"""Commands that wait for a reply; RETR is pipelined by the hundred. Beyond it: ``pop3_pipeline``."""
VERBS = frozenset(
    b"USER PASS APOP AUTH CAPA STLS STAT LIST RETR DELE NOOP RSET QUIT TOP UIDL LAST UTF8 LANG XTND".split()
)
_MULTILINE = frozenset(b"RETR TOP CAPA".split())
_MULTILINE_BARE = frozenset(b"LIST UIDL AUTH LANG".split())


class Pop3Session(Talk):
    """One POP3 conversation."""

    name = "pop3"

    def __init__(self) -> None:
        """Begin before the greeting."""
        super().__init__()
        self._pending: deque[tuple[bytes, bool]] = deque()
        self._exchange: Exchange | None = None
        self._user: tuple[str | None, int] | None = None
        self._listing: list[bytes] | None = None
        self._verb = b""
        self._gone_on = False
        self._attempt: tuple[str, str | None, int] | None = None
        self._challenged = False

    def gap(self, side: Side, missing: int, at: int) -> list[Event]:
        """Learn that bytes are lost; replies can no longer be matched with commands by their order."""
        if self._over:
            return []
        self._lines[side].lose(missing)
        if side is CLIENT and self._exchange:
            self._exchange.lose()
        self._pending.clear()
        self._listing, self._greeted, self._lossy = None, True, True
        return [Gap(side, missing)]

    def end(self) -> list[Event]:
        """Tell an attempt without an answer, and how far it got."""
        heard: list[Event] = []
        if self._attempt:
            mechanism, username, at = self._attempt
            heard.append(login(mechanism, None, username, b"", at))
        if self._exchange:
            heard.append(self._exchange.login(None))
        return heard + self._reached()

    @property
    def awaits(self) -> bool:
        """Whether the client is to wait for the greeting or an answer."""
        waits = not self._greeted or bool(self._pending) or self._listing is not None
        return not self._over and waits and not self._challenged

    def _asked(self, line: bytes, at: int, heard: list[Event]) -> None:
        verb, _, rest = (line.replace(b"\t", b" ") if b"\t" in line else line).partition(b" ")
        verb, rest = verb.upper(), rest.strip()
        self._challenged = False
        if self._exchange and not self._gone_on:
            if not (verb in VERBS and self._exchange.spoken):
                if line != b"*":
                    self._exchange.answer(line)
                return
            self._gone_on = True
        if verb not in VERBS:
            return
        if verb == b"AUTH" and self._exchange:
            heard.append(self._exchange.login(None))
            self._exchange = None
        if len(self._pending) >= PENDING_LIMIT:
            heard.append(Weird("pop3_pipeline"))
            return
        self._pending.append((verb, not rest))
        match verb:
            case b"USER":
                self._user = (_name(rest), at)
            case b"PASS":
                username, began = self._user or (None, at)
                self._attempt = "USERPASS", username, began
            case b"APOP":
                self._attempt = "APOP", _name(rest.partition(b" ")[0]), at
            case b"AUTH" if rest:
                mechanism, _, initial = rest.partition(b" ")
                self._exchange, self._gone_on = Exchange(mechanism, at), False
                if initial:
                    self._exchange.answer(initial)
            case b"STLS":
                self._holding = True
            case _:
                pass

    def _answered(self, line: bytes, at: int, heard: list[Event]) -> None:
        if self._listing is not None:
            if line != b".":
                if self._verb in (b"CAPA", b"AUTH") and len(self._listing) < PENDING_LIMIT:
                    self._listing.append(line)
                return
            listing, self._listing = self._listing, None
            if self._verb in (b"CAPA", b"AUTH"):
                heard.append(_offer(listing, self._verb))
            return
        if line.startswith(b"+ ") or line == b"+":
            if self._exchange:
                self._challenged = True
                self.answer = b"+ " + line[2:]
                heard += self._exchange.challenge(line[2:])
            return
        good = line.startswith(b"+OK")
        if not good and not line.startswith(b"-ERR"):
            return
        self.answer = line
        if not self._greeted and not self._pending:
            self._greeted = True
            heard.append(Greeting(line.decode("utf-8", "replace")[:TEXT_LENGTH], backend(line)))
            return
        self._greeted = True
        verb, bare = self._pending.popleft() if self._pending else (b"", True)
        self._replied(verb, bare, good, line, at, heard)

    def _replied(self, verb: bytes, bare: bool, good: bool, line: bytes, at: int, heard: list[Event]) -> None:
        outcome = Outcome.ACCEPTED if good else Outcome.REFUSED
        sentence = line.partition(b" ")[2]
        if (verb in (b"PASS", b"APOP") or not verb) and self._attempt:
            mechanism, username, began = self._attempt
            self._attempt = None
            known = outcome if verb else None
            heard.append(login(mechanism, known, username, sentence, began))
        elif verb == b"USER" and not good and self._user:
            username, began = self._user
            heard.append(login("USERPASS", outcome, username, sentence, began))
        elif self._exchange and (verb == b"AUTH" or not verb):
            exchange, self._exchange = self._exchange, None
            heard.append(exchange.login(outcome if verb else None, sentence))
        elif verb == b"STLS":
            self._tls_answered(good, at, heard)
        elif good and (verb in _MULTILINE or (bare and verb in _MULTILINE_BARE)):
            self._listing, self._verb = [], verb
        self._served |= good and verb in (b"QUIT", b"STAT", b"LIST", b"RETR", b"UIDL")


def _name(raw: bytes) -> str | None:
    return raw.decode("utf-8", "replace")[:NAME_LENGTH] or None


def _offer(listing: list[bytes], verb: bytes) -> Offer:
    mechanisms: set[str] = set()
    starttls = False
    for line in listing:
        words = [word.decode("ascii", "replace").upper() for word in line.split()]
        if verb == b"AUTH":
            mechanisms.update(words[:1])
        elif words[:1] == ["SASL"]:
            mechanisms.update(words[1:])
        elif words[:1] == ["USER"]:
            mechanisms.add("USERPASS")
        starttls |= words[:1] == ["STLS"]
    return Offer(tuple(sorted(mechanisms)), starttls, length=sum(len(line) + 2 for line in listing))


def _client_mark(head: bytes) -> bool | None:
    line, end, _ = head.partition(b"\n")
    words = line.split()
    if not words:
        return False if end else None
    verb = words[0].upper()
    if verb in (b"CAPA", b"APOP", b"STLS", b"PASS"):
        return True
    if verb == b"USER" and end:
        return len(words) < 4  # IRC's has four
    return None if verb in (b"USER", b"AUTH", b"QUIT", b"NOOP") else False


def _server_mark(head: bytes) -> bool | None:
    if head.startswith((b"+OK", b"-ERR")):
        return True
    return None if b"+OK".startswith(head) or b"-ERR".startswith(head) else False


_OLD_CLIENT = Example(
    "an old client knocks with a password and is refused",
    (
        (
            SERVER,
            b"+OK POP3 ready. [bQBhAGkAbAAuAGUAeABhAG0AcABsAGUALgBjAG8AbQA=]\r\n",
        ),
        (CLIENT, b"CAPA\r\n"),
        (SERVER, b"+OK\r\nTOP\r\nSASL PLAIN XOAUTH2\r\nUSER\r\n.\r\n"),
        (CLIENT, b"USER scan@example.com\r\n"),
        (SERVER, b"+OK\r\n"),
        (CLIENT, b"PASS secret-1\r\n"),
        (SERVER, b"-ERR Basic authentication is disabled\r\n"),
        (CLIENT, b"QUIT\r\n"),
        (SERVER, b"+OK bye\r\n"),
    ),
    (
        Greeting(
            "+OK POP3 ready. [bQBhAGkAbAAuAGUAeABhAG0AcABsAGUALgBjAG8AbQA=]",
            "mail.example.com",
        ),
        Offer(("PLAIN", "USERPASS", "XOAUTH2"), length=31),
        Login(
            "USERPASS",
            Outcome.REFUSED,
            "scan@example.com",
            "Basic authentication is disabled",
            "basic-disabled",
        ),
        Reached(Phase.SERVED),
    ),
    (b"secret-1",),
)

DIALECT = Dialect(
    name="pop3",
    transport=Transport.TCP,
    ports=frozenset({110, 995}),
    client_mark=_client_mark,
    server_mark=_server_mark,
    server_first=True,
    session=Pop3Session,
    examples=(_OLD_CLIENT,),
    script=script,
)
