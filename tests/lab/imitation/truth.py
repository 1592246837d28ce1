"""What a server knows of one connection: who tried what, in which order, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass, field

CLASSES = {
    "PLAIN": "basic",
    "LOGIN": "basic",
    "IMAP-LOGIN": "basic",
    "USERPASS": "basic",
    "HTTP-Basic": "basic",
    "XOAUTH2": "oauth",
    "OAUTHBEARER": "oauth",
    "HTTP-Bearer": "oauth",
    "NTLM": "ntlm",
    "HTTP-NTLM": "ntlm",
    "GSSAPI": "kerberos",
    "HTTP-Negotiate": "kerberos",
    "EXTERNAL": "certificate",
    "HTTP-Cookie": "cookie",
}
"""All others are ``digest``."""


@dataclass(slots=True)
class Tried:
    """One login as it was tried."""

    mechanism: str
    sasl_ir: bool | None
    """The first answer came with the command; None where a mechanism has no such thing."""
    outcome: str | None = None


@dataclass(slots=True)
class Deed:
    """One connection, as the server lived through it."""

    client: tuple[str, int]
    server: tuple[str, int]
    protocol: str
    tls_mode: str
    tls_version: str | None = None
    tls_cipher: str | None = None
    resumed: bool = False
    alpn: str | None = None
    server_name: str | None = None
    """As the ClientHello says."""
    client_name: str | None = None
    """In the clear; after STARTTLS nobody hears it again."""
    service: str | None = None
    attempts: list[Tried] = field(default_factory=list)
    mails: int = 0
    broken: str | None = None
    """Why TLS did not begin, where it did not."""
    cookie: bool = False
    """A cookie that stands for an earlier login was shown; that is no attempt."""
    timed_out: bool = False
    """The server gave up waiting: what the client said afterwards is not known, so nothing is judged."""
    known: bool = False
    """NTLM let this connection in."""
    done: bool = False

    def tried(self, mechanism: str, sasl_ir: bool | None = None) -> Tried:
        """Note a login that begins."""
        self.attempts.append(Tried(mechanism, sasl_ir))
        return self.attempts[-1]

    @property
    def last(self) -> Tried | None:
        """The login that counts."""
        return self.attempts[-1] if self.attempts else None

    @property
    def mechanism(self) -> str | None:
        """What the client got in by, or tried last."""
        return self.last.mechanism if self.last else "HTTP-Cookie" if self.cookie else None

    @property
    def auth_class(self) -> str | None:
        """What a record has to say of it."""
        if self.timed_out:
            return None
        if self.broken is not None:
            return "no-session"
        return CLASSES.get(self.mechanism, "digest") if self.mechanism else "none"
