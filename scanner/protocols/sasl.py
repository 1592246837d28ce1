"""One SASL exchange heard from outside: who logs in, by which mechanism; secrets are dropped at once.

Sources: RFC 4422, RFC 4616 (PLAIN), RFC 5802 (SCRAM), RFC 7628 (OAUTHBEARER), RFC 2195 (CRAM-MD5), RFC 2831
(DIGEST-MD5), Microsoft "Authenticate an IMAP, POP or SMTP connection using OAuth" (XOAUTH2).
"""

from __future__ import annotations

import binascii
import re

from scanner.events import Label, Login, Outcome
from scanner.model import AuthClass
from scanner.protocols import ntlm
from scanner.protocols.refusals import cause

NAME_LENGTH = 256
"""Characters of a user name kept: RFC 5321 4.5.3.1 allows 320 at the very most, nobody has them."""
REASON_LENGTH = 256
"""Characters of a refusal kept: Exchange's longest with its trailer is 240."""

_CLASSES = {
    "PLAIN": AuthClass.BASIC,
    "LOGIN": AuthClass.BASIC,
    "IMAP-LOGIN": AuthClass.BASIC,
    "USERPASS": AuthClass.BASIC,
    "HTTP-Basic": AuthClass.BASIC,
    "XOAUTH2": AuthClass.OAUTH,
    "OAUTHBEARER": AuthClass.OAUTH,
    "OAUTH10A": AuthClass.OAUTH,
    "XOAUTH": AuthClass.OAUTH,
    "HTTP-Bearer": AuthClass.OAUTH,
    "HTTP-MSAuth": AuthClass.OAUTH,
    "NTLM": AuthClass.NTLM,
    "HTTP-NTLM": AuthClass.NTLM,
    "MSN": AuthClass.NTLM,
    "GSSAPI": AuthClass.KERBEROS,
    "GSS-SPNEGO": AuthClass.KERBEROS,
    "GS2-KRB5": AuthClass.KERBEROS,
    "KERBEROS_V4": AuthClass.KERBEROS,
    "HTTP-Negotiate": AuthClass.KERBEROS,
    "CRAM-MD5": AuthClass.DIGEST,
    "DIGEST-MD5": AuthClass.DIGEST,
    "CRAM-SHA1": AuthClass.DIGEST,
    "CRAM-SHA256": AuthClass.DIGEST,
    "OTP": AuthClass.DIGEST,
    "SKEY": AuthClass.DIGEST,
    "SRP": AuthClass.DIGEST,
    "APOP": AuthClass.DIGEST,
    "HTTP-Digest": AuthClass.DIGEST,
    "HTTP-Cookie": AuthClass.COOKIE,
    "EXTERNAL": AuthClass.CERTIFICATE,
    "ANONYMOUS": AuthClass.NONE,
}
_MESSAGES = {"LOGIN": 2, "NTLM": 2, "GSSAPI": 3, "DIGEST-MD5": 1, "CRAM-MD5": 1}
"""Messages a client sends at least; used where the server is not heard."""
_SCRAM_MESSAGES = 2
_DIGEST_USER = re.compile(
    rb'(?:^|[\s,])username=(?:"((?:[^"\\]|\\.)*)"|([^\s",]+))', re.IGNORECASE | re.DOTALL
)
_TOKENS = frozenset({"XOAUTH2", "OAUTHBEARER"})
_WITH_NTLM = frozenset({"NTLM", "MSN", "GSSAPI", "GSS-SPNEGO"})
"""Mechanisms that carry NTLM's messages, or may."""


def auth_class(mechanism: str) -> AuthClass:
    """Tell what a mechanism rests on; ``unknown`` for one that nobody has classified."""
    if mechanism.startswith("SCRAM-"):
        return AuthClass.DIGEST
    return _CLASSES.get(mechanism, AuthClass.UNKNOWN)


class Exchange:
    """One attempt in progress."""

    __slots__ = ("_denied", "_lossy", "_messages", "_password_asked", "at", "mechanism", "username")

    def __init__(self, mechanism: bytes, at: int) -> None:
        """Begin at a time (ns) with the mechanism that the client named."""
        self.mechanism = mechanism.decode("ascii", "replace").upper()[:32]
        self.at = at
        self.username: str | None = None
        self._messages = 0
        self._password_asked = False
        self._denied = self._lossy = False

    def lose(self) -> None:
        """Learn that the client said something unheard: what it says next may be a password, so no name."""
        self._lossy = True

    def challenge(self, line: bytes) -> list[Label]:
        """Hear what the server asks, base64: LOGIN's prompts, or that a token is no good (RFC 7628 3.2.2).

        NTLM's challenge tells who the server is.
        """
        if self.mechanism == "LOGIN":
            self._password_asked = (_decode(line) or b"").lower().startswith(b"pass")
        elif self.mechanism in _TOKENS and self._messages:
            self._denied = (_decode(line) or b"").lstrip().startswith(b"{")
        elif self.mechanism in _WITH_NTLM:
            return [Label(*fact) for fact in ntlm.told(_decode(line) or b"")]
        return []

    def answer(self, line: bytes) -> None:
        """Hear what the client answers, base64; nothing but a user name survives this call."""
        self._messages += 1
        message = _decode(b"" if line == b"=" else line)
        if message and self.username is None and not self._lossy:
            self.username = self._name(message)

    @property
    def spoken(self) -> bool:
        """The client has said all that this mechanism needs at least."""
        wanted = _SCRAM_MESSAGES if self.mechanism.startswith("SCRAM-") else _MESSAGES.get(self.mechanism, 1)
        return self._messages >= wanted

    def login(self, outcome: Outcome | None, sentence: bytes = b"") -> Login:
        """Tell the attempt as an event; ``sentence`` is what the server said to it.

        A client that leaves when its token is no good was refused, though the last word was not said.
        """
        if outcome is None and self._denied:
            outcome = Outcome.REFUSED
        return login(self.mechanism, outcome, self.username, sentence, self.at)

    def _name(self, message: bytes) -> str | None:
        match self.mechanism:
            case "LOGIN":
                first = self._messages == 1 and not self._password_asked
                return _text(message) if first else None
            case "PLAIN":
                parts = message.split(b"\0")
                return _text(parts[1] or parts[0]) if len(parts) == 3 else None
            case "XOAUTH2":
                user = message.partition(b"\x01")[0]
                return _text(user[5:]) if user.startswith(b"user=") else None
            case "OAUTHBEARER":
                return _gs2_name(message.partition(b"\x01")[0])
            case "CRAM-MD5":
                return _text(message.rpartition(b" ")[0])
            case "DIGEST-MD5":
                return digest_name(message)
            case "NTLM":
                return ntlm.username(message)
            case "EXTERNAL":
                return _text(message)
            case mechanism if mechanism.startswith("SCRAM-"):
                return _scram_name(message) if self._messages == 1 else None
        return None


def prompts_login(challenge: bytes) -> bool:
    """Tell whether a challenge is LOGIN's question for a name or a password; no other mechanism asks so."""
    return (_decode(challenge) or b"").lower().startswith((b"user", b"pass"))


def login(mechanism: str, outcome: Outcome | None, username: str | None, sentence: bytes, at: int) -> Login:
    """Make the event of an attempt, with the reason where it was refused."""
    if outcome is not Outcome.REFUSED:
        return Login(mechanism, outcome, username, at=at)
    reason = sentence.decode("utf-8", "replace").strip()[:REASON_LENGTH]
    return Login(mechanism, outcome, username, reason or None, cause(sentence), at)


def _decode(line: bytes) -> bytes | None:
    try:
        return binascii.a2b_base64(line, strict_mode=False)
    except binascii.Error:
        return None


def _text(name: bytes) -> str | None:
    return name.decode("utf-8", "replace")[:NAME_LENGTH] or None


def _gs2_name(header: bytes) -> str | None:
    found = next((part for part in header.split(b",") if part.startswith(b"a=")), b"")
    return _unescape(found[2:])


def digest_name(answer: bytes) -> str | None:
    """The user of a digest answer (RFC 2831 2.1.2, RFC 7616 3.4): a quoted string, seldom a bare word."""
    found = _DIGEST_USER.search(answer)
    if not found:
        return None
    return _text(re.sub(rb"\\(.)", rb"\1", found[1]) if found[2] is None else found[2])


def _scram_name(message: bytes) -> str | None:
    found = next((part for part in message.split(b",") if part.startswith(b"n=")), b"")
    return _unescape(found[2:])


def _unescape(name: bytes) -> str | None:
    return _text(name.replace(b"=2C", b",").replace(b"=3D", b"="))
