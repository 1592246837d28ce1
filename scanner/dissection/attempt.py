"""A login that was tried, as far as fields tell; and the name in an NTLM message."""

from __future__ import annotations

from dataclasses import dataclass

from scanner.dissection import Layer
from scanner.events import Login, Outcome
from scanner.protocols.sasl import login

_NOBODY = ("", "NULL")
"""What tshark writes where a name is empty."""


@dataclass(slots=True)
class Attempted:
    """One login in progress; it never holds more than its mechanism and the user's name."""

    mechanism: str
    at: int
    """When it began, ns."""
    username: str | None = None

    def login(self, outcome: Outcome | None, sentence: str = "") -> Login:
        """Tell it as an event, with what the server said to it."""
        return login(self.mechanism, outcome, self.username, sentence.encode(), self.at)


def ntlm_name(layer: Layer) -> str | None:
    """``DOMAIN\\user`` or ``user`` of an NTLM message in this layer ([MS-NLMP] 2.2.1.3)."""
    user, domain = layer.first("ntlmssp.auth.username"), layer.first("ntlmssp.auth.domain")
    if user is None or user in _NOBODY:
        return None
    return user if domain is None or domain in _NOBODY else f"{domain}\\{user}"
