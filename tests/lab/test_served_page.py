"""The report as it is served, in a real browser: as the file is, and as a sensor that runs changes it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from scanner.model import AuthClass, Observation
from scanner.report.escape import visible
from tests.browsing import browser, shown
from tests.db.samples import filled, other
from tests.reports import HOSTILE, MARK
from tests.served import Served, add, served

__all__ = ["browser"]
NAMES = ["copier", "nas", "ups", "door"]
CHANGE_MS = 20_000
"""Until news arrive: seconds, and room for a busy machine."""


def device(number: int, name: str, mends: bool = False) -> Observation:
    how = {"mechanism": "XOAUTH2", "auth_class": AuthClass.OAUTH} if mends else {}
    said = {"client_name": name, "evidence": f"EHLO {name}"}
    return other(client_ip=f"10.0.0.{number}", client_mac=None, first_seen=number, **said, **how)


@pytest.fixture
def db(tmp_path: Path) -> Path:
    some = (device(number, name, mends=number == 4) for number, name in enumerate(NAMES, 1))
    filled(tmp_path / "i.db", *some).close()
    return tmp_path / "i.db"


@pytest.fixture
def to(db: Path) -> Iterator[Served]:
    with served(db) as found:
        yield found


def names(page: Page) -> list[str]:
    return page.locator("#rows a").all_inner_texts()


def test_it_is_filtered_sorted_opened_and_printed_as_the_file_is(browser: Browser, to: Served) -> None:
    with shown(browser, to.link) as page:
        page.goto(to.link)
        assert page.inner_text("h1") == "3 devices break on 31 December 2026"
        page.click("[data-sort=device]")
        assert names(page) == sorted(NAMES)
        page.select_option("#level", "fine")
        assert names(page) == ["door"]
        page.fill("#search", "nobody")
        assert names(page) == []
        page.click("button[type=reset]")
        page.click("text=ups")
        assert page.inner_text("#detail h1") == "ups"
        assert "EHLO ups" in page.inner_text("#detail .dialogue")
        page.goto(f"{to.link}device/nas")
        assert page.inner_text("#detail h1") == "nas"
        assert page.pdf(format="A4").startswith(b"%PDF")


def test_a_change_is_told_and_shown_without_losing_what_was_asked_for(
    browser: Browser, to: Served, db: Path
) -> None:
    with shown(browser, to.link) as page:
        page.goto(to.link)
        page.fill("#search", "10.0.0")
        page.select_option("#level", "breaks")
        page.click("[data-sort=device]")
        page.click("[data-sort=device]")
        assert page.is_hidden("#live")
        add(db, [device(5, "scanner"), device(6, "lamp", mends=True)])
        expect(page.locator("#live")).to_be_visible(timeout=CHANGE_MS)
        assert "has changed" in page.inner_text("#live")
        assert page.inner_text("h1") == "4 devices break on 31 December 2026"
        assert page.inner_text(".tile.fine b") == "2"
        assert names(page) == ["ups", "nas", "copier"]
        page.click("#live button")
        expect(page.locator("#rows a")).to_have_text(["ups", "scanner", "nas", "copier"])
        assert (page.input_value("#search"), page.input_value("#level")) == ("10.0.0", "breaks")
        assert page.is_hidden("#live")


def test_a_device_that_is_open_stays_open(browser: Browser, to: Served, db: Path) -> None:
    with shown(browser, to.link) as page:
        page.goto(f"{to.link}#device=10.0.0.2")
        add(db, [device(5, "scanner")])
        expect(page.locator("#live")).to_be_visible(timeout=CHANGE_MS)
        page.click("#live button")
        expect(page.locator("#live")).to_be_hidden()
        assert page.inner_text("#detail h1") == "nas"


def test_a_link_with_the_token_lets_in_and_leaves_no_token_behind(browser: Browser, db: Path) -> None:
    with served(db, "--bind", "0.0.0.0:0") as to:
        here = f"http://127.0.0.1:{urlsplit(to.link).port}/"
        with shown(browser, here) as page:
            page.goto(f"{here}?{urlsplit(to.link).query}")
            page.wait_for_selector("#rows a")
            assert page.url == here
            assert page.evaluate("[document.cookie, document.referrer]") == ["", ""]
            assert "token=" not in page.content()
            add(db, [device(5, "scanner")])
            expect(page.locator("#live")).to_be_visible(timeout=CHANGE_MS)


def test_a_server_that_ends_is_told_and_found_again(browser: Browser, db: Path) -> None:
    with served(db) as to:
        port = urlsplit(to.link).port
        page = browser.new_page()
        page.goto(to.link)
        assert page.is_hidden("#live")
    expect(page.locator("#live span")).to_contain_text("connection is lost", timeout=CHANGE_MS)
    with served(db, "--bind", f"127.0.0.1:{port}"):
        expect(page.locator("#live")).to_be_hidden(timeout=CHANGE_MS)
    page.close()


def test_hostile_names_are_text(browser: Browser, tmp_path: Path) -> None:
    told = [name.encode("utf-8", "replace").decode() for name in HOSTILE]  # as off the wire
    filled(tmp_path / "i.db", *(device(at, name) for at, name in enumerate(told, 1))).close()
    with served(tmp_path / "i.db") as to, shown(browser, to.link) as page:
        page.goto(to.link)
        shown_names = names(page)
        assert len(shown_names) == len(HOSTILE)
        assert all(visible(name) == name for name in shown_names)
        assert sum(MARK in name for name in shown_names) > len(HOSTILE) // 2
        for number in range(1, len(HOSTILE) + 1):
            page.goto(f"{to.link}device/10.0.0.{number}")
            page.wait_for_selector("#detail h1")
            assert page.locator("#detail img, #detail script").count() == 0
        assert page.locator("script").count() == 3
        assert page.locator("img, iframe").count() == 0
