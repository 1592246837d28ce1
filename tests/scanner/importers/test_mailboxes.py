"""A mailbox's switch has three states, and a report's rows tell how a sender logs in."""

import pytest

from scanner.importers.family import Terms, UnreadableRowError, loose
from scanner.importers.mailboxes import MAILBOXES, SENDERS
from scanner.tenant import Mailbox, Sender, SmtpAuth

SWITCH = "smtpclientauthenticationdisabled"


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("True", SmtpAuth.DISABLED), ("FALSE", SmtpAuth.ALLOWED), ("", SmtpAuth.INHERITED),
        (" ", SmtpAuth.INHERITED), ("$null", SmtpAuth.INHERITED), ("$true", SmtpAuth.DISABLED),
    ],
)  # fmt: skip
def test_a_switch_has_three_states(text: str, state: SmtpAuth) -> None:
    cells = {"identity": "Scan", "primarysmtpaddress": " Scan@Contoso.com", SWITCH: text}
    assert list(MAILBOXES.read(cells, Terms(7))) == [Mailbox("scan@contoso.com", state, 7)]


def test_a_switch_that_is_not_listed_is_not_told() -> None:
    assert list(MAILBOXES.read({"primarysmtpaddress": "a@b", "popenabled": "True"}, Terms(7))) == [
        Mailbox("a@b", None, 7)
    ]


@pytest.mark.parametrize(
    "cells", [{"primarysmtpaddress": "a@b", SWITCH: "maybe"}, {"identity": "Scan", SWITCH: ""}]
)
def test_a_row_with_another_state_or_no_address_is_unreadable(cells: dict[str, str]) -> None:
    with pytest.raises(UnreadableRowError):
        list(MAILBOXES.read(cells, Terms(7)))


@pytest.mark.parametrize(
    ("auth", "sent", "password", "messages"),
    [
        ("Basic Authentication", "12", True, 12),
        ("Modern Authentication", "1,234", False, 1234),
        ("OAuth", "1.234.567", False, 1_234_567),
        ("", "1\u202f234", None, 1234),
        ("Unknown", "", None, 0),
    ],
)
def test_a_sender_logs_in_by_password_or_token(
    auth: str, sent: str, password: bool | None, messages: int
) -> None:
    cells = {"senderaddress": "Scan@Contoso.com", "messagessent": sent, "authenticationprotocol": auth}
    assert list(SENDERS.read(cells, Terms(7))) == [Sender("scan@contoso.com", password, messages, 7)]


@pytest.mark.parametrize("sent", ["many", "-1", "1.5", "12e3"])
def test_what_is_no_count_is_unreadable(sent: str) -> None:
    with pytest.raises(UnreadableRowError):
        list(SENDERS.read({"senderaddress": "a@b", "messagessent": sent}, Terms(7)))


def test_the_columns_of_the_report_are_known() -> None:
    names = ["Sender address", "Domain", "TLS 1.0 (%)", "TLS 1.1", "TLS1.2", "Messages sent"]
    assert SENDERS.fits(map(loose, names)) and {loose(name) for name in names} <= SENDERS.knows
