"""What a client program is to the lab: what it can do, and how it is called."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from imitation.session import Session

TOOLS = Path(os.environ.get("LAB_TOOLS", "/nonexistent"))
"""Where programs are that the system has not installed: ``py``, ``node``, ``tree``."""
MAIL = (
    "From: a@example.com\r\nTo: b@example.net\r\nSubject: lab\r\nMessage-ID: <1@example.com>\r\n\r\nscan\r\n"
)
ANY = ("starttls", "implicit")


@dataclass(frozen=True, slots=True)
class Call:
    """One run: its words, what it reads, and files it finds in the folder where it runs."""

    words: tuple[str, ...]
    stdin: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Program:
    """A client."""

    name: str
    ways: Mapping[str, tuple[str | None, ...]]
    """Protocol, or protocol and TLS mode: what it can be told to do; None: nothing of logging in."""
    call: Callable[[Session, Path], Call]
    needs: tuple[str, ...] = ()
    """Programs it is made of."""
    modules: tuple[str, ...] = ()
    """Folders or files that must be there."""
    weight: float = 1.0
    """How often it plays, as a share of its turns."""
    skips_mode: frozenset[str] = frozenset()
    """TLS modes it cannot do."""
    refuses_tls: frozenset[str] = frozenset()
    """TLS settings with which it never gets on: GnuTLS has no ECDHE with CBC and SHA-256."""

    def missing(self) -> list[str]:
        """Tell what is not there."""
        path = os.environ.get("PATH", "") + f":{TOOLS}/tree/usr/sbin:{TOOLS}/tree/usr/bin:/usr/sbin:/sbin"
        absent = [name for name in self.needs if not shutil.which(name, path=path)]
        return absent + [
            name for name in self.modules if not (TOOLS / name).exists() and not Path(name).exists()
        ]


def bearer(session: Session) -> str:
    """Give the answer of XOAUTH2 before base64."""
    return f"user={session.user}\1auth=Bearer {session.secret}\1\1"


def url(session: Session) -> str:
    """Give scheme, host and port."""
    scheme = {"smtp": "smtp", "imap": "imap", "pop3": "pop3"}[session.protocol]
    return f"{scheme}{'s' * (session.tls_mode == 'implicit')}://{session.host}:{session.port}/"
