"""SMTP and submission: RFC 5321, RFC 4954 (AUTH), RFC 3207 (STARTTLS), RFC 3030 (BDAT), RFC 2033 (LMTP)."""

from __future__ import annotations

import re
from collections import deque

from scanner.conversation import CLIENT, Side, Transport
from scanner.events import (
    ClientName,
    Event,
    Gap,
    Label,
    Mail,
    Outcome,
    Weird,
)  # fmt: skip
from scanner.protocols.message_head import BYTES_READ, MESSAGES_READ, MessageHead
from scanner.protocols.refusals import cause
from scanner.protocols.sasl import Exchange, prompts_login
from scanner.protocols.smtp_examples import CANCELLED, COPIER, SENDER, STARTTLS
from scanner.protocols.smtp_manner import UPPER, Listening
from scanner.protocols.smtp_marks import VERBS, client_mark, server_mark
from scanner.protocols.smtp_replies import greeting, is_ehlo_reply, offer, text
from scanner.protocols.smtp_script import script
from scanner.protocols.talk import Talk
from scanner.session import Dialect
from scanner.wire.lines import Lines

REPLY_LINES = 128
"""Lines of one reply kept; an EHLO reply has a dozen. What is beyond is not looked at."""
PENDING_LIMIT = 1024
"""Commands that wait for a reply; more are not matched and told as ``smtp_pipeline``."""
_AUTH_REPLIES = frozenset(b"235 334 421 432 454 500 501 502 503 504 530 534 535 538 550".split())
"""What may answer AUTH where its place among the replies is lost."""
_REPLY = re.compile(rb"(?:\d\d\d-[^\r\n]*\r\n){0,100}(\d\d\d)(?: [^\r\n]*)?\r\n")
"""A whole reply (RFC 5321 4.2); what is written otherwise is read line by line."""
_BODY = b"."


class SmtpSession(Talk):
    """One SMTP conversation."""

    name = "smtp"

    def __init__(self) -> None:
        """Begin before the greeting."""
        super().__init__()
        self._pending: deque[bytes] = deque()
        self._reply: list[bytes] = []
        self._exchange: Exchange | None = None
        self._in_body = self._data_asked = self._chunked = self._gone_on = self._challenged = False
        self._manner = Listening()
        self._head: MessageHead | None = None
        self._written_by: list[Label] = []
        self._messages = 0

    def gap(self, side: Side, missing: int, at: int) -> list[Event]:
        """Learn that bytes are lost; replies can no longer be matched with commands by their order."""
        if self._over:
            return []
        if side is CLIENT:
            self._head = None
            self._lines[CLIENT].skip(self._literal or 0)
            self._literal = None
            if self._exchange:
                self._exchange.lose()
        self._lines[side].lose(missing)
        self._lossy = True
        self._pending.clear()
        self._reply.clear()
        return [Gap(side, missing)]

    def end(self) -> list[Event]:
        """Tell an attempt without an answer, what wrote and what spoke, and how far it got."""
        self._manner.left |= self._over
        return self._give_up() + self._written_by + self._manner.told(self._lossy) + self._reached()

    @property
    def awaits(self) -> bool:
        """Whether the client is to wait for the greeting or a reply."""
        return not self._over and (not self._greeted or bool(self._pending)) and not self._challenged

    def _asked(self, line: bytes, at: int, heard: list[Event]) -> None:
        if self._in_body or self._data_asked:
            self._in_body, self._data_asked = line != b".", False
            if self._head and not self._head.read(line):
                self._head = None
            return
        verb, _, rest = (line.replace(b"\t", b" ") if b"\t" in line else line).partition(b" ")
        word = verb.strip()
        verb = word.upper()
        if self._exchange and not self._gone_on:
            self._challenged = False
            if not (verb in VERBS and (self._exchange.spoken or line == verb)):
                if line != b"*":
                    self._exchange.answer(line)
                return
            self._gone_on = True
        if verb not in VERBS:
            return
        if word == verb:
            self._manner.cases |= UPPER
        else:
            self._manner.spoke(word)
        if verb == b"AUTH" and self._exchange:
            heard += self._give_up()
        elif verb == b"RCPT" and self._pending and self._pending[-1] == b"MAIL":
            self._manner.pipelined = True
        if len(self._pending) < PENDING_LIMIT:
            self._pending.append(verb)
        else:
            heard.append(Weird("smtp_pipeline"))
        self._commanded(verb, rest.strip(), at, heard)

    def _commanded(self, verb: bytes, rest: bytes, at: int, heard: list[Event]) -> None:
        match verb:
            case b"EHLO" | b"HELO" | b"LHLO":
                heard.append(ClientName(text(rest), verb.decode()))
                self._manner.named(verb, rest)
            case b"AUTH" if rest:
                mechanism, _, initial = rest.partition(b" ")
                self._exchange, self._gone_on = Exchange(mechanism, at), False
                if initial := initial.strip():
                    self._exchange.answer(initial)
                if not self._manner.auth:
                    self._manner.logs_in(self._exchange.mechanism, mechanism, bool(initial))
            case b"STARTTLS":
                self._holding = True
            case b"DATA":
                self._data_asked = True
            case b"MAIL":
                self._chunked, self._served = False, True
                self._messages += 1
                self._head = MessageHead(self._written_by) if self._messages <= MESSAGES_READ else None
            case b"BDAT":
                size = rest.split()[:1]
                if size and size[0].isdigit():
                    self._literal = int(size[0][:18])  # Python refuses thousands of digits
            case b"QUIT":
                self._manner.left = True

    def _next_line(self, lines: Lines) -> bytes | None:
        if self._literal is not None and not self._read_chunk(lines, self._literal):
            return None
        if not self._in_body:
            return lines.pop()
        if self._head:
            whole = lines.pop_head()
            if whole is None:
                return lines.pop()
            self._head.read_whole(whole)
            self._head = None
        return lines.pop_dot()

    def _read_chunk(self, lines: Lines, size: int) -> bool:
        """Read the head of a message out of its first chunk; let all others pass unread."""
        if self._head:
            first = lines.take(min(size, BYTES_READ))
            if first is None:
                return False
            self._head.read_whole(first)
            self._head, size = None, size - len(first)
        lines.skip(size)
        self._literal = None
        return True

    def _heard_server(self, lines: Lines, at: int, heard: list[Event]) -> None:
        """Read whole replies at once where they lie whole, else line by line."""
        while not self._over:
            if not self._reply and (whole := lines.pop_match(_REPLY)):
                reply = whole[0].split(b"\r\n")
                reply.pop()
                self._judge(whole[1], reply, at, heard)
            elif (line := lines.pop()) is not None:
                self._answered(line, at, heard)
            else:
                return

    def _answered(self, line: bytes, at: int, heard: list[Event]) -> None:
        code, mark = line[:3], line[3:4]
        if not code.isdigit() or mark not in (b" ", b"-", b""):
            heard.append(Weird("smtp_no_reply_code"))
            return
        if len(self._reply) < REPLY_LINES:
            self._reply.append(line)
        if mark == b"-":
            return
        reply, self._reply = self._reply, []
        self._judge(code, reply, at, heard)

    def _judge(self, code: bytes, reply: list[bytes], at: int, heard: list[Event]) -> None:
        self.answer = reply[-1]
        if not self._greeted and not self._pending and not self._lossy:
            self._greeted = self._manner.greeted = True
            heard.append(greeting(reply))
        else:
            self._greeted = True
            self._replied(code, reply, at, heard)

    def _replied(self, code: bytes, reply: list[bytes], at: int, heard: list[Event]) -> None:
        if code == b"334" and self._lossy and not self._exchange and prompts_login(reply[-1][4:]):
            self._exchange, self._gone_on = Exchange(b"LOGIN", at), False
        if self._exchange and self._ends_login(code, heard):
            self._auth_replied(code, reply, heard)
            return
        if code == b"354":
            self._in_body = self._served = True
            self._data_asked = False
            if self._pending and self._pending[0] == b"DATA":
                self._pending.popleft()
            self._pending.appendleft(_BODY)
            heard.append(Mail(accepted=True))
            return
        verb = self._pending.popleft() if self._pending else b""
        good = code.startswith(b"2")
        if verb == b"DATA" or (self._lossy and not good):
            self._data_asked = False
        if verb == b"STARTTLS":
            self._tls_answered(code == b"220", at, heard)
        elif good and (verb in (b"EHLO", b"LHLO") or (not verb and is_ehlo_reply(reply))):
            heard += offer(reply)
        elif verb in (b"DATA", b"MAIL") and not good:
            heard.append(Mail(accepted=False))
        elif verb == b"BDAT" and not self._chunked:
            self._chunked = True
            heard.append(Mail(accepted=good))
        elif verb == _BODY:
            self._in_body = False
        self._served |= good and verb in (b"RCPT", b"QUIT", b"VRFY", b"BDAT")
        if not good and (why := cause(reply[-1])):
            heard.append(Label("smtp.refusal", why))

    def _ends_login(self, code: bytes, heard: list[Event]) -> bool:
        """Tell whether a reply is for AUTH: in its turn, or by its code where turns are lost."""
        lost = not self._pending
        beyond = self._gone_on and code.startswith(b"2") and code != b"235"
        if beyond and (lost or self._pending[0] == b"AUTH"):
            heard += self._give_up()
            return False
        return code in _AUTH_REPLIES if lost else self._pending[0] == b"AUTH"

    def _auth_replied(self, code: bytes, reply: list[bytes], heard: list[Event]) -> None:
        exchange = self._exchange
        if exchange is None:
            return
        if code == b"334":
            heard += exchange.challenge(reply[-1][4:])
            self._challenged = True
            return
        self._exchange, self._challenged = None, False
        if b"AUTH" in self._pending:
            self._pending.remove(b"AUTH")
        sentence = b" ".join(line[4:] for line in reply)
        outcome = Outcome.ACCEPTED if code.startswith(b"2") else Outcome.REFUSED
        heard.append(exchange.login(outcome, sentence))

    def _give_up(self) -> list[Event]:
        exchange, self._exchange = self._exchange, None
        if exchange and b"AUTH" in self._pending:
            self._pending.remove(b"AUTH")
        return [exchange.login(None)] if exchange else []


DIALECT = Dialect(
    name="smtp",
    transport=Transport.TCP,
    ports=frozenset({25, 587, 2525, 465}),
    client_mark=client_mark,
    server_mark=server_mark,
    server_first=True,
    session=SmtpSession,
    examples=(COPIER, SENDER, STARTTLS, CANCELLED),
    script=script,
)
