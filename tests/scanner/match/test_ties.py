"""Whose mailbox a device uses: found where it shows, and not claimed where it does not."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.matched import ADDRESS, SITES, overclaimed, result
from scanner.events import Outcome
from scanner.match.ties import ties
from scanner.tenant import HeardLogin, SignIn, Tie

BEGAN, HOUR, SECOND = 1_790_000_000, 3600, 10**9
LOGIN = HeardLogin("copier", 0, "smtp", None, Outcome.ACCEPTED, True, "here", ADDRESS)
SIGN_IN = SignIn("", 0, "scan@example.com", ADDRESS, "smtp", None, Outcome.ACCEPTED, True)
TIMES = [BEGAN + hour * HOUR + hour * hour % 3001 for hour in range(12)]
"""No two at the same time of day."""
Pair = tuple[list[HeardLogin], list[SignIn]]


def logins(*times: int, **changes: object) -> list[HeardLogin]:
    return [replace(LOGIN, at=at * SECOND, **changes) for at in times]  # type: ignore[arg-type]


def sign_ins(*times: int, late: int = 2, **changes: object) -> list[SignIn]:
    told = {"user": SIGN_IN.user, **changes}
    return [
        replace(SIGN_IN, id=f"{told['user']} {at}", at=(at + late) * SECOND, **changes)  # type: ignore[arg-type]
        for at in times
    ]


def found(some: list[Tie]) -> set[tuple[str, str]]:
    return {(tie.host, tie.user) for tie in some}


def test_a_site_as_it_may_be_is_matched() -> None:
    for name in ("matched", "drift of 1 s/day, told", "7 days"):
        site, least, most = SITES[name]
        figures = result(site)
        assert figures.found >= least, name
        assert figures.wrong <= most, name


def test_a_score_is_the_share_that_is_right() -> None:
    assert overclaimed(rounds=2) < 0.05


def test_a_device_alone_is_tied_with_its_coincidences() -> None:
    (tie,) = ties(logins(*TIMES), sign_ins(*TIMES[:9]))
    assert (tie.host, tie.user, tie.basis, tie.count) == ("copier", "scan@example.com", "coincidence", 9)
    assert tie.score >= 0.95
    assert len(tie.coincidences) == 5
    assert {one.candidates for one in tie.coincidences} == {1}
    assert {one.session_at for one in tie.coincidences} <= {at * SECOND for at in TIMES}


TIED: dict[str, Pair] = {
    "the sensor is five minutes slow": (logins(*TIMES), sign_ins(*TIMES, late=302)),
    "the sensor is five minutes slow, and greetings say so": (
        logins(*TIMES, ahead_s=300), sign_ins(*TIMES, late=302)
    ),
    "the log does not tell the protocol": (logins(*TIMES), sign_ins(*TIMES, protocol=None)),
    "how it logged in was not told apart": (logins(*TIMES, password=None, outcome=None), sign_ins(*TIMES)),
    "imap does not tell the public address, smtp does": (
        logins(*TIMES, protocol="imap", public_ip=None) + logins(BEGAN, host="other"),
        sign_ins(*TIMES, protocol="imap"),
    ),
    "IPv6 addresses of one network": (
        logins(*TIMES, public_ip="2001:db8::1"), sign_ins(*TIMES, ip="2001:db8::2")
    ),
    "the name crossed in clear and was masked": (
        logins(*TIMES, username="s***@example.com"), sign_ins(*TIMES)
    ),
    "logins from before the log began": (
        logins(*range(BEGAN - 10**7, BEGAN - 10**6, HOUR), *TIMES), sign_ins(*TIMES)
    ),
}  # fmt: skip


@pytest.mark.parametrize("pair", TIED.values(), ids=TIED)
def test_it_is_tied_all_the_same(pair: Pair) -> None:
    assert found(ties(*pair)) == {("copier", "scan@example.com")}


UNTIED: dict[str, Pair] = {
    "there are no sign-ins": (logins(*TIMES), []),
    "there are no logins": ([], sign_ins(*TIMES)),
    "one coincidence": (logins(TIMES[0]), sign_ins(TIMES[0])),
    "one coincidence of many logins": (logins(*TIMES), sign_ins(TIMES[0])),
    "another site's address": (logins(*TIMES), sign_ins(*TIMES, ip="192.0.2.9")),
    "another protocol": (logins(*TIMES), sign_ins(*TIMES, protocol="imap")),
    "a token where a password crossed": (logins(*TIMES), sign_ins(*TIMES, password=False)),
    "accepted where it was refused": (logins(*TIMES), sign_ins(*TIMES, outcome=Outcome.REFUSED)),
    "another name crossed in clear": (logins(*TIMES, username="x***@example.com"), sign_ins(*TIMES)),
    "two devices always at once": (logins(*TIMES) + logins(*TIMES, host="twin"), sign_ins(*TIMES)),
    "sign-ins of an hour apart from all logins": (logins(*TIMES), sign_ins(*TIMES, late=1801)),
    "sign-ins at random": (
        logins(*TIMES), sign_ins(*random.Random(3).sample(range(BEGAN, BEGAN + 12 * HOUR), 12))
    ),
    "sign-ins all the time": (logins(*TIMES), sign_ins(*range(BEGAN, BEGAN + 12 * HOUR, 5))),
    "a daily schedule that many others have": (
        [
            login
            for number in range(20)
            for login in logins(*range(BEGAN, BEGAN + 5 * 24 * HOUR, 24 * HOUR), host=f"d{number}")
        ],
        sign_ins(*range(BEGAN, BEGAN + 5 * 24 * HOUR, 24 * HOUR)),
    ),
}  # fmt: skip


@pytest.mark.parametrize("pair", UNTIED.values(), ids=UNTIED)
def test_nothing_is_claimed(pair: Pair) -> None:
    assert ties(*pair) == []


def test_a_device_may_have_two_mailboxes_and_a_mailbox_many_devices() -> None:
    draw = random.Random(7)
    mine, its = (sorted(draw.sample(range(BEGAN, BEGAN + 99 * HOUR), 30)) for _ in range(2))
    heard = logins(*mine) + logins(*its, host="camera")
    logged = sign_ins(*mine[::2], *its) + sign_ins(*mine[1::2], user="own@example.com")
    assert found(ties(heard, logged)) == {
        ("copier", "scan@example.com"), ("copier", "own@example.com"), ("camera", "scan@example.com")
    }  # fmt: skip


def test_a_name_in_clear_needs_no_log() -> None:
    (tie,) = ties(logins(*TIMES, username="Scan@Example.com"), [])
    assert (tie.user, tie.basis, tie.count) == ("scan@example.com", "seen", 12)


@pytest.mark.parametrize("name", ["s***@example.com", "scanner", "***"])
def test_part_of_a_name_is_none(name: str) -> None:
    assert ties(logins(*TIMES, username=name), []) == []


def test_a_name_in_clear_keeps_what_coincides() -> None:
    (tie,) = ties(logins(*TIMES, username="scan@example.com"), sign_ins(*TIMES))
    assert (tie.basis, len(tie.coincidences)) == ("seen", 5)


def test_a_refusal_that_names_the_connection_is_enough() -> None:
    reason = "535 5.7.139 [AM0PR01CA0183.eurprd01.prod.outlook.com 2026-08-28T19:45:50.437Z 08DF04C6D9A404E7]"
    heard = [*logins(BEGAN, connection="08DF04C6D9A404E7"), *logins(BEGAN, host="twin")]
    (tie,) = ties(heard, sign_ins(BEGAN, late=20_000, reason=reason))
    assert (tie.host, tie.user, tie.basis, tie.count) == ("copier", "scan@example.com", "refusal", 1)


@settings(max_examples=25, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(0, 3))
def test_the_order_of_input_makes_no_difference(shuffled: random.Random, seed: int) -> None:
    draw = random.Random(seed)
    at: Callable[[], int] = lambda: BEGAN + draw.randrange(5 * HOUR)  # noqa: E731
    heard = [login for host in "abc" for login in logins(*(at() for _ in range(15)), host=host)]
    logged = [
        replace(one, user=f"{login.host}@example.com", id=str(number))
        for number, login in enumerate(heard)
        for one in sign_ins(login.at // SECOND)
    ]
    before = ties(heard, logged)
    shuffled.shuffle(heard)
    shuffled.shuffle(logged)
    assert before
    assert ties(heard, logged) == before
