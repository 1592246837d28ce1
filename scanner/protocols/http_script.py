"""What a polite prober asks a web server: what it is, and what Exchange's paths offer, if it has them."""

from __future__ import annotations

import re
from urllib.parse import urljoin, urlsplit

from scanner.events import Label, Offer
from scanner.protocols import ntlm
from scanner.session import Answer, Asker, Script

EAS = b"/Microsoft-Server-ActiveSync"
PATHS = (b"/EWS/Exchange.asmx", b"/autodiscover/autodiscover.xml", b"/owa/", b"/mapi/emsmdb/")
"""Asked of what seems to be Exchange alone ([MS-OXWSADISC] 3, [MS-OXCMAPIHTTP] 2.2.2)."""
_SIMPLE = frozenset({"HTTP-Basic", "HTTP-Digest"})
"""What devices protect all of their paths with."""
_PORTS = {"http": 80, "https": 443}
_TARGET = re.compile(r"/[!-~]{0,1000}")
"""A path, perhaps with a query, that can be asked for as it stands."""


def script(asker: Asker) -> Script:
    """Ask for the first page, then what Exchange's paths offer; begin NTLM once for the names it tells.

    Nobody logs in (RFC 9110 11.6.1: a 401 lists what is offered). One redirection is followed, to a path of
    the same server alone. A device is spared: after the page and EAS's OPTIONS ([MS-ASHTTP] 2.2.3) the other
    paths are asked only if the server showed itself as Exchange by a header of its own, or sends its visitors
    to OWA, or wants a login for EAS where it wants none for the page, or one that no device wants. Rests on
    no state of the session: each request may come in a connection of its own.
    """
    page = yield _request(b"GET", b"/", asker)
    exchange = _marked(page) or b"/owa" in page.line.lower()
    asked = {b"/": _offered(page)}
    if target := _followed(page, asker):
        page = yield _request(b"GET", target, asker)
        asked[target] = _offered(page)
    eas = yield _request(b"OPTIONS", EAS, asker)
    asked[EAS] = _offered(eas)
    if exchange or _is_exchange(page, eas):
        for path in PATHS:
            asked[path] = _offered((yield _request(b"GET", path, asker)))
    for mechanism in ("HTTP-NTLM", "HTTP-Negotiate"):
        if path := next((path for path, offered in asked.items() if mechanism in offered), b""):
            begin = b"Authorization: " + mechanism[5:].encode() + b" " + ntlm.NEGOTIATE + b"\r\n"
            yield _request(b"GET", path, asker, begin)
            return


def _is_exchange(page: Answer, eas: Answer) -> bool:
    """Whether the server seems to be Exchange, by its answers to the first page and to EAS."""
    own = _status(page) != 401 or not _offered(eas) <= _SIMPLE
    return (_status(eas) == 401 and own) or _marked(page) or _marked(eas)


def _marked(answer: Answer) -> bool:
    return any(isinstance(event, Label) and event.field == "http.exchange" for event in answer.events)


def _status(answer: Answer) -> int:
    """The code of an answer (RFC 9112 4); 0 for none."""
    code = answer.line[:64].split(None, 2)[1:2]
    return int(code[0]) if code and len(code[0]) == 3 and code[0].isdigit() else 0


def _offered(answer: Answer) -> frozenset[str]:
    offers = (event.mechanisms for event in answer.events if isinstance(event, Offer))
    return frozenset(mechanism for mechanisms in offers for mechanism in mechanisms)


def _request(method: bytes, target: bytes, asker: Asker, more: bytes = b"") -> bytes:
    """A request (RFC 9112 3) without a body."""
    return (
        b"%s %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: %s\r\nAccept: */*\r\nConnection: keep-alive\r\n%s\r\n"
    ) % (method, target, _authority(asker.host).encode(), asker.name.encode(), more)


def _authority(host: str) -> str:
    """A bare IPv6 address stands in brackets, and without its zone (RFC 9110 7.2, RFC 6874)."""
    return f"[{host.partition('%')[0]}]" if host.count(":") > 1 and not host.startswith("[") else host


def _followed(answer: Answer, asker: Asker) -> bytes:
    """Where a redirection leads within the same server (RFC 9110 15.4); empty: there is none."""
    location = answer.line.partition(b"\r\nLocation: ")[2]
    if not 300 < _status(answer) < 309 or b"/owa" in location.lower():
        return b""
    base = f"{'https' if asker.secure else 'http'}://{_authority(asker.host)}/"
    try:
        here, there = urlsplit(base), urlsplit(urljoin(base, location.decode("latin-1")))
        ends = [(url.scheme, url.hostname, url.port or _PORTS.get(url.scheme)) for url in (here, there)]
    except ValueError:
        return b""
    target = f"{there.path or '/'}?{there.query}".removesuffix("?")
    return target.encode() if ends[0] == ends[1] and target != "/" and _TARGET.fullmatch(target) else b""
