"""Measure whose mailbox is found: sites made from a seed, with all that blurs a sign-in log.

Devices stand behind one address and log in at random in office hours, by a schedule that others share, or
in bursts; sign-ins are logged late, to the second, some never, some not since the mailbox had just signed
in; and machines that nobody hears use mailboxes as well.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import NamedTuple

from scanner.events import Outcome
from scanner.match.claims import SURE
from scanner.match.ties import ties
from scanner.protocols.stated_time import clock_ahead
from scanner.tenant import HeardLogin, SignIn, Tie

SEED = 20261126
BEGAN = 1_790_000_000
DAY, SECOND = 86_400, 1_000_000_000
ADDRESS = "203.0.113.7"
SCHEDULES = (0, 2 * 3600, 6 * 3600, 7 * 3600, 12 * 3600, 22 * 3600)
"""Seconds of the day that many jobs begin at."""
JUST_S = 600
"""A mailbox that signed in so shortly before may not be logged again."""
MOST_S_A_LOGIN = 100e-6
ENOUGH = 10
"""Logins of a pair that is to be found."""
Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Site:
    """What is made."""

    devices: int = 200
    days: int = 90
    shared: int = 5
    sharing: float = 0.6
    """Devices that use one of the shared mailboxes, of all; others have their own."""
    two: float = 0.02
    """Devices that use two mailboxes."""
    skew_s: float = 3.7
    """By how much the sensor's clock is behind."""
    drift_s: float = 0.0
    """By how much more, a day."""
    told: bool = False
    """Whether greetings tell it."""
    missing: float = 0.3
    cached: float = 0.3
    jitter_s: float = 1.5
    """How late a sign-in is logged, in the mean."""
    unheard: float = 0.1
    """Devices that nobody hears, of all."""
    busiest: float = 20.0
    """Logins a day of the busiest; of the least a hundredth."""
    seed: int = SEED


SITES = {
    "matched": (Site(), 95, 1),
    "skew of 5 min": (Site(skew_s=300.0), 95, 1),
    "drift of 1 s/day, told": (Site(drift_s=1.0, told=True), 95, 1),
    "drift of 1 s/day": (Site(drift_s=1.0), 75, 1),
    "missing 60 %": (Site(missing=0.6), 90, 1),
    "cached 80 %": (Site(cached=0.8), 85, 1),
    "jitter of 5 s": (Site(jitter_s=5.0), 90, 1),
    "1,000 devices": (Site(devices=1000), 90, 1),
    "7 days": (Site(days=7), 90, 1),
}
"""Sites, how many of a hundred pairs should be found there, and how many of a hundred ties may be wrong."""


class Made(NamedTuple):
    """A site's logins and sign-ins, and who used what how often."""

    logins: list[HeardLogin]
    sign_ins: list[SignIn]
    used: Counter[Pair]


class _Device(NamedTuple):
    name: str
    users: tuple[str, ...]
    heard: bool
    protocol: str
    slow_s: float
    """From its connection to its login."""
    works: bool
    times: tuple[float, ...]


def made(site: Site) -> Made:
    """Make a site."""
    draw = random.Random(site.seed)
    unheard = round(site.devices * site.unheard)
    devices = [_device(site, number, draw) for number in range(site.devices + unheard)]
    logins: list[HeardLogin] = []
    sign_ins: list[SignIn] = []
    used = Counter[Pair]()
    last: dict[str, float] = {}
    tries = sorted((at, number) for number, device in enumerate(devices) for at in device.times)
    for at, number in tries:
        device = devices[number]
        user = device.users[0] if len(device.users) == 1 else draw.choice(device.users)
        outcome = Outcome.ACCEPTED if device.works and draw.random() > 0.01 else Outcome.REFUSED
        if device.heard:
            logins.append(_login(site, device, at, outcome, draw))
            used[device.name, user] += 1
        just = at - last.get(user, 0.0) < JUST_S and outcome is Outcome.ACCEPTED
        if draw.random() < site.missing or (just and draw.random() < site.cached):
            continue
        last[user] = at
        logged = int(at + device.slow_s * draw.uniform(0.8, 1.3) + draw.expovariate(1 / site.jitter_s))
        key = f"{len(sign_ins):08x}"
        sign_ins.append(
            SignIn(key, logged * SECOND, user, ADDRESS, device.protocol, None, outcome, device.works or None)
        )
    return Made(logins, sign_ins, used)


def _device(site: Site, number: int, draw: random.Random) -> _Device:
    own = f"own{number}@example.com"
    shared = [f"shared{draw.randrange(site.shared)}@example.com"] if site.shared else [own]
    users = shared if draw.random() < site.sharing else [own]
    if number == 0 or draw.random() < site.two:
        users = [*shared, own]
    rate = site.busiest * 10 ** draw.uniform(-2, 0)
    return _Device(
        f"10.0.{number >> 8}.{number & 255}", tuple(users), number < site.devices,
        "imap" if draw.random() < 0.1 else "smtp", draw.uniform(0.3, 3.0), draw.random() > 0.05,
        tuple(_times(site.days, rate, draw)),
    )  # fmt: skip


def _times(days: int, rate: float, draw: random.Random) -> Iterator[float]:
    manner, second = draw.random(), draw.choice(SCHEDULES) + draw.gauss(0, 1)
    for day in range(days):
        midnight = BEGAN + day * DAY
        if manner < 0.25:
            if draw.random() < min(rate, 0.95):
                yield midnight + second + draw.gauss(0, 2)
            continue
        bursts = manner < 0.45
        many = _poisson(rate / 5 if bursts else rate, draw)
        for _ in range(many):
            at = midnight + (draw.gauss(12 * 3600, 3 * 3600) if draw.random() < 0.8 else draw.random() * DAY)
            for _ in range(draw.randrange(3, 8) if bursts else 1):
                yield at
                at += draw.expovariate(1 / 6)


def _poisson(mean: float, draw: random.Random) -> int:
    count, left = 0, mean
    while (left := left - draw.expovariate(1)) > 0:
        count += 1
    return count


def _login(site: Site, device: _Device, at: float, outcome: Outcome, draw: random.Random) -> HeardLogin:
    seen = at - site.skew_s - site.drift_s * (at - BEGAN) / DAY
    ahead = clock_ahead(f"{datetime.fromtimestamp(at, UTC):%a, %d %b %Y %H:%M:%S +0000}", int(seen * SECOND))
    smtp = device.protocol == "smtp"
    return HeardLogin(
        device.name, int(seen * SECOND), device.protocol, None, outcome if draw.random() < 0.9 else None,
        device.works or None, "sensor", ADDRESS if smtp else None,
        ahead if smtp and site.told else None,
    )  # fmt: skip


class Figure(NamedTuple):
    """What was measured, and what it should be."""

    what: str
    value: float
    sense: str
    wanted: float
    unit: str


class Result(NamedTuple):
    """What was found."""

    found: float
    """Of a hundred pairs with enough logins."""
    wrong: float
    """Of a hundred ties."""
    pairs: int
    ties: list[Tie]
    logins: int
    seconds: float


def result(site: Site) -> Result:
    """Match a site."""
    whole = made(site)
    began = time.process_time()
    found = ties(whole.logins, whole.sign_ins)
    seconds = time.process_time() - began
    tied = {(tie.host, tie.user) for tie in found}
    wanted = {pair for pair, often in whole.used.items() if often >= ENOUGH}
    wrong = len(tied - whole.used.keys()) / max(len(tied), 1)
    share = len(tied & wanted) / max(len(wanted), 1)
    return Result(share * 100, wrong * 100, len(wanted), found, len(whole.logins), seconds)


def figures() -> Iterator[Figure]:
    """Match every kind of site; and whether scores are the shares that are right."""
    for name, (site, least, most) in SITES.items():
        of = result(site)
        about = f"{of.pairs:,} pairs, {of.logins:,} logins"
        print(f"\n{name}: {about}, {len(of.ties):,} ties", flush=True)
        yield Figure(f"{name}: pairs found", of.found, "at least", least, "%")
        yield Figure(f"{name}: ties wrong", of.wrong, "at most", most, "%")
        yield Figure(f"{name}: CPU", of.seconds, "at most", MOST_S_A_LOGIN * of.logins, "s")
    yield Figure("scores claim more than is right by", overclaimed() * 100, "at most", 3, "%")


def overclaimed(rounds: int = 6) -> float:
    """By how much the scores of ties that are not quite sure are higher than the share of them is right."""
    right, claimed, every = 0, 0.0, 0
    for number in range(rounds):
        for kind in (Site(), Site(days=7)):
            site = replace(kind, seed=SEED + number)
            used = made(site).used
            some = [tie for tie in result(site).ties if tie.score < SURE]
            right += sum((tie.host, tie.user) in used for tie in some)
            claimed += sum(tie.score for tie in some)
            every += len(some)
    return (claimed - right) / max(every, 1)
