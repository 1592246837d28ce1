"""Names and cards in the spellings that lists have."""

import pytest

from scanner.importers.assets import ASSETS
from scanner.importers.family import first, loose, mac_of


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("Application ID ", "applicationid"),
        ("Autonomous system  number", "autonomoussystemnumber"),
        ("TLS 1.2 (%)", "tls12"),
        ("\ufeffDate (UTC)", "dateutc"),
        ("Messages_Sent", "messagessent"),
        ("Propriétaire", "propriétaire"),
        ("GERÄT", "gerät"),
        ("  ", ""),
    ],
)
def test_a_column_is_known_whatever_is_around_its_letters(name: str, plain: str) -> None:
    assert loose(name) == plain


@pytest.mark.parametrize(
    ("text", "mac"),
    [
        ("00:1E:8C:0A:0B:0C", "00:1e:8c:0a:0b:0c"),
        ("00-1e-8c-0a-0b-0c", "00:1e:8c:0a:0b:0c"),
        ("001e.8c0a.0b0c", "00:1e:8c:0a:0b:0c"),
        (" 001E8C0A0B0C ", "00:1e:8c:0a:0b:0c"),
        ("01:00:1e:8c:0a:0b:0c", "00:1e:8c:0a:0b:0c"),
        ("ff:ff:ff:ff:ff:ff", None),
        ("00:00:00:00:00:00", None),
        ("00:01:00:01:2a:bb:cc:dd:00:1e:8c:0a:0b:0c", None),
        ("printer", None),
        ("", None),
    ],
)
def test_a_card_is_known_in_any_spelling_and_a_group_is_none(text: str, mac: str | None) -> None:
    assert mac_of(text) == mac


def test_the_first_column_that_is_filled_counts() -> None:
    assert first({"a": "", "b": "2", "c": "3"}, ("x", "a", "b", "c")) == "2"
    assert first({}, ("a",)) == ""


def test_what_a_table_lacks_is_named() -> None:
    lacking = ASSETS.lacking(["mac", "colour"])
    assert len(lacking) == 1 and lacking[0].startswith("abteilung or ")
    assert ASSETS.fits(["mac", "owner"])
