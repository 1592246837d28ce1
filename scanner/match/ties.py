"""Whose mailbox each device uses: ties with scores, and the coincidences that they rest on."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from scanner.match.claims import SURE
from scanner.match.coincidences import COINCIDENCES_KEPT, coinciding
from scanner.match.fitting import MASK
from scanner.tenant import Coincidence, HeardLogin, SignIn, Tie


def ties(logins: Iterable[HeardLogin], sign_ins: Iterable[SignIn]) -> list[Tie]:
    """Tie devices to mailboxes, by host and user; the order of what is given is of no matter."""
    heard = sorted(logins, key=_login_order)
    logged = list({one.id: one for one in sorted(sign_ins, key=_sign_in_order)}.values())
    found = {(tie.host, tie.user): tie for tie in (*coinciding(heard, logged), *_refused(heard, logged))}
    for tie in _named(heard):
        known = found.get((tie.host, tie.user))
        found[tie.host, tie.user] = replace(tie, coincidences=known.coincidences) if known else tie
    return [found[key] for key in sorted(found)]


def _login_order(one: HeardLogin) -> tuple[object, ...]:
    kind = one.protocol, one.service, one.outcome, one.password, one.public_ip, one.username
    return one.at, one.host, one.sensor, *map(str, kind)


def _sign_in_order(one: SignIn) -> tuple[object, ...]:
    return one.at, one.user, one.id, *map(str, (one.ip, one.protocol, one.service, one.outcome, one.password))


def _named(logins: Sequence[HeardLogin]) -> Iterator[Tie]:
    """Ties by names that crossed in clear, whole."""
    names = ((one.host, one.username.lower()) for one in logins if one.username)
    seen = Counter((host, name) for host, name in names if "@" in name and MASK not in name)
    for (host, name), count in seen.items():
        yield Tie(host, name, SURE, "seen", (), count)


def _refused(logins: Sequence[HeardLogin], sign_ins: Sequence[SignIn]) -> Iterator[Tie]:
    """Ties by the connection that a refusal in the log names (Exchange adds it to its replies)."""
    known = {one.connection: one for one in logins if one.connection}
    found: dict[tuple[str, str], list[Coincidence]] = defaultdict(list)
    for one in sign_ins if known else ():
        for word in (one.reason or "").replace("[", " ").replace("]", " ").split():
            if login := known.get(word):
                found[login.host, one.user].append(Coincidence(login.at, one.id, one.at - login.at, 1))
    for (host, user), some in found.items():
        yield Tie(host, user, SURE, "refusal", tuple(some[:COINCIDENCES_KEPT]), len(some))
