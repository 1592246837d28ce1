"""What is claimed of a connection to Exchange's web front end inside TLS: which service, and what login."""

from __future__ import annotations

from scanner.account import Account
from scanner.claims import TOLD, Inferred
from scanner.model import Attempt, AuthClass
from scanner.protocols.http_sizes import Guess, weigh
from scanner.wire.ciphers import TLS13

AUTODISCOVER = "autodiscover"
"""The name, or what it begins with before a dash or a dot, by which only this service is asked for."""


def infer_web(account: Account, name: str | None) -> None:
    """Conclude from sizes what was asked inside TLS, if nothing of it was heard; ``name``: the server's."""
    if account.attempts or account.choice is None or account.bare_inside:
        return
    found = weigh(account.turns, _http2(account), whole=not (account.gaps or account.lost))
    asked = (name or "").lower().removeprefix(AUTODISCOVER)
    named = AUTODISCOVER if name and asked != name.lower() and asked[:1] in ("", ".", "-") else None
    account.service = account.service or named or found.service
    account.inferred = _inferred(found)
    account.attempts = list(account.inferred.attempts)


def _http2(account: Account) -> bool | None:
    """What ALPN chose (RFC 7301); None where that is told inside TLS only, as in 1.3."""
    hello, choice = account.hello, account.choice
    if hello and "h2" not in hello.alpn:
        return False
    if choice is None or choice.version == TLS13:
        return None
    return choice.alpn == "h2"


def _inferred(found: Guess) -> Inferred:
    kind = AuthClass(found.auth_class)
    attempts: tuple[Attempt, ...] = ()
    if found.mechanism:
        attempts = (Attempt(found.mechanism, kind, found.outcome),)
    steps = [f"inside TLS: {found.reason}"]
    if found.runner_up and found.confidence:
        steps.append(f"rather than {found.runner_up}")
    like, login = found.login or (None, None)
    return Inferred(kind, round(found.confidence, TOLD), attempts, tuple(steps), login, like=like)
