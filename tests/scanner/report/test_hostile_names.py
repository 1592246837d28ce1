"""One hostile set of names through every form of a report: each stays text, and the form stays whole."""

import csv
import io
import json
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from openpyxl import load_workbook

from scanner.report.document import document
from scanner.report.escape import visible
from scanner.report.formats import Format, write
from scanner.report.junit import junit
from scanner.report.languages import LANGUAGES, Language
from scanner.report.markdown import markdown
from scanner.report.page import html
from scanner.report.spreadsheet import xlsx
from scanner.report.views import HOSTS
from tests.reports import HOSTILE, MARK, hostile

REPORT = hostile()
ENGLISH = Language("en")
NEVER = "\x00\x07\x1b\x85\u200b\u202e\u2066\ufffe\uffff"
"""What no form may hold as it is."""


OURS = {
    "html", "head", "meta", "title", "style", "script", "body", "header", "main", "footer", "section", "h1",
    "noscript", "h2", "p", "div", "span", "b", "small", "bdi", "br", "a", "ul", "li", "details", "summary",
    "figure", "figcaption", "table", "thead", "tbody", "tr", "th", "td", "form", "label", "input", "select",
    "option", "button", "svg", "line", "text", "circle", "rect", "path",
}  # fmt: skip
"""Elements that the template has."""


class Elements(HTMLParser):
    """What a page is made of."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.found and self.found[-1][0] == "script":
            self.scripts.append(data)


def page(language: str = "en") -> tuple[str, Elements]:
    text = "".join(html(REPORT, Language(language)))
    elements = Elements()
    elements.feed(text)
    return text, elements


def harmless(text: str) -> bool:
    text.encode()
    return not set(NEVER) & set(text)


def test_a_page_has_no_element_and_no_attribute_of_theirs() -> None:
    text, elements = page()
    assert harmless(text)
    assert {tag for tag, _ in elements.found} <= OURS
    names = {name for _, attributes in elements.found for name in attributes}
    assert not {name for name in names if name.startswith("on")} | {"src", "style", "action"} & names
    addresses = [attributes["href"] or "" for _, attributes in elements.found if "href" in attributes]
    assert all(address.startswith(("https://", "#")) for address in addresses)
    assert not [address for address in addresses if address.startswith("https://") and MARK in address]


def test_a_page_says_them_to_its_script_as_text() -> None:
    text, elements = page()
    data = json.loads(elements.scripts[0])
    assert text.count("<script") == 2
    for number, name in enumerate(HOSTILE):
        assert visible(name[:2000]) in data["texts"], f"name {number} is missing"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_stays_whole_in_every_language(language: str) -> None:
    _, elements = page(language)
    assert [tag for tag, _ in elements.found].count("script") == 2


def test_markdown_has_no_markup_of_theirs() -> None:
    text = "".join(markdown(REPORT, ENGLISH))
    assert harmless(text)
    rows = [row for row in text.splitlines() if MARK in row and row.startswith("| ")]
    assert len(rows) == len(HOSTILE)
    assert {row.count("|") for row in rows} == {9}
    assert not any(mark in row for row in rows for mark in ("<", "`", "[", "](", "://", "*"))


def test_no_cell_of_csv_is_calculated() -> None:
    out = io.StringIO()
    write((one.record for one in REPORT.devices), Format.CSV, HOSTS, "", out)
    rows = list(csv.reader(io.StringIO(out.getvalue())))
    assert harmless(out.getvalue())
    assert len(rows) == len(HOSTILE) + 1
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


def test_no_cell_of_a_workbook_is_calculated() -> None:
    out = io.BytesIO()
    xlsx(REPORT, ENGLISH, out)
    book = load_workbook(io.BytesIO(out.getvalue()))
    every = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    cells = [cell for cell in every if isinstance(cell.value, str)]
    assert {cell.data_type for cell in cells} == {"s"}
    assert all(harmless(cell.value) for cell in cells)
    assert sum(MARK in cell.value for cell in cells) >= len(HOSTILE) * 4


def test_json_is_ascii_and_has_every_host() -> None:
    text = "".join(document(REPORT, ENGLISH))
    assert text.isascii()
    assert [one["names"][0]["name"] for one in json.loads(text)["hosts"]] == list(HOSTILE)


def test_test_results_are_xml_with_a_case_a_host() -> None:
    text = "".join(junit(REPORT, ENGLISH))
    assert harmless(text)
    root = ElementTree.fromstring(text.encode())
    assert len(root.findall(".//testcase/failure")) == len(HOSTILE)
    assert {one.tag for one in root.iter()} == {"testsuites", "testsuite", "testcase", "failure"}
