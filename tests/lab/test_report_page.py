"""The page of a report in a real browser: filtered, sorted, opened, printed, with names that mean no good."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from scanner.model import Level
from scanner.report.escape import visible
from scanner.report.languages import Language
from scanner.report.page import html
from scanner.report.summary import Judged, Report
from tests.browsing import browser, shown
from tests.reports import HOSTILE, MARK, host, hostile, judged, report

DEVICES = 20_000
USABLE_MS = 1500
"""What a person waits for; alone it takes a tenth of it."""

__all__ = ["browser"]


def many() -> list[Judged]:
    levels = list(Level)
    return [judged(host(number), levels[number % 5]) for number in range(DEVICES)]


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("page") / "large.html", report(many()))


def written(path: Path, of: Report) -> Path:
    path.write_text("".join(html(of, Language("en"))), "utf-8")
    return path


@contextmanager
def opened(browser: Browser, path: Path, fragment: str = "", **how: bool) -> Iterator[Page]:
    """The page of a file."""
    with shown(browser, "file:", **how) as page:
        page.goto(f"{path.as_uri()}{fragment}")
        yield page


def milliseconds(page: Page, script: str) -> float:
    timed = f"const began = performance.now(); {script}; return performance.now() - began;"
    return float(page.evaluate(f"() => {{ {timed} }}"))


def test_many_devices_are_searched_and_sorted_while_one_waits(browser: Browser, large: Path) -> None:
    with opened(browser, large) as page:
        assert page.inner_text("#count") == "20,000 devices, 1 to 50 shown"
        search = "const box = document.getElementById('search'); box.value = 'device1999'; "
        took = milliseconds(page, search + "box.dispatchEvent(new Event('input'))")
        assert page.inner_text("#count") == "11 devices, 1 to 11 shown"
        assert took < USABLE_MS
        page.click("button[type=reset]")
        assert milliseconds(page, "document.querySelector('[data-sort=device]').click()") < USABLE_MS


def test_the_list_is_filtered_sorted_and_turned(browser: Browser, large: Path) -> None:
    with opened(browser, large) as page:
        page.select_option("#level", "fine")
        assert page.inner_text("#count") == "4,000 devices, 1 to 50 shown"
        assert set(page.locator("#rows .badge").all_inner_texts()) == {"Fine"}
        page.click("#next")
        assert page.inner_text("#count") == "4,000 devices, 51 to 100 shown"
        page.click("button.tile.broken")
        assert page.input_value("#level") == "broken"
        page.click("[data-sort=device]")
        page.click("[data-sort=device]")
        assert page.locator("#rows a").first.inner_text() == "device19995"
        assert page.locator("th[aria-sort=descending]").inner_text().startswith("Device")
        page.fill("#search", "nobody has this name")
        assert page.inner_text("#count") == "No device fits."


def test_a_device_is_opened_by_keyboard_and_left_by_going_back(browser: Browser, large: Path) -> None:
    with opened(browser, large) as page:
        page.focus("#rows a")
        page.keyboard.press("Enter")
        page.wait_for_selector("#detail h1")
        assert page.evaluate("document.activeElement.textContent") == page.inner_text("#detail h1")
        assert page.is_hidden("#overview")
        assert "Move it to OAuth" in page.inner_text("#detail")
        page.go_back()
        page.wait_for_selector("#overview")
        assert page.is_hidden("#device")


def test_a_device_has_an_address_of_its_own(browser: Browser, tmp_path: Path) -> None:
    path = written(tmp_path / "page.html", report([judged(host(1))]))
    with opened(browser, path, "#device=10.0.0.2") as page:
        assert page.inner_text("#detail h1") == "device1"
    with opened(browser, path, "#device=%E0%A4%A") as page:
        assert page.is_visible("#overview")


def test_hostile_names_are_text_in_the_list_and_on_their_pages(browser: Browser, tmp_path: Path) -> None:
    path = written(tmp_path / "page.html", hostile())
    with opened(browser, path) as page:
        shown = page.locator("#rows a").all_inner_texts()
        assert len(shown) == len(HOSTILE)
        title = page.title()
        for number in range(len(HOSTILE)):
            page.locator("#rows a").nth(number).click()
            page.wait_for_selector("#detail h1")
            assert page.title().endswith(title)
            name = page.inner_text("#detail h1")
            assert visible(name) == name
            assert MARK in name
            assert page.locator("#detail img, #detail script").count() == 0
            page.go_back()
        assert MARK not in page.title()
        assert page.locator("#overview img").count() == 0


def test_it_prints_its_list_and_not_its_buttons(browser: Browser, large: Path) -> None:
    with opened(browser, large) as page:
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        assert page.locator("#rows tr").count() == 1000
        page.evaluate("dispatchEvent(new Event('afterprint'))")
        page.emulate_media(media="print")
        assert page.is_hidden("#filters")
        assert page.is_hidden("#next")
        assert page.pdf(format="A4").startswith(b"%PDF")


def test_without_javascript_the_worst_stand_there(browser: Browser, large: Path) -> None:
    with opened(browser, large, java_script_enabled=False) as page:
        assert page.locator("noscript tbody tr").count() == 500
        assert page.is_hidden("#list")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_in_light_and_dark(browser: Browser, tmp_path: Path, scheme: str) -> None:
    every = [judged(host(number), level) for number, level in enumerate(Level)]
    path = written(tmp_path / "page.html", report(every))
    with opened(browser, path) as page:
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        assert page.evaluate(CONTRASTS) == []


CONTRASTS = """() => {
  const light = colour => {
    const parts = colour.match(/[0-9.]+/g).slice(0, 3).map(Number).map(one => one / 255)
      .map(one => one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4);
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
  };
  const behind = one => {
    for (let at = one; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if (!/, 0\\)$/.test(colour)) return colour;
    }
  };
  const text = "h1, h2, p, td, th, small, .badge, a:not(.skip), label, button:not(:disabled)";
  return [...document.querySelectorAll(text)]
    .filter(one => one.offsetParent && one.textContent.trim())
    .filter(one => {
      const [a, b] = [light(getComputedStyle(one).color), light(behind(one))];
      return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05) < 4.5;
    }).map(one => one.outerHTML.slice(0, 80));
}"""
"""What has less contrast than WCAG 2.2 1.4.3 asks for."""
