"""HTTP/1.x as Exchange's clients speak it: RFC 9112, with RFC 9110's authentication; bodies pass unread."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from scanner.conversation import CLIENT, SERVER, Side, Transport
from scanner.events import Event, Gap, Label, Login, Offer, Outcome, Phase, Reached, Service, Weird
from scanner.protocols import eas
from scanner.protocols.http_auth import Credentials, credentials, offered, service
from scanner.session import Dialect, Example
from scanner.wire.lines import Lines

METHODS = frozenset(
    b"GET HEAD POST PUT DELETE OPTIONS CONNECT PATCH TRACE PROPFIND PROPPATCH MKCOL COPY MOVE LOCK UNLOCK"
    b" SEARCH SUBSCRIBE POLL RPC_IN_DATA RPC_OUT_DATA REPORT BPROPFIND".split()
)
"""RFC 9110 9, RFC 4918 9, and those of Outlook Anywhere ([MS-RPCH] 2.1.2.1)."""
PENDING_LIMIT = 256
"""Requests that wait for an answer; more are not matched and told as ``http_pipeline``."""
TEXT_LENGTH = 256
"""Characters of a header kept."""
_HEADERS = {b"user-agent": "http.user_agent", b"host": "http.host", b"ms-asprotocolversion": "eas.version"}
_READ = (
    frozenset({b"content-length", b"transfer-encoding", b"authorization", b"cookie", *_HEADERS}),
    frozenset({b"content-length", b"transfer-encoding", b"www-authenticate"}),
)
"""Headers of each side that are looked at."""
_HEXADECIMAL = b"0123456789abcdefABCDEF"
_COOKIES = (b"fedauth", b"rtfa", b"cadata", b"openidconnect.token")
"""Cookies that stand for a login at Exchange's and SharePoint's front ends."""


@dataclass(slots=True)
class _Request:
    method: bytes
    target: bytes
    at: int
    login: Credentials | None = None


@dataclass(slots=True)
class _Head:
    """A request's or response's head while it is read."""

    first: bytes = b""
    length: int | None = None
    chunked: bool = False
    offers: list[str] = field(default_factory=list)


class HttpSession:
    """One HTTP/1.x connection."""

    def __init__(self) -> None:
        """Begin before the first request."""
        self.leftover: tuple[tuple[Side, int, bytes], ...] = ()
        self._lines = (Lines(), Lines())
        self._heads: list[_Head | None] = [None, None]
        self._chunks = [False, False]
        self._endless = [False, False]
        self._requests: deque[_Request] = deque()
        self._asking: _Request | None = None
        self._unheard: _Request | None = None
        self._opened: _Request | None = None
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
        self._lines[side].lose(missing)
        self._heads[side] = None
        if side is SERVER:
            logins = [one for one in self._requests if one.login and one.login.final]
            self._unheard = logins[-1] if logins else self._unheard
            self._requests.clear()
        heard.append(Gap(side, missing))
        return heard

    def end(self) -> list[Event]:
        """Tell attempts without an answer, and how far it got."""
        heard: list[Event] = []
        final = [one for one in (self._unheard, *self._requests) if one and one.login and one.login.final]
        for request in final or [one for one in (self._opened,) if one]:
            self._attempt(request, None, b"", heard)
        if any(self._spoke):
            both = Phase.SERVED if self._answered_any else Phase.ANSWERED
            heard.append(Reached(both if all(self._spoke) else Phase.OPENED))
        return heard

    def _answer_unheard(self, request: _Request, heard: list[Event]) -> None:
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
                self._lines[side].skip(count)
            else:
                self._chunks[side] = False
                self._heads[side] = _Head(first=b"trailer")

    def _line(self, side: Side, line: bytes, at: int, heard: list[Event]) -> None:
        head = self._heads[side]
        if head is None:
            if side is CLIENT:
                self._request_line(line, at)
            elif line.startswith(b"HTTP/1."):
                self._heads[side] = _Head(first=line)
            return
        if line:
            name, _, value = line.partition(b":")
            name = name.strip().lower()
            if name in _READ[side]:
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
            self._heads[CLIENT] = _Head(first=line)
            target = words[1] if words[0] == b"CONNECT" else b" ".join(words[1:-1])
            self._asking = _Request(words[0], target, at)

    def _header(self, side: Side, head: _Head, name: bytes, value: bytes, heard: list[Event]) -> None:
        match name:
            case b"content-length" if value.isdigit():
                head.length = int(value[:18])
            case b"transfer-encoding":
                head.chunked = b"chunked" in value.lower()
            case b"authorization" if self._asking:
                self._asking.login = credentials(value) or self._asking.login
            case b"www-authenticate":
                head.offers += offered(value)
            case b"cookie":
                self._cookies(value, heard)
            case _ if name in _HEADERS:
                self._label(_HEADERS[name], _text(value), heard)

    def _cookies(self, value: bytes, heard: list[Event]) -> None:
        for cookie in value.split(b";"):
            name = cookie.partition(b"=")[0].strip()
            if name.lower() in _COOKIES:
                self._label("http.cookie", _text(name), heard)

    def _label(self, name: str, text: str, heard: list[Event]) -> None:
        told, fact = self._told, (name, text)
        if text and fact not in told and len(told) < PENDING_LIMIT:
            told.add(fact)
            heard.append(Label(name, text))

    def _asked(self, head: _Head, heard: list[Event]) -> None:
        request = self._asking
        self._asking = None
        if request is None:
            return
        self._answer_unheard(request, heard)
        if request.login and request.login.final:
            self._opened = None
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
        if len(self._requests) < PENDING_LIMIT:
            self._requests.append(request)
        else:
            heard.append(Weird("http_pipeline"))
        if request.method != b"CONNECT":
            self._body(CLIENT, head)

    def _answered(self, head: _Head, at: int, heard: list[Event]) -> None:
        status = head.first.split()[1:2]
        code = int(status[0]) if status and status[0].isdigit() and len(status[0]) == 3 else 0
        if 100 <= code < 200:
            return
        request = self._requests.popleft() if self._requests else None
        self._answered_any |= code != 401
        if head.offers and code == 401:
            heard.append(Offer(tuple(sorted(set(head.offers)))))
        if request and request.method == b"CONNECT" and 200 <= code < 300:
            self._tunnel(request, at, heard)
            return
        if request and request.login:
            self._judge(request, code, head, heard)
        if (request and request.method == b"HEAD") or code in (204, 304):
            return
        self._body(SERVER, head)
        if head.length is None and not head.chunked:
            self._endless[SERVER] = True

    def _judge(self, request: _Request, code: int, head: _Head, heard: list[Event]) -> None:
        """401 to an opening message is a step; to a final one it is the refusal (RFC 9110 15.5.2)."""
        if request.login is None:
            return
        if not request.login.final and code == 401:
            self._opened = request
            return
        self._opened = None
        refused = code in (401, 403) or (code == 456)
        outcome = Outcome.REFUSED if refused else Outcome.ACCEPTED if 200 <= code < 500 else None
        self._attempt(request, outcome, head.first.partition(b" ")[2], heard)

    def _attempt(
        self, request: _Request, outcome: Outcome | None, sentence: bytes, heard: list[Event]
    ) -> None:
        """Tell an attempt; the same credentials with the same result again are no new attempt."""
        login = request.login
        if login is None or self._last == (login, outcome):
            return
        self._last = login, outcome
        reason = _text(sentence) if outcome is Outcome.REFUSED else None
        heard.append(Login(login.mechanism, outcome, login.username, reason, at=request.at))

    def _body(self, side: Side, head: _Head) -> None:
        if head.chunked:
            self._chunks[side] = True
        elif head.length:
            self._lines[side].skip(head.length)

    def _tunnel(self, request: _Request, at: int, heard: list[Event]) -> None:
        self._over = True
        rests = ((side, at, self._lines[side].rest()) for side in (CLIENT, SERVER))
        self.leftover = tuple(rest for rest in rests if rest[2])
        heard.append(Label("http.connect", _text(request.target)))


def _text(raw: bytes) -> str:
    return raw.decode("latin-1")[:TEXT_LENGTH]


def _client_mark(head: bytes) -> bool | None:
    line, end, _ = head.partition(b"\n")
    words = line.split()
    if words and words[0] in METHODS:
        return words[-1].startswith(b"HTTP/1.") if end else True
    return None if not end and len(head) < 8 and head.isalpha() else False


def _server_mark(head: bytes) -> bool | None:
    if head.startswith(b"HTTP/1."):
        return True
    return None if b"HTTP/1.".startswith(head[:7]) else False


_PHONE = Example(
    "a phone syncs with a password",
    (
        (
            CLIENT,
            b"POST /Microsoft-Server-ActiveSync?Cmd=Sync&User=ann&DeviceId=AB12&DeviceType=Fon HTTP/1.1\r\n"
            b"Host: outlook.office365.com\r\nMS-ASProtocolVersion: 14.1\r\nContent-Length: 3\r\n"
            b"Authorization: Basic YW5uQGV4YW1wbGUuY29tOnNlY3JldC0x\r\n\r\nabc",
        ),
        (
            SERVER,
            b'HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=""\r\nContent-Length: 0\r\n\r\n',
        ),
    ),
    (
        Label("http.host", "outlook.office365.com"),
        Label("eas.version", "14.1"),
        Service("eas"),
        Label("eas.command", "Sync"),
        Label("eas.user", "ann"),
        Label("eas.device_id", "AB12"),
        Label("eas.device_type", "Fon"),
        Offer(("HTTP-Basic",)),
        Login("HTTP-Basic", Outcome.REFUSED, "ann@example.com", "401 Unauthorized"),
        Reached(Phase.ANSWERED),
    ),
    (b"secret-1", b"YW5uQGV4YW1wbGUuY29tOnNlY3JldC0x"),
)

DIALECT = Dialect(
    name="http",
    transport=Transport.TCP,
    ports=frozenset({80, 443, 3128, 8080}),
    client_mark=_client_mark,
    server_mark=_server_mark,
    server_first=False,
    session=HttpSession,
    examples=(_PHONE,),
)
