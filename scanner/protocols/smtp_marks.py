"""How the two sides of SMTP are known by what they say first (RFC 5321 4.1, 4.2)."""

from __future__ import annotations

VERBS = frozenset(
    b"EHLO HELO LHLO AUTH STARTTLS MAIL RCPT DATA BDAT RSET NOOP QUIT VRFY EXPN HELP ETRN XCLIENT XFORWARD"
    b" TURN BURL SEND SOML SAML".split()
)
"""Commands of RFC 5321, RFC 4954, RFC 3207, RFC 3030, RFC 4468, and of Postfix and old Sendmail."""
_FIRST = (b"220", b"554", b"421", b"250")
"""Codes that greet, refuse to, or answer the command behind what was not heard."""


def client_mark(head: bytes) -> bool | None:
    """Tell whether a client begins like SMTP; words that FTP has, too, leave it open."""
    words = head[:80].split(None, 1)
    if not words:
        return None
    verb = words[0].upper()
    if verb in (b"EHLO", b"HELO", b"LHLO", b"STARTTLS", b"XCLIENT"):
        return True
    if verb in VERBS:
        return True if verb in (b"MAIL", b"RCPT") else None
    return None if b"\n" not in head and len(head) < 8 else False


def server_mark(head: bytes) -> bool | None:
    """Tell whether a server begins like SMTP: a greeting, or a reply behind it; FTP says 220, too."""
    if len(head) < 4:
        return None if not head or head.isdigit() else False
    if head[3:4] not in (b" ", b"-", b"\r", b"\n"):
        return False
    if head[:3] in _FIRST:
        return b"FTP" not in head[:200].upper() or b"SMTP" in head[:200].upper()
    return None if head[:3].isdigit() else False
