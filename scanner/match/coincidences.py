"""Which devices' logins coincide with which mailboxes' sign-ins, more often than anything else explains."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from scanner.match.claims import LEAST_COINCIDENCES, Claim, claims
from scanner.match.delays import AFTER_S, BEFORE_S, Delays, ahead, learned
from scanner.match.fitting import (
    Numbers,
    Pairs,
    Reals,
    fitting,
    logins_stream,
    names_told,
    pairs,
    sign_ins_stream,
)
from scanner.match.schedules import Schedules
from scanner.match.streams import ROUNDS, Estimate, Streams, gains
from scanner.tenant import Coincidence, HeardLogin, SignIn, Tie

COINCIDENCES_KEPT = 5
"""Shown of a tie."""
AROUND_S = 3600
"""Logins this long before the first and after the last sign-in count: clocks are not yet compared."""
SHARPENED = 2
"""Times that delays are told anew by what is known of who made what."""
SECOND = 1_000_000_000


def coinciding(heard: Sequence[HeardLogin], logged: Sequence[SignIn]) -> Iterator[Tie]:
    """Ties by repeated coincidence; what is given is in some order that does not depend on its source."""
    if logged:
        least, most = (end(one.at for one in logged) for end in (min, max))
        around = AROUND_S * SECOND
        within = [one for one in heard if least - around <= one.at <= most + around]
        if within:
            yield from _Site(within, logged).ties()


class _Site:
    """All logins and sign-ins that are compared, each in order of time by the log's clock."""

    def __init__(self, heard: Sequence[HeardLogin], logged: Sequence[SignIn]) -> None:
        self._logged = sorted(logged, key=lambda one: one.at)
        self._sign_ins = sign_ins_stream(self._logged, names_told(heard))
        self._heard, self._logins = list(heard), logins_stream(heard)
        self._fits = fitting(self._logins, self._sign_ins)
        self._move(np.array(ahead(heard)))
        self._delays = learned(self._logins, self._sign_ins, self._fits)
        self._move(self._delays.shifts(self._logins))
        self._seconds = self._sign_ins.seconds
        self._window = float(self._seconds[-1] - self._seconds[0]) + 2 * AROUND_S

    def _move(self, later: Reals) -> None:
        """Have each login so many seconds later."""
        order = self._logins.moved(self._logins.seconds + later)
        self._heard = [self._heard[at] for at in order.tolist()]

    def ties(self) -> Iterator[Tie]:
        """Estimate, and claim what is sure enough."""
        couples, hits, candidates = self._hits()
        estimate = self._estimate(couples, hits)
        for _ in range(SHARPENED):
            estimate.improve(ROUNDS)
            estimate.prune()
            self._sharpen(self._delays, estimate)
        estimate.improve(ROUNDS)
        estimate.prune()
        schedules, choice = Schedules(self._logins), len(self._logins.names) * len(self._sign_ins.names)
        for claim in claims(estimate.streams, estimate.shares(), gains(estimate), schedules, choice):
            yield self._tie(claim, estimate.streams, candidates)

    def _pairs(self) -> Iterator[Pairs]:
        every = np.arange(len(self._sign_ins))
        return pairs(self._logins, self._sign_ins, self._fits, (-BEFORE_S, AFTER_S), every)

    def _hits(self) -> tuple[Numbers, Numbers, Numbers]:
        """Devices with users, numbered; how often logins of the one were about when the other signed in.

        And how many devices were at each sign-in.
        """
        hosts, users = len(self._logins.names), len(self._sign_ins.names)
        candidates = np.zeros(len(self._sign_ins), np.int64)
        found = []
        for row, login in self._pairs():
            owner = self._logins.owner[login]
            found.append(np.unique(owner * users + self._sign_ins.owner[row], return_counts=True))
            candidates += np.bincount(np.unique(row * hosts + owner) // hosts, minlength=len(candidates))
        codes, hits = (np.concatenate(column) for column in zip(*found, strict=True))
        couples, places = np.unique(codes, return_inverse=True)
        return couples, np.bincount(places, hits, len(couples)).astype(np.int64), candidates

    def _estimate(self, couples: Numbers, hits: Numbers) -> Estimate:
        """Begin with all streams that coincide as often as chance would have it, or more."""
        users = len(self._sign_ins.names)
        logins = np.bincount(self._logins.owner, minlength=len(self._logins.names))
        device, user = np.divmod(couples, users)
        chance = (
            logins[device] * np.bincount(self._sign_ins.owner)[user] * (BEFORE_S + AFTER_S) / self._window
        )
        wanted = (hits >= LEAST_COINCIDENCES) & (hits >= chance)
        couples, device, user = couples[wanted], device[wanted], user[wanted]
        parts = []
        for row, login in self._pairs():
            couple = self._logins.owner[login] * users + self._sign_ins.owner[row]
            good = np.isin(couple, couples)
            parts.append((row[good], login[good], np.searchsorted(couples, couple[good])))
        row, login, stream = (np.concatenate(column) for column in zip(*parts, strict=True))
        density = self._delays.likelihood(
            self._logins, login, self._seconds[row] - self._logins.seconds[login]
        )
        streams = Streams(row, login, stream, density, device, user, np.full(len(device), 0.5))
        return Estimate(streams, logins.astype(np.float64), self._seconds, self._sign_ins.owner, self._window)

    def _sharpen(self, delays: Delays, estimate: Estimate) -> None:
        """Tell delays by who made what, and that by delays."""
        own = estimate.streams
        apart = self._seconds[own.row] - self._logins.seconds[own.login]
        delays.learn(self._logins, own.login, apart, estimate.shares())
        own.density = delays.likelihood(self._logins, own.login, apart)

    def _tie(self, claim: Claim, streams: Streams, candidates: Numbers) -> Tie:
        """A claim with its best coincidences: those that fit the fewest devices, and the usual delay."""
        found = []
        for at in claim.pairs:
            row, login = int(streams.row[at]), int(streams.login[at])
            apart = round((self._seconds[row] - self._logins.seconds[login]) * SECOND)
            one = Coincidence(self._heard[login].at, self._logged[row].id, apart, int(candidates[row]))
            found.append(one)
        found.sort(key=lambda one: (one.candidates, abs(one.apart_ns), one.session_at, one.sign_in))
        host = self._logins.names[streams.device[claim.stream]]
        user = self._sign_ins.names[streams.user[claim.stream]]
        return Tie(host, user, claim.score, "coincidence", tuple(found[:COINCIDENCES_KEPT]), len(found))
