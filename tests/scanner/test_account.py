"""An account says no more than the events it heard allow."""

from collections.abc import Sequence

import pytest

from scanner.account import (
    ATTEMPTS_KEPT,
    LABELS_KEPT,
    STEP_LENGTH,
    STEPS_KEPT,
    TURNS_KEPT,
    Account,
    Usernames,
)
from scanner.conversation import Side
from scanner.events import (
    Certificate,
    ClientHello,
    ClientName,
    Event,
    Gap,
    Greeting,
    Label,
    Login,
    Mail,
    Offer,
    Outcome,
    Phase,
    Reached,
    ServerHello,
    Service,
    TlsMode,
    TlsStarted,
    Turn,
    Weird,
)
from scanner.model import AuthClass, Basis

HELLO = ClientHello("mail.example.com", (), ("TLSv1.3",), "j3", "j4")
CHOICE = ServerHello("TLSv1.3", "TLS_AES_128_GCM_SHA256")


def account_of(*events: Event, usernames: Usernames = Usernames.KEEP) -> Account:
    account = Account(usernames)
    for event in events:
        account.hear(event)
    return account


def refused(mechanism: str, cause: str | None = None) -> Login:
    return Login(mechanism, Outcome.REFUSED, "scan@example.com", cause=cause)


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        pytest.param([Login("PLAIN", Outcome.ACCEPTED)], AuthClass.BASIC, id="a password login is basic"),
        pytest.param(
            [refused("PLAIN"), Login("XOAUTH2", Outcome.ACCEPTED)],
            AuthClass.OAUTH,
            id="the last login counts",
        ),
        pytest.param(
            [Login("PLAIN", None), Gap(Side.SERVER, 9)],
            AuthClass.BASIC,
            id="a login seen stays seen despite a gap",
        ),
        pytest.param([Reached(Phase.SERVED)], AuthClass.NONE, id="served without a login is none"),
        pytest.param(
            [Gap(Side.SERVER, 20), Reached(Phase.SERVED)],
            AuthClass.NONE,
            id="a lost answer hides no login",
        ),
        pytest.param(
            [Gap(Side.SERVER, -1), Reached(Phase.SERVED)],
            AuthClass.UNKNOWN,
            id="an unheard server may have taken a login before",
        ),
        pytest.param(
            [Gap(Side.CLIENT, -1), Reached(Phase.SERVED)],
            AuthClass.UNKNOWN,
            id="served with bytes missing is unknown",
        ),
        pytest.param(
            [Reached(Phase.ANSWERED)], AuthClass.INCOMPLETE, id="talk that ended early is incomplete"
        ),
        pytest.param([], AuthClass.INCOMPLETE, id="silence is incomplete"),
        pytest.param(
            [TlsStarted(TlsMode.STARTTLS), HELLO, CHOICE], AuthClass.UNKNOWN, id="inside TLS nothing was read"
        ),
        pytest.param(
            [TlsStarted(TlsMode.STARTTLS), HELLO],
            AuthClass.INCOMPLETE,
            id="a hello that no server answered never got that far",
        ),
        pytest.param([Login("HTTP-Cookie", None)], AuthClass.COOKIE, id="a session cookie is a cookie"),
    ],
)
def test_the_class_follows_from_what_was_heard(events: Sequence[Event], expected: AuthClass) -> None:
    assert account_of(*events).auth[0] is expected


def test_nothing_is_claimed_of_a_login_inside_tls() -> None:
    account = account_of(TlsStarted(TlsMode.STARTTLS), HELLO, CHOICE)
    assert account.auth == (AuthClass.UNKNOWN, Basis.ENDPOINT, 0.0)
    assert account.evidence.endswith("the login is inside TLS")


def test_the_evidence_tells_the_steps_in_order() -> None:
    account = account_of(
        Greeting("220 mail.example.com ESMTP", "mail.example.com"),
        ClientName("copier", "EHLO"),
        Offer(("LOGIN", "PLAIN"), starttls=True),
        refused("LOGIN", "basic-disabled"),
        Mail(accepted=True),
    )
    assert account.evidence == (
        "greeting of mail.example.com; EHLO copier; offered LOGIN PLAIN STARTTLS;"
        " LOGIN refused (basic-disabled); 1 mails"
    )


@pytest.mark.parametrize(
    ("events", "ending"),
    [
        pytest.param([Gap(Side.CLIENT, 3)], "bytes are missing where a login could be", id="bytes missing"),
        pytest.param([Reached(Phase.SERVED)], "served without a login", id="nobody logged in"),
        pytest.param([Reached(Phase.OPENED)], "ended before any login", id="too short"),
    ],
)
def test_the_evidence_says_why_there_is_no_login(events: Sequence[Event], ending: str) -> None:
    assert account_of(*events).evidence.endswith(ending)


def test_facts_are_kept() -> None:
    account = account_of(
        HELLO,
        CHOICE,
        Certificate("CN=mail.example.com", (), None),
        Service("eas"),
        Offer((), starttls=False),
        Label("eas.version", "14.1"),
        Turn(Side.CLIENT, 10, 10, 1, 0),
        Gap(Side.CLIENT, -1),
        Gap(Side.SERVER, 10),
        Weird("smtp_long_line"),
        Weird("smtp_long_line"),
        Reached(Phase.SERVED),
        Reached(Phase.ANSWERED),
    )
    assert (account.hello, account.choice, account.service) == (HELLO, CHOICE, "eas")
    assert account.certificate is not None
    assert account.label("eas.version") == "14.1"
    assert account.label("eas.device_id") is None
    assert (account.gaps, account.weird, account.phase) == (11, ["smtp_long_line"], Phase.SERVED)
    assert len(account.turns) == 1


def test_a_flood_is_bounded_and_told() -> None:
    account = Account(Usernames.KEEP)
    for number in range(100):
        account.hear(Login(f"X-{number}", Outcome.REFUSED))
        account.hear(Label("smtp.x", str(number)))
        account.hear(Turn(Side.CLIENT, 1, 1, 1, 0))
        account.hear(ClientName("n" * 500, "EHLO"))
    assert [attempt.mechanism for attempt in account.attempts][-1] == "X-99"
    assert len(account.attempts) == ATTEMPTS_KEPT
    assert len(account.labels) == LABELS_KEPT
    assert len(account.turns) == TURNS_KEPT
    assert len(account.steps) == STEPS_KEPT
    assert max(map(len, account.steps)) <= STEP_LENGTH
    assert account.weird == ["attempts_dropped", "labels_dropped"]


@pytest.mark.parametrize(
    ("usernames", "name", "expected"),
    [
        pytest.param(Usernames.KEEP, "scan@example.com", "scan@example.com", id="kept whole"),
        pytest.param(Usernames.MASK, "scan@example.com", "s***@example.com", id="masked but for the domain"),
        pytest.param(Usernames.MASK, "scanner", "s***", id="masked without a domain"),
        pytest.param(Usernames.DROP, "scan@example.com", None, id="dropped"),
        pytest.param(Usernames.MASK, "", None, id="an empty name is none"),
        pytest.param(Usernames.MASK, None, None, id="no name stays none"),
    ],
)
def test_user_names_are_treated_as_asked(
    usernames: Usernames, name: str | None, expected: str | None
) -> None:
    assert usernames.treat(name) == expected


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        pytest.param(["copier", "scanner"], "scanner", id="the last name counts"),
        pytest.param(["copier", ""], "copier", id="an empty name takes nothing back"),
        pytest.param([""], None, id="an empty name is none"),
    ],
)
def test_the_client_is_called_as_it_called_itself(names: Sequence[str], expected: str | None) -> None:
    assert account_of(*(ClientName(name, "EHLO") for name in names)).client_name == expected


def test_exchanges_name_of_a_connection_is_evidence() -> None:
    text = "a.outlook.office365.com ready at Sat, 26 Apr 2025 18:08:13 +0000 [08DD84B323498C1A]"
    account = account_of(Greeting(text, "a.outlook.office365.com"))
    assert account.evidence.startswith("greeting of a.outlook.office365.com [08DD84B323498C1A]")


def test_a_later_login_without_a_name_keeps_the_name_of_an_earlier_one() -> None:
    assert account_of(refused("PLAIN"), Login("GSSAPI", None)).username == "scan@example.com"
