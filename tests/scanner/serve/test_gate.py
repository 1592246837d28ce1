"""Nobody gets in by another's name, from another's page, or without the token; every answer is guarded."""

import pytest
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient

from scanner.serve.gate import HEADERS, Gate

LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
TOKEN = "correct horse battery"
INSIDE = PlainTextResponse("inside", headers={"Cache-Control": "no-cache"})


def browser(token: str | None = None, names: frozenset[str] = LOCAL, **headers: str) -> TestClient:
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return TestClient(Gate(INSIDE, names, token, 8080), "http://127.0.0.1:8080", headers=named)


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8080", 200),
        ("localhost", 200),
        ("LOCALHOST:9000", 200),
        ("[::1]:8080", 200),
        ("evil.example", 421),
        ("evil.example:8080", 421),
        ("127.0.0.1.evil.example", 421),
        ("localhost.evil.example", 421),
        ("user@evil.example", 421),
        ("[::1", 421),
        ("", 421),
    ],
)
def test_who_asks_must_call_this_machine_by_its_own_name(host: str, status: int) -> None:
    assert browser(Host=host).get("/").status_code == status


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "ODD"])
def test_nothing_but_reading_is_answered(method: str) -> None:
    answer = browser().request(method, "/")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize(
    ("site", "mode", "status"),
    [
        ("cross-site", "no-cors", 403),
        ("cross-site", "cors", 403),
        ("same-site", "cors", 403),
        ("cross-site", "navigate", 200),
        ("same-origin", "cors", 200),
        ("none", "navigate", 200),
    ],
)
def test_other_pages_may_link_here_and_nothing_else(site: str, mode: str, status: int) -> None:
    assert browser(Sec_Fetch_Site=site, Sec_Fetch_Mode=mode).get("/events").status_code == status


def test_a_link_with_the_token_lets_in_and_takes_the_token_out_of_the_address() -> None:
    client = browser(TOKEN, frozenset())
    welcome = client.get("/", params={"token": TOKEN})
    assert 'content="0; url=/"' in welcome.text
    assert TOKEN not in welcome.text
    cookie = welcome.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "samesite=strict" in cookie.lower()
    assert TOKEN not in cookie
    assert client.get("/").text == "inside"
    assert client.get("/events").text == "inside"


def test_a_program_says_the_token_in_a_header() -> None:
    assert browser(TOKEN, frozenset(), Authorization=f"Bearer {TOKEN}").get("/hosts.json").text == "inside"


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/", {}),
        ("/?token=", {}),
        ("/?token=correct%20horse%20batter", {}),
        ("/?token=%ff%00", {}),
        ("/events?token=correct%20horse%20battery", {}),
        ("/", {"Authorization": "Bearer"}),
        ("/", {"Authorization": "Bearer wrong"}),
        ("/", {"Authorization": f"Basic {TOKEN}"}),
        ("/", {"Cookie": "mailsunset-8080="}),
        ("/", {"Cookie": f"mailsunset-8080={TOKEN}"}),
        ("/", {"Cookie": "mailsunset-8080=\xff".encode("latin-1")}),
    ],
)
def test_without_the_token_nobody_gets_in(path: str, headers: dict[str, str]) -> None:
    answer = browser(TOKEN, frozenset()).get(path, headers=headers)
    assert answer.status_code == 401
    assert "inside" not in answer.text
    assert "set-cookie" not in answer.headers


def test_the_cookie_of_another_token_is_none() -> None:
    client = browser("another token of mine", frozenset())
    client.get("/", params={"token": "another token of mine"})
    other = browser(TOKEN, frozenset())
    other.cookies = client.cookies
    assert client.get("/").status_code == 200
    assert other.get("/").status_code == 401


@pytest.mark.parametrize("path", ["/", "/refused"])
def test_every_answer_is_guarded(path: str) -> None:
    answer = browser(**({"Host": "evil.example"} if path == "/refused" else {})).get(path)
    own = {} if path == "/refused" else {"cache-control": "no-cache"}
    for name, text in (HEADERS | own).items():
        assert answer.headers.get_list(name) == [text]
