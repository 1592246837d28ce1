"""How Debian's programs spell what a session wants."""

from __future__ import annotations

from imitation.session import Session

WHEN = "Wed, 25 Nov 2026 09:00:00 +0000"
SENDER, RECIPIENT = "a@example.com", "b@example.net"
GNUTLS = frozenset({"12-cbc-sha256"})
"""TLS settings that GnuTLS does not know: ECDHE with CBC and SHA-256."""


def on(session: Session) -> str:
    """Say whether STARTTLS is wanted, as msmtp and mpop spell it."""
    return "on" if session.tls_mode == "starttls" else "off"


def mta_auth(mechanism: str | None) -> str:
    """Give a mechanism as msmtp and mpop spell it."""
    return (mechanism or "off").lower()
