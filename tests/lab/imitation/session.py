"""What is to be played: one run of one program against one server, with a user and a secret of its own."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Session:
    """One run of one program."""

    number: int
    program: str
    host: str
    """The name that the program is told."""
    server: str
    protocol: str
    port: int
    tls_mode: str
    tls: str
    """Name of the TLS settings, as in ``tls.py``."""
    mechanism: str | None
    """What the program is told to do; what it did is for the server to say."""
    user: str
    secret: str
    client_name: str
    refusal: str | None = None
    """Why the server refuses, in its own words' key; None: it accepts the right secret."""
    refused: frozenset[str] = frozenset()
    """Mechanisms that it refuses; empty: all."""
    delay_s: float = 0.0
    """How long a refused client waits."""
    tickets: int = 2
    asks_certificate: bool = False
    six: str | None = None
    """The server's IPv6 address, where it is to be used."""
    variant: int = 0
    """Chosen by the seed, for programs that have several ways."""

    def accepts(self, mechanism: str, user: str | None, secret: str | None) -> bool:
        """Decide a login; a secret of None could not be checked, and is believed."""
        if self.refusal and (not self.refused or mechanism in self.refused):
            return False
        if user is not None and user.lower() != self.user.lower():
            return False
        return secret is None or secret == self.secret
