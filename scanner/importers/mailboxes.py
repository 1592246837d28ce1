"""Mailboxes by ``Get-EXOCasMailbox`` or ``Get-CASMailbox``, and the report "SMTP AUTH clients"."""

from __future__ import annotations

import re
from collections.abc import Iterator

from scanner.importers.family import Cells, Family, Kind, Terms, UnreadableRowError, first, words
from scanner.tenant import Mailbox, Sender, SmtpAuth

_ADDRESS = ("primarysmtpaddress", "windowsemailaddress", "userprincipalname", "identity")
_SWITCH = "smtpclientauthenticationdisabled"
_STATES = {"true": SmtpAuth.DISABLED, "false": SmtpAuth.ALLOWED, "": SmtpAuth.INHERITED}
"""Empty is ``$null``: the tenant's switch decides. Who filters for False alone misses all these."""
_SENDER, _SENT, _AUTH = "senderaddress", "messagessent", "authenticationprotocol"
_GROUPS = re.compile(r"\d{1,3}(?:[.,' \u00a0\u202f\u2019]?\d{3})*")
"""A count as desks write it; a fraction is none."""


def _mailbox(cells: Cells, terms: Terms) -> Iterator[Mailbox]:
    told = cells.get(_SWITCH)
    if told is not None:
        told = told.strip().lower().removeprefix("$").replace("null", "")
        if told not in _STATES:
            raise UnreadableRowError(f"{told[:20]!r} is neither True nor False nor empty")
    state = None if told is None else _STATES[told]
    yield Mailbox(_address(first(cells, _ADDRESS)), state, terms.at)


def _sender(cells: Cells, terms: Terms) -> Iterator[Sender]:
    sent, auth = cells.get(_SENT, "").strip(), cells.get(_AUTH, "").lower()
    if sent and not _GROUPS.fullmatch(sent):
        raise UnreadableRowError(f"no count: {sent[:20]!r}")
    password = True if "basic" in auth else False if "modern" in auth or "oauth" in auth else None
    count = int(re.sub(r"\D", "", sent)[:15] or 0)
    yield Sender(_address(first(cells, (_SENDER,))), password, count, terms.at)


def _address(text: str) -> str:
    address = text.strip().lower()
    if "@" not in address:
        raise UnreadableRowError(f"no mailbox address: {address[:40]!r}")
    return address


MAILBOXES = Family(
    Kind.MAILBOXES,
    "mailboxes",
    (frozenset(_ADDRESS), frozenset({_SWITCH, "popenabled", "imapenabled", "activesyncenabled"})),
    frozenset(
        words("""
        displayname name alias guid exchangeguid externaldirectoryobjectid distinguishedname samaccountname
        servername ecpenabled popenabled imapenabled mapienabled activesyncenabled ewsenabled owaenabled
        mapihttpenabled hasactivesyncdevicepartnership activesyncmailboxpolicy owamailboxpolicy
        emailaddresses isvalid objectstate organizationid id universaloutlookenabled outlookmobileenabled
        macoutlookenabled legacyexchangedn exchangeversion originatingserver
        """)
    )
    | {*_ADDRESS, _SWITCH},
    _mailbox,
)
SENDERS = Family(
    Kind.SENDERS,
    'the report "SMTP AUTH clients"',
    (frozenset({_SENDER}), frozenset({_SENT, _AUTH})),
    frozenset({_SENDER, _SENT, _AUTH, "domain", "tls10", "tls11", "tls12", "tls13"}),
    _sender,
)
