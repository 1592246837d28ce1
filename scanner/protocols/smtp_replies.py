"""What an SMTP server says of itself: its greeting, and what it offers (RFC 5321 4.2, 4.1.1.1)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from scanner.events import Event, Greeting, Label, Offer

REMEMBERED, REMEMBERED_LENGTH = 1024, 2048
"""Lists of extensions remembered, each of so many bytes at most: a site meets a few dozen of 200 bytes."""
TEXT_LENGTH = 512
"""Characters kept of a greeting or a name: RFC 5321 4.5.3.1.5 allows a reply line of 512."""


def text(raw: bytes) -> str:
    """Bytes of the wire as text, cut to ``TEXT_LENGTH``."""
    return raw.decode("utf-8", "replace")[:TEXT_LENGTH]


def greeting(reply: list[bytes]) -> Greeting:
    """The server's first reply."""
    words = reply[0][4:].split()
    host = text(words[0]) if words and b"." in words[0] else None
    return Greeting(text(b" ".join(line[4:] for line in reply)), host)


def is_ehlo_reply(reply: list[bytes]) -> bool:
    """Tell a reply to EHLO whose question was lost."""
    return len(reply) > 2 and reply[0].startswith(b"250")


def offer(reply: list[bytes]) -> Iterator[Event]:
    """What a reply to EHLO offers (RFC 5321 4.1.1.1, RFC 4954 3), and the address that Exchange saw."""
    extensions = b"\n".join(reply[1:])
    length = sum(map(len, reply)) + 2 * len(reply)
    read = _extensions if len(extensions) <= REMEMBERED_LENGTH else _extensions.__wrapped__
    mechanisms, starttls = read(extensions)
    yield Offer(mechanisms, starttls, length=length)
    _, found, address = reply[0].partition(b" Hello [")
    if found:
        yield Label("smtp.public_ip", text(address.partition(b"]")[0]))


@lru_cache(REMEMBERED)
def _extensions(lines: bytes) -> tuple[tuple[str, ...], bool]:
    """Mechanisms, and whether STARTTLS is offered."""
    mechanisms: set[str] = set()
    starttls = False
    for line in lines.split(b"\n"):
        words = line[4:].upper().replace(b"=", b" ").split()
        if words[:1] == [b"AUTH"]:
            mechanisms.update(text(word) for word in words[1:])
        starttls |= words[:1] == [b"STARTTLS"]
    return tuple(sorted(mechanisms)), starttls
