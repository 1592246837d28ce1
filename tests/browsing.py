"""Pages in a real browser, which must not complain, nor ask for anything elsewhere."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or ""
QUIET = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
"""It calls nobody by itself, and runs as root, too."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser without a window, with a profile of its own."""
    if not CHROMIUM:
        pytest.fail("there is no chromium: run tests/install-system-packages.sh", pytrace=False)
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield opened
        opened.close()


@contextmanager
def shown(browser: Browser, origin: str, **how: bool) -> Iterator[Page]:
    """An empty page; in the end it must not have complained, nor asked for anything not of the origin."""
    context = browser.new_context(**how)  # type: ignore[arg-type]
    page = context.new_page()
    said: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda fault: said.append(str(fault)))
    page.on("dialog", lambda dialog: said.append(dialog.message))
    page.on("request", lambda request: asked.append(request.url))
    yield page
    context.close()
    assert said == []
    assert [url for url in asked if not url.startswith(origin)] == []
