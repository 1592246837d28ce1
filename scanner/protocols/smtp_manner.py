"""How a client speaks SMTP, in a line: it tells programs and libraries apart (the label ``smtp.manner``).

Tokens with single blanks between, those that apply, in this order:

- ``ehlo=literal``, ``ip``, ``localhost``, ``localhost.localdomain``, ``fqdn`` or ``bare``: its name's form
- ``helo-first``: HELO, and EHLO was not tried before
- ``verbs=lower`` or ``mixed``: not all in upper case
- ``auth=MECHANISM`` or ``auth=MECHANISM+initial``: of its first AUTH, and whether a response stands on that
  line; ``other`` for a mechanism that nobody knows
- ``auth-case=lower`` or ``mixed``: how it writes the mechanism, if not in upper case
- ``pipelined``: RCPT before MAIL was answered
- ``ehlo-twice``: the EHLO that follows STARTTLS is another layer's and does not count
- ``starttls-then-no-ehlo``: told only where what is inside TLS is heard
- ``quit=none``: added by who knows that the connection was heard to its end
"""

from __future__ import annotations

from functools import lru_cache

from scanner.events import Manner
from scanner.model import AuthClass
from scanner.protocols.sasl import auth_class

REMEMBERED, NAME_LENGTH = 1024, 255
"""Manners remembered: a site has a few dozen. Bytes of a name looked at (RFC 1035 2.3.4)."""
UPPER, LOWER, MIXED = 1, 2, 4
"""Cases of verbs, as bits."""
_CASES = {LOWER: "lower"}


class Listening:
    """What of a client's manner was heard so far; no name and no answer is kept in it."""

    __slots__ = ("auth", "cases", "ehlos", "form", "greeted", "helo_first", "left", "pipelined")

    def __init__(self) -> None:
        """Begin before the first command."""
        self.form = self.auth = ""
        self.cases = self.ehlos = 0
        self.helo_first = self.pipelined = False
        self.greeted = False
        """The server greeted: this is no layer inside another."""
        self.left = False
        """It took its leave, or went on inside TLS."""

    def spoke(self, word: bytes) -> None:
        """Hear a verb that is not in upper case."""
        self.cases |= LOWER if word.islower() else MIXED

    def named(self, verb: bytes, name: bytes) -> None:
        """Hear EHLO, LHLO or HELO."""
        if verb != b"HELO":
            self.ehlos += 1
        elif not self.ehlos:
            self.helo_first = True
        self.form = self.form or form(name[:NAME_LENGTH])

    def logs_in(self, name: str, written: bytes, initial: bool) -> None:
        """Hear the first AUTH, as it was written; ``initial``: with a response on the same line."""
        known = auth_class(name) is not AuthClass.UNKNOWN  # what is not could be a secret in a wrong place
        self.auth = f"auth={name if known else 'other'}{'+initial' if initial else ''}"
        if known and not written.isupper():
            self.auth += f" auth-case={'lower' if written.islower() else 'mixed'}"

    def told(self, lossy: bool) -> list[Manner]:
        """Tell it; ``lossy``: bytes are missing, so nothing is said that rests on what was not heard."""
        if not self.cases:
            return []
        tacit = not (self.ehlos or self.helo_first or self.greeted)
        claims = (False, False) if lossy else (self.helo_first, tacit)
        manner = _manner(
            self.form, *claims, self.cases, self.auth, self.pipelined, self.ehlos > 1, self.left or lossy
        )
        return [manner] if manner.text or not manner.left else []


@lru_cache(REMEMBERED)
def _manner(
    form: str, helo_first: bool, tacit: bool, cases: int, auth: str, pipelined: bool, twice: bool, left: bool
) -> Manner:
    tokens = (
        form,
        "helo-first" if helo_first else "",
        f"verbs={_CASES.get(cases, 'mixed')}" if cases != UPPER else "",
        auth,
        "pipelined" if pipelined else "",
        "ehlo-twice" if twice else "",
        "starttls-then-no-ehlo" if tacit else "",
    )
    return Manner(" ".join(filter(None, tokens)), left)


def form(name: bytes) -> str:
    """Give the token of a name's form; empty for no name."""
    name = name.strip()
    if name.isalnum() and name[:1] not in b"Ll":
        return "ehlo=bare"
    name = name.lower().rstrip(b".")
    if not name:
        return ""
    if name.startswith(b"["):
        return "ehlo=literal"
    if name in (b"localhost", b"localhost.localdomain"):
        return f"ehlo={name.decode()}"
    if name.count(b":") > 1 or (name.count(b".") == 3 and name.replace(b".", b"").isdigit()):
        return "ehlo=ip"
    return "ehlo=fqdn" if b"." in name else "ehlo=bare"
