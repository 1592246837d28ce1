"""Whose server it is: by name first, then by the user's word, then by prefix."""

import json
from pathlib import Path

import pytest

from scanner.catalogue import BadTableError
from scanner.catalogue.exchange import Match, load_catalogue
from scanner.model import ServerKind

OURS = load_catalogue(extra=["203.0.113.0/24", "192.0.2.7", "2001:db8::1", "mail.example.com"])


@pytest.mark.parametrize(
    ("ip", "name", "kind", "matched"),
    [
        pytest.param(
            "198.51.100.1", "smtp.office365.com", "exchange-online", "name smtp.office365.com", id="a name"
        ),
        pytest.param(
            "198.51.100.1", "SMTP.Office365.com.", "exchange-online", "name smtp.office365.com", id="case"
        ),
        pytest.param(
            "198.51.100.1",
            "x.mail.protection.outlook.com",
            "exchange-online",
            "name x.mail.protection.outlook.com",
            id="a wildcard",
        ),
        pytest.param("52.96.0.1", None, "exchange-online", "prefix 52.96.0.0/14", id="a prefix"),
        pytest.param(
            "203.0.113.9", None, "exchange-online", "--endpoint 203.0.113.0/24", id="the user's prefix"
        ),
        pytest.param(
            "192.0.2.7", None, "exchange-online", "--endpoint 192.0.2.7/32", id="the user's address"
        ),
        pytest.param(
            "2001:db8::1", None, "exchange-online", "--endpoint 2001:db8::1/128", id="an IPv6 address"
        ),
        pytest.param(
            "10.0.0.1", "mail.example.com", "exchange-online", "--endpoint mail.example.com", id="his name"
        ),
        pytest.param(
            "198.51.100.1",
            "login.microsoftonline.com",
            "sign-in",
            "name login.microsoftonline.com",
            id="sign-in",
        ),
        pytest.param("10.0.0.1", "smtp.example.org", "internal", None, id="a server of the site"),
        pytest.param("198.51.100.1", "notoutlook.com", "other", None, id="a name that only ends alike"),
    ],
)
def test_a_server_is_known(ip: str, name: str | None, kind: str, matched: str | None) -> None:
    found = OURS.classify(ip, name)
    assert (found.kind, found.matched) == (ServerKind(kind), matched)


def test_the_role_goes_by_the_name() -> None:
    assert OURS.role("x.mail.protection.outlook.com") == "mx"
    assert OURS.role("www.example.com") is None
    assert OURS.role(None) is None


def test_microsofts_own_table_may_replace_ours(tmp_path: Path) -> None:
    table = tmp_path / "endpoints.json"
    rows = [
        {"id": 1, "serviceArea": "Exchange", "urls": ["mail.example.net"], "ips": ["198.51.100.0/24"]},
        {"id": 2, "serviceArea": "Skype", "ips": ["192.0.2.0/24"]},
    ]
    table.write_text(json.dumps(rows))
    theirs = load_catalogue(str(table))
    assert theirs.classify("198.51.100.3", None).matched == "prefix 198.51.100.0/24"
    assert theirs.classify("52.96.0.1", None) == Match(ServerKind.OTHER)
    assert theirs.classify("192.0.2.1", "smtp.office365.com").role == "submission"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        pytest.param("= broken", "not a catalogue", id="no TOML"),
        pytest.param("x = 1", "not a catalogue", id="no endpoints"),
        pytest.param("[[endpoint]]\nkind = 'nonsense'", "not a catalogue", id="a kind that is none"),
        pytest.param(
            '[{"serviceArea": "Skype"}]', "no row of the service area Exchange", id="JSON without Exchange"
        ),
        pytest.param("[{", "not a catalogue", id="cut JSON"),
    ],
)
def test_a_bad_table_is_told_in_a_line(tmp_path: Path, text: str, why: str) -> None:
    table = tmp_path / "table"
    table.write_text(text)
    with pytest.raises(BadTableError, match=why) as told:
        load_catalogue(str(table))
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("endpoint", ["not a name", "203.0.113.0/99", "", "a..b", "x/24"])
def test_a_bad_endpoint_is_told(endpoint: str) -> None:
    with pytest.raises(BadTableError):
        load_catalogue(extra=[endpoint])


def test_a_missing_table_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadTableError, match="No such file"):
        load_catalogue(str(tmp_path / "none"))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("AM0PR01CA0001.outlook.office365.com", "*.outlook.office365.com"),
        ("smtp.office365.com", None),
        ("mail.example.com", None),
    ],
)
def test_front_ends_belong_to_a_family(name: str, expected: str | None) -> None:
    assert load_catalogue().family(name) == expected
