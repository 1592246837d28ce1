"""Each route shows what it should, and says in a line why it cannot."""

import pytest
from starlette.testclient import TestClient

from scanner.serve.app import application
from scanner.serve.changes import Changes
from tests.scanner.serve.sources import Imitation

POLICY = "default-src 'none'; script-src 'sha256-x'"


def client(source: Imitation | None = None, listeners: int = 1) -> TestClient:
    made = (source or Imitation()).source()
    return TestClient(application(made, POLICY, Changes(made, listeners=listeners)), "http://127.0.0.1")


@pytest.mark.parametrize(
    ("path", "kind", "body"),
    [
        ("/", "text/html; charset=utf-8", b"<!DOCTYPE html><p>page"),
        ("/hosts.json", "application/json", b'{"hosts": []}'),
        ("/hosts/copier", "application/json", b'{"host":"00:26:73:00:00:01"}'),
        ("/hosts/a/b", "application/json", b'{"host":"00:26:73:00:00:01"}'),
    ],
)
def test_routes_show_what_they_should(path: str, kind: str, body: bytes) -> None:
    answer = client().get(path)
    assert (answer.status_code, answer.headers["content-type"], answer.content) == (200, kind, body)
    head = client().head(path)
    assert (head.status_code, head.headers["content-type"], head.content) == (200, kind, b"")


def test_the_page_has_the_policy_of_its_scripts_and_is_never_framed() -> None:
    assert client().get("/").headers["content-security-policy"] == f"{POLICY}; frame-ancestors 'none'"


def test_a_device_is_found_in_the_page_by_any_of_its_names() -> None:
    answer = client().get("/device/00-26-73-00-00-01", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/#device=00%3A26%3A73%3A00%3A00%3A01")


@pytest.mark.parametrize("path", ["/device/%1b[31m", "/hosts/%1b[31m"])
def test_an_unknown_host_is_told_without_what_a_terminal_obeys(path: str) -> None:
    answer = client().get(path)
    assert (answer.status_code, answer.text) == (404, "\\x1b[31m: no such host\n")


@pytest.mark.parametrize("path", ["/", "/hosts.json", "/hosts/copier", "/device/copier"])
def test_a_locked_inventory_is_told_in_a_line(path: str) -> None:
    answer = client(Imitation(locked=True)).get(path)
    assert (answer.status_code, answer.text) == (503, "inventory.db: database is \\x1b[31mlocked\n")


def test_too_many_listeners_are_told_to_come_back() -> None:
    answer = client(listeners=0).get("/events")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "60")


def test_events_have_a_head() -> None:
    answer = client(listeners=0).head("/events")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")


@pytest.mark.parametrize("path", ["/openapi.json", "/docs", "/static/report.js", "/hosts.json/", "/../etc"])
def test_there_is_nothing_else(path: str) -> None:
    assert client().get(path, follow_redirects=False).status_code in (404, 307)
