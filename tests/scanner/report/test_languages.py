"""Every language says everything, and knows the sentences of the rules."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from importlib.resources import files
from itertools import product
from pathlib import Path

import pytest

from scanner.catalogue.retirement import load_retirement
from scanner.events import Outcome
from scanner.exposure import findings
from scanner.fingerprints import words
from scanner.model import AuthClass, Basis, Level, Reason
from scanner.relays import _through
from scanner.report.languages import LANGUAGES, Language, Text, _table, fields_of
from scanner.rules import judge
from scanner.services import TlsAccepted
from tests.reports import REASON, USE
from tests.services import AT, CERTIFICATE, DAY, whole

DAYS = (date(2020, 1, 1), date(2026, 9, 1), date(2026, 11, 1), date(2030, 1, 1))
ROLES = (None, "mx", "hve", "consumer", "smtp-legacy", "pop-legacy")


def forms(text: Text) -> list[str]:
    return [text] if isinstance(text, str) else [text["one"], text["other"]]


@pytest.mark.parametrize("code", LANGUAGES)
def test_a_language_has_all_texts_with_their_values_and_no_others(code: str) -> None:
    english, own = _table("en"), _table(code)
    assert english.keys() == own.keys()
    assert len(own["months"]) == 12
    for section in ("form", "text", "page", "said"):
        assert english[section].keys() == own[section].keys(), section
        for key, text in english[section].items():
            wanted, found = (set().union(*map(fields_of, forms(one))) for one in (text, own[section][key]))
            assert wanted == found, key
            assert isinstance(text, str) == isinstance(own[section][key], str), key


def ways() -> Iterator[Reason]:
    """What the rules say of all that they tell apart."""
    table = load_retirement()
    services = (None, "ews", "eas", "rpc", "powershell")
    kinds = product(("smtp", "imap", "http"), services, AuthClass, DAYS, ROLES)
    for protocol, service, kind, day, role in kinds:
        use = replace(USE, protocol=protocol, service=service, auth_class=kind, client_version="14.1")
        for version in ("TLSv1", "TLSv1.3", None):
            yield from judge(replace(use, tls_version=version), table, day, role)
        yield from judge(replace(use, server_kind="internal"), table, day, role)  # type: ignore[arg-type]


def findings_of_all() -> Iterator[str]:
    expired = replace(CERTIFICATE, not_after=AT - DAY, key="RSA 1024", signature="sha1")
    early = replace(CERTIFICATE, not_before=AT + 9 * DAY)
    day = date(2026, 9, 21)
    for service in (
        whole(certificate=expired), whole(certificate=early), whole(tls=TlsAccepted("SSLv3", "TLSv1")),
        whole(protocol="imap", starttls=False), whole(protocol="http", tls=TlsAccepted("SSLv3", "TLSv1")),
        whole(relaying="takes"),
    ):  # fmt: skip
        yield from (one.text for one in findings(service, day))


def test_what_devices_are_is_known_in_every_language() -> None:
    kinds = {*words().kinds, "router", "randomised MAC"}
    assert kinds <= set(_table("en")["said"].values())


def sentences() -> set[str]:
    said = {text for reason in ways() for text in (reason.text, reason.advice)}
    said |= {row.what for row in load_retirement().values()}
    relays = [_through("a (b)", replace(REASON, level=level)) for level in Level]
    said |= {text for reason in relays for text in (reason.text, reason.advice)}
    return (said | set(findings_of_all())) - {""}


@pytest.mark.parametrize("code", [code for code in LANGUAGES if code != "en"])
def test_what_the_rules_say_is_known_in_every_language(code: str) -> None:
    language = Language(code)
    assert len(sentences()) > 60
    assert [said for said in sentences() if language.said(said) == said] == []


def test_in_english_a_sentence_stays_as_it_is() -> None:
    english = Language("en")
    assert {said: english.said(said) for said in sentences()} == {said: said for said in sentences()}


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("de", ("läuft über a (b) und geht", "(SMTP mit LOGIN geht nur noch bis dahin)")),
        ("es", ("pasa por a (b) y funciona", "(SMTP con LOGIN funciona hasta entonces)")),
    ],
)
def test_a_sentence_within_a_sentence_is_translated(code: str, said: tuple[str, str]) -> None:
    found = Language(code).said(_through("a (b)", REASON).text)
    assert found.startswith(said[0])
    assert found.endswith(said[1])


def test_what_is_not_known_stays_english() -> None:
    assert Language("de").said("something else with nothing known") == "something else with nothing known"


COUNTED: Mapping[str, tuple[str, str, str]] = {
    "en": ("0 devices", "1 device", "20,000 devices"),
    "de": ("0 Geräte", "1 Gerät", "20.000 Geräte"),
    "fr": ("0 appareil", "1 appareil", "20\u202f000 appareils"),
    "es": ("0 dispositivos", "1 dispositivo", "20.000 dispositivos"),
}


@pytest.mark.parametrize("code", LANGUAGES)
def test_things_are_counted_as_each_language_does(code: str) -> None:
    language = Language(code)
    assert tuple(language.say("devices_n", n=n) for n in (0, 1, 20_000)) == COUNTED[code]


@pytest.mark.parametrize(
    ("code", "written"),
    [("en", "31 December 2026"), ("de", "31. Dezember 2026"), ("fr", "31 décembre 2026"),
     ("es", "31 de diciembre de 2026")],
)  # fmt: skip
def test_a_day_is_written_as_each_language_does(code: str, written: str) -> None:
    assert Language(code).day(date(2026, 12, 31)) == written


def test_a_number_has_its_own_point() -> None:
    assert Language("de").number(1234.5, 1) == "1.234,5"


def test_no_text_is_kept_that_nobody_says() -> None:
    paths = (path for path in Path(str(files("scanner"))).rglob("*") if path.suffix in (".py", ".j2", ".js"))
    said = "".join(path.read_text("utf-8") for path in paths)
    table = _table("en")
    families = ("level_", "means_", "lost_", "change_", "class_", *(f"{level}_" for level in Level))
    left = [key for key in table["text"] if f'"{key}"' not in said and not key.startswith(families)]
    left += [key for key in table["page"] if f'"{key}"' not in said and f"words.{key}" not in said]
    assert set(left) <= {*Basis, *Outcome}
