"""Who may ask, and what a browser may do with the answer."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from hashlib import sha256
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

METHODS = ("GET", "HEAD")
OURS = ("same-origin", "none")
"""From where this page, or a person, asks (Fetch Metadata, 2.3)."""
UNFRAMED = "; frame-ancestors 'none'"
"""What a policy in a ``meta`` element cannot say (CSP 3, 3.3), so that the header does."""
HEADERS = {
    "content-security-policy": f"default-src 'none'{UNFRAMED}",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}
"""On every answer, unless it has its own."""
COOKIE_S = 30 * 86_400
"""How long a browser stays let in: a sensor runs for weeks."""
WELCOME = (
    '<!DOCTYPE html><meta charset="utf-8"><title>mailsunset</title>'
    '<meta http-equiv="refresh" content="0; url=/"><a href="/">mailsunset</a>'
)
"""Goes on to the page without the token in its address. A redirect would not do: a browser that follows a
link from elsewhere sends no SameSite=Strict cookie along."""


class Gate:
    """Lets through who has the token, or where none is needed who asks for this machine by its own name."""

    def __init__(self, app: ASGIApp, names: frozenset[str], token: str | None, port: int = 0) -> None:
        """``names``: what the server may be called, all if empty; ``port``: tells its cookie from others'."""
        self._app, self._names = app, names
        self._digest = _digest(token) if token else None
        self._cookie = f"mailsunset-{port}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or have the application answer."""

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = message.get("headers", ())
                message["headers"] = [*own, *_missing(own)]
            await send(message)

        answer = self._answer(Request(scope)) or self._app
        await answer(scope, receive, guarded)

    def _answer(self, request: Request) -> Response | None:
        """What is said instead of what was asked for."""
        if request.method not in METHODS:
            return _refused(405, "this only shows; nothing can be changed here", Allow=", ".join(METHODS))
        if self._names and _name(request.headers.get("host", "")) not in self._names:
            return _refused(421, "this is not what the server is called; a page elsewhere may be behind it")
        if request.headers.get("sec-fetch-site", "none") not in OURS and not _is_visit(request):
            return _refused(403, "only pages of this server may ask for that")
        return self._unknown(request) if self._digest else None

    def _unknown(self, request: Request) -> Response | None:
        if request.url.path == "/" and self._knows(_digest(request.query_params.get("token", ""))):
            welcome = HTMLResponse(WELCOME)
            kept = self._digest or ""
            welcome.set_cookie(self._cookie, kept, COOKIE_S, httponly=True, samesite="strict")
            return welcome
        scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and self._knows(_digest(bearer.strip())):
            return None
        if self._knows(request.cookies.get(self._cookie, "")):
            return None
        hint = "open the link with the token that 'mailsunset serve' wrote when it began"
        return _refused(401, hint, **{"WWW-Authenticate": "Bearer"})

    def _knows(self, digest: str) -> bool:
        return secrets.compare_digest(digest.encode(), (self._digest or "").encode())


def _digest(token: str) -> str:
    """What is compared, and kept in the cookie: of one length, whatever the token is."""
    return sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _name(host: str) -> str | None:
    """The name in a Host header, without its port (RFC 9110, 7.2)."""
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None


def _is_visit(request: Request) -> bool:
    """Whether somebody follows a link, rather than a page loading what it wants."""
    return request.headers.get("sec-fetch-mode") == "navigate"


def _refused(status: int, why: str, **headers: str) -> Response:
    return PlainTextResponse(f"{why}\n", status, headers)


def _missing(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    own = {name.lower().decode("latin-1") for name, _ in headers}
    return [(name.encode(), text.encode()) for name, text in HEADERS.items() if name not in own]
