"""How many of each mailbox's sign-ins come from each device: an estimate, and how much it explains.

Sign-ins of a mailbox are a sum of Poisson streams. Their strengths are those under which what was logged is
likeliest, found by expectation and maximisation (Dempster, Laird, Rubin 1977; for sums of streams also known
as Richardson-Lucy); that likelihood has one maximum, so where it begins makes no difference.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from scanner.match.fitting import Numbers, Reals

ROUNDS = 40
"""Steps before what explains nothing is left out, and after it."""
ROUNDS_WITHOUT = 15
"""Steps to find out how well the others do without one: they begin near where they end."""
LEAST_SIGN_INS = 0.7
"""A stream that has fewer is none."""
AROUND_S = 900
"""A mailbox's rate is told by a quarter of an hour before and after: there are bursts, and office hours."""
MOST_A_LOGIN = 1.0
"""Sign-ins a login, over all mailboxes: one that is tried again is another login."""
TINY = 1e-12


@dataclass(slots=True)
class Streams:
    """Devices' streams of mailboxes, and what each sign-in may come from."""

    row: Numbers
    """Of each pair: which sign-in."""
    login: Numbers
    """Which login."""
    stream: Numbers
    """Which stream."""
    density: Reals
    """How likely that login's sign-in is then, a share a second."""
    device: Numbers
    """Of each stream: whose."""
    user: Numbers
    strength: Reals
    """Of each stream: sign-ins a login."""


class Chance(NamedTuple):
    """Sign-ins that nobody was heard to cause, as a stream."""

    all: float
    """How many the user has."""
    unit: Reals
    """Of some: how likely one is then."""
    share: Reals
    """How likely this one is."""


class Estimate:
    """Strengths of all streams, improved step by step."""

    def __init__(
        self, streams: Streams, logins_of: Reals, seconds: Reals, user: Numbers, window: float
    ) -> None:
        """``logins_of``: how many each device has; ``seconds``, ``user``: of each sign-in, in order of time.

        ``window``: for how many seconds sign-ins were logged.
        """
        self.streams = streams
        self.logins_of = np.maximum(logins_of, 1.0)
        self._user = user
        users = int(user.max(initial=0)) + 1
        self._any = np.full(len(user), 1 / window)
        self._near = _near(seconds, user)
        often = np.bincount(user, minlength=users).astype(np.float64)
        self._steady, self._bursts = often / 2, often / 2
        self.background: Reals = self._background()

    def _background(self) -> Reals:
        found: Reals = self._steady[self._user] * self._any + self._bursts[self._user] * self._near
        return found + TINY

    def of_background(self, rows: Numbers, user: int, total: Reals) -> tuple[Chance, Chance]:
        """What sign-ins of a user have of what nobody was heard to cause: steadily, and in bursts.

        ``total``: of each sign-in, how likely it is then at all.
        """
        steady, bursts = float(self._steady[user]), float(self._bursts[user])
        total = total[rows]
        return (
            Chance(steady, self._any[rows], steady * self._any[rows] / total),
            Chance(bursts, self._near[rows], bursts * self._near[rows] / total),
        )

    def improve(self, rounds: int) -> None:
        """Go so many steps."""
        own, users = self.streams, len(self._steady)
        for _ in range(rounds):
            total = self.totals()
            weight = own.strength[own.stream] * own.density
            explained = _sums(own.stream, weight / total[own.row], len(own.device))
            own.strength = explained / self._capacity(explained)[own.device]
            steady = self._steady[self._user] * self._any / total
            bursts = self._bursts[self._user] * self._near / total
            self._steady = _sums(self._user, steady, users)
            self._bursts = _sums(self._user, bursts, users)
            self.background = self._background()

    def _capacity(self, explained: Reals) -> Reals:
        """Logins of each device; more where it would have more sign-ins than logins."""
        of_device = np.bincount(self.streams.device, explained, len(self.logins_of))
        return np.maximum(self.logins_of, of_device / MOST_A_LOGIN)

    def prune(self) -> None:
        """Leave out streams that explain next to nothing."""
        own = self.streams
        good = own.strength * self.logins_of[own.device] >= LEAST_SIGN_INS
        number = np.cumsum(good) - 1
        kept = good[own.stream]
        self.streams = Streams(
            own.row[kept], own.login[kept], number[own.stream[kept]], own.density[kept],
            own.device[good], own.user[good], own.strength[good],
        )  # fmt: skip

    def shares(self) -> Reals:
        """Of each pair: how likely it is that this sign-in comes from this login."""
        own = self.streams
        found: Reals = own.strength[own.stream] * own.density / self.totals()[own.row]
        return found

    def totals(self) -> Reals:
        """Of each sign-in: how likely it is then at all, a share a second."""
        own = self.streams
        weight = own.strength[own.stream] * own.density
        found: Reals = self.background + np.bincount(own.row, weight, len(self._user))
        return found


def _near(seconds: Reals, user: Numbers) -> Reals:
    """Of each sign-in: the share a second of its user's others around it."""
    found = np.zeros(len(seconds))
    order = np.argsort(user, kind="stable")
    for mine in np.split(order, np.flatnonzero(np.diff(user[order])) + 1):
        at = seconds[mine]
        around = np.searchsorted(at, at + AROUND_S, "right") - np.searchsorted(at, at - AROUND_S, "left") - 1
        found[mine] = around / (2 * AROUND_S * len(mine))
    return found


def gains(estimate: Estimate) -> Reals:
    """Of each stream: by how much the logarithm of the likelihood falls where it is not, the others doing
    their best without it."""
    own, shares, total = estimate.streams, estimate.shares(), estimate.totals()
    explained = np.bincount(own.stream, shares, len(own.device))
    unit = own.strength[own.stream] * own.density / np.maximum(explained[own.stream], TINY)
    order = np.argsort(own.row, kind="stable")
    columns = own.row[order], own.stream[order], unit[order], shares[order]
    starts = np.searchsorted(columns[0], np.arange(len(estimate.background) + 1))
    by_stream = np.argsort(own.stream, kind="stable")
    bounds = np.searchsorted(own.stream[by_stream], np.arange(len(own.device) + 1))
    found = np.zeros(len(own.device))
    for one in range(len(own.device)):
        rows = np.unique(own.row[by_stream[bounds[one] : bounds[one + 1]]])
        if len(rows):
            row, stream, each, share = (column[_ranges(starts[rows], starts[rows + 1])] for column in columns)
            steady, bursts = estimate.of_background(rows, int(own.user[one]), total)
            many = len(own.device)
            found[one] = _gain(
                one,
                np.concatenate([np.searchsorted(rows, row), *[np.arange(len(rows))] * 2]),
                np.concatenate([stream, np.full(len(rows), many), np.full(len(rows), many + 1)]),
                np.concatenate([each, steady.unit, bursts.unit]),
                np.concatenate([share, steady.share, bursts.share]),
                np.concatenate([explained, [steady.all, bursts.all]]),
            )
    return found


def _ranges(first: Numbers, end: Numbers) -> Numbers:
    """All numbers of these ranges."""
    count = end - first
    ends = np.cumsum(count)
    found: Numbers = np.arange(ends[-1]) - np.repeat(ends - count - first, count)
    return found


def _sums(place: Numbers, value: Reals, many: int) -> Reals:
    """Values added up by place."""
    return np.bincount(place, value, many).astype(np.float64)


def _gain(one: int, row: Numbers, stream: Numbers, unit: Reals, share: Reals, explained: Reals) -> float:
    """The gain of one stream, by all that the sign-ins which it may explain may come from.

    ``unit``: how likely a sign-in of that stream is then; ``share``: how likely this one is of it;
    ``explained``: of each stream, how many sign-ins are, and that is what it costs. Another one that takes
    some over costs as much more; what it gains of its other sign-ins is taken at least (Jensen), for there
    it was at its best.
    """
    many = int(row.max()) + 1
    full = np.bincount(row, unit * explained[stream], many)
    rival = stream != one
    row, unit, share = row[rival], unit[rival], share[rival]
    names, local = np.unique(stream[rival], return_inverse=True)
    before = np.maximum(explained[names], TINY)
    elsewhere = np.maximum(before - np.bincount(local, share, len(names)), 0)
    now = before + np.where(names >= len(explained) - 2, many / 4, 0)  # chance could have been at zero
    for _ in range(ROUNDS_WITHOUT):
        weight = unit * now[local]
        total = np.bincount(row, weight, many) + TINY
        now = np.maximum(elsewhere + np.bincount(local, weight / total[row], len(names)), TINY)
    without = np.bincount(row, unit * now[local], many) + TINY
    others = float(np.sum(elsewhere * np.log(now / before) - (now - before)))
    return float(np.sum(np.log(full + TINY) - np.log(without))) - float(explained[one]) - others
