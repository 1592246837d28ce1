"""What of HTTP's heads is read, and what is kept of requests and responses meanwhile (RFC 9110, RFC 9112)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from scanner.protocols.http_auth import Credentials

METHODS = frozenset(
    b"GET HEAD POST PUT DELETE OPTIONS CONNECT PATCH TRACE PROPFIND PROPPATCH MKCOL COPY MOVE LOCK UNLOCK"
    b" SEARCH SUBSCRIBE POLL RPC_IN_DATA RPC_OUT_DATA REPORT BPROPFIND".split()
)
"""RFC 9110 9, RFC 4918 9, and those of Outlook Anywhere ([MS-RPCH] 2.1.2.1)."""
TEXT_LENGTH = 256
"""Characters of a header kept."""
REALM_WITHIN = 1024
"""Bytes of a challenge in which its realm is looked for; whole ones have under 200."""
HEADERS = {b"user-agent": "http.user_agent", b"host": "http.host", b"ms-asprotocolversion": "eas.version"}
EXCHANGE = {b"x-owa-version": "X-OWA-Version", b"x-feserver": "X-FEServer"}
"""Headers by which Exchange's front end is known, to whoever asks (X-FEServer: since 2013)."""
READ = (
    frozenset({b"content-length", b"transfer-encoding", b"authorization", b"cookie", *HEADERS}),
    frozenset(
        {b"content-length", b"transfer-encoding", b"content-type", b"content-encoding", b"server",
         b"www-authenticate", b"location", *EXCHANGE}
    ),
)  # fmt: skip
"""Headers of each side that are looked at."""
_COOKIES = (
    b"fedauth", b"rtfa", b"cadata", b"openidconnect.token", b"openidconnect.token.v1",
    b"openidconnect.id_token.v1",
)  # fmt: skip
"""Cookies that stand for a login at Exchange's and SharePoint's front ends."""
_REALM = re.compile(
    rb'(?:^|[\s,])(?:basic|digest)\s.*?realm=(?:"((?:[^"\\]|\\.)*)"|([^\s",]+))',
    re.IGNORECASE | re.DOTALL,
)


@dataclass(slots=True)
class Request:
    """One request that waits for its answer."""

    method: bytes
    target: bytes
    at: int
    login: Credentials | None = None
    agent: str = ""
    """Its User-Agent."""

    @property
    def through_proxy(self) -> bool:
        """It names the server in its first line (RFC 9112 3.2.2): the answer is not about who gives it."""
        return self.target[:1] not in (b"/", b"*") and self.method != b"CONNECT"


@dataclass(slots=True)
class Head:
    """A request's or response's head while it is read."""

    first: bytes = b""
    length: int | None = None
    chunked: bool = False
    html: bool = False
    coded: bool = False
    location: bytes = b""
    offers: list[str] = field(default_factory=list)
    facts: list[tuple[str, str]] = field(default_factory=list)
    """Field and text of what the server says of itself."""


def realm(challenge: bytes) -> str:
    """The realm of a Basic or Digest challenge (RFC 7617 2, RFC 7616 3.3); empty if it has none."""
    found = b"ealm=" in challenge and _REALM.search(challenge[:REALM_WITHIN])
    if not found:
        return ""
    return text(found[2] if found[1] is None else re.sub(rb"\\(.)", rb"\1", found[1])).strip()


def has_login_cookie(value: bytes) -> bool:
    """Tell whether a cookie in a Cookie header stands for a login."""
    return any(cookie.partition(b"=")[0].strip().lower() in _COOKIES for cookie in value.split(b";"))


def text(raw: bytes) -> str:
    """A header's value as text, cut."""
    return raw.decode("latin-1")[:TEXT_LENGTH]


def client_mark(head: bytes) -> bool | None:
    """Tell whether a client begins like HTTP/1.x."""
    line, end, _ = head.partition(b"\n")
    words = line.split()
    if words and words[0] in METHODS:
        return words[-1].startswith(b"HTTP/1.") if end else True
    return None if not end and len(head) < 8 and head.isalpha() else False


def server_mark(head: bytes) -> bool | None:
    """Tell whether a server does."""
    if head.startswith(b"HTTP/1."):
        return True
    return None if b"HTTP/1.".startswith(head[:7]) else False
