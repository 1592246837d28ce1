"""HTTP/1.x as Exchange's clients speak it: RFC 9112, with RFC 9110's authentication; bodies pass unread."""

from __future__ import annotations

from collections import deque

from scanner.conversation import CLIENT, SERVER, Side, Transport
from scanner.events import Event, Gap, Label, Login, Offer, Outcome, Phase, Reached, Service, Weird
from scanner.protocols import eas
from scanner.protocols.http_auth import (
    COOKIE,
    Credentials,
    credentials,
    machine,
    offered,
    outcome_of,
    service,
)
from scanner.protocols.http_examples import OUTLOOK, PHONE
from scanner.protocols.http_heads import (
    EXCHANGE,
    HEADERS,
    METHODS,
    READ,
    Head,
    Request,
    client_mark,
    has_login_cookie,
    realm,
    server_mark,
    text,
)
from scanner.protocols.http_page import Page
from scanner.protocols.http_script import script
from scanner.session import Dialect
from scanner.wire.lines import Lines

PENDING_LIMIT = 256
"""Requests that wait for an answer; more are not matched and told as ``http_pipeline``."""
_HEXADECIMAL = b"0123456789abcdefABCDEF"


class HttpSession:
    """One HTTP/1.x connection."""

    def __init__(self) -> None:
        """Begin before the first request."""
        self.leftover: tuple[tuple[Side, int, bytes], ...] = ()
        self.answer = b""
        self._lines = (Lines(), Lines())
        self._heads: list[Head | None] = [None, None]
        self._chunks = [False, False]
        self._endless = [False, False]
        self._page: Page | None = None
        self._only_connects: bool | None = None
        self._requests: deque[Request] = deque()
        self._asking: Request | None = None
        self._unheard: Request | None = None
        self._opened: Request | None = None
        self._over = self._answered_any = False
        self._spoke = [False, False]
        self._told: set[tuple[str, str]] = set()
        self._last: tuple[Credentials, Outcome | None] | None = None

    def feed(self, side: Side, data: bytes, at: int) -> list[Event]:
        """Hear bytes of one side."""
        heard: list[Event] = []
        if self._over or self._endless[side]:
            return heard
        if data:
            self._spoke[side] = True
        lines = self._lines[side]
        lines.push(data)
        while not self._over and not self._endless[side]:
            if self._page and side is SERVER and not self._look_at(self._page, lines, heard):
                break
            if self._heads[side] is None and not self._chunks[side] and (block := lines.pop_block()):
                for line in block:
                    self._line(side, line, at, heard)
            elif (single := lines.pop()) is None:
                break
            elif self._chunks[side]:
                self._chunk(side, single)
            else:
                self._line(side, single, at, heard)
        if lines.overflowed:
            lines.overflowed = False
            heard.append(Weird("http_long_line"))
        return heard

    def gap(self, side: Side, missing: int, at: int) -> list[Event]:
        """Learn that bytes are lost; a head that was being read is forgotten."""
        heard: list[Event] = []
        if self._over:
            return heard
        if side is SERVER and self._page:
            self._leave(self._page, self._lines[SERVER])
        self._lines[side].lose(missing)
        self._heads[side] = None
        if side is SERVER:
            begun = [one for one in self._requests if one.login]
            logins = [one for one in begun if one.login and one.login.final]
            self._unheard = logins[-1] if logins else self._unheard
            self._opened = begun[-1] if begun and not logins else self._opened
            self._requests.clear()
        heard.append(Gap(side, missing))
        return heard

    def end(self) -> list[Event]:
        """Tell attempts without an answer, and how far it got."""
        heard: list[Event] = []
        final = [one for one in (self._unheard, *self._requests) if one and one.login and one.login.final]
        for request in final or [one for one in (self._opened,) if one]:
            self._attempt(request, None, b"", heard)
        if any(self._spoke) and not self._only_connects:  # nobody but a proxy was spoken with
            both = Phase.SERVED if self._answered_any else Phase.ANSWERED
            heard.append(Reached(both if all(self._spoke) else Phase.OPENED))
        return heard

    @property
    def awaits(self) -> bool:
        """Whether the client is to wait for an answer, or for the rest of it, which may be its end."""
        begun = self._heads[SERVER] or self._chunks[SERVER] or self._page or self._endless[SERVER]
        return not self._over and bool(self._requests or begun or self._lines[SERVER].skipping)

    def _answer_unheard(self, request: Request, heard: list[Event]) -> None:
        """A login whose answer was lost: NTLM holds for the connection, so who is refused logs in again."""
        unheard, self._unheard = self._unheard, None
        if unheard and unheard.login:
            bound = unheard.login.mechanism in ("HTTP-NTLM", "HTTP-Negotiate")
            accepted = bound and request.login is None
            self._attempt(unheard, Outcome.ACCEPTED if accepted else None, b"", heard)

    def _chunk(self, side: Side, line: bytes) -> None:
        size = line.partition(b";")[0].strip()
        if size.strip(_HEXADECIMAL):
            self._chunks[side] = False
            return
        if size:
            if count := int(size, 16):
                if self._page and side is SERVER:
                    self._page.expect(count)
                else:
                    self._lines[side].skip(count)
            else:
                if side is SERVER:
                    self._page = None
                self._chunks[side] = False
                self._heads[side] = Head(first=b"trailer")

    def _line(self, side: Side, line: bytes, at: int, heard: list[Event]) -> None:
        head = self._heads[side]
        if head is None:
            if side is CLIENT:
                self._request_line(line, at)
            elif line.startswith(b"HTTP/1."):
                self._heads[side] = Head(first=line)
            return
        if line:
            name, _, value = line.partition(b":")
            name = name.strip().lower()
            if name in READ[side]:
                self._header(side, head, name, value.strip(), heard)
            return
        self._heads[side] = None
        if head.first == b"trailer":
            return
        if side is CLIENT:
            self._asked(head, heard)
        else:
            self._answered(head, at, heard)

    def _request_line(self, line: bytes, at: int) -> None:
        words = line.split()
        if len(words) >= 3 and words[0] in METHODS and words[-1].startswith(b"HTTP/1."):
            self._heads[CLIENT] = Head(first=line)
            target = words[1] if words[0] == b"CONNECT" else b" ".join(words[1:-1])
            self._asking = Request(words[0], target, at)

    def _header(self, side: Side, head: Head, name: bytes, value: bytes, heard: list[Event]) -> None:
        match name:
            case b"content-length" if value.isdigit():
                head.length = int(value[:18])
            case b"transfer-encoding":
                head.chunked = b"chunked" in value.lower()
            case b"authorization" if self._asking:
                self._asking.login = credentials(value) or self._asking.login
            case b"www-authenticate":
                head.offers += offered(value)
                if named := realm(value):
                    head.facts.append(("http.realm", named))
                head.facts += machine(value)
            case b"server":
                head.facts.append(("http.server", text(value)))
            case b"content-type":
                head.html = value[:9].lower() == b"text/html"
            case b"content-encoding":
                head.coded = value.lower() != b"identity"
            case b"location":
                head.location = value
            case _ if name in EXCHANGE:
                head.facts.append(("http.exchange", f"{EXCHANGE[name]}: {text(value)}"))
            case b"cookie":
                if self._asking and not self._asking.login and self._rests_on_cookies(value):
                    self._asking.login = COOKIE
            case _ if name in HEADERS:
                told, asking = text(value), self._asking
                if name == b"user-agent" and asking:
                    asking.agent = told
                if not (name == b"host" and asking and asking.method == b"CONNECT"):
                    self._label(HEADERS[name], told, heard)  # CONNECT's is the target, perhaps refused

    def _rests_on_cookies(self, value: bytes) -> bool:
        """Whether a login of earlier is shown, and none was made here that the session rests on."""
        return (self._last is None or self._last[0] is COOKIE) and has_login_cookie(value)

    def _label(self, name: str, text: str, heard: list[Event]) -> None:
        told, fact = self._told, (name, text)
        if text and fact not in told and len(told) < PENDING_LIMIT:
            told.add(fact)
            heard.append(Label(name, text))

    def _asked(self, head: Head, heard: list[Event]) -> None:
        request = self._asking
        self._asking, self.answer = None, b""
        if request is None:
            return
        self._answer_unheard(request, heard)
        if request.login and request.login.final:
            self._opened = None
        self._only_connects = request.method == b"CONNECT" and self._only_connects is not False
        path, _, query = request.target.partition(b"?")
        if path.lower().startswith((b"http://", b"https://")):
            path = b"/" + path.split(b"/", 3)[-1]
        if kind := service(path):
            if ("service", kind) not in self._told:
                self._told.add(("service", kind))
                heard.append(Service(kind))
            if kind == "eas":
                for label in eas.labels(query.decode("latin-1")):
                    self._label(label.field, label.text, heard)
                self._label("eas.user_agent", request.agent, heard)
        if len(self._requests) < PENDING_LIMIT:
            self._requests.append(request)
        else:
            heard.append(Weird("http_pipeline"))
        if request.method != b"CONNECT":
            self._body(CLIENT, head)

    def _answered(self, head: Head, at: int, heard: list[Event]) -> None:
        status = head.first.split()[1:2]
        code = int(status[0]) if status and status[0].isdigit() and len(status[0]) == 3 else 0
        if 100 <= code < 200:
            return
        request = self._requests.popleft() if self._requests else None
        self.answer = head.first + (b"\r\nLocation: " + head.location if head.location else b"")
        self._answered_any |= code != 401
        if head.offers and code == 401:
            heard.append(Offer(tuple(sorted(set(head.offers)))))
        if request and request.method == b"CONNECT" and 200 <= code < 300:
            self._tunnel(request, at, heard)
            return
        if request and request.login:
            self._judge(request, code, head, heard)
        own = request is not None and not request.through_proxy
        if own and head.facts:
            for name, said in head.facts:
                self._label(name, said, heard)
        if (request and request.method == b"HEAD") or code in (204, 304):
            return
        endless = head.length is None and not head.chunked
        if own and code == 200 and head.html and not head.coded:
            self._page = Page(None if endless else 0 if head.chunked else head.length)
            self._chunks[SERVER] = head.chunked
            return
        self._body(SERVER, head)
        self._endless[SERVER] = endless

    def _judge(self, request: Request, code: int, head: Head, heard: list[Event]) -> None:
        """401 to an opening message is a step; to a final one it is the refusal (RFC 9110 15.5.2)."""
        if request.login is None:
            return
        if not request.login.final and code == 401:
            self._opened = request
            return
        self._opened = None
        outcome = outcome_of(code, request.login.mechanism)
        self._attempt(request, outcome, head.first.partition(b" ")[2], heard)

    def _attempt(
        self, request: Request, outcome: Outcome | None, sentence: bytes, heard: list[Event]
    ) -> None:
        """Tell an attempt; the same credentials with the same result again are no new attempt."""
        login = request.login
        if login is None or self._last == (login, outcome):
            return
        self._last = login, outcome
        reason = text(sentence) if outcome is Outcome.REFUSED else None
        heard.append(Login(login.mechanism, outcome, login.username, reason, at=request.at))

    def _look_at(self, page: Page, lines: Lines, heard: list[Event]) -> bool:
        """Read of a page what is there; False: the rest of its beginning is still to come."""
        page.add(lines.take_most(page.wanted))
        if title := page.title:
            self._label("http.title", title, heard)
        elif page.wanted:
            return False
        elif page.may_go_on and self._chunks[SERVER]:
            return True
        self._leave(page, lines)
        return not self._endless[SERVER]

    def _leave(self, page: Page, lines: Lines) -> None:
        """Let the rest of a page pass unread."""
        self._page = None
        if page.unread is None:
            self._endless[SERVER] = True
        else:
            lines.skip(page.unread)

    def _body(self, side: Side, head: Head) -> None:
        if head.chunked:
            self._chunks[side] = True
        elif head.length:
            self._lines[side].skip(head.length)

    def _tunnel(self, request: Request, at: int, heard: list[Event]) -> None:
        self._over = True
        rests = ((side, at, self._lines[side].rest()) for side in (CLIENT, SERVER))
        self.leftover = tuple(rest for rest in rests if rest[2])
        heard.append(Label("http.connect", text(request.target)))


DIALECT = Dialect(
    name="http",
    transport=Transport.TCP,
    ports=frozenset({80, 443, 3128, 8080}),
    client_mark=client_mark,
    server_mark=server_mark,
    server_first=False,
    session=HttpSession,
    examples=(PHONE, OUTLOOK),
    script=script,
)
