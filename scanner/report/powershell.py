"""Decisions on mailboxes as a script for PowerShell, to be read first: it changes nothing unless told to.

What is quoted follows about_Quoting_Rules: PowerShell takes typographic quotes for plain ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from scanner.mailbox_switches import Decision, Need, Switch, User
from scanner.model import Host
from scanner.report.escape import visible
from scanner.tenant import SmtpAuth

USERS_SHOWN = 20
"""Devices in the comment of a mailbox; a shared one may have hundreds."""
UNTIED_SHOWN = 200
"""Devices without a mailbox; ``mailsunset remedy`` lists all."""
TEXT_SHOWN = 160
"""Characters of what is known of a device."""
ADDRESS_LENGTH = 254
"""Of a mailbox (RFC 5321 4.5.3.1.3)."""
_ADDRESS = re.compile(r"[\w!#$%&'+/=?^`{|}~.-]+@[a-z0-9-]+(?:\.[a-z0-9-]+)+", re.ASCII | re.IGNORECASE)
"""What Exchange Online takes for one, without the ``*`` of a masked name."""
_QUOTES = re.compile("['\u2018-\u201b]")
_NOT_QUOTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_STATES = {SmtpAuth.ALLOWED: "$false", SmtpAuth.DISABLED: "$true", SmtpAuth.INHERITED: "$null, the tenant's"}
_NEEDS = {
    Need.PASSWORD: "signs in by SMTP with a password",
    Need.TOKEN: "signs in by SMTP with a token",
    Need.UNTOLD: "signs in by SMTP, with what was not told",
    Need.MOVED: "signed in by SMTP, and mails another way since",
    Need.NONE: "was not heard signing in by SMTP",
}
_HEAD = """\
#Requires -Version 5.1
#Requires -Modules ExchangeOnlineManagement
# Read all of this before you run it. It was made by mailsunset {version} on {made}, as of {as_of}.
# It {rests}
#
# Connect-ExchangeOnline first. As it stands it only says what it would do; with -Apply it does it.
# It first writes what is now to files in -StateFolder; without those it changes nothing.
# SmtpClientAuthenticationDisabled has three states: $false allows SMTP AUTH for the mailbox; $true refuses
# it, with tokens (OAuth) as well as with passwords; $null leaves it to the tenant's switch.
"""
_SCRIPT = """\
[CmdletBinding(SupportsShouldProcess)]
param(
    [switch]$Apply,
    [string]$StateFolder = '.'
)
$ErrorActionPreference = 'Stop'
$Preview = (-not $Apply) -or [bool]$WhatIfPreference
$Stamp = Get-Date -Format 'yyyyMMdd-HHmmss'

# 1. What is now.
Get-TransportConfig |
    Select-Object -Property 'SmtpClientAuthenticationDisabled', 'AllowLegacyTLSClients' |
    Export-Csv -Path (Join-Path -Path $StateFolder -ChildPath ('transport-config-' + $Stamp + '.csv')) `
        -NoTypeInformation -Encoding UTF8 -WhatIf:$false
"""
_MAILBOXES = """\
$Mailboxes = @(
{names}
)
$Mailboxes |
    ForEach-Object {{ Get-CASMailbox -Identity $_ }} |
    Select-Object -Property 'PrimarySmtpAddress', 'SmtpClientAuthenticationDisabled' |
    Export-Csv -Path (Join-Path -Path $StateFolder -ChildPath ('mailboxes-' + $Stamp + '.csv')) `
        -NoTypeInformation -Encoding UTF8 -WhatIf:$false
"""
_TENANT = """\
# 3. The tenant's switch: yours to decide. $true refuses SMTP AUTH for all mailboxes that have no state of
# their own, of which some may stand under 5. Remove the # of one line to set it.
# Set-TransportConfig -SmtpClientAuthenticationDisabled $true -WhatIf:$Preview
# Set-TransportConfig -SmtpClientAuthenticationDisabled $false -WhatIf:$Preview
"""
_BACK = """\
# To go back, for each row of the file of mailboxes (an empty state is $null):
#   Import-Csv -Path FILE | ForEach-Object {
#       $Was = if ($_.SmtpClientAuthenticationDisabled) { $_.SmtpClientAuthenticationDisabled -eq 'True' }
#       Set-CASMailbox -Identity $_.PrimarySmtpAddress -SmtpClientAuthenticationDisabled $Was
#   }
"""


def script(
    decisions: Sequence[Decision], untied: Sequence[Host], *, version: str, made: int, as_of: str, rests: str
) -> str:
    """Write the script; ``made``: when, ns; ``rests``: what the inventory rests on, in a line.

    ``untied``: devices that sign in with a password, whose mailbox is not known.
    """
    changed = [one for one in decisions if _is_changed(one)]
    allowed = [line for one in changed if one.switch is Switch.ALLOW for line in _set(one, "$false")]
    disabled = [line for one in changed if one.switch is Switch.DISABLE for line in _set(one, "$true")]
    left = [line for one in decisions if not _is_changed(one) for line in _left(one)]
    names = "\n".join(f"    {quoted(one.address)}" for one in changed)
    parts = [
        _HEAD.format(version=version, made=_time(made), as_of=as_of, rests=visible(rests)),
        _SCRIPT,
        *([_MAILBOXES.format(names=names)] if changed else []),
        _section("2. Mailboxes that devices need SMTP AUTH for.", allowed),
        _TENANT,
        _section("4. Mailboxes whose devices need it no more.", disabled),
        _section("5. Mailboxes that are left as they are.", left),
        _section("6. Devices that sign in with a password, their mailbox not known.", _unknown(untied)),
        _BACK,
    ]
    return "\n".join(parts)


def _is_changed(one: Decision) -> bool:
    return one.switch is not Switch.LEAVE and quoted(one.address) is not None


def quoted(address: str) -> str | None:
    """An address as a string of PowerShell; None: it does not look like one, and nothing is written of it."""
    if len(address) > ADDRESS_LENGTH or not _ADDRESS.fullmatch(address):
        return None
    return literal(address)


def literal(text: str) -> str:
    """Text between single quotes, in which nothing is expanded. Raises ValueError where it is no line."""
    if _NOT_QUOTABLE.search(text):
        raise ValueError("controls and ends of lines cannot be quoted")
    return f"'{_QUOTES.sub(lambda found: found[0] * 2, text)}'"


def _section(title: str, lines: Sequence[str]) -> str:
    return "\n".join((f"# {title}", *(lines or ["# None."]), ""))


def _set(one: Decision, state: str) -> Iterator[str]:
    yield from _evidence(one)
    yield (
        f"Set-CASMailbox -Identity {quoted(one.address)} -SmtpClientAuthenticationDisabled {state} "
        "-WhatIf:$Preview"
    )


def _left(one: Decision) -> Iterator[str]:
    yield from _evidence(one)
    if quoted(one.address) is None:
        yield "#   does not look like an address, so no line is written for it"


def _unknown(untied: Sequence[Host]) -> list[str]:
    lines = [f"#   device {_device(host)}" for host in untied[:UNTIED_SHOWN]]
    if untied:
        lines.append(f"#   {len(untied)} in all; 'mailsunset import' and 'mailsunset match' find mailboxes.")
    return lines


def _evidence(one: Decision) -> Iterator[str]:
    was = f"; it was {_STATES[one.was]} when the tenant was asked" if one.was else ""
    yield f"# mailbox {visible(one.address)[:TEXT_SHOWN]}: {one.why}{was}"
    for user in one.users[:USERS_SHOWN]:
        yield f"#   device {_device(user.host)}: {_rests(user)}"
    if (more := len(one.users) - USERS_SHOWN) > 0:
        yield f"#   and {more} more devices"


def _device(host: Host) -> str:
    names = sorted((name.last_seen, name.text) for name in host.names)
    make = " ".join(part for part in (host.device.vendor, host.device.model) if part)
    parts = (host.host, names[-1][1] if names else "", make)
    return visible(", ".join(part for part in parts if part))[:TEXT_SHOWN]


def _rests(user: User) -> str:
    last = f", last {_time(user.last)}" if user.last is not None else ""
    fits = f" in {user.tie.count} sign-ins" if user.tie.count else ""
    return f"{_NEEDS[user.need]}{last}; tie {user.tie.score:.2f} by {visible(user.tie.basis)}{fits}"


def _time(at: int) -> str:
    return f"{datetime.fromtimestamp(at // 1_000_000_000, UTC):%Y-%m-%d %H:%M} UTC"
