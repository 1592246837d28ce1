"""The title of a page, of its beginning alone."""

import pytest

from scanner.protocols.announcement import TEXT_LENGTH
from scanner.protocols.http_page import BYTES_READ, Page


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        pytest.param(b"<html><head><title>MFP 300</title>", "MFP 300", id="a title"),
        pytest.param(b'<TITLE lang="en">\r\n MFP &amp;\r\n 300 </TITLE>', "MFP & 300", id="in any form"),
        pytest.param(b"<title>Ger\xc3\xa4t</title>", "Ger\xe4t", id="UTF-8"),
        pytest.param(b"<title>Ger\xe4t</title>", "Ger\xe4t", id="Latin-1"),
        pytest.param(b"<title>MFP", "", id="without an end"),
        pytest.param(b"<title", "", id="hardly begun"),
        pytest.param(b"</title><title></title>", "", id="an empty one"),
        pytest.param(b"no page", "", id="none"),
        pytest.param(b"<title>" + b"a" * 600 + b"</title>", "a" * TEXT_LENGTH, id="a long one"),
    ],
)
def test_titles(page: bytes, expected: str) -> None:
    read = Page(len(page))
    read.add(page)
    assert read.title == expected


def test_only_the_beginning_is_wanted() -> None:
    page = Page(5000)
    assert page.wanted == BYTES_READ
    page.add(bytes(BYTES_READ))
    assert (page.wanted, page.unread, page.may_go_on) == (0, 5000 - BYTES_READ, False)


def test_the_beginning_may_come_in_chunks() -> None:
    page = Page(0)
    page.expect(100)
    page.add(bytes(100))
    page.expect(5000)
    assert (page.wanted, page.unread) == (BYTES_READ - 100, 5000)


def test_a_page_may_have_no_length() -> None:
    page = Page(None)
    page.add(b"<html>")
    assert (page.wanted, page.unread) == (BYTES_READ - 6, None)
