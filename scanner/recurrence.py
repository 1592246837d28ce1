"""Whether a login inside TLS is as long as the one before: a password is for years, a token for an hour.

How long logins are is remembered here, while the program runs, and nowhere else: what is told is whether it
changed. Workers that share a capture share its clients, so that each has all that it needs to compare.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace

from scanner.account import Account
from scanner.conversation import Conversation

TOKEN_NS = 90 * 60 * 1_000_000_000
"""The longest life of a token of Microsoft's (60 to 90 minutes): what is as long after that is hardly one."""
SOONEST_NS = 50 * 60 * 1_000_000_000
"""What changed sooner than a token does tells nothing: somebody else's login, or a token for each."""
AS_LONG = "the login is as long as one before a token's life"
NOT_AS_LONG = "the login is not as long as that of an hour before"
KEPT = 50_000
"""Clients' ways to log in that are remembered, some 20 MB; past it the one unused for longest is forgotten,
and begins anew: nothing is told of its next login."""


class Lengths:
    """How long logins were, by who logs in and how; bounded."""

    def __init__(self) -> None:
        """Know of none."""
        self._known: dict[Hashable, tuple[int, int]] = {}

    def compare(self, heard: Conversation, account: Account, server: str | None) -> bool | None:
        """Compare the login of a conversation with the last by the same client, server and way.

        What comes of it (see ``again``) is added to what the account rests on.
        """
        found = account.inferred
        if found is None or found.login is None:
            return None
        way = account.protocol, account.attempts[-1].mechanism, found.like
        again = self.again(
            (heard.flow.client.ip, heard.client_mac, server, *way), found.login, heard.first_seen
        )
        if again is not None:
            account.inferred = replace(found, steps=(*found.steps, AS_LONG if again else NOT_AS_LONG))
        return again

    def again(self, who: Hashable, length: int, at: int) -> bool | None:
        """Compare a login (of a length in whatever unit, at a time in ns) with the one before.

        True: it is as long as one before a token's life; False: another length, after a token could have
        changed; None: it is the first, or it is too soon to tell anything.
        """
        known = self._known.pop(who, None)
        if known is None:
            if len(self._known) >= KEPT:
                del self._known[next(iter(self._known))]
            self._known[who] = length, at
            return None
        before, since = known
        self._known[who] = known if length == before else (length, at)
        if length == before:
            return True if at - since > TOKEN_NS else None
        return False if at - since >= SOONEST_NS else None
