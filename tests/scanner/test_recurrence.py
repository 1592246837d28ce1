"""A login as long after a token's life as before is hardly a token; one that changes by the hour is."""

from dataclasses import fields

import pytest

from scanner import recurrence
from scanner.account import Account, Usernames
from scanner.catalogue.exchange import load_catalogue
from scanner.claims import Inferred, infer
from scanner.conversation import Conversation, Ending, Endpoint, Flow, Side
from scanner.events import ClientHello, ServerHello, TlsMode, Turn
from scanner.listener import Listener
from scanner.model import AuthClass, Observation
from scanner.recurrence import AS_LONG, NOT_AS_LONG, Lengths
from scanner.sizes import Known
from scanner.texts import Servers
from tests.scanner.test_claims import MAIL, turns

MINUTE = 60 * 10**9


@pytest.mark.parametrize(
    ("logins", "expected"),
    [
        pytest.param([(0, 8)], [None], id="the first says nothing"),
        pytest.param([(0, 8), (10, 8), (90, 8)], [None] * 3, id="a token would be as long within its life"),
        pytest.param([(0, 8), (91, 8), (2_000, 8)], [None, True, True], id="as long after a token's life"),
        pytest.param([(0, 8), (60, 9), (120, 8)], [None, False, False], id="another length each hour"),
        pytest.param(
            [(0, 8), (1, 9), (2, 8), (60, 9)], [None, None, None, False], id="changes within minutes"
        ),
        pytest.param([(0, 8), (80, 9), (100, 9)], [None, False, None], id="a new one has a life of its own"),
        pytest.param([(100, 8), (0, 9)], [None, None], id="heard in another order"),
    ],
)
def test_comparing(logins: list[tuple[int, int]], expected: list[bool | None]) -> None:
    lengths = Lengths()
    assert [lengths.again("a", length, at * MINUTE) for at, length in logins] == expected


def test_everybody_is_compared_with_himself() -> None:
    lengths = Lengths()
    assert [lengths.again(who, 8, at * MINUTE) for who, at in (("a", 0), ("b", 100), ("a", 101))] == [
        None, None, True,
    ]  # fmt: skip


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recurrence, "KEPT", 2)
    lengths = Lengths()
    for who in "abac":  # b is unused for longest
        lengths.again(who, 8, 0)
    assert [lengths.again(who, 8, 100 * MINUTE) for who in "acb"] == [True, True, None]


def login(*said: int) -> int | None:
    found = infer(
        "smtp", Known(0.9, client_name=7, reply=204), turns(*said), tls13=False, ended=True, lost=False
    )
    assert isinstance(found, Inferred)
    return found.login


def test_a_login_is_as_long_as_what_it_hides() -> None:
    """Not as the name before it, nor as the mail behind it, nor as the empty answer to a refused token."""
    assert login(14, 214, 12, 18, 30, 18, 18, 37, *MAIL) == 30 // 4
    assert login(14, 214, 1855, 37, *MAIL) == 1855 // 4
    assert login(14, 214, *MAIL) is None


def test_nothing_that_is_kept_can_hold_a_length() -> None:
    assert [field.type for field in fields(Observation) if "login" in field.name] == ["bool | None"]


def heard_at(at: int, password: int, lengths: Lengths, server: str = "smtp.office365.com") -> Observation:
    """A login inside TLS with a password of so many bytes in base64."""
    flow = Flow(Endpoint("10.0.0.1", 50_000), Endpoint("52.96.0.1", 587))
    heard = Conversation(flow, (), at, at + 1, Ending.CLOSED, True, True)
    account = Account(Usernames.KEEP, "smtp", TlsMode.STARTTLS, greeting_host=server, client_name="copier7")
    account.whole, account.reply = True, 204
    account.hear(ServerHello("TLSv1.2", "x", None))
    for turn in turns(14, 214, 12, 18, 30, 18, password, 37, *MAIL):
        account.hear(turn)
    draft = Listener(load_catalogue(), "here", Usernames.KEEP).conclude(heard, account, None)
    assert draft is not None
    draft.weigh(Servers())
    seen = draft.observation("here", draft.heard.client_mac, lengths)
    assert (seen.mechanism, seen.auth_class) == ("LOGIN", AuthClass.BASIC)
    return seen


def test_an_observation_tells_whether_and_not_how_long() -> None:
    lengths = Lengths()
    seen = [heard_at(at * MINUTE, length, lengths) for at, length in ((0, 42), (95, 42), (190, 58))]
    assert [one.login_again for one in seen] == [None, True, False]
    assert [one.evidence.count(AS_LONG) + 2 * one.evidence.count(NOT_AS_LONG) for one in seen] == [0, 1, 2]
    assert "42 bytes" not in seen[1].evidence
    assert "58 bytes" not in seen[2].evidence


def test_another_server_is_another_login() -> None:
    lengths = Lengths()
    servers = "smtp.office365.com", "outlook.office365.com"
    assert [heard_at(at * 95 * MINUTE, 42, lengths, servers[at]).login_again for at in (0, 1)] == [None, None]


def phone_at(at: int, head: int, body: int, lengths: Lengths) -> Observation:
    """A long poll inside TLS with a head of so many bytes."""
    flow = Flow(Endpoint("10.0.0.2", 50_000), Endpoint("52.96.0.1", 443))
    heard = Conversation(flow, (), at, at + 1, Ending.CLOSED, True, True)
    account = Account(Usernames.KEEP, "http", TlsMode.IMPLICIT)
    account.hear(ClientHello("outlook.office365.com", ("http/1.1",), ("TLSv1.2",), None, None))
    account.hear(ServerHello("TLSv1.2", "x", "http/1.1"))
    for number in range(3):
        account.hear(Turn(Side.CLIENT, head + body, head + body, 2, number * 10**12, (head, body)))
        account.hear(Turn(Side.SERVER, 900, 900, 1, number * 10**12 + 4 * 10**11, (900,)))
    draft = Listener(load_catalogue(), "here", Usernames.KEEP).conclude(heard, account, None)
    assert draft is not None
    seen = draft.observation("here", draft.heard.client_mac, lengths)
    assert (seen.service, seen.auth_class) == ("eas", AuthClass.BASIC)
    return seen


def test_of_web_requests_those_are_compared_that_are_alike() -> None:
    lengths = Lengths()
    polls = (0, 500, 21), (95, 500, 21), (100, 505, 30), (190, 504, 21)
    seen = [phone_at(at * MINUTE, head, body, lengths) for at, head, body in polls]
    assert [one.login_again for one in seen] == [None, True, None, False]
