"""Who logs in by HTTP: Authorization read up to the user name (RFC 9110 11, RFC 7617, RFC 6750, RFC 4559)."""

from __future__ import annotations

import binascii
import re
from typing import NamedTuple

from scanner.events import Outcome
from scanner.protocols import ntlm
from scanner.protocols.sasl import NAME_LENGTH, digest_name

SCHEMES = {b"basic": "HTTP-Basic", b"bearer": "HTTP-Bearer", b"ntlm": "HTTP-NTLM", b"digest": "HTTP-Digest"}
SCHEMES |= {b"negotiate": "HTTP-Negotiate", b"kerberos": "HTTP-Negotiate", b"msauth1.0": "HTTP-MSAuth"}
"""Schemes, lower case, as mechanisms of the session record; MSAuth is a token of the web mail's."""
_CHALLENGE = re.compile(rb"(?:^|,\s*)([A-Za-z][A-Za-z0-9-]*)(?=\s*$|\s*,|\s+[A-Za-z0-9+/=_-])")
SERVICES = (
    (b"/microsoft-server-activesync", "eas"),
    (b"/ews/", "ews"),
    (b"/autodiscover/", "autodiscover"),
    (b"/mapi/", "mapi"),
    (b"/rpc/", "rpc"),
    (b"/rpcwithcert/", "rpc"),
    (b"/oab/", "oab"),
    (b"/powershell", "powershell"),
    (b"/owa/", "owa"),
    (b"/api/v2.0", "rest"),
    (b"/api/beta", "rest"),
)
"""Exchange's virtual directories, lower case."""


class Credentials(NamedTuple):
    """One Authorization header, its secret dropped."""

    mechanism: str
    username: str | None
    final: bool
    """False for a message that only opens an exchange (NTLM type 1)."""


COOKIE = Credentials("HTTP-Cookie", None, final=True)
"""A cookie that stands for an earlier login."""
_REFUSALS = frozenset({401, 403, 440, 456})
"""440 is Exchange's for a login that is too old, 456 for one that needs more."""


def outcome_of(code: int, mechanism: str) -> Outcome | None:
    """Tell what an answer's code means for a login; who comes with a cookie may be sent away to sign in."""
    if code in _REFUSALS:
        return Outcome.REFUSED
    known = 300 if mechanism == COOKIE.mechanism else 500
    return Outcome.ACCEPTED if 200 <= code < known else None


def credentials(value: bytes) -> Credentials | None:
    """Read a header's value; None for a scheme that has no name among ours."""
    scheme, _, rest = value.strip().partition(b" ")
    mechanism = SCHEMES.get(scheme.lower())
    rest = rest.strip()
    match mechanism:
        case None:
            return None
        case "HTTP-Basic":
            return Credentials(mechanism, _text(_decoded(rest).partition(b":")[0]), final=True)
        case "HTTP-Digest":
            return Credentials(mechanism, digest_name(rest), final=True)
        case "HTTP-NTLM" | "HTTP-Negotiate":
            return _spnego(mechanism, _decoded(rest))
        case _:
            return Credentials(mechanism, None, final=True)


def offered(value: bytes) -> tuple[str, ...]:
    """Schemes of a WWW-Authenticate header, as mechanisms of the session record."""
    names = (SCHEMES.get(found.lower()) for found in _CHALLENGE.findall(value))
    return tuple(name for name in names if name)


def machine(challenge: bytes) -> list[tuple[str, str]]:
    """What a WWW-Authenticate header tells by NTLM of the server (RFC 4559 4.2), as ``ntlm.told``."""
    scheme, _, token = challenge.partition(b" ")
    return ntlm.told(_decoded(token)) if token and scheme.lower() in (b"ntlm", b"negotiate") else []


def service(path: bytes) -> str | None:
    """Name the Exchange service that a path belongs to."""
    lowered = path.lower() + b"/"
    for start, name in SERVICES:
        if lowered.startswith(start):
            return name
    return None


def _spnego(mechanism: str, message: bytes) -> Credentials:
    """NTLM may come bare or inside Negotiate; then it is NTLM all the same."""
    at = message.find(ntlm.SIGNATURE)
    if at < 0:
        return Credentials(mechanism, None, final=mechanism == "HTTP-Negotiate")
    inner = message[at:]
    return Credentials("HTTP-NTLM", ntlm.username(inner), final=inner[8:12] == b"\x03\0\0\0")


def _decoded(value: bytes) -> bytes:
    try:
        return binascii.a2b_base64(value)
    except binascii.Error:
        return b""


def _text(name: bytes) -> str | None:
    return name.decode("utf-8", "replace")[:NAME_LENGTH] or None
