"""HTTP as tshark dissects it: who asked what of which service, how they logged in, and what came of it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from scanner.dissection import Layer
from scanner.dissection.attempt import PENDING_LIMIT, Attempted, Exchange, ntlm_name
from scanner.events import Event, Label, Offer, Outcome, Service
from scanner.protocols import eas
from scanner.protocols.http_auth import COOKIE, SCHEMES, offered, outcome_of, service
from scanner.protocols.http_heads import has_login_cookie

TOLD_LIMIT = 256
"""Facts remembered so that none is told twice; what is beyond is not told."""
_LABELS = {"http.host": "http.host", "http.user_agent": "http.user_agent", "http.request.line": "eas.version"}
_AUTHENTICATE = 3


@dataclass(slots=True)
class _Request:
    method: str
    target: str
    login: Attempted | None
    final: bool
    """False for an NTLM message that only opens an exchange."""


class HttpTalk(Exchange):
    """One HTTP/1.x connection."""

    def __init__(self) -> None:
        """Begin before the first request."""
        super().__init__()
        self._requests: deque[_Request] = deque(maxlen=PENDING_LIMIT)
        self._opened: _Request | None = None
        self._told: set[Label | Service] = set()
        self._last: tuple[str, str | None, Outcome | None] | None = None

    def end(self) -> Iterator[Event]:
        """Tell attempts without an answer, and how far it got."""
        waiting = [one for one in self._requests if one.login and one.final]
        for request in waiting or [one for one in (self._opened,) if one]:
            yield from self._attempted(request, None)
        yield from super().end()

    def _asked(self, layer: Layer, at: int) -> Iterator[Event]:
        method = layer.first("http.request.method")
        if not method:
            return
        target = layer.first("http.request.uri") or ""
        login, final = _credentials(layer, at)
        shown = any(has_login_cookie(cookie.encode()) for cookie in layer.all("http.cookie_pair"))
        if shown and login is None and (self._last is None or self._last[0] == COOKIE.mechanism):
            login, final = Attempted(COOKIE.mechanism, at, None), True
        if login and final:
            self._opened = None
        self._requests.append(_Request(method, target, login, final))
        for fact in _facts(layer, target):
            if fact not in self._told and len(self._told) < TOLD_LIMIT:
                self._told.add(fact)
                yield fact

    def _answered(self, layer: Layer) -> Iterator[Event]:
        told = layer.first("http.response.code") or ""
        code = int(told) if told.isdecimal() else 0
        if not told or 100 <= code < 200:
            return
        request = self._requests.popleft() if self._requests else None
        self._served |= code != 401
        offers = {name for text in layer.all("http.www_authenticate") for name in offered(text.encode())}
        if offers and code == 401:
            yield Offer(tuple(sorted(offers)))
        if request is None:
            return
        if request.method == "CONNECT" and 200 <= code < 300:
            yield Label("http.connect", request.target)
        elif request.login and not request.final and code == 401:
            self._opened = request
        elif request.login:
            self._opened = None
            known = outcome_of(code, request.login.mechanism)
            yield from self._attempted(request, known, f"{code} {layer.first('http.response.phrase') or ''}")

    def _attempted(self, request: _Request, outcome: Outcome | None, sentence: str = "") -> Iterator[Event]:
        login = request.login
        if login and self._last != (login.mechanism, login.username, outcome):
            self._last = login.mechanism, login.username, outcome
            yield login.login(outcome, sentence)


def _facts(layer: Layer, target: str) -> Iterator[Label | Service]:
    """What a request tells of the client, and of what it asks for."""
    for field, label in _LABELS.items():
        for text in layer.all(field):
            yield Label(label, text)
    path, _, query = target.partition("?")
    if path.lower().startswith(("http://", "https://")):
        path = "/" + path.split("/", 3)[-1]
    if kind := service(path.encode()):
        yield Service(kind)
        if kind == "eas":
            yield from eas.labels(query)


def _credentials(layer: Layer, at: int) -> tuple[Attempted | None, bool]:
    mechanism = SCHEMES.get((layer.first("http.authorization") or "").lower().encode())
    if mechanism is None:
        return None, False
    if kind := layer.first("ntlmssp.messagetype"):
        return Attempted("HTTP-NTLM", at, ntlm_name(layer)), int(kind, 0) == _AUTHENTICATE
    name = layer.first("http.authbasic") if mechanism == "HTTP-Basic" else None
    return Attempted(mechanism, at, name), mechanism != "HTTP-NTLM"
