"""What was imported is there as the last import has it, and twice is once."""

from pathlib import Path

import pytest

from db import tenant
from db.store import Inventory
from scanner.events import Outcome
from scanner.tenant import Asset, Coincidence, Mailbox, Sender, SignIn, SmtpAuth, Tie

FIRST = SignIn("a", 1_000, "scan@contoso.com", "192.0.2.1", "smtp", None, Outcome.ACCEPTED, True)
SECOND = SignIn("b", 2_000, "ann@contoso.com", None, "http", "eas", Outcome.REFUSED, False, "50126", "iPhone")
THIRD = SignIn("c", 3_000, "ann@contoso.com", None, None, None, None, None)


@pytest.fixture
def kept() -> Inventory:
    return Inventory.open("sqlite://")


def test_sign_ins_come_in_order_of_time_whatever_order_they_went_in(kept: Inventory) -> None:
    assert kept.add_sign_ins(iter([THIRD, FIRST, SECOND])) == 3
    assert list(kept.sign_ins()) == [FIRST, SECOND, THIRD]
    assert list(kept.sign_ins(2_000, 3_000)) == [SECOND]


def test_what_is_imported_again_is_not_new_and_is_as_it_was_told_last(kept: Inventory) -> None:
    moved = SignIn("a", 1_500, "scan@contoso.com", "192.0.2.1", "smtp", None, Outcome.ACCEPTED, True)
    assert [kept.add_sign_ins(some) for some in ([FIRST, FIRST], [FIRST, SECOND], [moved])] == [1, 1, 0]
    assert list(kept.sign_ins()) == [moved, SECOND]


def test_many_sign_ins_are_written_a_part_at_a_time(kept: Inventory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tenant, "ROWS_A_WRITE", 7)
    monkeypatch.setattr(tenant, "KEYS_ASKED", 3)
    many = [SignIn(str(number), number, "u", None, None, None, None, None) for number in range(100)]
    assert (kept.add_sign_ins(many[:50]), kept.add_sign_ins(many)) == (50, 50)
    assert list(kept.sign_ins()) == many


def test_sign_ins_of_long_ago_are_forgotten_with_the_sessions(kept: Inventory) -> None:
    kept.add_sign_ins([FIRST, SECOND, THIRD])
    assert kept.forget(2_000) == 0
    assert list(kept.sign_ins()) == [SECOND, THIRD]


def test_of_a_mailbox_the_latest_counts_in_whatever_order_it_was_told(kept: Inventory) -> None:
    old = Mailbox("scan@contoso.com", SmtpAuth.ALLOWED, 1)
    new = Mailbox("scan@contoso.com", SmtpAuth.INHERITED, 2)
    untold = Mailbox("ann@contoso.com", None, 1)
    assert [kept.add_mailboxes(some) for some in ([new], [old, untold], [old])] == [1, 2, 0]
    assert kept.mailboxes() == {"scan@contoso.com": new, "ann@contoso.com": untold}


def test_a_sender_by_password_and_by_token_is_two_rows(kept: Inventory) -> None:
    rows = [Sender("scan@contoso.com", way, count, 5) for way, count in ((True, 10), (False, 4), (None, 1))]
    assert (kept.add_senders(rows), kept.add_senders(rows)) == (3, 0)
    assert sorted(kept.senders(), key=str) == sorted(rows, key=str)


def test_an_asset_is_found_by_its_key(kept: Inventory) -> None:
    one, moved = Asset("copier", "Ann", None, "leased"), Asset("copier", "Bob", "hall", None)
    assert (kept.add_assets([one]), kept.add_assets([moved])) == (1, 0)
    assert kept.assets() == {"copier": moved}


def test_ties_replace_those_before(kept: Inventory) -> None:
    likely = Tie("10.0.0.1", "scan@contoso.com", 0.9, "coincidence", (Coincidence(1, "a", -2, 3),), 12)
    less = Tie("10.0.0.1", "ann@contoso.com", 0.3, "seen")
    kept.keep_ties([Tie("10.0.0.9", "old@contoso.com", 1.0, "seen")])
    kept.keep_ties([less, likely])
    assert kept.ties() == {"10.0.0.1": [likely, less]}


def test_hostile_text_of_any_length_goes_in(kept: Inventory) -> None:
    bad = "\0\ud800=1" + "x" * 2_000
    assert kept.add_sign_ins([SignIn(bad, 1, bad, None, None, None, None, None, bad, bad)]) == 1
    assert kept.add_mailboxes([Mailbox(bad, None, 1)]) == kept.add_senders([Sender(bad, None, 1, 1)]) == 1
    assert kept.add_assets([Asset(bad, bad, bad, bad)]) == 1
    (one,) = kept.sign_ins()
    assert one.user.startswith("\ufffd?=1x") and len(one.user) == tenant.USER_LENGTH


def test_it_stays_when_the_inventory_is_closed(tmp_path: Path) -> None:
    with Inventory.open(str(tmp_path / "kept.db")) as first:
        first.add_sign_ins([FIRST])
    with Inventory.open(str(tmp_path / "kept.db")) as again:
        assert list(again.sign_ins()) == [FIRST]
