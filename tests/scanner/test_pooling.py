"""What a host's sessions come to: no odd or lossy one decides, and two real ways stay two."""

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.events import Outcome, TlsMode
from scanner.fingerprints import fingerprints
from scanner.model import AuthClass, Basis, Device, ServerKind, Usage
from scanner.odds import MOST
from scanner.pooling import BROWSERLESS, TOKEN_NS, pool

DAY = 86_400 * 10**9
BASIC, OAUTH, NTLM = AuthClass.BASIC, AuthClass.OAUTH, AuthClass.NTLM
NONE, INCOMPLETE, UNKNOWN = AuthClass.NONE, AuthClass.INCOMPLETE, AuthClass.UNKNOWN
MECHANISMS = {BASIC: "LOGIN", OAUTH: "XOAUTH2", NTLM: "NTLM"}
SEEN, INFERRED = Basis.SEEN, Basis.INFERRED


def use(kind: AuthClass, sessions: int = 1, confidence: float = 0.95, **changes: Any) -> Usage:
    """What sizes told of so many sessions."""
    made = Usage(
        server_name="smtp.office365.com",
        server_kind=ServerKind.EXCHANGE_ONLINE,
        server_port=587,
        protocol="smtp",
        service="submission",
        tls_mode=TlsMode.STARTTLS,
        tls_version="TLSv1.2",
        mechanism=MECHANISMS.get(kind),
        auth_class=kind,
        outcome=Outcome.ACCEPTED if kind in MECHANISMS else None,
        basis=INFERRED,
        confidence=0.0 if kind is UNKNOWN else confidence,
        first_seen=0,
        last_seen=DAY,
        sessions=sessions,
    )
    return replace(made, **changes)


def short(found: Sequence[Usage]) -> list[tuple[AuthClass, int]]:
    return sorted((one.auth_class, one.sessions) for one in found)


TABLE = [
    pytest.param([use(BASIC, 200)], [(BASIC, 200)], id="all agree"),
    pytest.param(
        [use(OAUTH, 40, 0.95), use(OAUTH, 30, 0.97), use(OAUTH, 1, 0.71)], [(OAUTH, 71)],
        id="confidences that vary are one usage",
    ),
    pytest.param([use(OAUTH, 199), use(BASIC, 1, 0.99)], [(OAUTH, 200)], id="one odd flow among many"),
    pytest.param([use(BASIC, 199), use(OAUTH, 2, 0.99)], [(BASIC, 201)], id="two odd flows among many"),
    pytest.param([use(OAUTH, 4), use(BASIC, 1)], [(OAUTH, 5)], id="one odd flow among a few"),
    pytest.param([use(BASIC, 50, 0.65), use(OAUTH, 2, 0.99)], [(BASIC, 52)], id="two sure flows are odd"),
    pytest.param(
        [use(OAUTH, 500, 0.98), use(BASIC, 20, 0.7)], [(OAUTH, 520)], id="many flows that are unsure are odd"
    ),
    pytest.param(
        [use(OAUTH, 60), use(BASIC, 12)], [(BASIC, 12), (OAUTH, 60)], id="two real ways stay two"
    ),
    pytest.param(
        [use(OAUTH, 900, 0.99), use(BASIC, 4, 0.97)], [(BASIC, 4), (OAUTH, 900)],
        id="a rare way that is sure is a way",
    ),
    pytest.param([use(OAUTH), use(BASIC)], [(BASIC, 1), (OAUTH, 1)], id="one against one decides nothing"),
    pytest.param([use(OAUTH, 1, 0.95), use(BASIC, 1, 0.65)], [(OAUTH, 2)], id="one against a less sure one"),
    pytest.param(
        [use(BASIC, 3), use(UNKNOWN, 90, basis=Basis.ENDPOINT)], [(BASIC, 93)], id="unknown beside known"
    ),
    pytest.param(
        [use(OAUTH, 30), use(UNKNOWN, 2), use(INCOMPLETE, 7), use(NONE, 9)], [(OAUTH, 48)],
        id="flows that did not get to a login beside known",
    ),
    pytest.param(
        [use(NONE, 50), use(UNKNOWN, 1, basis=Basis.ENDPOINT)], [(NONE, 51)], id="a lossy flow among many"
    ),
    pytest.param(
        [use(NONE, 2), use(UNKNOWN, 50)], [(UNKNOWN, 52)], id="two without a login beside many unknown"
    ),
    pytest.param(
        [use(NONE, 20), use(UNKNOWN, 20)], [(NONE, 20), (UNKNOWN, 20)], id="as many unknown as without"
    ),
    pytest.param(
        [use(OAUTH, 500), use(BASIC, 1, 0.99, basis=SEEN)], [(BASIC, 1), (OAUTH, 500)],
        id="a password that was heard is a fact, though it was once",
    ),
    pytest.param(
        [use(BASIC, 5, 0.99, basis=SEEN), use(OAUTH, 1)], [(BASIC, 6)], id="an odd flow beside a fact"
    ),
    pytest.param(
        [use(BASIC, 30, server_port=25), use(NONE, 30, 0.97, basis=SEEN, server_port=25)],
        [(BASIC, 30), (NONE, 30)],
        id="mail without a login on port 25 is a way",
    ),
    pytest.param(
        [use(BASIC, 30), use(OAUTH, 1, server_name="outlook.office365.com")], [(BASIC, 30), (OAUTH, 1)],
        id="another server is another pool",
    ),
    pytest.param(
        [use(OAUTH, 30), use(UNKNOWN, 1, server_name=None)], [(OAUTH, 31)],
        id="a flow whose server's name was not heard goes to those that may be the same",
    ),
    pytest.param(
        [use(OAUTH, 30), use(UNKNOWN, 1, server_name=None, server_port=465)], [(OAUTH, 30), (UNKNOWN, 1)],
        id="but not to another port",
    ),
    pytest.param(
        [use(BASIC, 30), use(UNKNOWN, 2, tls_version="TLSv1")], [(BASIC, 2), (BASIC, 30)],
        id="an old version of TLS that was heard is not lost",
    ),
    pytest.param(
        [use(BASIC, 30), use(BASIC, 20, outcome=Outcome.REFUSED)], [(BASIC, 20), (BASIC, 30)],
        id="refused as often as accepted",
    ),
    pytest.param(
        [use(BASIC, 30), use(BASIC, 1, outcome=Outcome.REFUSED), use(BASIC, 9, outcome=None)], [(BASIC, 40)],
        id="refused once",
    ),
]  # fmt: skip


def web(kind: AuthClass, sessions: int, service: str | None, sure: float = 0.9, **changes: Any) -> Usage:
    """What sizes told of so many sessions with a web front end."""
    server = {"server_name": "outlook.office365.com", "server_port": 443, "protocol": "http"}
    return use(kind, sessions, sure, **{**server, "service": service, **changes})


@pytest.mark.parametrize(
    ("usages", "expected"),
    [
        pytest.param(
            [web(BASIC, 30, "eas"), web(BASIC, 9, None)], [("eas", BASIC, 39)],
            id="of an unknown service, and they say the same",
        ),
        pytest.param(
            [web(BASIC, 30, "eas"), web(OAUTH, 1, None)], [("eas", BASIC, 31)],
            id="one of an unknown service says otherwise",
        ),
        pytest.param(
            [web(BASIC, 2, "eas"), web(OAUTH, 90, None)], [("eas", BASIC, 2), (None, OAUTH, 90)],
            id="many that may be of another service do not overturn a few",
        ),
        pytest.param(
            [web(BASIC, 30, "eas"), web(OAUTH, 5, "ews"), web(OAUTH, 9, None), web(UNKNOWN, 2, None)],
            [("eas", BASIC, 32), ("ews", OAUTH, 14)],
            id="each goes to its like, and what is not told to the most",
        ),
        pytest.param(
            [web(BASIC, 3, "eas"), web(BASIC, 200, None)], [("eas", BASIC, 203)],
            id="a service that few told is said of all",
        ),
        pytest.param(
            [web(OAUTH, 30, "eas"), web(BASIC, 1, "ews")], [("eas", OAUTH, 30), ("ews", BASIC, 1)],
            id="another service that was told is another pool",
        ),
        pytest.param(
            [web(OAUTH, 30, "eas"), web(BASIC, 1, None, 0.99, basis=SEEN)],
            [("eas", OAUTH, 30), (None, BASIC, 1)],
            id="a password that was heard stays where it was",
        ),
        pytest.param(
            [web(OAUTH, 30, "eas"), web(BASIC, 1, None, server_name="mail.contoso.example")],
            [("eas", OAUTH, 30), (None, BASIC, 1)],
            id="another server is another pool",
        ),
    ],
)  # fmt: skip
def test_web_sessions_of_an_unknown_service(
    usages: list[Usage], expected: list[tuple[str | None, AuthClass, int]]
) -> None:
    found = [(one.service, one.auth_class, one.sessions) for one in pool(usages)]
    assert sorted(found, key=str) == sorted(expected, key=str)


@pytest.mark.parametrize(("usages", "expected"), TABLE)
def test_what_usages_come_to(usages: list[Usage], expected: list[tuple[AuthClass, int]]) -> None:
    found = pool(usages)
    assert short(found) == sorted(expected)
    for name in ("sessions", "mails", "logins_same", "logins_changed"):
        assert sum(getattr(one, name) for one in found) == sum(getattr(one, name) for one in usages)
    assert all(one.confidence <= MOST for one in found)


def test_what_decides_nothing_is_counted_apart() -> None:
    (found,) = pool([use(OAUTH, 198), use(BASIC, 2), use(UNKNOWN, 7)])
    assert (found.sessions, found.odd, found.untold, found.mechanism) == (207, 2, 7, "XOAUTH2")


def test_spans_and_mails_add_up() -> None:
    usages = [
        use(BASIC, 5, first_seen=10, last_seen=20, mails=3),
        use(BASIC, 1, 0.8, first_seen=5, last_seen=12, mails=1),
        use(UNKNOWN, 1, first_seen=11, last_seen=40),
    ]
    (found,) = pool(usages)
    assert (found.first_seen, found.last_seen, found.mails) == (5, 40, 4)


def test_the_mechanism_of_most_sessions_is_said() -> None:
    (found,) = pool([use(BASIC, 2, mechanism="PLAIN"), use(BASIC, 20)])
    assert found.mechanism == "LOGIN"


@pytest.mark.parametrize(
    ("usages", "least", "most"),
    [
        pytest.param([use(BASIC, 1, 0.8)], 0.8, 0.8, id="one session is as sure as it is"),
        pytest.param([use(BASIC, 2, 0.8)], 0.85, 0.88, id="two are surer"),
        pytest.param([use(BASIC, 2_000, 0.8)], 0.9, 0.94, id="thousands are hardly surer than ten"),
        pytest.param([use(BASIC, 2_000, 0.99)], 0.99, 0.99, id="never certain"),
        pytest.param([use(BASIC, 10, 0.8), use(OAUTH, 2, 0.8)], 0.8, 0.89, id="dissent makes it less sure"),
        pytest.param([use(BASIC, 10, 0.8), use(UNKNOWN, 90)], 0.9, 0.94, id="lossy flows do not"),
    ],
)
def test_how_sure_a_pool_is(usages: list[Usage], least: float, most: float) -> None:
    (found,) = pool(usages)
    assert least <= found.confidence <= most


def sure(kind: AuthClass, same: int, changed: int) -> float:
    (found,) = pool([use(kind, 100, 0.8, logins_same=same, logins_changed=changed)])
    assert found.auth_class is kind
    return found.confidence


@pytest.mark.parametrize(
    ("same", "changed", "password", "token"),
    [
        pytest.param(90, 0, 1, -1, id="logins as long over days are a password's"),
        pytest.param(90, 1, 1, -1, id="so they are if it was changed once"),
        pytest.param(0, 90, -1, 1, id="lengths that change by the hour are tokens'"),
        pytest.param(30, 60, -1, 1, id="so they are if some came out as long"),
        pytest.param(60, 20, 0, 0, id="both say nothing"),
        pytest.param(2, 0, 0, 0, id="two are too few"),
        pytest.param(0, 0, 0, 0, id="nothing to compare"),
    ],
)
def test_how_long_logins_are_over_time(same: int, changed: int, password: int, token: int) -> None:
    for kind, sense in ((BASIC, password), (OAUTH, token), (NTLM, 0)):
        plain, found = sure(kind, 0, 0), sure(kind, same, changed)
        assert (found > plain) - (found < plain) == sense
        assert abs(found - plain) < 0.2


def test_a_fact_is_not_overturned_by_lengths() -> None:
    heard = use(BASIC, 9, 0.99, basis=SEEN, logins_changed=8)
    assert pool([heard]) == (heard,)


@pytest.mark.parametrize(
    ("kind", "apart", "more"),
    [
        pytest.param("printer", TOKEN_NS, True, id="a printer was there within a token's life"),
        pytest.param("printer", TOKEN_NS + 1, False, id="a printer was there longer ago"),
        pytest.param("computer", 0, False, id="somebody browses on a computer"),
        pytest.param(None, 0, False, id="nobody knows what it is"),
    ],
)
def test_contacts_of_sign_in_hosts(kind: str | None, apart: int, more: bool) -> None:
    there = use(UNKNOWN, server_kind=ServerKind.SIGN_IN, server_name="login.example", last_seen=DAY - apart)
    usages = [use(OAUTH, 3, 0.8), there]
    plain, found = pool(usages)[0], pool(usages, Device(kind=kind))[0]
    assert (found.confidence > plain.confidence) is more
    assert found.confidence < 0.95
    password = [use(BASIC, 3, 0.8), there]
    assert pool(password, Device(kind=kind)) == pool(password)


def test_kinds_without_a_browser_are_kinds_that_fingerprints_tell() -> None:
    assert {one.kind for one in fingerprints()} >= BROWSERLESS


USES = st.builds(
    use,
    st.sampled_from([BASIC, OAUTH, NTLM, NONE, INCOMPLETE, UNKNOWN]),
    st.sampled_from([1, 2, 3, 5, 9, 10, 200]),
    st.sampled_from([0.6, 0.8, 0.9, 0.99]),
    basis=st.sampled_from([INFERRED, INFERRED, SEEN]),
    server_port=st.sampled_from([25, 587]),
    protocol=st.sampled_from(["smtp", "http"]),
    service=st.sampled_from([None, "eas", "ews"]),
    tls_version=st.sampled_from([None, "TLSv1", "TLSv1.3"]),
    outcome=st.sampled_from([None, *Outcome]),
    logins_same=st.sampled_from([0, 5]),
)


def verdict(found: Sequence[Usage]) -> list[Usage]:
    return [replace(one, sessions=0, logins_same=0, odd=0, untold=0) for one in found]


@settings(deadline=None)
@given(st.lists(USES, max_size=9))
def test_nothing_is_lost_and_facts_stay(usages: list[Usage]) -> None:
    found = pool(usages)
    assert sum(one.sessions for one in found) == sum(one.sessions for one in usages)
    assert all(one.odd + one.untold < one.sessions for one in found)
    facts = {(one.auth_class, one.mechanism) for one in usages if one.basis is SEEN and one.mechanism}
    assert facts <= {(one.auth_class, one.mechanism) for one in found}
    assert {one.tls_version for one in found} >= {one.tls_version for one in usages} - {None}
    assert len({one.auth_class for one in found}) <= len({one.auth_class for one in usages})


@settings(deadline=None)
@given(st.lists(USES, max_size=6), st.integers(0, 99))
def test_more_addresses_and_numbers_that_are_not_told_apart_make_no_difference(
    usages: list[Usage], seed: int
) -> None:
    draw = random.Random(seed)
    more = [replace(one, sessions=draw.choice([one.sessions, 9 if 3 <= one.sessions < 10 else one.sessions]))
            for one in usages for _ in range(draw.randrange(1, 3))]  # fmt: skip
    assert verdict(pool(more)) == verdict(pool(usages))
