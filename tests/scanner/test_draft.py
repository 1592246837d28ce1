"""Sessions teach what a server's answers weigh before any of them is told, whoever hears which."""

from collections.abc import Sequence

import pytest

from scanner.account import Account, Usernames
from scanner.catalogue.exchange import Match
from scanner.conversation import Conversation, Ending, Endpoint, Flow
from scanner.draft import Draft, Drafts
from scanner.events import Outcome, ServerHello, TlsMode
from scanner.model import AuthClass, Observation, ServerKind
from scanner.recurrence import Lengths
from scanner.texts import Lessons, Servers, add
from tests.scanner.test_claims import turns

OTHER = Match(ServerKind.INTERNAL)
TEACHES = 23, 210, 12, 18, 30, 18, 18, 140
"""AUTH LOGIN, refused in 140 bytes."""
DOUBTFUL = 23, 210, 53, 140, 6, 20
"""AUTH PLAIN at once, or an envelope; refused."""


def draft(client: str, said: Sequence[int], server: str = "10.0.0.25", match: Match = OTHER) -> Draft:
    flow = Flow(Endpoint(client, 50_000), Endpoint(server, 465))
    heard = Conversation(flow, (), len(said), 99, Ending.CLOSED, True, True)
    account = Account(Usernames.KEEP, "smtp", TlsMode.IMPLICIT, whole=True)
    account.hear(ServerHello("TLSv1.2", "x", None))
    for turn in turns(*said):
        account.hear(turn)
    return Draft(heard, account, None, None, match, exchange=0.05)


def concluded(*drafts: Draft, desks: int = 1) -> list[Observation]:
    """Share sessions among as many desks, each told of all lessons, as workers do."""
    shared = [Drafts("here", Servers(), Lengths()) for _ in range(desks)]
    for number, one in enumerate(drafts):
        shared[number % desks].add(one)
    lessons: Lessons = {}
    for desk in shared:
        add(lessons, desk.lessons())
    return sorted(
        (seen for desk in shared for seen in desk.conclude(lessons)), key=lambda one: one.first_seen
    )


@pytest.mark.parametrize("desks", [1, 2, 3])
@pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=["before", "after"])
def test_what_one_client_is_told_tells_what_another_is_told(order: tuple[int, int], desks: int) -> None:
    (alone,) = concluded(draft("10.0.0.1", DOUBTFUL))
    drafts = draft("10.0.0.1", DOUBTFUL), draft("10.0.0.2", TEACHES)
    seen = concluded(*(drafts[number] for number in order), desks=desks)[0]
    assert alone.auth_class is AuthClass.UNKNOWN
    assert (seen.auth_class, seen.mechanism, seen.outcome) == (AuthClass.BASIC, "PLAIN", Outcome.REFUSED)
    assert seen.confidence > 0.9


@pytest.mark.parametrize(
    "teacher",
    [
        pytest.param(draft("10.0.0.1", TEACHES), id="itself"),
        pytest.param(draft("10.0.0.2", TEACHES, "10.0.0.26"), id="another server"),
    ],
)
def test_nobody_else_teaches(teacher: Draft) -> None:
    (alone,) = concluded(draft("10.0.0.1", DOUBTFUL))
    assert concluded(teacher, draft("10.0.0.1", DOUBTFUL))[0] == alone


def test_a_service_answers_alike_at_all_its_addresses() -> None:
    exchange = Match(ServerKind.EXCHANGE_ONLINE, "prefix")
    drafts = [draft(client, TEACHES, server, exchange) for client, server in (("a", "b"), ("c", "d"))]
    assert drafts[0].server != drafts[1].server
    for one in drafts:
        one.name = "smtp.office365.com"
    assert drafts[0].server == drafts[1].server


def test_an_account_that_was_heard_is_left_alone() -> None:
    one = draft("10.0.0.1", DOUBTFUL)
    one.exchange = None
    assert one.weigh(Servers()) == {}
    assert one.account.inferred is None
