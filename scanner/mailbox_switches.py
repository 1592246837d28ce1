"""Which mailboxes SMTP AUTH must stay on for, and which need it no more: pure.

The switch of a mailbox (``SmtpClientAuthenticationDisabled``) stops tokens as well as passwords, and where it
is not set the tenant's decides. So it is touched only where what all its devices do is known.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from scanner.model import AuthClass, Host, ServerKind, Usage
from scanner.rules import PASSWORDS
from scanner.tenant import Mailbox, SmtpAuth, Tie

SURE = 0.9
"""Score from which on a tie is acted on: one in ten of the worst is wrong, and a person reviews it."""
QUIET_NS = 14 * 86_400 * 1_000_000_000
"""Who mails another way for so long has moved: what mails weekly was heard twice."""
_OTHERS = frozenset({"hve", "azure-communication-services", "consumer", "mx"})
"""Roles of servers of Microsoft's whose logins no switch of a mailbox touches."""
Role = Callable[[str | None], str | None]


class Need(StrEnum):
    """What a device needs of SMTP AUTH."""

    PASSWORD = "password"
    TOKEN = "token"
    UNTOLD = "untold"
    """It logs in, and how was not told."""
    MOVED = "moved"
    """It logged in once, and mails another way since."""
    NONE = "none"
    """It was not heard logging in."""


class Switch(StrEnum):
    """What is to become of a mailbox's switch."""

    ALLOW = "allow"
    """``$false``"""
    DISABLE = "disable"
    """``$true``"""
    LEAVE = "leave"


@dataclass(frozen=True, slots=True)
class User:
    """A device that uses a mailbox."""

    host: Host
    tie: Tie
    need: Need
    last: int | None
    """When it logged in by SMTP last, ns."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to become of a mailbox's switch, and why."""

    address: str
    switch: Switch
    why: str
    users: tuple[User, ...]
    """The surest tie first."""
    was: SmtpAuth | None
    """None: the tenant did not tell."""


def decide(
    hosts: Iterable[Host],
    ties: Iterable[Tie],
    mailboxes: Mapping[str, Mailbox] | None = None,
    last_used: Mapping[str, int] | None = None,
    role: Role = lambda _: None,
) -> list[Decision]:
    """Decide for each mailbox that a device is tied to, by address.

    ``mailboxes``: what the tenant says of them, by address.
    ``last_used``: when the tenant knew of SMTP AUTH by an address last, from wherever, ns.
    ``role``: of a server, by its name (``Catalogue.role``).
    """
    known = {host.host: host for host in hosts}
    users: defaultdict[str, list[User]] = defaultdict(list)
    for tie in sorted(ties, key=lambda tie: (-tie.score, tie.host)):
        if host := known.get(tie.host):
            users[tie.user].append(User(host, tie, *_need(host, role)))
    decisions = []
    for address, uses in sorted(users.items()):
        switch, why = _decision(uses, (last_used or {}).get(address))
        box = (mailboxes or {}).get(address)
        decisions.append(Decision(address, switch, why, tuple(uses), box.smtp_auth if box else None))
    return decisions


def untied(hosts: Iterable[Host], ties: Iterable[Tie], role: Role = lambda _: None) -> list[Host]:
    """Tell which devices sign in by SMTP with a password and are surely tied to no mailbox."""
    tied = {tie.host for tie in ties if tie.score >= SURE}
    return [host for host in hosts if host.host not in tied and _need(host, role)[0] is Need.PASSWORD]


def _need(host: Host, role: Role) -> tuple[Need, int | None]:
    """What a device needs, and when it logged in last."""
    mailed = [use for use in host.usage if use.protocol == "smtp"]
    logins = [use for use in mailed if _is_login(use, role)]
    if not logins:
        return Need.NONE, None
    last = max(use.last_seen for use in logins)
    if any(use.last_seen - last >= QUIET_NS for use in mailed):
        return Need.MOVED, last
    ways = {use.auth_class for use in logins if last - use.last_seen < QUIET_NS}
    if ways & PASSWORDS:
        return Need.PASSWORD, last
    return (Need.TOKEN if ways == {AuthClass.OAUTH} else Need.UNTOLD), last


def _is_login(use: Usage, role: Role) -> bool:
    outside = use.server_kind is ServerKind.EXCHANGE_ONLINE and role(use.server_name) not in _OTHERS
    return outside and use.auth_class is not AuthClass.NONE


def _decision(users: Sequence[User], last_used: int | None) -> tuple[Switch, str]:
    needs = {user.need for user in users}
    if any(user.need is Need.PASSWORD and user.tie.score >= SURE for user in users):
        return Switch.ALLOW, "a device signs in with its password"
    if Need.PASSWORD in needs:
        return Switch.LEAVE, f"a device may sign in with its password, but no tie reaches {SURE}"
    if Need.TOKEN in needs:
        return Switch.LEAVE, "a device sends with tokens, which SMTP AUTH must stay on for too"
    if Need.UNTOLD in needs:
        return Switch.LEAVE, "a device signs in, and whether with a password was not told"
    moved = [user.last or 0 for user in users if user.need is Need.MOVED and user.tie.score >= SURE]
    if not moved:
        return Switch.LEAVE, "no device was heard using SMTP AUTH"
    if last_used is not None and last_used > max(moved):
        return Switch.LEAVE, "the tenant knows of SMTP AUTH after the devices here had moved"
    return Switch.DISABLE, "its devices mail another way now"
