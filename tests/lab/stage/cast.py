"""Who plays: every dialogue gets an address, a user and secrets of its own."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from stage.dialogues import DIALOGUES, TOKENS, Dialogue

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Part:
    """A dialogue with its address, its user and what nobody may ever tell."""

    number: int
    dialogue: Dialogue
    user: str
    secret: str
    """What the client says."""
    password: str
    """What the server knows."""
    proxy_password: str

    @property
    def name(self) -> str:
        return f"n{self.number}.lab.test"

    @property
    def address(self) -> str:
        if self.dialogue.six:
            return f"fd00:31::{self.number:x}"
        return f"10.31.{self.number // 250}.{self.number % 250 + 1}"

    @property
    def client_name(self) -> str | None:
        return self.dialogue.client_name and self.dialogue.client_name.format(title=f"scanner{self.number}")

    @property
    def of_proxy(self) -> tuple[str, ...]:
        """The proxy's password, if it is said."""
        return (self.proxy_password,) if any("{proxy}" in word for word in self.dialogue.command) else ()

    def command(self) -> list[str]:
        """Fill the dialogue's command in."""
        values = {
            "host": self.name,
            "user": self.user,
            "secret": self.secret,
            "python": sys.executable,
            "here": str(HERE),
            "title": f"scanner{self.number}",
            "proxy": f"proxy:{self.proxy_password}@{self.name}",
        }
        return [word.format_map(values) for word in self.dialogue.command]


def cast(key: bytes, proxy_password: str) -> list[Part]:
    """Give every dialogue its user and its secrets, all random."""
    parts = []
    for number, dialogue in enumerate(DIALOGUES, 1):
        user = f"user{number}@example.com"
        password = dialogue.spice + "s" + secrets.token_urlsafe(18)
        secret = password if dialogue.right else "s" + secrets.token_urlsafe(18)
        if any(name in dialogue.title for name in TOKENS):
            secret = token(user, key if dialogue.right else secrets.token_bytes(32))
        parts.append(Part(number, dialogue, user, secret, password, proxy_password))
    return parts


def token(user: str, key: bytes) -> str:
    """Make a bearer token (RFC 7519, HS256) as long as Microsoft's are."""

    def part(data: bytes) -> bytes:
        return base64.urlsafe_b64encode(data).rstrip(b"=")

    now = int(time.time())
    claims = {"email": user, "sub": user, "iat": now - 60, "exp": now + 3600, "x": secrets.token_hex(500)}
    signed = part(b'{"alg":"HS256","typ":"JWT"}') + b"." + part(json.dumps(claims).encode())
    return (signed + b"." + part(hmac.digest(key, signed, hashlib.sha256))).decode()
