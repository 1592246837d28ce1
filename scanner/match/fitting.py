"""Which logins a sign-in may come from: those of its place, protocol and outcome, about its time."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterator, Sequence
from ipaddress import ip_network
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from scanner.tenant import HeardLogin, SignIn

Numbers = npt.NDArray[np.int64]
Reals = npt.NDArray[np.float64]
Pairs = tuple[Numbers, Numbers]
"""Numbers of sign-ins, and of logins that each may come from."""
CHUNK = 2_000
"""Sign-ins compared at a time: a big site has thousands of logins in half an hour, and pairs take memory."""
MASK = "***"
"""What stands in a masked name for all but its first character and its domain."""
NETWORK_V6 = 64
"""Devices change the rest of an IPv6 address (RFC 8981)."""
_SECOND = 1_000_000_000
_Code = TypeVar("_Code", bound=Hashable)


class Kind(NamedTuple):
    """What must agree, as far as both tell it."""

    protocol: str | None
    service: str | None
    outcome: str | None
    password: bool | None
    places: frozenset[str]
    """Networks of the public address; empty: not known."""
    user: str | None


class Stream:
    """Logins or sign-ins as columns: when, whose, and of what kind."""

    def __init__(self, seconds: Reals, owners: Sequence[str], kinds: Sequence[Kind]) -> None:
        """In order of time."""
        self.seconds = seconds
        self.names, self.owner = _coded(owners)
        self.kinds, self.kind = _coded(kinds)

    def __len__(self) -> int:
        """How many."""
        return len(self.seconds)

    def moved(self, seconds: Reals) -> Numbers:
        """Have each one at another time; gives where those stood that are now in order."""
        order = np.argsort(seconds, kind="stable")
        self.seconds, self.owner, self.kind = seconds[order], self.owner[order], self.kind[order]
        return order


def _coded(values: Sequence[_Code]) -> tuple[list[_Code], Numbers]:
    """Give each value once, in the order met, and the number of each."""
    numbers: dict[_Code, int] = {}
    codes = [numbers.setdefault(value, len(numbers)) for value in values]
    return list(numbers), np.array(codes, np.int64)


def logins_stream(logins: Sequence[HeardLogin]) -> Stream:
    """Logins in order of time.

    One that does not tell the site's public address may have come from any that its sensor heard.
    """
    site: dict[str, set[str]] = {}
    for one in logins:
        if one.public_ip:
            site.setdefault(one.sensor, set()).add(_place(one.public_ip))
    whole = {sensor: frozenset(places) for sensor, places in site.items()}
    kinds = [
        Kind(
            one.protocol, one.service, one.outcome, one.password,
            frozenset({_place(one.public_ip)}) if one.public_ip else whole.get(one.sensor, frozenset()),
            one.username if one.username and "@" in one.username else None,
        )
        for one in logins
    ]  # fmt: skip
    return Stream(_seconds(logins), [one.host for one in logins], kinds)


def sign_ins_stream(sign_ins: Sequence[SignIn], by_name: bool) -> Stream:
    """Sign-ins in order of time; ``by_name``: some logins told a name, so users are kinds, too."""
    kinds = [
        Kind(
            one.protocol, one.service, one.outcome, one.password,
            frozenset({_place(one.ip)}) if one.ip else frozenset(),
            one.user if by_name else None,
        )
        for one in sign_ins
    ]  # fmt: skip
    return Stream(_seconds(sign_ins), [one.user for one in sign_ins], kinds)


def _seconds(some: Sequence[HeardLogin | SignIn]) -> Reals:
    return np.array([one.at / _SECOND for one in some])


def _place(ip: str) -> str:
    return str(ip_network(f"{ip}/{NETWORK_V6}", strict=False)) if ":" in ip else ip


def fitting(logins: Stream, sign_ins: Stream) -> npt.NDArray[np.bool_]:
    """For each kind of login (row) and of sign-in, whether the one may have made the other."""
    found = [[_fits(one, other) for other in sign_ins.kinds] for one in logins.kinds]
    return np.array(found, np.bool_).reshape(len(logins.kinds), len(sign_ins.kinds))


def _fits(login: Kind, sign_in: Kind) -> bool:
    told = zip(login[:4], sign_in[:4], strict=True)
    if any(one is not None and other is not None and one != other for one, other in told):
        return False
    if login.places and sign_in.places and not login.places & sign_in.places:
        return False
    return login.user is None or sign_in.user is None or is_named(login.user, sign_in.user)


def is_named(shown: str, user: str) -> bool:
    """Whether a name, masked or not, may be this user's."""
    first, masked, domain = shown.lower().partition(MASK)
    return user.startswith(first) and user.endswith(domain) if masked else first == user


def pairs(
    logins: Stream,
    sign_ins: Stream,
    fits: npt.NDArray[np.bool_],
    within: tuple[float, float],
    chosen: Numbers,
) -> Iterator[Pairs]:
    """Pair these sign-ins with logins that they fit and come after by so many seconds, some at a time."""
    least, most = within
    for at in range(0, len(chosen), CHUNK):
        some = chosen[at : at + CHUNK]
        seconds = sign_ins.seconds[some]
        first = np.searchsorted(logins.seconds, seconds - most, "left")
        count = np.searchsorted(logins.seconds, seconds - least, "right") - first
        ends = np.cumsum(count)
        of_login = np.arange(ends[-1]) - np.repeat(ends - count - first, count)
        of_sign_in = np.repeat(some, count)
        good = fits[logins.kind[of_login], sign_ins.kind[of_sign_in]]
        yield of_sign_in[good], of_login[good]


def evenly(many: int, most: int) -> Numbers:
    """Give numbers of so many things, evenly spread, of all if they are not too many."""
    return np.unique(np.linspace(0, many - 1, min(many, most)).astype(np.int64))


def names_told(logins: Collection[HeardLogin]) -> bool:
    """Whether a login among these told whose it was."""
    return any(one.username for one in logins)
