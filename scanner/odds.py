"""How sure several sessions of one device are together, and what else makes it more or less likely; pure.

Each session adds the logarithm of its odds, one that says otherwise takes it away. Sessions of one device are
misread alike, so they count as fewer than they are (``SHARED``).
"""

from __future__ import annotations

from math import exp, log

from scanner.model import CHANGES, REPEATS, AuthClass

SHARED = 0.5
"""How much sessions of one device are alike in what misleads us: the same program, server and network. It is
a guess, and rather too high than too low. Of ``n`` answers that correlate so ``n / (1 + (n - 1) * SHARED)``
are left (Kish's design effect), which is never two: 0.8 becomes at most 0.94, and 0.9 at most 0.99."""
LEAST, MOST = 0.5, 0.99
"""Bounds of a session's confidence as it is weighed; and the most of a pool: sizes alone prove nothing."""
BY_LENGTHS, BY_SIGN_IN = log(3), log(2)
"""By how much the odds of a password and of a token go up or down with how long logins are over time; and
those of a token when a device without a browser was at a sign-in host: it may have been for other things."""


def weight(confidence: float, often: int = 1) -> float:
    """The logarithm of the odds of so many sessions, each so sure, were they independent."""
    within = min(max(confidence, LEAST), MOST)
    return often * log(within / (1 - within))


def together(weights: float, often: int) -> float:
    """The logarithm of the odds of so many sessions of one device, by the sum of their weights."""
    return weights / (1 + (often - 1) * SHARED)


def confidence(odds: float, kind: AuthClass, constant: bool | None, signed_in: bool) -> float:
    """The confidence, of two digits, of such odds with what else is known.

    ``constant``: see ``constancy``; ``signed_in``: the device was at a sign-in host within a token's life.
    """
    if constant is not None and kind in (AuthClass.BASIC, AuthClass.OAUTH):
        odds += BY_LENGTHS if constant is (kind is AuthClass.BASIC) else -BY_LENGTHS
    if signed_in and kind is AuthClass.OAUTH:
        odds += BY_SIGN_IN
    return round(min(1 / (1 + exp(-odds)), MOST), 2)


def constancy(same: int, changed: int) -> bool | None:
    """Whether logins stay as long as they were past a token's life, as a password's do; None: who knows.

    ``same`` and ``changed`` are counts of sessions; ``db.grouping`` asks the same in SQL.
    """
    if same >= REPEATS and same >= changed * CHANGES:
        return True
    return False if changed >= REPEATS and changed * 2 >= same else None
