"""Where the inventory is, which day it is, and what the user's file says."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import click
import pytest

from scanner.cli.settings import (
    FOUND,
    InputError,
    Settings,
    as_date,
    as_time,
    catalogue_of,
    fail_on,
    inventory,
    judge,
    load_config,
)
from scanner.model import Level

NOWHERE = click.Context(click.Command("test")), click.Option(["--as-of"])


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of the test's own."""
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def test_options_go_before_the_users_file_and_that_before_what_is_usual(home: Path) -> None:
    assert Settings.of(None, None, {}).db == str(home / ".local/share/mailsunset/inventory.db")
    assert Settings.of(None, None, {"db": "kept.db"}).db == "kept.db"
    assert Settings.of("asked.db", None, {"db": "kept.db"}).db == "asked.db"


def test_the_data_folder_may_be_elsewhere(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", "/elsewhere")
    assert Settings.of(None, None, {}).db == "/elsewhere/mailsunset/inventory.db"


def test_what_the_users_file_may_say() -> None:
    config = {"sensor": "roof", "catalogue": "c.toml", "retirement": "r.toml", "endpoint": ["a.example"]}
    settings = Settings.of(None, date(2027, 1, 1), config)
    assert (settings.sensor, settings.catalogue, settings.retirement) == ("roof", "c.toml", "r.toml")
    assert (settings.endpoints, settings.as_of) == (("a.example",), date(2027, 1, 1))


def test_the_day_is_today_unless_asked() -> None:
    before = datetime.now(UTC).date()
    assert before <= Settings.of(None, None, {}).as_of <= datetime.now(UTC).date()


def test_a_day_is_read_as_people_write_it() -> None:
    assert as_date(*NOWHERE, "2026-12-31") == date(2026, 12, 31)
    assert as_date(*NOWHERE, None) is None
    assert as_time(*NOWHERE, "1970-01-02") == 86_400 * 10**9
    assert as_time(*NOWHERE, None) is None


@pytest.mark.parametrize("text", ["", "31.12.2026", "2026-13-01", "tomorrow"])
def test_what_is_no_day_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter):
        as_date(*NOWHERE, text)


def test_the_usual_file_may_be_absent_and_a_named_one_may_not(home: Path) -> None:
    assert load_config(None) == {}
    with pytest.raises(InputError, match="no such file"):
        load_config(str(home / "absent.toml"))


def test_the_usual_file_is_read(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in (home / ".config", home / "other"):
        (folder / "mailsunset").mkdir(parents=True)
        (folder / "mailsunset" / "config.toml").write_text(f'sensor = "{folder.name}"')
    assert load_config(None) == {"sensor": ".config"}
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "other"))
    assert load_config(None) == {"sensor": "other"}


@pytest.mark.parametrize("content", [b"= broken", b"\xff\xfe"], ids=["no TOML", "no UTF-8"])
def test_a_broken_file_is_told_with_its_name(home: Path, content: bytes) -> None:
    file = home / "broken.toml"
    file.write_bytes(content)
    with pytest.raises(InputError, match=r"broken\.toml: "):
        load_config(str(file))
    with pytest.raises(InputError):
        load_config(str(home))


@pytest.mark.parametrize(
    ("threshold", "found", "fails"),
    [
        (Level.BREAKS, [Level.FINE, Level.BREAKS], True),
        (Level.BREAKS, [Level.BROKEN], True),
        (Level.BREAKS, [Level.REVIEW, Level.UNKNOWN, Level.FINE], False),
        (Level.FINE, [Level.FINE], True),
        (Level.FINE, [], False),
        (None, [Level.BROKEN], False),
    ],
)
def test_findings_end_the_program(threshold: Level | None, found: list[Level], fails: bool) -> None:
    if not fails:
        fail_on(threshold, found)
        return
    with pytest.raises(click.exceptions.Exit) as ended:
        fail_on(threshold, found)
    assert ended.value.exit_code == FOUND


def test_an_inventory_that_is_not_there_is_the_users_error(home: Path) -> None:
    settings = Settings.of(str(home / "absent.db"), None, {})
    with pytest.raises(InputError), inventory(settings):
        raise AssertionError("opened")
    assert InputError.exit_code == 2


def test_an_inventory_is_made_when_asked(home: Path) -> None:
    settings = Settings.of(str(home / "new" / "kept.db"), None, {})
    with inventory(settings, create=True):
        pass
    with inventory(settings):
        assert (home / "new" / "kept.db").exists()


def test_unusable_tables_are_the_users_error(home: Path) -> None:
    broken = home / "broken.toml"
    broken.write_text("= broken")
    with pytest.raises(InputError):
        catalogue_of(Settings.of(None, None, {"catalogue": str(broken)}))
    with pytest.raises(InputError):
        catalogue_of(Settings.of(None, None, {"endpoint": ["300.1.1.1/99"]}))
    with pytest.raises(InputError):
        judge(Settings.of(None, None, {"retirement": str(broken)}))
