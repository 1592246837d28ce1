"""What is claimed of dialogues inside TLS, made from the grammar and from sentences, not from captures."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.claims import LEAST, MOST, OVER_A_HOLE, Inferred, infer
from scanner.conversation import Side
from scanner.events import Outcome, Turn
from scanner.model import AuthClass
from scanner.sizes import Known

C, S = Side.CLIENT, Side.SERVER
EXCHANGE = Known(exchange=0.9, client_name=7, reply=204)
OTHER = Known(exchange=0.05, client_name=7)
IMPLICIT, OTHER_IMPLICIT = Known(exchange=0.9, implicit=True), Known(exchange=0.1, implicit=True)
ACCEPTED, REFUSED = Outcome.ACCEPTED, Outcome.REFUSED
FOREIGN = (41, 14, 33, 14, 6, 37, 400, 35, 6, 20)
MAIL = (45, 21, 31, 24, 6, 46, 400, 97, 6, 48)


def turns(*lengths: int) -> list[Turn]:
    """Client and server by turns; a negative number stands for a greeting."""
    found = []
    side = C
    for number, length in enumerate(lengths):
        if length < 0:
            found.append(Turn(S, -length, -length, 1, number, (-length,)))
            continue
        found.append(Turn(side, length, length, 1, number, (length,)))
        side = side.other
    return found


def claim(
    protocol: str, known: Known, said: Sequence[Turn], *, ended: bool = True, lost: bool = False
) -> Inferred:
    found = infer(protocol, known, said, tls13=False, ended=ended, lost=lost)
    assert found is not None
    return found


SMTP = [
    pytest.param(
        turns(14, 214, 12, 18, 30, 18, 18, 37, *MAIL), "LOGIN", ACCEPTED, id="LOGIN in three messages"
    ),
    pytest.param(
        turns(14, 214, 41, 18, 18, 37, *MAIL), "LOGIN", ACCEPTED, id="LOGIN with the user in the line"
    ),
    pytest.param(turns(14, 214, 12, 18, 30, 18, 18, 160, 6, 48), "LOGIN", REFUSED, id="LOGIN refused"),
    pytest.param(turns(14, 214, 1855, 37, *MAIL), "XOAUTH2", ACCEPTED, id="a token at once"),
    pytest.param(turns(14, 214, 14, 6, 1850, 37, *MAIL), "XOAUTH2", ACCEPTED, id="a token when asked for it"),
    pytest.param(turns(14, 214, 1855, 123), "XOAUTH2", REFUSED, id="a token refused"),
    pytest.param(turns(14, 214, 69, 37, *MAIL), "PLAIN", ACCEPTED, id="PLAIN at once"),
    pytest.param(turns(14, 214, 12, 6, 58, 37, *MAIL), "PLAIN", ACCEPTED, id="PLAIN when asked for it"),
    pytest.param(turns(14, 214, 15, 62, 74, 37, *MAIL), "CRAM-MD5", ACCEPTED, id="a challenge is answered"),
    pytest.param(turns(14, 214, 11, 8, 58, 300, 514, 37, *MAIL), "NTLM", ACCEPTED, id="NTLM has three legs"),
]


@pytest.mark.parametrize(("said", "mechanism", "outcome"), SMTP)
def test_smtp_with_exchange_online(said: list[Turn], mechanism: str, outcome: Outcome) -> None:
    found = claim("smtp", EXCHANGE, said)
    assert (found.attempts[-1].mechanism, found.attempts[-1].outcome) == (mechanism, outcome)
    assert found.confidence >= 0.9


@pytest.mark.parametrize(
    ("protocol", "known", "said", "mechanism", "outcome"),
    [
        pytest.param("smtp", OTHER, turns(14, 160, 12, 18, 30, 18, 18, 30, *FOREIGN), "LOGIN", ACCEPTED,
                     id="LOGIN with a server that nobody knows"),
        pytest.param("smtp", OTHER, turns(14, 160, 2103, 30, *FOREIGN),
                     "XOAUTH2", ACCEPTED, id="a token with a server that nobody knows"),
        pytest.param("imap", IMPLICIT, turns(-131, 17, 151, 38, 26, 18, 310, 13, 86), "IMAP-LOGIN", ACCEPTED,
                     id="IMAP LOGIN with a tag of four"),
        pytest.param("imap", IMPLICIT, turns(-131, 15, 149, 2278, 31, 20, 310, 11, 84), "XOAUTH2",
                     ACCEPTED,
                     id="IMAP with a token and a tag of two"),
        pytest.param("imap", IMPLICIT, turns(-131, 18, 152, 26, 4, 58, 34, 22, 310, 14, 87), "PLAIN",
                     ACCEPTED,
                     id="IMAP PLAIN when asked for it"),
        pytest.param("imap", OTHER_IMPLICIT, turns(-60, 17, 151, 45, 43, 13, 60), "IMAP-LOGIN", REFUSED,
                     id="IMAP LOGIN refused by some server"),
        pytest.param("pop3", IMPLICIT, turns(-100, 28, 5, 19, 34, 6, 11, 6, 56), "USERPASS", ACCEPTED,
                     id="USER and PASS"),
        pytest.param("pop3", IMPLICIT, turns(-100, 28, 5, 19, 39, 6, 56), "USERPASS", REFUSED,
                     id="USER and PASS refused"),
        pytest.param("pop3", IMPLICIT, turns(-100, 6, 45, 14, 4, 2002, 38, 6, 21, 6, 56), "XOAUTH2", ACCEPTED,
                     id="POP3 with a token"),
    ],
)  # fmt: skip
def test_other_protocols_and_servers(
    protocol: str, known: Known, said: list[Turn], mechanism: str, outcome: Outcome
) -> None:
    found = claim(protocol, known, said)
    assert (found.attempts[-1].mechanism, found.attempts[-1].outcome) == (mechanism, outcome)
    assert found.confidence >= 0.75


@pytest.mark.parametrize(
    ("protocol", "known", "said"),
    [
        pytest.param("smtp", EXCHANGE, turns(14, 190, *MAIL), id="mail without a login"),
        pytest.param("smtp", EXCHANGE, turns(14, 214, 45, 110, 6, 48), id="told to authenticate, and gone"),
        pytest.param("smtp", EXCHANGE, turns(14, 214, 6, 48), id="a probe that says hello and leaves"),
        pytest.param("imap", IMPLICIT, turns(-131, 17, 151, 13, 86), id="who honours LOGINDISABLED"),
        pytest.param("pop3", IMPLICIT, turns(-100, 6, 45, 6, 56), id="who asks what there is, and leaves"),
        pytest.param("smtp", EXCHANGE, turns(-130), id="who says nothing"),
    ],
)
def test_who_does_not_log_in(protocol: str, known: Known, said: list[Turn]) -> None:
    found = claim(protocol, known, said)
    assert (found.auth_class, found.attempts) == (AuthClass.NONE, ())


def test_every_attempt_is_told_and_the_last_decides() -> None:
    found = claim("smtp", EXCHANGE, turns(14, 214, 1855, 123, 12, 18, 30, 18, 18, 37, *MAIL))
    assert [(one.mechanism, one.outcome) for one in found.attempts] == [
        ("XOAUTH2", REFUSED), ("LOGIN", ACCEPTED),
    ]  # fmt: skip
    assert found.auth_class is AuthClass.BASIC


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        pytest.param(turns(14, 214), AuthClass.UNKNOWN, id="nothing behind the hello"),
        pytest.param(turns(14, 214, *MAIL), AuthClass.UNKNOWN, id="never no login over a hole"),
        pytest.param(turns(14, 214, 12, 18, 30, 18, 18, 37, 45, 21), AuthClass.BASIC, id="a login before it"),
    ],
)
def test_a_hole(said: list[Turn], kind: AuthClass) -> None:
    found = claim("smtp", EXCHANGE, said, lost=True)
    assert found.auth_class is kind
    assert found.confidence <= OVER_A_HOLE


def test_without_a_timestamp_in_the_greeting_there_is_no_apop() -> None:
    said = turns(6, 160, 43, 20, 6, 18, 6, 20)
    assert claim("pop3", replace(OTHER, timestamp=True), said).attempts[-1].mechanism == "APOP"
    without = claim("pop3", replace(OTHER, timestamp=False), said)
    assert "APOP" not in [one.mechanism for one in without.attempts]


def test_what_ends_early_is_incomplete() -> None:
    assert claim("smtp", EXCHANGE, turns(14, 214), ended=False).auth_class is AuthClass.INCOMPLETE
    assert claim("smtp", EXCHANGE, turns(-130), ended=False).auth_class is AuthClass.INCOMPLETE


def test_what_no_dialogue_explains_stays_unknown() -> None:
    found = claim("smtp", EXCHANGE, turns(5000, 3, 4000, 2, 3000, 1))
    assert (found.auth_class, found.confidence) == (AuthClass.UNKNOWN, 0.0)


def test_protocols_without_sizes_are_nobodys() -> None:
    assert infer("socks", EXCHANGE, turns(1, 2), tls13=False, ended=True, lost=False) is None
    assert infer(None, EXCHANGE, turns(1, 2), tls13=False, ended=True, lost=False) is None
    assert infer("smtp", EXCHANGE, [], tls13=False, ended=True, lost=False) is None


@settings(deadline=None, max_examples=60)
@given(
    st.sampled_from(["smtp", "imap", "pop3"]),
    st.lists(st.integers(0, 5000), min_size=1, max_size=40),
    st.booleans(),
    st.booleans(),
)
def test_sizes_of_any_kind_give_an_honest_claim(
    protocol: str, lengths: list[int], ended: bool, lost: bool
) -> None:
    found = claim(protocol, EXCHANGE, turns(*lengths), ended=ended, lost=lost)
    assert found.confidence == 0.0 or LEAST <= found.confidence <= MOST
    assert not (lost and found.auth_class is AuthClass.NONE)


def test_no_size_of_a_login_is_told() -> None:
    lengths = (14, 214, 12, 18, 178, 18, 166, 37, *MAIL)
    shown = repr(claim("smtp", EXCHANGE, turns(*lengths)))
    assert not [length for length in (178, 166) if str(length) in shown]


def test_an_exact_length_tells_what_is_offered_and_bounds_do_not() -> None:
    said = turns(6, 45, 13, 5, 15, 34, 6, 11, 6, 56)
    rough = [replace(turn, low=turn.high - turn.high % 16, high=turn.high | 15) for turn in said]
    exact, bounds = (claim("pop3", IMPLICIT, one).steps[0] for one in (said, rough))
    assert exact == "inside TLS: CAPA, offered PLAIN XOAUTH2 and USER (6 bytes), answered by 45 bytes"
    assert bounds == "inside TLS: CAPA (0 to 15 bytes), answered by 32 to 47 bytes"


@pytest.mark.parametrize(
    ("protocol", "before", "behind"),
    [("smtp", (23, 210), (61, 6, 48)), ("imap", (17, 151), (103, 13, 86)), ("pop3", (6, 45), (30, 6, 56))],
)
def test_what_may_be_a_login_shows_no_length_whatever_it_was_taken_for(
    protocol: str, before: tuple[int, int], behind: tuple[int, int, int]
) -> None:
    """Only commands that are as long for everybody show theirs."""
    for size in range(60, 2000, 7):
        for known in (IMPLICIT, OTHER_IMPLICIT):
            for said in ((*before, size, *behind), (size, *behind)):
                steps = claim(protocol, known, turns(*said)).steps
                assert not any(f"({size} bytes)" in step for step in steps), steps
