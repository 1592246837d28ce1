"""What a usage rests on, for people: how many sessions agree, and how long logins are over time."""

from __future__ import annotations

from scanner.model import AuthClass, Basis, Usage
from scanner.odds import constancy
from scanner.report.records import timestamp
from scanner.report.views import local_time

_DAY_NS, _HOUR_NS = 86_400_000_000_000, 3_600_000_000_000
_CLAIMED = {
    AuthClass.NONE: "no login",
    AuthClass.INCOMPLETE: "never as far as a login",
    AuthClass.UNKNOWN: "a login that was not told apart",
}


def usage_lines(use: Usage) -> list[str]:
    """One usage: where to, how, since when, and what that rests on."""
    where = f"{use.server_name or 'an unnamed server'}:{use.server_port}"
    tls = "" if use.tls_version is None else f" inside {use.tls_version}"
    login = use.mechanism or _CLAIMED.get(use.auth_class, use.auth_class.value)
    outcome = f" {use.outcome.value}" if use.outcome else ""
    span = " to ".join(local_time(timestamp(at)) for at in (use.first_seen, use.last_seen))
    lines = [
        f"{(use.service or use.protocol or 'unknown').upper()} to {where}{tls}: {login}{outcome}, {span}",
        f"    rests on: {_basis(use)}; {_agreement(use)}",
    ]
    lengths = _lengths(use)
    return [*lines, f"    {lengths}"] if lengths else lines


def _basis(use: Usage) -> str:
    return f"{use.basis.value}, confidence {use.confidence:.2f}"


def _agreement(use: Usage) -> str:
    agree = use.sessions - use.odd - use.untold
    told = [f"{agree} session{' agrees' if agree == 1 else 's agree'}"]
    if use.odd:
        told.append(f"{use.odd} {'does' if use.odd == 1 else 'do'} not")
    if use.untold:
        told.append(f"{use.untold} cannot be told")
    return ", ".join(told)


def _lengths(use: Usage) -> str | None:
    """Whether logins stayed as long as they were; never how long they are."""
    same, changed = use.logins_same, use.logins_changed
    if use.basis is not Basis.INFERRED or not same + changed:
        return None
    over = _span(use.last_seen - use.first_seen)
    compared = f"{same + changed} comparison{'s' * (same + changed != 1)} past an hour"
    if not changed:
        found = f"login sizes never changed over {over}, in {compared}"
    else:
        found = f"login sizes changed in {changed} of {compared}, over {over}"
    match constancy(same, changed):
        case True:
            return f"{found}: a password is as constant"
        case False:
            return f"{found}: tokens change so"
    return found


def _span(length: int) -> str:
    days, hours = length // _DAY_NS, length // _HOUR_NS
    number, unit = (days, "day") if days >= 2 else (hours, "hour")
    return f"{number} {unit}{'s' * (number != 1)}"
